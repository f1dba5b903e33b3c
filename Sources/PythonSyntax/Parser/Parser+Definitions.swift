import Diagnostics

extension Parser {
  /// Decorators and the definition they belong to.
  mutating func parseDecorated() throws(SyntaxFailure) -> Stmt {
    let lower = start
    var decorators: [Expr] = []
    while accept(.at) {
      decorators.append(try parseNamedExpression())
      try expectNewline()
    }
    switch code {
    case .kwDef: return try parseFunction(decorators, fullLower: lower)
    case .kwClass: return try parseClass(decorators, fullLower: lower)
    case .kwAsync where peek().code == .kwDef:
      return try parseFunction(decorators, fullLower: lower)
    default:
      throw unexpected(expected: "'def' or 'class' after the decorator")
    }
  }

  mutating func parseFunction(
    _ decorators: [Expr], fullLower: Int
  ) throws(SyntaxFailure) -> Stmt {
    let lower = start
    let isAsync = accept(.kwAsync)
    advance()
    let (name, nameRange) = try takeName("a function name")
    let typeParameters = try parseTypeParameters()
    guard code == .leftParen else {
      throw fail(
        "unexpected-token", "expected '(' after the function name, found \(tokenText)",
        token.range)
    }
    advance()
    let parameters = try parseParameters(until: .rightParen)
    try expectCloser(.rightParen, ")")
    var returns: Expr?
    if accept(.arrow) { returns = try parseExpression() }
    let body = try parseBlock("function definition", lower)
    let range = SourceRange(lower, statementEnd)
    let function = FunctionDef(
      name: name, nameRange: nameRange, typeParameters: typeParameters, parameters: parameters,
      returns: returns, body: body, decorators: decorators, isAsync: isAsync,
      fullRange: SourceRange(fullLower, range.upper))
    return Stmt(.function(function), range)
  }

  mutating func parseClass(
    _ decorators: [Expr], fullLower: Int
  ) throws(SyntaxFailure) -> Stmt {
    let lower = start
    advance()
    let (name, nameRange) = try takeName("a class name")
    let typeParameters = try parseTypeParameters()
    var bases: [Expr] = []
    var keywords: [Keyword] = []
    if code == .leftParen { (bases, keywords) = try parseArguments() }
    let body = try parseBlock("class definition", lower)
    let range = SourceRange(lower, statementEnd)
    let definition = ClassDef(
      name: name, nameRange: nameRange, typeParameters: typeParameters, bases: bases,
      keywords: keywords, body: body, decorators: decorators,
      fullRange: SourceRange(fullLower, range.upper))
    return Stmt(.classDef(definition), range)
  }

