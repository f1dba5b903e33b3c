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

  /// What became of one module; nil where it went as Python and Triton do it.
  private struct Outcome {
    var lowering: String?
    var evaluation: String?
    var difference: String?
  }

  @Test(
    .enabled(if: Self.folder != nil, "HONE_RECORDED names no folder of recorded launches"))
  func `Modules of the folder are evaluated and lowered as Python does`() throws {
    let folder = URL(filePath: try #require(Self.folder))
    let root = URL(filePath: try #require(Self.environment["HONE_RECORDED_ROOT"]))
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path())
      .filter { $0.hasSuffix(".jsonl") }.sorted()
    var outcomes: [Outcome] = []
    var report = ""
    for file in files {
      guard let recording = try Recording(folder.appending(path: file)) else { continue }
      let outcome = try Self.judge(recording, root: root)
      outcomes.append(outcome)
      report += """
        \(file)\tlowering: \(outcome.lowering ?? "ok")\thost: \(outcome.evaluation ?? "ok")\t\
        same: \(outcome.difference ?? "yes")\n
        """
    }
    if let path = Self.environment["HONE_RECORDED_REPORT"] {
      try report.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let total = outcomes.count
    let taken = outcomes.count { $0.lowering == nil && $0.evaluation == nil }
    print(
      """
      modules: \(total)
      lowered: \(outcomes.count { $0.lowering == nil })
      evaluated: \(outcomes.count { $0.evaluation == nil })
      lowered and evaluated: \(taken)
      evaluated with the launches that Python made: \(outcomes.count { $0.evaluation == nil && $0.difference == nil })
      """)
    #expect(taken * 100 >= total * 85, "host program and lowering take \(taken) of \(total)")
  }

  private static func judge(_ recording: Recording, root: URL) throws -> Outcome {
    func tree(_ path: String) throws -> ModuleTree {
      let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
      return PythonParser.parse(SourceText(name: path, text: text))
    }
    let module = try tree(recording.module)
    var outcome = Outcome()
    let triton = TritonModule(module)
    do {
      // A recurrent model repeats a launch thousands of times; one of each is enough.
      for launch in recording.distinctLaunches {
        _ = try triton.lower(launch.kernel, for: launch.specialization(computeCapability: 89))
      }
    } catch {
      outcome.lowering = Self.describe(error)
    }
    do {
      let run = try HostProgram(module: module, problem: try recording.problem.map(tree))
        .run(.fromProblem)
      outcome.difference =
        LaunchAgreement.differences(found: run, recorded: recording.launches).first
    } catch {
      outcome.evaluation = Self.describe(error)
    }
    return outcome
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

  /// Without those that equal an earlier one in kernel, types and constants.
  var distinctLaunches: [RecordedLaunch] {
    var seen: Set<String> = []
    return launches.filter { launch in
      let constants = launch.constexprs.map { "\($0.key)=\($0.value)" }.sorted()
      let types = launch.signature.map { "\($0.key):\($0.value)" }.sorted()
      return seen.insert(
        "\(launch.kernel) \(types) \(constants) \(launch.divisibleBy16) \(launch.numWarps)"
      ).inserted
    }
  }

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
