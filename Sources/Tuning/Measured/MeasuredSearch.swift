import Diagnostics
import HostProgram
import PythonSyntax
import Requests
import Rewrites
import Stages

/// The search that measures: on top of what is predicted, it tries what a model cannot decide.
///
/// 1. The original against itself, which shows the machine's noise.
/// 2. For each kernel, largest predicted share first: its configs alone on the body as it is; body
///    rewrites one by one, the states of the predicted chain, and from the best of them on; launch
///    configs one at a time on the best body; then the module as it could be printed.
/// 3. The best module is checked in full and timed once more. Only if the lower end of its interval
///    is above the stage's threshold is it printed: none slower is a promise.
///
/// The order is fixed by the request and the records: a run that was interrupted and resumed does
/// what an uninterrupted one does. The budget is charged with what the records say trials took.
struct MeasuredSearch {
  var request: Request
  var problem: KnownProblem
  var start: ModuleState
  var runner: TrialRunner
  /// Seconds of compile and device time.
  var budget: Double

  var records: [TrialRecord] = []
  var notes: [Diagnostic] = []
  var endedByBudget = false
  /// How configs are written in what may be printed.
  var emission = EmissionForm.list
  private var counted: Set<String> = []
  private(set) var spent = 0.0
  /// What ``spent`` may come to while one kernel, or one part of its search, is explored.
  var ceiling = Double.infinity

  /// Share of the budget that exploring may take; the rest is for emission and confirmation.
  static let exploringShare = 0.7
  /// A variant must be this much better than the one in hand to take its place in the search.
  static let step = 1.005
  /// The most trials of one run, whatever the budget.
  static let trialLimit = 400

  init(
    request: Request, problem: KnownProblem, start: ModuleState, runner: TrialRunner,
    budget: Double
  ) {
    self.request = request
    self.problem = problem
    self.start = start
    self.runner = runner
    self.budget = budget
  }

  /// A module with what was measured of it.
  struct Variant {
    var state: ModuleState
    /// Original over this, as measured; 1 for the original itself.
    var ratio: Double
    var record: TrialRecord?
  }

  struct Result {
    /// The module to print; nil for the original.
    var chosen: Variant?
    var baseline: TrialRecord?
    var confirmation: TrialRecord?
    var kernels: [String: [LaunchConfig]] = [:]
  }

  /// - Parameter weights: how much of the exploring each kernel is worth, by the same indices.
  mutating func run(_ tuners: [KernelTuner], weights: [Double]) async throws -> Result {
    var result = Result()
    let own = Candidate(label: "the original against itself", text: start.source)
    let baseline = try await measure([TrialPlan(own, .baseline, effort: .quick)]).first
    result.baseline = baseline
    guard let baseline, baseline.timing != nil else {
      notes.append(
        Diagnostic(
          id: "original-not-measured", severity: .warning,
          "the original could not be checked and timed, so nothing is compared with it: "
            + (baseline?.reason ?? "no trial was made")))
      return result
    }
    var finalists: [Variant] = []
    var current = Variant(state: start, ratio: 1)
    for (index, tuner) in tuners.enumerated() {
      ceiling = .infinity
      guard !isExhausted(Self.exploringShare) else { break }
      ceiling = spent + allotment(of: weights[index...])
      var kernel = KernelSearch(tuner: tuner, start: current)
      let emissions = try await kernel.run(&self)
      finalists += emissions
      if let best = emissions.max(by: { $0.ratio < $1.ratio }),
        best.ratio > current.ratio * Self.step
      {
        current = best
        result.kernels[tuner.kernel] = kernel.configs(of: best.state)
      }
    }
    // Ties go to the one found first, which is the one with fewer changes.
    let order = finalists.enumerated().sorted {
      ($1.element.ratio, $0.offset) < ($0.element.ratio, $1.offset)
    }.map(\.element)
    for variant in order.prefix(3) where variant.ratio > runner.rule.threshold {
      let plan = TrialPlan(
        candidate(variant.state, label: variant.record?.label ?? "the module to print", nil),
        .confirmation, depth: .full, effort: .long)
      guard let record = try await measure([plan]).first else { break }
      result.confirmation = record
      if record.verdict == .accepted {
        result.chosen = Variant(
          state: variant.state, ratio: record.ratio ?? variant.ratio, record: record)
        break
      }
    }
    return result
  }

  // MARK: Trials

  /// The text of a state as it would be printed.
  func candidate(_ state: ModuleState, label: String, _ kernel: String?, config: String? = nil)
    -> Candidate
  {
    Candidate(
      label: label, text: StrictForm.arranged(state.tree), steps: state.applied.map(\.rewrite),
      kernel: kernel, config: config)
  }

  /// Notes what could not be written, and so is not tried.
  mutating func leftOut(_ what: String, _ reason: Diagnostic) {
    notes.append(
      Diagnostic(
        id: "candidate-left-out", severity: .note, "\(what) is not tried: \(reason.message)"))
  }

  func isExhausted(_ share: Double) -> Bool {
    let limit = share > Self.exploringShare ? budget * share : min(budget * share, ceiling)
    return spent >= limit || records.count >= Self.trialLimit
  }

  /// Seconds that may still be explored.
  var exploringLeft: Double { max(0, min(budget * Self.exploringShare, ceiling) - spent) }

  /// Seconds of exploring for the first of some kernels: its part of what is left, so that a slow
  /// first kernel does not keep the others from being tried.
  private func allotment(of weights: ArraySlice<Double>) -> Double {
    let left = max(0, budget * Self.exploringShare - spent)
    let total = weights.reduce(0, +)
    guard let first = weights.first, total > 0 else { return left }
    return left * first / total
  }

  /// Runs plans, a lane's worth at a time, until they or the share of the budget are used up.
  mutating func measure(_ plans: [TrialPlan], share: Double = 1) async throws -> [TrialRecord] {
    var done: [TrialRecord] = []
    let width = max(1, runner.backend.lanes)
    var rest = plans[...]
    while !rest.isEmpty {
      if !done.isEmpty || share < 1, isExhausted(share) {
        endedByBudget = true
        break
      }
      let batch = rest.prefix(width)
      rest = rest.dropFirst(width)
      for record in try await runner.run(Array(batch)) {
        done.append(record)
        guard counted.insert(record.end).inserted else { continue }
        records.append(record)
        spent += record.seconds / Double(width)
      }
    }
    return done
  }

  /// Measures states; those that were refused or not reached are left out.
  mutating func measure(
    _ states: [(state: ModuleState, label: String, config: String?)], of kernel: String,
    _ phase: TrialPhase, effort: TimingEffort = .quick, share: Double = exploringShare
  ) async throws -> [Variant] {
    var byHash: [String: ModuleState] = [:]
    var plans: [TrialPlan] = []
    for item in states {
      let candidate = candidate(item.state, label: item.label, kernel, config: item.config)
      guard byHash.updateValue(item.state, forKey: candidate.hash.hex) == nil else { continue }
      plans.append(
        TrialPlan(candidate, phase, depth: phase == .knobs ? .glance : .quick, effort: effort))
    }
    return try await measure(plans, share: share).compactMap { record in
      guard let ratio = record.ratio, let state = byHash[record.hash] else { return nil }
      return Variant(state: state, ratio: ratio, record: record)
    }
  }
}
