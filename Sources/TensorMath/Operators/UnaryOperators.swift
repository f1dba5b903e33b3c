import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Functions of one tensor, element by element.
enum UnaryOperators {
  static let table: [String: OperatorCall.Body] = arithmetic.merging(functions) { $1 }
    .merging(tests) { $1 }

  private static let arithmetic: [String: OperatorCall.Body] = [
    "neg": { call in try call.map({ -$0 }, integers: { 0 &- $0 }) },
    "negative": { call in try call.map({ -$0 }, integers: { 0 &- $0 }) },
    "positive": { call in try call.map({ $0 }, integers: { $0 }) },
    "abs": { call in try call.map({ abs($0) }, integers: { $0 < 0 ? 0 &- $0 : $0 }) },
    "absolute": { call in try call.map({ abs($0) }, integers: { $0 < 0 ? 0 &- $0 : $0 }) },
    "square": { call in try call.map({ $0 * $0 }, integers: { $0 &* $0 }) },
    "sign": { call in try call.map({ sign($0) }, integers: { $0.signum() }) },
    "sgn": { call in try call.map({ sign($0) }, integers: { $0.signum() }) },
    "floor": { call in try call.map({ $0.rounded(.down) }, integers: { $0 }) },
    "ceil": { call in try call.map({ $0.rounded(.up) }, integers: { $0 }) },
    "trunc": { call in try call.map({ $0.rounded(.towardZero) }, integers: { $0 }) },
    "fix": { call in try call.map({ $0.rounded(.towardZero) }, integers: { $0 }) },
    "frac": { call in try call.map { $0 - $0.rounded(.towardZero) } },
    "round": { call in
      let decimals = try call.int("decimals", default: 0)
      if decimals == 0 {
        return try call.map({ $0.rounded(.toNearestOrEven) }, integers: { $0 })
      }
      let scale = pow(10, Double(decimals.magnitude))
      if decimals > 0 { return try call.map { ($0 * scale).rounded(.toNearestOrEven) / scale } }
      try call.map { ($0 / scale).rounded(.toNearestOrEven) * scale }
    },
    "reciprocal": { call in try call.map { 1 / $0 } },
    "bitwise_not": { call in
      let isBool = try call.input.element == .int1
      try call.map({ $0 }, integers: { isBool ? $0 ^ 1 : ~$0 })
    },
    "nan_to_num": { call in
      let nan = try call.number("nan", default: 0)
      let greatest = try greatest(call.result.element)
      let above = try call.number("posinf", default: greatest)
      let below = try call.number("neginf", default: -greatest)
      try call.map(
        { $0.isNaN ? nan : $0 == .infinity ? above : $0 == -.infinity ? below : $0 },
        integers: { $0 })
    },
    "deg2rad": { call in try call.map { $0 * (.pi / 180) } },
    "rad2deg": { call in try call.map { $0 * (180 / .pi) } },
  ]

  private static let functions: [String: OperatorCall.Body] = [
    "exp": { call in try call.map { exp($0) } },
    "exp2": { call in try call.map { exp2($0) } },
    "expm1": { call in try call.map { expm1($0) } },
    "log": { call in try call.map { log($0) } },
    "log2": { call in try call.map { log2($0) } },
    "log10": { call in try call.map { log10($0) } },
    "log1p": { call in try call.map { log1p($0) } },
    "sqrt": { call in try call.map { $0.squareRoot() } },
    "rsqrt": { call in try call.map { 1 / $0.squareRoot() } },
    "sin": { call in try call.map { sin($0) } },
    "cos": { call in try call.map { cos($0) } },
    "tan": { call in try call.map { tan($0) } },
    "asin": { call in try call.map { asin($0) } },
    "arcsin": { call in try call.map { asin($0) } },
    "acos": { call in try call.map { acos($0) } },
    "arccos": { call in try call.map { acos($0) } },
    "atan": { call in try call.map { atan($0) } },
    "arctan": { call in try call.map { atan($0) } },
    "sinh": { call in try call.map { sinh($0) } },
    "cosh": { call in try call.map { cosh($0) } },
    "tanh": { call in try call.map { tanh($0) } },
    "asinh": { call in try call.map { asinh($0) } },
    "acosh": { call in try call.map { acosh($0) } },
    "atanh": { call in try call.map { atanh($0) } },
    "erf": { call in try call.map { erf($0) } },
    "erfc": { call in try call.map { erfc($0) } },
    "erfinv": { call in try call.map { Functions.inverseErf($0) } },
    "lgamma": { call in
      try call.map { lgamma($0) }
    },
    "digamma": { call in try call.map { Functions.digamma($0) } },
    "sinc": { call in try call.map { $0 == 0 ? 1 : sin(.pi * $0) / (.pi * $0) } },
    "logit": { call in
      guard let eps = try call.optionalNumber("eps") else {
        return try call.map { log($0 / (1 - $0)) }
      }
      try call.map {
        let x = Functions.clamp($0, eps, 1 - eps)
        return log(x / (1 - x))
      }
    },
  ]

  private static let tests: [String: OperatorCall.Body] = [
    "isnan": { call in try call.map { $0.isNaN ? 1 : 0 } },
    "isinf": { call in try call.map { $0.isInfinite ? 1 : 0 } },
    "isfinite": { call in try call.map { $0.isFinite ? 1 : 0 } },
    "isposinf": { call in try call.map { $0 == .infinity ? 1 : 0 } },
    "isneginf": { call in try call.map { $0 == -.infinity ? 1 : 0 } },
    "signbit": { call in try call.map { $0.sign == .minus ? 1 : 0 } },
    "logical_not": { call in try call.map { $0 == 0 ? 1 : 0 } },
  ]

  @inline(__always)
  static func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }

  /// The largest finite value of a type.
  static func greatest(_ element: ElementType) -> Double {
    switch element {
    case .fp64: Double.greatestFiniteMagnitude
    case .fp16: 65504
    case .bf16: Double(Float(bitPattern: 0x7F7F_0000))
    case .fp8e4nv: 448
    case .fp8e5, .fp8e5b16: 57344
    case .fp8e4b8: 240
    default: Double(Float.greatestFiniteMagnitude)
    }
  }
}
