import Diagnostics
import PythonSyntax
import TileIR

/// How a list of statements ends.
enum Flow {
  /// Control reaches the next statement.
  case falls
  /// Every path has returned.
  case returned(PyValue)
  /// Some paths have returned: the scalar int1 says whether, the value is theirs (else unused).
  case maybe(Tensor, PyValue)
}

extension Lowerer {
  /// Lowers statements in order; what follows a conditional `return` moves into the branch that
  /// does not take it.
  func execute(_ body: ArraySlice<Stmt>) throws -> Flow {
    var rest = body
    while let statement = rest.popFirst() {
      if case .if(let test, let then, let orElse) = statement.kind {
        let flow = try nested(statement.range) {
          try located { try conditional(test, then, orElse, followedBy: rest) }
        }
        if let flow { return flow }
        continue
      }
      let flow = try nested(statement.range) { try located { try execute(statement) } }
      switch flow {
      case .falls: continue
      case .returned:
        if case .return = statement.kind { return flow }
        try afterReturn(rest)
        return flow
      case .maybe(let flag, let value): return try unlessReturned(flag, value, rest)
      }
    }
    return .falls
  }

  private func execute(_ statement: Stmt) throws -> Flow {
    switch statement.kind {
    case .return(let value): return .returned(try executeReturn(value))
    case .assign(let targets, let value): try assign(targets, value)
    case .augAssign(let target, let op, let value):
      let current = try evaluate(target)
      let result = try binary(op, current, try evaluate(value))
      try assign(to: target, try sanitize(result))
    case .annAssign(let target, let annotation, let value, _):
      try annotatedAssign(target, annotation, value)
    case .for(let loop): return try executeFor(loop)
    case .while(let test, let body, let orElse): try executeWhile(test, body, orElse)
    case .expression(let expression): _ = try evaluateStatement(expression)
    case .assert(let test, let message): try executeAssert(test, message)
    case .pass: break
    case .if(let test, let then, let orElse):
      return try conditional(test, then, orElse, followedBy: []) ?? .falls
    case .function:
      throw failure("triton-unsupported-syntax", "nested function definition is not supported")
    case .error: throw failure("syntax-error", "the statement cannot be read")
    default:
      throw failure(
        "triton-unsupported-syntax",
        "Triton does not support \(Self.describe(statement)) in a kernel")
    }
    return .falls
  }

  private static func describe(_ statement: Stmt) -> String {
    switch statement.kind {
    case .break: "'break'"
    case .continue: "'continue'"
    case .import, .importFrom: "imports"
    case .with: "'with'"
    case .match: "'match'"
    case .raise: "'raise'"
    case .try: "'try'"
    case .global, .nonlocal: "'global' and 'nonlocal'"
    case .delete: "'del'"
    case .classDef: "classes"
    default: "this statement"
    }
  }

  private func evaluateStatement(_ expression: Expr) throws -> PyValue {
    if case .call(let callee, _, _) = expression.kind,
      case .attribute(_, "advance", _) = callee.kind
    {
      throw failure(
        "triton-unused-result",
        "the result of tl.advance is not used: it moves no pointer, assign its result")
    }
    return try evaluate(expression)
  }

  // MARK: Return

  private func executeReturn(_ expression: Expr?) throws -> PyValue {
    if frame.loopDepth > 0 {
      throw failure(
        "triton-unsupported-syntax",
        "cannot have 'return' statements inside 'while' or 'for' statements in triton")
    }
    let value = try decay(try expression.map(evaluate) ?? .none)
    let type = value.typeName
    if let previous = frame.returnType, previous != type {
      throw failure("triton-type-error", "inconsistent return types: \(previous) and \(type)")
    }
    frame.returnType = type
    return value
  }

  /// Constants become tensors when they leave a function.
  private func decay(_ value: PyValue) throws -> PyValue {
    switch value {
    case .tuple(let tuple):
      return .tuple(
        TupleValue(
          try tuple.elements.map { $0.isNone ? $0 : try decay($0) }, fields: tuple.fields))
    case .none, .tensor, .blockPointer, .descriptor: return value
    case .wrapped(let tensor): return .tensor(tensor)
    case .bool, .int, .float: return .tensor(try toTensor(value))
    default: throw typeError("a @triton.jit function cannot return '\(value.display)'")
    }
  }

