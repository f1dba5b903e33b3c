import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import TensorMath
import TileMachine

/// One check from its first run to its verdict.
struct CheckSession {
  private let checker: Checker
  private let original: ModuleUnderTest
  private let candidate: ModuleUnderTest
  private let hasReference: Bool
  private let deadline: Date
  private let progress: (Double, String) -> Void
  private var report = CheckReport(verdict: .passed)

  init(_ checker: Checker, progress: @escaping (Double, String) -> Void) {
    self.checker = checker
    self.progress = progress
    let problem = checker.problemTree
    original = ModuleUnderTest(checker.original, problem: problem, gpu: checker.gpu)
    candidate = ModuleUnderTest(checker.candidate, problem: problem, gpu: checker.gpu)
    hasReference =
      checker.inputs.isEmpty && (problem.map { Checker.defines("Model", $0) } ?? false)
    deadline = Date().addingTimeInterval(max(0.1, checker.options.budget))
  }

  /// What one module's run at one problem is compared with.
  private struct Baseline {
    var run: ModuleRun
    /// fp64 results by output; nil where there are none.
    var reference: [[Double]]?
    var shared: SharedNumbers
    /// Whether torch runs an fp32 convolution in it.
    var usesTF32 = false
  }

  mutating func run() -> CheckReport {
    do {
      try check()
    } catch {
      report.verdict = .unsupported
      report.obstacle =
        error as? Diagnostic ?? Diagnostic(id: "check-failed", "\(error)")
    }
    if report.verdict == .passed, report.findings.isEmpty, report.problems.isEmpty {
      report.verdict = .unsupported
      report.obstacle = Diagnostic(
        id: "out-of-time", "no run was finished within \(Int(checker.options.budget)) s",
        source: checker.candidate.source, nextStep: "give more time with --budget")
    }
    if report.verdict != .unsupported, !report.findings.isEmpty {
      let specific = report.findings.allSatisfy {
        $0.reason == .shapeSpecific || $0.isRightElsewhere
      }
      report.verdict = specific ? .shapeSpecific : .failed
    }
    return report
  }

  private mutating func check() throws {
    progress(0, "choosing problems")
    let budget = checker.options.budget
    let chooser = ProblemChooser(
      original: original, candidate: candidate, hasReference: hasReference,
      given: checker.inputs, target: checker.options.isQuick ? budget / 60 : min(1.0, budget / 25),
      deadline: Date().addingTimeInterval(budget / 3))
    let choice = try chooser.choose()
    report.notes += choice.notes
    guard let first = choice.problems.first else {
      throw Diagnostic(
        id: "no-problem", "no size was found at which both modules run",
        source: checker.original.source)
    }
    // What the candidate refuses although the original takes it.
    if let refusal = Self.refusal(first, candidate), Self.refusal(first, original) == nil {
      if let given = Self.refusal(choice.given, candidate) {
        report.findings.append(
          CheckFinding(reason: .refused, diagnostic: given, problem: choice.given.label))
      } else {
        report.findings.append(
          CheckFinding(reason: .shapeSpecific, diagnostic: refusal, problem: first.label))
      }
      return
    }
    try checkStructure(first)
    guard report.findings.isEmpty else { return }
    var plans = Self.plans(
      choice.problems, configs: try configCount(first), checker.options.isQuick)
    // The first problem is tried first with everything at its default.
    var done = 0
    while let plan = plans.first {
      plans.removeFirst()
      if Date() > deadline {
        report.notes.append("the time was up with \(plans.count + 1) of the planned runs left")
        break
      }
      progress(Double(done) / Double(done + plans.count + 1), plan.label)
      try execute(plan)
      done += 1
      if !report.findings.isEmpty {
        try lookElsewhere(plan, first)
        return
      }
    }
    if !checker.options.isQuick { try checkCorners(choice.given) }
  }

  private static func refusal(_ problem: CheckProblem, _ module: ModuleUnderTest) -> Diagnostic? {
    do {
      _ = try problem.run(module.host)
      return nil
    } catch {
      return error as? Diagnostic ?? Diagnostic(id: "refused", "\(error)")
    }
  }

  private func configCount(_ problem: CheckProblem) throws -> Int {
    let run = try problem.run(candidate.host)
    return max(1, run.launches.map(\.configs.count).max() ?? 1)
  }

  // MARK: Plans

  /// One run of both modules.
  private struct Plan {
    var problem: CheckProblem
    var input: InputSetting
    var config: Int
    var order = TileMachine.Order.ascending
    var poison: UInt8 = 0xFF
    var label: String {
      var text = "\(problem.label); \(input)"
      if config > 0 { text += "; config \(config + 1)" }
      switch order {
      case .ascending: break
      case .descending: text += "; programs in reverse"
      case .shuffled: text += "; programs shuffled"
      }
      return text
    }
  }

