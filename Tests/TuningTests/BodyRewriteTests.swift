import Diagnostics
import Rewrites
import Stages
import Testing

@testable import Tuning

/// What becomes of a rewrite of the body: taken, put back or refused.
@Suite struct BodyRewriteTests {
  /// Tries one rewrite on the module whose time its loop's trip count sets.
  private func outcome(
    of rewrite: Replacement, editing: (inout StagePolicy) -> Void = { _ in }
  ) throws -> (trials: [Trial], text: String, before: Double, after: Double) {
    var (tuner, state) = try Subjects.tuner(
      try Subjects.request(Subjects.computing, editing: editing))
    tuner.rewrites = [rewrite]
    let baseline = try tuner.evaluate(tuner.originals(in: state), in: state)
    let (next, cost) = tuner.rewriteBody(state, baseline: baseline)
    return (tuner.trials, next.source.text, baseline.microseconds, cost.microseconds)
  }

  @Test func takesAGainAboveTheThreshold() throws {
    let result = try outcome(of: Replacement(old: "range(0, 2000)", new: "range(0, 40)"))
    #expect(result.trials.count == 1)
    #expect(result.trials.first?.isAccepted == true)
    #expect(result.trials.first?.basis == .prediction)
    #expect(result.text.contains("range(0, 40)"))
    #expect(result.after < result.before / 2)
    #expect((result.trials.first?.speedup ?? 0) > 2)
  }

  @Test func putsTheOriginalBackBelowTheThreshold() throws {
    let result = try outcome(of: Replacement(old: "range(0, 2000)", new: "range(0, 1990)"))
    #expect(result.text == Subjects.computing)
    #expect(result.after == result.before)
    #expect(result.trials.first?.reversal?.contains("is below 2.0 %") == true)
  }

  /// The threshold is the stage's, not a constant: what 2 % throws away 0.1 % keeps.
  @Test func theThresholdIsTheStages() throws {
    let rewrite = Replacement(old: "range(0, 2000)", new: "range(0, 1990)")
    let result = try outcome(of: rewrite) { $0.revertBelowPercent = PercentRange(0.1, 0.1) }
    #expect(result.trials.first?.isAccepted == true)
    let strict = try outcome(of: Replacement(old: "range(0, 2000)", new: "range(0, 1500)")) {
      $0.revertBelowPercent = PercentRange(60, 60)
    }
    #expect(strict.trials.first?.reversal?.contains("below 60.0 %") == true)
  }

  @Test func putsALossBack() throws {
    let result = try outcome(of: Replacement(old: "range(0, 2000)", new: "range(0, 4000)"))
    #expect(result.text == Subjects.computing)
    #expect(result.trials.first?.reversal?.contains("-") == true)
  }

  /// Faster because it forgets a store: the lowered kernels are compared whatever the rewrite says.
  @Test(arguments: [EffectChange.none, .copies, .deadBranches])
  func refusesALostStore(_ effects: EffectChange) throws {
    let result = try outcome(
      of: Replacement(
        old: "2000):\n        x = x * 1.0001 + 0.5\n    tl.store(y_ptr + offsets, x, mask=mask)",
        new: "4):\n        x = x * 1.0001 + 0.5", effects: effects))
    #expect(result.trials.first?.refusal?.id == "rewrite-changed-effects")
    #expect(result.text == Subjects.computing)
  }

  @Test func refusesAnAddedLoad() throws {
    let result = try outcome(
      of: Replacement(
        old: "range(0, 2000):", new: "range(0, 4):\n        x = x + tl.load(y_ptr + offsets)"))
    #expect(result.trials.first?.refusal?.id == "rewrite-changed-effects")
  }

  @Test func refusesABrokenModule() throws {
    let syntax = try outcome(of: Replacement(old: "range(0, 2000)", new: "range(0, "))
    #expect(syntax.trials.first?.refusal?.id == "rewrite-broke-syntax")
    let interface = try outcome(of: Replacement(old: "x_ptr, y_ptr, n,", new: "x_ptr, y_ptr, m,"))
    #expect(interface.trials.first?.refusal?.id == "rewrite-changed-interface")
    let kernel = try outcome(of: Replacement(old: "range(0, 2000)", new: "tl.no_such(4)"))
    #expect(kernel.trials.first?.refusal?.location?.line == 11)
    #expect(kernel.text == Subjects.computing)
  }

