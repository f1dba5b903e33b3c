import Diagnostics
import Foundation
import FuzzSupport
import PythonSyntax
import Testing

@testable import hone_syntax

@Suite struct FuzzTests {
  /// Mutants of the grammar file; `hone-syntax fuzz` runs more of them over other files.
  @Test func survivesMutants() throws {
    let grammar = try resource("grammar", "py")
    let isLong = ProcessInfo.processInfo.environment["HONE_LONG_TESTS"] == "1"
    for seed in UInt64(0)..<(isLong ? 20_000 : 400) {
      var mutator = Mutator(seed: seed)
      let mutant = mutator.mutant(of: grammar, other: grammar)
      let tree = PythonParser.parse(SourceText(name: "seed-\(seed)", bytes: mutant))
      #expect(SyntaxChecks.problem(of: tree) == nil, "seed \(seed)")
      guard !tree.hasErrors else { continue }
      var random = mutator.random
      guard let (edited, name) = try SyntaxChecks.randomEdit(of: tree, &random) else { continue }
      let after = PythonParser.parse(SourceText(name: "edited", bytes: edited))
      #expect(after.diagnostics.isEmpty, "seed \(seed): \(name)")
    }
  }

  /// Every single edit of the grammar file leaves a file that parses.
  @Test func editsEveryPlace() throws {
    let tree = parsed(try resource("grammar", "py"))
    var random = SplitMix64(seed: 1)
    for _ in 0..<400 {
      guard let (edited, name) = try SyntaxChecks.randomEdit(of: tree, &random) else { continue }
      let after = PythonParser.parse(SourceText(name: "edited", bytes: edited))
      #expect(after.diagnostics.isEmpty, "\(name): \(after.diagnostics.first?.headline ?? "")")
    }
  }
}
