import Diagnostics

extension Parser {
  mutating func parseStatementOrFail(into body: inout [Stmt]) throws(SyntaxFailure) {
    switch code {
    case .kwIf: body.append(try parseIf())
    case .kwFor: body.append(try parseFor(isAsync: false, start))
    case .kwWhile: body.append(try parseWhile())
    case .kwTry: body.append(try parseTry())
    case .kwWith: body.append(try parseWith(isAsync: false, start))
    case .kwDef: body.append(try parseFunction([], fullLower: start))
    case .kwClass: body.append(try parseClass([], fullLower: start))
    case .at: body.append(try parseDecorated())
    case .kwAsync: body.append(try parseAsync())
    case .softMatch where isMatchStatement: body.append(try parseMatch())
    default: try parseSimpleStatements(into: &body)
    }
  }

  private mutating func parseAsync() throws(SyntaxFailure) -> Stmt {
    let lower = start
    switch peek().code {
    case .kwDef: return try parseFunction([], fullLower: lower)
    case .kwFor:
      advance()
      return try parseFor(isAsync: true, lower)
    case .kwWith:
      advance()
      return try parseWith(isAsync: true, lower)
    default:
      advance()
      throw unexpected(expected: "'def', 'for' or 'with' after 'async'")
    }
  }

  /// The end of the last token that is not layout, as CPython ends a compound statement.
  var statementEnd: Int {
    var position = index - 1
    while position > 0 {
      let token = tokens[position]
      if token.kind != .newline && token.kind != .dedent && token.kind != .indent {
        return Int(token.upper)
      }
      position -= 1
    }
    return previousEnd
  }

  /// Simple statements separated by `;` up to the line end.
  mutating func parseSimpleStatements(into body: inout [Stmt]) throws(SyntaxFailure) {
    while true {
      body.append(try parseSimpleStatement())
      guard accept(.semicolon) else { break }
      if token.kind == .newline { break }
    }
    try expectNewline()
  }

  mutating func expectNewline() throws(SyntaxFailure) {
    if token.kind == .newline {
      advance()
      return
    }
    if token.kind == .endOfFile { return }
    throw unexpected(expected: "end of line")
  }

  private mutating func parseSimpleStatement() throws(SyntaxFailure) -> Stmt {
    let lower = start
    switch code {
    case .kwReturn:
      advance()
      let value = startsExpression ? try parseStarExpressions() : nil
      return Stmt(.return(value), span(lower))
    case .kwPass:
      advance()
      return Stmt(.pass, span(lower))
    case .kwBreak:
      advance()
      return Stmt(.break, span(lower))
    case .kwContinue:
      advance()
      return Stmt(.continue, span(lower))
    case .kwImport: return try parseImport()
    case .kwFrom: return try parseImportFrom()
    case .kwRaise: return try parseRaise()
    case .kwGlobal, .kwNonlocal: return try parseScope()
    case .kwDel: return try parseDelete()
    case .kwAssert:
      advance()
      let test = try parseExpression()
      let message = accept(.comma) ? try parseExpression() : nil
      return Stmt(.assert(test: test, message: message), span(lower))
    case .softType:
      let next = peek()
      if next.kind == .name, !next.code.isKeyword { return try parseTypeAlias() }
      return try parseExpressionStatement()
    default:
      return try parseExpressionStatement()
    }
  }

  private mutating func parseTypeAlias() throws(SyntaxFailure) -> Stmt {
    let lower = start
    guard peek(2).code == .equal || peek(2).code == .leftBracket else {
      return try parseExpressionStatement()
    }
    advance()
    let (name, nameRange) = try takeName("a type alias name")
    let parameters = try parseTypeParameters()
    try expect(.equal, "'=' in the type alias")
    let value = try parseExpression()
    return Stmt(
      .typeAlias(name: Expr(.name(name), nameRange), parameters: parameters, value: value),
      span(lower))
  }

  private mutating func parseRaise() throws(SyntaxFailure) -> Stmt {
    let lower = start
    advance()
    guard startsExpression else { return Stmt(.raise(exception: nil, cause: nil), span(lower)) }
    let exception = try parseExpression()
    let cause = accept(.kwFrom) ? try parseExpression() : nil
    return Stmt(.raise(exception: exception, cause: cause), span(lower))
  }

  private mutating func parseScope() throws(SyntaxFailure) -> Stmt {
    let lower = start
    let isGlobal = code == .kwGlobal
    var names: [String] = []
    repeat {
      advance()
      names.append(try takeName("a variable name").0)
    } while code == .comma
    return Stmt(isGlobal ? .global(names) : .nonlocal(names), span(lower))
  }

