import Diagnostics
import Foundation
import PythonSyntax
import Testing
import TileIR

@testable import TritonLowering

/// A Python with the `triton` package, to hold lowering against the real front end.
private let judge = ProcessInfo.processInfo.environment["HONE_JUDGE_PYTHON"]

let root = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Kernels that use every function and every kind of control flow.
let fixtures = ["builtins.py", "control_flow.py"].map {
  root.appendingPathComponent("Tests/TritonLoweringTests/Kernels").appendingPathComponent($0)
}

@Test(arguments: fixtures) func lowersTheFixtures(_ file: URL) throws {
  let text = try String(contentsOf: file, encoding: .utf8)
  let module = TritonModule(
    PythonParser.parse(SourceText(name: file.lastPathComponent, text: text)))
  #expect(module.functions.count >= 12)
  for function in module.functions {
    let guess = try module.inferredSpecialization(for: function.name).specialization
    if function.name.hasPrefix("refused_") || function.name == "inconsistent" {
      do {
        let result = try module.lower(function.name, for: guess)
        Issue.record("\(function.name) was lowered:\n\(Printer.print(result))")
      } catch {
        #expect(error.id.hasPrefix("triton-"), "\(error)")
        #expect(error.location != nil)
      }
    } else {
      let result = try module.lower(function.name, for: guess)
      #expect(Verifier.verify(result) == nil, "\(function.name)")
    }
  }
}

@Test(.enabled(if: judge != nil, "set HONE_JUDGE_PYTHON to a Python with triton 3.6"))
func agreesWithRealTriton() throws {
  let examples = root.appendingPathComponent("Examples")
  let hone = root.appendingPathComponent(".build/debug/hone")
  try #require(FileManager.default.isExecutableFile(atPath: hone.path), "build hone first")
  let files =
    try FileManager.default.contentsOfDirectory(atPath: examples.path)
    .filter { $0.hasSuffix(".py") }.sorted().map { examples.appendingPathComponent($0).path }
    + fixtures.map(\.path)
  let records = try output(of: hone.path, ["lower", "--format", "json"] + files, input: Data())
  let script = root.appendingPathComponent("Scripts/judge-lowering.py").path
  let verdict = try output(of: try #require(judge), [script, "--json"], input: records)
  let object = try JSONSerialization.jsonObject(with: verdict) as? [String: Any]
  let counts = try #require(object?["counts"] as? [String: Int])
  #expect(counts["differ", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["only hone refuses", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["only triton refuses", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["agree", default: 0] >= 40)
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
