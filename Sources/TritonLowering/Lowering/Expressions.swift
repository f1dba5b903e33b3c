import Diagnostics
import PythonSyntax
import TileIR

extension Lowerer {
  func evaluate(_ expression: Expr) throws -> PyValue {
    try nested(expression.range) { try located { try evaluateKind(expression) } }
  }

  private func evaluateKind(_ expression: Expr) throws -> PyValue {
    switch expression.kind {
    case .constant(let constant): return try CompileTimeEvaluator.constant(constant)
    case .name(let name): return try lookUp(name)
    case .attribute(let base, let name, _): return try attribute(try evaluate(base), name)
    case .binary(let left, let op, let right):
      let a = try evaluate(left)
      let b = try evaluate(right)
      return try binary(op, a, b)
    case .unary(let op, let operand): return try unary(op, try evaluate(operand))
    case .boolOp(let op, let values): return try boolOp(op, values)
    case .compare(let left, let operators, let others):
      guard operators.count == 1, others.count == 1 else {
        throw failure(
          "triton-unsupported-syntax", "simultaneous multiple comparison is not supported")
      }
      let a = try evaluate(left)
      return try compare(operators[0], a, try evaluate(others[0]))
    case .conditional(let test, let body, let orElse):
      return try conditional(test, body, orElse)
    case .tuple(let elements), .list(let elements):
      var values: [PyValue] = []
      for element in elements { values.append(try evaluate(element)) }
      return .tuple(TupleValue(values))
    case .subscripted(let base, let index):
      let value = try evaluate(base)
      return try subscripted(value, try evaluateIndex(index))
    case .call(let callee, let arguments, let keywords):
      return try call(callee, arguments, keywords)
    case .joinedString(let parts): return .string(try formatted(parts))
    case .formattedValue(let value, _, _): return .string(try evaluate(value).display)
    case .listComprehension(let element, let clauses):
      return try comprehension(element, clauses)
    case .slice(let lower, let upper, let step):
      func part(_ part: Expr?) throws -> PyValue { try part.map(evaluate) ?? .none }
      return .slice(try part(lower), try part(upper), try part(step))
    case .error:
      throw failure("syntax-error", "the expression cannot be read")
    default:
      throw failure(
        "triton-unsupported-syntax",
        "Triton does not support \(Self.describe(expression)) in a kernel")
    }
  }

  private static func describe(_ expression: Expr) -> String {
    switch expression.kind {
    case .lambda: "lambda expressions"
    case .dict, .dictComprehension: "dictionaries"
    case .set, .setComprehension: "sets"
    case .generator: "generator expressions"
    case .named: "':=' assignments"
    case .starred: "'*' expressions"
    case .await, .yield, .yieldFrom: "coroutines"
    default: "this expression"
    }
  }

  private func evaluateIndex(_ index: Expr) throws -> PyValue {
    if case .tuple(let elements) = index.kind {
      var values: [PyValue] = []
      for element in elements { values.append(try evaluate(element)) }
      return .tuple(TupleValue(values))
    }
    return try evaluate(index)
  }

  private func formatted(_ parts: [Expr]) throws -> String {
    var text = ""
    for part in parts {
      if case .formattedValue(let value, _, _) = part.kind {
        let evaluated = try evaluate(value)
        if evaluated.tensor != nil {
          throw failure(
            "triton-unsupported-syntax", "an f-string can only show compile-time values")
        }
        text += evaluated.display
      } else {
        text += try evaluate(part).display
      }
    }
    return text
  }

  private func comprehension(_ element: Expr, _ clauses: [Comprehension]) throws -> PyValue {
    guard clauses.count == 1, let clause = clauses.first else {
      throw failure("triton-value-error", "nested comprehensions are not supported")
    }
    guard case .tuple(let items) = try evaluate(clause.iterable) else {
      throw failure("triton-value-error", "only tuple comprehensions are supported")
    }
    guard case .name(let name) = clause.target.kind else {
      throw failure("triton-unsupported-syntax", "a comprehension binds one plain name")
    }
    var results: [PyValue] = []
    for item in items.elements {
      set(name, item)
      results.append(try evaluate(element))
    }
    return .tuple(TupleValue(results))
  }

