import Diagnostics

/// Thrown to leave the statement that cannot be parsed; what was wrong is in `pending`.
struct SyntaxFailure: Error {}

/// Recursive descent over the tokens of one file, after CPython's grammar (`Grammar/python.gram`).
///
/// Left-associative chains are parsed by loops, so depth grows only where the source nests.
struct Parser {
  /// How deep the parser follows nesting. An expression inside another costs `expressionCost`,
  /// a prefix operator or a block less; CPython stops at 200 brackets and 100 indents.
  static let maximumDepth = 1000
  static let expressionCost = 4

  let bytes: SourceBytes
  let tokens: TokenBuffer
  let encoding: SourceEncoding
  var index = 0
  var token: Token
  var previousEnd = 0
  var depth = 0
  var names = NameTable()
  var problems: [SyntaxProblem] = []
  var pending: SyntaxProblem?
  /// Where the operand that was read last starts: with a comma missing behind it, CPython points there.
  var lastOperandLower = 0
  /// Whether an expression is being read only to see if it is one.
  var isLookingAhead = false

  init(bytes: SourceBytes, tokens: TokenBuffer, encoding: SourceEncoding) {
    self.bytes = bytes
    self.tokens = tokens
    self.encoding = encoding
    token = tokens[0]
  }

  // MARK: - Tokens

  @inline(__always) var code: TokenCode { token.code }
  @inline(__always) var start: Int { Int(token.lower) }

  @inline(__always)
  mutating func advance() {
    previousEnd = Int(token.upper)
    index += 1
    token = tokens[index]
  }

  @inline(__always)
  func peek(_ distance: Int = 1) -> Token { tokens[index + distance] }

  /// Steps over the current token if it is this one.
  @inline(__always)
  mutating func accept(_ code: TokenCode) -> Bool {
    guard token.code == code else { return false }
    advance()
    return true
  }

  @inline(__always)
  mutating func expect(_ code: TokenCode, _ what: StaticString) throws(SyntaxFailure) {
    guard token.code == code else { throw unexpected(expected: what) }
    advance()
  }

  /// A name that is no keyword.
  @inline(__always)
  var isName: Bool { token.kind == .name && !token.code.isKeyword }

  @inline(__always)
  func span(_ lower: Int) -> SourceRange { SourceRange(lower, previousEnd) }

  /// The text of a token as a name.
  @inline(__always)
  mutating func name(of token: Token) -> String {
    let bytes = bytes
    let encoding = encoding
    return names.intern(bytes, Int(token.lower), Int(token.upper)) { lower, upper in
      Identifiers.normalized(bytes, lower, upper, encoding)
    }
  }

  /// Takes a name.
  mutating func takeName(_ what: StaticString) throws(SyntaxFailure) -> (String, SourceRange) {
    guard isName else {
      if token.code.isKeyword {
        throw fail(
          "keyword-as-name", "cannot use keyword \(quoted(token)) as \(what)", token.range)
      }
      throw unexpected(expected: what)
    }
    let result = (name(of: token), token.range)
    advance()
    return result
  }

  // MARK: - Failing

  /// Notes what is wrong; at an error token the lexer has said it already.
  mutating func fail(
    _ id: String, _ message: String, _ range: SourceRange, next: String? = nil
  ) -> SyntaxFailure {
    if token.kind != .error {
      pending = SyntaxProblem(id: id, message: message, range: range, nextStep: next)
    }
    return SyntaxFailure()
  }

  /// A token in quotes: its first line, at most 60 bytes.
  func quoted(_ token: Token) -> String {
    let lower = Int(token.lower)
    var upper = lower
    while upper < Int(token.upper), upper - lower < 60, bytes[upper] >= 0x20 { upper += 1 }
    while upper < Int(token.upper), bytes[upper] & 0xC0 == 0x80 { upper += 1 }
    return "'\(encoding.decode(bytes, lower, upper))\(upper < Int(token.upper) ? "…" : "")'"
  }

  /// What the current token is, in words.
  var tokenText: String {
    switch token.kind {
    case .newline: "end of line"
    case .endOfFile: "end of file"
    case .indent: "indent"
    case .dedent: "end of block"
    default: quoted(token)
    }
  }

  mutating func unexpected(expected what: StaticString) -> SyntaxFailure {
    if token.kind == .indent {
      return fail(
        "unexpected-indent", "unexpected indent", lineRange(start),
        next: "align the line with the one above")
    }
    return fail("unexpected-token", "expected \(what), found \(tokenText)", token.range)
  }

  func lineRange(_ offset: Int) -> SourceRange { SourceRange(offset, offset + 1) }

  /// Goes one level deeper or fails; pair with `leave`.
  @inline(__always)
  mutating func enter(_ cost: Int) throws(SyntaxFailure) {
    depth += cost
    if depth > Self.maximumDepth {
      depth -= cost
      throw fail(
        "too-deep", "the source nests too deeply here", SourceRange(start, start + 1),
        next: "split the expression or block")
    }
  }

  @inline(__always)
  mutating func leave(_ cost: Int) { depth -= cost }

  // MARK: - The file

  mutating func parseModule() -> [Stmt] {
    var body: [Stmt] = []
    while token.kind != .endOfFile {
      parseStatement(into: &body)
    }
    return body
  }
}
