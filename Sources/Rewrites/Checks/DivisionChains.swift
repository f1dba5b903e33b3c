import Diagnostics
import PythonSyntax
import TritonLowering

/// A product of parameters and a positive constant: a divisor.
struct Monomial: Hashable {
  var coefficient = 1
  /// Exponents above zero.
  var powers: [String: Int] = [:]

  static let one = Monomial()
  var isOne: Bool { coefficient == 1 && powers.isEmpty }

  func times(_ other: Monomial) -> Monomial? {
    let (product, overflow) = coefficient.multipliedReportingOverflow(by: other.coefficient)
    guard !overflow else { return nil }
    return Monomial(
      coefficient: product, powers: powers.merging(other.powers) { $0 + $1 })
  }

  /// The exact quotient; nil where the other does not divide this.
  func divided(by other: Monomial) -> Monomial? {
    guard coefficient % other.coefficient == 0 else { return nil }
    var rest = Monomial(coefficient: coefficient / other.coefficient, powers: powers)
    for (name, power) in other.powers {
      let left = (rest.powers[name] ?? 0) - power
      guard left >= 0 else { return nil }
      rest.powers[name] = left == 0 ? nil : left
    }
    return rest
  }

  /// As Python writes it, in parentheses where it is a product.
  var text: String {
    var factors = coefficient == 1 ? [] : [String(coefficient)]
    for (name, power) in powers.sorted(by: { $0.key < $1.key }) {
      factors += Array(repeating: name, count: power)
    }
    if factors.isEmpty { return "1" }
    return factors.count == 1 ? factors[0] : "(" + factors.joined(separator: " * ") + ")"
  }
}

/// The divisions and remainders of one kernel, seen as digits of their common dividend.
///
/// `x // a % b` is the digit of `x` between the places `a` and `a·b`. With truncating division
/// `x // (a·b)` is `x // a // b`, and `x % (a·b) // a` is `x // a % b`; so all digits of one
/// dividend need only one division for each place.
struct DivisionChains {
  /// What an expression is: digits `lower ..< upper` of `root`; a nil upper place is unbounded.
  struct Digit: Hashable {
    var root: String
    var lower: Monomial
    var upper: Monomial?
  }

  struct Occurrence {
    let expression: Expr
    let digit: Digit
  }

  let function: JITFunction
  /// Names with exactly one plain assignment, and what is assigned.
  private let definitions: [String: Expr]
  private let stable: Set<String>
  private let parameters: Set<String>
  private let constants: Set<String>
  /// Largest digit expressions, in source order.
  private(set) var occurrences: [Occurrence] = []

  /// How deep names are replaced by what they stand for; each step may double an expression.
  private static let expansionLimit = 12

  init?(of function: JITFunction) {
    guard NestingLimit.holds(for: function.definition) else { return nil }
    self.function = function
    var counts: [String: Int] = [:]
    var values: [String: Expr] = [:]
    function.definition.body.forEachStatement { statement in
      for (name, _) in statement.boundNames { counts[name, default: 0] += 1 }
      if case .assign(let targets, let value) = statement.kind, targets.count == 1,
        let name = targets[0].bareName
      {
        values[name] = value
      }
    }
    function.definition.body.forEachExpression { expression in
      if case .named(let target, _) = expression.kind, let name = target.bareName {
        counts[name, default: 0] += 2
      }
    }
    let parameters = Set(function.parameters.map(\.name)).filter { counts[$0] == nil }
    self.parameters = parameters
    constants = Set(function.parameters.filter(\.isConstexpr).map(\.name))
    definitions = values.filter { counts[$0.key] == 1 }
    stable = parameters.union(counts.filter { $0.value == 1 }.map(\.key))
    var inner: Set<ObjectIdentifier> = []
    var found: [Occurrence] = []
    function.definition.body.forEachExpression { expression in
      guard case .binary(let left, let op, _) = expression.kind, op == .floorDiv || op == .mod,
        !inner.contains(ObjectIdentifier(expression)), let digit = digit(of: expression)
      else { return }
      // What stands inside is written anew with the whole.
      var next = left
      while case .binary(let deeper, let op, _) = next.kind, op == .floorDiv || op == .mod {
        inner.insert(ObjectIdentifier(next))
        next = deeper
      }
      found.append(Occurrence(expression: expression, digit: digit))
    }
    occurrences = found
  }

