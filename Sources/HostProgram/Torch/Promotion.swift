import TileIR

/// Torch's rules for the element type of a result.
enum Promotion {
  enum Category: Int, Comparable {
    case bool, int, float
    static func < (left: Category, right: Category) -> Bool { left.rawValue < right.rawValue }
  }

  static func category(_ element: ElementType) -> Category {
    if element == .int1 { return .bool }
    return element.isFloat ? .float : .int
  }

  /// The type two tensors of these element types promote to.
  static func promote(_ first: ElementType, _ second: ElementType) -> ElementType {
    if first == second { return first }
    let (a, b) = (category(first), category(second))
    if a != b { return a > b ? first : second }
    switch a {
    case .bool: return .int1
    case .float:
      if first == .fp64 || second == .fp64 { return .fp64 }
      // Two different types of 16 bits or fewer meet in fp32.
      if first == .fp32 || second == .fp32 || first.bits == second.bits { return .fp32 }
      return first.bits > second.bits ? first : second
    case .int:
      if first.isSignedInteger == second.isSignedInteger {
        return first.bits >= second.bits ? first : second
      }
      let signed = first.isSignedInteger ? first : second
      let unsigned = first.isSignedInteger ? second : first
      if signed.bits > unsigned.bits { return signed }
      // uint8 beside int8 is int16; wider unsigned types have no wider signed partner below int64.
      return unsigned.bits == 8 ? .int16 : .int64
    }
  }

  /// The type of an operator's result over tensors and Python numbers.
  static func result(_ operands: [Value]) -> ElementType {
    var dimensioned: ElementType?
    var zeroDim: ElementType?
    var scalar: Category?
    for operand in operands {
      switch operand {
      case .tensor(let tensor):
        if tensor.rank == 0 {
          zeroDim = zeroDim.map { promote($0, tensor.element) } ?? tensor.element
        } else {
          dimensioned = dimensioned.map { promote($0, tensor.element) } ?? tensor.element
        }
      case .boolean: scalar = max(scalar ?? .bool, .bool)
      case .integer: scalar = max(scalar ?? .bool, .int)
      case .float: scalar = .float
      default: break
      }
    }
    var element = dimensioned ?? zeroDim ?? .int1
    if dimensioned != nil, let zeroDim, category(zeroDim) > category(element) { element = zeroDim }
    if let scalar, scalar > category(element) {
      return scalar == .float ? .fp32 : .int64
    }
    return element
  }
}