  private static func plans(_ problems: [CheckProblem], configs: Int, _ isQuick: Bool) -> [Plan] {
    guard let first = problems.first else { return [] }
    var plans = [Plan(problem: first, input: .asGiven(seed: 1), config: 0)]
    for problem in isQuick ? problems.dropFirst().prefix(1) : problems.dropFirst() {
      plans.append(Plan(problem: problem, input: .asGiven(seed: 2), config: 0))
    }
    for config in 1..<max(2, configs) where config < configs {
      // A problem with tails where there is one.
      let problem = problems.count > 1 && !isQuick ? problems[1] : first
      plans.append(
        Plan(problem: problem, input: .asGiven(seed: 3), config: config, poison: 0x7F))
    }
    if isQuick { return plans }
    for input in [
      InputSetting.scaled(exponent: 18), .scaled(exponent: -20), .shifted, .cancelling, .zeros,
      .asGiven(seed: 7),
    ] {
      plans.append(Plan(problem: first, input: input, config: 0))
    }
    plans.append(
      Plan(problem: first, input: .asGiven(seed: 1), config: 0, order: .descending))
    plans.append(
      Plan(
        problem: problems.last ?? first, input: .asGiven(seed: 4), config: 0, order: .shuffled(5)))
    return plans
  }

  // MARK: Runs

  private mutating func execute(_ plan: Plan) throws {
    let baseline: Baseline
    do {
      baseline = try self.baseline(plan)
    } catch let obstacle as Diagnostic {
      if report.problems.isEmpty { throw obstacle }
      return report.notes.append("\(plan.label): left out: \(obstacle.headline)")
    }
    if let finding = baseline.run.finding {
      if report.problems.isEmpty {
        report.notes.append(
          "the original itself fails at \(plan.label): \(finding.diagnostic.headline)")
        throw finding.diagnostic
      }
      return report.notes.append(
        "\(plan.label): left out, the original itself fails there: \(finding.diagnostic.headline)")
    }
    let run: ModuleRun
    do {
      let host = try plan.problem.run(candidate.host)
      run = try Self.run(candidate, host, setting(plan), baseline.shared)
    } catch let refusal as Diagnostic {
      // What Triton refuses too is the candidate's fault; what only this machine does not run is not.
      if refusal.id.hasPrefix("triton-") { return add(.refused, refusal, plan) }
      if report.problems.isEmpty { throw refusal }
      return add(.shapeSpecific, refusal, plan)
    }
    report.programs += baseline.run.programs + run.programs
    if run.ranOutOfTime || baseline.run.ranOutOfTime {
      return report.notes.append("\(plan.label): not finished in time")
    }
    judge(run, baseline, plan)
    report.problems.append(plan.label)
  }

  /// Runs a failed plan at the first problem: what is right there fails for its sizes.
  private mutating func lookElsewhere(_ plan: Plan, _ first: CheckProblem) throws {
    guard plan.problem != first, !plan.problem.isStretched, Date() < deadline,
      report.findings.count == 1
    else { return }
    let found = report
    var other = plan
    other.problem = first
    try execute(other)
    let isRight = report.findings.count == 1 && report.problems.count > found.problems.count
    report = found
    report.findings[0].isRightElsewhere = isRight
    if isRight { report.notes.append("the same run is right at \(first.label)") }
  }

  private func setting(_ plan: Plan) -> RunSetting {
    var setting = RunSetting()
    setting.input = plan.input
    setting.config = plan.config
    setting.order = plan.order
    setting.poison = plan.poison
    setting.threads = checker.options.threads
    setting.deadline = deadline
    return setting
  }

  private static func run(
    _ module: ModuleUnderTest, _ host: HostRun, _ setting: RunSetting, _ shared: SharedNumbers?
  ) throws -> ModuleRun {
    let runner = ModuleRunner(module, host, setting)
    try runner.prepare(shared)
    return try runner.execute()
  }

  private mutating func note(_ text: String) {
    if !report.notes.contains(text) { report.notes.append(text) }
  }

