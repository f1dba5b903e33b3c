import Diagnostics
import Testing

@Suite struct DiagnosticTests {
  @Test func rendersLineCaretAndNextStep() {
    let source = SourceText(name: "r.md", text: "a\nGPU Name: 4O90\n")
    let diagnostic = Diagnostic(
      id: "unknown-gpu", "unknown GPU '4O90'", source: source, range: SourceRange(12, 16),
      nextStep: "run 'hone gpus' for the list")
    #expect(
      diagnostic.rendered() == """
        r.md:2:11: error: unknown GPU '4O90'
            2 | GPU Name: 4O90
              |           ^~~~
          next: run 'hone gpus' for the list
        """)
  }

  @Test func countsColumnsInCharacters() {
    let source = SourceText(name: "s", text: "é = $\n")
    #expect(source.location(at: 5) == SourceLocation(line: 1, column: 5))
  }

  @Test func knowsEveryLineEnd() {
    let source = SourceText(name: "s", text: "a\rb\r\nc\nd")
    #expect(source.lineStarts == [0, 2, 5, 7])
    #expect((0..<4).map(source.lineText) == ["a", "b", "c", "d"])
    #expect(source.location(at: 7) == SourceLocation(line: 4, column: 1))
  }

  @Test func startsAtTheFirstLineOfTheDocument() {
    let source = SourceText(name: "s", text: "a\nb\n", firstLine: 40)
    #expect(source.location(at: 2).line == 41)
  }

  @Test func staysInsideTheSource() {
    let source = SourceText(name: "s", text: "ab")
    for range in [SourceRange(2, 2), SourceRange(0, 2), SourceRange(1, 99)] {
      #expect(!Diagnostic(id: "x", "m", source: source, range: range).rendered().isEmpty)
    }
    #expect(source.text(in: SourceRange(-3, 99)) == "ab")
  }

  @Test func cutsLongLines() {
    let text = String(repeating: "x", count: 5000) + "$" + String(repeating: "y", count: 5000)
    let source = SourceText(name: "s", text: text)
    let lines = Diagnostic(id: "x", "m", source: source, range: SourceRange(5000, 5001))
      .rendered().split(separator: "\n")
    #expect(lines[1].count < 200)
    #expect(lines[1].contains("$"))
  }

  @Test func offersTheNearestWord() {
    #expect(Spelling.nearest(to: "H20O", in: ["A100", "H100", "H200"]) == "H200")
    #expect(Spelling.nearest(to: "bananas", in: ["A100", "H100"]) == nil)
  }
}
