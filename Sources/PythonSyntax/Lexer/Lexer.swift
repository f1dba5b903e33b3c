import Diagnostics

/// What the lexer or the parser found wrong, before it is tied to a source.
struct SyntaxProblem {
  var id: String
  var message: String
  var range: SourceRange
  var nextStep: String?
}

/// Cuts the bytes of a file into tokens: CPython's tokenizer with f-strings cut as in PEP 701.
///
/// The lexer never stops: what is wrong becomes an `.error` token and a problem, and it goes on
/// behind it.
struct Lexer {
  /// Limits of CPython's tokenizer (`MAXLEVEL`, `MAXINDENT`, `MAXFSTRINGLEVEL`).
  static let maximumBracketDepth = 200
  static let maximumIndentDepth = 100
  static let maximumFStringDepth = 150

  struct Bracket {
    var byte: UInt8
    var offset: Int
  }

  /// Where the lexer stands inside f-strings.
  struct FStringContext {
    enum Place { case text, expression, formatSpec }
    var place: Place
    var quote: UInt8
    var isTriple: Bool
    var isRaw: Bool
    /// The offset of the f-string's prefix, or of the `{` of an expression.
    var start: Int
    /// How many brackets were open when the expression began.
    var bracketBase: Int
  }

  let bytes: SourceBytes
  let encoding: SourceEncoding
  var tokens: [Token] = []
  var problems: [SyntaxProblem] = []
  var position: Int
  var brackets: [Bracket] = []
  var contexts: [FStringContext] = []
  var indents: [Int] = [0]
  var alternateIndents: [Int] = [0]
  var lineStart: Int
  var hasReportedDepth = false

  init(bytes: SourceBytes, encoding: SourceEncoding, start: Int) {
    self.bytes = bytes
    self.encoding = encoding
    self.position = start
    self.lineStart = start
    tokens.reserveCapacity(bytes.count / 4 + 16)
  }

  @inline(__always)
  mutating func emit(_ kind: Token.Kind, _ code: TokenCode = .none, from lower: Int) {
    tokens.append(Token(kind: kind, code: code, lower: lower, upper: position))
  }

  mutating func report(
    _ id: String, _ message: String, _ lower: Int, _ upper: Int, next: String? = nil
  ) {
    problems.append(
      SyntaxProblem(
        id: id, message: message, range: SourceRange(lower, max(lower, min(upper, bytes.count))),
        nextStep: next))
  }

  var isInsideBrackets: Bool { !brackets.isEmpty || !contexts.isEmpty }

  /// Lexes the whole source.
  /// - Complexity: O(n) in the number of bytes.
  mutating func run() {
    var isAtLineStart = true
    while true {
      if let context = contexts.last, context.place != .expression {
        lexFStringText(context)
        isAtLineStart = false
        continue
      }
      if isAtLineStart {
        isAtLineStart = false
        lexIndentation()
      }
      let byte = bytes[position]
      switch byte {
      case 0x20, 0x09, 0x0C:
        position += 1
      case 0x0A, 0x0D:
        let lower = position
        skipLineEnd()
        if isInsideBrackets {
          lineStart = position
          closeForgottenBrackets()
          if !isInsideBrackets {
            tokens.append(Token(kind: .newline, lower: position, upper: position))
            isAtLineStart = true
          }
        } else {
          emit(.newline, from: lower)
          isAtLineStart = true
        }
      case 0x23:
        skipComment()
      case 0x5C:
        lexContinuation()
      case 0x61...0x7A, 0x41...0x5A, 0x5F, 0x80...0xFF:
        lexName()
      case 0x30...0x39:
        lexNumber()
      case 0x22, 0x27:
        lexString(from: position)
      case 0x00:
        if position >= bytes.count {
          finish()
          return
        }
        let lower = position
        while position < bytes.count, bytes[position] == 0 { position += 1 }
        report(
          "null-byte", "source code cannot contain null bytes", lower, position,
          next: "save the file as UTF-8 text")
        emit(.error, from: lower)
      default:
        lexOperator(byte)
      }
    }
  }

  /// Steps over `\n`, `\r\n` or a lone `\r`.
  @inline(__always)
  mutating func skipLineEnd() {
    position += bytes[position] == 0x0D && bytes[position + 1] == 0x0A ? 2 : 1
    lineStart = position
  }

  @inline(__always)
  mutating func skipComment() {
    while position < bytes.count {
      let byte = bytes[position]
      if byte == 0x0A || byte == 0x0D { break }
      if byte == 0 {
        report(
          "null-byte", "source code cannot contain null bytes", position, position + 1,
          next: "save the file as UTF-8 text")
        while bytes[position] == 0, position < bytes.count { position += 1 }
        continue
      }
      position += 1
    }
  }

  /// A backslash: joins lines, or is an error.
  mutating func lexContinuation() {
    let lower = position
    position += 1
    let byte = bytes[position]
    if byte == 0x0A || byte == 0x0D {
      skipLineEnd()
      if position >= bytes.count {
        report("unexpected-end", "unexpected end of file after '\\'", lower, lower + 1)
        emit(.error, from: position)
      }
      return
    }
    if position >= bytes.count {
      report("unexpected-end", "unexpected end of file after '\\'", lower, lower + 1)
    } else {
      report(
        "line-continuation", "unexpected character after line continuation character '\\'", lower,
        position + 1, next: "end the line right after '\\', or remove it")
    }
    emit(.error, from: lower)
  }

  /// At the start of a line inside brackets: a keyword that only starts statements shows that a
  /// bracket was never closed. Reports it and goes on as if all were closed.
  mutating func closeForgottenBrackets() {
    var index = position
    while bytes[index] == 0x20 || bytes[index] == 0x09 || bytes[index] == 0x0C { index += 1 }
    let lower = index
    while bytes[index] >= 0x61, bytes[index] <= 0x7A { index += 1 }
    guard index > lower, bytes.keyword(lower, index).startsOnlyStatements else { return }
    let after = bytes[index]
    if after >= 0x80 || after == 0x5F || (after >= 0x30 && after <= 0x39)
      || (after >= 0x41 && after <= 0x5A) || after == 0x22 || after == 0x27
    {
      return
    }
    guard contexts.last?.isTriple != true else { return }
    reportUnclosed()
    brackets.removeAll(keepingCapacity: true)
    contexts.removeAll(keepingCapacity: true)
    tokens.append(Token(kind: .error, lower: position, upper: position))
  }

  mutating func reportUnclosed() {
    if let bracket = brackets.last, bracket.offset > contexts.last?.start ?? -1 {
      let quoted = bytes.string(bracket.offset, bracket.offset + 1)
      report(
        "unclosed-bracket", "'\(quoted)' was never closed", bracket.offset, bracket.offset + 1)
    } else if let context = contexts.last {
      reportUnterminated(context)
    }
  }

  /// The end of the file: closes the last line and all blocks.
  mutating func finish() {
    if isInsideBrackets {
      reportUnclosed()
      brackets.removeAll()
      contexts.removeAll()
      emit(.error, from: position)
    }
    if let last = tokens.last, last.kind != .newline, last.kind != .dedent {
      emit(.newline, from: position)
    }
    for _ in 1..<max(1, indents.count) { emit(.dedent, from: position) }
    emit(.endOfFile, from: position)
  }
}
