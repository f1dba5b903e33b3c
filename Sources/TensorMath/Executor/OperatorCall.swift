import Diagnostics
import HostProgram
import TileIR

/// One execution of one operator: its arguments by name and the tensors it writes.
struct OperatorCall {
  let operation: TensorOperation
  let world: TensorWorld

  typealias Body = @Sendable (OperatorCall) throws -> Void

  var name: String { operation.name }

  func refusal(_ message: String) -> Diagnostic {
    Diagnostic(
      id: "unsupported-torch-operator", message, source: world.source, range: operation.range)
  }

  /// A finding about the operands: torch would raise too.
  func fault(_ message: String) -> Diagnostic {
    Diagnostic(
      id: "torch-operator-fault", "\(name): \(message)", source: world.source,
      range: operation.range)
  }

  // MARK: Arguments

  /// The first of these that is given and not `None`.
  func argument(_ names: String...) -> TraceValue? { argument(names) }

  func argument(_ names: [String]) -> TraceValue? {
    for name in names {
      if let value = operation.arguments[name], value != .none { return value }
    }
    return nil
  }

  /// The tensor operand under one of these names.
  func tensor(_ names: String...) throws -> TensorShape {
    guard case .tensor(let shape)? = argument(names) else {
      throw fault("argument '\(names.first ?? "")' is not a tensor")
    }
    return shape
  }

  func optionalTensor(_ names: String...) -> TensorShape? {
    if case .tensor(let shape)? = argument(names) { return shape }
    return nil
  }

  var input: TensorShape {
    get throws { try tensor("input", "self", "x", "tensor") }
  }

  /// A number; a 0-d tensor gives its element.
  func optionalNumber(_ names: String...) throws -> Double? {
    guard let value = argument(names) else { return nil }
    return try number(value, names.first ?? "")
  }

  func number(_ name: String, default fallback: Double) throws -> Double {
    try optionalNumber(name) ?? fallback
  }

  func number(_ value: TraceValue, _ name: String) throws -> Double {
    switch value {
    case .int(let value): return Double(value)
    case .float(let value): return value
    case .bool(let value): return value ? 1 : 0
    case .tensor(let shape) where shape.shape.reduce(1, &*) == 1:
      return try world.reals(shape)[0]
    default: throw fault("argument '\(name)' is not a number")
    }
  }

  func optionalInt(_ names: String...) throws -> Int? {
    guard let value = argument(names) else { return nil }
    return try int(value, names.first ?? "")
  }

  func int(_ name: String, default fallback: Int) throws -> Int {
    try optionalInt(name) ?? fallback
  }

  func int(_ value: TraceValue, _ name: String) throws -> Int {
    switch value {
    case .int(let value): return value
    case .bool(let value): return value ? 1 : 0
    case .float(let value):
      if let exact = Int(exactly: value) { return exact }
    case .tensor(let shape) where shape.shape.reduce(1, &*) == 1 && !shape.element.isFloat:
      return Int(try world.integers(shape)[0])
    default: break
    }
    throw fault("argument '\(name)' is not an integer")
  }

  func bool(_ name: String, default fallback: Bool) -> Bool {
    switch argument(name) {
    case .bool(let value)?: value
    case .int(let value)?: value != 0
    default: fallback
    }
  }

  func string(_ names: String...) -> String? {
    if case .string(let text)? = argument(names) { return text }
    return nil
  }

  /// A list of ints, or one int; nil where it is not given.
  func optionalInts(_ names: String...) throws -> [Int]? {
    guard let value = argument(names) else { return nil }
    guard case .list(let items) = value else { return [try int(value, names.first ?? "")] }
    var result: [Int] = []
    for item in items { result.append(try int(item, names.first ?? "")) }
    return result
  }

  /// Exactly `count` ints; one stands for all.
  func ints(_ name: String, count: Int, default fallback: Int? = nil) throws -> [Int] {
    guard let given = try optionalInts(name), !given.isEmpty else {
      guard let fallback else { throw fault("argument '\(name)' is missing") }
      return Array(repeating: fallback, count: count)
    }
    if given.count == 1 { return Array(repeating: given[0], count: count) }
    guard given.count == count else { throw fault("argument '\(name)' must have \(count) entries") }
    return given
  }

  /// The tensors of a list argument.
  func tensors(_ names: String...) throws -> [TensorShape] {
    guard let value = argument(names) else { throw fault("argument '\(names[0])' is missing") }
    var items = [value]
    if case .list(let list) = value { items = list }
    if items.count == 1, case .list(let list) = items[0] { items = list }
    var result: [TensorShape] = []
    for item in items {
      guard case .tensor(let shape) = item else { throw fault("'\(names[0])' must be tensors") }
      result.append(shape)
    }
    return result
  }

  /// An axis below `rank`, negative ones counted from the end.
  func axis(_ value: Int, rank: Int) throws -> Int {
    let index = value < 0 ? value &+ rank : value
    if rank == 0, value == 0 || value == -1 { return 0 }
    guard index >= 0, index < rank else { throw fault("dimension \(value) is out of range") }
    return index
  }

  /// The axes of a reduction in ascending order; none given means all.
  func axes(_ names: [String] = ["dim", "axis"], rank: Int) throws -> [Int] {
    guard let value = argument(names) else { return Array(0..<rank) }
    var items = [value]
    if case .list(let list) = value { items = list }
    if items.isEmpty { return Array(0..<rank) }
    var result: Set<Int> = []
    for item in items { result.insert(try axis(int(item, "dim"), rank: rank)) }
    return rank == 0 ? [] : result.sorted()
  }

  // MARK: Results

  var result: TensorShape {
    get throws { try result(0) }
  }

  func result(_ index: Int) throws -> TensorShape {
    guard operation.results.indices.contains(index) else {
      throw fault("the trace names \(operation.results.count) results")
    }
    return operation.results[index]
  }

  func store(_ numbers: Reals, _ index: Int = 0) throws {
    try world.store(numbers, to: result(index))
  }

  func store(_ numbers: Integers, _ index: Int = 0) throws {
    try world.store(numbers, to: result(index))
  }

  func reals(_ shape: TensorShape) throws -> Reals { try world.reals(shape) }
  func integers(_ shape: TensorShape) throws -> Integers { try world.integers(shape) }
}

extension TensorShape {
  var rank: Int { shape.count }
  var count: Int { shape.reduce(1, &*) }

  /// The same elements seen with other axes first; `order` names the axes of the result.
  func permuted(_ order: [Int]) -> TensorShape {
    var result = self
    result.shape = order.map { shape[$0] }
    result.strides = order.map { strides[$0] }
    return result
  }

  /// Broadcast to a shape, or nil where that cannot be.
  func broadcast(to target: [Int]) -> TensorShape? {
    let lead = target.count - rank
    guard lead >= 0 else { return nil }
    var result = self
    result.shape = target
    result.strides = Array(repeating: 0, count: target.count)
    for axis in 0..<rank {
      if shape[axis] == target[lead + axis] {
        result.strides[lead + axis] = strides[axis]
      } else if shape[axis] != 1 {
        return nil
      }
    }
    return result
  }
}

/// The common shape of several by torch's rules, or nil.
func broadcastShape(_ shapes: [[Int]]) -> [Int]? {
  let rank = shapes.map(\.count).max() ?? 0
  var result = Array(repeating: 1, count: rank)
  for shape in shapes {
    for (axis, size) in shape.enumerated() {
      let position = rank - shape.count + axis
      if result[position] == 1 {
        result[position] = size
      } else if size != 1, size != result[position] {
        return nil
      }
    }
  }
  return result
}
