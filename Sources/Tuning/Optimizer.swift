import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import Profiling
import PythonSyntax
import Requests
import Rewrites
import Stages
import TritonLowering

/// The main job: from a request to a module that is faster within the stage's rules.
///
/// Every step is one value handed on: the module's state, its kernels' costs, the rewritten state.
/// What a step cannot do it says in a trial or a note and leaves the module as it was.
public struct Optimizer: Sendable {
  public var request: Request
  /// What a compiler spoke against in an earlier run of this search.
  var vetoes = Vetoes()
  /// How configs are written.
  public var emission = EmissionForm.list
  /// What earlier runs found; nil starts from nothing.
  public var winners: WinnerStore?
  /// Whether what this run predicts is kept there, too.
  public var recordsPredictions = false
  /// Seconds for the check of what is printed, and for one that a rewrite rests on.
  var checkSeconds = FinalChecks.checkSeconds
  var proofSeconds = 10.0

  public init(_ request: Request) { self.request = request }

  /// - Throws: a `Diagnostic` only where the request itself cannot be worked on (no module, an
  ///   error inside it, no `ModelNew`); everything else ends in a result.
  public func run() throws(Diagnostic) -> Optimization {
    let original = request.tree
    var notes: [Diagnostic] = []
    let problem = KnownProblem.find(for: request)
    notes += problem.notes
    let start = ModuleState(tree: original, run: problem.run)
    var states = [start]
    var kernels: [KernelOutcome] = []
    var trials: [Trial] = []
    for kernel in launchedKernels(in: start) {
      guard let current = states.last else { break }
      let (stored, storeNotes) = fromStore(kernel, current, problem)
      notes += storeNotes
      let result = stored ?? optimize(kernel, current, problem)
      states += result.states
      kernels.append(result.outcome)
      trials += result.trials
    }
    let final = FinalChecks(
      request: request, original: start, inputs: problem.inputs, checkSeconds: checkSeconds
    ).lastSound(of: states)
    notes += final.notes
    let applied = states[final.index].applied
    if Self.losesWinner(trials, after: applied.count) {
      return try withoutWinners(final.notes)
    }
    Self.withdraw(after: applied.count, in: &trials, &kernels)
    notes += recordPredictions(kernels, from: start, to: states[final.index])
    let status: Optimization.Status =
      applied.isEmpty ? .unchanged : applied.allSatisfy(\.isKnobs) ? .tuned : .improved
    return Optimization(
      status: status, original: original.source, module: final.text,
      // Of the text that passed the final checks, which followed its launches too.
      run: problem.run.flatMap { _ in
        try? problem.inputs.host(for: PythonParser.parse(final.text)).run(problem.inputs.inputs)
      }, kernels: kernels, trials: trials, deduction: problem.deduction, notes: notes,
      check: final.check)
  }

  /// Turns the accepted trials after the first `count` into reverted ones: the text that they led
  /// to did not pass the final checks, and an earlier one is printed.
  static func withdraw(
    after count: Int, in trials: inout [Trial], _ kernels: inout [KernelOutcome]
  ) {
    var accepted = 0
    var touched: [String: Double?] = [:]
    for index in trials.indices where trials[index].isAccepted {
      accepted += 1
      guard accepted > count else { continue }
      let trial = trials[index]
      if touched[trial.kernel] == nil { touched[trial.kernel] = trial.microsecondsBefore }
      trials[index].outcome = .reverted(
        "the module it leads to fails the final checks; see the notes")
    }
    for index in kernels.indices {
      guard let before = touched[kernels[index].name] else { continue }
      kernels[index].microsecondsAfter = before ?? kernels[index].microsecondsBefore
      kernels[index].configs = kernels[index].originalConfigs
    }
  }

  /// The kernels that `forward` launches, in the order of their first launch; without a host run,
  /// every `@triton.jit` function that is launched somewhere in the text.
  func launchedKernels(in state: ModuleState) -> [String] {
    var seen: Set<String> = []
    guard let run = state.subject.run else {
      return ModuleShape(state.tree).kernels.filter { !$0.launches.isEmpty }.map(\.name)
    }
    return run.launches.map(\.kernel).filter { seen.insert($0).inserted }
  }

  typealias KernelResult = (states: [ModuleState], outcome: KernelOutcome, trials: [Trial])

  func tuner(of kernel: String, _ problem: KnownProblem) -> KernelTuner {
    var tuner = KernelTuner(
      kernel: kernel, policy: request.policy, inputs: problem.inputs,
      profile: request.profile(of: kernel), profiledConfigs: problem.configs[kernel] ?? [],
      gpu: request.gpu)
    tuner.vetoes = vetoes
    tuner.original = request.tree
    let checks = FinalChecks(
      request: request, original: ModuleState(tree: request.tree, run: problem.run),
      inputs: problem.inputs, proofSeconds: proofSeconds)
    tuner.prove = { checks.problem(provenBy: $0.source) }
    return tuner
  }

  private func optimize(_ kernel: String, _ start: ModuleState, _ problem: KnownProblem)
    -> KernelResult
  {
    var tuner = tuner(of: kernel, problem)
    let originals = tuner.originals(in: start)
    var outcome = KernelOutcome(
      name: kernel, launches: tuner.launches(in: start).reduce(0) { $0 + $1.repetitions },
      originalConfigs: originals, configs: originals)
    outcome.parameterNames =
      start.triton.function(named: kernel)?.parameters.map(\.name) ?? []
    var state = start
    var cost: KernelTuner.SetCost?
    do throws(Diagnostic) {
      let baseline = try tuner.evaluate(originals, in: start)
      let reference = tuner.referenceConfig(originals, baseline)
      outcome.referenceConfig = reference
      outcome.isReferenceProfiled = !tuner.profiledConfigs.isEmpty
      outcome.microsecondsBefore =
        reference.flatMap { baseline.perConfig[ConfigKey($0)]?.microseconds }
        ?? baseline.microseconds
      let (next, nextCost) = tuner.rewriteBody(start, baseline: baseline)
      state = next
      cost = nextCost
      outcome.microsecondsBefore = outcome.microsecondsBefore.map {
        $0 + tuner.hostMicrosecondsSpared
      }
      outcome.microsecondsAfter = nextCost.microseconds
    } catch {
      outcome.refusal = error
    }
    let choice = tuner.tuneKnobs(state, cost: cost)
    outcome.configs = choice.configs
    if let best = choice.configs.compactMap({
      choice.cost?.perConfig[ConfigKey($0)]?.microseconds
    }).min() {
      outcome.microsecondsAfter = best
    }
    let protected = tuner.protectTuning(choice.state)
    let emitted = emit(kernel, choice.configs, on: protected, &tuner)
    let states = [state, choice.state, protected, emitted].filter {
      $0.applied.count > start.applied.count
    }
    return (states, outcome, tuner.trials)
  }
}

extension RewriteSite {
  /// Whether it changes launch knobs only.
  var isKnobs: Bool {
    rewrite == TuneConfigs().id || rewrite == SetLaunchKnobs().id
      || rewrite == RestoreTunedArguments().id || rewrite == TabulateConfigs().id
  }
}
