extension Lexer {
  /// A string whose prefix starts at `lower`; the position is at its quote.
  mutating func lexString(from lower: Int) {
    let quote = bytes[position]
    var isFString = false
    var isRaw = false
    for index in lower..<position {
      let letter = bytes[index] | 0x20
      if letter == 0x66 { isFString = true }
      if letter == 0x72 { isRaw = true }
    }
    var isTriple = false
    if bytes[position + 1] == quote {
      if bytes[position + 2] == quote {
        isTriple = true
      } else if !isFString {
        position += 2
        emit(.string, from: lower)
        return
      }
    }
    position += isTriple ? 3 : 1
    if isFString {
      emit(.fstringStart, from: lower)
      if contexts.count >= Self.maximumFStringDepth, !hasReportedDepth {
        hasReportedDepth = true
        report("too-deep", "too many nested f-strings", lower, position)
      }
      contexts.append(
        FStringContext(
          place: .text, quote: quote, isTriple: isTriple, isRaw: isRaw, start: lower,
          bracketBase: brackets.count))
      return
    }
    let isClosed = isTriple ? scanTriple(quote) : scanSingle(quote)
    if isClosed {
      emit(.string, from: lower)
      return
    }
    // The quote that was meant to end an f-string whose '}' is missing, as in f"{x".
    if let context = contexts.last, context.place == .expression, context.quote == quote,
      context.isTriple == isTriple, bytes[lower] == quote
    {
      position = lower + (isTriple ? 3 : 1)
      report(
        "fstring-brace", "f-string: expecting '}' before the closing quote", lower, position)
      emit(.error, from: lower)
      leaveFString()
      return
    }
    report(
      "unterminated-string",
      isTriple
        ? "unterminated triple-quoted string literal" : "unterminated string literal", lower,
      lower + (isTriple ? 3 : 1), next: "close it with \(quotes(quote, isTriple))")
    emit(.error, from: lower)
  }

  private func quotes(_ quote: UInt8, _ isTriple: Bool) -> String {
    let one = quote == 0x22 ? "\"" : "'"
    return isTriple ? one + one + one : one
  }

  /// Scans to the end of a single-quoted string; false (at the line end) if it is not closed.
  @inline(__always)
  private mutating func scanSingle(_ quote: UInt8) -> Bool {
    while true {
      let byte = bytes[position]
      if byte == quote {
        position += 1
        return true
      }
      switch byte {
      case 0x5C:
        position += 1
        if bytes[position] == 0x0D, bytes[position + 1] == 0x0A { position += 1 }
        if position < bytes.count { position += 1 }
      case 0x0A, 0x0D:
        return false
      case 0:
        if position >= bytes.count { return false }
        reportNull()
      default:
        position += 1
      }
    }
  }

  private mutating func scanTriple(_ quote: UInt8) -> Bool {
    while true {
      let byte = bytes[position]
      if byte == quote, bytes[position + 1] == quote, bytes[position + 2] == quote {
        position += 3
        return true
      }
      if byte == 0x5C {
        position += 2
        if position > bytes.count { position = bytes.count }
      } else if byte == 0 {
        if position >= bytes.count { return false }
        reportNull()
      } else {
        position += 1
      }
    }
  }

  private mutating func reportNull() {
    report(
      "null-byte", "source code cannot contain null bytes", position, position + 1,
      next: "save the file as UTF-8 text")
    while bytes[position] == 0, position < bytes.count { position += 1 }
  }

