/// Folding of operations on constants: integers in two's complement, comparisons, conversions.
///
/// Floats fold only where the result is exact; everything else stays in the IR.
public enum Folding {
  /// The result of an integer operation on two constants; nil where it does not fold.
  public static func binary(
    _ op: BinaryOp, _ left: ConstantValue?, _ right: ConstantValue?, _ element: ElementType
  ) -> ConstantValue? {
    guard element.isInteger, case .int(let a)? = left, case .int(let b)? = right else {
      return nil
    }
    let signed = element.isSignedInteger
    let ua = UInt(bitPattern: a)
    let ub = UInt(bitPattern: b)
    let bits = element.bits
    switch op {
    case .add: return .int(element.wrap(a &+ b))
    case .sub: return .int(element.wrap(a &- b))
    case .mul: return .int(element.wrap(a &* b))
    case .and: return .int(element.wrap(a & b))
    case .or: return .int(element.wrap(a | b))
    case .xor: return .int(element.wrap(a ^ b))
    case .shl: return b >= 0 && b < bits ? .int(element.wrap(a << b)) : nil
    case .shr:
      guard b >= 0, b < bits else { return nil }
      return .int(element.wrap(signed ? a >> b : Int(bitPattern: ua >> UInt(b))))
    case .idiv:
      guard b != 0, !(signed && b == -1) else { return nil }
      return .int(element.wrap(signed ? a / b : Int(bitPattern: ua / ub)))
    case .rem:
      guard b != 0, !(signed && b == -1) else { return nil }
      return .int(element.wrap(signed ? a % b : Int(bitPattern: ua % ub)))
    case .minimum, .minimumNaN:
      return .int((signed ? a < b : ua < ub) ? a : b)
    case .maximum, .maximumNaN:
      return .int((signed ? a > b : ua > ub) ? a : b)
    case .umulhi:
      guard bits == 32 else { return nil }
      return .int(
        element.wrap(Int(truncatingIfNeeded: ((ua & 0xFFFF_FFFF) &* (ub & 0xFFFF_FFFF)) >> 32)))
    case .div, .divRn: return nil
    }
  }

  /// The result of comparing two constants of `element`.
  public static func compare(
    _ predicate: ComparePredicate, _ left: ConstantValue?, _ right: ConstantValue?,
    _ element: ElementType
  ) -> ConstantValue? {
    guard let left, let right else { return nil }
    func decide<T: Comparable>(_ a: T, _ b: T) -> Bool {
      switch predicate {
      case .eq: a == b
      case .ne: a != b
      case .lt: a < b
      case .le: a <= b
      case .gt: a > b
      case .ge: a >= b
      }
    }
    switch (left, right) {
    case (.int(let a), .int(let b)):
      let holds =
        element.isSignedInteger ? decide(a, b) : decide(UInt(bitPattern: a), UInt(bitPattern: b))
      return .int(holds ? 1 : 0)
    case (.float(let a), .float(let b)):
      return .int(decide(a, b) ? 1 : 0)
    default: return nil
    }
  }

  /// A constant converted by value; nil where rounding would have to be decided.
  public static func convert(
    _ value: ConstantValue, from source: ElementType, to target: ElementType
  ) -> ConstantValue? {
    switch value {
    case .int(let number) where source.isInteger && target == .int1:
      return .int(number == 0 ? 0 : 1)
    case .int(let number) where source.isInteger && target.isInteger:
      return .int(target.wrap(number))
    case .int(let number) where source.isInteger && (target == .fp32 || target == .fp64):
      if source == .uint64, number < 0 { return nil }
      if target == .fp64 { return .float(Double(number)) }
      return .float(Double(Float(number)))
    case .float(let number) where target == .fp64: return .float(number)
    case .float(let number) where target == .fp32 && source.isFloat:
      return .float(Double(Float(number)))
    default: return nil
    }
  }
}

extension ElementType {
  /// A two's-complement number cut to the type's width: sign-extended for signed types,
  /// zero-extended for unsigned ones (64-bit ones by bit pattern).
  public func wrap(_ number: Int) -> Int {
    switch self {
    case .int1: number & 1
    case .int8: Int(Int8(truncatingIfNeeded: number))
    case .int16: Int(Int16(truncatingIfNeeded: number))
    case .int32: Int(Int32(truncatingIfNeeded: number))
    case .uint8: Int(UInt8(truncatingIfNeeded: number))
    case .uint16: Int(UInt16(truncatingIfNeeded: number))
    case .uint32: Int(UInt32(truncatingIfNeeded: number))
    default: number
    }
  }
}
