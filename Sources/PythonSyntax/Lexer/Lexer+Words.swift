extension Lexer {
  @inline(__always)
  static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x5F, 0x80...0xFF: true
    default: false
    }
  }

  /// A name, a keyword, or the prefix of a string.
  @inline(__always)
  mutating func lexName() {
    let lower = position
    var highBits: UInt8 = 0
    while true {
      let byte = bytes[position]
      guard Self.isNameByte(byte) else { break }
      highBits |= byte
      position += 1
    }
    if position - lower <= 2, bytes[position] == 0x22 || bytes[position] == 0x27,
      isStringPrefix(lower, position)
    {
      lexString(from: lower)
      return
    }
    if highBits >= 0x80 {
      checkIdentifier(lower)
      return
    }
    emit(.name, bytes.keyword(lower, position), from: lower)
  }

  private func isStringPrefix(_ lower: Int, _ upper: Int) -> Bool {
    let first = bytes[lower] | 0x20
    if upper - lower == 1 {
      return first == 0x72 || first == 0x66 || first == 0x62 || first == 0x75
    }
    let second = bytes[lower + 1] | 0x20
    return (first == 0x72 && (second == 0x62 || second == 0x66))
      || (second == 0x72 && (first == 0x62 || first == 0x66))
  }

  /// Checks a name with bytes beyond ASCII by XID_Start and XID_Continue and emits it; a character
  /// that is neither ends the name and becomes an error token.
  private mutating func checkIdentifier(_ lower: Int) {
    let upper = position
    var index = lower
    while index < upper {
      guard let (scalar, length) = encoding.scalar(in: bytes, at: index) else {
        index += 1  // not text at all: reported for the file as a whole
        continue
      }
      let isGood =
        index == lower
        ? scalar == "_" || scalar.properties.isXIDStart : scalar.properties.isXIDContinue
      if !isGood {
        if index > lower {
          position = index
          emit(.name, bytes.keyword(lower, index), from: lower)
        }
        // What follows the character up to the next separator is part of the same mistake.
        position = upper
        reportInvalidCharacter(scalar, index)
        emit(.error, from: index)
        return
      }
      index += length
    }
    position = upper
    emit(.name, from: lower)
  }

  private mutating func reportInvalidCharacter(_ scalar: Unicode.Scalar, _ index: Int) {
    var hex = String(scalar.value, radix: 16, uppercase: true)
    while hex.count < 4 { hex = "0" + hex }
    let isPrintable =
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
        .paragraphSeparator, .spaceSeparator:
        false
      default: true
      }
    report(
      "invalid-character",
      isPrintable
        ? "invalid character '\(scalar)' (U+\(hex))"
        : "invalid non-printable character U+\(hex)",
      index, index + 1)
  }

  mutating func lexOperator(_ byte: UInt8) {
    let lower = position
    let second = bytes[position + 1]
    var code = TokenCode.none
    var length = 1
    switch byte {
    case 0x28: code = .leftParen
    case 0x5B: code = .leftBracket
    case 0x7B: code = .leftBrace
    case 0x29: code = .rightParen
    case 0x5D: code = .rightBracket
    case 0x7D: code = .rightBrace
    case 0x2C: code = .comma
    case 0x3B: code = .semicolon
    case 0x7E: code = .tilde
    case 0x3A:
      code = .colon
      if isAtExpressionLevel {
        position += 1
        emit(.op, .colon, from: lower)
        beginFormatSpec()
        return
      }
      if second == 0x3D { (code, length) = (.colonEqual, 2) }
    case 0x2E:
      if second >= 0x30, second <= 0x39 {
        lexNumber()
        return
      }
      code = .dot
      if second == 0x2E, bytes[position + 2] == 0x2E { (code, length) = (.ellipsis, 3) }
    case 0x3D: (code, length) = second == 0x3D ? (.equalEqual, 2) : (.equal, 1)
    case 0x21:
      if second == 0x3D {
        (code, length) = (.notEqual, 2)
      } else if isAtExpressionLevel {
        code = .exclamation
      }
    case 0x2B: (code, length) = second == 0x3D ? (.plusEqual, 2) : (.plus, 1)
    case 0x2D:
      code = .minus
      if second == 0x3D { (code, length) = (.minusEqual, 2) }
      if second == 0x3E { (code, length) = (.arrow, 2) }
    case 0x2A: (code, length) = doubled(0x2A, .star, .doubleStar, .starEqual, .doubleStarEqual)
    case 0x2F:
      (code, length) = doubled(0x2F, .slash, .doubleSlash, .slashEqual, .doubleSlashEqual)
    case 0x25: (code, length) = second == 0x3D ? (.percentEqual, 2) : (.percent, 1)
    case 0x7C: (code, length) = second == 0x3D ? (.barEqual, 2) : (.bar, 1)
    case 0x26: (code, length) = second == 0x3D ? (.ampersandEqual, 2) : (.ampersand, 1)
    case 0x5E: (code, length) = second == 0x3D ? (.caretEqual, 2) : (.caret, 1)
    case 0x40: (code, length) = second == 0x3D ? (.atEqual, 2) : (.at, 1)
    case 0x3C:
      (code, length) = doubled(0x3C, .less, .leftShift, .lessEqual, .leftShiftEqual)
    case 0x3E:
      (code, length) = doubled(0x3E, .greater, .rightShift, .greaterEqual, .rightShiftEqual)
    default: break
    }
    position += length
    switch code {
    case .none:
      let quoted =
        byte < 0x20 || byte == 0x7F
        ? "U+00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        : "'" + bytes.string(lower, position) + "'"
      report("invalid-character", "invalid character \(quoted)", lower, position)
      emit(.error, from: lower)
    case .leftParen, .leftBracket, .leftBrace:
      open(byte, lower)
      emit(.op, code, from: lower)
    case .rightParen, .rightBracket, .rightBrace:
      close(byte, code, lower)
    default:
      emit(.op, code, from: lower)
    }
  }

  /// An operator that may be doubled and followed by `=`.
  @inline(__always)
  private func doubled(
    _ byte: UInt8, _ plain: TokenCode, _ double: TokenCode, _ assign: TokenCode,
    _ doubleAssign: TokenCode
  ) -> (TokenCode, Int) {
    let second = bytes[position + 1]
    if second == byte {
      return bytes[position + 2] == 0x3D ? (doubleAssign, 3) : (double, 2)
    }
    return second == 0x3D ? (assign, 2) : (plain, 1)
  }

  private mutating func open(_ byte: UInt8, _ offset: Int) {
    if brackets.count >= Self.maximumBracketDepth, !hasReportedDepth {
      hasReportedDepth = true
      report(
        "too-deep", "too many nested brackets (limit \(Self.maximumBracketDepth))", offset,
        offset + 1)
    }
    brackets.append(Bracket(byte: byte, offset: offset))
  }

  private mutating func close(_ byte: UInt8, _ code: TokenCode, _ offset: Int) {
    let base = contexts.last?.bracketBase ?? 0
    if byte == 0x7D, isAtExpressionLevel {
      emit(.op, .rightBrace, from: offset)
      contexts.removeLast()
      return
    }
    guard brackets.count > base, let bracket = brackets.last else {
      let name = contexts.isEmpty ? "" : "f-string: "
      report(
        "unmatched-bracket", "\(name)unmatched '\(bytes.string(offset, offset + 1))'", offset,
        offset + 1)
      emit(.error, from: offset)
      return
    }
    let closer: UInt8 = bracket.byte == 0x28 ? 0x29 : bracket.byte == 0x5B ? 0x5D : 0x7D
    if closer == byte {
      brackets.removeLast()
      emit(.op, code, from: offset)
      return
    }
    let opener = bytes.string(bracket.offset, bracket.offset + 1)
    report(
      "mismatched-bracket",
      "closing '\(bytes.string(offset, offset + 1))' does not match opening '\(opener)'", offset,
      offset + 1)
    emit(.error, from: offset)
    // If an outer bracket matches, those inside it were forgotten; else the closer is a slip.
    let wanted: UInt8 = byte == 0x29 ? 0x28 : byte == 0x5D ? 0x5B : 0x7B
    if let outer = brackets[base...].lastIndex(where: { $0.byte == wanted }) {
      brackets.removeSubrange(outer...)
    } else {
      brackets.removeLast()
    }
  }

  /// Whether the lexer stands in an f-string's braces with no bracket open inside them.
  @inline(__always)
  var isAtExpressionLevel: Bool {
    guard let context = contexts.last else { return false }
    return context.place == .expression && brackets.count == context.bracketBase
  }
}
