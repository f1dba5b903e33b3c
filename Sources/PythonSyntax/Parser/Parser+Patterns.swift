import Diagnostics

extension Parser {
  /// Whether the name `match` starts a statement: its line ends with `:`, and what follows it is a
  /// subject (`match:` and `match.x:` are not).
  var isMatchStatement: Bool {
    let next = peek()
    switch next.kind {
    case .name:
      switch next.code {
      case .kwAnd, .kwOr, .kwIn, .kwIs, .kwIf, .kwElse, .kwFor: return false
      default: break
      }
    case .number, .string, .fstringStart: break
    case .op:
      switch next.code {
      case .leftParen, .leftBracket, .leftBrace, .minus, .plus, .tilde, .star, .ellipsis: break
      default: return false
      }
    default: return false
    }
    var position = index + 1
    while true {
      let token = tokens[position]
      if token.code == .semicolon { return false }
      switch token.kind {
      case .newline:
        return tokens[position - 1].code == .colon
      case .endOfFile, .indent, .dedent: return false
      default: position += 1
      }
    }
  }

  mutating func parseMatch() throws(SyntaxFailure) -> Stmt {
    let lower = start
    advance()
    let subjectLower = start
    var subject = try parseStarNamedExpression()
    if code == .comma { subject = try finishTuple(subject, subjectLower, named: true) }
    try expect(.colon, "':' after the subject of 'match'")
    try expectNewline()
    var cases: [MatchCase] = []
    guard token.kind == .indent else {
      note(
        "missing-block", "expected an indented block after the 'match' statement",
        SourceRange(start, max(start, Int(token.upper))))
      return Stmt(.match(subject: subject, cases: []), SourceRange(lower, statementEnd))
    }
    try enter(Self.expressionCost)
    advance()
    while token.kind != .dedent, token.kind != .endOfFile {
      let firstIndex = index
      let savedDepth = depth
      do {
        cases.append(try parseCase())
      } catch {
        depth = savedDepth
        notePending()
        skipBlock(from: firstIndex)
      }
    }
    if token.kind == .dedent { advance() }
    leave(Self.expressionCost)
    return Stmt(.match(subject: subject, cases: cases), SourceRange(lower, statementEnd))
  }

  /// Steps over the rest of a line and the block below it, checking the block's statements.
  private mutating func skipBlock(from firstIndex: Int) {
    while token.kind != .newline, token.kind != .endOfFile, token.kind != .indent,
      token.kind != .dedent
    {
      advance()
    }
    if token.kind == .newline { advance() }
    var discarded: [Stmt] = []
    if token.kind == .indent {
      advance()
      parseStatements(into: &discarded)
    }
    if index == firstIndex { advance() }
  }

  private mutating func parseCase() throws(SyntaxFailure) -> MatchCase {
    let lower = start
    guard code == .softCase else { throw unexpected(expected: "'case'") }
    advance()
    let patternLower = start
    let pattern: Pattern
    let first = try parseMaybeStarPattern()
    if code == .comma {
      pattern = Pattern(.sequence(try finishPatterns(first)), span(patternLower))
    } else {
      if case .star = first.kind {
        throw fail("pattern", "a star pattern needs a sequence around it", first.range)
      }
      pattern = first
    }
    let guardTest = accept(.kwIf) ? try parseNamedExpression() : nil
    let body = try parseBlock("'case' statement", lower)
    return MatchCase(pattern: pattern, guardTest: guardTest, body: body)
  }

  private mutating func finishPatterns(_ first: Pattern) throws(SyntaxFailure) -> [Pattern] {
    var patterns = [first]
    while accept(.comma) {
      guard startsPattern else { break }
      patterns.append(try parseMaybeStarPattern())
    }
    return patterns
  }

  private var startsPattern: Bool {
    startsExpression && code != .kwNot && code != .kwLambda && code != .kwAwait
      && code != .kwYield && code != .tilde && code != .plus
  }

  private mutating func parseMaybeStarPattern() throws(SyntaxFailure) -> Pattern {
    guard code == .star else { return try parseAsPattern() }
    let lower = start
    advance()
    let (name, _) = try takeName("a name after '*'")
    return Pattern(.star(name == "_" ? nil : name), span(lower))
  }

  private mutating func parseAsPattern() throws(SyntaxFailure) -> Pattern {
    try enter(Self.expressionCost)
    let lower = start
    let pattern = try parseOrPattern()
    guard accept(.kwAs) else {
      leave(Self.expressionCost)
      return pattern
    }
    let (name, nameRange) = try takeName("a name after 'as'")
    if name == "_" {
      throw fail("pattern", "cannot use '_' as a target", nameRange)
    }
    leave(Self.expressionCost)
    return Pattern(.asPattern(pattern, name: name), span(lower))
  }

  private mutating func parseOrPattern() throws(SyntaxFailure) -> Pattern {
    let lower = start
    let first = try parseClosedPattern()
    guard code == .bar else { return first }
    var patterns = [first]
    while accept(.bar) { patterns.append(try parseClosedPattern()) }
    return Pattern(.or(patterns), span(lower))
  }

  private mutating func parseClosedPattern() throws(SyntaxFailure) -> Pattern {
    let lower = start
    switch token.kind {
    case .number: return try parseNumberPattern()
    case .string, .fstringStart:
      let value = try parseStrings()
      if case .joinedString = value.kind {
        throw fail("pattern", "patterns may only match literals and attribute lookups", value.range)
      }
      return Pattern(.value(value), span(lower))
    case .name:
      switch code {
      case .kwNone:
        advance()
        return Pattern(.singleton(.none), span(lower))
      case .kwTrue, .kwFalse:
        let flag = code == .kwTrue
        advance()
        return Pattern(.singleton(.bool(flag)), span(lower))
      default:
        return try parseNamePattern()
      }
    case .op:
      switch code {
      case .minus: return try parseNumberPattern()
      case .leftParen: return try parseGroupPattern()
      case .leftBracket:
        advance()
        let patterns = try parsePatterns(until: .rightBracket)
        try expectCloser(.rightBracket, "]")
        return Pattern(.sequence(patterns), span(lower))
      case .leftBrace: return try parseMappingPattern()
      default: throw unexpected(expected: "a pattern")
      }
    default: throw unexpected(expected: "a pattern")
    }
  }

