import Foundation
import Testing

/// CPython as the judge, over the standard library of the `python3` at hand: a sample, or with
/// `HONE_LONG_TESTS=1` all of it and 2,000 spoiled files.
@Suite(.enabled(if: Judge.current != nil, "needs python3 3.8 or later and the built hone-syntax"))
struct JudgeTests {
  @Test func agreesWithCPython() throws {
    let judge = try #require(Judge.current)
    let (status, output) = try judge.run(["--sample", judge.isLong ? "1" : "60", judge.library])
    #expect(status == 0, "\(output)")
  }

  @Test func rejectsWhatCPythonRejects() throws {
    let judge = try #require(Judge.current)
    let count = judge.isLong ? 2000 : 60
    let (_, output) = try judge.run(
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

struct Judge {
  let python: String
  let library: String
  let script: String
  let binary: String
  let isLong: Bool

  /// Everything the judge needs, if it is there.
  static let current: Judge? = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let root = folder.deletingLastPathComponent().deletingLastPathComponent()
    let script = root.appendingPathComponent("Scripts/judge-python-syntax").path
    let binary = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("hone-syntax").path
    guard FileManager.default.isExecutableFile(atPath: binary),
      let found = try? execute(
        "python3",
        [
          "-c",
          "import os,sys;print(sys.version_info >= (3, 8));print(os.path.dirname(os.__file__))",
        ]),
      found.status == 0
    else { return nil }
    let lines = found.output.split(separator: "\n")
    guard lines.count == 2, lines[0] == "True" else { return nil }
    return Judge(
      python: "python3", library: String(lines[1]), script: script, binary: binary,
      isLong: ProcessInfo.processInfo.environment["HONE_LONG_TESTS"] == "1")
  }()

  func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    try Self.execute(python, [script, "--hone-syntax", binary] + arguments)
  }

  private static func execute(
    _ name: String, _ arguments: [String]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}