  /// A divisor as a product of parameters; nil where it is anything else.
  func monomial(of expression: Expr, depth: Int = 0) -> Monomial? {
    guard depth < Self.expansionLimit else { return nil }
    if let value = expression.integerValue {
      return value > 0 ? Monomial(coefficient: value) : nil
    }
    switch expression.kind {
    case .name(let name):
      if parameters.contains(name) { return Monomial(powers: [name: 1]) }
      return definitions[name].flatMap { monomial(of: $0, depth: depth + 1) }
    case .binary(let left, .mul, let right):
      guard let first = monomial(of: left, depth: depth + 1),
        let second = monomial(of: right, depth: depth + 1)
      else { return nil }
      return first.times(second)
    default: return nil
    }
  }

  func digit(of expression: Expr, depth: Int = 0) -> Digit? {
    guard depth < 64 else { return nil }
    switch expression.kind {
    case .name(let name):
      guard stable.contains(name) else { return nil }
      if let value = definitions[name] {
        switch value.kind {
        case .name, .binary(_, .floorDiv, _), .binary(_, .mod, _):
          if let known = digit(of: value, depth: depth + 1) { return known }
        default: break
        }
      }
      return Digit(root: name, lower: .one, upper: nil)
    case .binary(let left, let op, let right) where op == .floorDiv || op == .mod:
      guard let divisor = monomial(of: right), !divisor.isOne,
        var digit = digit(of: left, depth: depth + 1), let place = digit.lower.times(divisor)
      else { return nil }
      if let upper = digit.upper, upper.divided(by: place) == nil { return nil }
      if op == .floorDiv { digit.lower = place } else { digit.upper = place }
      if digit.lower == digit.upper { return nil }  // always zero: leave it alone
      return digit
    default: return nil
    }
  }

  /// The divisions the compiler is left with: it pairs a quotient and a remainder of the same
  /// operands and merges equal expressions, and knows nothing more.
  var cost: Int {
    var divisions: Set<String> = []
    function.definition.body.forEachExpression { expression in
      if case .binary(let left, let op, let right) = expression.kind,
        op == .floorDiv || op == .mod, !isConstant(right)
      {
        divisions.insert("\(key(left, 0)) / \(key(right, 0))")
      }
    }
    return divisions.count
  }

  private func isConstant(_ divisor: Expr) -> Bool {
    monomial(of: divisor).map { constants.isSuperset(of: $0.powers.keys) } ?? false
  }

  /// A text that is equal for expressions the compiler sees as one value.
  func key(_ expression: Expr, _ depth: Int = 0) -> String {
    if let product = monomial(of: expression) { return product.text }
    switch expression.kind {
    case .name(let name):
      guard depth < Self.expansionLimit, let value = definitions[name] else { return name }
      switch value.kind {
      case .name, .binary(_, .floorDiv, _), .binary(_, .mod, _): return key(value, depth + 1)
      default: return name
      }
    case .binary(let left, let op, let right) where depth < Self.expansionLimit:
      return "(\(key(left, depth + 1)) \(op.rawValue) \(key(right, depth + 1)))"
    default: return "@\(expression.range)"
    }
  }

  /// The places of each root in ascending order, for roots whose places divide one another.
  func places() -> [String: [Monomial]] {
    var found: [String: Set<Monomial>] = [:]
    for occurrence in occurrences {
      let digit = occurrence.digit
      if !digit.lower.isOne { found[digit.root, default: []].insert(digit.lower) }
      if let upper = digit.upper { found[digit.root, default: []].insert(upper) }
    }
    var chains: [String: [Monomial]] = [:]
    for (root, places) in found {
      var rest = places
      var chain: [Monomial] = []
      while let next = rest.first(where: { candidate in
        rest.allSatisfy { $0.divided(by: candidate) != nil }
      }) {
        chain.append(next)
        rest.remove(next)
      }
      if rest.isEmpty { chains[root] = chain }
    }
    return chains
  }

  /// The digit written with one division for each place; nil where it spans several places above.
  /// - Returns: the text, and the key the compiler's view of it has.
  func form(of digit: Digit, places: [Monomial]) -> (text: String, key: String)? {
    var text = digit.root
    var key = digit.root
    var previous = Monomial.one
    for place in places {
      guard previous != digit.lower else { break }
      guard let factor = place.divided(by: previous) else { return nil }
      text += " // \(factor.text)"
      key = "(\(key) // \(factor.text))"
      previous = place
    }
    guard previous == digit.lower else { return nil }
    guard let upper = digit.upper else { return (text, key) }
    let next =
      previous.isOne
      ? places.first
      : places.firstIndex(of: previous).flatMap {
        $0 + 1 < places.count ? places[$0 + 1] : nil
      }
    guard next == upper, let factor = upper.divided(by: previous) else { return nil }
    return (text + " % \(factor.text)", "(\(key) % \(factor.text))")
  }
}
