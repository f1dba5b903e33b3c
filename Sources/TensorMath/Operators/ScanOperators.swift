import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Running sums, products and extremes along one axis.
enum ScanOperators {
  static let table: [String: OperatorCall.Body] = [
    "cumsum": { call in
      let input = call.lined(try call.input)
      if try !input.element.isFloat && !call.result.element.isFloat {
        let axis = try call.axis(of: input)
        let rows = try call.integerRows(input, along: [axis])
        let out = try Integers(rows.numbers.count)
        for row in 0..<rows.rows {
          var sum: Int64 = 0
          for index in 0..<rows.width {
            sum = sum &+ rows[row][index]
            out.base[row &* rows.width &+ index] = sum
          }
        }
        return try store(call, out, axis)
      }
      try scan(call, from: 0) { $0 + $1 }
    },
    "cumprod": { call in try scan(call, from: 1) { $0 * $1 } },
    "logcumsumexp": { call in
      try scan(call, from: -.infinity) { sum, x in
        let greatest = max(sum, x)
        if greatest.isInfinite {
          return sum + x == .infinity || greatest == .infinity ? .infinity : greatest
        }
        return greatest + log1p(exp(min(sum, x) - greatest))
      }
    },
    "cummax": { call in try extremes(call) { $0 >= $1 } },
    "cummin": { call in try extremes(call) { $0 <= $1 } },
  ]

  private static func store<Element: Number>(
    _ call: OperatorCall, _ out: Buffer<Element>, _ axis: Int, _ index: Int = 0
  ) throws {
    try call.store(out, rowsAlong: call.result(index).rank == 0 ? [] : [axis], index)
  }

  @inline(__always)
  private static func scan(
    _ call: OperatorCall, from start: Double, _ body: (Double, Double) -> Double
  ) throws {
    let input = call.lined(try call.input)
    let axis = try call.axis(of: input)
    let rows = try call.realRows(input, along: [axis])
    let out = try Reals(rows.numbers.count)
    for row in 0..<rows.rows {
      var state = start
      let source = rows[row]
      let target = out.base + row &* rows.width
      for index in 0..<rows.width {
        state = body(state, source[index])
        target[index] = state
      }
    }
    try store(call, out, axis)
  }

  /// Ties go to the later index, as in torch; a NaN stays.
  private static func extremes(_ call: OperatorCall, _ wins: (Double, Double) -> Bool)
    throws
  {
    let input = call.lined(try call.input)
    let axis = try call.axis(of: input)
    let rows = try call.realRows(input, along: [axis])
    let (out, indices) = (try Reals(rows.numbers.count), try Integers(rows.numbers.count))
    for row in 0..<rows.rows {
      var best = 0
      for index in 0..<rows.width {
        let (x, held) = (rows[row][index], rows[row][best])
        if x.isNaN || (!held.isNaN && wins(x, held)) { best = index }
        out.base[row &* rows.width &+ index] = rows[row][best]
        indices.base[row &* rows.width &+ index] = Int64(best)
      }
    }
    try store(call, out, axis)
    if call.operation.results.count > 1 { try store(call, indices, axis, 1) }
  }
}
