import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import TensorMath
import TileMachine

/// One check from its first run to its verdict.
struct CheckSession {
  let checker: Checker
  let original: ModuleUnderTest
  let candidate: ModuleUnderTest
  let hasReference: Bool
  let deadline: Date
  let progress: (Double, String) -> Void
  var report = CheckReport(verdict: .passed)
  /// Outputs that were compared with something finite.
  var compared = 0
  /// Integers that the original tells from others, by input.
  var marks: [String: [Int]] = [:]
  /// Seconds that the runs so far should take by the work of their launches: not by the clock, so
  /// that a busy machine does the same runs.
  var spent = 0.0
  /// Whether the original is wrong at smaller problems than the first.
  var isSmallestSound = false
  /// Whether some input has no number of one sign.
  var hasOneSign = false
  /// What chose the first problem.
  var search: (chooser: ProblemChooser, choice: ProblemChooser.Choice)?
  /// Labels of the runs so far.
  var done: Set<String> = []
  /// What was last made, by what it was made for; the first problem's stays.
  var baselines: [(problem: CheckProblem, input: InputSetting, calls: Int, made: Baseline)] = []

  init(_ checker: Checker, progress: @escaping (Double, String) -> Void) {
    self.checker = checker
    self.progress = progress
    let problem = checker.problemTree
    original = ModuleUnderTest(checker.original, problem: problem, gpu: checker.gpu)
    candidate = ModuleUnderTest(checker.candidate, problem: problem, gpu: checker.gpu)
    if let names = original.host.inputParameters {
      // Wherever shapes are given by name, the names are the original's.
      original.nameInputs(names)
      candidate.nameInputs(names)
    }
    hasReference =
      checker.inputs.isEmpty && (problem.map { Checker.defines("Model", $0) } ?? false)
    deadline = Date().addingTimeInterval(max(0.1, checker.options.budget))
  }

