import Foundation

/// Where the tests and what was built with them lie.
public enum Checkout {
  /// The checkout's folder.
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// An executable that was built beside the tests, nil when there is none.
  public static func binary(_ name: String) -> URL? {
    let beside = Bundle.main.bundleURL
    let folders = [
      beside, beside.deletingLastPathComponent(),
      URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent(),
      root.appendingPathComponent(".build/debug"),
    ]
    return folders.map { $0.appendingPathComponent(name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// The python with real Triton that `Scripts/python-env` prints, when the tests were given it.
  public static let judgePython = ProcessInfo.processInfo.environment["HONE_JUDGE_PYTHON"]
    .flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }
  public static let judgePythonReason =
    "HONE_JUDGE_PYTHON names no python (export HONE_JUDGE_PYTHON=$(Scripts/python-env))"
}

/// A folder that goes with the test.
public final class Scratch: Sendable {
  public let folder: URL

  public init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hone-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// - Returns: the path of an executable script.
  public func write(script: String, to name: String) throws -> String {
    let path = folder.appendingPathComponent(name).path
    try Script.write(script, to: path)
    return path
  }

  @discardableResult
  public func write(_ text: String, to name: String) throws -> URL {
    let file = folder.appendingPathComponent(name)
    try text.write(to: file, atomically: false, encoding: .utf8)
    return file
  }
}
