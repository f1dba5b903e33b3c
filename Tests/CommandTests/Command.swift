import Foundation
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#endif

/// Runs the built `hone` binary.
enum Command {
  struct Result {
    var code: Int32
    var output: String
    var errors: String
  }

  /// The binary lies beside the test bundle.
  static let binary: URL? = {
    let beside = Bundle.main.bundleURL
    let folders = [
      beside, beside.deletingLastPathComponent(),
      URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent(),
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(".build/debug"),
    ]
    return folders.map { $0.appendingPathComponent("hone") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }()

  /// Runs it to the end; nil standard input is an empty one.
  static func run(_ arguments: [String], input: String = "", in folder: URL? = nil) throws -> Result
  {
    let process = Process()
    let url: URL = try #require(binary)
    process.executableURL = url
    process.arguments = arguments
    process.environment = ["COLUMNS": "80", "PATH": "/usr/bin:/bin"]
    if let folder { process.currentDirectoryURL = folder }
    // Files instead of pipes: a full pipe would stop the process.
    let scratch = try Scratch()
    let (inputFile, outputFile, errorFile) = (
      try scratch.write(input, to: "in"), try scratch.write("", to: "out"),
      try scratch.write("", to: "err")
    )
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    process.waitUntilExit()
    return Result(
      code: process.terminationReason == .exit
        ? process.terminationStatus : 1000 + process.terminationStatus,
      output: try String(contentsOf: outputFile, encoding: .utf8),
      errors: try String(contentsOf: errorFile, encoding: .utf8))
  }
}

/// A folder that goes with the test.
final class Scratch {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hone-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  @discardableResult
  func write(_ text: String, to name: String) throws -> URL {
    let file = folder.appendingPathComponent(name)
    try text.write(to: file, atomically: false, encoding: .utf8)
    return file
  }
}
