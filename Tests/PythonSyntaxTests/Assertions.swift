import Diagnostics
import PythonSyntax
import Testing

/// Parses; whatever the test is about, the tokens must tile the source.
func parsed(
  _ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
) -> ModuleTree {
  parsed(Array(text.utf8), sourceLocation: sourceLocation)
}

func parsed(
  _ bytes: [UInt8], sourceLocation: Testing.SourceLocation = #_sourceLocation
) -> ModuleTree {
  let tree = PythonParser.parse(SourceText(name: "t.py", bytes: bytes))
  #expect(tree.printed() == bytes, "does not round trip", sourceLocation: sourceLocation)
  #expect(tree.hasTiledTokens, "tokens do not tile", sourceLocation: sourceLocation)
  return tree
}

/// Expects a source without errors and gives its tree.
@discardableResult
func assertParses(
  _ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
) -> ModuleTree {
  let tree = parsed(text, sourceLocation: sourceLocation)
  #expect(
    tree.diagnostics.isEmpty, "\(tree.diagnostics.map(\.headline))", sourceLocation: sourceLocation)
  return tree
}

/// Expects exactly these findings, as `line:column: message`.
func assertDiagnoses(
  _ text: String, _ expected: [String],
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  let tree = parsed(text, sourceLocation: sourceLocation)
  let found = tree.diagnostics.map {
    "\($0.location.map(\.description) ?? "-"): \($0.message)"
  }
  #expect(found == expected, sourceLocation: sourceLocation)
}

/// Applies edits and expects the text and that it parses again.
func assertEdits(
  _ text: String, _ expected: String,
  sourceLocation: Testing.SourceLocation = #_sourceLocation,
  _ edit: (inout SourceEditor) throws -> Void
) throws {
  let tree = assertParses(text, sourceLocation: sourceLocation)
  var editor = SourceEditor(tree)
  try edit(&editor)
  let result = String(decoding: try editor.applied(), as: UTF8.self)
  #expect(result == expected, sourceLocation: sourceLocation)
  assertParses(result, sourceLocation: sourceLocation)
}

extension ModuleTree {
  /// Tokens stand in order and inside the source.
  var hasTiledTokens: Bool {
    var position = 0
    for token in tokens {
      if token.range.lower < position || token.range.upper < token.range.lower { return false }
      position = token.range.upper
    }
    return position <= source.bytes.count && tokens.last?.kind == .endOfFile
  }

  /// The first expression for which `make` gives a value.
  func first<Value>(_ make: (Expr) -> Value?) -> Value? {
    var found: Value?
    forEachExpression { if found == nil { found = make($0) } }
    return found
  }

  /// The first call.
  var firstCall: Expr? {
    first { if case .call = $0.kind { $0 } else { nil } }
  }
}
