import Diagnostics
import PythonSyntax
import Testing

@Suite struct RoundTripTests {
  @Test func printsTheInputBytes() {
    let text =
      "# c\n@jit\ndef f(x, /, *, y: int = 3) -> int:\n    return f\"{x!r:>{y}}\" + '''a\n'''\n\n"
    let tree = PythonParser.parse(SourceText(name: "t.py", text: text))
    #expect(tree.diagnostics.isEmpty)
    #expect(tree.printed() == Array(text.utf8))
    #expect(tree.functions.map(\.name) == ["f"])
  }
}
