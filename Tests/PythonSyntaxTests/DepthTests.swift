import Diagnostics
import PythonSyntax
import Testing

/// A long source, shown by its start.
struct LongSource: CustomTestStringConvertible {
  let text: String
  var testDescription: String { String(text.prefix(24)) + "…" }

  init(_ text: String) { self.text = text }
}

@Suite struct DepthTests {
  static let count = 100_000

  static func times(_ text: String, _ count: Int = count) -> String {
    String(repeating: text, count: count)
  }

  /// Nesting without end is a finding, never a crash.
  @Test(
    arguments: [
      times("("), times("(") + times(")"), "x = " + times("[") + times("]"), times("{1: "),
      "x = " + times("-") + "1\n", "x = " + times("not ") + "1\n", "x = a" + times("**a") + "\n",
      "x = " + times("lambda: ") + "1\n", times("if a: ") + "\n", times("f'{"), times("f\"{") + "1",
      "f'{a:" + times("{a:"), "def f(a=" + times("("), "match x:\n  case " + times("["),
      "match x:\n  case " + times("A("), "for " + times("(") + "a in b: pass\n",
      "with " + times("(a, "),
      (0..<3000).map { times(" ", $0) + "if a:\n" }.joined(), "x = " + times("-("),
      "x = a" + times("+a") + "\n", "x" + times(".a") + "\n", "x" + times("()") + "\n",
      "x" + times("[0]") + "\n", "x = " + times("a if b else ") + "c\n",
      "if a: pass\n" + times("elif a: pass\n"), "match x:\n case a" + times(".b") + ":\n  pass\n",
      "x = " + times("lambda a=") + "1" + times(": 1") + "\n",
    ].map(LongSource.init))
  func reportsEndlessNesting(source: LongSource) {
    let tree = parsed(source.text)
    #expect(tree.hasErrors)
  }

  /// What only repeats is no nesting.
  @Test(
    arguments: [
      "x = a" + times(" and a") + "\n", "x = a" + times(" < a") + "\n", times("a = ") + "1\n",
      times("a;") + "\n", "x = " + times("1,") + "\n", "f(" + times("a=1,") + ")\n",
      times("@a\n") + "def f(): pass\n", "x = " + times("'a' ") + "\n",
      "import a" + times(".a") + "\n",
      "[x " + times("for a in b ") + "]\n", times("\\\n") + "x\n", times("match -a;") + "\n",
    ].map(LongSource.init))
  func acceptsEndlessRepetition(source: LongSource) {
    let tree = parsed(source.text)
    #expect(tree.diagnostics.isEmpty)
  }

  /// A chain is read and released by loops even where it is reported.
  @Test func keepsTheTreeOfAChain() throws {
    let tree = parsed("x = a" + Self.times("+a") + "\n")
    guard case .assign(_, let value) = tree.body[0].kind else {
      Issue.record("no assignment")
      return
    }
    #expect(value.height == UInt32(Self.count) + 1)
    var nodes = 0
    value.walk { _ in
      nodes += 1
      return .visitChildren
    }
    #expect(nodes == 2 * Self.count + 1)
  }

  @Test func acceptsTheNestingThatCPythonAccepts() {
    assertParses("x = " + Self.times("(", 190) + "a" + Self.times(")", 190) + "\n")
    assertParses("x = a" + Self.times(" + a", 1500) + "\n")
    assertParses("if a: pass\n" + Self.times("elif a: pass\n", 1000))
  }

  /// Runs of bad characters and brackets take linear time.
  @Test(.timeLimit(.minutes(20))) func takesLinearTime() {
    _ = parsed(Self.times("€"))
    _ = parsed(Self.times("'"))
    _ = parsed(Self.times("f'{x"))
    _ = parsed(Self.times("with (\n"))
    _ = parsed(Self.times("(]"))
    _ = parsed(Self.times("\\N{"))
    _ = parsed("f'''" + Self.times("\\N{"))
  }
}
