import Diagnostics
import Foundation
import PythonSyntax
import Testing

/// Candidates that fool careless checkers.
@Suite struct FooledTests {
  @Test(arguments: Trick.all)
  func `Each trick is a module that differs from its original`(_ trick: Trick) throws {
    let original = try trick.original()
    let candidate = try trick.candidate()
    #expect(original.bytes != candidate.bytes)
    #expect(!trick.reasons.isEmpty)
    for source in [original, candidate] {
      let tree = PythonParser.parse(source)
      #expect(tree.diagnostics.isEmpty, "\(tree.diagnostics.map(\.message))")
      #expect(tree.classes.contains { $0.name == "ModelNew" })
    }
  }

  @Test func `Every reason and several kernels are covered`() {
    #expect(Set(Trick.all.flatMap(\.reasons)) == Set(Trick.Reason.allCases))
    #expect(Set(Trick.all.map(\.example)).count >= 12)
    #expect(Set(Trick.all.map(\.testDescription)).count == Trick.all.count)
  }
}

extension FooledTests {
  /// For looking at them: `DUMP_TRICKS=folder swift test --filter FooledTests`.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["DUMP_TRICKS"] != nil))
  func `Writes the modules to a folder`() throws {
    let folder = URL(filePath: ProcessInfo.processInfo.environment["DUMP_TRICKS"] ?? "")
    for (index, trick) in Trick.all.enumerated() {
      for (source, role) in [
        (try trick.original(), "original"), (try trick.candidate(), "candidate"),
      ] {
        let file = "\(trick.example)-\(index)-\(role).py"
        let text = "# \(trick.name): \(trick.reasons.map(\.rawValue).sorted())\n\(source.text)"
        try text.write(to: folder.appending(path: file), atomically: true, encoding: .utf8)
      }
    }
  }
}
