import Diagnostics

extension Parser {
  /// What the letters before a string's quote say.
  struct StringPrefix {
    var isRaw = false
    var isBytes = false
    var isUnicode = false
    /// The number of quotes: 1 or 3.
    var quotes = 1
    /// Where the content starts.
    var contentLower = 0
  }

  func prefix(of token: Token) -> StringPrefix {
    var result = StringPrefix()
    var position = Int(token.lower)
    while true {
      switch bytes[position] | 0x20 {
      case 0x72: result.isRaw = true
      case 0x62: result.isBytes = true
      case 0x75: result.isUnicode = bytes[position] == 0x75
      case 0x66: break
      default:
        let quote = bytes[position]
        let isTriple =
          bytes[position + 1] == quote && bytes[position + 2] == quote
          && (token.kind == .fstringStart || Int(token.upper) - position >= 6)
        result.quotes = isTriple ? 3 : 1
        result.contentLower = position + result.quotes
        return result
      }
      position += 1
    }
  }

  /// One or more adjacent string literals: a constant or, with an f-string among them, a joined
  /// string.
  mutating func parseStrings() throws(SyntaxFailure) -> Expr {
    let lower = start
    let first = token
    if first.kind == .string {
      let second = peek().kind
      if second != .string, second != .fstringStart {
        advance()
        return Expr(.constant(try stringConstant(first)), first.range)
      }
    }
    var parts = JoinedParts()
    var hasFString = false
    var bytesCount = 0
    var textCount = 0
    var byteValues: [UInt8] = []
    var isUnicode = false
    while true {
      if token.kind == .string {
        let current = token
        let prefix = prefix(of: current)
        if bytesCount + textCount == 0 { isUnicode = prefix.isUnicode }
        if prefix.isBytes { bytesCount += 1 } else { textCount += 1 }
        if bytesCount > 0, textCount > 0 {
          throw mixedStrings()
        }
        advance()
        switch try stringConstant(current) {
        case .bytes(let value): byteValues += value
        case .string(let literal): parts.append(literal, current.range)
        default: break
        }
      } else if token.kind == .fstringStart {
        textCount += 1
        hasFString = true
        if bytesCount > 0 {
          throw mixedStrings()
        }
        try parseFString(into: &parts)
      } else {
        break
      }
    }
    if bytesCount > 0 { return Expr(.constant(.bytes(byteValues)), span(lower)) }
    if hasFString { return Expr(.joinedString(parts.finish()), span(lower)) }
    return Expr(.constant(.string(parts.literal(isUnicode: isUnicode))), span(lower))
  }

  /// CPython reports strings of both kinds side by side at the token behind them.
  private mutating func mixedStrings() -> SyntaxFailure {
    while token.kind == .string { advance() }
    return fail(
      "mixed-strings", "cannot mix bytes and nonbytes literals",
      SourceRange(max(0, previousEnd - 1), previousEnd))
  }

  /// The value of one string token.
  private mutating func stringConstant(_ token: Token) throws(SyntaxFailure) -> Constant {
    let prefix = prefix(of: token)
    let upper = Int(token.upper) - prefix.quotes
    if prefix.isBytes {
      return .bytes(
        try decodeBytes(prefix.contentLower, upper, isRaw: prefix.isRaw, in: token.range))
    }
    return .string(
      try decodeText(
        prefix.contentLower, upper, isRaw: prefix.isRaw, isUnicode: prefix.isUnicode))
  }

