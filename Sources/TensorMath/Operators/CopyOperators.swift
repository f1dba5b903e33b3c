import Diagnostics
import HostProgram
import TileIR

/// Copies: into another type, layout or place.
enum CopyOperators {
  static let table: [String: OperatorCall.Body] = {
    var table: [String: OperatorCall.Body] = [:]
    for name in [
      "clone", "contiguous", "to", "type", "type_as", "float", "double", "half", "bfloat16", "int",
      "long", "short", "char", "byte", "bool", "reshape", "reshape_as", "flatten", "detach_copy",
      "expand_copy", "view_copy", "unsqueeze_copy", "identity", "cuda", "cpu", "view", "ravel",
    ] {
      table[name] = { call in try copy(call, try call.input) }
    }
    for name in ["copy", "init.copy", "assign"] {
      table[name] = { call in try copy(call, call.argument("src", "source", "other", "value")) }
    }
    table["tril"] = { call in try triangle(call) { row, column, k in column &- row <= k } }
    table["triu"] = { call in try triangle(call) { row, column, k in column &- row >= k } }
    table["diag"] = diagonal
    table["diag_embed"] = { call in
      let input = try call.input
      guard try call.optionalInt("dim1") ?? -2 == -2, try call.optionalInt("dim2") ?? -1 == -1
      else {
        throw call.refusal("'diag_embed' along other dimensions is not supported")
      }
      try embed(call, input)
    }
    return table
  }()

  /// Converts as torch does: floating to integer towards zero, anything but zero to true.
  static func copy(_ call: OperatorCall, _ source: TensorShape) throws {
    var source = source
    let result = try call.result
    if source.count != result.count {
      guard let spread = source.broadcast(to: result.shape) else {
        throw call.fault("the shapes do not broadcast")
      }
      source = spread
    }
    // Integers past 2^53 survive only in 64 bits.
    if !source.element.isFloat, !result.element.isFloat {
      try call.store(call.integers(source))
    } else {
      try call.store(call.reals(source))
    }
  }

  static func copy(_ call: OperatorCall, _ value: TraceValue?) throws {
    switch value {
    case .tensor(let shape)?: try copy(call, shape)
    case let value?: try CreationOperators.fill(call, call.number(value, "src"))
    case nil: throw call.fault("argument 'src' is missing")
    }
  }

  @inline(__always)
  private static func triangle(
    _ call: OperatorCall, keeping: (Int, Int, Int) -> Bool
  ) throws {
    let input = try call.input
    guard input.rank >= 2 else { throw call.fault("the operand needs two dimensions") }
    let k = try call.int("diagonal", default: 0)
    let (rows, columns) = (input.shape[input.rank - 2], input.shape[input.rank - 1])
    let numbers = try call.reals(input).owned()
    guard rows > 0, columns > 0 else { return try call.store(numbers) }
    for index in 0..<numbers.count {
      let column = index % columns
      if !keeping(index / columns % rows, column, k) { numbers.base[index] = 0 }
    }
    try call.store(numbers)
  }

  private static let diagonal: OperatorCall.Body = { call in
    let input = try call.input
    if input.rank == 1 { return try embed(call, input) }
    guard input.rank == 2 else { throw call.fault("the operand needs one or two dimensions") }
    let k = try call.optionalInt("diagonal", "offset") ?? 0
    var line = input
    let count = min(
      input.shape[0] &+ min(0, k), input.shape[1] &- max(0, k))
    line.shape = [max(0, count)]
    line.strides = [input.strides[0] &+ input.strides[1]]
    line.offset &+= k >= 0 ? k &* input.strides[1] : (0 &- k) &* input.strides[0]
    try copy(call, line)
  }

  /// Vectors onto the diagonals of square matrices.
  private static func embed(_ call: OperatorCall, _ input: TensorShape) throws {
    let k = try call.optionalInt("diagonal", "offset") ?? 0
    let result = try call.result
    guard result.rank >= 2, let count = input.shape.last, k.magnitude < 1 << 31 else {
      throw call.fault("the operand needs a dimension")
    }
    let size = result.shape[result.rank - 1]
    guard size == count + Int(k.magnitude), result.shape[result.rank - 2] == size else {
      throw call.fault("the result's shape does not fit")
    }
    let numbers = try call.reals(input)
    let out = try Reals(result.count)
    guard out.count == numbers.count / max(1, count) &* size &* size else {
      throw call.fault("the result's shape does not fit")
    }
    for index in 0..<numbers.count {
      let (matrix, line) = (index / count, index % count)
      let (row, column) = (line + max(0, -k), line + max(0, k))
      out.base[(matrix &* size &+ row) &* size &+ column] = numbers.base[index]
    }
    try call.store(out)
  }
}