  private mutating func baseline(_ plan: Plan) throws -> Baseline {
    let host = try plan.problem.run(original.host)
    var setting = setting(plan)
    // The original's own first config and order are the yardstick.
    setting.config = 0
    setting.order = .ascending
    // The original's own setup makes the numbers; then it starts over with them, changed as the
    // setting says.
    let maker = ModuleRunner(original, host, setting)
    try maker.prepare(nil)
    let shared = try SharedNumbers(from: maker.world, host.trace, plan.input)
    let runner = ModuleRunner(original, host, setting)
    try runner.prepare(shared)
    let run = try runner.execute()
    var reference: [[Double]]?
    do {
      reference = try self.reference(plan, shared, outputs: run.outputs)
    } catch let obstacle as Diagnostic {
      note("no fp64 reference: \(obstacle.headline)")
    }
    return Baseline(
      run: run, reference: reference, shared: shared,
      usesTF32: host.trace.forward.contains { step in
        guard case .operation(let operation) = step else { return false }
        return operation.name.hasPrefix("conv")
          && operation.results.contains { $0.element == .fp32 }
      })
  }

  /// `Model.forward` in fp64 on the same numbers; nil where it cannot be had.
  private func reference(
    _ plan: Plan, _ shared: SharedNumbers, outputs: [ModuleRun.Output]
  ) throws -> [[Double]]? {
    guard hasReference else { return nil }
    let host = try plan.problem.runReference(original.host)
    if let gap = host.trace.gap { throw gap }
    guard host.trace.outputs.count == outputs.count,
      zip(host.trace.outputs, outputs).allSatisfy({ $0.shape == $1.shape.shape })
    else { return nil }
    let world = TensorWorld(
      precision: .reference, seed: plan.input.seed, source: checker.problemTree?.source)
    try world.reserve(host.trace)
    try shared.run(setup: host.trace, in: world)
    try world.run(host.trace.forward)
    var values: [[Double]] = []
    for shape in host.trace.outputs { values.append(try world.values(shape)) }
    return values
  }

  // MARK: Judgement

  private mutating func add(_ reason: CheckReason, _ diagnostic: Diagnostic, _ plan: Plan) {
    report.findings.append(
      CheckFinding(reason: reason, diagnostic: diagnostic, problem: plan.label))
  }

  private mutating func judge(_ run: ModuleRun, _ baseline: Baseline, _ plan: Plan) {
    let source = checker.candidate.source
    if let finding = run.finding {
      return add(plan.config > 0 ? .configFails : finding.reason, finding.diagnostic, plan)
    }
    let extra = Set(run.changed).subtracting(baseline.run.changed).sorted()
    if !extra.isEmpty {
      return add(
        .inputChanged,
        Diagnostic(
          id: "input-changed",
          "'\(extra.joined(separator: "', '"))' has other contents after the call", source: source),
        plan)
    }
    guard run.outputs.count == baseline.run.outputs.count else {
      return add(
        .wrongKind,
        Diagnostic(
          id: "wrong-kind",
          "\(run.outputs.count) results where the original gives \(baseline.run.outputs.count)",
          source: source), plan)
    }
    for index in run.outputs.indices {
      if let problem = judge(output: index, run, baseline, plan) {
        return add(problem.0, problem.1, plan)
      }
    }
  }

  private mutating func judge(
    output index: Int, _ run: ModuleRun, _ baseline: Baseline, _ plan: Plan
  ) -> (CheckReason, Diagnostic)? {
    let source = checker.candidate.source
    let (mine, theirs) = (run.outputs[index], baseline.run.outputs[index])
    func finding(_ reason: CheckReason, _ text: String) -> (CheckReason, Diagnostic) {
      (
        plan.config > 0 && reason != .wrongKind ? .configFails : reason,
        Diagnostic(id: reason.rawValue, "output \(index): \(text)", source: source)
      )
    }
    guard mine.shape.shape == theirs.shape.shape, mine.shape.element == theirs.shape.element else {
      return finding(
        .wrongKind,
        "\(mine.shape.element)\(mine.shape.shape) where the original gives \(theirs.shape.element)\(theirs.shape.shape)"
      )
    }
    if mine.unwritten > theirs.unwritten {
      return finding(.uninitialized, "\(mine.unwritten) elements were never written")
    }
    if theirs.unwritten > 0 { return nil }
    let shape = mine.shape.shape
    let reference = baseline.reference?[index]
    if let place = Comparison.nonFinite(
      mine.values, original: theirs.values, reference: reference)
    {
      return finding(
        .nonFinite,
        "\(place.value) at \(Comparison.unravel(place.index, shape)) where the original gives \(place.expected)"
      )
    }
    guard mine.shape.element.isFloat else {
      let different = zip(mine.values, theirs.values).enumerated().first {
        $0.element.0 != $0.element.1
      }
      return different.map {
        finding(
          .wrongResult,
          "\($0.element.0) at \(Comparison.unravel($0.offset, shape)) where the original gives \($0.element.1)"
        )
      }
    }
    if let reference, !theirs.values.isEmpty, !theirs.values.contains(where: \.isFinite),
      reference.contains(where: \.isFinite)
    {
      // Nothing to hold the candidate to but the Model itself.
      note("the original gives no finite number at \(plan.label)")
      if mine.values.contains(where: \.isFinite) == false { return nil }
    }
    let against = reference ?? theirs.values
    let figures = Comparison.figures(mine.values, against: against, shape: shape)
    let old = reference.map { Comparison.figures(theirs.values, against: $0, shape: shape) }
    report.runs.append(
      CheckedRun(
        problem: plan.label, output: index, original: old, candidate: figures,
        reference: reference == nil ? .original : .model))
    let tolerance = checker.options.policy.tolerance(
      mine.shape.element, original: old, usesTF32: baseline.usesTF32)
    if figures.relativeL2 <= tolerance.l2, figures.worstRelative <= tolerance.worst { return nil }
    let isGross = figures.relativeL2 > 0.02 || figures.worstRelative > 0.1
    func text(_ value: Double) -> String { String(format: "%.2g", value) }
    return finding(
      isGross ? .wrongResult : .lessAccurate,
      "relative error \(text(figures.relativeL2)) (L2), worst \(text(figures.worstRelative)) at \(figures.index); "
        + (old.map { "the original has \(text($0.relativeL2)) and \(text($0.worstRelative))" }
          ?? "compared with the original")
        + ", allowed \(text(tolerance.l2)) and \(text(tolerance.worst))")
  }