  // MARK: Assignment

  func sanitize(_ value: PyValue) throws -> PyValue {
    switch value {
    case .tensor, .blockPointer, .descriptor, .none, .type: return value
    case .tuple(let tuple):
      return .tuple(TupleValue(try tuple.elements.map(sanitize), fields: tuple.fields))
    default: return .tensor(try toTensor(value))
    }
  }

  private func assign(_ targets: [Expr], _ value: Expr) throws {
    guard targets.count == 1 else {
      throw failure(
        "triton-unsupported-syntax", "chained assignment (a = b = …) is not supported by triton")
    }
    let result = try sanitize(try evaluate(value))
    try assign(to: targets[0], result)
  }

  func assign(to target: Expr, _ value: PyValue) throws {
    switch target.kind {
    case .name(let name): set(name, value)
    case .tuple(let elements):
      guard case .tuple(let tuple) = value else {
        throw typeError("cannot unpack '\(value.typeName)'")
      }
      guard tuple.elements.count >= elements.count else {
        throw failure(
          "triton-index-error",
          "cannot unpack \(tuple.elements.count) values into \(elements.count) names")
      }
      for (element, item) in zip(elements, tuple.elements) { try assign(to: element, item) }
    case .subscripted:
      throw failure("triton-unsupported-syntax", "__setitem__ is not supported in triton")
    case .attribute:
      throw failure("triton-unsupported-syntax", "attribute assignment is not supported in triton")
    default:
      throw failure("triton-unsupported-syntax", "triton cannot assign to this target")
    }
  }

  private func annotatedAssign(_ target: Expr, _ annotation: Expr, _ value: Expr?) throws {
    let kind = try evaluate(annotation)
    guard let value else {
      throw failure("triton-unsupported-syntax", "an annotation without a value is not supported")
    }
    guard case .type(.python("tl.constexpr")) = kind else {
      return try assign([target], value)
    }
    guard case .name(let name) = target.kind else {
      throw failure("triton-unsupported-syntax", "a constexpr is bound to one plain name")
    }
    let result = try evaluate(value)
    guard frame.locals[name] == nil else {
      throw valueError("'\(name)' is already defined; constexpr cannot be reassigned")
    }
    if case .tensor(let tensor) = result {
      frame.locals[name] = .wrapped(tensor)
    } else {
      frame.locals[name] = result
    }
  }

  private func executeAssert(_ test: Expr, _ message: Expr?) throws {
    // Without TRITON_DEBUG Triton checks the operands and emits nothing.
    let condition = try toTensor(try evaluate(test))
    let text = try message.map { try evaluate($0) }
    if keepsAssertions { try emitAssertion(condition, text ?? .string("")) }
  }

  // MARK: Code after a return

  /// Lowers statements that are never reached, for the errors Triton would report there.
  func afterReturn(_ rest: ArraySlice<Stmt>) throws {
    guard !rest.isEmpty else { return }
    let locals = frame.locals
    let definitions = frame.definitions
    let depth = builder.regionDepth
    _ = builder.beginRegion()
    defer {
      builder.discardRegions(above: depth)
      frame.locals = locals
      frame.definitions = definitions
    }
    do {
      _ = try execute(rest)
    } catch let error as Diagnostic where error.id.hasPrefix("unsupported-") {
      // Unreached: what is not supported here does no harm.
    }
  }

  /// Lowers `rest` for the paths that have not returned yet.
  func unlessReturned(_ flag: Tensor, _ value: PyValue, _ rest: ArraySlice<Stmt>) throws -> Flow {
    if rest.isEmpty { return .maybe(flag, value) }
    return try unlessReturned(flag, value) { try execute(rest) }
  }

  func unlessReturned(_ flag: Tensor, _ value: PyValue, _ work: () throws -> Flow) throws -> Flow {
    let going = try logicalNot(flag)
    let before = frame.locals
    var after = Branch()
    try capture(&after, work)
    let returned = Branch(locals: before, flow: .returned(value))
    return try join(condition: going, before: before, then: &after, otherwise: returned)
  }
}
