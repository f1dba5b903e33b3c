import HostProgram
import Stages
import TritonLowering

/// A config that the stage's rules allow, with how it relates to the original ones.
struct PooledConfig: Hashable {
  var config: LaunchConfig
  /// The original config with the same BLOCK sizes that it is nearest to.
  var base: LaunchConfig
  var isOriginal: Bool

  /// Config identity: what Triton compiles, without where it stands in the source.
  var key: ConfigKey { ConfigKey(config) }
}

/// What makes two configs the same: constants, warps, stages, CTAs, register cap.
struct ConfigKey: Hashable {
  var constants: [String: ConstexprValue]
  var numWarps: Int
  var numStages: Int
  var numCTAs: Int
  var maxRegisters: Int?

  init(_ config: LaunchConfig) {
    constants = config.constants
    numWarps = config.numWarps
    numStages = config.numStages
    numCTAs = config.numCTAs
    maxRegisters = config.maxRegisters
  }
}

/// The configs that a stage allows around a kernel's original ones.
///
/// BLOCK sizes are taken from the originals; `num_warps` and `num_stages` move within the policy's
/// sets and steps. Pure enumeration: nothing is ranked here.
struct ConfigPool {
  var policy: StagePolicy
  /// Whether a value of `num_stages` changes the compiled code: some loop can be pipelined.
  var stagesMatter: Bool
  /// Whether occupancy gives a reason to move `num_warps`, for policies that ask for one.
  var warpsMayMove: Bool

  /// How far `num_warps` may move from the original's, as a factor: "nearby" is one or two
  /// doublings.
  private static let warpFactor = 4

  func configs(around originals: [LaunchConfig]) -> [PooledConfig] {
    var seen: Set<ConfigKey> = []
    var pool: [PooledConfig] = []
    func add(_ config: LaunchConfig, base: LaunchConfig, isOriginal: Bool) {
      if seen.insert(ConfigKey(config)).inserted {
        pool.append(PooledConfig(config: config, base: base, isOriginal: isOriginal))
      }
    }
    for original in originals {
      // Originals that differ only in dead stages are one: the first stands for all.
      let twin = pool.contains { item in
        var config = original
        config.numStages = item.config.numStages
        return !stagesMatter && ConfigKey(config) == item.key
      }
      if !twin { add(original, base: original, isOriginal: true) }
    }
    if let baseline = policy.baseline {  // required whatever the steps say
      for base in originals {
        var config = base
        config.numWarps = baseline[.numWarps] ?? base.numWarps
        config.numStages = baseline[.numStages] ?? base.numStages
        config.range = nil
        add(config, base: base, isOriginal: false)
      }
    }
    for base in originals {
      for warps in warpValues(around: base.numWarps) {
        for stages in stageValues(around: base.numStages) {
          var config = base
          config.numWarps = warps
          config.numStages = stages
          config.statesNumWarps = true
          config.statesNumStages = true
          config.range = nil
          add(config, base: base, isOriginal: false)
        }
      }
    }
    return pool
  }

  private func warpValues(around original: Int) -> [Int] {
    guard policy.allows(.numWarps), policy.numWarps.mayChange, warpsMayMove else {
      return [original]
    }
    let allowed = policy.numWarps.allowed ?? [1, 2, 4, 8, 16]
    let near = allowed.filter { value in
      guard value >= 1, value <= 32 else { return false }
      if let step = policy.numWarps.maxStep, abs(value - original) > step { return false }
      let (high, low) = (max(value, original), max(1, min(value, original)))
      return high <= low * Self.warpFactor
    }
    return near.contains(original) ? near : [original] + near
  }

  private func stageValues(around original: Int) -> [Int] {
    guard stagesMatter, policy.allows(.numStages), policy.numStages.mayChange else {
      return [original]
    }
    let allowed = policy.numStages.allowed ?? [1, 2, 3, 4, 5]
    let step = policy.numStages.maxStep ?? 2
    let near = allowed.filter { $0 >= 1 && $0 <= 8 && abs($0 - original) <= step }
    return near.contains(original) ? near : [original] + near
  }
}
