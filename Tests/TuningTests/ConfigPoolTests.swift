import HostProgram
import Stages
import Testing

@testable import Tuning

@Suite struct ConfigPoolTests {
  private func pool(
    _ originals: [LaunchConfig], stagesMatter: Bool = true, warpsMayMove: Bool = true,
    _ policy: StagePolicy = Subjects.policy()
  ) -> [PooledConfig] {
    ConfigPool(policy: policy, stagesMatter: stagesMatter, warpsMayMove: warpsMayMove)
      .configs(around: originals)
  }

  private func knobs(_ pool: [PooledConfig]) -> Set<String> { Set(pool.map(\.config.knobs)) }

  @Test func theOriginalComesFirstAndStaysWhateverTheSetsSay() {
    let odd = pool([Subjects.config(1, 7)])
    #expect(odd.first?.config.knobs == "w1 s7" && odd.first?.isOriginal == true)
    #expect(odd.count(where: \.isOriginal) == 1)
  }

  @Test func stagesMoveByOneAndWithinTheSet() {
    let near = pool([Subjects.config(4, 3)], warpsMayMove: false)
    #expect(knobs(near) == ["w4 s3", "w4 s2", "w4 s4"])
    let edge = pool([Subjects.config(4, 2)], warpsMayMove: false)
    #expect(knobs(edge) == ["w4 s2", "w4 s3"])
  }

  @Test func warpsStayWithoutAReasonAndStagesWithoutALoop() {
    #expect(
      knobs(pool([Subjects.config(4, 3)], stagesMatter: false, warpsMayMove: false)) == ["w4 s3"])
    #expect(
      knobs(pool([Subjects.config(4, 3)], stagesMatter: false))
        == ["w2 s3", "w4 s3", "w8 s3", "w16 s3"])
  }

  /// "Nearby" is at most two doublings.
  @Test func warpsStayNear() {
    let found = knobs(pool([Subjects.config(2, 3)], stagesMatter: false))
    #expect(found == ["w2 s3", "w4 s3", "w8 s3"])
  }

  @Test func blockSizesComeFromTheOriginals() {
    let originals = [
      Subjects.config(4, 3, blocks: ["BLOCK": 256]), Subjects.config(8, 2, blocks: ["BLOCK": 512]),
    ]
    let blocks = Set(pool(originals).map(\.config.constants))
    #expect(blocks == Set(originals.map(\.constants)))
  }

  @Test func originalsThatDifferInDeadStagesAreOne() {
    let originals = [Subjects.config(4, 2), Subjects.config(4, 3), Subjects.config(8, 2)]
    #expect(pool(originals, stagesMatter: false).count(where: \.isOriginal) == 2)
    #expect(pool(originals).count(where: \.isOriginal) == 3)
  }

  @Test func theBaselineIsInThePool() {
    let policy = Subjects.policy { $0.baseline = [.numWarps: 1, .numStages: 1] }
    #expect(knobs(pool([Subjects.config(4, 3)], policy)).contains("w1 s1"))
  }

  @Test func aConfigIsWhatTritonCompiles() {
    var config = Subjects.config(4, 3)
    let key = ConfigKey(config)
    config.statesNumWarps = true
    #expect(ConfigKey(config) == key)
    config.maxRegisters = 128
    #expect(ConfigKey(config) != key)
  }
}

@Suite struct ConfigChoiceTests {
  private func choose(
    _ pool: [PooledConfig], kept: [LaunchConfig] = [], profiled: Bool = false,
    _ microseconds: (LaunchConfig) -> Double?, _ policy: StagePolicy = Subjects.policy()
  ) -> [LaunchConfig] {
    var times: [ConfigKey: Double] = [:]
    for item in pool { times[item.key] = microseconds(item.config) }
    return ConfigChoice(
      policy: policy, kept: kept.map(ConfigKey.init), isReferenceProfiled: profiled,
      microseconds: times
    ).choose(from: pool).map(\.config)
  }

  private func pool(_ originals: [LaunchConfig]) -> [PooledConfig] {
    ConfigPool(policy: Subjects.policy(), stagesMatter: true, warpsMayMove: true)
      .configs(around: originals)
  }

  @Test func theOriginalIsFirstEvenIfItIsTheSlowest() {
    let original = Subjects.config(4, 3)
    let chosen = choose(pool([original]), kept: [original]) {
      $0.numWarps == 4 && $0.numStages == 3 ? 900 : 100
    }
    #expect(chosen.first?.knobs == "w4 s3")
    #expect((3...6).contains(chosen.count))
  }

  @Test func hopelessConfigsAreNotListed() {
    let original = Subjects.config(4, 3)
    let chosen = choose(pool([original]), kept: [original]) { $0.numWarps == 16 ? 400 : 100 }
    #expect(!chosen.contains { $0.numWarps == 16 })
  }

  /// A stage that wants at least three gets them from the unpromising.
  @Test func atLeastTheStagesNumberIsListed() {
    let original = Subjects.config(4, 3)
    let chosen = choose(pool([original]), kept: [original]) {
      $0.numWarps == 4 && $0.numStages == 3 ? 100 : 900
    }
    #expect(chosen.count >= 3)
  }

  /// What lies within 10 % is told apart by no model: each number of warps gets a place first.
  @Test func spreadsOverWarpsNearTheBest() {
    let original = Subjects.config(4, 3)
    let chosen = choose(pool([original]), kept: [original]) {
      100 + Double($0.numStages) / 10 + ($0.numWarps == 4 ? 0 : 5)
    }
    #expect(Set(chosen.map(\.numWarps)) == [2, 4, 8, 16])
  }

  @Test func allOriginalsStayUnlessOneIsKnownToBeTheProfiledOne() {
    let originals = (0..<6).map { Subjects.config(4, 3, blocks: ["BLOCK": 128 << $0]) }
    let unknown = choose(pool(originals), kept: [originals[0]]) { _ in 100 }
    #expect(Set(unknown.map(\.constants)).count == 6)
    let profiled = choose(pool(originals), kept: [originals[0]], profiled: true) { _ in 100 }
    #expect(profiled.count == 6)
    #expect(profiled.first?.constants == originals[0].constants)
    let kept = Set(originals.map(ConfigKey.init))
    #expect(profiled.contains { !kept.contains(ConfigKey($0)) }, "a place or two stay free")
  }

  @Test func whatCannotRunIsNotListed() {
    let original = Subjects.config(4, 3)
    let chosen = choose(pool([original]), kept: [original]) { $0.numStages == 4 ? nil : 100 }
    #expect(!chosen.contains { $0.numStages == 4 })
  }

  @Test func theBaselineIsListed() {
    let policy = Subjects.policy { $0.baseline = [.numWarps: 1, .numStages: 2] }
    let original = Subjects.config(4, 3)
    let pool = ConfigPool(policy: policy, stagesMatter: true, warpsMayMove: true)
      .configs(around: [original])
    let chosen = choose(pool, kept: [original], { $0.numWarps == 1 ? 900 : 100 }, policy)
    #expect(chosen.contains { $0.numWarps == 1 && $0.numStages == 2 })
  }
}
