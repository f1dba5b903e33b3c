import Diagnostics

extension Parser {
  /// Parses one statement (or a line of simple ones). If it cannot, notes why, adds an `.error`
  /// statement and goes on at the next line, so that one mistake costs one statement.
  mutating func parseStatement(into body: inout [Stmt]) {
    let firstIndex = index
    let savedDepth = depth
    do {
      try parseStatementOrFail(into: &body)
    } catch {
      depth = savedDepth
      recover(from: firstIndex, into: &body)
    }
  }

  private mutating func recover(from firstIndex: Int, into body: inout [Stmt]) {
    notePending()
    let first = tokens[firstIndex]
    if index == firstIndex, token.kind == .dedent {
      advance()
      return
    }
    if index == firstIndex, token.kind == .indent {
      advance()
      parseStatements(into: &body)
      return
    }
    while token.kind != .newline, token.kind != .endOfFile, token.kind != .indent,
      token.kind != .dedent
    {
      advance()
    }
    body.append(Stmt(.error, SourceRange(Int(first.lower), max(previousEnd, Int(first.lower)))))
    if token.kind == .newline { advance() }
    guard token.kind == .indent else { return }
    // The block of a header that could not be read: its statements are still worth checking.
    advance()
    parseStatements(into: &body)
    while isClause {  // its other clauses have no statement to belong to
      while token.kind != .newline, token.kind != .endOfFile { advance() }
      if token.kind == .newline { advance() }
      if token.kind == .indent {
        advance()
        parseStatements(into: &body)
      }
    }
  }

  private var isClause: Bool {
    switch code {
    case .kwElif, .kwElse, .kwExcept, .kwFinally: true
    default: false
    }
  }

  /// The statements of an indented block up to and with its dedent.
  mutating func parseStatements(into body: inout [Stmt]) {
    // Blocks nest at most 100 deep (the lexer's limit), so this needs no check of its own.
    while token.kind != .dedent, token.kind != .endOfFile { parseStatement(into: &body) }
    if token.kind == .dedent { advance() }
  }

  /// Keeps the pending problem.
  mutating func notePending() {
    if let problem = pending { problems.append(problem) }
    pending = nil
  }

  /// Notes a problem that does not end the statement.
  mutating func note(_ id: String, _ message: String, _ range: SourceRange, next: String? = nil) {
    problems.append(SyntaxProblem(id: id, message: message, range: range, nextStep: next))
  }
}
