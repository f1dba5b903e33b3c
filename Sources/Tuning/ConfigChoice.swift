import HostProgram
import Stages
import TritonLowering

/// Chooses the few configs that the output lists: the original first, then the most promising.
///
/// A model cannot tell apart what is within a few percent of each other, and Triton's autotuner
/// measures what it is given; so the choice spreads over the values of the knobs before it goes
/// deeper on one of them.
struct ConfigChoice {
  var policy: StagePolicy
  /// The originals that must stay: the profiled config where it is known.
  var kept: [ConfigKey]
  /// Whether those follow from the profile: the target GPU then takes them over the others.
  var isReferenceProfiled: Bool
  /// Predicted microseconds of a config, nil where it cannot run (too much shared memory …).
  var microseconds: [ConfigKey: Double]

  /// The number of configs where the policy states none.
  static let defaultCount = 3...6

  /// A config predicted slower than the best by more than this factor is not listed unless
  /// required: it would only cost tuning time.
  private static let hopeless = 1.5
  /// Configs this near to the best are told apart by no model; the choice spreads over them first.
  private static let near = 1.1

  /// - Returns: configs in the order to emit, original first.
  func choose(from pool: [PooledConfig]) -> [PooledConfig] {
    let count = policy.configCount ?? Self.defaultCount
    let ranked = pool.filter { microseconds[$0.key] != nil }
      .enumerated().sorted { left, right in
        let (a, b) = (microseconds[left.element.key] ?? 0, microseconds[right.element.key] ?? 0)
        return a != b ? a < b : left.offset < right.offset
      }.map(\.element)
    var chosen: [PooledConfig] = []
    var taken: Set<ConfigKey> = []
    func take(_ item: PooledConfig) {
      guard chosen.count < count.upperBound, taken.insert(item.key).inserted else { return }
      chosen.append(item)
    }
    // Required: the originals to keep, and the policy's baseline if it is in the pool.
    for item in pool where kept.contains(item.key) { take(item) }
    if let baseline = policy.baseline,
      let item = pool.first(where: { item in
        baseline.allSatisfy { knob, value in
          knob == .numWarps ? item.config.numWarps == value : item.config.numStages == value
        }
      })
    {
      take(item)
    }
    // The other originals, best first: somebody measured them, the model did not. Where the
    // profiled one is known, a place or two stay free for what the originals lack.
    let originals = (ranked + pool).filter(\.isOriginal)
    let distinct = Set(originals.map(\.key)).count
    let newPlaces = count.upperBound > 4 ? 2 : 1
    let mayDrop = isReferenceProfiled || distinct > count.upperBound
    let places = mayDrop ? min(distinct, max(1, count.upperBound - newPlaces)) : distinct
    for item in originals where chosen.filter(\.isOriginal).count < places { take(item) }
    let best = ranked.first.flatMap { microseconds[$0.key] } ?? 0
    let promising = ranked.filter { (microseconds[$0.key] ?? 0) <= best * Self.hopeless }
    // One of each (BLOCK sizes, warps) pair, best first; then of each knob pair; then the rest.
    let nearBest = promising.filter { (microseconds[$0.key] ?? 0) <= best * Self.near }
    takeOnePer(nearBest, take) { SpreadKey(blocks: nil, warps: $0.config.numWarps, stages: nil) }
    takeOnePer(promising, take) {
      SpreadKey(blocks: $0.config.constants, warps: $0.config.numWarps, stages: nil)
    }
    promising.forEach(take)
    // A policy that wants at least so many gets them even from the unpromising.
    if chosen.count < count.lowerBound {
      for item in ranked + pool where chosen.count < count.lowerBound { take(item) }
    }
    return chosen
  }

  private struct SpreadKey: Hashable {
    var blocks: [String: ConstexprValue]?
    var warps: Int
    var stages: Int?
  }

  private func takeOnePer(
    _ items: [PooledConfig], _ take: (PooledConfig) -> Void, by key: (PooledConfig) -> SpreadKey
  ) {
    var seen: Set<SpreadKey> = []
    for item in items where seen.insert(key(item)).inserted { take(item) }
  }
}
