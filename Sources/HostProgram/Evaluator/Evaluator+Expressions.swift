import Diagnostics
import PythonSyntax

extension Evaluator {
  func evaluate(_ expression: Expr, _ scope: Scope) throws -> Value {
    try step()
    nesting += 1
    defer { nesting -= 1 }
    if nesting > limits.nesting {
      throw refuse("the code nests too deeply", at: expression.range, id: "host-limit")
    }
    switch expression.kind {
    case .name(let name): return try lookup(name, scope, expression.range)
    case .constant(let constant): return try value(of: constant, at: expression.range)
    case .attribute(let object, let name, _):
      let owner = try evaluate(object, scope)
      here = expression.range
      return try attribute(owner, name)
    case .call(let callee, let arguments, let keywords):
      return try evaluateCall(expression, callee, arguments, keywords, scope)
    case .binary(let left, let op, let right):
      let first = try evaluate(left, scope)
      let second = try evaluate(right, scope)
      here = expression.range
      return try binary(op, first, second)
    case .unary(let op, let operand):
      let value = try evaluate(operand, scope)
      here = expression.range
      return try unary(op, value)
    case .boolOp(let op, let operands): return try evaluateBoolOp(op, operands, scope)
    case .compare(let left, let ops, let comparators):
      return try evaluateCompare(left, ops, comparators, scope, expression.range)
    case .conditional(let test, let body, let orElse):
      let condition = try evaluate(test, scope)
      here = test.range
      return try evaluate(try truth(condition) ? body : orElse, scope)
    case .subscripted(let object, let index):
      let owner = try evaluate(object, scope)
      if case .kernel(let kernel) = owner {
        let grid = try evaluate(index, scope)
        return .boundKernel(kernel, grid: GridBinding(grid, range: index.range))
      }
      let key = try evaluate(index, scope)
      here = expression.range
      return try item(owner, key)
    case .tuple(let elements): return .makeTuple(try evaluateElements(elements, scope))
    case .list(let elements): return .makeList(try evaluateElements(elements, scope))
    case .set(let elements):
      return .set(try makeSet(try evaluateElements(elements, scope)))
    case .dict(let keys, let values): return .dict(try evaluateDict(keys, values, scope))
    case .slice(let lower, let upper, let step):
      return .slice(
        SliceObject(
          try lower.map { try evaluate($0, scope) } ?? Value.none,
          try upper.map { try evaluate($0, scope) } ?? Value.none,
          try step.map { try evaluate($0, scope) } ?? Value.none))
    case .lambda(let parameters, let body):
      return .function(
        try makeFunction(
          "<lambda>", parameters, [], body, scope, expression.range, isGenerator: false))
    case .named(let target, let inner):
      let value = try evaluate(inner, scope)
      var holder = scope
      while holder.kind == .comprehension, let parent = holder.parent { holder = parent }
      try assign(value, to: target, holder)
      return value
    case .joinedString(let parts): return .string(try evaluateJoined(parts, scope))
    case .formattedValue(let inner, let conversion, let spec):
      return .string(try evaluateFormatted(inner, conversion, spec, scope))
    case .listComprehension(let element, let clauses):
      return .makeList(try comprehend(clauses, scope) { try self.evaluate(element, $0) })
    case .setComprehension(let element, let clauses):
      return .set(try makeSet(try comprehend(clauses, scope) { try self.evaluate(element, $0) }))
    case .generator(let element, let clauses):
      return .iterator(
        IteratorObject(try comprehend(clauses, scope) { try self.evaluate(element, $0) }))
    case .dictComprehension(let key, let value, let clauses):
      let dict = DictObject()
      _ = try comprehend(clauses, scope) { inner in
        let keyValue = try self.evaluate(key, inner)
        dict[try self.hashKey(keyValue)] = (keyValue, try self.evaluate(value, inner))
        return .none
      }
      return .dict(dict)
    case .starred:
      throw refuse("a starred expression cannot stand here", at: expression.range)
    case .yield(let inner):
      let value = try inner.map { try evaluate($0, scope) } ?? Value.none
      try functionScope(scope).yielded.append(value)
      return .none
    case .yieldFrom(let inner):
      let values = try items(try evaluate(inner, scope))
      try functionScope(scope).yielded.append(contentsOf: values)
      return .none
    case .await:
      throw refuse("'await' is not modelled", at: expression.range)
    case .error:
      throw refuse("this expression does not parse", at: expression.range, id: "syntax-error")
    }
  }

