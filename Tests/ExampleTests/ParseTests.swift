import Diagnostics
import Foundation
import PythonSyntax
import Testing

@Suite struct ParseTests {
  @Test(arguments: Examples.names)
  func `An example parses without a diagnostic`(_ name: String) throws {
    let source = SourceText(name: name + ".py", text: try Examples.module(name))
    let tree = PythonParser.parse(source)
    #expect(tree.diagnostics.isEmpty, "\(tree.diagnostics.map { $0.rendered() })")
    #expect(!tree.body.isEmpty)
  }
}
