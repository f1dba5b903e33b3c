import Checking
import Diagnostics
import Foundation
import Requests
import Tuning

/// The head-of-run summary of an optimization, for people: what was done, what was tried and not
/// done, and why. Goes to standard error, beside the module on standard output.
public struct OptimizationSummary: Sendable {
  public var request: Request
  public var result: Optimization
  /// The most trials that are listed per kernel and outcome before the rest is counted.
  private static let listLimit = 12

  public init(request: Request, result: Optimization) {
    self.request = request
    self.result = result
  }

  public var text: String {
    var lines: [String] = []
    lines.append(backendLine)
    if let deduction = result.deduction {
      lines.append("problem")
      lines += deduction.steps.map { "  " + $0 }
    }
    for kernel in result.kernels { lines += describe(kernel) }
    if result.kernels.isEmpty { lines.append("no kernel launch was found") }
    let shown = result.notes.filter { $0.severity >= .warning }
    if !shown.isEmpty {
      lines.append("notes")
      lines += shown.map { "  " + $0.headline }
    }
    if let compilation = result.compilation { lines += describe(compilation) }
    if let measurement = result.measurement {
      lines += describe(measurement)
      lines.append(verdict(measurement))
    } else {
      if let check = result.check { lines.append(Self.describe(check)) }
      lines.append(verdict)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func describe(_ check: CheckReport) -> String {
    guard check.verdict == .passed else {
      return "not checked on the tile machine: "
        + (check.obstacle?.headline ?? "no run could be made")
    }
    let worst = check.runs.map(\.candidate.relativeL2).max() ?? 0
    let reference = check.runs.first?.reference.rawValue ?? "original module"
    let error = String(format: "%.2g", worst)
    return "checked    on the tile machine: \(check.problems.count) runs at small sizes agree with "
      + "the original, worst relative error \(error) against the \(reference)"
  }

  private func describe(_ kernel: KernelOutcome) -> [String] {
    var lines = [
      "kernel \(kernel.name), \(kernel.launches) launch\(kernel.launches == 1 ? "" : "es")"
    ]
    if let reference = kernel.referenceConfig {
      let how = kernel.isReferenceProfiled ? "the profiled config" : "fastest by the model"
      lines.append("  original   \(reference.knobText(order: kernel.parameterNames)) (\(how))")
    }
    if let refusal = kernel.refusal {
      lines.append("  not understood: \(refusal.headline)")
    }
    // Measured trials have a table of their own.
    let trials = result.trials.filter { $0.kernel == kernel.name && $0.evidence != .measured }
    lines += list(trials.filter(\.isAccepted), "done      ")
    lines += list(
      trials.filter { if case .reverted = $0.outcome { true } else { false } }, "not done  ")
    lines += list(
      trials.filter { if case .refused = $0.outcome { true } else { false } }, "refused   ")
    if let before = kernel.microsecondsBefore, let after = kernel.microsecondsAfter {
      lines.append(
        "  predicted  \(Self.microseconds(before)) → \(Self.microseconds(after)) µs "
          + "(\(Self.ratio(before / after))) for \(request.gpu.name)")
    }
    return lines
  }

  private func list(_ trials: [Trial], _ label: String) -> [String] {
    var lines: [String] = []
    for trial in trials.prefix(Self.listLimit) {
      let line = trial.location.map { "line \($0.line): " } ?? ""
      lines.append("  \(label) \(line)\(trial.what)")
      switch trial.outcome {
      case .accepted:
        if !trial.why.isEmpty { lines.append("             because \(trial.why)") }
        if let before = trial.microsecondsBefore, let after = trial.microsecondsAfter {
          lines.append(
            "             \(trial.evidence.rawValue) \(Self.microseconds(before)) → "
              + "\(Self.microseconds(after)) µs (\(Self.ratio(before / after)))")
        }
      case .reverted(let reason): lines.append("             \(reason)")
      case .refused(let diagnostic): lines.append("             \(diagnostic.headline)")
      }
    }
    if trials.count > Self.listLimit {
      lines.append("  \(label) … and \(trials.count - Self.listLimit) more (see --format json)")
    }
    return lines
  }

  private var verdict: String {
    switch result.status {
    case .unchanged: return "result     the original: nothing within the stage's rules gains enough"
    case .tuned, .improved:
      guard let (before, after) = result.predictedMicroseconds, after > 0 else {
        return "result     knobs only; no time could be predicted"
      }
      let ratio = before / after
      let line = "result     predicted \(Self.ratio(ratio)) over all understood launches"
      guard ratio < request.policy.worthwhileSpeedup else { return line }
      return line
        + ": no gain above \(Self.percent(request.policy.worthwhileSpeedup)) is predicted; "
        + "\(grounds), so time it before you ship it"
    }
  }

  /// What a result without a predicted gain rests on.
  private var grounds: String {
    let accepted = result.trials.filter(\.isAccepted)
    var parts: [String] = []
    if accepted.contains(where: { $0.basis == .measuredPrior }) {
      parts.append("the body rests on measurements of other kernels")
    }
    if accepted.contains(where: { $0.basis == .stage }) {
      parts.append("the configs are listed because the stage asks for them")
    }
    if accepted.contains(where: { $0.basis == .nothing }) {
      parts.append("some configs are listed without a prediction")
    }
    if accepted.contains(where: { $0.basis == .winner }) {
      parts.append("it was measured by an earlier run and comes from the store of winners")
    }
    if accepted.contains(where: { $0.basis == .emission }) {
      parts.append("the configs are written in the form that was asked for")
    }
    if accepted.contains(where: { $0.basis == .safety }) {
      parts.append("the autotuner's trial runs now restore what the kernel changes")
    }
    // Each gain reaches the threshold for its kernel, but not over all of them.
    if parts.isEmpty { parts.append("what was gained is small beside the other kernels") }
    return parts.joined(separator: ", and ")
  }

  private static func percent(_ speedup: Double) -> String {
    "\(((speedup - 1) * 1000).rounded() / 10) %"
  }

  static func microseconds(_ value: Double) -> String {
    value >= 100 ? "\(Int(value.rounded()))" : "\((value * 10).rounded() / 10)"
  }

  /// "1.05×", always with two places.
  static func ratio(_ value: Double) -> String {
    guard value.isFinite, value < 1e9 else { return "\(value)×" }
    let hundredths = Int((value * 100).rounded())
    let cents = hundredths % 100
    return "\(hundredths / 100).\(cents < 10 ? "0" : "")\(cents)×"
  }
}
