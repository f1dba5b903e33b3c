import Diagnostics

extension Parser {
  mutating func parseAtom() throws(SyntaxFailure) -> Expr {
    let range = token.range
    switch token.kind {
    case .name:
      switch code {
      case .none, .softMatch, .softCase, .softType:
        let name = name(of: token)
        advance()
        return Expr(.name(name), range)
      case .kwNone:
        advance()
        return Expr(.constant(.none), range)
      case .kwTrue:
        advance()
        return Expr(.constant(.bool(true)), range)
      case .kwFalse:
        advance()
        return Expr(.constant(.bool(false)), range)
      default:
        throw unexpected(expected: "an expression")
      }
    case .number:
      let value = try parseNumber(token)
      advance()
      return Expr(.constant(value), range)
    case .string, .fstringStart:
      return try parseStrings()
    case .op:
      switch code {
      case .leftParen: return try parseParenthesized()
      case .leftBracket: return try parseList()
      case .leftBrace: return try parseBraces()
      case .ellipsis:
        advance()
        return Expr(.constant(.ellipsis), range)
      default: throw unexpected(expected: "an expression")
      }
    default:
      throw unexpected(expected: "an expression")
    }
  }

  /// A tuple, a group, a generator or a parenthesised `yield`.
  private mutating func parseParenthesized() throws(SyntaxFailure) -> Expr {
    let lower = start
    advance()
    if accept(.rightParen) { return Expr(.tuple([]), span(lower)) }
    if code == .kwYield {
      let value = try parseYield()
      try expect(.rightParen, "')'")
      return value
    }
    let firstLower = start
    let first = try parseStarNamedExpression()
    switch code {
    case .rightParen:
      if case .starred = first.kind {
        throw fail(
          "starred", "cannot use starred expression here", SourceRange(firstLower, previousEnd),
          next: "add a comma to make it a tuple")
      }
      advance()
      return first
    case .kwFor, .kwAsync:
      try checkComprehensionElement(first)
      let clauses = try parseComprehensionClauses()
      try expectCloser(.rightParen, ")")
      return Expr(.generator(first, clauses), span(lower))
    case .comma:
      var elements = [first]
      while accept(.comma) {
        if code == .rightParen { break }
        elements.append(try parseStarNamedExpression())
      }
      try expectCloser(.rightParen, ")")
      return Expr(.tuple(elements), span(lower))
    default:
      try expectCloser(.rightParen, ")")
      return first
    }
  }

  /// The closer of a bracket after an element.
  mutating func expectCloser(_ closer: TokenCode, _ text: String) throws(SyntaxFailure) {
    guard code == closer else {
      if token.kind == .name || token.kind == .number || token.kind == .string
        || token.kind == .fstringStart, startsExpression
      {
        throw missingComma(text)
      }
      if code == .equal {
        throw fail(
          "unexpected-token", "expected ',' or '\(text)', found '='", token.range,
          next: "write '==' to compare or ':=' to assign")
      }
      throw fail("unexpected-token", "expected ',' or '\(text)', found \(tokenText)", token.range)
    }
    advance()
  }

  /// Two expressions with nothing between. The place is the second one or, as in CPython, the
  /// start of the first if that is on another line. If the second is itself wrong, that is said.
  private mutating func missingComma(_ closer: String) -> SyntaxFailure {
    let (second, firstLower) = (token, lastOperandLower)
    let text = tokenText
    if !isLookingAhead {
      let saved = (index, token, previousEnd, depth)
      isLookingAhead = true
      defer { isLookingAhead = false }
      do {
        _ = try parseExpression()
      } catch {
        return error
      }
      (index, token, previousEnd, depth) = saved
    }
    var lower = Int(second.lower)
    let hasLineEnd = (firstLower..<max(lower, firstLower)).contains {
      bytes[$0] == 0x0A || bytes[$0] == 0x0D
    }
    if hasLineEnd { lower = firstLower }
    return fail(
      "missing-comma", "expected ',' or '\(closer)' before \(text)",
      SourceRange(lower, Int(second.upper)), next: "perhaps a comma is missing before \(text)")
  }

