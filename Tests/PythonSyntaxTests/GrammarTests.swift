import Diagnostics
import Foundation
import PythonSyntax
import Testing

@Suite struct GrammarTests {
  /// `Resources/grammar.dump` is CPython 3.13's own tree of `Resources/grammar.py`, written by
  /// `python3.13 Scripts/judge-python-syntax --dump`.
  @Test func givesTheTreeOfCPython() throws {
    let source = try resource("grammar", "py")
    let expected = try resource("grammar", "dump")
    let tree = parsed(source)
    #expect(tree.diagnostics.isEmpty, "\(tree.diagnostics.map(\.headline))")
    let dump = try #require(ASTDump.dump(tree))
    let found = String(decoding: dump, as: UTF8.self).split(separator: "\n")
    let wanted = String(decoding: expected, as: UTF8.self).split(separator: "\n")
    #expect(found.count == wanted.count)
    for (index, (left, right)) in zip(found, wanted).enumerated() where left != right {
      Issue.record("line \(index + 1): found \(left), CPython has \(right)")
      break
    }
  }

  @Test func isTheSameWithOtherLineEnds() throws {
    let source = try resource("grammar", "py")
    let expected = try #require(ASTDump.dump(parsed(source), positions: .all))
    for lineEnd in [[UInt8]([0x0D]), [0x0D, 0x0A]] {
      let bytes = source.flatMap { $0 == 0x0A ? lineEnd : [$0] }
      #expect(ASTDump.dump(parsed(bytes), positions: .all) == expected)
    }
    let withMark = parsed([0xEF, 0xBB, 0xBF] + source)
    #expect(ASTDump.dump(withMark, positions: .all) == expected)
  }

  /// Every prefix of a file goes through the lexer and parser unharmed.
  @Test func roundTripsEveryPrefix() throws {
    let source = try resource("grammar", "py")
    for count in stride(from: 0, to: source.count, by: 7) { _ = parsed(Array(source[..<count])) }
  }

  @Test func walksTheWholeTree() throws {
    let tree = parsed(try resource("grammar", "py"))
    var names = 0
    var statements = 0
    tree.forEachExpression { if case .name = $0.kind { names += 1 } }
    tree.walk { _ in
      statements += 1
      return .visitChildren
    }
    let dump = String(decoding: try resource("grammar", "dump"), as: UTF8.self)
    #expect(names == dump.split(separator: "\n").count { $0.contains("=Name ") })
    let kinds = ["body=", "orelse=", "finalbody="]
    #expect(
      statements
        == dump.split(separator: "\n").count { line in
          let text = line.drop { $0 == " " }
          return kinds.contains { text.hasPrefix($0) } && !isExpression(text)
        })
  }

  /// `body=` and `orelse=` of conditional expressions and lambdas are expressions.
  private func isExpression(_ text: Substring) -> Bool {
    let name = text.split(separator: "=")[1].prefix { $0 != " " }
    return ["Name", "Constant", "Tuple", "IfExp", "Lambda", "Attribute", "Call", "Subscript"]
      .contains(String(name))
  }
}

/// A file beside the tests.
func resource(_ name: String, _ type: String) throws -> [UInt8] {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  let url = folder.appendingPathComponent("Resources/\(name).\(type)")
  return Array(try Data(contentsOf: url))
}