  private mutating func parsePatterns(
    until closer: TokenCode
  ) throws(SyntaxFailure) -> [Pattern] {
    var patterns: [Pattern] = []
    while code != closer {
      patterns.append(try parseMaybeStarPattern())
      guard accept(.comma) else { break }
    }
    return patterns
  }

  private mutating func parseGroupPattern() throws(SyntaxFailure) -> Pattern {
    let lower = start
    advance()
    if accept(.rightParen) { return Pattern(.sequence([]), span(lower)) }
    let first = try parseMaybeStarPattern()
    if code == .comma {
      advance()
      let rest = try parsePatterns(until: .rightParen)
      try expectCloser(.rightParen, ")")
      return Pattern(.sequence([first] + rest), span(lower))
    }
    if case .star = first.kind {
      throw fail("pattern", "a star pattern needs a sequence around it", first.range)
    }
    try expectCloser(.rightParen, ")")
    return first
  }

  /// A number, possibly negative, possibly complex (`-1 + 2j`).
  private mutating func parseNumberPattern() throws(SyntaxFailure) -> Pattern {
    let value = try parseSignedNumber()
    return Pattern(.value(value), value.range)
  }

  private mutating func parseSignedNumber() throws(SyntaxFailure) -> Expr {
    let lower = start
    let isNegative = accept(.minus)
    guard token.kind == .number else { throw unexpected(expected: "a number") }
    var value = try parseAtom()
    if isNegative { value = Expr(.unary(.minus, value), span(lower)) }
    guard code == .plus || code == .minus else { return value }
    let op: BinaryOperator = code == .plus ? .add : .sub
    advance()
    guard token.kind == .number else { throw unexpected(expected: "an imaginary number") }
    let right = try parseAtom()
    guard case .constant(.imaginary) = right.kind else {
      throw fail("pattern", "imaginary number required in complex literal", right.range)
    }
    return Expr(.binary(value, op, right), span(lower))
  }

  /// A capture, the wildcard, a dotted value or a class pattern.
  private mutating func parseNamePattern() throws(SyntaxFailure) -> Pattern {
    let lower = start
    let (name, nameRange) = try takeName("a pattern")
    if code != .dot, code != .leftParen {
      return Pattern(.asPattern(nil, name: name == "_" ? nil : name), span(lower))
    }
    let value = try parseDotted(Expr(.name(name), nameRange), lower)
    guard code == .leftParen else { return Pattern(.value(value), span(lower)) }
    return try parseClassPattern(value, lower)
  }

  private mutating func parseDotted(_ first: Expr, _ lower: Int) throws(SyntaxFailure) -> Expr {
    var value = first
    while accept(.dot) {
      let (attribute, attributeRange) = try takeName("an attribute name after '.'")
      value = Expr(
        .attribute(value, name: attribute, nameRange: attributeRange), span(lower))
    }
    return value
  }

  private mutating func parseClassPattern(
    _ value: Expr, _ lower: Int
  ) throws(SyntaxFailure) -> Pattern {
    advance()
    var patterns: [Pattern] = []
    var keywordNames: [String] = []
    var keywordPatterns: [Pattern] = []
    while code != .rightParen {
      if isName, peek().code == .equal {
        keywordNames.append(name(of: token))
        advance()
        advance()
        keywordPatterns.append(try parseAsPattern())
      } else {
        let pattern = try parseAsPattern()
        if !keywordNames.isEmpty {
          throw fail("pattern", "positional patterns follow keyword patterns", pattern.range)
        }
        patterns.append(pattern)
      }
      guard accept(.comma) else { break }
    }
    try expectCloser(.rightParen, ")")
    return Pattern(
      .classPattern(
        value, patterns: patterns, keywordNames: keywordNames, keywordPatterns: keywordPatterns),
      span(lower))
  }

  private mutating func parseMappingPattern() throws(SyntaxFailure) -> Pattern {
    let lower = start
    advance()
    var keys: [Expr] = []
    var patterns: [Pattern] = []
    var rest: String?
    while code != .rightBrace {
      if rest != nil {
        throw fail("pattern", "double star pattern must be last in a mapping", token.range)
      }
      if accept(.doubleStar) {
        rest = try takeName("a name after '**'").0
      } else {
        keys.append(try parseMappingKey())
        try expect(.colon, "':' after the key")
        patterns.append(try parseAsPattern())
      }
      guard accept(.comma) else { break }
    }
    try expectCloser(.rightBrace, "}")
    return Pattern(.mapping(keys: keys, patterns: patterns, rest: rest), span(lower))
  }

  private mutating func parseMappingKey() throws(SyntaxFailure) -> Expr {
    let lower = start
    switch token.kind {
    case .number: return try parseSignedNumber()
    case .string: return try parseStrings()
    case .name:
      if code == .kwNone || code == .kwTrue || code == .kwFalse { return try parseAtom() }
      let (name, nameRange) = try takeName("a mapping key")
      guard code == .dot else {
        throw fail("pattern", "a mapping key must be a literal or a dotted name", nameRange)
      }
      return try parseDotted(Expr(.name(name), nameRange), lower)
    default:
      if code == .minus { return try parseSignedNumber() }
      throw unexpected(expected: "a mapping key")
    }
  }
}
