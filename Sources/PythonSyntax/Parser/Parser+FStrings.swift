import Diagnostics

/// The parts of a joined string: neighbouring literals are one constant, empty ones are dropped.
struct JoinedParts {
  private var parts: [Expr] = []
  private var text = ScalarBuffer()
  private var textRange: SourceRange?
  private var single: StringLiteral?
  /// Whether the first literal of the text has the prefix `u`, which CPython keeps.
  private var isUnicode = false

  mutating func append(_ literal: StringLiteral, _ range: SourceRange) {
    flushSingle()
    if text.isEmpty, textRange == nil {
      single = literal
      isUnicode = literal.isUnicodePrefixed
    } else {
      text.append(literal)
    }
    textRange = textRange?.union(range) ?? range
  }

  private mutating func flushSingle() {
    if let single { text.append(single) }
    single = nil
  }

  mutating func append(_ expr: Expr) {
    closeText()
    parts.append(expr)
  }

  private mutating func closeText() {
    if let range = textRange {
      let literal = literal(isUnicode: isUnicode)
      if !literal.value.isEmpty { parts.append(Expr(.constant(.string(literal)), range)) }
    }
    text = ScalarBuffer()
    textRange = nil
    single = nil
  }

  /// What has been collected, where it is only text.
  func literal(isUnicode: Bool) -> StringLiteral {
    if let single, single.isUnicodePrefixed == isUnicode { return single }
    var buffer = text
    if let single { buffer.append(single) }
    return buffer.literal(isUnicode: isUnicode)
  }

  mutating func finish() -> [Expr] {
    closeText()
    return parts
  }
}

extension Parser {
  /// One f-string, from its start token to its end token.
  mutating func parseFString(into parts: inout JoinedParts) throws(SyntaxFailure) {
    let isRaw = prefix(of: token).isRaw
    advance()
    try parseFStringParts(isRaw: isRaw, isSpec: false, into: &parts)
    guard token.kind == .fstringEnd else { throw unexpected(expected: "the end of the f-string") }
    advance()
  }

  private mutating func parseFStringParts(
    isRaw: Bool, isSpec: Bool, into parts: inout JoinedParts
  ) throws(SyntaxFailure) {
    while true {
      if token.kind == .fstringMiddle {
        var scalars = ScalarBuffer()
        try decodeText(
          start, Int(token.upper), isRaw: isRaw, doublesBraces: !isSpec, into: &scalars)
        parts.append(scalars.literal(isUnicode: false), token.range)
        advance()
      } else if code == .leftBrace {
        try parseReplacement(isRaw: isRaw, into: &parts)
      } else {
        return
      }
    }
  }

  /// `{expression [=] [!conversion] [:spec]}`
  private mutating func parseReplacement(
    isRaw: Bool, into parts: inout JoinedParts
  ) throws(SyntaxFailure) {
    try enter(Self.expressionCost)
    let lower = start
    advance()
    let expressionLower = previousEnd
    guard startsExpression else {
      throw fail(
        "fstring-expression",
        "f-string: valid expression required before \(tokenText)", token.range)
    }
    let value = code == .kwYield ? try parseYield() : try parseStarExpressions()
    var debugText: (StringLiteral, SourceRange)?
    if code == .equal {
      advance()
      let range = SourceRange(expressionLower, start)
      debugText = (try decodeDebugText(range), range)
    }
    var conversion = Expr.Conversion.none
    if code == .exclamation {
      let markEnd = Int(token.upper)
      advance()
      let letter = token
      guard letter.kind == .name, Int(letter.lower) == markEnd,
        let parsed = self.conversion(of: letter)
      else {
        throw fail(
          "fstring-conversion", "f-string: expected conversion 's', 'r' or 'a' after '!'",
          token.range)
      }
      conversion = parsed
      advance()
    }
    var spec: Expr?
    if code == .colon {
      let specLower = start
      advance()
      var specParts = JoinedParts()
      try parseFStringParts(isRaw: isRaw, isSpec: true, into: &specParts)
      spec = Expr(.joinedString(specParts.finish()), span(specLower))
    }
    guard code == .rightBrace else {
      throw fail(
        "fstring-brace", "f-string: expecting '}', found \(tokenText)", token.range)
    }
    advance()
    if let (text, range) = debugText {
      parts.append(text, range)
      if spec == nil, conversion == .none { conversion = .repr }
    }
    parts.append(
      Expr(.formattedValue(value, conversion: conversion, formatSpec: spec), span(lower)))
    leave(Self.expressionCost)
  }

  /// The source of a `{x = }` up to its value, without comments.
  private mutating func decodeDebugText(
    _ range: SourceRange
  ) throws(SyntaxFailure) -> StringLiteral {
    var scalars = ScalarBuffer()
    var position = range.lower
    var tokenIndex = index
    while tokenIndex > 0, tokens[tokenIndex - 1].lower >= range.lower { tokenIndex -= 1 }
    while position < range.upper {
      // Comments stand only between tokens.
      let token = tokens[tokenIndex]
      let end = min(Int(token.lower), range.upper)
      while position < end {
        let hash = bytes.firstIndex(of: 0x23, from: position, to: end)
        try decodeText(position, hash, isRaw: true, into: &scalars)
        position = hash
        while position < end, bytes[position] != 0x0A, bytes[position] != 0x0D { position += 1 }
      }
      let upper = min(Int(token.upper), range.upper)
      if position < upper { try decodeText(position, upper, isRaw: true, into: &scalars) }
      position = max(position, upper)
      tokenIndex += 1
      if token.kind == .endOfFile { break }
    }
    return scalars.literal(isUnicode: false)
  }

  private func conversion(of token: Token) -> Expr.Conversion? {
    guard token.upper - token.lower == 1 else { return nil }
    switch bytes[Int(token.lower)] {
    case 0x73: return .str
    case 0x72: return .repr
    case 0x61: return .ascii
    default: return nil
    }
  }
}