  private mutating func parseDelete() throws(SyntaxFailure) -> Stmt {
    let lower = start
    advance()
    var targets: [Expr] = []
    repeat {
      let target = try parseExpression()
      try checkTarget(target, .delete)
      targets.append(target)
    } while accept(.comma) && startsExpression
    return Stmt(.delete(targets), span(lower))
  }

  private mutating func parseImport() throws(SyntaxFailure) -> Stmt {
    let lower = start
    advance()
    var names: [ImportAlias] = []
    repeat {
      let nameLower = start
      let name = try parseDottedName()
      let asName = accept(.kwAs) ? try takeName("a name after 'as'").0 : nil
      names.append(ImportAlias(name: name, asName: asName, range: span(nameLower)))
    } while accept(.comma)
    return Stmt(.import(names), span(lower))
  }

  private mutating func parseDottedName() throws(SyntaxFailure) -> String {
    var name = try takeName("a module name").0
    while accept(.dot) {
      name += "."
      name += try takeName("a module name").0
    }
    return name
  }

  private mutating func parseImportFrom() throws(SyntaxFailure) -> Stmt {
    let lower = start
    advance()
    var level = 0
    while true {
      if accept(.dot) {
        level += 1
      } else if accept(.ellipsis) {
        level += 3
      } else {
        break
      }
    }
    let module = level > 0 && code == .kwImport ? nil : try parseDottedName()
    try expect(.kwImport, "'import'")
    if code == .star {
      let alias = ImportAlias(name: "*", asName: nil, range: token.range)
      advance()
      return Stmt(.importFrom(module: module, names: [alias], level: level), span(lower))
    }
    let isParenthesized = accept(.leftParen)
    var names: [ImportAlias] = []
    while true {
      let nameLower = start
      let name = try takeName("a name to import").0
      let asName = accept(.kwAs) ? try takeName("a name after 'as'").0 : nil
      names.append(ImportAlias(name: name, asName: asName, range: span(nameLower)))
      guard accept(.comma) else { break }
      if isParenthesized, code == .rightParen { break }
      if !isParenthesized, token.kind == .newline {
        throw fail(
          "trailing-comma", "trailing comma not allowed without surrounding parentheses",
          SourceRange(previousEnd - 1, previousEnd))
      }
    }
    if isParenthesized { try expectCloser(.rightParen, ")") }
    return Stmt(.importFrom(module: module, names: names, level: level), span(lower))
  }

  /// An expression, or an assignment of any kind.
  private mutating func parseExpressionStatement() throws(SyntaxFailure) -> Stmt {
    let lower = start
    let startsWithParen = code == .leftParen
    let first: Expr
    if startsExpression {
      first = code == .kwYield ? try parseYield() : try parseStarExpressions()
    } else {
      throw unexpected(expected: "a statement")
    }
    if token.kind == .newline {
      return Stmt(.expression(first), span(lower))
    }
    switch code {
    case .equal:
      var targets = [first]
      var value = first
      repeat {
        advance()
        value = code == .kwYield ? try parseYield() : try parseStarExpressions()
        targets.append(value)
      } while code == .equal
      targets.removeLast()
      for target in targets { try checkTarget(target, .assign, isOuter: true) }
      return Stmt(.assign(targets: targets, value: value), span(lower))
    case .colon:
      try checkTarget(first, .annotate)
      advance()
      let annotation = try parseExpression()
      var value: Expr?
      if accept(.equal) {
        value = code == .kwYield ? try parseYield() : try parseStarExpressions()
      }
      var isSimple = false
      if case .name = first.kind { isSimple = !startsWithParen }
      return Stmt(
        .annAssign(target: first, annotation: annotation, value: value, isSimple: isSimple),
        span(lower))
    default:
      if let op = code.augmented {
        try checkTarget(first, .augment)
        advance()
        let value = code == .kwYield ? try parseYield() : try parseStarExpressions()
        return Stmt(.augAssign(target: first, op, value: value), span(lower))
      }
      if code == .colonEqual {
        throw fail(
          "assignment-target", "unparenthesized ':=' cannot be a statement", token.range,
          next: "write '=' or put parentheses around it")
      }
      if case .name(let name) = first.kind, name == "print" || name == "exec",
        token.kind == .string || token.kind == .name || token.kind == .number
          || token.kind == .fstringStart
      {
        throw fail(
          "missing-parentheses", "missing parentheses in call to '\(name)'",
          SourceRange(lower, Int(token.upper)), next: "write \(name)(…)")
      }
      return Stmt(.expression(first), span(lower))
    }
  }
}
