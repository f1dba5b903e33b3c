import PythonSyntax
import TileIR

/// Evaluates plain Python over compile-time values: module constants, `@triton.constexpr_function`,
/// heuristics, autotune configs. Nothing outside it runs, and it ends on every input.
struct CompileTimeEvaluator {
  let scope: ModuleScope
  var locals: [String: PyValue] = [:]
  var callDepth = 0
  let budget: Budget

  /// What nested evaluations share, so that all of them together end.
  final class Budget {
    var left = 200_000
    /// Expressions being evaluated inside each other, through calls and globals.
    var depth = 0
    /// Globals being resolved, to refuse those defined by themselves.
    var active: Set<Global> = []
  }

  struct Global: Hashable {
    let scope: ObjectIdentifier
    let name: String
  }

  init(
    scope: ModuleScope, budget: Budget = Budget(), locals: [String: PyValue] = [:]
  ) {
    self.scope = scope
    self.budget = budget
    self.locals = locals
  }

  static let maximumDepth = 60

  func error(_ message: String, _ id: String = "triton-compile-time-error") -> EvaluationError {
    EvaluationError(id, message)
  }

  mutating func step() throws {
    budget.left -= 1
    if budget.left < 0 {
      throw error("compile-time evaluation does not end", "unsupported-compile-time-value")
    }
  }

  // MARK: Expressions

  mutating func evaluate(_ expression: Expr, depth: Int = 0) throws -> PyValue {
    try step()
    guard depth < 200, budget.depth < 1000 else {
      throw error("expression nests too deeply", "unsupported-nesting")
    }
    budget.depth += 1
    defer { budget.depth -= 1 }
    let next = depth + 1
    switch expression.kind {
    case .constant(let constant): return try Self.constant(constant)
    case .name(let name): return try lookUp(name)
    case .attribute(let base, let name, _):
      return try attribute(try evaluate(base, depth: next), name)
    case .binary(let left, let op, let right):
      let a = try evaluate(left, depth: next)
      return try PyOperators.binary(op, a, try evaluate(right, depth: next))
    case .unary(let op, let operand):
      return try PyOperators.unary(op, try evaluate(operand, depth: next))
    case .boolOp(let op, let values):
      var result = PyValue.none
      for value in values {
        result = try evaluate(value, depth: next)
        if try truth(result) != (op == .and) { return result }
      }
      return result
    case .compare(let first, let operators, let others):
      var left = try evaluate(first, depth: next)
      for (op, other) in zip(operators, others) {
        let right = try evaluate(other, depth: next)
        let holds = try PyOperators.compare(op, left, right)
        if holds.truth == false { return holds }
        left = right
      }
      return .bool(true)
    case .conditional(let test, let body, let orElse):
      return try evaluate(
        try truth(try evaluate(test, depth: next)) ? body : orElse, depth: next)
    case .tuple(let elements), .list(let elements), .set(let elements):
      return .tuple(TupleValue(try list(elements, depth: next)))
    case .dict(let keys, let values):
      var result: [String: PyValue] = [:]
      for (key, value) in zip(keys, values) {
        let evaluated = try evaluate(value, depth: next)
        if let key {
          result[try evaluate(key, depth: next).display] = evaluated
        } else if case .dict(let other) = evaluated {
          result.merge(other) { $1 }
        }
      }
      return .dict(result)
    case .subscripted(let base, let index):
      return try Self.subscript(
        try evaluate(base, depth: next), try evaluate(index, depth: next))
    case .slice(let lower, let upper, let step):
      func part(_ part: Expr?) throws -> PyValue {
        try part.map { try evaluate($0, depth: next) } ?? .none
      }
      return .slice(try part(lower), try part(upper), try part(step))
    case .call(let callee, let arguments, let keywords):
      return try call(expression, callee, arguments, keywords, depth: next)
    case .lambda: return .lambda(scope, expression, locals)
    case .joinedString(let parts):
      return .string(try parts.map { try evaluate($0, depth: next).display }.joined())
    case .formattedValue(let value, _, _):
      return .string(try evaluate(value, depth: next).display)
    case .listComprehension(let element, let clauses), .generator(let element, let clauses),
      .setComprehension(let element, let clauses):
      var results: [PyValue] = []
      try comprehend(clauses[...], depth: next) { evaluator in
        guard results.count < Limits.tupleElements else {
          throw evaluator.error("a comprehension grows too long", "unsupported-compile-time-value")
        }
        results.append(try evaluator.evaluate(element, depth: next))
      }
      return .tuple(TupleValue(results))
    case .named(let target, let value):
      let result = try evaluate(value, depth: next)
      try assign(target, result)
      return result
    default: throw error("expression is not evaluated at compile time")
    }
  }

  private mutating func list(_ elements: [Expr], depth: Int) throws -> [PyValue] {
    var values: [PyValue] = []
    for element in elements {
      if case .starred(let inner) = element.kind {
        guard case .tuple(let tuple) = try evaluate(inner, depth: depth) else {
          throw error("cannot unpack")
        }
        values += tuple.elements
      } else {
        values.append(try evaluate(element, depth: depth))
      }
    }
    return values
  }