  /// What one module's run at one problem is compared with.
  struct Baseline {
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
      report.obstacle =
        Date() > deadline
        ? Diagnostic(
          id: Self.outOfTime,
          "no run was finished within \(String(format: "%g", checker.options.budget)) s",
          source: checker.candidate.source, nextStep: "give more time with --budget")
        : Diagnostic(
          id: "nothing-compared", "no run gave results that could be compared",
          source: checker.candidate.source)
    }
    if report.verdict != .unsupported, !report.findings.isEmpty {
      let specific = report.findings.allSatisfy {
        $0.reason == .shapeSpecific || $0.isRightElsewhere
      }
      report.verdict = specific ? .shapeSpecific : .failed
    }
    return report
  }

  mutating func check() throws {
    progress(0, "choosing problems")
    let budget = checker.options.budget
    var chooser = ProblemChooser(
      original: original, candidate: candidate, hasReference: hasReference,
      given: checker.inputs, isQuick: checker.options.isQuick,
      target: checker.options.secondsPerRun
        ?? (checker.options.isQuick ? budget / 60 : min(0.5, budget / 120)),
      deadline: Date().addingTimeInterval(budget / 3))
    var choice = try chooser.choose()
    let start = soundSizes(choice, chooser)
    if let start {
      chooser.deadline = Date().addingTimeInterval(budget / 6)
      choice = try chooser.choose(from: start)
    }
    search = (chooser, choice)
    report.notes += choice.notes
    guard let first = choice.problems.first else {
      throw Diagnostic(
        id: "no-problem", "no size was found at which both modules run",
        source: checker.original.source)
    }
    checkGiven(choice.given)
    guard report.findings.isEmpty else { return }
    // What the candidate refuses although the original takes it.
    if let refusal = Self.refusal(first, candidate), Self.refusal(first, original) == nil {
      return report.findings.append(
        CheckFinding(reason: .shapeSpecific, diagnostic: refusal, problem: first.label))
    }
    try checkStructure(first)
    guard report.findings.isEmpty else { return }
    marks = SpecialIntegers.find(in: try original.run(first), of: original)
    var plans = Self.plans(
      choice.problems, configs: try configCount(first), checker.options.isQuick, marks: marks)
    // The first problem is tried first with everything at its default.
    try execute(&plans, first) { session, plans in
      if session.spent > budget / 8, !session.isSmallestSound, !session.checker.options.isQuick {
        // Dearer than it was held for: the rest is run smaller.
        chooser.target *= budget / 30 / session.spent
        chooser.deadline = Date().addingTimeInterval(budget / 4)
        let smaller = try chooser.choose()
        plans = Self.plans(
          smaller.problems, configs: try session.configCount(first),
          session.checker.options.isQuick, marks: session.marks)
      }
      if session.hasOneSign, !session.checker.options.isQuick {
        plans = Self.merged(plans, Self.mirrored(plans.map(\.problem), first))
      }
    }
    try goOnLarger(&chooser, first, start: start)
    guard report.findings.isEmpty else { return }
    if !checker.options.isQuick { checkCorners(choice.given) }
  }

  /// Runs plans in order until one finds something or the time is up.
  /// - Parameter first: called after the first run.
  private mutating func execute(
    _ plans: inout [Plan], _ problem: CheckProblem,
    afterFirst: (inout CheckSession, inout [Plan]) throws -> Void = { _, _ in }
  ) throws {
    var done = 0
    while let plan = plans.first {
      plans.removeFirst()
      if Date() > deadline {
        report.notes.append("the time was up with \(plans.count + 1) of the planned runs left")
        return
      }
      progress(Double(done) / Double(done + plans.count + 1), plan.label)
      try execute(plan)
      done += 1
      if !report.findings.isEmpty {
        try lookElsewhere(plan, problem)
        if plan.problem.isSame(as: problem), !checker.options.isQuick { try lookAtLarger(plan) }
        return
      }
      if done == 1 { try afterFirst(&self, &plans) }
    }
  }

  /// Larger problems as long as there is time for them: small ones do not show all.
  private mutating func goOnLarger(
    _ chooser: inout ProblemChooser, _ first: CheckProblem, start: [ProblemChooser.Size]?
  ) throws {
    let options = checker.options
    guard !options.isQuick, options.secondsPerRun == nil else { return }
    for _ in 0..<Self.largerRounds {
      let left = deadline.timeIntervalSinceNow
      guard report.findings.isEmpty, left > 0.6 * options.budget else { return }
      chooser.target *= 4
      chooser.deadline = Date().addingTimeInterval(left / 4)
      let choice = try chooser.choose(from: start)
      var plans = Self.plans(
        choice.problems, configs: try configCount(first), false, marks: marks)
      if hasOneSign {
        plans = Self.merged(plans, Self.mirrored(plans.map(\.problem), choice.problems[0]))
      }
      plans.removeAll { done.contains($0.label) }
      try execute(&plans, choice.problems[0])
    }
  }

  private static let largerRounds = 2

  static func refusal(_ problem: CheckProblem, _ module: ModuleUnderTest) -> Diagnostic? {
    do {
      _ = try module.run(problem)
      return nil
    } catch {
      return error as? Diagnostic ?? Diagnostic(id: "refused", "\(error)")
    }
  }

  func configCount(_ problem: CheckProblem) throws -> Int {
    let run = try candidate.run(problem)
    return max(1, run.launches.map(\.configs.count).max() ?? 1)
  }

  // MARK: Runs

  mutating func execute(_ plan: Plan) throws {
    done.insert(plan.label)
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
      let oracle = ContentOracle(candidate, setting(plan), baseline.shared)
      let host = try plan.problem.run(oracle.host, calls: plan.calls)
      run = try oracle.failure ?? Self.run(candidate, host, setting(plan), baseline.shared)
      try stopIfLate()
    } catch let refusal as Diagnostic {
      // What Triton refuses too is the candidate's fault; what only this machine does not run is not.
      if refusal.id.hasPrefix("triton-") { return add(.refused, refusal, plan) }
      if report.problems.isEmpty { throw refusal }
      if refusal.id.hasPrefix("unsupported-") || Self.isOwnLimit(refusal) {
        return note("\(plan.label): left out: \(refusal.headline)")
      }
      return add(.shapeSpecific, refusal, plan)
    }
    report.programs += baseline.run.programs + run.programs
    spent += Double(baseline.run.work &+ run.work) / LaunchProbe.workPerSecond
    if run.ranOutOfTime || baseline.run.ranOutOfTime {
      return report.notes.append("\(plan.label): not finished in time")
    }
    if report.problems.isEmpty { hasOneSign = baseline.shared.hasOneSign }
    if plan.problem.isUnpromised || plan.input.isUnpromised, let gap = Self.mistake(baseline) {
      return note("\(plan.label): left out, the original itself is wrong there: \(gap)")
    }
    let comparedBefore = compared
    judge(run, baseline, plan)
    // A run that compared nothing says nothing for the candidate.
    if compared > comparedBefore { report.problems.append(plan.label) }
  }

  /// Runs a failed plan without its tails, or at the first problem: what is right there fails for
  /// its sizes.
  mutating func lookElsewhere(_ plan: Plan, _ first: CheckProblem) throws {
    let plain = plan.problem.plain.first ?? first
    guard !plan.problem.isSame(as: plain), !plan.problem.isStretched, Date() < deadline,
      report.findings.count == 1
    else { return }
    let found = report
    var other = plan
    other.problem = plain
    try execute(other)
    let isRight = report.findings.count == 1 && report.problems.count > found.problems.count
    report = found
    report.findings[0].isRightElsewhere = isRight
    if isRight { report.notes.append("the same run is right at \(plain.label)") }
  }

  /// Runs a plan that failed at the smallest sizes at larger ones: tiles visited in groups without a
  /// clamp leave small grids unfinished only.
  private mutating func lookAtLarger(_ plan: Plan) throws {
    guard let (chooser, choice) = search, report.findings.count == 1,
      !report.findings[0].isRightElsewhere, Self.mayRestOnSizes.contains(report.findings[0].reason)
    else { return }
    let found = report
    let end = min(deadline, Date().addingTimeInterval(checker.options.budget / 4))
    var larger = chooser
    larger.deadline = end
    for sizes in larger.larger(than: choice).prefix(Self.largerTrials) where Date() < end {
      var other = plan
      other.problem = larger.problem(sizes)
      report.findings = []
      let before = report.problems.count
      try execute(other)
      let isRight = report.findings.isEmpty && report.problems.count > before
      report = found
      guard isRight else { continue }
      report.findings[0].isRightElsewhere = true
      report.notes.append("the same run is right at \(other.problem.label)")
      return
    }
    report = found
  }

  private static let largerTrials = 12
  /// What a kernel that is right at the given sizes may do at smaller ones.
  private static let mayRestOnSizes: Set<CheckReason> = [
    .wrongResult, .nonFinite, .uninitialized, .outOfBounds, .race, .wrongHint, .lessAccurate,
    .configFails, .stateKept, .fault,
  ]

  static let outOfTime = "out-of-time"

  private static func isOwnLimit(_ refusal: Diagnostic) -> Bool {
    refusal.id == "out-of-memory" || refusal.id == outOfTime
  }

  /// Between the parts of a run: the tile machine looks at the deadline by itself.
  func stopIfLate() throws {
    guard Date() > deadline else { return }
    throw Diagnostic(
      id: Self.outOfTime,
      "not finished within \(String(format: "%g", checker.options.budget)) s",
      source: checker.candidate.source, nextStep: "give more time with --budget")
  }

  func setting(_ plan: Plan) -> RunSetting {
    var setting = RunSetting()
    setting.input = plan.input
    setting.config = plan.config
    setting.order = plan.order
    setting.poison = plan.poison
    setting.threads = checker.options.threads
    setting.calls = plan.calls
    setting.deadline = deadline
    // What the first run did decides how large the others are.
    setting.countsWork = report.problems.isEmpty
    return setting
  }

  static func run(
    _ module: ModuleUnderTest, _ host: HostRun, _ setting: RunSetting, _ shared: SharedNumbers?
  ) throws -> ModuleRun {
    let runner = ModuleRunner(module, host, setting)
    try runner.prepare(shared)
    return try runner.execute()
  }

  mutating func note(_ text: String) {
    if !report.notes.contains(text) { report.notes.append(text) }
  }

  /// The original's run for a plan. It depends neither on the config nor on the order.
  mutating func baseline(_ plan: Plan) throws -> Baseline {
    if let known = baselines.first(where: {
      $0.problem.isSame(as: plan.problem) && $0.input == plan.input && $0.calls == plan.calls
    }) {
      return known.made
    }
    let made = try makeBaseline(plan)
    if !made.run.ranOutOfTime {
      if baselines.count > 2 { baselines.remove(at: 1) }
      baselines.append((plan.problem, plan.input, plan.calls, made))
    }
    return made
  }

  private mutating func makeBaseline(_ plan: Plan) throws -> Baseline {
    var setting = setting(plan)
    // The original's own first config and order are the yardstick.
    setting.config = 0
    setting.order = .ascending
    let first = ContentOracle(original, setting, nil)
    var host = try plan.problem.run(first.host, calls: plan.calls)
    // The original's own setup makes the numbers; then it starts over with them, changed as the
    // setting says.
    let maker = ModuleRunner(original, host, setting)
    try maker.prepare(nil)
    try stopIfLate()
    let shared = try SharedNumbers(from: maker.world, host.trace, plan.input)
    try stopIfLate()
    if first.wasAsked {
      let second = ContentOracle(original, setting, shared)
      host = try plan.problem.run(second.host, calls: plan.calls)
      if let failure = second.failure {
        return Baseline(run: failure, reference: nil, shared: shared)
      }
    }
    let runner = ModuleRunner(original, host, setting)
    try runner.prepare(shared)
    let run = try runner.execute()
    try stopIfLate()
    var reference: [[Double]]?
    do {
      reference = try self.reference(plan, shared, outputs: run.outputs)
    } catch let obstacle as Diagnostic {
      if obstacle.id == Self.outOfTime { throw obstacle }
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
  func reference(
    _ plan: Plan, _ shared: SharedNumbers, outputs: [ModuleRun.Output]
  ) throws -> [[Double]]? {
    guard hasReference else { return nil }
    let oracle = ContentOracle(original, setting(plan), shared)
    let host = try original.forReference(plan.problem, calls: plan.calls)
      .run(oracle.host, calls: plan.calls, isReference: true)
    if let gap = host.trace.gap { throw gap }
    guard host.trace.outputs.count == outputs.count,
      zip(host.trace.outputs, outputs).allSatisfy({ $0.shape == $1.shape.shape })
    else { return nil }
    let world = TensorWorld(
      precision: .reference, seed: plan.input.seed, source: checker.problemTree?.source)
    try world.reserve(host.trace)
    try shared.run(setup: host.trace, launches: host.launches, in: world)
    for step in host.trace.forward {
      try stopIfLate()
      try world.run([step])
    }
    var values: [[Double]] = []
    for shape in host.trace.outputs { values.append(try world.values(shape)) }
    return values
  }
}
