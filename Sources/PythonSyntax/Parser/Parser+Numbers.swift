import Diagnostics

extension Parser {
  /// CPython's limit for decimal integer literals (`sys.int_info.default_max_str_digits`).
  static let maximumDecimalDigits = 4300

  /// The value of a number token, whose form the lexer has checked.
  mutating func parseNumber(_ token: Token) throws(SyntaxFailure) -> Constant {
    let lower = Int(token.lower)
    let upper = Int(token.upper)
    let first = bytes[lower]
    if upper - lower == 1 { return .int(IntegerLiteral(Int(first) - 0x30)) }
    let second = bytes[lower + 1] | 0x20
    if first == 0x30, second == 0x78 || second == 0x6F || second == 0x62 {
      return .int(parseRadix(lower + 2, upper, second == 0x78 ? 4 : second == 0x6F ? 3 : 1))
    }
    var isInteger = true
    var value = 0
    var hasOverflowed = false
    var hasUnderscore = false
    for index in lower..<upper {
      let byte = bytes[index]
      if byte >= 0x30, byte <= 0x39 {
        if hasOverflowed { continue }
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflow2) = product.addingReportingOverflow(Int(byte) - 0x30)
        if overflow || overflow2 { hasOverflowed = true } else { value = sum }
      } else if byte == 0x5F {
        hasUnderscore = true
      } else {
        isInteger = false
        break
      }
    }
    if isInteger {
      if !hasOverflowed { return .int(IntegerLiteral(value)) }
      return .int(try parseBigDecimal(lower, upper))
    }
    let isImaginary = bytes[upper - 1] | 0x20 == 0x6A
    var text = bytes.string(lower, isImaginary ? upper - 1 : upper)
    if hasUnderscore || text.utf8.contains(0x5F) { text.removeAll { $0 == "_" } }
    if text.hasSuffix(".") { text += "0" }
    let number = Double(text) ?? 0
    return isImaginary ? .imaginary(number) : .float(number)
  }

  private func parseRadix(_ lower: Int, _ upper: Int, _ bits: Int) -> IntegerLiteral {
    var value = 0
    var hasOverflowed = false
    for index in lower..<upper {
      guard let digit = hexValue(bytes[index]) else { continue }
      if value >> (62 - bits) != 0 {
        hasOverflowed = true
        break
      }
      value = value << bits | Int(digit)
    }
    if !hasOverflowed { return IntegerLiteral(value) }
    // Regroup the bits into hexadecimal digits from the low end.
    var digits: [UInt8] = []
    var accumulator = 0
    var count = 0
    for index in (lower..<upper).reversed() {
      guard let digit = hexValue(bytes[index]) else { continue }
      accumulator |= Int(digit) << count
      count += bits
      while count >= 4 {
        digits.append(UInt8(accumulator & 15))
        accumulator >>= 4
        count -= 4
      }
    }
    if count > 0 { digits.append(UInt8(accumulator & 15)) }
    return IntegerLiteral(hexDigits: Self.hexText(digits))
  }

  private mutating func parseBigDecimal(
    _ lower: Int, _ upper: Int
  ) throws(SyntaxFailure) -> IntegerLiteral {
    var words: [UInt32] = []
    var digitCount = 0
    var chunk: UInt64 = 0
    var scale: UInt64 = 1
    func flush() {
      var carry = chunk
      for index in words.indices {
        let product = UInt64(words[index]) * scale + carry
        words[index] = UInt32(truncatingIfNeeded: product)
        carry = product >> 32
      }
      if carry > 0 { words.append(UInt32(truncatingIfNeeded: carry)) }
      chunk = 0
      scale = 1
    }
    for index in lower..<upper where bytes[index] != 0x5F {
      digitCount += 1
      if digitCount > Self.maximumDecimalDigits {
        throw fail(
          "invalid-number", "decimal literal has more than \(Self.maximumDecimalDigits) digits",
          SourceRange(lower, upper), next: "write it in hexadecimal")
      }
      chunk = chunk * 10 + UInt64(bytes[index] - 0x30)
      scale *= 10
      if scale == 1_000_000_000 { flush() }
    }
    flush()
    var digits: [UInt8] = []
    for word in words {
      for shift in stride(from: UInt32(0), to: 32, by: 4) {
        digits.append(UInt8(word >> shift & 15))
      }
    }
    return IntegerLiteral(hexDigits: Self.hexText(digits))
  }

  /// Hexadecimal digits, least significant first, as text without leading zeros.
  private static func hexText(_ digits: [UInt8]) -> String {
    var text = [UInt8]()
    for digit in digits.reversed() where digit != 0 || !text.isEmpty {
      text.append(digit < 10 ? digit + 0x30 : digit - 10 + 0x61)
    }
    return text.isEmpty ? "0" : String(decoding: text, as: UTF8.self)
  }
}
