extension SymbolicInt {
  /// An equal formula in normal form: sums of products, common factors cancelled, constants folded.
  ///
  /// `(2*N*H + 4*H) // (2*H)` becomes `N + 2`. Equal wherever the original has a value; a division
  /// whose divisor cancels may have one where the original has none.
  /// - Complexity: O(terms²) per node.
  public func simplified() -> SymbolicInt {
    var result = normal().formula
    // A constant that moves into a division can open another step; two or three passes settle it.
    for _ in 0..<4 {
      let next = result.normal().formula
      if next == result { break }
      result = next
    }
    return result
  }

  private func normal() -> Polynomial {
    switch self {
    case .constant(let value): return Polynomial(value)
    case .dim: return Polynomial(atom: self)
    case .add(let a, let b):
      let (x, y) = (a.normal(), b.normal())
      guard let sum = Polynomial.sum(x, y) else {
        return Polynomial(atom: .add(x.formula, y.formula))
      }
      return Self.absorbing(sum)
    case .mul(let a, let b):
      let (x, y) = (a.normal(), b.normal())
      return Polynomial.product(x, y) ?? Polynomial(atom: .mul(x.formula, y.formula))
    case .floorDiv(let a, let b): return Self.floorDividing(a.normal(), b.normal())
    case .ceilDiv(let a, let b): return Self.ceilDividing(a.normal(), b.normal())
    case .mod(let a, let b): return Self.remainder(a.normal(), b.normal())
    case .min(let a, let b):
      let (x, y) = (a.normal(), b.normal())
      if x == y { return x }
      if let m = x.constant, let n = y.constant { return Polynomial(Swift.min(m, n)) }
      let (first, second) = Self.ordered(x.formula, y.formula)
      return Polynomial(atom: .min(first, second))
    case .max(let a, let b):
      let (x, y) = (a.normal(), b.normal())
      if x == y { return x }
      if let m = x.constant, let n = y.constant { return Polynomial(Swift.max(m, n)) }
      let (first, second) = Self.ordered(x.formula, y.formula)
      return Polynomial(atom: .max(first, second))
    case .nextPowerOf2(let a):
      let x = a.normal()
      if let value = x.constant, let power = Self.nextPower(value) { return Polynomial(power) }
      return Polynomial(atom: .nextPowerOf2(x.formula))
    }
  }

  private static func ordered(_ a: SymbolicInt, _ b: SymbolicInt) -> (SymbolicInt, SymbolicInt) {
    if case .constant = a { return (b, a) }
    if case .constant = b { return (a, b) }
    return a.description <= b.description ? (a, b) : (b, a)
  }

  private static func floorDividing(_ a: Polynomial, _ b: Polynomial) -> Polynomial {
    if let exact = a.divided(by: b) { return exact }
    guard let divisor = b.constant else {
      // `(a + b - 1) // b` is `cdiv(a, b)` by definition.
      if let less = Polynomial.sum(b, Polynomial(-1)),
        let negated = Polynomial.product(less, Polynomial(-1)),
        let rest = Polynomial.sum(a, negated), rest.terms.count < a.terms.count
      {
        return ceilDividing(rest, b)
      }
      return Polynomial(atom: .floorDiv(a.formula, b.formula))
    }
    if let dividend = a.constant, let quotient = floorDivision(dividend, divisor) {
      return Polynomial(quotient)
    }
    guard divisor > 0 else { return Polynomial(atom: .floorDiv(a.formula, b.formula)) }
    if a.terms[[]] == divisor - 1 {
      return ceilDividing(a.filtered { product, _ in !product.isEmpty }, b)
    }
    // Terms that the divisor divides leave the division, but for a constant beside others.
    let (outside, inside) = split(a, divisor)
    guard let whole = outside.divided(by: b) else {
      return Polynomial(atom: .floorDiv(a.formula, b.formula))
    }
    if let constant = inside.constant, let quotient = floorDivision(constant, divisor),
      let sum = Polynomial.sum(whole, Polynomial(quotient))
    {
      return sum
    }
    let (dividend, reduced) = reduced(absorbing(inside), divisor)
    let quotient = atomQuotient(dividend, reduced)
    return Polynomial.sum(whole, quotient) ?? Polynomial(atom: .floorDiv(a.formula, b.formula))
  }

  /// The terms that a positive constant divides, and the rest; a constant term stays with the rest
  /// where there is one, so that `(H - 7) // 4 + 1` and `(H - 3) // 4` have one form.
  private static func split(_ a: Polynomial, _ divisor: Int) -> (Polynomial, Polynomial) {
    let hasRest = a.terms.contains { !$0.key.isEmpty && $0.value % divisor != 0 }
    let isOutside: (Polynomial.Product, Int) -> Bool = { product, coefficient in
      coefficient % divisor == 0 && !(product.isEmpty && hasRest)
    }
    return (a.filtered(isOutside), a.filtered { !isOutside($0, $1) })
  }

