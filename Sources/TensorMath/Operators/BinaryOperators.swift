import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Functions of two operands with broadcasting.
enum BinaryOperators {
  static let table: [String: OperatorCall.Body] = {
    var table = arithmetic.merging(comparisons) { $1 }.merging(special) { $1 }
    for (alias, name) in [
      ("subtract", "sub"), ("multiply", "mul"), ("divide", "div"), ("true_divide", "div"),
      ("greater", "gt"), ("less", "lt"), ("greater_equal", "ge"), ("less_equal", "le"),
      ("not_equal", "ne"), ("arctan2", "atan2"), ("float_power", "pow"),
      ("__and__", "bitwise_and"), ("__or__", "bitwise_or"), ("__xor__", "bitwise_xor"),
    ] {
      table[alias] = table[name]
    }
    return table
  }()

  private static let arithmetic: [String: OperatorCall.Body] = [
    "add": { call in
      guard let alpha = try call.optionalNumber("alpha"), alpha != 1 else {
        return try call.combine({ $0 + $1 }, integers: { $0 &+ $1 })
      }
      let whole = truncated(alpha)
      try call.combine({ $0 + alpha * $1 }, integers: { $0 &+ whole &* $1 })
    },
    "sub": { call in
      guard let alpha = try call.optionalNumber("alpha"), alpha != 1 else {
        return try call.combine({ $0 - $1 }, integers: { $0 &- $1 })
      }
      let whole = truncated(alpha)
      try call.combine({ $0 - alpha * $1 }, integers: { $0 &- whole &* $1 })
    },
    "rsub": { call in
      let alpha = try call.number("alpha", default: 1)
      let whole = truncated(alpha)
      try call.combine({ $1 - alpha * $0 }, integers: { $1 &- whole &* $0 })
    },
    "mul": { call in try call.combine({ $0 * $1 }, integers: { $0 &* $1 }) },
    "div": { call in
      switch call.string("rounding_mode") {
      case nil: try call.combine { $0 / $1 }
      case "floor": try divideIntegers(call, floors: true)
      case "trunc": try divideIntegers(call, floors: false)
      default: throw call.fault("an unknown rounding_mode")
      }
    },
    "floor_divide": { call in try divideIntegers(call, floors: true) },
    "remainder": { call in
      try refuseZeroDivisor(call)
      try call.combine({ Functions.remainder($0, $1) }, integers: { Functions.remainder($0, $1) })
    },
    "fmod": { call in
      try refuseZeroDivisor(call)
      try call.combine({ fmod($0, $1) }, integers: { $1 == 0 || $1 == -1 ? 0 : $0 % $1 })
    },
    "pow": { call in
      if case .int(2)? = call.right {
        return try call.combine({ x, _ in x * x }, integers: { x, _ in x &* x })
      }
      try call.combine({ pow($0, $1) }, integers: { Functions.power($0, $1) })
    },
    "maximum": { call in
      try call.combine({ Functions.maximum($0, $1) }, integers: { max($0, $1) })
    },
    "minimum": { call in
      try call.combine({ Functions.minimum($0, $1) }, integers: { min($0, $1) })
    },
    "fmax": { call in try call.combine({ fmax($0, $1) }, integers: { max($0, $1) }) },
    "fmin": { call in try call.combine({ fmin($0, $1) }, integers: { min($0, $1) }) },
    "bitwise_and": { call in try call.combine({ x, _ in x }, integers: { $0 & $1 }) },
    "bitwise_or": { call in try call.combine({ x, _ in x }, integers: { $0 | $1 }) },
    "bitwise_xor": { call in try call.combine({ x, _ in x }, integers: { $0 ^ $1 }) },
    "bitwise_left_shift": { call in
      try call.combine({ $0 * exp2($1) }, integers: { $1 < 0 || $1 > 63 ? 0 : $0 << $1 })
    },
    "bitwise_right_shift": { call in
      try call.combine({ $0 / exp2($1) }, integers: { $0 >> max(0, min(63, $1)) })
    },
    "gcd": { call in try call.combine({ x, _ in x }, integers: { Functions.gcd($0, $1) }) },
    "lcm": { call in
      try call.combine(
        { x, _ in x },
        integers: {
          let divisor = Functions.gcd($0, $1)
          return divisor == 0 ? 0 : ($0 / divisor &* $1).magnitudeWrapped
        })
    },
  ]

