import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Tensors from nothing or from Python values; the result's shape is the trace's.
enum CreationOperators {
  static let table: [String: OperatorCall.Body] = {
    var table: [String: OperatorCall.Body] = [:]
    for suffix in ["", "_like"] {
      table["zeros\(suffix)"] = { call in try fill(call, 0) }
      table["ones\(suffix)"] = { call in try fill(call, 1) }
      table["empty\(suffix)"] = empty
      table["full\(suffix)"] = { call in try fill(call, call.argument("fill_value")) }
    }
    for name in ["zeros", "init.zeros", "init.zeros_", "zero", "new_zeros"] {
      table[name] = { call in try fill(call, 0) }
    }
    for name in ["init.ones", "init.ones_", "new_ones"] {
      table[name] = { call in try fill(call, 1) }
    }
    for name in ["new_empty", "empty_strided", "new_empty_strided", "resize"] {
      table[name] = empty
    }
    table["new_full"] = { call in try fill(call, call.argument("fill_value")) }
    for name in ["fill", "init.constant", "init.constant_"] {
      table[name] = { call in try fill(call, call.argument("value", "val", "fill_value")) }
    }
    for name in ["tensor", "as_tensor", "from_numpy", "scalar_tensor", "new_tensor", "asarray"] {
      table[name] = literal
    }
    return table.merging(ranges) { $1 }
  }()

  private static let ranges: [String: OperatorCall.Body] = [
    "arange": { call in
      let result = try call.result
      var start = call.argument("start")
      if call.argument("end") == nil { start = nil }
      let step = call.argument("step")
      if result.element.isFloat {
        let first = try start.map { value in try call.number(value, "start") } ?? 0
        let width = try step.map { value in try call.number(value, "step") } ?? 1
        let numbers = try Reals(result.count)
        for index in 0..<numbers.count { numbers.base[index] = first + Double(index) * width }
        return try call.store(numbers)
      }
      let first = try start.map { value in try call.int(value, "start") } ?? 0
      let width = try step.map { value in try call.int(value, "step") } ?? 1
      let numbers = try Integers(result.count)
      for index in 0..<numbers.count { numbers.base[index] = Int64(first &+ index &* width) }
      try call.store(numbers)
    },
    "linspace": { call in try spread(call, base: nil) },
    "logspace": { call in try spread(call, base: call.number("base", default: 10)) },
    "eye": { call in
      let result = try call.result
      let numbers = try Reals(result.count)
      guard result.rank == 2 else { throw call.fault("the result needs two dimensions") }
      let width = result.shape[1]
      for index in 0..<(result.shape.min() ?? 0) { numbers.base[index &* width &+ index] = 1 }
      try call.store(numbers)
    },
    "init.eye": { call in
      let result = try call.result
      let numbers = try Reals(result.count)
      guard result.rank == 2 else { throw call.fault("the result needs two dimensions") }
      let width = result.shape[1]
      for index in 0..<(result.shape.min() ?? 0) { numbers.base[index &* width &+ index] = 1 }
      try call.store(numbers)
    },
    "init.dirac": { call in throw call.refusal("'init.dirac_' is not supported") },
  ]

  private static let empty: OperatorCall.Body = { call in
    let result = try call.result
    let storage = try call.world.storage(of: result)
    storage.poison(with: call.world.poison)
  }

  private static let literal: OperatorCall.Body = { call in
    let value = call.argument("data", "input", "value")
    if case .tensor(let source)? = value { return try CopyOperators.copy(call, source) }
    let result = try call.result
    var leaves: [TraceValue] = []
    try flatten(call, value, into: &leaves, depth: 0)
    if result.element.isFloat {
      let numbers = try Reals(leaves.count)
      for (index, leaf) in leaves.enumerated() {
        numbers.base[index] = try call.number(leaf, "data")
      }
      return try call.store(numbers)
    }
    let numbers = try Integers(leaves.count)
    for (index, leaf) in leaves.enumerated() {
      if case .int(let whole) = leaf {
        numbers.base[index] = Int64(whole)
      } else {
        numbers.base[index] = truncated(try call.number(leaf, "data"))
      }
    }
    try call.store(numbers)
  }

  private static func flatten(
    _ call: OperatorCall, _ value: TraceValue?, into leaves: inout [TraceValue], depth: Int
  ) throws {
    guard let value, depth < 64 else { throw call.fault("argument 'data' is missing") }
    guard case .list(let items) = value else { return leaves.append(value) }
    for item in items { try flatten(call, item, into: &leaves, depth: depth + 1) }
  }

  static func fill(_ call: OperatorCall, _ value: Double) throws {
    let numbers = try Reals(try call.result.count)
    if value != 0 { for index in 0..<numbers.count { numbers.base[index] = value } }
    try call.store(numbers)
  }

  private static func fill(_ call: OperatorCall, _ value: TraceValue?) throws {
    guard let value else { throw call.fault("the value is missing") }
    guard case .int(let whole) = value, try !call.result.element.isFloat else {
      return try fill(call, try call.number(value, "value"))
    }
    let numbers = try Integers(try call.result.count)
    for index in 0..<numbers.count { numbers.base[index] = Int64(whole) }
    try call.store(numbers)
  }

  /// Torch counts from both ends so that the last point is exact.
  private static func spread(_ call: OperatorCall, base: Double?) throws {
    let numbers = try Reals(try call.result.count)
    let (start, end) = (try call.number("start", default: 0), try call.number("end", default: 1))
    let count = numbers.count
    let step = count > 1 ? (end - start) / Double(count - 1) : 0
    for index in 0..<count {
      let point =
        index < count / 2 || count == 1
        ? start + Double(index) * step : end - Double(count - 1 - index) * step
      numbers.base[index] = base.map { pow($0, point) } ?? point
    }
    try call.store(numbers)
  }
}