  private func functionScope(_ scope: Scope) throws -> Scope {
    var current: Scope? = scope
    while let candidate = current {
      if candidate.kind == .function { return candidate }
      current = candidate.parent
    }
    throw raise("SyntaxError", "'yield' outside function")
  }

  private func value(of constant: Constant, at range: SourceRange) throws -> Value {
    switch constant {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .ellipsis: return .ellipsis
    case .int(let literal):
      guard let value = literal.value else {
        // 0xFFFF_FFFF_FFFF_FFFF and the like: nothing on the host needs them exactly.
        return .double(Self.magnitude(hex: literal.hexDigits))
      }
      return .int(value)
    case .float(let value): return .double(value)
    case .imaginary: throw refuse("complex numbers are not modelled", at: range)
    case .string(let literal): return .string(literal.value)
    case .bytes(let bytes): return .bytes(bytes)
    }
  }

  private static func magnitude(hex: String) -> Double {
    hex.reduce(0.0) { $0 * 16 + Double($1.hexDigitValue ?? 0) }
  }

  // MARK: Names

  func lookup(_ name: String, _ scope: Scope, _ range: SourceRange) throws -> Value {
    var current: Scope? = scope
    while let candidate = current {
      if candidate.kind != .classBody || candidate === scope || scope.parent === candidate,
        let value = candidate.variables[name]
      {
        return value
      }
      current = candidate.parent
    }
    if let builtin = builtin(named: name) { return builtin }
    here = range
    throw raise("NameError", "name '\(name)' is not defined")
  }

  // MARK: Calls

  private func evaluateCall(
    _ expression: Expr, _ callee: Expr, _ arguments: [Expr], _ keywords: [Keyword], _ scope: Scope
  ) throws -> Value {
    if case .name("super") = callee.kind, arguments.isEmpty {
      here = expression.range
      return try makeSuper(scope)
    }
    let function = try evaluate(callee, scope)
    var list = Arguments(range: expression.range)
    list.positional.reserveCapacity(arguments.count)
    for argument in arguments {
      if case .starred(let inner) = argument.kind {
        let spread = try evaluate(inner, scope)
        if arguments.count == 1, case .tuple(let tuple) = spread {
          list.spreadSource = tuple.rankSource
        }
        let values = try items(spread)
        list.positional.append(contentsOf: values)
        list.positionalRanges.append(contentsOf: values.map { _ in inner.range })
      } else {
        list.positional.append(try evaluate(argument, scope))
        list.positionalRanges.append(argument.range)
      }
    }
    for keyword in keywords {
      let value = try evaluate(keyword.value, scope)
      if let name = keyword.name {
        list.keywords.append((name, value))
        list.keywordRanges.append(keyword.value.range)
      } else {
        guard case .dict(let dict) = value else {
          throw raise("TypeError", "argument after ** must be a mapping")
        }
        for entry in dict.items {
          guard case .string(let name) = entry.key else {
            throw raise("TypeError", "keywords must be strings")
          }
          list.keywords.append((name, entry.value))
          list.keywordRanges.append(keyword.value.range)
        }
      }
    }
    here = expression.range
    if case .name("locals") = callee.kind, arguments.isEmpty, case .native = function {
      return .dict(DictObject(strings: scope.variables.sorted { $0.key < $1.key }))
    }
    let result = try call(function, list)
    here = expression.range
    return result
  }