  /// Emits the literal text up to the next `{`, `}` or end of an f-string, and what ends it.
  mutating func lexFStringText(_ context: FStringContext) {
    let lower = position
    let isSpec = context.place == .formatSpec
    while true {
      let byte = bytes[position]
      if byte == context.quote {
        if !context.isTriple {
          endFString(context, lower, quotes: 1)
          return
        }
        if bytes[position + 1] == byte, bytes[position + 2] == byte {
          endFString(context, lower, quotes: 3)
          return
        }
        position += 1
        continue
      }
      switch byte {
      case 0x7B:
        if bytes[position + 1] == 0x7B, !isSpec {
          position += 2
          continue
        }
        if position > lower { emit(.fstringMiddle, from: lower) }
        let brace = position
        position += 1
        emit(.op, .leftBrace, from: brace)
        contexts.append(
          FStringContext(
            place: .expression, quote: context.quote, isTriple: context.isTriple,
            isRaw: context.isRaw, start: brace, bracketBase: brackets.count))
        if contexts.count == 2 * Self.maximumFStringDepth, !hasReportedDepth {
          hasReportedDepth = true
          report("too-deep", "too many nested f-strings", brace, position)
        }
        return
      case 0x7D:
        if isSpec {
          if position > lower { emit(.fstringMiddle, from: lower) }
          let brace = position
          position += 1
          emit(.op, .rightBrace, from: brace)
          contexts.removeLast()  // the format spec
          if contexts.last?.place == .expression { contexts.removeLast() }
          return
        }
        if bytes[position + 1] == 0x7D {
          position += 2
          continue
        }
        if position > lower { emit(.fstringMiddle, from: lower) }
        position += 1
        report(
          "fstring-brace", "f-string: single '}' is not allowed", position - 1, position,
          next: "write '}}' for a brace")
        emit(.error, from: position - 1)
        return
      case 0x5C:
        position += 1
        let next = bytes[position]
        if next == 0x7B || next == 0x7D { continue }
        if next == 0x4E, !context.isRaw, bytes[position + 1] == 0x7B {
          // \N{NAME}: its braces are no expression.
          var end = position + 2
          while end < bytes.count, bytes[end] != 0x7D, bytes[end] != context.quote,
            bytes[end] != 0x0A, bytes[end] != 0x7B
          {
            end += 1
          }
          position = bytes[end] == 0x7D ? end + 1 : end
          continue
        }
        if next == 0x0D, bytes[position + 1] == 0x0A { position += 1 }
        if position < bytes.count { position += 1 }
      case 0x0A, 0x0D:
        if !context.isTriple {
          failFString(context, lower)
          return
        }
        position += 1
      case 0:
        if position >= bytes.count {
          failFString(context, lower)
          return
        }
        reportNull()
      default:
        position += 1
      }
    }
  }

  private mutating func endFString(_ context: FStringContext, _ lower: Int, quotes: Int) {
    if position > lower { emit(.fstringMiddle, from: lower) }
    let end = position
    position += quotes
    if context.place == .formatSpec {
      report(
        "fstring-brace", "f-string: expecting '}' before the closing quote", end, position)
      emit(.error, from: end)
      leaveFString()
      return
    }
    emit(.fstringEnd, from: end)
    contexts.removeLast()
  }

  private mutating func failFString(_ context: FStringContext, _ lower: Int) {
    reportUnterminated(contexts.last(where: { $0.place == .text }) ?? context)
    emit(.error, from: lower)
    leaveFString()
  }

  mutating func reportUnterminated(_ context: FStringContext) {
    if context.place == .expression {
      report("unclosed-bracket", "'{' was never closed", context.start, context.start + 1)
      return
    }
    report(
      "unterminated-string",
      context.isTriple
        ? "unterminated triple-quoted f-string literal" : "unterminated f-string literal",
      context.start, context.start + 1,
      next: "close it with \(quotes(context.quote, context.isTriple))")
  }

  /// Drops the innermost f-string with whatever is open inside it.
  mutating func leaveFString() {
    while let context = contexts.popLast() {
      if brackets.count > context.bracketBase {
        brackets.removeSubrange(context.bracketBase...)
      }
      if context.place == .text { return }
    }
  }

  /// A `:` in an f-string's braces: literal text follows up to `}`.
  mutating func beginFormatSpec() {
    guard let context = contexts.last else { return }
    contexts.append(
      FStringContext(
        place: .formatSpec, quote: context.quote, isTriple: context.isTriple,
        isRaw: context.isRaw, start: position, bracketBase: brackets.count))
  }
}
