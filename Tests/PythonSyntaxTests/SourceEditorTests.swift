import Diagnostics
import PythonSyntax
import Testing

@Suite struct SourceEditorTests {
  @Test func touchesOnlyWhatItNames() throws {
    try assertEdits("x = 1  # one\n", "y = 23 # one\n") {
      $0.replace(SourceRange(4, 7), with: "23 ")
      $0.replace(SourceRange(0, 1), with: "y")
    }
  }

  @Test func keepsTheOrderOfInsertionsAtOnePlace() throws {
    try assertEdits("x = 1\n", "x = 12+3\n") {
      $0.insert("2", at: 5)
      $0.insert("+", at: 5)
      $0.insert("3", at: 5)
    }
    try assertEdits("x = 1\n", "x = a+2+b\n") {
      $0.insert("a+", at: 4)
      $0.replace(SourceRange(4, 5), with: "2")
      $0.insert("+b", at: 5)
    }
  }

  @Test func refusesOverlapsAndPlacesOutside() {
    let tree = assertParses("x = 1\n")
    var editor = SourceEditor(tree)
    editor.replace(SourceRange(0, 3), with: "")
    editor.replace(SourceRange(2, 4), with: "")
    #expect(throws: Diagnostic.self) { try editor.applied() }
    var outside = SourceEditor(tree)
    outside.delete(SourceRange(5, 99))
    #expect(throws: Diagnostic.self) { try outside.applied() }
  }

  @Test func mapsOffsets() throws {
    var editor = SourceEditor(assertParses("abc = 1\n"))
    editor.replace(SourceRange(0, 3), with: "x")
    #expect(try editor.mapped(6) == 4)
    #expect(try editor.mapped(1) == nil)
  }

  @Test(arguments: [
    ("a\nb  # c\nd\n", 1, "a\nd\n"),
    ("if a:\n    b  # c\n", 0, "if a:\n    pass  # c\n"),
    ("if a:\n    @dec\n    def f():\n        pass\n", 0, "if a:\n    pass\n"),
    ("if a:\n  x\n  y\n", 1, "if a:\n  x\n"),
    ("if a: x\n", 0, "if a: pass\n"),
  ])
  func deletesStatements(text: String, index: Int, expected: String) throws {
    try assertEdits(text, expected) { editor in
      let body = editor.tree.body
      if case .if(_, let block, _) = body[0].kind {
        try editor.deleteStatement(block[index])
      } else {
        try editor.deleteStatement(body[index])
      }
    }
  }

  @Test(arguments: [
    ("a; b; c\n", 0, "b; c\n"), ("a; b; c\n", 1, "a; c\n"), ("a; b; c\n", 2, "a; b\n"),
    ("a; b;\n", 1, "a;\n"), ("a;\n", 0, "pass\n"),
  ])
  func deletesStatementsOfOneLine(text: String, index: Int, expected: String) throws {
    try assertEdits(text, expected) { try $0.deleteStatement($0.tree.body[index]) }
  }

  @Test func keepsTheCommentOfADeletedStatement() throws {
    try assertEdits("a\nb  # why\nc\n", "a\n# why\nc\n") {
      try $0.deleteStatement($0.tree.body[1], keepingTrailingComment: true)
    }
  }

