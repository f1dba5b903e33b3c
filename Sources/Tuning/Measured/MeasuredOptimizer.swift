import Checking
import Diagnostics
import HostProgram
import PythonSyntax
import Requests
import Rewrites
import Stages

/// The main job with a device at hand: predicted candidates, measured decisions.
public struct MeasuredOptimizer: Sendable {
  public var request: Request
  public var backend: any TrialBackend
  public var log: TrialLog
  /// Seconds of compile and device time for the search.
  public var budget: Double
  public var progress: @Sendable (TrialRecord) -> Void
  /// A module that is checked and timed beside the result and never printed.
  public var beside: SourceText?
  /// What earlier runs found, and where what this one confirms is kept.
  public var winners: WinnerStore?
  /// How configs are written.
  public var emission = EmissionForm.list

  public static let defaultBudget = 120.0

  public init(
    request: Request, backend: any TrialBackend, log: TrialLog,
    budget: Double = MeasuredOptimizer.defaultBudget,
    progress: @escaping @Sendable (TrialRecord) -> Void = { _ in }
  ) {
    self.request = request
    self.backend = backend
    self.log = log
    self.budget = budget
    self.progress = progress
  }

  /// What a log of this run starts with.
  public static func header(
    for request: Request, backend: BackendIdentity, tool: String, seed: UInt64 = 0
  ) -> TrialHeader {
    TrialHeader(
      tool: tool, request: RequestIdentity.hash(of: request).hex,
      policy: RequestIdentity.hash(of: request.policy).hex, target: request.gpu.name,
      backend: backend, seed: seed)
  }

  /// - Throws: a `Diagnostic` where the request or the log is at fault, a `StepFailure` of kind
  ///   `environment` where nothing can be run, `CancellationError`.
  public func run() async throws -> Optimization {
    let problem = KnownProblem.find(for: request)
    let start = ModuleState(tree: request.tree, run: problem.run)
    let checks = FinalChecks(request: request, original: start, inputs: problem.inputs)
    let original = Candidate(label: "the original", text: start.source)
    let runner = TrialRunner(
      backend: backend, log: log,
      rule: VerdictRule(
        threshold: request.policy.worthwhileSpeedup,
        revertsIfUnstable: request.policy.revertsIfUnstable),
      original: original, screen: { await Self.screen($0, checks) }, progress: progress)
    var search = MeasuredSearch(
      request: request, problem: problem, start: start, runner: runner, budget: budget)
    search.emission = emission
    var tuners = self.tuners(start, problem)
    for index in tuners.indices {
      search.notes += seed(&tuners[index].tuner, start)
    }
    let found = try await search.run(tuners.map(\.tuner), weights: Self.weights(tuners))
    var other: TrialRecord?
    if let beside, found.baseline?.timing != nil {
      let candidate = Candidate(label: "the module given beside", text: beside)
      other = try await search.measure([
        TrialPlan(candidate, .beside, depth: .quick, effort: .normal)
      ]).first
    }

    var notes = problem.notes + search.notes
    let state = found.chosen?.state ?? start
    let printed = found.chosen == nil ? original.text : StrictForm.arranged(state.tree)
    if let record = found.confirmation, found.chosen != nil,
      record.hash != ContentHash(of: printed.bytes).hex
    {
      throw Diagnostic(
        id: "measured-another-text", "the text that was measured is not the text to print")
    }
    if found.chosen == nil {
      notes += checks.lastSound(of: [start]).notes
    }
    if found.chosen != nil, let record = found.confirmation {
      notes += keep(tuners.map(\.tuner), record, from: start, to: state)
    }
    let applied = state.applied
    return Optimization(
      status: applied.isEmpty
        ? .unchanged : applied.allSatisfy(\.isKnobs) ? .tuned : .improved,
      original: start.source,
      module: found.chosen == nil ? checks.lastSound(of: [start]).text : printed,
      run: state.subject.run, kernels: tuners.map { outcome($0, start, state) },
      trials: search.records.map { Self.trial($0, found.confirmation, start) },
      deduction: problem.deduction, notes: notes, check: nil,
      measurement: MeasuredOutcome(
        backend: backend.identity, baseline: found.baseline,
        confirmation: found.chosen == nil ? nil : found.confirmation, records: search.records,
        seconds: search.spent, endedByBudget: search.endedByBudget, beside: other))
  }

  // MARK: Kernels

  private struct Ranked {
    var tuner: KernelTuner
    var cost: KernelTuner.SetCost?
    var refusal: Diagnostic?
  }

  /// A kernel whose predicted share of the module's time is below this is left alone: all of it
  /// gained would not reach a threshold.
  private static let negligibleShare = 0.01

  /// What each kernel's exploring is worth: its predicted time; without one, the mean of the others.
  private static func weights(_ tuners: [Ranked]) -> [Double] {
    let times = tuners.map { item in
      item.cost.map(\.microseconds).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    }
    let known = times.compactMap(\.self)
    let mean = known.isEmpty ? 1 : known.reduce(0, +) / Double(known.count)
    return times.map { $0 ?? mean }
  }