  /// Things that do not depend on numbers: kernels run, results come from them.
  private mutating func checkStructure(_ problem: CheckProblem) throws {
    let mine = try problem.run(candidate.host)
    let theirs = try problem.run(original.host)
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
    let fromKernels = Self.outputsFromKernels(mine)
    let before = Self.outputsFromKernels(theirs)
    for index in fromKernels.indices
    where !fromKernels[index] && index < before.count && before[index] {
      report.findings.append(
        CheckFinding(
          reason: .noKernel,
          diagnostic: Diagnostic(
            id: "no-kernel", "output \(index) does not come from any kernel", source: source),
          problem: problem.label))
    }
  }

  /// Operators with work of their own, as opposed to moving and making tensors.
  private static func heavyOperators(_ run: HostRun) -> [(name: String, range: SourceRange)] {
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

  private static func outputsFromKernels(_ run: HostRun) -> [Bool] {
    var reached: Set<Int> = []
    for step in run.trace.forward.indices {
      switch run.trace.forward[step] {
      case .launch:
        guard let launch = run.launch(at: step) else { continue }
        for argument in launch.arguments {
          if case .tensor(let shape) = argument.value { reached.insert(shape.storage) }
        }
      case .operation(let operation):
        let inputs = operation.arguments.values.compactMap { value -> Int? in
          if case .tensor(let shape) = value { return shape.storage }
          return nil
        }
        if inputs.contains(where: reached.contains) {
          reached.formUnion(operation.results.map(\.storage))
        }
      }
    }
    return run.trace.outputs.map { reached.contains($0.storage) }
  }

  private static func kinds(_ run: HostRun) -> [String] {
    run.trace.outputs.map { "\($0.element)\($0.shape)" }
  }

  /// Addresses at the real size, in the corner programs of each launch.
  private mutating func checkCorners(_ given: CheckProblem) throws {
    guard Date() < deadline, let mine = try? given.run(candidate.host),
      let theirs = try? given.run(original.host)
    else { return }
    progress(0.97, "corner programs at the given sizes")
    let (shapes, expected) = (Self.kinds(mine), Self.kinds(theirs))
    if shapes != expected {
      report.findings.append(
        CheckFinding(
          reason: .wrongKind,
          diagnostic: Diagnostic(
            id: "wrong-kind", "results are \(shapes) where the original gives \(expected)",
            source: checker.candidate.source), problem: given.label))
      return
    }
    let limit = min(deadline, Date().addingTimeInterval(max(1, checker.options.budget / 10)))
    guard
      let fault = try? LaunchProbe(module: candidate, run: mine).cornerFault(
        config: 0, deadline: limit),
      (try? LaunchProbe(module: original, run: theirs).cornerFault(config: 0, deadline: limit))
        .flatMap({ $0 }) == nil
    else { return }
    report.findings.append(
      CheckFinding(
        reason: ModuleRunner.reason(fault), diagnostic: fault.diagnostic,
        problem: "\(given.label), corner programs"))
  }
}
