import Diagnostics
import Foundation
import PythonSyntax
import Testing

/// One way to pass a careless checker: an example's module, changed so that it cheats.
struct Trick: Sendable, CustomTestStringConvertible {
  /// What the candidate does, in words.
  let name: String
  /// The example that it claims to speed up.
  let example: String
  /// Why it must be rejected; any of them will do where several apply.
  let reasons: Set<Reason>
  /// The original's text after edits of its own, where the example alone does not show the trick.
  var originalEdits: [Edit] = []
  let edits: [Edit]

  var testDescription: String { "\(example): \(name)" }

  /// A text that stands once in the example, and what stands there instead.
  struct Edit: Sendable {
    let old: String
    let new: String
    init(_ old: String, _ new: String) {
      self.old = old
      self.new = new
    }
  }

  enum Reason: String, Sendable, CaseIterable {
    /// Values differ from the original's beyond what its own error allows.
    case wrongResult
    /// Another element type, shape or number of results.
    case wrongKind
    /// Closer to fp64 is asked for: the original's precision is not kept.
    case lessAccurate
    /// Infinite or NaN where the original is finite, or the reverse.
    case nonFinite
    /// Output or scratch memory that nothing wrote is read or returned.
    case uninitialised
    /// An address outside a tensor.
    case outOfBounds
    /// Programs or lanes meet without atomics, or the result depends on their order.
    case race
    /// An input or a parameter has other contents afterwards.
    case inputChanged
    /// No kernel runs, or what is returned does not come from one.
    case noKernel
    /// Results of one call turn up in another.
    case stateKept
    /// One config alone does not do the whole work.
    case configFails
    /// What the module does is refused before anything runs.
    case refused
  }

  func original() throws -> SourceText { try text(originalEdits, "original.py") }
  func candidate() throws -> SourceText { try text(originalEdits + edits, "candidate.py") }

  private func text(_ edits: [Edit], _ name: String) throws -> SourceText {
    var text = try CheckedExamples.text(example)
    for edit in edits {
      guard text.ranges(of: edit.old).count == 1 else { throw StaleEdit(edit: edit.old) }
      text = text.replacing(edit.old, with: edit.new)
    }
    return SourceText(name: name, text: text)
  }

  struct StaleEdit: Error {
    let edit: String
  }
}

/// The modules of `Examples/`, found from this file's own place in the checkout.
enum CheckedExamples {
  static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Examples")
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [])
    .filter { $0.hasSuffix(".py") }.map { String($0.dropLast(3)) }.sorted()

  static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name + ".py"), encoding: .utf8)
  }

  static func tree(_ name: String) throws -> ModuleTree {
    PythonParser.parse(SourceText(name: name + ".py", text: try text(name)))
  }
}

extension Trick {
  static let all: [Trick] =
    constants + echoes + leftovers + inputs + shapes + precision + configs + fallbacks + memory
    + skips + values + disguises
}
