/// Integer operations that trap in Swift, made total.
extension ElementMath {
  /// The upper half of the double-width product (`tl.umulhi`, `mulhi`).
  @inlinable
  public static func highProduct<I: FixedWidthInteger>(_ a: I, _ b: I) -> I {
    a.multipliedFullWidth(by: b).high
  }

  /// a / b towards zero. Dividing by zero gives all ones, as NVIDIA GPUs do for unsigned operands;
  /// the smallest integer by -1 wraps to itself.
  @inlinable
  public static func quotient<I: FixedWidthInteger>(_ a: I, _ b: I) -> I {
    b == 0 ? ~0 : a.dividedReportingOverflow(by: b).partialValue
  }

  /// a - b·(a / b), with the sign of `a`. The remainder by zero is `a`.
  @inlinable
  public static func remainder<I: FixedWidthInteger>(_ a: I, _ b: I) -> I {
    b == 0 ? a : a.remainderReportingOverflow(dividingBy: b).partialValue
  }

  /// a / b rounded down, otherwise as ``quotient(_:_:)``.
  @inlinable
  public static func floorQuotient<I: FixedWidthInteger>(_ a: I, _ b: I) -> I {
    let truncated = quotient(a, b)
    let rest = remainder(a, b)
    return b != 0 && rest != 0 && (rest < 0) != (b < 0) ? truncated &- 1 : truncated
  }

  /// a << b: 0 from the width on, where PTX's `shl` clamps too. A negative amount counts as unsigned.
  @inlinable
  public static func shiftLeft<I: FixedWidthInteger>(_ a: I, _ b: I) -> I {
    b < 0 || b >= I.bitWidth ? 0 : a &<< b
  }

  /// a >> b, arithmetic for signed types; all sign bits from the width on.
  @inlinable
  public static func shiftRight<I: FixedWidthInteger>(_ a: I, _ b: I) -> I {
    let outside = b < 0 || b >= I.bitWidth
    return outside ? (a < 0 ? ~0 : 0) : a &>> b
  }
}
