import Diagnostics
import Foundation
import PythonSyntax
import Requests
import Stages
import Testing

/// Real documents: our own examples always, a folder of others where one is named.
@Suite struct DocumentFolderTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func documents(in folder: URL, suffix: String) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(suffix) }.sorted().map { folder.appendingPathComponent($0) }
  }

  static let examples = documents(
    in: root.appendingPathComponent("Examples/requests"), suffix: ".md")

  @Test(
    .enabled(if: !examples.isEmpty, "Examples/requests holds no documents"), arguments: examples)
  func ourOwnRequests(_ file: URL) throws {
    let request = try RequestReader.read(
      bytes: Array(try Data(contentsOf: file)), name: file.lastPathComponent)
    #expect(!request.lineOutcomes.contains(.unread) && !request.lineOutcomes.contains(.reported))
    #expect(request.notes.isEmpty, "\(request.notes.map(\.headline))")
  }

  /// The module in the form's order.
  private func arranged(_ request: Request) -> ModuleTree {
    let tree = PythonParser.parse(StrictForm.arranged(request.tree))
    #expect(!tree.hasErrors)
    return tree
  }

  /// A text file with one document's path on each line.
  static let list = ProcessInfo.processInfo.environment["HONE_REQUEST_LIST"]

  @Test(.enabled(if: list != nil, "HONE_REQUEST_LIST names no list of documents"))
  func everyLineOfAFolderIsAccountedFor() throws {
    let paths = try String(contentsOfFile: Self.list ?? "", encoding: .utf8).split(separator: "\n")
    var unusual: [String: Int] = [:]
    for path in paths {
      let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: String(path))))
      do {
        let request = try RequestReader.read(bytes: bytes, name: String(path))
        #expect(!request.lineOutcomes.contains(.unread))
        for note in request.notes { unusual[note.id, default: 0] += 1 }
        // What the module says of itself must not break its own rules.
        let own = StageRules.check(
          candidate: request.tree, original: request.tree, policy: request.policy)
        #expect(own.isEmpty, "\(own.map(\.diagnostic.headline))")
        let ordered = arranged(request)
        let form = StrictForm.check(ordered, rules: request.outputRules)
          .filter { $0.severity == .error }
        for finding in form { unusual["form: " + finding.id, default: 0] += 1 }
      } catch {
        Issue.record("\(error)")
      }
    }
    print("\(paths.count) documents read; notes: \(unusual)")
  }
}