  /// `x // c + k` as `(x + k*c) // c`: one atom instead of a sum, so that products of output sizes
  /// stay products.
  private static func absorbing(_ sum: Polynomial) -> Polynomial {
    guard let constant = sum.terms[[]], sum.terms.count == 2,
      let (product, coefficient) = sum.terms.first(where: { !$0.key.isEmpty }), coefficient == 1,
      product.count == 1
    else { return sum }
    switch product[0] {
    case .floorDiv(let dividend, .constant(let divisor)) where divisor > 0:
      let (shift, overflow) = constant.multipliedReportingOverflow(by: divisor)
      guard !overflow, let inner = Polynomial.sum(dividend.normal(), Polynomial(shift)) else {
        return sum
      }
      return floorDividing(inner, Polynomial(divisor))
    case .ceilDiv(let dividend, .constant(let divisor)) where divisor > 0:
      let (shift, overflow) = constant.multipliedReportingOverflow(by: divisor)
      guard !overflow, let inner = Polynomial.sum(dividend.normal(), Polynomial(shift)) else {
        return sum
      }
      return ceilDividing(inner, Polynomial(divisor))
    default: return sum
    }
  }

  /// `(x // c) // d` is `x // (c*d)` for positive constants.
  private static func atomQuotient(_ dividend: Polynomial, _ divisor: Int) -> Polynomial {
    if divisor == 1 { return dividend }
    if dividend.terms.count == 1, let (product, coefficient) = dividend.terms.first,
      coefficient == 1, product.count == 1,
      case .floorDiv(let inner, .constant(let scale)) = product[0], scale > 0
    {
      let (total, overflow) = scale.multipliedReportingOverflow(by: divisor)
      if !overflow { return Polynomial(atom: .floorDiv(inner, .constant(total))) }
    }
    return Polynomial(atom: .floorDiv(dividend.formula, .constant(divisor)))
  }

  /// `cdiv(cdiv(x, c), d)` is `cdiv(x, c*d)` for positive constants.
  private static func atomCeiling(_ dividend: Polynomial, _ divisor: Int) -> Polynomial {
    if divisor == 1 { return dividend }
    if dividend.terms.count == 1, let (product, coefficient) = dividend.terms.first,
      coefficient == 1, product.count == 1,
      case .ceilDiv(let inner, .constant(let scale)) = product[0], scale > 0
    {
      let (total, overflow) = scale.multipliedReportingOverflow(by: divisor)
      if !overflow { return Polynomial(atom: .ceilDiv(inner, .constant(total))) }
    }
    return Polynomial(atom: .ceilDiv(dividend.formula, .constant(divisor)))
  }

  /// Both sides of a division without their common factor.
  private static func reduced(_ dividend: Polynomial, _ divisor: Int) -> (Polynomial, Int) {
    let common = Polynomial.greatestCommonDivisor(dividend.content, divisor)
    guard common > 1, let smaller = dividend.divided(by: Polynomial(common)) else {
      return (dividend, divisor)
    }
    return (smaller, divisor / common)
  }

  private static func ceilDividing(_ a: Polynomial, _ b: Polynomial) -> Polynomial {
    guard let divisor = b.constant else {
      if let exact = a.divided(by: b), isExactCeiling(a, b) { return exact }
      return Polynomial(atom: .ceilDiv(a.formula, b.formula))
    }
    if let dividend = a.constant, let quotient = ceilDivision(dividend, divisor) {
      return Polynomial(quotient)
    }
    guard divisor > 0 else { return Polynomial(atom: .ceilDiv(a.formula, b.formula)) }
    let (outside, inside) = split(a, divisor)
    guard let whole = outside.divided(by: b) else {
      return Polynomial(atom: .ceilDiv(a.formula, b.formula))
    }
    if inside.terms.isEmpty { return whole }
    if let constant = inside.constant, let quotient = ceilDivision(constant, divisor),
      let sum = Polynomial.sum(whole, Polynomial(quotient))
    {
      return sum
    }
    let (dividend, smaller) = reduced(absorbing(inside), divisor)
    let quotient = atomCeiling(dividend, smaller)
    return Polynomial.sum(whole, quotient) ?? Polynomial(atom: .ceilDiv(a.formula, b.formula))
  }

  /// `cdiv(q*b, b)` is `q` only for positive `b`; dimensions and config constants are sizes, so a
  /// product of them with a positive coefficient is.
  private static func isExactCeiling(_ a: Polynomial, _ b: Polynomial) -> Bool {
    guard b.terms.count == 1, let (product, coefficient) = b.terms.first, coefficient > 0 else {
      return false
    }
    return product.allSatisfy { if case .dim = $0 { true } else { false } }
  }

  private static func remainder(_ a: Polynomial, _ b: Polynomial) -> Polynomial {
    if a.divided(by: b) != nil { return Polynomial(0) }
    guard let divisor = b.constant, divisor > 0 else {
      return Polynomial(atom: .mod(a.formula, b.formula))
    }
    if let dividend = a.constant, let rest = floorModulo(dividend, divisor) {
      return Polynomial(rest)
    }
    let inside = a.filtered { _, coefficient in coefficient % divisor != 0 }
    if let constant = inside.constant, let rest = floorModulo(constant, divisor) {
      return Polynomial(rest)
    }
    return Polynomial(atom: .mod(inside.formula, .constant(divisor)))
  }
}
