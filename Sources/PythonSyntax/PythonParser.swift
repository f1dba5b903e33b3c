import Diagnostics

/// The entry points of the parser.
public enum PythonParser {
  /// The largest source that is parsed: token offsets are 32 bits wide.
  static let maximumBytes = Int(Int32.max) - 16
  /// How many problems of one file are reported.
  static let maximumProblems = 200
  /// The height from which a tree is reported as too deep to work on; CPython's compiler gives up
  /// at about three times its recursion limit of 1,000.
  public static let maximumTreeHeight = 2000

  /// Parses a whole file; never fails: what is wrong is in the tree's `diagnostics`.
  /// - Complexity: O(n) in the number of bytes.
  public static func parse(_ source: SourceText) -> ModuleTree {
    guard source.bytes.count < maximumBytes else {
      let problem = SyntaxProblem(
        id: "too-large", message: "the source is larger than 2 GiB", range: SourceRange(0, 1))
      return ModuleTree(
        source: source, tokens: [], body: [], diagnostics: diagnostics([problem], source))
    }
    return source.bytes.withUnsafeBufferPointer { parse(source, SourceBytes($0)) }
  }

  private static func parse(_ source: SourceText, _ bytes: SourceBytes) -> ModuleTree {
    let detection = SourceEncoding.detect(bytes)
    var lexer = Lexer(bytes: bytes, encoding: detection.encoding, start: detection.start)
    if let problem = encodingProblem(detection, bytes) {
      lexer.problems.append(problem)
      if case .unknown = detection.encoding {
        let tokens = [
          Token(kind: .error, lower: detection.start, upper: bytes.count),
          Token(kind: .endOfFile, lower: bytes.count, upper: bytes.count),
        ]
        return ModuleTree(
          source: source, tokens: tokens, body: [],
          diagnostics: diagnostics(lexer.problems, source))
      }
    }
    lexer.run()
    let tokens = lexer.tokens
    var problems = lexer.problems
    let body = tokens.withUnsafeBufferPointer { buffer -> [Stmt] in
      guard let tokenBuffer = TokenBuffer(buffer) else { return [] }
      var parser = Parser(bytes: bytes, tokens: tokenBuffer, encoding: detection.encoding)
      let body = parser.parseModule()
      problems += parser.problems
      return body
    }
    for statement in body where statement.height > maximumTreeHeight {
      problems.append(
        SyntaxProblem(
          id: "too-deep", message: "the statement nests or chains too deeply",
          range: SourceRange(statement.range.lower, statement.range.lower + 1),
          nextStep: "split it into several statements"))
    }
    return ModuleTree(
      source: source, tokens: tokens, body: body, diagnostics: diagnostics(problems, source))
  }

  private static func encodingProblem(
    _ detection: SourceEncoding.Detection, _ bytes: SourceBytes
  ) -> SyntaxProblem? {
    if case .unknown(let name) = detection.encoding {
      return SyntaxProblem(
        id: "unknown-encoding", message: "unknown source encoding '\(name)'",
        range: detection.cookieRange ?? SourceRange(0, 0), nextStep: "save the file as UTF-8")
    }
    // With the mark, CPython accepts only the name utf-8 itself (`utf8` is an error).
    if detection.hasMark, let range = detection.cookieRange,
      !SourceEncoding.isPlainUTF8(bytes.string(range.lower, range.upper))
    {
      return SyntaxProblem(
        id: "unknown-encoding",
        message:
          "encoding '\(bytes.string(range.lower, range.upper))' with a UTF-8 byte-order mark",
        range: range, nextStep: "remove the cookie or the mark")
    }
    if let offset = detection.encoding.firstInvalidByte(in: bytes, from: detection.start) {
      let hex = String(bytes[offset], radix: 16)
      return SyntaxProblem(
        id: "invalid-encoding",
        message: "byte 0x\(hex) is not valid in the source encoding",
        range: SourceRange(offset, offset + 1),
        nextStep: "save the file as UTF-8, or name its encoding in a '# -*- coding: … -*-' line")
    }
    return nil
  }

  /// Problems as diagnostics in source order.
  private static func diagnostics(
    _ problems: [SyntaxProblem], _ source: SourceText
  ) -> [Diagnostic] {
    if problems.isEmpty { return [] }
    let sorted = problems.enumerated().sorted {
      ($0.element.range.lower, $0.offset) < ($1.element.range.lower, $1.offset)
    }
    return sorted.prefix(maximumProblems).map { _, problem in
      Diagnostic(
        id: problem.id, problem.message, source: source, range: problem.range,
        nextStep: problem.nextStep)
    }
  }
}
