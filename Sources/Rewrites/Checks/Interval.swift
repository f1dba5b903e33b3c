import PythonSyntax

/// The integers from `lower` to `upper`; nil results mean that nothing is known.
struct Interval: Hashable {
  var lower: Int
  var upper: Int

  init(_ lower: Int, _ upper: Int) {
    self.lower = Swift.min(lower, upper)
    self.upper = Swift.max(lower, upper)
  }

  init(_ value: Int) { self.init(value, value) }

  static let boolean = Interval(0, 1)

  var fitsInt32: Bool { lower >= Int(Int32.min) && upper <= Int(Int32.max) }
  var isNonNegative: Bool { lower >= 0 }

  func union(_ other: Interval) -> Interval {
    Interval(Swift.min(lower, other.lower), Swift.max(upper, other.upper))
  }

  /// Python's integer arithmetic over every pair; nil where it leaves 64 bits or is not followed.
  static func apply(_ op: BinaryOperator, _ left: Interval, _ right: Interval) -> Interval? {
    switch op {
    case .add: return corners(left, right) { $0.addingReportingOverflow($1) }
    case .sub: return corners(left, right) { $0.subtractingReportingOverflow($1) }
    case .mul: return corners(left, right) { $0.multipliedReportingOverflow(by: $1) }
    case .floorDiv:
      guard left.isNonNegative, right.lower >= 1 else { return nil }
      return Interval(left.lower / right.upper, left.upper / right.lower)
    case .mod:
      guard left.isNonNegative, right.lower >= 1 else { return nil }
      if left.lower == left.upper, right.lower == right.upper {
        return Interval(left.lower % right.lower)
      }
      return Interval(0, Swift.min(left.upper, right.upper - 1))
    case .leftShift:
      guard left.isNonNegative, right.isNonNegative, right.upper <= 31 else { return nil }
      return corners(left, right) { $0.multipliedReportingOverflow(by: 1 << $1) }
    case .rightShift:
      guard left.isNonNegative, right.isNonNegative, right.upper <= 31 else { return nil }
      return Interval(left.lower >> right.upper, left.upper >> right.lower)
    case .bitAnd:
      guard left.isNonNegative, right.isNonNegative else { return nil }
      if left.lower == left.upper, right.lower == right.upper {
        return Interval(left.lower & right.lower)
      }
      return Interval(0, Swift.min(left.upper, right.upper))
    case .bitOr, .bitXor:
      guard left.isNonNegative, right.isNonNegative else { return nil }
      let (sum, overflow) = left.upper.addingReportingOverflow(right.upper)
      return overflow ? nil : Interval(0, sum)
    case .matMul, .div, .pow: return nil
    }
  }

  private static func corners(
    _ left: Interval, _ right: Interval, _ op: (Int, Int) -> (partialValue: Int, overflow: Bool)
  ) -> Interval? {
    var found: Interval?
    for a in [left.lower, left.upper] {
      for b in [right.lower, right.upper] {
        let (value, overflow) = op(a, b)
        if overflow { return nil }
        found = found?.union(Interval(value)) ?? Interval(value)
      }
    }
    return found
  }
}
