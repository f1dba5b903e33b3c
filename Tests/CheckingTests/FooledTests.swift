import Checking
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

  @Test func `Many reasons and kernels are covered`() {
    #expect(Set(Trick.all.flatMap(\.reasons)).count >= 12)
    #expect(Set(Trick.all.map(\.example)).count >= 12)
    #expect(Set(Trick.all.map(\.testDescription)).count == Trick.all.count)
    #expect(Trick.gaps.keys.allSatisfy { name in Trick.all.contains { $0.name == name } })
  }

  /// Without `ALL_TRICKS` only those that are rejected within moments, and not all of these.
  private static let checked: [Trick] =
    ProcessInfo.processInfo.environment["ALL_TRICKS"] != nil
    ? Trick.all
    : Trick.all.filter { $0.gap == nil && quickExamples.contains($0.example) }
  private static let quickExamples: Set = ["softmax", "cross_entropy", "rotary_embedding"]

  @Test(arguments: checked)
  func `Each trick is rejected for the right reason`(_ trick: Trick) throws {
    var checker = Checker(
      candidate: PythonParser.parse(try trick.candidate()),
      original: PythonParser.parse(try trick.original()))
    checker.options.budget = 1200
    checker.options.secondsPerRun = 0.5
    let report = checker.check()
    func expectRejection() {
      #expect(report.verdict == .failed || report.verdict == .shapeSpecific)
      let found = report.findings.map(\.reason)
      #expect(
        !trick.reasons.isDisjoint(with: found) || isRefused(report, trick),
        "\(found), \(report.findings.map(\.diagnostic.message))")
    }
    if let gap = trick.gap {
      withKnownIssue(Comment(rawValue: gap), isIntermittent: true, expectRejection)
    } else if isRefused(report, trick) {
      return
    } else {
      expectRejection()
    }
  }

  /// Whether the candidate could not be run at all, as expected.
  private func isRefused(_ report: CheckReport, _ trick: Trick) -> Bool {
    report.verdict == .unsupported && trick.reasons.contains(.refused)
      && report.obstacle?.id != "out-of-time"
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
