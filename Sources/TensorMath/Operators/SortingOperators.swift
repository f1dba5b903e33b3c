import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Orders along an axis. All sorts are stable; NaN counts as greater than every number.
enum SortingOperators {
  static let table: [String: OperatorCall.Body] = [
    "sort": { call in try sort(call) },
    "msort": { call in try sort(call, default: 0) },
    "argsort": { call in
      let input = call.lined(try call.input)
      let axis = try call.axis(of: input, default: -1)
      let descending = call.bool("descending", default: false)
      try arrange(call, input, axis, count: input.shape[axis], descending: descending, 1)
    },
    "topk": { call in
      let input = call.lined(try call.input)
      let axis = try call.axis(of: input, default: -1)
      let k = try call.int("k", default: 1)
      guard k >= 0, k <= input.shape[axis] else { throw call.fault("k is out of range") }
      let largest = call.bool("largest", default: true)
      try arrange(call, input, axis, count: k, descending: largest, 0)
    },
    "searchsorted": search, "bucketize": search,
    "bincount": { call in
      let numbers = try call.integers(try call.input)
      let result = try call.result
      let weights = try call.optionalTensor("weights").map {
        (shape) in try call.reals(shape)
      }
      let out = try Reals(result.count)
      for index in 0..<numbers.count {
        let bin = Int(numbers.base[index])
        guard bin >= 0, bin < out.count else {
          throw call.fault("the value \(bin) does not fit in \(out.count) bins")
        }
        out.base[bin] += weights?.base[index] ?? 1
      }
      try call.store(out)
    },
  ]

  @inline(__always)
  static func isBefore(_ x: Double, _ y: Double) -> Bool { x < y || (y.isNaN && !x.isNaN) }

  private static func sort(_ call: OperatorCall, default fallback: Int = -1) throws {
    let input = call.lined(try call.input)
    let axis = try call.axis(of: input, default: fallback)
    try arrange(
      call, input, axis, count: input.shape[axis],
      descending: call.bool("descending", default: false), 0)
  }

  /// Writes the first `count` of each row in order; `first` is 1 where only indices are wanted.
  private static func arrange(
    _ call: OperatorCall, _ input: TensorShape, _ axis: Int, count: Int, descending: Bool,
    _ first: Int
  ) throws {
    let rows = try call.realRows(input, along: [axis])
    let (values, indices) = (try Reals(rows.rows &* count), try Integers(rows.rows &* count))
    for row in 0..<rows.rows {
      let numbers = rows[row]
      // Swift's sort is stable (SE-0372 documents what `sort` guarantees; the index breaks ties here).
      let order = (0..<rows.width).sorted { a, b in
        let (x, y) = (numbers[a], numbers[b])
        if descending ? isBefore(y, x) : isBefore(x, y) { return true }
        if descending ? isBefore(x, y) : isBefore(y, x) { return false }
        return a < b
      }
      for index in 0..<count {
        values.base[row &* count &+ index] = numbers[order[index]]
        indices.base[row &* count &+ index] = Int64(order[index])
      }
    }
    let axes = try call.result.rank == 0 ? [] : [axis]
    if first == 1 { return try call.store(indices, rowsAlong: axes) }
    try call.store(values, rowsAlong: axes)
    if call.operation.results.count > 1 { try call.store(indices, rowsAlong: axes, 1) }
  }

  private static let search: OperatorCall.Body = { call in
    let isBucket = call.name == "bucketize"
    let sorted = try isBucket ? call.tensor("boundaries") : call.tensor("sorted_sequence", "input")
    guard let wanted = isBucket ? call.argument("input") : call.argument("values", "input") else {
      throw call.fault("argument 'values' is missing")
    }
    let right = call.bool("right", default: false) || call.string("side") == "right"
    let line = try call.reals(sorted)
    let width = sorted.shape.last ?? 1
    let values: Reals =
      if case .tensor(let shape) = wanted { try call.reals(shape) } else {
        try Reals([try call.number(wanted, "values")])
      }
    let out = try Integers(values.count)
    guard width > 0 else { return try call.store(out) }
    let lines = max(1, line.count / width)
    guard sorted.rank <= 1 || values.count % lines == 0 else {
      throw call.fault("the values' shape does not fit")
    }
    let each = sorted.rank <= 1 ? values.count : values.count / lines
    for index in 0..<values.count {
      let row = line.base + (sorted.rank <= 1 ? 0 : index / max(1, each) &* width)
      var (low, high) = (0, width)
      let value = values.base[index]
      while low < high {
        let middle = (low + high) / 2
        let goesRight = right ? !isBefore(value, row[middle]) : isBefore(row[middle], value)
        if goesRight { low = middle + 1 } else { high = middle }
      }
      out.base[index] = Int64(low)
    }
    try call.store(out)
  }
}
