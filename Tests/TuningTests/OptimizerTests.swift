import Diagnostics
import PythonSyntax
import Stages
import Testing

@testable import Tuning

/// Whole runs.
@Suite struct OptimizerTests {
  private func optimize(
    _ module: String, inputs: [String] = ["x=f32[4096,4096]"],
    editing: (inout StagePolicy) -> Void = { _ in }
  ) throws -> Optimization {
    try Optimizer(try Subjects.request(module, inputs: inputs, editing: editing)).run()
  }

  @Test func improvesWhereAGainIsPredicted() throws {
    let result = try optimize(Subjects.dividing, inputs: ["x=f32[64,96,224,224]"])
    #expect(result.status == .improved && result.expectsGain)
    let (before, after) = try #require(result.predictedMicroseconds)
    #expect(before / after > 1.2)
    #expect(!PythonParser.parse(result.module).hasErrors)
    #expect(result.run?.launches.first?.kernel == "fold_kernel")
  }

  /// Nothing to specialise, no list asked for: the original, byte for byte.
  @Test func returnsTheOriginalWhereNothingGains() throws {
    let module = Subjects.autotuned([(4, 3)])
    let result = try optimize(module) {
      $0.configCount = nil
      $0.includesOriginal = false
      $0.mayChange.remove(.body)
    }
    #expect(result.status == .unchanged && !result.expectsGain)
    #expect(result.module.text == module)
    #expect(result.trials.allSatisfy { !$0.isAccepted })
  }

  /// A list that the stage asks for is no gain.
  @Test func aListOfConfigsAloneExpectsNoGain() throws {
    let result = try optimize(Subjects.autotuned([(4, 3)])) { $0.mayChange.remove(.body) }
    #expect(result.status == .tuned)
    #expect(!result.expectsGain)
    #expect((3...6).contains(result.kernels.first?.configs.count ?? 0))
  }

  @Test func aKernelThatIsNotLoweredIsRefusedAtItsLine() throws {
    let result = try optimize(
      Subjects.elementwise(body: "x = tl.no_such(x)")
    ) { $0.mayChange = [.body] }
    #expect(result.status == .unchanged)
    #expect(result.kernels.first?.refusal?.location?.line == 11)
    #expect(result.predictedMicroseconds == nil)
  }

  /// Knobs are tuned from the text where the host program is not followed, without any figure.
  @Test func tunesFromTheTextWithoutAHostRun() throws {
    let module = Subjects.autotuned([(4, 3)]).replacing(
      "y = torch.empty_like(x)", with: "y = torch.no_such_thing(x)")
    let result = try optimize(module)
    #expect(result.status == .tuned && result.predictedMicroseconds == nil)
    #expect(!result.expectsGain)
    #expect(result.trials.filter(\.isAccepted).map(\.basis) == [.nothing])
    #expect(result.kernels.first?.originalConfigs.map(\.knobs) == ["w4 s3"])
  }

  @Test func aModuleWithoutALaunchIsReturned() throws {
    let module = Subjects.elementwise().replacing(
      "        scale_kernel[grid](x, y, x.numel(), BLOCK=1024)\n", with: "")
    let result = try optimize(module)
    #expect(result.status == .unchanged && result.kernels.isEmpty)
  }

  /// Trials behind the last text that passed are not "done".
  @Test func whatTheChecksThrewAwayIsNotDone() {
    func accepted(_ kernel: String, _ before: Double, _ after: Double) -> Trial {
      Trial(
        rewrite: "r", kernel: kernel, what: "w", why: "", outcome: .accepted,
        microsecondsBefore: before, microsecondsAfter: after)
    }
    var trials = [
      accepted("a", 100, 80),
      Trial(rewrite: "r", kernel: "a", what: "w", why: "", outcome: .reverted("no gain")),
      accepted("a", 80, 60), accepted("b", 50, 40),
    ]
    var kernels = [
      KernelOutcome(
        name: "a", launches: 1, configs: [Subjects.config(4)], microsecondsBefore: 100,
        microsecondsAfter: 60),
      KernelOutcome(name: "b", launches: 1, microsecondsBefore: 50, microsecondsAfter: 40),
    ]
    Optimizer.withdraw(after: 1, in: &trials, &kernels)
    #expect(trials.map(\.isAccepted) == [true, false, false, false])
    #expect(trials[1].reversal == "no gain")
    #expect(kernels.map(\.microsecondsAfter) == [80, 50])
    #expect(kernels[0].configs.isEmpty)
    Optimizer.withdraw(after: 9, in: &trials, &kernels)
    #expect(trials.first?.isAccepted == true)
  }

  @Test func aTrialKnowsItsSpeedUp() {
    var trial = Trial(rewrite: "r", kernel: "k", what: "", why: "", outcome: .accepted)
    #expect(trial.speedup == nil && trial.isAccepted && trial.evidence == .predicted)
    trial.microsecondsBefore = 30
    trial.microsecondsAfter = 20
    #expect(trial.speedup == 1.5)
    trial.microsecondsAfter = 0
    #expect(trial.speedup == nil)
    #expect((-0.04).percentText == "0.0 %" && 3.44.percentText == "3.4 %")
  }
}
