import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Reductions over one, several or all axes. Sums run in index order in fp64.
enum ReductionOperators {
  static let table: [String: OperatorCall.Body] = sums.merging(extremes) { $1 }
    .merging(statistics) { $1 }

  @inline(__always)
  static func reduce(
    _ call: OperatorCall, _ index: Int = 0,
    _ body: (UnsafeMutablePointer<Double>, Int) -> Double
  ) throws {
    let input = try call.input
    let rows = try call.realRows(input, along: call.axes(rank: input.rank))
    let out = try Reals(rows.rows)
    for row in 0..<rows.rows { out.base[row] = body(rows[row], rows.width) }
    try call.store(out, index)
  }

  @inline(__always)
  private static func reduceIntegers(
    _ call: OperatorCall, _ body: (UnsafeMutablePointer<Int64>, Int) -> Int64
  ) throws {
    let input = try call.input
    let rows = try call.integerRows(input, along: call.axes(rank: input.rank))
    let out = try Integers(rows.rows)
    for row in 0..<rows.rows { out.base[row] = body(rows[row], rows.width) }
    try call.store(out)
  }

  @inline(__always)
  private static func isWhole(_ call: OperatorCall) throws -> Bool {
    try !call.input.element.isFloat && !call.result.element.isFloat
  }

  private static let sums: [String: OperatorCall.Body] = [
    "sum": { call in
      if try isWhole(call) {
        return try reduceIntegers(call) { row, width in
          var sum: Int64 = 0
          for index in 0..<width { sum = sum &+ row[index] }
          return sum
        }
      }
      try reduce(call) { sum($0, $1) }
    },
    "nansum": { call in
      try reduce(call) { row, width in
        var sum = 0.0
        for index in 0..<width where !row[index].isNaN { sum += row[index] }
        return sum
      }
    },
    "mean": { call in try reduce(call) { sum($0, $1) / Double($1) } },
    "nanmean": { call in
      try reduce(call) { row, width in
        var (sum, count) = (0.0, 0.0)
        for index in 0..<width where !row[index].isNaN {
          sum += row[index]
          count += 1
        }
        return sum / count
      }
    },
    "prod": { call in
      if try isWhole(call) {
        return try reduceIntegers(call) { row, width in
          var product: Int64 = 1
          for index in 0..<width { product = product &* row[index] }
          return product
        }
      }
      try reduce(call) { row, width in
        var product = 1.0
        for index in 0..<width { product *= row[index] }
        return product
      }
    },
    "any": { call in
      try reduce(call) { row, width in
        for index in 0..<width where row[index] != 0 { return 1 }
        return 0
      }
    },
    "all": { call in
      try reduce(call) { row, width in
        for index in 0..<width where row[index] == 0 { return 0 }
        return 1
      }
    },
    "count_nonzero": { call in
      try reduce(call) { row, width in
        var count = 0.0
        for index in 0..<width where row[index] != 0 { count += 1 }
        return count
      }
    },
    "logsumexp": { call in try reduce(call) { logSumExp($0, $1) } },
    "norm": norm, "vector_norm": norm, "linalg.norm": norm, "linalg.vector_norm": norm,
    "trace": { call in
      let input = try call.input
      guard input.rank == 2 else { throw call.fault("the operand needs two dimensions") }
      var line = input
      line.shape = [min(input.shape[0], input.shape[1])]
      line.strides = [input.strides[0] &+ input.strides[1]]
      let numbers = try call.reals(line)
      try call.store(try Reals([sum(numbers.base, numbers.count)]))
    },
  ]

  @inline(__always)
  static func sum(_ row: UnsafePointer<Double>, _ width: Int) -> Double {
    var sum = 0.0
    for index in 0..<width { sum += row[index] }
    return sum
  }

  static func logSumExp(_ row: UnsafePointer<Double>, _ width: Int) -> Double {
    var greatest = -Double.infinity
    for index in 0..<width { greatest = Functions.maximum(greatest, row[index]) }
    guard greatest.isFinite else { return greatest }
    var sum = 0.0
    for index in 0..<width { sum += exp(row[index] - greatest) }
    return greatest + log(sum)
  }

  /// Σ|x|^p and its root; the sum in fp64 cannot overflow for fp32 operands.
  static func norm(_ row: UnsafePointer<Double>, _ width: Int, _ p: Double) -> Double {
    var sum = 0.0
    switch p {
    case 2:
      for index in 0..<width { sum += row[index] * row[index] }
      return sum.squareRoot()
    case 1:
      for index in 0..<width { sum += abs(row[index]) }
      return sum
    case .infinity:
      for index in 0..<width { sum = Functions.maximum(sum, abs(row[index])) }
      return sum
    case -.infinity:
      sum = .infinity
      for index in 0..<width { sum = Functions.minimum(sum, abs(row[index])) }
      return sum
    case 0:
      for index in 0..<width where row[index] != 0 { sum += 1 }
      return sum
    default:
      for index in 0..<width { sum += pow(abs(row[index]), p) }
      return pow(sum, 1 / p)
    }
  }

  private static let norm: OperatorCall.Body = { call in
    var p = 2.0
    switch call.argument("p", "ord") {
    case .string("fro")?: p = 2
    case .string(let text)?: throw call.refusal("the norm '\(text)' is not supported")
    case let value?: p = try call.number(value, "p")
    case nil: break
    }
    let input = try call.input
    let axes = try call.axes(rank: input.rank)
    if call.name == "linalg.norm", axes.count == 2, call.argument("ord") != nil, p != 2 {
      throw call.refusal("matrix norms other than Frobenius' are not supported")
    }
    try reduce(call) { norm($0, $1, p) }
  }