  /// The parameters of a function (until `)`) or lambda (until `:`); the closer is not taken.
  mutating func parseParameters(until closer: TokenCode) throws(SyntaxFailure) -> Parameters {
    let isLambda = closer == .colon
    var all: [Parameter] = []
    var hasDefault = false
    var hasSlash = false
    var star: Int?
    var hasNameAfterStar = false
    var hasKeywordVariadic = false
    while code != closer {
      let lower = start
      if hasKeywordVariadic {
        throw fail(
          "parameter-order", "parameters cannot follow var-keyword parameter", token.range)
      }
      switch code {
      case .slash:
        if hasSlash { throw fail("parameter-order", "'/' may appear only once", token.range) }
        if star != nil { throw fail("parameter-order", "'/' must be ahead of '*'", token.range) }
        if all.isEmpty {
          throw fail("parameter-order", "at least one parameter must precede '/'", token.range)
        }
        hasSlash = true
        advance()
        all = all.map {
          Parameter(
            name: $0.name, nameRange: $0.nameRange, annotation: $0.annotation,
            defaultValue: $0.defaultValue, kind: .positionalOnly, range: $0.range)
        }
      case .star:
        if star != nil { throw fail("parameter-order", "'*' may appear only once", token.range) }
        star = lower
        advance()
        if code == .comma {
          break
        }
        if code == closer {
          throw fail("parameter-order", "named parameters must follow bare '*'", lineRange(lower))
        }
        let nameRange = token.range
        let (name, _) = try takeName("a parameter name")
        var annotation: Expr?
        if !isLambda, accept(.colon) {
          annotation = try parseStarExpression()  // PEP 646: *args: *Ts
        }
        if code == .equal {
          throw fail(
            "parameter-default", "var-positional parameter cannot have default value",
            token.range)
        }
        all.append(
          Parameter(
            name: name, nameRange: nameRange, annotation: annotation, defaultValue: nil,
            kind: .variadic, range: SourceRange(nameRange.lower, previousEnd)))
        hasNameAfterStar = true
      case .doubleStar:
        if star != nil, !hasNameAfterStar {
          throw fail("parameter-order", "named parameters must follow bare '*'", token.range)
        }
        advance()
        let parameter = try parseParameter(.keywordVariadic, isLambda)
        if code == .equal {
          throw fail(
            "parameter-default", "var-keyword parameter cannot have default value", token.range)
        }
        all.append(parameter)
        hasKeywordVariadic = true
      default:
        if code == .leftParen {
          throw fail("unexpected-token", "parameters cannot be parenthesized", token.range)
        }
        let parameter = try parseParameter(star == nil ? .positional : .keywordOnly, isLambda)
        if star == nil {
          if parameter.defaultValue != nil {
            hasDefault = true
          } else if hasDefault {
            throw fail(
              "parameter-order",
              "parameter '\(parameter.name)' without a default follows parameter with a default",
              parameter.range)
          }
        } else {
          hasNameAfterStar = true
        }
        all.append(parameter)
      }
      guard accept(.comma) else { break }
    }
    if let star, !hasNameAfterStar {
      throw fail("parameter-order", "named parameters must follow bare '*'", lineRange(star))
    }
    return Parameters(all)
  }

  private mutating func parseParameter(
    _ kind: Parameter.Kind, _ isLambda: Bool
  ) throws(SyntaxFailure) -> Parameter {
    let (name, nameRange) = try takeName("a parameter name")
    var annotation: Expr?
    if !isLambda, accept(.colon) { annotation = try parseExpression() }
    let range = SourceRange(nameRange.lower, previousEnd)
    var defaultValue: Expr?
    if kind != .keywordVariadic, accept(.equal) {
      if code == .comma || code == .rightParen || (isLambda && code == .colon) {
        throw fail("unexpected-token", "expected default value expression", token.range)
      }
      defaultValue = try parseExpression()
    }
    return Parameter(
      name: name, nameRange: nameRange, annotation: annotation, defaultValue: defaultValue,
      kind: kind, range: range)
  }

  /// `[T: bound = default, *Ts, **P]` or nothing.
  mutating func parseTypeParameters() throws(SyntaxFailure) -> [TypeParameter] {
    guard code == .leftBracket else { return [] }
    advance()
    if code == .rightBracket {
      throw fail("unexpected-token", "type parameter list cannot be empty", token.range)
    }
    var parameters: [TypeParameter] = []
    var hasDefault = false
    while code != .rightBracket {
      let lower = start
      var kind = TypeParameter.Kind.typeVar(bound: nil)
      if accept(.star) {
        kind = .typeVarTuple
      } else if accept(.doubleStar) {
        kind = .paramSpec
      }
      let (name, _) = try takeName("a type parameter name")
      if code == .colon {
        guard case .typeVar = kind else {
          throw fail("unexpected-token", "cannot use bound with this type parameter", token.range)
        }
        advance()
        kind = .typeVar(bound: try parseExpression())
      }
      var defaultValue: Expr?
      if accept(.equal) {
        if case .typeVarTuple = kind {
          defaultValue = try parseStarExpression()
        } else {
          defaultValue = try parseExpression()
        }
        hasDefault = true
      } else if hasDefault {
        throw fail(
          "parameter-order",
          "non-default type parameter '\(name)' follows default type parameter", span(lower))
      }
      parameters.append(
        TypeParameter(name: name, kind: kind, defaultValue: defaultValue, range: span(lower)))
      guard accept(.comma) else { break }
    }
    try expectCloser(.rightBracket, "]")
    return parameters
  }
}
