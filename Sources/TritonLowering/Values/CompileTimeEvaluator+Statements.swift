import PythonSyntax

extension CompileTimeEvaluator {
  enum Outcome {
    case completed
    case returned(PyValue)
    case broke
    case continued
  }

  mutating func execute(_ body: [Stmt], depth: Int) throws -> Outcome {
    guard depth < 40 else { throw error("statements nest too deeply", "unsupported-nesting") }
    for statement in body {
      try step()
      let outcome = try execute(statement, depth: depth)
      if case .completed = outcome { continue }
      return outcome
    }
    return .completed
  }

  private mutating func execute(_ statement: Stmt, depth: Int) throws -> Outcome {
    switch statement.kind {
    case .return(let value):
      return .returned(try value.map { try evaluate($0) } ?? .none)
    case .assign(let targets, let value):
      let result = try evaluate(value)
      for target in targets { try assign(target, result) }
    case .annAssign(let target, _, let value?, _): try assign(target, try evaluate(value))
    case .augAssign(let target, let op, let value):
      let current = try evaluate(target)
      try assign(target, try PyOperators.binary(op, current, try evaluate(value)))
    case .if(let test, let body, let orElse):
      return try execute(try truth(try evaluate(test)) ? body : orElse, depth: depth + 1)
    case .while(let test, let body, _):
      loop: while try truth(try evaluate(test)) {
        try step()
        switch try execute(body, depth: depth + 1) {
        case .returned(let value): return .returned(value)
        case .broke: break loop
        case .completed, .continued: continue
        }
      }
    case .for(let loop):
      iteration: for item in try items(try evaluate(loop.iterable)) {
        try step()
        try assign(loop.target, item)
        switch try execute(loop.body, depth: depth + 1) {
        case .returned(let value): return .returned(value)
        case .broke: break iteration
        case .completed, .continued: continue
        }
      }
    case .expression(let expression):
      // `list.append(x)` changes a local in place; anything else has no effect here.
      if case .call(let callee, let arguments, _) = expression.kind,
        case .attribute(let base, "append", _) = callee.kind, case .name(let name) = base.kind,
        case .tuple(var tuple)? = locals[name], let argument = arguments.first
      {
        guard tuple.elements.count < Limits.tupleElements else {
          throw error("a list grows too long", "unsupported-compile-time-value")
        }
        tuple.elements.append(try evaluate(argument))
        locals[name] = .tuple(tuple)
      } else {
        _ = try evaluate(expression)
      }
    case .assert(let test, _):
      if try !truth(try evaluate(test)) { throw error("assertion fails", "triton-assertion") }
    case .break: return .broke
    case .continue: return .continued
    case .pass, .import, .importFrom, .global, .annAssign: break
    case .raise: throw error("the function raises an exception")
    default: throw error("statement is not evaluated at compile time")
    }
    return .completed
  }

  mutating func assign(_ target: Expr, _ value: PyValue) throws {
    switch target.kind {
    case .name(let name): locals[name] = value
    case .tuple(let targets), .list(let targets):
      let values = try items(value)
      guard values.count == targets.count else { throw error("cannot unpack") }
      for (target, value) in zip(targets, values) { try assign(target, value) }
    case .subscripted(let base, let index):
      guard case .name(let name) = base.kind, case .dict(var dict)? = locals[name] else {
        throw error("assignment is not evaluated at compile time")
      }
      dict[try evaluate(index).display] = value
      locals[name] = .dict(dict)
    default: throw error("assignment is not evaluated at compile time")
    }
  }
}
