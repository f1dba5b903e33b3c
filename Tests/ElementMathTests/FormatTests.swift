import Foundation
import Testing
import TileIR

@testable import ElementMath

@Suite struct FormatTests {
  @Test(arguments: ReferenceFormat.all)
  func everyPatternDecodesToItsValueAndBack(_ format: ReferenceFormat) {
    let patterns = Array(0..<(1 << format.bits))
    let lanes = decoded(format.element, patterns)
    let back = encoded(format.element, lanes, nil)
    var wrong: [Int] = []
    for pattern in patterns {
      let lane = lanes[pattern]
      let fits =
        format.value(pattern).map {
          Double(lane) == $0 && (lane.sign == .minus) == ($0.sign == .minus)
        }
        ?? !lane.isFinite
      if !fits || back[pattern] != pattern { wrong.append(pattern) }
    }
    #expect(wrong.isEmpty)
  }

  @Test(arguments: ReferenceFormat.all)
  func everyValueIsLeftByRounding(_ format: ReferenceFormat) {
    let largest = format.element == .fp8e4b15 ? 0x7E : Int.max
    let patterns = (0..<(1 << format.bits)).filter {
      format.value($0) != nil && $0 & (1 << (format.bits - 1) - 1) <= largest
    }
    let lanes = decoded(format.element, patterns)
    for rounding in [ElementMath.Rounding.nearestEven, .towardZero] {
      #expect(encoded(format.element, lanes, rounding) == patterns)
    }
  }

  /// Between each two neighbours: the midpoint, just below it and just above it.
  @Test(arguments: ReferenceFormat.all)
  func roundsToTheNearerNeighbour(_ format: ReferenceFormat) {
    var inputs: [Float] = []
    var nearest: [Int] = []
    var truncated: [Int] = []
    var magnitudes = format.magnitudes
    if format.element == .fp8e4b15 { magnitudes.removeLast() }
    let step = magnitudes.count > 1000 ? 7 : 1
    let signBit = 1 << (format.bits - 1)
    let hasNegativeZero = format.value(signBit) != nil
    for pattern in stride(from: 0, to: magnitudes.count - 1, by: step) {
      let middle = Float((magnitudes[pattern] + magnitudes[pattern + 1]) / 2)
      let even = format.element == .fp8e4b15 ? pattern + 1 : pattern + pattern % 2
      for (input, rounded) in [
        (middle.nextDown, pattern), (middle, even), (middle.nextUp, pattern + 1),
      ] {
        for sign in [0, signBit] {
          func signed(_ value: Int) -> Int {
            value == 0 && !hasNegativeZero ? 0 : value | sign
          }
          inputs.append(sign == 0 ? input : -input)
          nearest.append(signed(rounded))
          truncated.append(signed(format.element == .fp8e4b15 ? rounded : pattern))
        }
      }
    }
    #expect(encoded(format.element, inputs, .nearestEven) == nearest)
    #expect(encoded(format.element, inputs, .towardZero) == truncated)
  }

  struct Extreme: CustomTestStringConvertible {
    var element: ElementType
    var input: Float
    var nearest: Int
    var truncated: Int
    var testDescription: String { "\(element) \(input)" }
  }

