import TileIR

/// An integer of the host program: its value, where it comes from and, if it is one, its formula.
///
/// A nil formula with an origin up to `.module` means the constant `value`; a nil formula with a
/// later origin means that no formula is known.
struct SymInt: Sendable {
  var value: Int
  var origin: ValueOrigin
  var formula: SymbolicInt?
  /// The number of nodes of `formula`; formulas that outgrow `formulaLimit` are dropped.
  var formulaSize: Int = 0

  /// Past this many nodes a formula explains nothing to anyone and costs time.
  static let formulaLimit = 160

  init(_ value: Int, origin: ValueOrigin = .literal, formula: SymbolicInt? = nil, size: Int = 1) {
    self.value = value
    self.origin = origin
    self.formula = formula
    self.formulaSize = formula == nil ? 0 : size
  }

  /// A named unknown with its current value.
  static func dimension(_ name: String, _ value: Int, origin: ValueOrigin = .inputShape) -> SymInt {
    SymInt(value, origin: origin, formula: .dim(name))
  }

  /// The formula, a constant where the value is fixed; nil where none is known.
  var asFormula: SymbolicInt? {
    if let formula { return formula }
    return origin <= .module ? .constant(value) : nil
  }

  /// Combines provenance: the later origin, and `build` applied to both formulas where both exist.
  static func combine(
    _ left: SymInt, _ right: SymInt, _ value: Int,
    _ build: (SymbolicInt, SymbolicInt) -> SymbolicInt
  ) -> SymInt {
    let origin = max(left.origin, right.origin)
    if left.formula == nil, right.formula == nil { return SymInt(value, origin: origin) }
    let size = max(1, left.formulaSize) + max(1, right.formulaSize) + 1
    guard size <= formulaLimit, let first = left.asFormula, let second = right.asFormula else {
      return SymInt(value, origin: origin)
    }
    let formula = build(first, second)
    if case .constant = formula { return SymInt(value, origin: origin) }
    return SymInt(value, origin: origin, formula: formula, size: size)
  }

  /// A value past 64 bits: saturated, with no formula and an unknown origin.
  private static func saturated(_ isPositive: Bool) -> SymInt {
    SymInt(isPositive ? Int.max : Int.min, origin: .unknown)
  }

  static func + (left: SymInt, right: SymInt) -> SymInt {
    let (sum, overflow) = left.value.addingReportingOverflow(right.value)
    if overflow { return saturated(left.value > 0) }
    return combine(left, right, sum, SymbolicInt.adding)
  }

  static func - (left: SymInt, right: SymInt) -> SymInt {
    let (difference, overflow) = left.value.subtractingReportingOverflow(right.value)
    if overflow { return saturated(left.value > 0) }
    return combine(left, right, difference) { .adding($0, .multiplying(.constant(-1), $1)) }
  }

  static func * (left: SymInt, right: SymInt) -> SymInt {
    let (product, overflow) = left.value.multipliedReportingOverflow(by: right.value)
    if overflow { return saturated((left.value > 0) == (right.value > 0)) }
    return combine(left, right, product, SymbolicInt.multiplying)
  }

  /// Python's `//`; nil for a zero divisor.
  func floorDivided(by divisor: SymInt) -> SymInt? {
    guard let quotient = SymbolicInt.floorDivision(value, divisor.value) else { return nil }
    return SymInt.combine(self, divisor, quotient, SymbolicInt.floorDividing)
  }

  /// Python's `%`; nil for a zero divisor.
  func modulo(_ divisor: SymInt) -> SymInt? {
    guard let remainder = SymbolicInt.floorModulo(value, divisor.value) else { return nil }
    return SymInt.combine(self, divisor, remainder) { .mod($0, $1) }
  }

  /// `triton.cdiv`; nil for a zero divisor.
  func ceilDivided(by divisor: SymInt) -> SymInt? {
    guard let quotient = SymbolicInt.ceilDivision(value, divisor.value) else { return nil }
    return SymInt.combine(self, divisor, quotient) { .ceilDiv($0, $1) }
  }

  static func minimum(_ left: SymInt, _ right: SymInt) -> SymInt {
    combine(left, right, Swift.min(left.value, right.value)) { .min($0, $1) }
  }

  static func maximum(_ left: SymInt, _ right: SymInt) -> SymInt {
    combine(left, right, Swift.max(left.value, right.value)) { .max($0, $1) }
  }

  var negated: SymInt { SymInt(0) - self }

  /// The same integer with an origin of at least `origin`.
  func raised(to origin: ValueOrigin) -> SymInt {
    var copy = self
    copy.origin = max(self.origin, origin)
    return copy
  }
}

extension SymInt: ExpressibleByIntegerLiteral {
  init(integerLiteral value: Int) { self.init(value) }
}

/// What a boolean of the host program says about unknown sizes.
indirect enum Condition: Sendable, Hashable {
  case compare(SymbolicInt, Comparison, SymbolicInt)
  case not(Condition)
  case all([Condition])
  /// The element type of an input is this one.
  case element(String, ElementType)
  /// A constructor's argument is a sequence rather than a number.
  case sequence(String)

  enum Comparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessEqual = "<="
    case greater = ">"
    case greaterEqual = ">="

    func holds(_ left: Int, _ right: Int) -> Bool {
      switch self {
      case .equal: left == right
      case .notEqual: left != right
      case .less: left < right
      case .lessEqual: left <= right
      case .greater: left > right
      case .greaterEqual: left >= right
      }
    }
  }

  /// Whether it holds under an assignment; nil where a dimension is missing or a divisor is zero.
  func holds(_ values: [String: Int]) -> Bool? {
    switch self {
    case .compare(let left, let comparison, let right):
      guard let first = left.evaluate(values), let second = right.evaluate(values) else {
        return nil
      }
      return comparison.holds(first, second)
    case .not(let inner): return inner.holds(values).map { !$0 }
    case .all(let parts):
      for part in parts {
        guard let holds = part.holds(values) else { return nil }
        if !holds { return false }
      }
      return true
    case .element, .sequence: return nil
    }
  }

  /// The names of the dimensions in it.
  func collectDimensions(into names: inout Set<String>) {
    switch self {
    case .compare(let left, _, let right):
      left.collectDimensions(into: &names)
      right.collectDimensions(into: &names)
    case .not(let inner): inner.collectDimensions(into: &names)
    case .all(let parts): for part in parts { part.collectDimensions(into: &names) }
    case .element, .sequence: break
    }
  }
}

/// A boolean with its origin and, where sizes decide it, the condition.
struct SymBool: Sendable {
  var value: Bool
  var origin: ValueOrigin = .literal
  var condition: Condition?
}

/// A float with its origin; a quotient of two integers remembers them, so that `ceil` of it is exact.
struct SymFloat: Sendable {
  var value: Double
  var origin: ValueOrigin = .literal
  var ratio: Ratio?

  final class Ratio: Sendable {
    let numerator: SymInt
    let denominator: SymInt
    init(_ numerator: SymInt, _ denominator: SymInt) {
      self.numerator = numerator
      self.denominator = denominator
    }
  }
}
