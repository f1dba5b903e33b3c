import Diagnostics

extension Parser {
  /// `star_expressions`: an expression, or a tuple without parentheses.
  mutating func parseStarExpressions() throws(SyntaxFailure) -> Expr {
    let lower = start
    let first = try parseStarExpression()
    guard code == .comma else { return first }
    return try finishTuple(first, lower, named: false)
  }

  /// A tuple without parentheses whose first element is read and whose first comma is next.
  mutating func finishTuple(
    _ first: Expr, _ lower: Int, named: Bool
  ) throws(SyntaxFailure) -> Expr {
    var elements = [first]
    while accept(.comma) {
      guard startsExpression else { break }
      elements.append(named ? try parseStarNamedExpression() : try parseStarExpression())
    }
    return Expr(.tuple(elements), span(lower))
  }

  @inline(__always)
  mutating func parseStarExpression() throws(SyntaxFailure) -> Expr {
    code == .star ? try parseStarred() : try parseExpression()
  }

  @inline(__always)
  mutating func parseStarNamedExpression() throws(SyntaxFailure) -> Expr {
    code == .star ? try parseStarred() : try parseNamedExpression()
  }

  mutating func parseStarred() throws(SyntaxFailure) -> Expr {
    let lower = start
    advance()
    let value = try parseBinary(1)
    return Expr(.starred(value), span(lower))
  }

  /// `NAME := expression` or an expression.
  mutating func parseNamedExpression() throws(SyntaxFailure) -> Expr {
    guard isName, peek().code == .colonEqual else {
      let value = try parseExpression()
      if code == .colonEqual {
        throw fail(
          "assignment-target",
          "cannot use assignment expression ':=' with \(describe(value))", value.range)
      }
      return value
    }
    let lower = start
    let target = Expr(.name(name(of: token)), token.range)
    advance()
    advance()
    let value = try parseExpression()
    return Expr(.named(target: target, value: value), span(lower))
  }

  /// Whether the current token can start an expression (or a starred one).
  var startsExpression: Bool {
    switch token.kind {
    case .name:
      switch code {
      case .none, .softMatch, .softCase, .softType, .kwNone, .kwTrue, .kwFalse, .kwNot, .kwLambda,
        .kwAwait, .kwYield:
        return true
      default: return false
      }
    case .number, .string, .fstringStart, .error: return true
    case .op:
      switch code {
      case .leftParen, .leftBracket, .leftBrace, .minus, .plus, .tilde, .star, .doubleStar,
        .ellipsis:
        return true
      default: return false
      }
    default: return false
    }
  }

  /// `disjunction ['if' disjunction 'else' expression]` or a lambda. Chains of `else` are read by a
  /// loop and folded from the right.
  mutating func parseExpression() throws(SyntaxFailure) -> Expr {
    try enter(Self.expressionCost)
    let lower = start
    if code == .kwLambda {
      let result = try parseLambda()
      leave(Self.expressionCost)
      return result
    }
    let first = try parseDisjunction()
    guard code == .kwIf else {
      leave(Self.expressionCost)
      return first
    }
    var parts: [(body: Expr, test: Expr, lower: Int)] = []
    var body = first
    var bodyLower = lower
    var last: Expr
    while true {
      advance()
      let test = try parseDisjunction()
      guard code == .kwElse else {
        throw fail(
          "missing-else", "expected 'else' after 'if' expression, found \(tokenText)",
          SourceRange(bodyLower, previousEnd))
      }
      advance()
      parts.append((body, test, bodyLower))
      bodyLower = start
      if code == .kwLambda {
        last = try parseLambda()
        break
      }
      body = try parseDisjunction()
      if code != .kwIf {
        last = body
        break
      }
    }
    for part in parts.reversed() {
      last = Expr(
        .conditional(test: part.test, body: part.body, orElse: last), span(part.lower))
    }
    leave(Self.expressionCost)
    return last
  }

  mutating func parseDisjunction() throws(SyntaxFailure) -> Expr {
    let lower = start
    let first = try parseConjunction()
    guard code == .kwOr else {
      lastOperandLower = lower
      return first
    }
    var values = [first]
    while accept(.kwOr) { values.append(try parseConjunction()) }
    lastOperandLower = lower
    return Expr(.boolOp(.or, values), span(lower))
  }

  @inline(__always)
  private mutating func parseConjunction() throws(SyntaxFailure) -> Expr {
    let lower = start
    let first = try parseInversion()
    guard code == .kwAnd else { return first }
    var values = [first]
    while accept(.kwAnd) { values.append(try parseInversion()) }
    return Expr(.boolOp(.and, values), span(lower))
  }

  private mutating func parseInversion() throws(SyntaxFailure) -> Expr {
    guard code == .kwNot else { return try parseComparison() }
    let lower = start
    advance()
    try enter(1)
    let operand = try parseInversion()
    leave(1)
    return Expr(.unary(.not, operand), span(lower))
  }