  private static let comparisons: [String: OperatorCall.Body] = [
    "eq": { call in try call.compare({ $0 == $1 }, integers: { $0 == $1 }) },
    "ne": { call in try call.compare({ $0 != $1 }, integers: { $0 != $1 }) },
    "lt": { call in try call.compare({ $0 < $1 }, integers: { $0 < $1 }) },
    "le": { call in try call.compare({ $0 <= $1 }, integers: { $0 <= $1 }) },
    "gt": { call in try call.compare({ $0 > $1 }, integers: { $0 > $1 }) },
    "ge": { call in try call.compare({ $0 >= $1 }, integers: { $0 >= $1 }) },
    "logical_and": { call in
      try call.compare({ $0 != 0 && $1 != 0 }, integers: { $0 != 0 && $1 != 0 })
    },
    "logical_or": { call in
      try call.compare({ $0 != 0 || $1 != 0 }, integers: { $0 != 0 || $1 != 0 })
    },
    "logical_xor": { call in
      try call.compare({ ($0 != 0) != ($1 != 0) }, integers: { ($0 != 0) != ($1 != 0) })
    },
    "isclose": { call in
      let relative = try call.number("rtol", default: 1e-5)
      let absolute = try call.number("atol", default: 1e-8)
      let equalNaN = call.bool("equal_nan", default: false)
      try call.combine {
        if $0 == $1 || (equalNaN && $0.isNaN && $1.isNaN) { return 1 }
        return $1.isFinite && abs($0 - $1) <= absolute + relative * abs($1) ? 1 : 0
      }
    },
  ]

  private static let special: [String: OperatorCall.Body] = [
    "atan2": { call in try call.combine { atan2($0, $1) } },
    "hypot": { call in try call.combine { hypot($0, $1) } },
    "copysign": { call in try call.combine { copysign($0, $1) } },
    "xlogy": { call in try call.combine { $1.isNaN ? $1 : $0 == 0 ? 0 : $0 * log($1) } },
    "logaddexp": { call in
      try call.combine { $0 == $1 && $0.isInfinite ? $0 : max($0, $1) + log1p(exp(-abs($0 - $1))) }
    },
    "logaddexp2": { call in
      try call.combine {
        $0 == $1 && $0.isInfinite ? $0 : max($0, $1) + log1p(exp2(-abs($0 - $1))) / log(2.0)
      }
    },
    "heaviside": { call in
      let operands = (call.left, call.argument("values", "other"))
      try call.combine(operands.0, operands.1, .int(0)) { x, at, _ in
        x == 0 ? at : x > 0 ? 1 : 0
      }
    },
    "ldexp": { call in try call.combine { $0 * exp2($1) } },
  ]

  private static func divideIntegers(_ call: OperatorCall, floors: Bool) throws {
    try refuseZeroDivisor(call)
    if floors {
      try call.combine(
        { Functions.floorDivide($0, $1) }, integers: { Functions.floorDivide($0, $1) })
    } else {
      try call.combine(
        { ($0 / $1).rounded(.towardZero) },
        integers: { $1 == 0 ? 0 : $1 == -1 ? 0 &- $0 : $0 / $1 })
    }
  }

  /// Integer division by zero: torch raises on the CPU and leaves the result open on the GPU.
  private static func refuseZeroDivisor(_ call: OperatorCall) throws {
    guard try !call.isReal([call.left, call.right]) else { return }
    let divisors: Integers
    switch call.right {
    case .tensor(let shape)?: divisors = try call.integers(shape)
    case let value?: divisors = try Integers([Int64(try call.int(value, "other"))])
    case nil: return
    }
    for index in 0..<divisors.count where divisors.base[index] == 0 {
      throw call.fault("an integer is divided by zero")
    }
  }
}

extension Int64 {
  /// The absolute value; the least integer stays.
  fileprivate var magnitudeWrapped: Int64 { self < 0 ? 0 &- self : self }
}
