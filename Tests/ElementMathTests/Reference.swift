import Foundation
import Testing
import TileIR

@testable import ElementMath

/// A format described independently of the target: by its parameters and plain arithmetic.
struct ReferenceFormat: CustomTestStringConvertible {
  var element: ElementType
  var exponentBits: Int
  var mantissaBits: Int
  var bias: Int
  /// Patterns that are NaN or infinite.
  var isSpecial: @Sendable (Int) -> Bool
  var testDescription: String { "\(element)" }

  var bits: Int { 1 + exponentBits + mantissaBits }

  /// The exact value of a pattern, nil for NaN and infinities.
  func value(_ pattern: Int) -> Double? {
    if isSpecial(pattern) { return nil }
    let sign = pattern >> (bits - 1) == 1 ? -1.0 : 1.0
    let exponent = (pattern >> mantissaBits) & ((1 << exponentBits) - 1)
    let mantissa = pattern & ((1 << mantissaBits) - 1)
    let fraction = Double(mantissa) / Double(1 << mantissaBits)
    return exponent == 0
      ? sign * fraction * pow(2, Double(1 - bias))
      : sign * (1 + fraction) * pow(2, Double(exponent - bias))
  }

  /// The finite values at or above zero, ascending; index = pattern.
  var magnitudes: [Double] { (0..<(1 << (bits - 1))).compactMap(value) }

  static let half = ReferenceFormat(
    element: .fp16, exponentBits: 5, mantissaBits: 10, bias: 15,
    isSpecial: { $0 & 0x7C00 == 0x7C00 })
  static let brain = ReferenceFormat(
    element: .bf16, exponentBits: 8, mantissaBits: 7, bias: 127,
    isSpecial: { $0 & 0x7F80 == 0x7F80 })
  static let all: [ReferenceFormat] = [
    half, brain,
    ReferenceFormat(
      element: .fp8e4nv, exponentBits: 4, mantissaBits: 3, bias: 7,
      isSpecial: { $0 & 0x7F == 0x7F }),
    ReferenceFormat(
      element: .fp8e5, exponentBits: 5, mantissaBits: 2, bias: 15,
      isSpecial: { $0 & 0x7C == 0x7C }),
    ReferenceFormat(
      element: .fp8e4b15, exponentBits: 4, mantissaBits: 3, bias: 15, isSpecial: { _ in false }),
    ReferenceFormat(
      element: .fp8e4b8, exponentBits: 4, mantissaBits: 3, bias: 8, isSpecial: { $0 == 0x80 }),
    ReferenceFormat(
      element: .fp8e5b16, exponentBits: 5, mantissaBits: 2, bias: 16, isSpecial: { $0 == 0x80 }),
  ]
}

/// Numbers from a seed, so that a failure repeats.
struct Generator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

func decoded(_ element: ElementType, _ patterns: [Int]) -> [Float] {
  var lanes = [Float](repeating: 0, count: patterns.count)
  if element.bytes == 2 {
    let raw = patterns.map { UInt16(truncatingIfNeeded: $0) }
    ElementMath.decode(element, from: raw, to: &lanes, count: raw.count)
  } else {
    let raw = patterns.map { UInt8(truncatingIfNeeded: $0) }
    ElementMath.decode(element, from: raw, to: &lanes, count: raw.count)
  }
  return lanes
}

func encoded(_ element: ElementType, _ lanes: [Float], _ rounding: ElementMath.Rounding?)
  -> [Int]
{
  func run(_ target: UnsafeMutableRawPointer) {
    if let rounding {
      ElementMath.encode(element, from: lanes, to: target, count: lanes.count, rounding: rounding)
    } else {
      ElementMath.encodeExact(element, from: lanes, to: target, count: lanes.count)
    }
  }
  if element.bytes == 2 {
    var raw = [UInt16](repeating: 0, count: lanes.count)
    run(&raw)
    return raw.map(Int.init)
  }
  var raw = [UInt8](repeating: 0, count: lanes.count)
  run(&raw)
  return raw.map(Int.init)
}

/// Interesting fp32 values: zeros, infinities, NaN, subnormals, powers of two and their neighbours.
let edgeFloats: [Float] = {
  var values: [Float] = [0, .infinity, .nan, .leastNonzeroMagnitude, .leastNormalMagnitude]
  values += [
    .greatestFiniteMagnitude, Float.leastNormalMagnitude.nextDown, 0.1, 0.5, 1.5, .pi, 1e-3,
  ]
  for exponent in -149...127 {
    let power = Float(sign: .plus, exponent: exponent, significand: 1)
    values += [power, power.nextUp, power.nextDown]
  }
  return values + values.map { -$0 }
}()
