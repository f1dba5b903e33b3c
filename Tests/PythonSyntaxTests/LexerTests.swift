import Diagnostics
import PythonSyntax
import Testing

@Suite struct LexerTests {
  @Test func tilesTokensAndTrivia() {
    let tree = assertParses("x = [1,  # c\n  2]\n\n\nif x:\n    y\n")
    let kinds = tree.tokens.map(\.kind)
    #expect(
      kinds == [
        .name, .op, .op, .number, .op, .number, .op, .newline, .name, .name, .op, .newline,
        .indent, .name, .newline, .dedent, .endOfFile,
      ])
    #expect(tree.source.text(in: tree.trivia(before: 5)) == "  # c\n  ")
  }

  @Test func cutsFStringsAsPEP701() {
    let tree = assertParses(#"f"a{x!r:>{w}}}}b""# + "\n")
    #expect(
      tree.tokens.prefix(12).map(\.kind) == [
        .fstringStart, .fstringMiddle, .op, .name, .op, .name, .op, .fstringMiddle, .op, .name,
        .op, .op,
      ])
  }

  @Test func acceptsEmptyAndBlankFiles() {
    for text in ["", "\n", "   ", "# only\n", "\t\n\u{0C}\n", "\u{FEFF}", "\\\n\n"] {
      #expect(assertParses(text).body.isEmpty)
    }
  }

  @Test func resetsColumnsAtFormFeeds() {
    assertParses("if x:\n    a\n\u{0C}b\n")
    assertParses("  \u{0C}x = 1\n")
  }

  @Test func readsBackslashesInIndentation() {
    assertParses("if x:\n  \\\n    a\n  b\n")
  }

  @Test(arguments: [
    ("x = 0777\n", "1:5: leading zeros in decimal integer literals are not permitted '0777'"),
    ("x = 1_\n", "1:5: invalid decimal literal '1_'"),
    ("x = 1__0\n", "1:5: invalid decimal literal '1__0'"),
    ("x = 0x\n", "1:5: invalid hexadecimal literal '0x'"),
    ("x = 0o8\n", "1:5: invalid digit '8' in octal literal '0o8'"),
    ("x = 0b12\n", "1:5: invalid digit '2' in binary literal '0b12'"),
    ("x = 1abc\n", "1:5: invalid decimal literal '1abc'"),
    ("x = 1e+\n", "1:5: invalid decimal literal '1e+'"),
    ("x = 'a\n", "1:5: unterminated string literal"),
    ("x = '''a\n", "1:5: unterminated triple-quoted string literal"),
    ("x = f'a\n", "1:5: unterminated f-string literal"),
    ("x = f'{a'\n", "1:9: f-string: expecting '}' before the closing quote"),
    ("x = f'}'\n", "1:7: f-string: single '}' is not allowed"),
    ("x = f'{a!x}'\n", "1:10: f-string: expected conversion 's', 'r' or 'a' after '!'"),
    ("x = f'{}'\n", "1:8: f-string: valid expression required before '}'"),
    ("x = $\n", "1:5: invalid character '$'"), ("x = a€\n", "1:6: invalid character '€' (U+20AC)"),
    ("x\u{A0}= 1\n", "1:2: invalid non-printable character U+00A0"),
    ("x = (1\n", "1:5: '(' was never closed"), ("x = 1)\n", "1:6: unmatched ')'"),
    ("x = (1]\n", "1:7: closing ']' does not match opening '('"),
    ("x = 1 \\ \n", "1:7: unexpected character after line continuation character '\\'"),
    ("x = 1 \\\n", "1:7: unexpected end of file after '\\'"),
    ("x = 1\u{0}\n", "1:6: source code cannot contain null bytes"),
    ("# a\u{0}\nx\n", "1:4: source code cannot contain null bytes"),
    ("if x:\n    a\n  b\n", "3:3: unindent does not match any outer indentation level"),
    ("if x:\n        a\n\tb\n", "3:1: inconsistent use of tabs and spaces in indentation"),
    ("x = b'é'\n", "1:5: bytes can only contain ASCII literal characters"),
    ("x = 'a' b'b'\n", "1:12: cannot mix bytes and nonbytes literals"),
    ("x = '\\x1'\n", "1:6: truncated \\xXX escape"),
    ("x = '\\N{NO SUCH}'\n", "1:6: unknown Unicode character name 'NO SUCH'"),
    ("x = '\\U00110000'\n", "1:6: illegal Unicode character in escape"),
  ])
  func locatesLexicalErrors(text: String, expected: String) {
    assertDiagnoses(text, [expected])
  }

  @Test func refusesHugeDecimals() {
    assertParses("x = " + String(repeating: "9", count: 4300) + "\n")
    assertDiagnoses(
      "x = " + String(repeating: "9", count: 4301) + "\n",
      ["1:5: decimal literal has more than 4300 digits"])
    assertParses("x = 0x" + String(repeating: "f", count: 9000) + "\n")
  }

  @Test func decodesSourcesByTheirCookie() throws {
    let cases: [(String, [UInt8], String)] = [
      ("latin-1", [0xE9], "é"), ("iso-8859-15", [0xA4], "€"), ("cp1252", [0x80], "€"),
      ("koi8-r", [0xC1], "а"), ("utf-8", [0xC3, 0xA9], "é"), ("UTF8", [0xC3, 0xA9], "é"),
    ]
    for (name, bytes, value) in cases {
      let text =
        Array("#!/bin/python\n# -*- coding: \(name) -*-\nx = '".utf8) + bytes + Array("'\n".utf8)
      let tree = parsed(text)
      #expect(tree.diagnostics.isEmpty, "\(name)")
      guard case .assign(_, let constant) = tree.body.first?.kind,
        case .constant(.string(let literal)) = constant.kind
      else {
        Issue.record("no string in \(name)")
        continue
      }
      #expect(literal.value == value, "\(name)")
    }
  }

  @Test func reportsEncodingsItCannotRead() {
    assertDiagnoses("# coding: shift_jis\nx = 1\n", ["1:11: unknown source encoding 'shift_jis'"])
    assertDiagnoses(
      "\u{FEFF}# coding: latin-1\nx = 1\n",
      ["1:12: encoding 'latin-1' with a UTF-8 byte-order mark"])
    let tree = parsed(Array("x = 1\ny = '".utf8) + [0xFF] + Array("'\n".utf8))
    #expect(
      tree.diagnostics.map(\.headline) == [
        "t.py:2:6: error: byte 0xff is not valid in the source encoding"
      ])
    let ascii = parsed(Array("# coding: ascii\n# é\n".utf8))
    #expect(ascii.diagnostics.count == 1)
    // Only the first two lines count, and the second only below a comment or blank line.
    assertParses("x = 1\n# coding: shift_jis\n")
    assertParses("\n\n# coding: shift_jis\n")
  }

  @Test func normalizesNames() throws {
    let tree = assertParses("ﬁ = 1\n𝒳 = 2\n")
    let names = tree.body.compactMap { statement -> String? in
      guard case .assign(let targets, _) = statement.kind, case .name(let name) = targets[0].kind
      else { return nil }
      return name
    }
    #expect(names == ["fi", "X"])
  }

  @Test func keepsLoneSurrogates() throws {
    let tree = assertParses("x = 'a\\ud800b'\n")
    guard case .assign(_, let value) = tree.body[0].kind,
      case .constant(.string(let literal)) = value.kind
    else {
      Issue.record("no string")
      return
    }
    #expect(literal.codePoints == [0x61, 0xD800, 0x62])
    #expect(literal.value == "a\u{FFFD}b")
  }
}