  private mutating func parseList() throws(SyntaxFailure) -> Expr {
    let lower = start
    advance()
    if accept(.rightBracket) { return Expr(.list([]), span(lower)) }
    let first = try parseStarNamedExpression()
    if code == .kwFor || code == .kwAsync {
      try checkComprehensionElement(first)
      let clauses = try parseComprehensionClauses()
      try expectCloser(.rightBracket, "]")
      return Expr(.listComprehension(first, clauses), span(lower))
    }
    var elements = [first]
    while accept(.comma) {
      if code == .rightBracket { break }
      elements.append(try parseStarNamedExpression())
    }
    try expectCloser(.rightBracket, "]")
    return Expr(.list(elements), span(lower))
  }

  /// A dict, a set or a comprehension of either.
  private mutating func parseBraces() throws(SyntaxFailure) -> Expr {
    let lower = start
    advance()
    if accept(.rightBrace) { return Expr(.dict(keys: [], values: []), span(lower)) }
    if code == .doubleStar { return try parseDict(lower, firstKey: nil) }
    let first = try parseStarNamedExpression()
    if code == .colon {
      if case .starred = first.kind {
        throw fail("starred", "cannot use a starred expression as a dictionary key", first.range)
      }
      return try parseDict(lower, firstKey: first)
    }
    if code == .kwFor || code == .kwAsync {
      try checkComprehensionElement(first)
      let clauses = try parseComprehensionClauses()
      try expectCloser(.rightBrace, "}")
      return Expr(.setComprehension(first, clauses), span(lower))
    }
    var elements = [first]
    while accept(.comma) {
      if code == .rightBrace { break }
      elements.append(try parseStarNamedExpression())
    }
    try expectCloser(.rightBrace, "}")
    return Expr(.set(elements), span(lower))
  }

  /// A dict from its first key (whose colon is next) or from its first `**`.
  private mutating func parseDict(
    _ lower: Int, firstKey: Expr?
  ) throws(SyntaxFailure) -> Expr {
    var keys: [Expr?] = []
    var values: [Expr] = []
    var nextKey = firstKey
    while true {
      if nextKey == nil, code == .doubleStar {
        advance()
        keys.append(nil)
        values.append(try parseBinary(1))
        if code == .kwFor || code == .kwAsync {
          throw fail(
            "starred", "dict unpacking cannot be used in dict comprehension", token.range)
        }
      } else {
        let key: Expr
        if let given = nextKey { key = given } else { key = try parseExpression() }
        guard code == .colon else {
          throw fail(
            "unexpected-token", "expected ':' after dictionary key, found \(tokenText)",
            SourceRange(key.range.lower, Int(token.upper)))
        }
        advance()
        if code == .rightBrace || code == .comma {
          throw fail(
            "unexpected-token", "expected an expression after dictionary key and ':'",
            token.range)
        }
        let value = try parseExpression()
        if values.isEmpty, code == .kwFor || code == .kwAsync {
          let clauses = try parseComprehensionClauses()
          try expectCloser(.rightBrace, "}")
          return Expr(.dictComprehension(key: key, value: value, clauses), span(lower))
        }
        keys.append(key)
        values.append(value)
      }
      nextKey = nil
      guard accept(.comma) else { break }
      if code == .rightBrace { break }
    }
    try expectCloser(.rightBrace, "}")
    return Expr(.dict(keys: keys, values: values), span(lower))
  }

  mutating func checkComprehensionElement(_ element: Expr) throws(SyntaxFailure) {
    if case .starred = element.kind {
      throw fail(
        "starred", "iterable unpacking cannot be used in comprehension", element.range)
    }
  }

