import Diagnostics

extension Parser {
  /// `':'` and the block: statements on the line, or an indented block.
  mutating func parseBlock(
    _ what: StaticString, _ headerLower: Int
  ) throws(SyntaxFailure) -> [Stmt] {
    guard code == .colon else {
      if code == .equal {
        throw fail(
          "unexpected-token", "expected ':', found '='", token.range,
          next: "perhaps '==' or ':=' was meant instead of '='")
      }
      throw fail(
        "missing-colon", "expected ':' after the \(what), found \(tokenText)", token.range)
    }
    advance()
    var body: [Stmt] = []
    guard token.kind == .newline else {
      try enter(1)
      try parseSimpleStatements(into: &body)
      leave(1)
      return body
    }
    advance()
    guard token.kind == .indent else {
      if token.kind != .error {
        note(
          "missing-block", "expected an indented block after the \(what)",
          SourceRange(start, max(start, Int(token.upper))),
          next: "indent the line, or write 'pass'")
      }
      return body
    }
    try enter(Self.expressionCost)
    advance()
    parseStatements(into: &body)
    leave(Self.expressionCost)
    return body
  }

  /// `if` with all its `elif`s: read by a loop, nested from the right as CPython's tree has it.
  mutating func parseIf() throws(SyntaxFailure) -> Stmt {
    var arms: [(test: Expr, body: [Stmt], lower: Int)] = []
    var orElse: [Stmt] = []
    while true {
      let lower = start
      advance()
      let test = try parseNamedExpression()
      let body = try parseBlock(arms.isEmpty ? "'if' statement" : "'elif' statement", lower)
      arms.append((test, body, lower))
      if code != .kwElif { break }
    }
    if code == .kwElse { orElse = try parseElse() }
    let end = statementEnd
    for arm in arms.reversed() {
      let statement = Stmt(
        .if(test: arm.test, body: arm.body, orElse: orElse), SourceRange(arm.lower, end))
      orElse = [statement]
    }
    return orElse[0]
  }

  private mutating func parseElse() throws(SyntaxFailure) -> [Stmt] {
    let lower = start
    advance()
    return try parseBlock("'else' statement", lower)
  }

  mutating func parseWhile() throws(SyntaxFailure) -> Stmt {
    let lower = start
    advance()
    let test = try parseNamedExpression()
    let body = try parseBlock("'while' statement", lower)
    let orElse = code == .kwElse ? try parseElse() : []
    return Stmt(
      .while(test: test, body: body, orElse: orElse), SourceRange(lower, statementEnd))
  }

  mutating func parseFor(isAsync: Bool, _ lower: Int) throws(SyntaxFailure) -> Stmt {
    advance()
    let target = try parseTargetList()
    guard code == .kwIn else {
      throw fail(
        "unexpected-token", "expected 'in' after the targets of 'for', found \(tokenText)",
        token.range)
    }
    advance()
    let iterable = try parseStarExpressions()
    let body = try parseBlock("'for' statement", lower)
    let orElse = code == .kwElse ? try parseElse() : []
    let statement = ForStmt(
      target: target, iterable: iterable, body: body, orElse: orElse, isAsync: isAsync)
    return Stmt(.for(statement), SourceRange(lower, statementEnd))
  }

  mutating func parseTry() throws(SyntaxFailure) -> Stmt {
    let lower = start
    advance()
    let body = try parseBlock("'try' statement", lower)
    var handlers: [ExceptHandler] = []
    var starCount = 0
    while code == .kwExcept {
      let handlerLower = start
      advance()
      let isStar = accept(.star)
      if isStar { starCount += 1 }
      if starCount > 0, starCount != handlers.count + 1 {
        throw fail(
          "except-star", "cannot have both 'except' and 'except*' on the same 'try'",
          SourceRange(handlerLower, handlerLower + 6))
      }
      var type: Expr?
      var name: String?
      if code != .colon {
        type = try parseExpression()
        if code == .comma {
          throw fail(
            "unexpected-token", "multiple exception types must be parenthesized", token.range)
        }
        if accept(.kwAs) { name = try takeName("a name after 'as'").0 }
      } else if isStar {
        throw fail("unexpected-token", "expected one or more exception types", token.range)
      }
      let handlerBody = try parseBlock("'except' statement", handlerLower)
      handlers.append(
        ExceptHandler(
          type: type, name: name, body: handlerBody,
          range: SourceRange(handlerLower, statementEnd)))
    }
    let orElse = code == .kwElse && !handlers.isEmpty ? try parseElse() : []
    var finally: [Stmt] = []
    var hasFinally = false
    if code == .kwFinally {
      hasFinally = true
      let finallyLower = start
      advance()
      finally = try parseBlock("'finally' statement", finallyLower)
    }
    if handlers.isEmpty, !hasFinally {
      // The block is complete: the next statement is not part of the mistake.
      note(
        "missing-except", "expected 'except' or 'finally' block after the 'try' statement",
        SourceRange(start, max(start, Int(token.upper))))
    }
    return Stmt(
      .try(
        body: body, handlers: handlers, orElse: orElse, finally: finally, isStar: starCount > 0),
      SourceRange(lower, statementEnd))
  }

  // MARK: - with

  mutating func parseWith(isAsync: Bool, _ lower: Int) throws(SyntaxFailure) -> Stmt {
    advance()
    var items: [WithItem] = []
    if code == .leftParen, hasParenthesizedItems {
      advance()
      while code != .rightParen {
        items.append(try parseWithItem())
        guard accept(.comma) else { break }
      }
      try expectCloser(.rightParen, ")")
    } else {
      repeat { items.append(try parseWithItem()) } while accept(.comma)
    }
    let body = try parseBlock("'with' statement", lower)
    return Stmt(
      .with(items: items, body: body, isAsync: isAsync), SourceRange(lower, statementEnd))
  }

  private mutating func parseWithItem() throws(SyntaxFailure) -> WithItem {
    let context = try parseExpression()
    guard accept(.kwAs) else { return WithItem(context: context, target: nil) }
    let target: Expr
    if code == .star {
      target = try parseStarred()
    } else {
      target = try parseBinary(1)
    }
    try checkTarget(target, .with, isOuter: true)
    return WithItem(context: context, target: target)
  }

  /// Whether the `(` after `with` holds the items, rather than starting the first item: its `)`
  /// stands before `:`, and nothing between the items is possible only in an expression.
  private var hasParenthesizedItems: Bool {
    var position = index + 1
    var nesting = 1
    var isItemStart = true
    while true {
      let token = tokens[position]
      switch token.kind {
      case .newline, .endOfFile, .indent, .dedent: return false
      default: break
      }
      if nesting == 1 {
        switch token.code {
        case .star where isItemStart: return false
        case .kwYield where isItemStart: return false
        case .rightParen where position == index + 1: return false
        case .kwFor: return false
        case .colonEqual: return false
        case .kwAs: return true
        default: break
        }
        isItemStart = token.code == .comma
      }
      switch token.code {
      case .leftParen, .leftBracket, .leftBrace: nesting += 1
      case .rightParen, .rightBracket, .rightBrace:
        nesting -= 1
        if nesting == 0 { return tokens[position + 1].code == .colon }
      default: break
      }
      position += 1
    }
  }
}