  private mutating func decodeBytes(
    _ lower: Int, _ upper: Int, isRaw: Bool, in range: SourceRange
  ) throws(SyntaxFailure) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(max(0, upper - lower))
    var index = lower
    while index < upper {
      let byte = bytes[index]
      if byte >= 0x80 {
        throw fail(
          "bytes-literal", "bytes can only contain ASCII literal characters", range)
      }
      if byte == 0x0D {
        result.append(0x0A)
        index += bytes[index + 1] == 0x0A && index + 1 < upper ? 2 : 1
        continue
      }
      guard byte == 0x5C, !isRaw else {
        result.append(byte)
        index += 1
        continue
      }
      let escape = try readEscape(&index, upper, isBytes: true)
      switch escape {
      case .nothing: break
      case .scalar(let value): result.append(UInt8(truncatingIfNeeded: value))
      case .unknown: result.append(0x5C)
      }
    }
    return result
  }

  /// The text between `lower` and `upper` with escapes decoded and line ends as `\n`.
  mutating func decodeText(
    _ lower: Int, _ upper: Int, isRaw: Bool, isUnicode: Bool = false
  ) throws(SyntaxFailure) -> StringLiteral {
    var isPlain = encoding == .utf8
    var index = lower
    while index < upper, isPlain {
      let byte = bytes[index]
      if byte == 0x0D || (byte == 0x5C && !isRaw) { isPlain = false }
      index += 1
    }
    if isPlain {
      return StringLiteral(bytes.string(lower, upper), isUnicodePrefixed: isUnicode)
    }
    var scalars = ScalarBuffer()
    try decodeText(lower, upper, isRaw: isRaw, into: &scalars)
    return scalars.literal(isUnicode: isUnicode)
  }

  mutating func decodeText(
    _ lower: Int, _ upper: Int, isRaw: Bool, doublesBraces: Bool = false,
    into scalars: inout ScalarBuffer
  ) throws(SyntaxFailure) {
    var index = lower
    while index < upper {
      let byte = bytes[index]
      switch byte {
      case 0x0D:
        scalars.append(0x0A)
        index += bytes[index + 1] == 0x0A && index + 1 < upper ? 2 : 1
      case 0x7B, 0x7D:
        scalars.append(UInt32(byte))
        index += doublesBraces && index + 1 < upper && bytes[index + 1] == byte ? 2 : 1
      case 0x5C where !isRaw:
        switch try readEscape(&index, upper, isBytes: false) {
        case .nothing: break
        case .scalar(let value): scalars.append(value)
        case .unknown: scalars.append(0x5C)
        }
      case 0..<0x80:
        scalars.append(UInt32(byte))
        index += 1
      default:
        if let (scalar, length) = encoding.scalar(in: bytes, at: index) {
          scalars.append(scalar.value)
          index += length
        } else {
          scalars.append(0xFFFD)
          index += 1
        }
      }
    }
  }

  enum Escape {
    /// A line continuation.
    case nothing
    case scalar(UInt32)
    /// No escape: the backslash stands for itself.
    case unknown
  }

  /// Reads the escape at `index` (a backslash) and steps over it; over the backslash alone where
  /// what follows is no escape.
  private mutating func readEscape(
    _ index: inout Int, _ upper: Int, isBytes: Bool
  ) throws(SyntaxFailure) -> Escape {
    let lower = index
    index += 1
    guard index < upper else { return .unknown }
    let letter = bytes[index]
    let simple: UInt32
    switch letter {
    case 0x0A:
      index += 1
      return .nothing
    case 0x0D:
      index += bytes[index + 1] == 0x0A ? 2 : 1
      return .nothing
    case 0x5C, 0x27, 0x22: simple = UInt32(letter)
    case 0x61: simple = 7
    case 0x62: simple = 8
    case 0x66: simple = 12
    case 0x6E: simple = 10
    case 0x72: simple = 13
    case 0x74: simple = 9
    case 0x76: simple = 11
    case 0x30...0x37:
      var value: UInt32 = 0
      var count = 0
      while count < 3, index < upper, bytes[index] >= 0x30, bytes[index] <= 0x37 {
        value = value * 8 + UInt32(bytes[index] - 0x30)
        index += 1
        count += 1
      }
      return .scalar(value)
    case 0x78: return try readHex(&index, upper, lower, digits: 2, isBytes: isBytes)
    case 0x75 where !isBytes: return try readHex(&index, upper, lower, digits: 4, isBytes: false)
    case 0x55 where !isBytes: return try readHex(&index, upper, lower, digits: 8, isBytes: false)
    case 0x4E where !isBytes:
      let close = bytes.firstIndex(of: 0x7D, from: index, to: upper)
      guard bytes[index + 1] == 0x7B, close < upper, close > index + 2 else {
        throw fail(
          "invalid-escape", "malformed \\N character escape", SourceRange(lower, index + 1),
          next: "write \\N{NAME}")
      }
      let name = bytes.string(index + 2, close)
      guard let scalar = UnicodeNames.scalar(named: name) else {
        throw fail(
          "invalid-escape", "unknown Unicode character name '\(name)'",
          SourceRange(lower, close + 1))
      }
      index = close + 1
      return .scalar(scalar.value)
    default:
      return .unknown
    }
    index += 1
    return .scalar(simple)
  }

  private mutating func readHex(
    _ index: inout Int, _ upper: Int, _ lower: Int, digits: Int, isBytes: Bool
  ) throws(SyntaxFailure) -> Escape {
    index += 1
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard index < upper, let digit = hexValue(bytes[index]) else {
        let form = digits == 2 ? "\\xXX" : digits == 4 ? "\\uXXXX" : "\\UXXXXXXXX"
        throw fail(
          "invalid-escape", "truncated \(form) escape", SourceRange(lower, max(lower + 1, index)))
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    if value > 0x10FFFF {
      throw fail(
        "invalid-escape", "illegal Unicode character in escape", SourceRange(lower, index))
    }
    return .scalar(value)
  }
}

/// Code points on their way into a string, lone surrogates among them.
struct ScalarBuffer {
  private var text = String.UnicodeScalarView()
  /// All code points once a surrogate has come up.
  private var points: [UInt32]?

  var isEmpty: Bool { text.isEmpty }

  mutating func append(_ value: UInt32) {
    if let scalar = Unicode.Scalar(value) {
      text.append(scalar)
      points?.append(value)
    } else {
      if points == nil { points = text.map(\.value) }
      text.append("\u{FFFD}")
      points?.append(value)
    }
  }

  mutating func append(_ literal: StringLiteral) {
    if let codePoints = literal.codePoints {
      for point in codePoints { append(point) }
    } else {
      text.append(contentsOf: literal.value.unicodeScalars)
      if points != nil { points?.append(contentsOf: literal.value.unicodeScalars.map(\.value)) }
    }
  }

  func literal(isUnicode: Bool) -> StringLiteral {
    StringLiteral(String(text), codePoints: points, isUnicodePrefixed: isUnicode)
  }
}