  // MARK: Names

  func set(_ name: String, _ value: PyValue) {
    frame.locals[name] = value
    frame.definitions[name] = value
    frame.assignments[name] = here
    if case .tensor(let tensor) = value { builder.nameValue(tensor.value, name) }
    if case .blockPointer(let handle, _, _) = value { builder.nameValue(handle, name) }
  }

  /// The functions Triton makes visible in every kernel.
  private static let kernelBuiltins: Set<String> = [
    "len", "list", "range", "float", "int", "isinstance", "getattr", "hasattr", "print", "min",
    "max",
  ]

  /// A module's global, evaluated once per lowering.
  private func global(_ name: String, in scope: ModuleScope) -> ModuleScope.Global? {
    if let known = globals[ObjectIdentifier(scope)]?[name] { return known }
    guard let found = scope.global(name) else { return nil }
    globals[ObjectIdentifier(scope), default: [:]][name] = found
    return found
  }

  func lookUp(_ name: String) throws -> PyValue {
    if let local = frame.locals[name] {
      if case .poison = local {
        throw unsupported(
          "loop-variable", "'\(name)' is read after its loop, where Triton leaves it undefined")
      }
      return local
    }
    let scope = frame.reference.scope
    if let global = global(name, in: scope) {
      if global.isReadableInKernels { return global.value }
      if case .foreign(let path) = global.value {
        throw unknownSource(name, path)
      }
      throw failure(
        "triton-name-error",
        "cannot access global variable '\(name)' from a @triton.jit function: only constexpr "
          + "globals (x = tl.constexpr(42)) can be read")
    }
    if let bindings = scope.bindings[name] {
      for case .member(let module, let member) in bindings where TritonNames.module(module) != nil {
        throw failure(
          "triton-import-error", "cannot import name '\(member)' from '\(module)' in triton 3.6")
      }
      throw unsupported("global", "the global '\(name)' cannot be evaluated here")
    }
    if Self.kernelBuiltins.contains(name) { return .builtin("python.\(name)") }
    throw failure("triton-name-error", "name '\(name)' is not defined")
  }

  /// The error for something of a file that was not found.
  func unknownSource(_ name: String, _ path: String) -> Diagnostic {
    var error = unsupported(
      "import", "'\(name)' comes from '\(path)', whose source is not at hand")
    if frame.reference.scope.tree.importer != nil {
      error.nextStep =
        "put its file where the import finds it: beside the module or in a folder above"
    }
    return error
  }

  // MARK: Operators

  func compare(_ op: CompareOperator, _ left: PyValue, _ right: PyValue) throws -> PyValue {
    switch op {
    case .is, .isNot: return try PyOperators.compare(op, left, right)
    case .in, .notIn:
      throw failure("triton-unsupported-syntax", "'\(op.rawValue)' is not supported")
    default: break
    }
    guard left.isRunTime || right.isRunTime else {
      try refuseWrapped(left, right)
      return try PyOperators.compare(op, left, right)
    }
    let predicate: ComparePredicate =
      switch op {
      case .equal: .eq
      case .notEqual: .ne
      case .less: .lt
      case .lessEqual: .le
      case .greater: .gt
      default: .ge
      }
    // Triton turns both sides into tensors first, so constants count in full in promotion.
    return .tensor(
      try compare(predicate, .tensor(try toTensor(left)), .tensor(try toTensor(right))))
  }