  private mutating func comprehend(
    _ clauses: ArraySlice<Comprehension>, depth: Int,
    _ body: (inout CompileTimeEvaluator) throws -> Void
  ) throws {
    guard let clause = clauses.first else { return try body(&self) }
    guard depth < 200 else { throw error("expression nests too deeply", "unsupported-nesting") }
    for item in try items(try evaluate(clause.iterable, depth: depth)) {
      try step()
      try assign(clause.target, item)
      var wanted = true
      for condition in clause.conditions where wanted {
        wanted = try truth(try evaluate(condition, depth: depth))
      }
      if wanted { try comprehend(clauses.dropFirst(), depth: depth + 1, body) }
    }
  }

  func items(_ value: PyValue) throws -> [PyValue] {
    switch value {
    case .tuple(let tuple): return tuple.elements
    case .string(let text): return text.map { .string(String($0)) }
    case .dict(let dict): return dict.keys.sorted().map { .string($0) }
    default: throw error("'\(value.typeName)' is not iterable")
    }
  }

  func truth(_ value: PyValue) throws -> Bool {
    guard let truth = value.truth else { throw error("'\(value.typeName)' has no truth value") }
    return truth
  }

  static func constant(_ constant: Constant) throws -> PyValue {
    switch constant {
    case .none, .ellipsis: return .none
    case .bool(let value): return .bool(value)
    case .int(let literal):
      if let value = literal.value { return .int(Int128(value)) }
      guard let value = Int128(literal.hexDigits, radix: 16) else {
        throw EvaluationError("unsupported-integer-size", "an integer literal exceeds 127 bits")
      }
      return .int(value)
    case .float(let value): return .float(value)
    case .string(let literal): return .string(literal.value)
    case .imaginary, .bytes:
      throw EvaluationError("triton-type-error", "a literal of this type has no use in a kernel")
    }
  }

  func lookUp(_ name: String) throws -> PyValue {
    if let local = locals[name] { return local }
    if let global = scope.global(name, budget) { return global.value }
    if Self.pythonBuiltins.contains(name) { return .builtin("python.\(name)") }
    throw error("name '\(name)' is not known at compile time", "triton-name-error")
  }

  static let pythonBuiltins: Set<String> = [
    "len", "range", "min", "max", "abs", "int", "float", "bool", "str", "round", "sum", "any",
    "all", "isinstance", "tuple", "list", "dict", "enumerate", "zip", "sorted", "reversed", "pow",
    "getattr", "hasattr", "print",
  ]

  func attribute(_ base: PyValue, _ name: String) throws -> PyValue {
    switch base {
    case .module(let module):
      if let found = TritonNames.attribute(name, of: module) { return found }
      throw error("module '\(module)' has no attribute '\(name)'", "triton-attribute-error")
    case .importedModule(let scope):
      if let found = scope.member(name, budget) { return found.value }
      throw error(
        "'\(scope.source.name)' has no attribute '\(name)'", "triton-attribute-error")
    case .foreign(let path):
      let member = "\(path).\(name)"
      return TritonNames.foreignConstant(member) ?? .foreign(member)
    case .symbol(let path): return .symbol("\(path).\(name)")
    case .type(let type):
      if let value = TypeAttributes.value(of: name, on: type) { return value }
      return .method(base, name)
    case .dict(let dict):
      if let value = dict[name] { return value }
      return .method(base, name)
    default: return .method(base, name)
    }
  }

  static func `subscript`(_ base: PyValue, _ index: PyValue) throws -> PyValue {
    switch (base, index) {
    case (.dict(let dict), _):
      guard let value = dict[index.display] else {
        throw EvaluationError("triton-key-error", "key '\(index.display)' is missing")
      }
      return value
    case (.tuple(let tuple), .slice(let lower, let upper, let step)):
      return .tuple(
        TupleValue(try sliced(tuple.elements, lower: lower, upper: upper, step: step)))
    case (.tuple(let tuple), _):
      guard let position = index.int64 else { break }
      let count = tuple.elements.count
      let place = position < 0 ? position &+ count : position
      guard tuple.elements.indices.contains(place) else {
        throw EvaluationError("triton-index-error", "tuple index \(position) is out of range")
      }
      return tuple.elements[place]
    case (.string(let text), _):
      guard let position = index.int64 else { break }
      let characters = Array(text)
      let place = position < 0 ? position &+ characters.count : position
      guard characters.indices.contains(place) else {
        throw EvaluationError("triton-index-error", "string index \(position) is out of range")
      }
      return .string(String(characters[place]))
    default: break
    }
    throw EvaluationError("triton-type-error", "'\(base.typeName)' cannot be indexed")
  }

  private static func sliced(
    _ elements: [PyValue], lower: PyValue, upper: PyValue, step: PyValue
  ) throws -> [PyValue] {
    let count = elements.count
    let stride = step.isNone ? 1 : step.int64 ?? 0
    guard stride != 0, lower.isNone || lower.int64 != nil, upper.isNone || upper.int64 != nil
    else { throw EvaluationError("triton-value-error", "slice parts must be constant integers") }
    func clamp(_ value: PyValue, _ fallback: Int) -> Int {
      guard let raw = value.int64 else { return fallback }
      let moved = raw < 0 ? raw &+ count : raw
      return stride > 0 ? min(max(moved, 0), count) : min(max(moved, -1), count - 1)
    }
    var result: [PyValue] = []
    var index = clamp(lower, stride > 0 ? 0 : count - 1)
    let end = clamp(upper, stride > 0 ? count : -1)
    while stride > 0 ? index < end : index > end {
      result.append(elements[index])
      let (sum, overflow) = index.addingReportingOverflow(stride)
      if overflow { break }
      index = sum
    }
    return result
  }
}
