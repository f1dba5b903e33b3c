import Foundation
import Testing

@testable import Toolchain

struct BootstrapTests {
  /// Normal numbers by Box and Muller.
  private struct Normal {
    var generator: SplitMix
    mutating func uniform() -> Double { (Double(generator.next() >> 11) + 0.5) * 0x1p-53 }
    mutating func next(_ mean: Double, _ deviation: Double) -> Double {
      let radius = (-2 * Foundation.log(uniform())).squareRoot()
      return mean + deviation * radius * Foundation.cos(2 * .pi * uniform())
    }
  }

  @Test func medianAndQuantiles() {
    #expect(Bootstrap.median([3, 1, 2]) == 2)
    #expect(Bootstrap.median([4, 1, 3, 2]) == 2.5)
    #expect(Bootstrap.quantile([0, 10], 0.25) == 2.5)
    #expect(Bootstrap.quantile([7], 0.9) == 7)
    #expect(Bootstrap.quantile([], 0.5).isNaN)
  }

  @Test func aConstantRatioHasNoWidth() throws {
    let interval = try #require(
      Bootstrap.ratio(Array(repeating: 3, count: 20), Array(repeating: 2, count: 20)))
    #expect(interval.ratio == 1.5 && interval.low == 1.5 && interval.high == 1.5)
    #expect(interval.relativeHalfWidth == 0 && interval.rounds == 20)
  }

  @Test func theSameSeedGivesTheSameInterval() {
    var normal = Normal(generator: SplitMix(seed: 3))
    let above = (0..<40).map { _ in normal.next(2, 0.1) }
    let below = (0..<40).map { _ in normal.next(1, 0.1) }
    #expect(Bootstrap.ratio(above, below, seed: 9) == Bootstrap.ratio(above, below, seed: 9))
    #expect(Bootstrap.ratio(above, below, seed: 9) != Bootstrap.ratio(above, below, seed: 10))
  }

  /// Of 100 experiments with a known ratio of 1.25, about 95 in 100 intervals must hold it.
  @Test func intervalsHoldTheTruthAsOftenAsTheySay() throws {
    var normal = Normal(generator: SplitMix(seed: 77))
    var held = 0
    for trial in 0..<100 {
      let above = (0..<40).map { _ in normal.next(1.25, 0.05) }
      let below = (0..<40).map { _ in normal.next(1, 0.04) }
      let interval = try #require(Bootstrap.ratio(above, below, seed: UInt64(trial)))
      if interval.low <= 1.25, 1.25 <= interval.high { held += 1 }
    }
    // Five standard deviations of a binomial around 95.
    #expect(held >= 84, "\(held) of 100")
    #expect(held < 100, "intervals that always hold are too wide")
  }

  /// A drift that slows both modules alike must not widen the interval: rounds are drawn, not times.
  @Test func aCommonDriftCancels() throws {
    var normal = Normal(generator: SplitMix(seed: 5))
    var above: [Double] = []
    var below: [Double] = []
    for round in 0..<60 {
      let slow = 1 + 0.3 * Double(round) / 60
      above.append(slow * normal.next(2, 0.004))
      below.append(slow * normal.next(1, 0.002))
    }
    let interval = try #require(Bootstrap.ratio(above, below))
    let unpaired = try #require(Bootstrap.ratio(above, below.reversed()))
    #expect(interval.relativeHalfWidth < 0.01)
    #expect(unpaired.relativeHalfWidth > 2 * interval.relativeHalfWidth)
  }

  @Test(arguments: [
    ([1.0, 1, 1, 1], [1.0, 1, 1, 1]), ([1.0, 1, 1, 1, 1], [1.0, 1, 1, 1]),
    ([1.0, 1, 1, 1, 0], [1.0, 1, 1, 1, 1]), ([1.0, 1, 1, 1, -1], [1.0, 1, 1, 1, 1]),
    ([1.0, 1, 1, 1, .nan], [1.0, 1, 1, 1, 1]), ([1.0, 1, 1, 1, 1], [1.0, 1, 1, 1, .infinity]),
  ])
  func whatIsNoTimeHasNoInterval(numerators: [Double], denominators: [Double]) {
    #expect(Bootstrap.ratio(numerators, denominators) == nil)
  }

  @Test func outliersDoNotMoveTheMedian() throws {
    var above = Array(repeating: 2.0, count: 30)
    above[3] = 500
    let interval = try #require(Bootstrap.ratio(above, Array(repeating: 1, count: 30)))
    #expect(interval.ratio == 2 && interval.high == 2)
  }
}
