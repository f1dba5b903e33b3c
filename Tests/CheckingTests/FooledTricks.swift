import Checking
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

  /// What the checker lacks to see the trick; nil where it sees it.
  var gap: String? { Self.gaps[name] }

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

  typealias Reason = CheckReason

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
  /// The tricks that are not seen yet, by name. A trick that is seen now fails its test until its
  /// line is taken out.
  static let gaps: [String: String] = [
    "attends to the nearest keys only": "no sequence that can be afforded is long enough",
    "takes rows to fit one tile": "rows of several tiles come late, time may be up",
    "adds up in float16": "the products that are small enough have few rounds",
    "one config walks too far": "the products that are small enough have few rounds",
    "adds squares up in bfloat16": "no row is much longer than one tile",
    "lets programs race with equal values": "writing equal values is not taken for a race",
    "takes the variance from sums of squares": "no input has a mean far enough from 0",
    "works at small sizes only": "results at the given sizes are not followed",
    "works on a stream of its own": "the host program takes streams for granted",
  ]

  static let all: [Trick] =
    constants + echoes + leftovers + inputs + shapes + precision + configs + fallbacks + memory
    + skips + values + disguises
}
