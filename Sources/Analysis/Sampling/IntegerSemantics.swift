import TileIR

/// Integer arithmetic of tile elements, in two's complement of the element type's width.
enum IntegerSemantics {
  static func wrapped(_ value: Int, _ type: ElementType) -> Int {
    switch type {
    case .int1: value & 1
    case .int8: Int(Int8(truncatingIfNeeded: value))
    case .int16: Int(Int16(truncatingIfNeeded: value))
    case .int32: Int(Int32(truncatingIfNeeded: value))
    case .uint8: Int(UInt8(truncatingIfNeeded: value))
    case .uint16: Int(UInt16(truncatingIfNeeded: value))
    case .uint32: Int(UInt32(truncatingIfNeeded: value))
    default: value
    }
  }

  /// nil where the operation has no integer meaning or the result is undefined.
  static func apply(_ op: BinaryOp, _ a: Int, _ b: Int, _ type: ElementType) -> Int? {
    let value: Int
    switch op {
    case .add: value = a &+ b
    case .sub: value = a &- b
    case .mul: value = a &* b
    case .idiv, .div, .divRn:
      guard b != 0, !(a == .min && b == -1) else { return nil }
      value = a / b
    case .rem:
      guard b != 0, !(a == .min && b == -1) else { return nil }
      value = a % b
    case .and: value = a & b
    case .or: value = a | b
    case .xor: value = a ^ b
    case .shl: value = (0..<64).contains(b) ? a << b : 0
    case .shr: value = (0..<64).contains(b) ? a >> b : 0
    case .minimum, .minimumNaN: value = min(a, b)
    case .maximum, .maximumNaN: value = max(a, b)
    case .umulhi:
      let product = UInt64(UInt32(truncatingIfNeeded: a)) * UInt64(UInt32(truncatingIfNeeded: b))
      value = Int(product >> 32)
    }
    return wrapped(value, type)
  }

  static func compare(_ predicate: ComparePredicate, _ a: Int, _ b: Int) -> Int {
    let holds =
      switch predicate {
      case .eq: a == b
      case .ne: a != b
      case .lt: a < b
      case .le: a <= b
      case .gt: a > b
      case .ge: a >= b
      }
    return holds ? 1 : 0
  }
}