  private func evaluateElements(_ elements: [Expr], _ scope: Scope) throws -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(elements.count)
    for element in elements {
      if case .starred(let inner) = element.kind {
        values.append(contentsOf: try items(try evaluate(inner, scope)))
      } else {
        values.append(try evaluate(element, scope))
      }
    }
    return values
  }

  private func evaluateDict(_ keys: [Expr?], _ values: [Expr], _ scope: Scope) throws -> DictObject
  {
    let dict = DictObject()
    for (key, value) in zip(keys, values) {
      if let key {
        let name = try evaluate(key, scope)
        dict[try hashKey(name)] = (name, try evaluate(value, scope))
      } else {
        guard case .dict(let other) = try evaluate(value, scope) else {
          throw raise("TypeError", "argument after ** must be a mapping")
        }
        for entry in other.items { dict[try hashKey(entry.key)] = entry }
      }
    }
    return dict
  }

  // MARK: Logic

  private func evaluateBoolOp(_ op: BoolOperator, _ operands: [Expr], _ scope: Scope) throws
    -> Value
  {
    var last = Value.none
    for (index, operand) in operands.enumerated() {
      last = try evaluate(operand, scope)
      if index == operands.count - 1 { break }
      here = operand.range
      // In `assert a and b` and `if a or b: raise` each operand is insisted on as well.
      if try truth(last) == (op == .or) { return last }
    }
    return last
  }

  private func evaluateCompare(
    _ left: Expr, _ ops: [CompareOperator], _ comparators: [Expr], _ scope: Scope,
    _ range: SourceRange
  ) throws -> Value {
    var first = try evaluate(left, scope)
    var result = Value.bool(true)
    for (index, op) in ops.enumerated() {
      let second = try evaluate(comparators[index], scope)
      here = range
      result = try compare(op, first, second)
      if index < ops.count - 1, try !truth(result) { return result }
      first = second
    }
    return result
  }

  // MARK: Comprehensions

  private func comprehend(
    _ clauses: [Comprehension], _ scope: Scope, _ produce: (Scope) throws -> Value
  ) throws -> [Value] {
    let inner = Scope(.comprehension, parent: scope)
    var results: [Value] = []
    func run(_ index: Int) throws {
      guard index < clauses.count else {
        results.append(try produce(inner))
        try checkSize(results.count)
        return
      }
      let clause = clauses[index]
      let iterator = try iterate(try evaluate(clause.iterable, index == 0 ? scope : inner))
      next: while let value = try iterator.next() {
        try step()
        try assign(value, to: clause.target, inner)
        for condition in clause.conditions {
          let test = try evaluate(condition, inner)
          here = condition.range
          if try !truth(test) { continue next }
        }
        try run(index + 1)
      }
    }
    try run(0)
    return results
  }

  // MARK: Strings

  private func evaluateJoined(_ parts: [Expr], _ scope: Scope) throws -> String {
    var text = ""
    for part in parts {
      switch part.kind {
      case .constant(.string(let literal)): text += literal.value
      default:
        guard case .string(let piece) = try evaluate(part, scope) else { continue }
        text += piece
      }
    }
    return text
  }

  private func evaluateFormatted(
    _ inner: Expr, _ conversion: Expr.Conversion, _ spec: Expr?, _ scope: Scope
  ) throws -> String {
    let value = try evaluate(inner, scope)
    var format = ""
    if let spec {
      if case .joinedString(let parts) = spec.kind {
        format = try evaluateJoined(parts, scope)
      } else if case .string(let text) = try evaluate(spec, scope) {
        format = text
      }
    }
    here = inner.range
    switch conversion {
    case .none: return try self.format(value, format)
    case .str: return try self.format(.string(try toString(value)), format)
    case .repr, .ascii: return try self.format(.string(try represent(value)), format)
    }
  }
}