  private mutating func parseComparison() throws(SyntaxFailure) -> Expr {
    let lower = start
    let left = try parseBinary(1)
    guard let first = takeComparison() else { return left }
    var operators = [first]
    var operands = [try parseBinary(1)]
    while let next = takeComparison() {
      operators.append(next)
      operands.append(try parseBinary(1))
    }
    return Expr(.compare(left, operators, operands), span(lower))
  }

  @inline(__always)
  private mutating func takeComparison() -> CompareOperator? {
    let result: CompareOperator
    switch code {
    case .equalEqual: result = .equal
    case .notEqual: result = .notEqual
    case .less: result = .less
    case .lessEqual: result = .lessEqual
    case .greater: result = .greater
    case .greaterEqual: result = .greaterEqual
    case .kwIn: result = .in
    case .kwIs:
      advance()
      return accept(.kwNot) ? .isNot : .is
    case .kwNot:
      guard peek().code == .kwIn else { return nil }
      advance()
      result = .notIn
    default: return nil
    }
    advance()
    return result
  }

  /// Binary operators of at least this precedence, by precedence climbing.
  mutating func parseBinary(_ minimum: Int) throws(SyntaxFailure) -> Expr {
    let lower = start
    var left = try parseFactor()
    while let (op, precedence) = code.binary, precedence >= minimum {
      advance()
      let right = try parseBinary(precedence + 1)
      left = Expr(.binary(left, op, right), span(lower))
    }
    return left
  }

  private mutating func parseFactor() throws(SyntaxFailure) -> Expr {
    let op: UnaryOperator
    switch code {
    case .minus: op = .minus
    case .plus: op = .plus
    case .tilde: op = .invert
    default: return try parsePower()
    }
    let lower = start
    advance()
    try enter(1)
    let operand = try parseFactor()
    leave(1)
    return Expr(.unary(op, operand), span(lower))
  }

  @inline(__always)
  private mutating func parsePower() throws(SyntaxFailure) -> Expr {
    let lower = start
    let base: Expr
    if code == .kwAwait {
      advance()
      let value = try parsePrimary()
      base = Expr(.await(value), span(lower))
    } else {
      base = try parsePrimary()
    }
    guard code == .doubleStar else { return base }
    advance()
    try enter(1)
    let exponent = try parseFactor()
    leave(1)
    return Expr(.binary(base, .pow, exponent), span(lower))
  }

  /// An atom followed by any number of calls, subscripts and attributes.
  mutating func parsePrimary() throws(SyntaxFailure) -> Expr {
    let lower = start
    var value = try parseAtom()
    while true {
      switch code {
      case .dot:
        advance()
        guard isName else {
          if token.code.isKeyword {
            throw fail(
              "keyword-as-name", "cannot use keyword \(quoted(token)) as an attribute name",
              token.range)
          }
          throw unexpected(expected: "an attribute name after '.'")
        }
        let nameRange = token.range
        let name = name(of: token)
        advance()
        value = Expr(.attribute(value, name: name, nameRange: nameRange), span(lower))
      case .leftParen:
        let (arguments, keywords) = try parseArguments()
        value = Expr(.call(value, arguments: arguments, keywords: keywords), span(lower))
      case .leftBracket:
        advance()
        let index = try parseSubscript()
        try expect(.rightBracket, "']'")
        value = Expr(.subscripted(value, index: index), span(lower))
      default:
        return value
      }
    }
  }

  private mutating func parseSubscript() throws(SyntaxFailure) -> Expr {
    let lower = start
    let first = try parseSlice()
    guard code == .comma else {
      if case .starred = first.kind {  // a[*b] is a tuple of one
        return Expr(.tuple([first]), span(lower))
      }
      return first
    }
    var elements = [first]
    while accept(.comma) {
      if code == .rightBracket { break }
      elements.append(try parseSlice())
    }
    return Expr(.tuple(elements), span(lower))
  }

  private mutating func parseSlice() throws(SyntaxFailure) -> Expr {
    let lower = start
    var lowerBound: Expr?
    if code != .colon {
      let value = try parseStarNamedExpression()
      guard code == .colon else { return value }
      if case .starred = value.kind { throw unexpected(expected: "']'") }
      if case .named = value.kind, bytes[lower] != 0x28 { throw unexpected(expected: "']'") }
      lowerBound = value
    }
    advance()
    var upperBound: Expr?
    var step: Expr?
    if code != .colon, code != .comma, code != .rightBracket {
      upperBound = try parseExpression()
    }
    if accept(.colon), code != .comma, code != .rightBracket { step = try parseExpression() }
    return Expr(.slice(lower: lowerBound, upper: upperBound, step: step), span(lower))
  }

  private mutating func parseLambda() throws(SyntaxFailure) -> Expr {
    let lower = start
    advance()
    let parameters = try parseParameters(until: .colon)
    try expect(.colon, "':' after the parameters of the lambda")
    let body = try parseExpression()
    return Expr(.lambda(parameters, body: body), span(lower))
  }
}
