import Diagnostics
import Foundation
import HostProgram
import TileMachine

/// What shows without comparing numbers.
extension CheckSession {
  /// Things that do not depend on numbers: kernels run, results come from them.
  mutating func checkStructure(_ problem: CheckProblem) throws {
    let mine = try candidate.run(problem)
    let theirs = try original.run(problem)
    let source = checker.candidate.source
    guard !theirs.launches.isEmpty else { return }
    if mine.launches.isEmpty {
      report.findings.append(
        CheckFinding(
          reason: .noKernel,
          diagnostic: Diagnostic(
            id: "no-kernel", "the module launches no kernel", source: source),
          problem: problem.label))
      return
    }
    let own = Self.heavyOperators(mine)
    let known = Self.heavyOperators(theirs)
    for (name, range) in own where !known.contains(where: { $0.name == name }) {
      report.findings.append(
        CheckFinding(
          reason: .noKernel,
          diagnostic: Diagnostic(
            id: "no-kernel",
            "torch's '\(name)' does work here that the original leaves to its kernels",
            source: source, range: range), problem: problem.label))
      return
    }
  }

  /// Operators with work of their own, as opposed to moving and making tensors.
  static func heavyOperators(_ run: HostRun) -> [(name: String, range: SourceRange)] {
    let light: Set<String> = [
      "contiguous", "clone", "to", "copy", "fill", "zero", "cat", "stack", "empty", "zeros", "ones",
      "full", "arange", "tensor", "empty_like", "zeros_like", "ones_like", "full_like", "new_empty",
      "new_zeros", "new_ones", "new_full", "pad", "dropout", "expand", "index", "index_select",
      "flip", "repeat", "tril", "triu", "roll", "as_tensor", "linspace", "eye", "detach",
    ]
    var result: [(String, SourceRange)] = []
    for case .operation(let operation) in run.trace.forward where !light.contains(operation.name) {
      // Work on the scale of inputs or outputs; sums of partial results and foldings of parameters
      // do not count.
      var sizes = operation.results.map { $0.shape.reduce(1, &*) }
      for case .tensor(let shape) in operation.arguments.values {
        sizes.append(shape.shape.reduce(1, &*))
      }
      let largest = sizes.max() ?? 0
      let ends =
        run.trace.outputs.map { $0.shape.reduce(1, &*) }
        + run.trace.tensors.filter { $0.role == .input }.map { $0.shape.shape.reduce(1, &*) }
      if largest * 4 >= ends.max() ?? 0 { result.append((operation.name, operation.range)) }
    }
    return result
  }

  static func kinds(_ run: HostRun) -> [String] {
    run.trace.outputs.map { "\($0.element)\($0.shape)" }
  }

  /// What shows at the given size without running a kernel: that the candidate takes it, and the
  /// kinds of its results.
  mutating func checkGiven(_ given: CheckProblem) {
    guard let theirs = try? original.run(given) else { return }
    func finding(_ reason: CheckReason, _ diagnostic: Diagnostic) {
      report.findings.append(
        CheckFinding(reason: reason, diagnostic: diagnostic, problem: given.label))
    }
    if let refusal = Self.refusal(given, candidate) { return finding(.refused, refusal) }
    guard let mine = try? candidate.run(given) else { return }
    let (kinds, expected) = (Self.kinds(mine), Self.kinds(theirs))
    if kinds != expected {
      finding(
        .wrongKind,
        Diagnostic(
          id: "wrong-kind", "results are \(kinds) where the original gives \(expected)",
          source: checker.candidate.source))
    }
  }

  /// Addresses at the real size, in the corner programs of each launch under every config.
  mutating func checkCorners(_ given: CheckProblem) {
    guard Date() < deadline else { return }
    progress(0.97, "corner programs at the given sizes")
    let limit = min(deadline, Date().addingTimeInterval(max(1, checker.options.budget / 10)))
    do {
      let mine = try candidate.run(given)
      guard
        let fault = try LaunchProbe(module: candidate, run: mine).cornerFault(
          allConfigs: true, deadline: limit),
        // Indices that nothing filled are all 0: programs that scatter by them meet there.
        ModuleRunner.reason(fault) != .race
      else { return }
      let theirs = try original.run(given)
      if let own = try LaunchProbe(module: original, run: theirs).cornerFault(
        allConfigs: false, deadline: limit)
      {
        return note("the original itself fails at the given sizes: \(own.message)")
      }
      report.findings.append(
        CheckFinding(
          reason: ModuleRunner.reason(fault), diagnostic: fault.diagnostic,
          problem: "\(given.label), corner programs"))
    } catch {
      note("corner programs at the given sizes were not run: \(error)")
    }
  }
}
