/// A ratio of medians with the interval that repeated measurement would put it in.
public struct RatioInterval: Sendable, Hashable, Codable {
  /// Above 1: the candidate is faster.
  public var ratio: Double
  public var low: Double
  public var high: Double
  /// The share of intervals that hold the true ratio, as aimed for.
  public var confidence: Double
  /// Rounds it rests on.
  public var rounds: Int

  public init(ratio: Double, low: Double, high: Double, confidence: Double = 0.95, rounds: Int) {
    self.ratio = ratio
    self.low = low
    self.high = high
    self.confidence = confidence
    self.rounds = rounds
  }

  /// Half the interval's width, relative to the ratio.
  public var relativeHalfWidth: Double {
    ratio > 0 ? 0.5 * (high - low) / ratio : .infinity
  }
}

/// Intervals by resampling rounds.
///
/// Original and candidate are timed once in every round, so a round that a colder clock or a
/// neighbour slowed down slowed both: rounds are drawn, not single times. The interval is the
/// percentile interval of the ratio of medians (Efron and Tibshirani, An Introduction to the
/// Bootstrap, chapter 13). BCa is not used: its acceleration comes from the jackknife, which is
/// inconsistent for medians (the same book, section 10.6).
enum Bootstrap {
  static let resamples = 2000

  /// `median(numerators) / median(denominators)` with its interval; nil for fewer than five rounds,
  /// lists of different length, or times that are not positive and finite.
  ///
  /// - Complexity: O(resamples · rounds).
  static func ratio(
    _ numerators: [Double], _ denominators: [Double], confidence: Double = 0.95, seed: UInt64 = 1
  ) -> RatioInterval? {
    let count = numerators.count
    guard count == denominators.count, count >= 5,
      (numerators + denominators).allSatisfy({ $0 > 0 && $0.isFinite })
    else { return nil }
    var generator = SplitMix(seed: seed)
    // Medians of a resample by counting how often each rank was drawn: no sorting inside the loop.
    let above = Ranked(numerators)
    let below = Ranked(denominators)
    var ratios: [Double] = []
    ratios.reserveCapacity(resamples)
    var drawn = [Int](repeating: 0, count: count)
    for _ in 0..<resamples {
      for index in drawn.indices { drawn[index] = 0 }
      for _ in 0..<count { drawn[generator.below(count)] += 1 }
      ratios.append(above.median(drawn) / below.median(drawn))
    }
    ratios.sort()
    let tail = (1 - confidence) / 2
    return RatioInterval(
      ratio: median(numerators) / median(denominators), low: quantile(ratios, tail),
      high: quantile(ratios, 1 - tail), confidence: confidence, rounds: count)
  }

  static func median(_ values: [Double]) -> Double { quantile(values.sorted(), 0.5) }

  /// The quantile of sorted values, interpolated between neighbours.
  static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    guard let last = sorted.indices.last else { return .nan }
    let place = max(0, min(1, share)) * Double(last)
    let low = Int(place)
    let high = min(last, low + 1)
    return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
  }

  /// Values with the order of their positions.
  private struct Ranked {
    let values: [Double]
    let order: [Int]

    init(_ values: [Double]) {
      self.values = values
      order = values.indices.sorted { values[$0] < values[$1] }
    }

    /// The median of a resample that takes each position so many times.
    func median(_ drawn: [Int]) -> Double {
      let total = values.count
      let (first, second) = ((total - 1) / 2, total / 2)
      var seen = 0
      var low: Double?
      for position in order {
        seen += drawn[position]
        if low == nil, seen > first { low = values[position] }
        if seen > second { return 0.5 * ((low ?? values[position]) + values[position]) }
      }
      return .nan
    }
  }
}

/// A seeded generator (SplitMix64, Steele, Lea and Flood 2014): the same interval every time.
struct SplitMix {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// A number from 0 to `bound` - 1; `bound` above 0.
  mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }
}
