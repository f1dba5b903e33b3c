import Foundation
import Testing
import TileIR

@testable import TritonLowering

/// A Python with the `triton` package, to hold lowering against the real front end.
private let judge = ProcessInfo.processInfo.environment["HONE_JUDGE_PYTHON"]

private let root = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

@Test(.enabled(if: judge != nil, "set HONE_JUDGE_PYTHON to a Python with triton 3.6"))
func agreesWithRealTriton() throws {
  let examples = root.appendingPathComponent("Examples")
  let hone = root.appendingPathComponent(".build/debug/hone")
  try #require(FileManager.default.isExecutableFile(atPath: hone.path), "build hone first")
  let files = try FileManager.default.contentsOfDirectory(atPath: examples.path)
    .filter { $0.hasSuffix(".py") }.sorted().map { examples.appendingPathComponent($0).path }
  let records = try output(of: hone.path, ["lower", "--format", "json"] + files, input: Data())
  let script = root.appendingPathComponent("Scripts/judge-lowering.py").path
  let verdict = try output(of: try #require(judge), [script, "--json"], input: records)
  let object = try JSONSerialization.jsonObject(with: verdict) as? [String: Any]
  let counts = try #require(object?["counts"] as? [String: Int])
  #expect(counts["differ", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["only hone refuses", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["only triton refuses", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["agree", default: 0] >= 15)
}

private func output(of tool: String, _ arguments: [String], input: Data) throws -> Data {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: tool)
  process.arguments = arguments
  let (source, sink) = (Pipe(), Pipe())
  process.standardInput = source
  process.standardOutput = sink
  process.standardError = FileHandle.nullDevice
  try process.run()
  let writer = Thread {
    source.fileHandleForWriting.write(input)
    try? source.fileHandleForWriting.close()
  }
  writer.start()
  let data = sink.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return data
}