  /// `['async'] 'for' targets 'in' disjunction ('if' disjunction)*`, one or more times.
  mutating func parseComprehensionClauses() throws(SyntaxFailure) -> [Comprehension] {
    var clauses: [Comprehension] = []
    while code == .kwFor || (code == .kwAsync && peek().code == .kwFor) {
      let isAsync = accept(.kwAsync)
      advance()
      let target = try parseTargetList()
      guard code == .kwIn else {
        throw fail(
          "unexpected-token", "expected 'in' after the targets of 'for', found \(tokenText)",
          token.range)
      }
      advance()
      let iterable = try parseDisjunction()
      var conditions: [Expr] = []
      while accept(.kwIf) { conditions.append(try parseComprehensionCondition()) }
      clauses.append(
        Comprehension(
          target: target, iterable: iterable, conditions: conditions, isAsync: isAsync))
    }
    if clauses.isEmpty { throw unexpected(expected: "'for'") }
    return clauses
  }

  /// A condition stops before `if` and `else`, so a walrus or lambda in it needs parentheses.
  private mutating func parseComprehensionCondition() throws(SyntaxFailure) -> Expr {
    try parseDisjunction()
  }

  mutating func parseYield() throws(SyntaxFailure) -> Expr {
    let lower = start
    advance()
    if accept(.kwFrom) {
      let value = try parseExpression()
      return Expr(.yieldFrom(value), span(lower))
    }
    guard startsExpression else { return Expr(.yield(nil), span(lower)) }
    let value = try parseStarExpressions()
    return Expr(.yield(value), span(lower))
  }

  /// The arguments of a call or class header, from `(` to `)`.
  mutating func parseArguments() throws(SyntaxFailure) -> ([Expr], [Keyword]) {
    let open = start
    advance()
    var arguments: [Expr] = []
    var keywords: [Keyword] = []
    var hasUnpackedKeywords = false
    var misplaced: String?
    while code != .rightParen {
      let lower = start
      if code == .star {
        advance()
        let value = try parseExpression()
        if hasUnpackedKeywords {
          throw fail(
            "argument-order",
            "iterable argument unpacking follows keyword argument unpacking", span(lower))
        }
        arguments.append(Expr(.starred(value), span(lower)))
      } else if code == .doubleStar {
        advance()
        let value = try parseExpression()
        hasUnpackedKeywords = true
        keywords.append(Keyword(name: nil, value: value, range: span(lower)))
      } else if isName, peek().code == .equal {
        let name = name(of: token)
        advance()
        advance()
        if code == .comma || code == .rightParen {
          throw fail("unexpected-token", "expected argument value expression", span(lower))
        }
        let value = try parseExpression()
        if code == .kwFor {
          throw fail(
            "unexpected-token", "expected ',' or ')', found 'for'", token.range,
            next: "perhaps '==' or ':=' was meant instead of '='")
        }
        keywords.append(Keyword(name: name, value: value, range: span(lower)))
      } else {
        let value = try parseNamedExpression()
        if code == .kwFor || code == .kwAsync {
          let clauses = try parseComprehensionClauses()
          if arguments.isEmpty, keywords.isEmpty, code == .rightParen {
            advance()
            arguments.append(Expr(.generator(value, clauses), span(open)))
            return (arguments, keywords)
          }
          throw fail(
            "generator-argument", "generator expression must be parenthesized", span(lower))
        }
        if code == .equal {
          throw fail(
            "keyword-argument",
            "cannot assign to \(describe(value)) in an argument",
            SourceRange(lower, Int(token.upper)),
            next: "a keyword argument needs a plain name; perhaps '==' was meant")
        }
        if !keywords.isEmpty {
          if misplaced == nil {
            misplaced =
              hasUnpackedKeywords
              ? "positional argument follows keyword argument unpacking"
              : "positional argument follows keyword argument"
          }
        }
        arguments.append(value)
      }
      guard accept(.comma) else { break }
    }
    if let misplaced, code == .rightParen {
      // Where CPython says it: at the end of the arguments.
      throw fail("argument-order", misplaced, token.range)
    }
    try expectCloser(.rightParen, ")")
    return (arguments, keywords)
  }
}
