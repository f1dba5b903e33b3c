import Diagnostics
import HostProgram
import Stages
import Testing

@testable import Tuning

/// The choice of num_warps and num_stages.
@Suite struct KnobTests {
  private func tuned(
    _ module: String, inputs: [String] = ["x=f32[4096,4096]"], profile: String? = nil,
    editing: (inout StagePolicy) -> Void = { _ in }
  ) throws -> (choice: KnobChoice, trials: [Trial], originals: [LaunchConfig]) {
    var (tuner, state) = try Subjects.tuner(
      try Subjects.request(module, inputs: inputs, profile: profile, editing: editing))
    let originals = tuner.originals(in: state)
    let cost = try? tuner.evaluate(originals, in: state)
    let choice = tuner.tuneKnobs(state, cost: cost)
    return (choice, tuner.trials, originals)
  }

  private func keys(_ configs: [LaunchConfig]) -> Set<ConfigKey> {
    Set(configs.map(ConfigKey.init))
  }

  @Test(arguments: [[(4, 3)], [(4, 3), (8, 3)], [(2, 2), (4, 2), (8, 2), (16, 2)]])
  func keepsTheOriginalsAmongThreeToSix(_ configs: [(Int, Int)]) throws {
    let result = try tuned(Subjects.autotuned(configs))
    #expect(result.originals.map(\.knobs) == configs.map { "w\($0.0) s\($0.1)" })
    #expect((3...6).contains(result.choice.configs.count))
    #expect(keys(result.originals).isSubset(of: keys(result.choice.configs)))
  }

  /// No gain is predicted: the list is there because the stage asks for it, and the trial says so.
  @Test func listsConfigsBecauseTheStageAsks() throws {
    let result = try tuned(Subjects.autotuned([(4, 3)]))
    let trial = try #require(result.trials.first { $0.isAccepted })
    #expect(trial.basis == .stage)
    #expect(trial.why.contains("the stage asks for a list of configs"))
    #expect((trial.speedup ?? 9) < 1.02)
  }

  @Test func putsTheKnobsBackWhereNoListIsAskedFor() throws {
    let module = Subjects.autotuned([(4, 3)])
    let result = try tuned(module) {
      $0.configCount = nil
      $0.includesOriginal = false
    }
    #expect(result.choice.state.source.text == module)
    #expect(keys(result.choice.configs) == keys(result.originals))
    let reason = try #require(result.trials.first?.reversal)
    #expect(reason.contains("is below 2.0 %") && reason.contains("asks for no list"))
  }

  /// A bound alone ("at most 3") does not ask for a list.
  @Test func anUpperBoundDoesNotAsk() {
    #expect(Subjects.policy().asksForConfigs)
    let bounded = Subjects.policy {
      $0.configCount = 1...3
      $0.includesOriginal = false
    }
    #expect(!bounded.asksForConfigs)
    #expect(!StagePolicy.unrestricted.asksForConfigs)
    #expect(StagePolicy.unrestricted.worthwhileSpeedup == 1.02)
  }

  @Test func leavesListsLongerThanTheStageAllows() throws {
    let module = Subjects.autotuned(
      Array(repeating: (4, 3), count: 7), blocks: (0..<7).map { 64 << $0 })
    let result = try tuned(module)
    #expect(result.choice.state.source.text == module)
    #expect(result.trials.contains { $0.reversal?.contains("none was measured") == true })
  }

  @Test func leavesAShortKernelWithoutAnAutotuner() throws {
    let result = try tuned(Subjects.elementwise(), inputs: ["x=f32[64,64]"])
    #expect(result.choice.configs.count == 1)
    #expect(result.trials.first?.reversal?.contains("host time") == true)
    let long = try tuned(Subjects.elementwise(), inputs: ["x=f32[8192,8192]"])
    #expect(long.choice.configs.count > 1)
  }

  @Test func leavesKnobsThatTheStageFixes() throws {
    let module = Subjects.autotuned([(4, 3)])
    let result = try tuned(module) { $0.mayChange.subtract([.numWarps, .numStages]) }
    #expect(result.choice.state.source.text == module && result.trials.isEmpty)
  }

  /// Without a loop to pipeline `num_stages` changes nothing, so no config differs in it alone.
  @Test func leavesDeadStages() throws {
    let result = try tuned(Subjects.autotuned([(4, 3)]))
    #expect(Set(result.choice.configs.map(\.numStages)) == [3])
    #expect(result.trials.first?.why.contains("no loop can be pipelined") == true)
  }

  @Test func saysWhatTheProfileSays() throws {
    let profile = """
      {"scale_kernel": {"sm__warps_active.avg.pct_of_peak_sustained_active": 31.2}}
      """
    let result = try tuned(Subjects.autotuned([(4, 3)]), profile: profile)
    #expect(result.trials.first?.why.contains("31.2 % of the warps active (measured)") == true)
  }

  @Test func namesConfigsInTheSignaturesOrder() {
    let config = Subjects.config(4, 2, blocks: ["BLOCK_K": 8, "BLOCK_M": 64, "BLOCK_N": 32])
    #expect(config.knobText(order: ["BLOCK_M", "BLOCK_N", "BLOCK_K"]) == "64/32/8 w4 s2")
    #expect(Subjects.config(8, 1, blocks: [:]).knobText(order: []) == "w8 s1")
  }
}
