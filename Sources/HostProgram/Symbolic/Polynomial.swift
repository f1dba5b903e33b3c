/// A sum of products of atoms with integer coefficients: the normal form of a formula.
///
/// An atom is a dimension or a node that is no sum or product, its own parts in normal form.
struct Polynomial: Hashable {
  /// A product of atoms, sorted; a repeated atom is a power. Empty for the constant term.
  typealias Product = [SymbolicInt]

  private(set) var terms: [Product: Int] = [:]
  /// Past this many terms a sum is left as it is.
  private static let limit = 64

  init(_ constant: Int) { if constant != 0 { terms[[]] = constant } }

  init(atom: SymbolicInt) { terms[[atom]] = 1 }

  var constant: Int? {
    if terms.isEmpty { return 0 }
    return terms.count == 1 ? terms[[]] : nil
  }

  /// nil where a coefficient overflows or the sum grows too long.
  static func sum(_ a: Polynomial, _ b: Polynomial) -> Polynomial? {
    var result = a
    for (product, coefficient) in b.terms {
      let (total, overflow) = (result.terms[product] ?? 0).addingReportingOverflow(coefficient)
      if overflow { return nil }
      result.terms[product] = total == 0 ? nil : total
    }
    return result.terms.count > limit ? nil : result
  }

  static func product(_ a: Polynomial, _ b: Polynomial) -> Polynomial? {
    var result = Polynomial(0)
    for (left, x) in a.terms {
      for (right, y) in b.terms {
        let (coefficient, overflow) = x.multipliedReportingOverflow(by: y)
        if overflow { return nil }
        let key = (left + right).sorted(by: Self.precedes)
        let (total, more) = (result.terms[key] ?? 0).addingReportingOverflow(coefficient)
        if more { return nil }
        result.terms[key] = total == 0 ? nil : total
      }
    }
    return result.terms.count > limit ? nil : result
  }

  /// Keeps the terms that a predicate on (product, coefficient) picks.
  func filtered(_ isKept: (Product, Int) -> Bool) -> Polynomial {
    var result = Polynomial(0)
    result.terms = terms.filter { isKept($0.key, $0.value) }
    return result
  }

  /// The exact quotient by a single term, where every term has it as a factor.
  func divided(by divisor: Polynomial) -> Polynomial? {
    guard divisor.terms.count == 1, let (factor, scale) = divisor.terms.first, scale != 0 else {
      return nil
    }
    var result = Polynomial(0)
    for (product, coefficient) in terms {
      let (remainder, overflow) = coefficient.remainderReportingOverflow(dividingBy: scale)
      guard !overflow, remainder == 0 else { return nil }
      var rest = product
      for atom in factor {
        guard let index = rest.firstIndex(of: atom) else { return nil }
        rest.remove(at: index)
      }
      result.terms[rest] = coefficient / scale
    }
    return result
  }

  /// The greatest common divisor of all coefficients; 0 for the zero polynomial.
  var content: Int {
    terms.values.reduce(0) { Self.greatestCommonDivisor($0, $1 == Int.min ? 1 : abs($1)) }
  }

  static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return x
  }

  /// Back to a formula: longer products first, the constant last.
  var formula: SymbolicInt {
    let ordered = terms.sorted { left, right in
      if left.key.count != right.key.count { return left.key.count > right.key.count }
      for (a, b) in zip(left.key, right.key) where a != b { return Self.precedes(a, b) }
      return false
    }
    // A sum opens with a positive term where it has one: `W - 2*K`, not `-2*K + W`.
    var sorted = ordered
    if let first = sorted.first, first.value < 0,
      let positive = sorted.firstIndex(where: { $0.value > 0 && !$0.key.isEmpty })
    {
      sorted.insert(sorted.remove(at: positive), at: 0)
    }
    var result: SymbolicInt?
    for (product, coefficient) in sorted {
      let term = Self.term(product, coefficient)
      result = result.map { .add($0, term) } ?? term
    }
    return result ?? .constant(0)
  }

  private static func term(_ product: Product, _ coefficient: Int) -> SymbolicInt {
    guard var result = product.first else { return .constant(coefficient) }
    if coefficient != 1 { result = .mul(.constant(coefficient), result) }
    for atom in product.dropFirst() { result = .mul(result, atom) }
    return result
  }

  /// An order of atoms that does not depend on hashing: dimensions by name, then by kind and print.
  static func precedes(_ a: SymbolicInt, _ b: SymbolicInt) -> Bool {
    switch (a, b) {
    case (.dim(let x), .dim(let y)): return x < y
    case (.dim, _): return true
    case (_, .dim): return false
    default: return a.description < b.description
    }
  }
}
