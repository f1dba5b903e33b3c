import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Softmax and its kin, and norms that scale a tensor, along axes.
enum SoftmaxOperators {
  static let table: [String: OperatorCall.Body] = [
    "softmax": { call in try softmax(call, sign: 1) },
    "softmin": { call in try softmax(call, sign: -1) },
    "log_softmax": { call in
      try transform(call) { row, out, width in
        // With an infinite maximum every element is NaN, as in torch.
        var greatest = -Double.infinity
        for index in 0..<width { greatest = Functions.maximum(greatest, row[index]) }
        var sum = 0.0
        for index in 0..<width { sum += exp(row[index] - greatest) }
        let logarithm = log(sum)
        for index in 0..<width { out[index] = row[index] - greatest - logarithm }
      }
    },
    "softmax2d": { call in try softmax(call, sign: 1, default: -3) },
    "normalize": { call in
      let p = try call.number("p", default: 2)
      let eps = try call.parameter("eps", default: 1e-12)
      try transform(call, default: 1) { row, out, width in
        let length = max(ReductionOperators.norm(row, width, p), eps)
        for index in 0..<width { out[index] = row[index] / length }
      }
    },
    "cosine_similarity": { call in
      let eps = try call.parameter("eps", default: 1e-8)
      try pairs(call, ["x1", "input"], ["x2", "other"], dim: call.int("dim", default: 1)) {
        x, y, width in
        var (dot, xx, yy) = (0.0, 0.0, 0.0)
        for index in 0..<width {
          dot += x[index] * y[index]
          xx += x[index] * x[index]
          yy += y[index] * y[index]
        }
        return dot / (max(xx.squareRoot(), eps) * max(yy.squareRoot(), eps))
      }
    },
    "pairwise_distance": { call in
      let (p, eps) = (try call.number("p", default: 2), try call.parameter("eps", default: 1e-6))
      try pairs(call, ["x1", "input"], ["x2", "other"], dim: -1) { x, y, width in
        for index in 0..<width { x[index] = x[index] - y[index] + eps }
        return ReductionOperators.norm(x, width, p)
      }
    },
  ]

  static func softmax(
    _ row: UnsafePointer<Double>, _ out: UnsafeMutablePointer<Double>, _ width: Int,
    sign: Double = 1
  ) {
    var greatest = -Double.infinity
    for index in 0..<width { greatest = Functions.maximum(greatest, sign * row[index]) }
    var sum = 0.0
    for index in 0..<width {
      let value = exp(sign * row[index] - greatest)
      out[index] = value
      sum += value
    }
    for index in 0..<width { out[index] /= sum }
  }

  private static func softmax(_ call: OperatorCall, sign: Double, default fallback: Int? = nil)
    throws
  {
    try transform(call, default: fallback) { softmax($0, $1, $2, sign: sign) }
  }

  /// Each row along `dim` into a row of the same width.
  private static func transform(
    _ call: OperatorCall, default fallback: Int? = nil,
    _ body: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Void
  ) throws {
    let given = try call.input
    let input = call.lined(given)
    // Without `dim` torch takes axis 0 of tensors with 0, 1 or 3 axes and axis 1 of others.
    let implied = fallback ?? ([0, 1, 3].contains(input.rank) ? 0 : 1)
    let axes: [Int]
    if case .list(let items)? = call.argument("dim") {
      guard items.count == 1 else { throw call.refusal("several dimensions are not supported") }
      axes = [try call.axis(call.int(items[0], "dim"), rank: input.rank)]
    } else {
      axes = [try call.axis(of: input, default: implied)]
    }
    let rows = try call.realRows(input, along: axes)
    let out = try Reals(rows.numbers.count)
    for row in 0..<rows.rows { body(rows[row], out.base + row &* rows.width, rows.width) }
    try call.store(out, rowsAlong: given.rank == 0 ? [] : axes)
  }

  /// One number for each pair of rows of two operands.
  private static func pairs(
    _ call: OperatorCall, _ first: [String], _ second: [String], dim: Int,
    _ body: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Double
  ) throws {
    guard case .tensor(let a)? = call.argument(first), case .tensor(let b)? = call.argument(second),
      let shape = broadcastShape([a.shape, b.shape]), let x = a.broadcast(to: shape),
      let y = b.broadcast(to: shape)
    else { throw call.fault("two tensors that broadcast are needed") }
    let (left, right) = (call.lined(x), call.lined(y))
    let axis = try call.axis(dim, rank: left.rank)
    let (rowsX, rowsY) = (
      try call.realRows(left, along: [axis]), try call.realRows(right, along: [axis])
    )
    let scratch = try rowsX.numbers.owned()
    let out = try Reals(rowsX.rows)
    for row in 0..<rowsX.rows {
      out.base[row] = body(scratch.base + row &* rowsX.width, rowsY[row], rowsX.width)
    }
    try call.store(out)
  }
}
