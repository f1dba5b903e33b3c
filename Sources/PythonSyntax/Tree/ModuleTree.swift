import Diagnostics

/// A parsed Python file: its source, its tokens, its tree and what was wrong with it.
///
/// Tokens and the trivia between them tile the source: printing them gives the input bytes.
public struct ModuleTree: Sendable {
  public let source: SourceText
  public let tokens: [Token]
  public let body: [Stmt]
  /// Errors in source order; empty for a file that CPython accepts.
  public let diagnostics: [Diagnostic]

  public init(source: SourceText, tokens: [Token], body: [Stmt], diagnostics: [Diagnostic]) {
    self.source = source
    self.tokens = tokens
    self.body = body
    self.diagnostics = diagnostics
  }

  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  /// The top-level functions, in source order.
  public var functions: [FunctionDef] {
    body.compactMap { if case .function(let function) = $0.kind { function } else { nil } }
  }

  /// The top-level classes, in source order.
  public var classes: [ClassDef] {
    body.compactMap { if case .classDef(let definition) = $0.kind { definition } else { nil } }
  }
}

/// One token; trivia (space, comments, line continuations) is what lies between tokens.
public struct Token: Sendable, Hashable {
  public enum Kind: UInt8, Sendable {
    case name, number, string
    case fstringStart, fstringMiddle, fstringEnd
    case op, newline, indent, dedent, endOfFile, error
  }
  public var kind: Kind
  /// Which operator or keyword; `.none` for every other token.
  public var code: TokenCode
  public var lower: Int32
  public var upper: Int32

  @inlinable public init(kind: Kind, code: TokenCode = .none, lower: Int, upper: Int) {
    self.kind = kind
    self.code = code
    self.lower = Int32(truncatingIfNeeded: lower)
    self.upper = Int32(truncatingIfNeeded: upper)
  }

  @inlinable public var range: SourceRange { SourceRange(Int(lower), Int(upper)) }
}
