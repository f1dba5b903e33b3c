import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Choices and blends of two or three operands.
enum SelectionOperators {
  static let table: [String: OperatorCall.Body] = [
    "where": { call in
      let condition = call.argument("condition")
      guard let first = call.argument("input", "self", "x"),
        let second = call.argument("other", "y")
      else { throw call.refusal("'where' with one operand has a size that depends on contents") }
      try choose(call, condition, first, second)
    },
    "masked_fill": { call in
      try choose(call, call.argument("mask"), call.argument("value"), call.left)
    },
    "clamp": clamp, "clip": clamp,
    "clamp_min": { call in
      try call.combine(call.left, call.argument("min"), .int(0)) { x, low, _ in
        Functions.maximum(x, low)
      }
    },
    "clamp_max": { call in
      try call.combine(call.left, call.argument("max"), .int(0)) { x, high, _ in
        Functions.minimum(x, high)
      }
    },
    "lerp": { call in
      try call.combine(call.left, call.argument("end"), call.argument("weight")) { from, to, t in
        // Torch's form: exact at both ends.
        abs(t) < 0.5 ? from + t * (to - from) : to - (to - from) * (1 - t)
      }
    },
    "addcmul": { call in
      let value = try call.parameter("value", default: 1)
      try call.combine(call.left, call.argument("tensor1"), call.argument("tensor2")) {
        $0 + value * $1 * $2
      }
    },
    "addcdiv": { call in
      let value = try call.parameter("value", default: 1)
      try call.combine(call.left, call.argument("tensor1"), call.argument("tensor2")) {
        $0 + value * $1 / $2
      }
    },
  ]

  private static let clamp: OperatorCall.Body = { call in
    let (low, high) = (call.argument("min"), call.argument("max"))
    guard low != nil || high != nil else { throw call.fault("neither min nor max is given") }
    if try call.isReal([call.left, low, high]) {
      try call.combine(
        call.left, low ?? .float(-.infinity), high ?? .float(.infinity)
      ) { x, low, high in
        if x.isNaN { return x }
        return Functions.minimum(Functions.maximum(x, low), high)
      }
    } else {
      try call.combineIntegers(call.left, low ?? .int(.min), high ?? .int(.max)) { x, low, high in
        min(max(x, low), high)
      }
    }
  }

  private static func choose(
    _ call: OperatorCall, _ condition: TraceValue?, _ first: TraceValue?, _ second: TraceValue?
  ) throws {
    if try call.isReal([first, second]) {
      try call.combine(condition, first, second) { $0 != 0 ? $1 : $2 }
    } else {
      try call.combineIntegers(condition, first, second) { $0 != 0 ? $1 : $2 }
    }
  }
}
