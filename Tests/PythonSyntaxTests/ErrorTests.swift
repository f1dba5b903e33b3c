import Diagnostics
import PythonSyntax
import Testing

@Suite struct ErrorTests {
  @Test(arguments: [
    ("x = \n", "1:5: expected an expression, found end of line"),
    ("x = 1 2\n", "1:7: expected end of line, found '2'"),
    ("f(a b)\n", "1:5: expected ',' or ')' before 'b'"),
    ("f(\n  g(1,\n    2) b)\n", "2:3: expected ',' or ')' before 'b'"),
    ("f(a=1, b)\n", "1:9: positional argument follows keyword argument"),
    ("f(**a, b)\n", "1:9: positional argument follows keyword argument unpacking"),
    ("f(**a, *b)\n", "1:8: iterable argument unpacking follows keyword argument unpacking"),
    ("f(a for a in b, c)\n", "1:3: generator expression must be parenthesized"),
    ("f(a.b=1)\n", "1:3: cannot assign to attribute in an argument"),
    ("1 = x\n", "1:1: cannot assign to literal"),
    ("f() = x\n", "1:1: cannot assign to function call"),
    ("a + b = x\n", "1:1: cannot assign to expression"),
    ("(a, 1) = x\n", "1:5: cannot assign to literal"),
    ("*a = x\n", "1:1: starred assignment target must be in a list or tuple"),
    ("None = 1\n", "1:1: cannot assign to None"),
    ("(a, b) += 1\n", "1:1: tuple is an illegal expression for augmented assignment"),
    ("(a, b): int\n", "1:1: only a single target (not tuple) can be annotated"),
    ("del f()\n", "1:5: cannot delete function call"),
    ("for 1 in x: pass\n", "1:5: cannot assign to literal"),
    ("with a as 1: pass\n", "1:11: cannot assign to literal"),
    (
      "def f(a=1, b): pass\n",
      "1:12: parameter 'b' without a default follows parameter with a default"
    ),
    ("def f(*): pass\n", "1:7: named parameters must follow bare '*'"),
    ("def f(**a, b): pass\n", "1:12: parameters cannot follow var-keyword parameter"),
    ("def f(/, a): pass\n", "1:7: at least one parameter must precede '/'"),
    ("def f(if): pass\n", "1:7: cannot use keyword 'if' as a parameter name"),
    ("def f: pass\n", "1:6: expected '(' after the function name, found ':'"),
    ("if x\n    pass\n", "1:5: expected ':' after the 'if' statement, found end of line"),
    ("if x = 1: pass\n", "1:6: expected ':', found '='"),
    ("if x:\npass\n", "2:1: expected an indented block after the 'if' statement"),
    ("  x = 1\n", "1:3: unexpected indent"), ("x\n  y\n", "2:3: unexpected indent"),
    ("try:\n    pass\nx\n", "3:1: expected 'except' or 'finally' block after the 'try' statement"),
    ("try: pass\nexcept a, b: pass\n", "2:9: multiple exception types must be parenthesized"),
    ("x if y\n", "1:1: expected 'else' after 'if' expression, found end of line"),
    ("print 'a'\n", "1:1: missing parentheses in call to 'print'"),
    ("x := 1\n", "1:3: unparenthesized ':=' cannot be a statement"),
    ("from a import b,\n", "1:16: trailing comma not allowed without surrounding parentheses"),
    ("from a import\n", "1:14: expected a name to import, found end of line"),
    ("x = {1: }\n", "1:9: expected an expression after dictionary key and ':'"),
    ("x = {1: 2, 3}\n", "1:12: expected ':' after dictionary key, found '}'"),
    ("[*a for a in b]\n", "1:2: iterable unpacking cannot be used in comprehension"),
    ("x = (*a)\n", "1:6: cannot use starred expression here"),
    ("class C[]: pass\n", "1:9: type parameter list cannot be empty"),
    ("match x:\n    case a as _: pass\n", "2:15: cannot use '_' as a target"),
    ("match x:\n    case 1 + 1: pass\n", "2:14: imaginary number required in complex literal"),
    ("match x:\n    case C(a=1, b): pass\n", "2:17: positional patterns follow keyword patterns"),
    ("@a\nx = 1\n", "2:1: expected 'def' or 'class' after the decorator, found 'x'"),
    ("else: pass\n", "1:1: expected a statement, found 'else'"),
    ("a.1\n", "1:2: expected end of line, found '.1'"),
    ("a.if\n", "1:3: cannot use keyword 'if' as an attribute name"),
  ])
  func locatesErrors(text: String, expected: String) {
    assertDiagnoses(text, [expected])
  }

  @Test func reportsEveryMistakeOfAFile() {
    assertDiagnoses(
      """
      def f(:
          return 1
      x = (1, 2
      def g():
          y = = 3
          z = 'open
      if a
          b = 1 +
      else:
          c = 2
      w = 4 $ 5

      """,
      [
        "1:6: '(' was never closed", "1:7: expected a parameter name, found ':'",
        "3:5: '(' was never closed",
        "5:9: expected an expression, found '='", "6:9: unterminated string literal",
        "7:5: expected ':' after the 'if' statement, found end of line",
        "8:12: expected an expression, found end of line", "11:7: invalid character '$'",
      ])
  }

  @Test func keepsWhatIsRight() {
    let tree = parsed("def f(): pass\nx = = 1\ndef g(): pass\n")
    #expect(tree.functions.map(\.name) == ["f", "g"])
    #expect(tree.diagnostics.count == 1)
  }

  @Test func showsTheLineAndACaret() {
    let tree = parsed("x = 1\nfoo(a, b c)\n")
    #expect(
      tree.diagnostics.first?.rendered() == """
        t.py:2:10: error: expected ',' or ')' before 'c'
            2 | foo(a, b c)
              |          ^
          next: perhaps a comma is missing before 'c'
        """)
  }

  @Test func boundsTheNumberOfFindings() {
    #expect(parsed(String(repeating: "x = )\n", count: 5000)).diagnostics.count == 200)
  }
}
