/// An integer as a formula over named dimensions, as the host program computes it.
///
/// `SymbolicInt.floorDiv(.add(.dim("H"), .constant(-7)), .constant(4))` prints as `(H - 7) // 4`.
public indirect enum SymbolicInt: Hashable, Sendable {
  case constant(Int)
  /// A dimension of an input ("x.shape[0]", or the name the module binds it to: "N") or a config constant.
  case dim(String)
  case add(SymbolicInt, SymbolicInt)
  case mul(SymbolicInt, SymbolicInt)
  /// Python's `//` and `%`.
  case floorDiv(SymbolicInt, SymbolicInt)
  case mod(SymbolicInt, SymbolicInt)
  /// `triton.cdiv` and its spellings.
  case ceilDiv(SymbolicInt, SymbolicInt)
  case min(SymbolicInt, SymbolicInt)
  case max(SymbolicInt, SymbolicInt)
  case nextPowerOf2(SymbolicInt)
}

extension SymbolicInt {
  /// Python's `//` on 64-bit integers; nil for a zero divisor or overflow.
  static func floorDivision(_ dividend: Int, _ divisor: Int) -> Int? {
    let (quotient, overflow) = dividend.dividedReportingOverflow(by: divisor)
    if overflow { return nil }
    let (product, _) = quotient.multipliedReportingOverflow(by: divisor)
    return product != dividend && (dividend < 0) != (divisor < 0) ? quotient - 1 : quotient
  }

  /// Python's `%`: the sign of the divisor; nil for a zero divisor or overflow.
  static func floorModulo(_ dividend: Int, _ divisor: Int) -> Int? {
    let (remainder, overflow) = dividend.remainderReportingOverflow(dividingBy: divisor)
    if overflow { return divisor == 0 ? nil : 0 }
    return remainder != 0 && (remainder < 0) != (divisor < 0) ? remainder + divisor : remainder
  }

  /// `triton.cdiv`: `(dividend + divisor - 1) // divisor`; nil for a zero divisor or overflow.
  static func ceilDivision(_ dividend: Int, _ divisor: Int) -> Int? {
    let (less, first) = divisor.subtractingReportingOverflow(1)
    let (sum, second) = dividend.addingReportingOverflow(less)
    if first || second { return nil }
    return floorDivision(sum, divisor)
  }

  /// `triton.next_power_of_2`: the least power of two not below `value`, 0 for values below 1;
  /// nil past 2^62.
  static func nextPower(_ value: Int) -> Int? {
    if value <= 0 { return 0 }
    if value > 1 << 62 { return nil }
    var power = 1
    while power < value { power <<= 1 }
    return power
  }

  /// The value under an assignment of its dimensions; nil where one is missing, a divisor is zero
  /// or 64 bits do not hold the result.
  /// - Complexity: O(nodes).
  public func evaluate(_ values: [String: Int]) -> Int? {
    switch self {
    case .constant(let value): return value
    case .dim(let name): return values[name]
    case .add(let a, let b):
      guard let x = a.evaluate(values), let y = b.evaluate(values) else { return nil }
      let (sum, overflow) = x.addingReportingOverflow(y)
      return overflow ? nil : sum
    case .mul(let a, let b):
      guard let x = a.evaluate(values), let y = b.evaluate(values) else { return nil }
      let (product, overflow) = x.multipliedReportingOverflow(by: y)
      return overflow ? nil : product
    case .floorDiv(let a, let b): return pair(a, b, values).flatMap(Self.floorDivision)
    case .mod(let a, let b): return pair(a, b, values).flatMap(Self.floorModulo)
    case .ceilDiv(let a, let b): return pair(a, b, values).flatMap(Self.ceilDivision)
    case .min(let a, let b): return pair(a, b, values).map { Swift.min($0, $1) }
    case .max(let a, let b): return pair(a, b, values).map { Swift.max($0, $1) }
    case .nextPowerOf2(let a): return a.evaluate(values).flatMap(Self.nextPower)
    }
  }

  private func pair(_ a: SymbolicInt, _ b: SymbolicInt, _ values: [String: Int]) -> (Int, Int)? {
    guard let x = a.evaluate(values), let y = b.evaluate(values) else { return nil }
    return (x, y)
  }

  /// The names of the dimensions in it.
  public var dimensions: Set<String> {
    var names: Set<String> = []
    collectDimensions(into: &names)
    return names
  }

  func collectDimensions(into names: inout Set<String>) {
    switch self {
    case .constant: break
    case .dim(let name): names.insert(name)
    case .nextPowerOf2(let a): a.collectDimensions(into: &names)
    case .add(let a, let b), .mul(let a, let b), .floorDiv(let a, let b), .mod(let a, let b),
      .ceilDiv(let a, let b), .min(let a, let b), .max(let a, let b):
      a.collectDimensions(into: &names)
      b.collectDimensions(into: &names)
    }
  }

  /// The formula with dimensions replaced by formulas.
  public func substituting(_ replacements: [String: SymbolicInt]) -> SymbolicInt {
    func go(_ node: SymbolicInt) -> SymbolicInt { node.substituting(replacements) }
    switch self {
    case .constant: return self
    case .dim(let name): return replacements[name] ?? self
    case .add(let a, let b): return .adding(go(a), go(b))
    case .mul(let a, let b): return .multiplying(go(a), go(b))
    case .floorDiv(let a, let b): return .floorDividing(go(a), go(b))
    case .mod(let a, let b): return .mod(go(a), go(b))
    case .ceilDiv(let a, let b): return .ceilDiv(go(a), go(b))
    case .min(let a, let b): return .min(go(a), go(b))
    case .max(let a, let b): return .max(go(a), go(b))
    case .nextPowerOf2(let a): return .nextPowerOf2(go(a))
    }
  }

  // The cheap constructors, for building while the host program runs: they fold constants and units
  // only. `simplified()` does the rest.

  static func adding(_ a: SymbolicInt, _ b: SymbolicInt) -> SymbolicInt {
    switch (a, b) {
    case (.constant(let x), .constant(let y)):
      let (sum, overflow) = x.addingReportingOverflow(y)
      return overflow ? .add(a, b) : .constant(sum)
    case (.constant(0), _): return b
    case (_, .constant(0)): return a
    case (.add(let inner, .constant(let x)), .constant(let y)):
      let (sum, overflow) = x.addingReportingOverflow(y)
      return overflow ? .add(a, b) : .adding(inner, .constant(sum))
    case (.constant, _): return .add(b, a)
    default: return .add(a, b)
    }
  }

  static func multiplying(_ a: SymbolicInt, _ b: SymbolicInt) -> SymbolicInt {
    switch (a, b) {
    case (.constant(let x), .constant(let y)):
      let (product, overflow) = x.multipliedReportingOverflow(by: y)
      return overflow ? .mul(a, b) : .constant(product)
    case (.constant(0), _), (_, .constant(0)): return .constant(0)
    case (.constant(1), _): return b
    case (_, .constant(1)): return a
    default: return .mul(a, b)
    }
  }

  static func floorDividing(_ a: SymbolicInt, _ b: SymbolicInt) -> SymbolicInt {
    if case .constant(1) = b { return a }
    if case .constant(let x) = a, case .constant(let y) = b, let z = floorDivision(x, y) {
      return .constant(z)
    }
    return .floorDiv(a, b)
  }
}
