import TileIR

/// Integer arithmetic: two's complement that wraps, as Triton's.
enum IntegerHandlers {
  /// Operations whose bits do not depend on the sign.
  static func wrapping(_ op: BinaryOp, _ lane: Lane) -> Handler? {
    switch lane.unsignedAgnostic {
    case .int8: wrapping(op, Int8.self)
    case .int16: wrapping(op, Int16.self)
    case .int32: wrapping(op, Int32.self)
    case .int64: wrapping(op, Int.self)
    default: nil
    }
  }

  @inline(__always)
  private static func wrapping<T: FixedWidthInteger & SignedInteger & SendableMetatype>(
    _ op: BinaryOp, _: T.Type
  ) -> Handler? {
    switch op {
    case .add: { Loops.binary($0, $1) { (x: T, y: T) in x &+ y } }
    case .sub: { Loops.binary($0, $1) { (x: T, y: T) in x &- y } }
    case .mul: { Loops.binary($0, $1) { (x: T, y: T) in x &* y } }
    case .and: { Loops.binary($0, $1) { (x: T, y: T) in x & y } }
    case .or: { Loops.binary($0, $1) { (x: T, y: T) in x | y } }
    case .xor: { Loops.binary($0, $1) { (x: T, y: T) in x ^ y } }
    // A shift by the width or more gives what the hardware gives: 0.
    case .shl: { Loops.binary($0, $1) { (x: T, y: T) in y < 0 ? 0 : x << y } }
    default: nil
    }
  }

  /// Operations that depend on the sign; division and remainder live in ``DivisionHandlers``.
  static func ordered(_ op: BinaryOp, _ lane: Lane) -> Handler? {
    switch lane {
    case .bool, .uint8: ordered(op, UInt8.self)
    case .int8: ordered(op, Int8.self)
    case .int16: ordered(op, Int16.self)
    case .uint16: ordered(op, UInt16.self)
    case .int32: ordered(op, Int32.self)
    case .uint32: ordered(op, UInt32.self)
    case .int64: ordered(op, Int.self)
    case .uint64: ordered(op, UInt.self)
    default: nil
    }
  }

  @inline(__always)
  private static func ordered<T: FixedWidthInteger & SendableMetatype>(_ op: BinaryOp, _: T.Type)
    -> Handler?
  {
    switch op {
    case .shr: { Loops.binary($0, $1) { (x: T, y: T) in y < 0 ? 0 : x >> y } }
    case .minimum, .minimumNaN: { Loops.binary($0, $1) { (x: T, y: T) in x < y ? x : y } }
    case .maximum, .maximumNaN: { Loops.binary($0, $1) { (x: T, y: T) in x > y ? x : y } }
    case .umulhi:
      {
        Loops.binary($0, $1) { (x: T, y: T) in
          T(
            truncatingIfNeeded: T.Magnitude(truncatingIfNeeded: x)
              .multipliedFullWidth(by: T.Magnitude(truncatingIfNeeded: y)).high)
        }
      }
    default: nil
    }
  }

  static func compare(_ predicate: ComparePredicate, _ lane: Lane) -> Handler? {
    switch lane {
    case .bool, .uint8: compare(predicate, UInt8.self)
    case .int8: compare(predicate, Int8.self)
    case .int16: compare(predicate, Int16.self)
    case .uint16: compare(predicate, UInt16.self)
    case .int32: compare(predicate, Int32.self)
    case .uint32: compare(predicate, UInt32.self)
    case .int64: compare(predicate, Int.self)
    case .uint64: compare(predicate, UInt.self)
    case .float: compare(predicate, Float.self)
    case .double: compare(predicate, Double.self)
    }
  }

  @inline(__always)
  private static func compare<T: Comparable & SendableMetatype>(
    _ predicate: ComparePredicate, _: T.Type
  ) -> Handler {
    switch predicate {
    case .eq: { Loops.binary($0, $1) { (x: T, y: T) -> UInt8 in x == y ? 1 : 0 } }
    case .ne: { Loops.binary($0, $1) { (x: T, y: T) -> UInt8 in x != y ? 1 : 0 } }
    case .lt: { Loops.binary($0, $1) { (x: T, y: T) -> UInt8 in x < y ? 1 : 0 } }
    case .le: { Loops.binary($0, $1) { (x: T, y: T) -> UInt8 in x <= y ? 1 : 0 } }
    case .gt: { Loops.binary($0, $1) { (x: T, y: T) -> UInt8 in x > y ? 1 : 0 } }
    case .ge: { Loops.binary($0, $1) { (x: T, y: T) -> UInt8 in x >= y ? 1 : 0 } }
    }
  }

  static func unary(_ op: UnaryOp, _ lane: Lane) -> Handler? {
    if lane == .bool {
      guard op == .not else { return nil }
      return { Loops.unary($0, $1) { (x: UInt8) in x ^ 1 } }
    }
    switch lane {
    case .int8: return signed(op, Int8.self)
    case .int16: return signed(op, Int16.self)
    case .int32: return signed(op, Int32.self)
    case .int64: return signed(op, Int.self)
    case .uint8: return op == .abs ? copy(bytes: 1) : signed(op, Int8.self)
    case .uint16: return op == .abs ? copy(bytes: 2) : signed(op, Int16.self)
    case .uint32: return op == .abs ? copy(bytes: 4) : signed(op, Int32.self)
    case .uint64: return op == .abs ? copy(bytes: 8) : signed(op, Int.self)
    default: return nil
    }
  }

  @inline(__always)
  private static func signed<T: FixedWidthInteger & SignedInteger & SendableMetatype>(
    _ op: UnaryOp, _: T.Type
  ) -> Handler? {
    switch op {
    case .neg: { Loops.unary($0, $1) { (x: T) in 0 &- x } }
    case .not: { Loops.unary($0, $1) { (x: T) in ~x } }
    case .abs: { Loops.unary($0, $1) { (x: T) in x < 0 ? 0 &- x : x } }
    default: nil
    }
  }

  /// Copies lanes, spreading fixed operands.
  static func copy(bytes: Int) -> Handler {
    switch bytes {
    case 1: { Loops.unary($0, $1) { (x: UInt8) in x } }
    case 2: { Loops.unary($0, $1) { (x: UInt16) in x } }
    case 4: { Loops.unary($0, $1) { (x: UInt32) in x } }
    default: { Loops.unary($0, $1) { (x: UInt) in x } }
    }
  }
}