  /// The kernels, the largest predicted share first, those without a prediction last.
  private func tuners(_ start: ModuleState, _ problem: KnownProblem) -> [Ranked] {
    var found: [Ranked] = []
    for kernel in Optimizer(request).launchedKernels(in: start) {
      var tuner = KernelTuner(
        kernel: kernel, policy: request.policy, inputs: problem.inputs,
        profile: request.profile(of: kernel), profiledConfigs: problem.configs[kernel] ?? [],
        gpu: request.gpu)
      tuner.original = request.tree
      var item = Ranked(tuner: tuner)
      do throws(Diagnostic) {
        item.cost = try tuner.evaluate(tuner.originals(in: start), in: start)
      } catch {
        item.refusal = error
      }
      item.tuner = tuner
      found.append(item)
    }
    let total = found.reduce(0) { $0 + ($1.cost?.microseconds ?? 0) }
    return found.filter { item in
      guard let cost = item.cost else { return true }
      return cost.microseconds >= total * Self.negligibleShare
    }.enumerated().sorted { left, right in
      let (a, b) = (
        left.element.cost?.microseconds ?? -1, right.element.cost?.microseconds ?? -1
      )
      return a != b ? a > b : left.offset < right.offset
    }.map(\.element)
  }

  private func outcome(_ item: Ranked, _ start: ModuleState, _ state: ModuleState)
    -> KernelOutcome
  {
    var tuner = item.tuner
    let originals = tuner.originals(in: start)
    let configs = tuner.originals(in: state)
    var outcome = KernelOutcome(
      name: tuner.kernel,
      launches: tuner.launches(in: start).reduce(0) { $0 + $1.repetitions },
      originalConfigs: originals, configs: configs)
    outcome.parameterNames =
      start.triton.function(named: tuner.kernel)?.parameters.map(\.name) ?? []
    outcome.refusal = item.refusal
    outcome.isReferenceProfiled = !tuner.profiledConfigs.isEmpty
    guard let cost = item.cost else { return outcome }
    let reference = tuner.referenceConfig(originals, cost)
    outcome.referenceConfig = reference
    outcome.microsecondsBefore =
      reference.flatMap { cost.perConfig[ConfigKey($0)]?.microseconds } ?? cost.microseconds
    // Predicted, beside what was measured: without an analysis there is no prediction.
    outcome.microsecondsAfter =
      state.applied.isEmpty
      ? outcome.microsecondsBefore : (try? tuner.evaluate(configs, in: state))?.microseconds
    return outcome
  }

  // MARK: Screening

  /// Rules and form of the text; then, once per body and for what may be printed, the tile machine.
  private static func screen(_ plan: TrialPlan, _ checks: FinalChecks) async -> Screening {
    guard plan.phase != .baseline, plan.phase != .beside else { return Screening() }
    var checks = checks
    if plan.phase == .body || plan.phase == .knobs {
      // A probe holds one config: the rules about lists are for what is printed.
      checks.request.policy.configCount = nil
      checks.request.policy.includesOriginal = false
      checks.request.policy.baseline = nil
    }
    if let problem = checks.problems(of: plan.candidate.text).first {
      return Screening(rules: problem)
    }
    let seconds: Double
    switch plan.phase {
    case .baseline, .beside, .knobs: return Screening()
    case .body: seconds = 0.5
    case .emission: seconds = 0.5
    case .confirmation: seconds = FinalChecks.checkSeconds
    }
    let report = checks.check(plan.candidate.text, seconds: seconds)
    switch report.verdict {
    case .passed: return Screening(isRun: true)
    case .unsupported: return Screening()
    case .failed, .shapeSpecific:
      return Screening(
        tileMachine: report.findings.first.map { FinalChecks.note($0) }
          ?? Diagnostic(id: "check-failed", "the tile machine's check failed"), isRun: true)
    }
  }

  // MARK: Reports

  private static func trial(
    _ record: TrialRecord, _ confirmation: TrialRecord?, _ start: ModuleState
  ) -> Trial {
    let outcome: Trial.Outcome =
      switch record.verdict {
      case .accepted: .accepted
      case .reverted: .reverted(record.reason ?? "no gain above the threshold")
      case .refused, .interrupted:
        .refused(Diagnostic(id: "trial-\(record.verdict.rawValue)", record.reason ?? "no reason"))
      }
    var trial = Trial(
      rewrite: record.steps.last ?? record.phase.rawValue, kernel: record.kernel ?? "",
      what: record.label, why: "", outcome: outcome, basis: .measurement,
      microsecondsBefore: record.timing?.originalMicroseconds,
      microsecondsAfter: record.timing?.microseconds, evidence: .measured)
    trial.record = record
    return trial
  }
}