  func binary(_ op: BinaryOperator, _ left: PyValue, _ right: PyValue) throws -> PyValue {
    if op == .matMul {
      throw failure("triton-unsupported-syntax", "operator '@' is not supported; use tl.dot")
    }
    guard left.isRunTime || right.isRunTime else {
      try refuseWrapped(left, right)
      return try PyOperators.binary(op, left, right)
    }
    if case .tuple = left {
      throw typeError("operator '\(op.rawValue)' mixes a tuple and a tensor")
    }
    switch op {
    case .add: return .tensor(try add(left, right))
    case .sub: return .tensor(try subtract(left, right))
    case .mul: return .tensor(try multiply(left, right))
    case .div: return .tensor(try trueDivide(left, right))
    case .floorDiv: return .tensor(try floorDivide(left, right))
    case .mod: return .tensor(try remainder(left, right))
    case .bitAnd: return .tensor(try bitwise(.and, left, right))
    case .bitOr: return .tensor(try bitwise(.or, left, right))
    case .bitXor: return .tensor(try bitwise(.xor, left, right))
    case .leftShift: return .tensor(try bitwise(.shl, left, right))
    case .rightShift:
      let own = left.isRunTime ? left : right
      let logical = own.tensor.map { !$0.element.isSignedInteger } ?? false
      return .tensor(try shiftRight(left, right, logical: logical))
    case .pow, .matMul:
      throw failure("triton-attribute-error", "'tensor' object has no attribute '__pow__'")
    }
  }

  private func refuseWrapped(_ left: PyValue, _ right: PyValue) throws {
    for value in [left, right] {
      if case .wrapped = value {
        throw valueError("a constexpr that wraps a tensor takes part in no operation")
      }
      if case .blockPointer = value {
        throw typeError("a block pointer takes part in no operation")
      }
    }
  }

  func unary(_ op: UnaryOperator, _ operand: PyValue) throws -> PyValue {
    guard case .tensor(let tensor) = operand else { return try PyOperators.unary(op, operand) }
    switch op {
    case .minus: return .tensor(try negate(tensor))
    case .invert: return .tensor(try invert(tensor))
    case .not: return .tensor(try logicalNot(tensor))
    case .plus:
      throw failure("triton-attribute-error", "'tensor' object has no attribute '__pos__'")
    }
  }

  private func boolOp(_ op: BoolOperator, _ values: [Expr]) throws -> PyValue {
    var tensors: [Tensor] = []
    var last = PyValue.none
    for expression in values {
      let value = try evaluate(expression)
      last = value
      if case .tensor(let tensor) = value {
        tensors.append(tensor)
      } else {
        guard let truth = value.truth else {
          throw typeError("'\(value.typeName)' has no truth value")
        }
        // A constant that decides is the result; one that does not leaves no trace.
        if truth == (op == .or) { return value }
      }
    }
    guard var result = tensors.popLast() else { return last }
    while let left = tensors.popLast() {
      result = try logical(op == .and ? .and : .or, left, result)
    }
    return .tensor(result)
  }

  private func conditional(_ test: Expr, _ body: Expr, _ orElse: Expr) throws -> PyValue {
    let condition = try evaluate(test)
    guard case .tensor(let tensor) = condition else {
      return try evaluate(try staticCondition(condition) ? body : orElse)
    }
    guard !tensor.isBlock else {
      throw failure(
        "triton-unsupported-syntax", "the condition of a ternary must be a scalar; use tl.where")
    }
    let bit = try cast(tensor, to: .int1)
    func branch(_ expression: Expr) throws -> (Tensor, Region) {
      let outer = builder.regionDepth
      _ = builder.beginRegion()
      do {
        let value = try toTensor(try evaluate(expression))
        builder.emit(.yield, [value.value])
        return (value, builder.endRegion())
      } catch {
        builder.discardRegions(above: outer)
        throw error
      }
    }
    let (then, thenRegion) = try branch(body)
    let (other, elseRegion) = try branch(orElse)
    guard then.type == other.type else {
      throw failure(
        "triton-type-error",
        "ternary expression with dynamic condition has inconsistent types \(then.type) and \(other.type)"
      )
    }
    let results = builder.emit(
      .ifElse, [bit.value], results: [.tile(then.type)], regions: [thenRegion, elseRegion])
    return .tensor(Tensor(results[0], then.type))
  }

  /// The truth of a compile-time condition; Triton takes bool, int and None only.
  func staticCondition(_ condition: PyValue) throws -> Bool {
    switch condition {
    case .bool(let value): return value
    case .int(let value): return value != 0
    case .none: return false
    default:
      throw failure(
        "triton-unsupported-syntax",
        "conditionals can only accept values of type {bool, int, NoneType}, not '\(condition.typeName)'"
      )
    }
  }
}

extension PyValue {
  var isRunTime: Bool { if case .tensor = self { true } else { false } }
}