  static let extremes: [Extreme] = [
    Extreme(element: .fp16, input: 65504, nearest: 0x7BFF, truncated: 0x7BFF),
    Extreme(element: .fp16, input: 65519.996, nearest: 0x7BFF, truncated: 0x7BFF),
    Extreme(element: .fp16, input: 65520, nearest: 0x7C00, truncated: 0x7BFF),
    Extreme(element: .fp16, input: -1e30, nearest: 0xFC00, truncated: 0xFBFF),
    Extreme(element: .fp16, input: -.infinity, nearest: 0xFC00, truncated: 0xFC00),
    Extreme(element: .fp16, input: -.nan, nearest: 0x7FFF, truncated: 0x7FFF),
    Extreme(element: .fp16, input: 0x1p-25, nearest: 0, truncated: 0),
    Extreme(element: .fp16, input: 0x1.8p-25, nearest: 1, truncated: 0),
    Extreme(element: .bf16, input: 3.4e38, nearest: 0x7F80, truncated: 0x7F7F),
    Extreme(element: .bf16, input: .nan, nearest: 0x7FFF, truncated: 0x7FFF),
    Extreme(element: .bf16, input: 0x1p-149, nearest: 0, truncated: 0),
    Extreme(element: .fp8e4nv, input: 464, nearest: 0x7E, truncated: 0x7E),
    Extreme(element: .fp8e4nv, input: .infinity, nearest: 0x7E, truncated: 0x7E),
    Extreme(element: .fp8e4nv, input: -.nan, nearest: 0x7F, truncated: 0x7F),
    Extreme(element: .fp8e5, input: 61440, nearest: 0x7B, truncated: 0x7B),
    Extreme(element: .fp8e5, input: -.infinity, nearest: 0xFB, truncated: 0xFC),
    Extreme(element: .fp8e4b15, input: 1.9, nearest: 0x7E, truncated: 0x7E),
    Extreme(element: .fp8e4b15, input: .nan, nearest: 0x7E, truncated: 0x7E),
    Extreme(element: .fp8e4b8, input: 1e9, nearest: 0x7F, truncated: 0x7F),
    Extreme(element: .fp8e4b8, input: .nan, nearest: 0x80, truncated: 0x80),
    Extreme(element: .fp8e4b8, input: -0.0, nearest: 0, truncated: 0),
    Extreme(element: .fp8e4b8, input: -1e-9, nearest: 0, truncated: 0),
    Extreme(element: .fp8e5b16, input: -.infinity, nearest: 0xFF, truncated: 0xFF),
  ]

  @Test(arguments: extremes)
  func overflowsAndUnderflows(_ extreme: Extreme) {
    #expect(encoded(extreme.element, [extreme.input], .nearestEven) == [extreme.nearest])
    #expect(encoded(extreme.element, [extreme.input], .towardZero) == [extreme.truncated])
  }

  @Test func otherTypesAreRefusedAndLeft() {
    var lanes: [Float] = [0.1]
    #expect(!ElementMath.round(&lanes, to: .fp32, count: 1))
    #expect(!ElementMath.decode(.int32, from: [UInt8(0)], to: &lanes, count: 1))
    #expect(!ElementMath.encode(.fp64, from: [Float(0)], to: &lanes, count: 1))
    #expect(lanes == [0.1])
  }

  /// The fp32 neighbour of the midpoint would round the wrong way a second time.
  @Test func doublesRoundOnce() {
    let above = 1 + 0x1p-11 + 0x1p-40
    let below = 1 + 0x3p-11 - 0x1p-40
    let inputs: [Double] = [above, below, -above, 1e300, -1e300, 1e-300, .nan, 65519.9999999]
    var half = [Float](repeating: 0, count: inputs.count)
    ElementMath.narrow(inputs, to: .fp16, target: &half, count: inputs.count)
    #expect(half[0] == 1 + 0x1p-10)
    #expect(half[1] == 1 + 0x1p-10)
    #expect(half[2] == -1 - 0x1p-10)
    #expect(half[3] == .infinity && half[4] == -.infinity && half[5] == 0 && half[6].isNaN)
    #expect(half[7] == 65504)
    var cut = half
    ElementMath.narrow(inputs, to: .fp32, rounding: .towardZero, target: &cut, count: inputs.count)
    #expect(cut[3] == .greatestFiniteMagnitude && cut[4] == -.greatestFiniteMagnitude)
    #expect(cut[0] == Float(1 + 0x1p-11) && cut[1] == Float(below).nextDown)
    var wide = inputs
    ElementMath.widen(half, to: &wide, count: half.count)
    #expect(wide[0] == 1 + 0x1p-10)
  }

  @Test func tf32KeepsTenBits() {
    let inputs: [Float] = [1 + 0x1p-11, 1 + 0x1.8p-10, -.infinity, Float(bitPattern: 0x7F80_0001)]
    var cut = inputs
    ElementMath.truncateToTF32(inputs, &cut, count: inputs.count)
    #expect(cut[0] == 1 && cut[1] == 1 + 0x1p-10 && cut[2] == -.infinity && cut[3].isNaN)
    ElementMath.roundToTF32(inputs, &cut, count: inputs.count)
    #expect(cut[0] == 1 + 0x1p-10 && cut[1] == 1 + 0x1p-9 && cut[2] == -.infinity)
    #expect(cut[3].isNaN)
  }
}
