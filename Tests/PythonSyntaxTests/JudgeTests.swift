import Foundation
import TestSupport
import Testing

/// CPython as the judge, over the standard library of the `python3` at hand: a sample, or with
/// `HONE_LONG_TESTS=1` all of it and 2,000 spoiled files.
@Suite(
  .enabled("needs python3 3.8 or later and the built hone-syntax") {
    await Judge.current.value != nil
  })
struct JudgeTests {
  @Test func agreesWithCPython() async throws {
    let judge = try #require(await Judge.current.value)
    let (status, output) = try await judge.run([
      "--sample", judge.isLong ? "1" : "60", judge.library,
    ])
    #expect(status == 0, "\(output)")
  }

  @Test func rejectsWhatCPythonRejects() async throws {
    let judge = try #require(await Judge.current.value)
    let count = judge.isLong ? 2000 : 60
    let (_, output) = try await judge.run(
      [
        "--mutations", String(count), "--seed", "11", judge.library + "/json",
        judge.library + "/email",
      ])
    let summary = output.split(separator: "\n").last ?? ""
    let match = try #require(summary.firstMatch(of: /(\d+) differences/))
    // Where one mistake upsets a whole file, the line is a matter of taste: 1 in 100 may differ.
    #expect((Int(match.1) ?? .max) * 100 <= max(count, 100), "\(output)")
  }
}

struct Judge: Sendable {
  let library: String
  let binary: String
  let isLong: Bool

  /// Everything the judge needs, if it is there.
  static let current = Task { () -> Judge? in
    let code = """
      import os, sys
      print(sys.version_info >= (3, 8))
      print(os.path.dirname(os.__file__))
      """
    guard let binary = Checkout.binary("hone-syntax"),
      let found = try? await Program.run("python3", ["-c", code]), found.code == 0
    else { return nil }
    let lines = found.output.split(separator: "\n")
    guard lines.count == 2, lines[0] == "True" else { return nil }
    return Judge(
      library: String(lines[1]), binary: binary.path,
      isLong: ProcessInfo.processInfo.environment["HONE_LONG_TESTS"] == "1")
  }

  func run(_ arguments: [String]) async throws -> (status: Int32, output: String) {
    let result = try await Program.run(
      "python3", ["Scripts/judge-python-syntax", "--hone-syntax", binary] + arguments,
      in: Checkout.root.path)
    return (result.code, result.output)
  }
}