  // MARK: Extremes

  private static let extremes: [String: OperatorCall.Body] = [
    "amax": { call in try extreme(call, greatest: true) },
    "amin": { call in try extreme(call, greatest: false) },
    "max": { call in try extremeOrPair(call, greatest: true) },
    "min": { call in try extremeOrPair(call, greatest: false) },
    "aminmax": { call in
      try requireElements(call)
      try reduce(call, 0) { row, width in row[position(row, width, greatest: false)] }
      try reduce(call, 1) { row, width in row[position(row, width, greatest: true)] }
    },
    "argmax": { call in
      try requireElements(call)
      try reduce(call) { Double(position($0, $1, greatest: true)) }
    },
    "argmin": { call in
      try requireElements(call)
      try reduce(call) { Double(position($0, $1, greatest: false)) }
    },
    "median": { call in
      try requireElements(call)
      try select(call) { row, width in
        let order = (0..<width).sorted { SortingOperators.isBefore(row[$0], row[$1]) }
        // NaN wherever there is one, which sorts last.
        if let last = order.last, row[last].isNaN { return last }
        return order[(width - 1) / 2]
      }
    },
    "kthvalue": { call in
      try requireElements(call)
      let k = try call.int("k", default: 1)
      let input = call.lined(try call.input)
      guard k >= 1, k <= input.shape[try call.axis(of: input, default: -1)] else {
        throw call.fault("k is out of range")
      }
      try select(call, default: -1) { row, width in
        (0..<width).sorted { SortingOperators.isBefore(row[$0], row[$1]) }[k - 1]
      }
    },
  ]

  private static func requireElements(_ call: OperatorCall) throws {
    let input = try call.input
    for axis in try call.axes(rank: input.rank) where input.shape[axis] == 0 {
      throw call.fault("nothing to reduce over")
    }
  }

  /// The first greatest or least element; the first NaN where there is one.
  static func position(_ row: UnsafePointer<Double>, _ width: Int, greatest: Bool) -> Int {
    var best = 0
    for index in 0..<width {
      let (value, held) = (row[index], row[best])
      if held.isNaN { break }
      if value.isNaN || (greatest ? value > held : value < held) { best = index }
    }
    return best
  }

  private static func extreme(_ call: OperatorCall, greatest: Bool) throws {
    try requireElements(call)
    try reduce(call) { row, width in row[position(row, width, greatest: greatest)] }
  }

  /// `torch.max(x)`, `torch.max(x, dim)` with indices, `torch.max(x, y)`.
  private static func extremeOrPair(_ call: OperatorCall, greatest: Bool) throws {
    if let other = call.optionalTensor("other", "dim") {
      return try greatest
        ? call.combine(call.left, .tensor(other), .int(0)) { x, y, _ in Functions.maximum(x, y) }
        : call.combine(call.left, .tensor(other), .int(0)) { x, y, _ in Functions.minimum(x, y) }
    }
    try requireElements(call)
    try select(call) { row, width in position(row, width, greatest: greatest) }
  }

  /// Writes the element that `choose` points at, and its index where the trace has a second result.
  private static func select(
    _ call: OperatorCall, default fallback: Int? = nil,
    _ choose: (UnsafeMutablePointer<Double>, Int) -> Int
  ) throws {
    let input = try call.input
    let axes =
      try fallback.map { value in [try call.axis(of: input, default: value)] }
      ?? call.axes(rank: input.rank)
    let rows = try call.realRows(input, along: input.rank == 0 ? [] : axes)
    let (values, indices) = (try Reals(rows.rows), try Integers(rows.rows))
    for row in 0..<rows.rows {
      let index = choose(rows[row], rows.width)
      values.base[row] = rows[row][index]
      indices.base[row] = Int64(index)
    }
    try call.store(values)
    if call.operation.results.count > 1 { try call.store(indices, 1) }
  }

  // MARK: Statistics

  private static let statistics: [String: OperatorCall.Body] = [
    "var": { call in try spread(call, 0) { $0 } },
    "std": { call in try spread(call, 0) { $0.squareRoot() } },
    "var_mean": { call in
      try spread(call, 0) { $0 }
      try reduce(call, 1) { sum($0, $1) / Double($1) }
    },
    "std_mean": { call in
      try spread(call, 0) { $0.squareRoot() }
      try reduce(call, 1) { sum($0, $1) / Double($1) }
    },
  ]

  /// The mean and Σ(x - mean)² of a row, in two passes.
  @inline(__always)
  static func moments(_ row: UnsafePointer<Double>, _ width: Int) -> (mean: Double, squares: Double)
  {
    let mean = sum(row, width) / Double(width)
    var squares = 0.0
    for index in 0..<width {
      let distance = row[index] - mean
      squares += distance * distance
    }
    return (mean, squares)
  }

  private static func spread(
    _ call: OperatorCall, _ index: Int, _ finish: (Double) -> Double
  ) throws {
    var correction = call.bool("unbiased", default: true) ? 1.0 : 0
    if let given = try call.optionalNumber("correction") { correction = given }
    let input = try call.input
    let axes: [Int]
    if case .bool(let unbiased)? = call.argument("dim") {
      correction = unbiased ? 1 : 0
      axes = Array(0..<input.rank)
    } else {
      axes = try call.axes(rank: input.rank)
    }
    let rows = try call.realRows(input, along: axes)
    let out = try Reals(rows.rows)
    for row in 0..<rows.rows {
      out.base[row] = finish(
        moments(rows[row], rows.width).squares / max(0, Double(rows.width) - correction))
    }
    try call.store(out, index)
  }
}