  @Test(arguments: [
    ("f(a, b, c)\n", 0, "f(b, c)\n"), ("f(a, b, c)\n", 1, "f(a, c)\n"),
    ("f(a, b, c)\n", 2, "f(a, b)\n"), ("f(a)\n", 0, "f()\n"), ("f( a, )\n", 0, "f()\n"),
    ("f((a), (b))\n", 0, "f((b))\n"), ("f(a, (b),)\n", 1, "f(a,)\n"),
    ("f(\n    a,  # first\n    b,  # second\n)\n", 0, "f(\n    b,  # second\n)\n"),
    ("f(\n    a,  # first\n    b,  # second\n)\n", 1, "f(\n    a,  # first\n)\n"),
    ("f(lambda x, y: x, b)\n", 0, "f(b)\n"), ("f(i for i in j)\n", 0, "f()\n"),
    ("(f)((a), *b)\n", 1, "(f)((a))\n"),
  ])
  func removesArguments(text: String, index: Int, expected: String) throws {
    try assertEdits(text, expected) {
      try $0.removeArgument(index, of: try #require($0.tree.firstCall))
    }
  }

  @Test func removesKeywords() throws {
    try assertEdits("f(a, k=1, **z)\n", "f(a, **z)\n") {
      try $0.removeKeyword("k", of: try #require($0.tree.firstCall))
    }
    var editor = SourceEditor(assertParses("f(a)\n"))
    let call = try #require(editor.tree.firstCall)
    #expect(throws: Diagnostic.self) { try editor.removeKeyword("k", of: call) }
  }

  @Test(arguments: [
    ("f()\n", "f(k=1)\n"), ("f(a)\n", "f(a, k=1)\n"), ("f(a,)\n", "f(a, k=1,)\n"),
    ("f(\n    a,\n    b,  # c\n)\n", "f(\n    a,\n    b,  # c\n    k=1,\n)\n"),
    ("f(\n    a,\n    b  # c\n)\n", "f(\n    a,\n    b,  # c\n    k=1\n)\n"),
    ("f(a,\n  b)\n", "f(a,\n  b,\n  k=1)\n"), ("f(\n    a, b\n)\n", "f(\n    a, b, k=1\n)\n"),
    ("f(i for i in j)\n", "f((i for i in j), k=1)\n"),
  ])
  func addsKeywords(text: String, expected: String) throws {
    try assertEdits(text, expected) {
      try $0.addKeyword("k", value: "1", to: try #require($0.tree.firstCall))
    }
  }

  @Test func annotatesAndDecorates() throws {
    let text = "class C:\n    @a\n    # why\n    def f(self, x, y: int = 2):\n        pass\n"
    let tree = assertParses(text)
    let function = try #require(
      tree.classes[0].body.compactMap { if case .function(let f) = $0.kind { f } else { nil } }
        .first)
    var editor = SourceEditor(tree)
    editor.setAnnotation("tl.constexpr", of: function.parameters.all[1])
    editor.setAnnotation("float", of: function.parameters.all[2])
    editor.addDecorator("outer", to: function)
    editor.addDecorator("inner", to: function, innermost: true)
    #expect(
      String(decoding: try editor.applied(), as: UTF8.self)
        == """
        class C:
            @outer
            @a
            # why
            @inner
            def f(self, x: tl.constexpr, y: float = 2):
                pass

        """)
    var removal = SourceEditor(tree)
    try removal.removeDecorator(function.decorators[0])
    #expect(
      String(decoding: try removal.applied(), as: UTF8.self)
        == "class C:\n    # why\n    def f(self, x, y: int = 2):\n        pass\n")
  }

  @Test func removesElements() throws {
    let text = "configs = [\n    a(1),  # x\n    b(2),\n]\n"
    let tree = assertParses(text)
    guard case .assign(_, let list) = tree.body[0].kind else {
      Issue.record("no assignment")
      return
    }
    var editor = SourceEditor(tree)
    try editor.removeElement(0, of: list)
    #expect(
      String(decoding: try editor.applied(), as: UTF8.self) == "configs = [\n    b(2),\n]\n")
  }

  @Test func knowsTheLayout() {
    let tree = assertParses("x = 1\r\n# one\r\n# two\r\ndef f():\r\n    pass  # p\r\n")
    #expect(tree.lineEnd == "\r\n")
    let function = tree.body[1]
    #expect(
      tree.leadingComments(before: function.range.lower).map(tree.source.text)
        == "# one\r\n# two\r\n")
    let pass = function.childStatements[0]
    #expect(tree.indentation(at: pass.range.lower) == "    ")
    #expect(tree.trailingComment(after: pass.range.upper).map(tree.source.text) == "# p")
  }
}