  /// Two loop-form changes were slower on hardware than predicted: none is taken on a prediction.
  @Test func neverTakesALoopFormOnAPrediction() throws {
    let result = try outcome(
      of: Replacement(
        id: "convert-loop-form", old: "range(0, 2000)", new: "range(0, 40)", effects: .copies))
    let reason = try #require(result.trials.first?.reversal)
    #expect(reason.contains("not taken on a prediction alone"))
    #expect(result.text == Subjects.computing)
  }

  @Test func leavesAloneWhatTheCompilerDoesItself() throws {
    let result = try outcome(
      of: Replacement(old: "range(0, 2000)", new: "range(0, 40)", mayGain: false))
    #expect(result.trials.count == 1)
    #expect(result.trials.first?.reversal?.contains("same code") == true)
    #expect(result.trials.first?.microsecondsAfter == nil, "no gain may be claimed")
    #expect(!FuseAccumulator().mayGain && !DropRedundantCast().mayGain)
    #expect(SpecializeArguments().mayGain)
  }

  @Test func leavesTheBodyWhereTheStageFixesIt() throws {
    let result = try outcome(of: Replacement(old: "range(0, 2000)", new: "range(0, 40)")) {
      $0.mayChange.remove(.body)
    }
    #expect(result.trials.isEmpty && result.text == Subjects.computing)
  }

  // MARK: Specialisation

  @Test func specialisesWhereDivisionDominates() throws {
    let request = try Subjects.request(Subjects.dividing, inputs: ["x=f32[64,96,224,224]"])
    var (tuner, state) = try Subjects.tuner(request)
    let baseline = try tuner.evaluate(tuner.originals(in: state), in: state)
    let (next, cost) = tuner.rewriteBody(state, baseline: baseline)
    let trial = try #require(tuner.trials.first { $0.rewrite == "specialize-arguments" })
    let accepted = tuner.trials.filter { $0.rewrite == "specialize-arguments" && $0.isAccepted }
    #expect(accepted.count == 1 && accepted.first?.basis == .prediction, "\(trial)")
    #expect(next.source.text.contains("a: tl.constexpr"))
    #expect(baseline.microseconds / cost.microseconds > 1.2)
  }

  /// Bound by memory: the model sees nothing, measurements of other kernels do; the trial says which.
  @Test func specialisesOnThePriorAndSaysSo() throws {
    var (tuner, state) = try Subjects.tuner(try Subjects.request(Subjects.elementwise()))
    let baseline = try tuner.evaluate(tuner.originals(in: state), in: state)
    let (next, cost) = tuner.rewriteBody(state, baseline: baseline)
    let trial = try #require(tuner.trials.first { $0.isAccepted })
    #expect(trial.rewrite == "specialize-arguments" && trial.basis == .measuredPrior)
    #expect(trial.why.contains("measured on"))
    #expect(baseline.microseconds / cost.microseconds < tuner.threshold)
    #expect(next.source.text.contains("n: tl.constexpr"))
  }

  @Test func aPriorSpeaksOnlyForItsRewriteAndNotAgainstAPrediction() throws {
    let (tuner, _) = try Subjects.tuner(try Subjects.request(Subjects.elementwise()))
    #expect(tuner.supportingPrior(SpecializeArguments(), 1.0) != nil)
    #expect(tuner.supportingPrior(SpecializeArguments(), 0.97) == nil)
    #expect(tuner.supportingPrior(HoistLoopInvariant(), 1.0) == nil)
    let (demanding, _) = try Subjects.tuner(
      try Subjects.request(Subjects.elementwise()) {
        $0.revertBelowPercent = PercentRange(30, 30)
      })
    #expect(demanding.supportingPrior(SpecializeArguments(), 1.0) == nil, "the prior is below 30 %")
  }

  @Test func thePriorsAreFiguresWithTheirSource() {
    for (id, prior) in MeasuredPrior.table {
      #expect(Rewrites.catalog.contains { $0.id == id })
      #expect(prior.modules > prior.slower && prior.geomean > 1)
      #expect(prior.text.contains(prior.results))
    }
    for id in MeasuredPrior.contrary.keys {
      #expect(Rewrites.catalog.contains { $0.id == id })
      #expect(MeasuredPrior.table[id] == nil, "a rewrite cannot have both")
    }
  }
}
