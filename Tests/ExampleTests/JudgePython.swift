import Foundation

/// The python with real Triton that `Scripts/python-env` prints, when the tests were given it.
enum JudgePython {
  static let path = ProcessInfo.processInfo.environment["HONE_JUDGE_PYTHON"]
  static let isThere = path.map { FileManager.default.isExecutableFile(atPath: $0) } ?? false
  static let skipReason: String =
    path == nil
    ? "HONE_JUDGE_PYTHON is not set (export HONE_JUDGE_PYTHON=$(Scripts/python-env))"
    : "HONE_JUDGE_PYTHON names no executable file"

  /// True when that python also has torch (`Scripts/python-env --torch`).
  static let hasTorch: Bool =
    isThere
    && (try? run(["-c", "import importlib.util as u, sys; sys.exit(not u.find_spec('torch'))"]))?
      .exitCode == 0

  struct Output {
    var exitCode: Int32
    var standardOutput: String
    var standardError: String
  }

  /// Runs that python in the checkout and waits for its end.
  static func run(_ arguments: [String]) throws -> Output {
    let scratch = FileManager.default.temporaryDirectory
      .appending(path: "hone-judge-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    // Files, not pipes: nothing to drain while the process runs.
    let files = try ["out", "err"].map { name in
      let url = scratch.appending(path: name)
      try Data().write(to: url)
      return (url, try FileHandle(forWritingTo: url))
    }
    let process = Process()
    process.executableURL = URL(filePath: path ?? "/usr/bin/false")
    process.arguments = arguments
    process.currentDirectoryURL = Examples.root
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = files[0].1
    process.standardError = files[1].1
    try process.run()
    process.waitUntilExit()
    return Output(
      exitCode: process.terminationStatus,
      standardOutput: try String(contentsOf: files[0].0, encoding: .utf8),
      standardError: try String(contentsOf: files[1].0, encoding: .utf8))
  }
}
