import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import Testing
import TritonLowering

/// The same comparison over modules from elsewhere, for development and for figures:
///
///     HONE_RECORDED=FOLDER HONE_RECORDED_ROOT=FOLDER swift test --filter RecordedFolderTests
///
/// HONE_RECORDED holds `.jsonl` files of `Scripts/record-launches.py`, whose lines name their
/// "module" and "problem" relative to HONE_RECORDED_ROOT. HONE_RECORDED_REPORT names a file for one
/// line a module.
@Suite struct RecordedFolderTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let folder = environment["HONE_RECORDED"]

  private enum Outcome: String, CaseIterable {
    case agrees, differs
    case notEvaluated = "not evaluated"
    case notLowered = "not lowered"
  }

  @Test(
    .enabled(if: Self.folder != nil, "HONE_RECORDED names no folder of recorded launches"))
  func `Modules of the folder are evaluated and lowered as Python does`() throws {
    let folder = URL(filePath: try #require(Self.folder))
    let root = URL(filePath: try #require(Self.environment["HONE_RECORDED_ROOT"]))
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path())
      .filter { $0.hasSuffix(".jsonl") }.sorted()
    var counts: [Outcome: Int] = [:]
    var report = ""
    for file in files {
      guard let recording = try Recording(folder.appending(path: file)) else { continue }
      let (outcome, detail) = try Self.judge(recording, root: root)
      counts[outcome, default: 0] += 1
      report += "\(outcome.rawValue)\t\(file)\t\(detail)\n"
    }
    if let path = Self.environment["HONE_RECORDED_REPORT"] {
      try report.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let total = counts.values.reduce(0, +)
    for outcome in Outcome.allCases {
      print("\(outcome.rawValue): \(counts[outcome] ?? 0) of \(total)")
    }
    let taken = total - (counts[.notEvaluated] ?? 0) - (counts[.notLowered] ?? 0)
    #expect(taken * 100 >= total * 85, "host program and lowering take \(taken) of \(total)")
  }

  private static func judge(_ recording: Recording, root: URL) throws -> (Outcome, String) {
    func tree(_ path: String) throws -> ModuleTree {
      let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
      return PythonParser.parse(SourceText(name: path, text: text))
    }
    let module = try tree(recording.module)
    let run: HostRun
    do {
      run = try HostProgram(module: module, problem: try recording.problem.map(tree))
        .run(.fromProblem)
    } catch {
      return (.notEvaluated, Self.describe(error))
    }
    let triton = TritonModule(module)
    for launch in recording.launches {
      do {
        _ = try triton.lower(launch.kernel, for: launch.specialization(computeCapability: 89))
      } catch {
        return (.notLowered, Self.describe(error))
      }
    }
    let differences = LaunchAgreement.differences(found: run, recorded: recording.launches)
    return differences.isEmpty ? (.agrees, "") : (.differs, differences[0])
  }

  private static func describe(_ error: any Error) -> String {
    (error as? Diagnostic)?.headline ?? "\(error)"
  }
}

/// One file of recorded launches; nil for a module that made none.
private struct Recording {
  var module: String
  var problem: String?
  var launches: [RecordedLaunch]

  private struct Names: Decodable {
    var module: String
    var problem: String?
  }

  init?(_ url: URL) throws {
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    let decoder = JSONDecoder()
    guard let first = lines.first,
      let names = try? decoder.decode(Names.self, from: Data(first.utf8))
    else { return nil }
    module = names.module
    problem = names.problem
    launches = try lines.map { try decoder.decode(RecordedLaunch.self, from: Data($0.utf8)) }
  }
}
