extension Lexer {
  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// A number, by the rules of CPython's tokenizer (`tok_get_normal_mode`).
  mutating func lexNumber() {
    let lower = position
    var kind: String = "decimal"
    if bytes[position] == 0x30, let radix = radixOf(bytes[position + 1]) {
      kind = radix == 16 ? "hexadecimal" : radix == 8 ? "octal" : "binary"
      position += 2
      repeat {
        if bytes[position] == 0x5F { position += 1 }
        let start = position
        while let value = hexValue(bytes[position]), value < radix { position += 1 }
        if position == start {
          if Self.isDigit(bytes[position]) {
            failNumber(lower, "invalid digit '\(digitText)' in \(kind) literal")
          } else {
            failNumber(lower, "invalid \(kind) literal")
          }
          return
        }
      } while bytes[position] == 0x5F
      if Self.isDigit(bytes[position]) {
        failNumber(lower, "invalid digit '\(digitText)' in \(kind) literal")
        return
      }
      finishNumber(lower, kind)
      return
    }
    var isFloat = false
    if bytes[position] != 0x2E {
      let startsWithZero = bytes[position] == 0x30
      guard scanDigits(lower) else { return }
      if startsWithZero, !isAllZeros(lower, position) {
        // A decimal with leading zeros may still be a float or imaginary number.
        let next = bytes[position]
        if next != 0x2E && next | 0x20 != 0x65 && next | 0x20 != 0x6A {
          failNumber(
            lower, "leading zeros in decimal integer literals are not permitted",
            next: "use the prefix '0o' for octal integers")
          return
        }
      }
    }
    if bytes[position] == 0x2E {
      isFloat = true
      position += 1
      if Self.isDigit(bytes[position]) {
        guard scanDigits(lower) else { return }
      } else if bytes[position] == 0x5F {
        failNumber(lower, "invalid decimal literal")
        return
      }
    }
    if bytes[position] | 0x20 == 0x65 {
      let exponent = position
      position += 1
      if bytes[position] == 0x2B || bytes[position] == 0x2D {
        position += 1
        guard Self.isDigit(bytes[position]) else {
          failNumber(lower, "invalid decimal literal")
          return
        }
      }
      if Self.isDigit(bytes[position]) {
        isFloat = true
        guard scanDigits(lower) else { return }
      } else {
        position = exponent
        finishNumber(lower, "decimal")
        return
      }
    }
    if bytes[position] | 0x20 == 0x6A {
      position += 1
      kind = "imaginary"
    } else if isFloat {
      kind = "decimal"
    }
    finishNumber(lower, kind)
  }

  private func radixOf(_ byte: UInt8) -> UInt8? {
    switch byte | 0x20 {
    case 0x78: 16
    case 0x6F: 8
    case 0x62: 2
    default: nil
    }
  }

  private var digitText: String { bytes.string(position, position + 1) }

  private func isAllZeros(_ lower: Int, _ upper: Int) -> Bool {
    for index in lower..<upper where bytes[index] != 0x30 && bytes[index] != 0x5F { return false }
    return true
  }

  /// Digits with single underscores between them; reports and gives false where they are not.
  private mutating func scanDigits(_ lower: Int) -> Bool {
    while true {
      while Self.isDigit(bytes[position]) { position += 1 }
      guard bytes[position] == 0x5F else { return true }
      position += 1
      guard Self.isDigit(bytes[position]) else {
        failNumber(lower, "invalid decimal literal")
        return false
      }
    }
  }

  /// Emits the number unless a name runs into it (`1x`); the keywords that CPython lets follow a
  /// number directly (`1if`) may.
  private mutating func finishNumber(_ lower: Int, _ kind: String) {
    let byte = bytes[position]
    if Lexer.isNameByte(byte) {
      let isKeyword =
        switch byte {
        case 0x61: bytes.match(position, "and")
        case 0x65: bytes.match(position, "else")
        case 0x66: bytes.match(position, "for")
        case 0x69:
          bytes.match(position, "if") || bytes.match(position, "in") || bytes.match(position, "is")
        case 0x6E: bytes.match(position, "not")
        case 0x6F: bytes.match(position, "or")
        default: false
        }
      if !isKeyword {
        failNumber(lower, "invalid \(kind) literal")
        return
      }
    }
    emit(.number, from: lower)
  }

  private mutating func failNumber(_ lower: Int, _ message: String, next: String? = nil) {
    while Lexer.isNameByte(bytes[position]) { position += 1 }
    if position == lower { position += 1 }
    let text = bytes.string(lower, min(position, lower + 40))
    report("invalid-number", "\(message) '\(text)'", lower, position, next: next)
    emit(.error, from: lower)
  }
}

/// The value of a hexadecimal digit.
@inline(__always)
func hexValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x61...0x66: byte - 0x61 + 10
  case 0x41...0x46: byte - 0x41 + 10
  default: nil
  }
}
