import Diagnostics
import Foundation

/// A Python that can run the worker.
public struct PythonEnvironment: Sendable, Hashable {
  /// Where it was found, in the order of preference.
  public enum Origin: String, Sendable, Hashable, Codable, CaseIterable {
    case option = "--python"
    case honePython = "HONE_PYTHON"
    case virtualEnvironment = "VIRTUAL_ENV"
    case path = "PATH"
  }

  /// An absolute path. Links are kept: a virtual environment's `python` is known by its place.
  public var executable: String
  public var origin: Origin

  public init(executable: String, origin: Origin = .option) {
    self.executable = executable
    self.origin = origin
  }

  /// The Python to use: `explicit`, else `HONE_PYTHON`, else the active virtual environment's, else
  /// `python3` in `PATH`. What is named but is not there is an error, never passed over.
  ///
  /// - Parameters:
  ///   - explicit: the value of `--python`: a path, a folder of a virtual environment, or a name.
  ///   - environment: the variables of the process.
  public static func find(
    explicit: String?, environment: [String: String]
  ) throws(Diagnostic) -> PythonEnvironment {
    func named(_ text: String, _ origin: Origin) throws(Diagnostic) -> PythonEnvironment {
      for candidate in candidates(text, environment: environment) where isExecutable(candidate) {
        return PythonEnvironment(executable: candidate, origin: origin)
      }
      throw Diagnostic(
        id: "no-such-python", "\(origin.rawValue) names no executable file: '\(text)'",
        nextStep: "give the path of a python3, or the folder of a virtual environment")
    }
    if let explicit { return try named(explicit, .option) }
    if let text = environment["HONE_PYTHON"], !text.isEmpty { return try named(text, .honePython) }
    if let folder = environment["VIRTUAL_ENV"], !folder.isEmpty {
      return try named(folder, .virtualEnvironment)
    }
    for candidate in candidates("python3", environment: environment) where isExecutable(candidate) {
      return PythonEnvironment(executable: candidate, origin: .path)
    }
    throw Diagnostic(
      id: "no-python", "there is no python3 in PATH",
      nextStep: "install Python 3.10 or newer, or name one with --python or HONE_PYTHON")
  }

  private static func candidates(_ text: String, environment: [String: String]) -> [String] {
    if text.contains("/") || isFolder(text) {
      let path = URL(fileURLWithPath: expand(text, environment)).standardizedFileURL.path
      return isFolder(path) ? ["\(path)/bin/python3", "\(path)/bin/python"] : [path]
    }
    return (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map {
      URL(fileURLWithPath: String($0)).path + "/" + text
    }
  }

  private static func expand(_ text: String, _ environment: [String: String]) -> String {
    guard text.hasPrefix("~/"), let home = environment["HOME"] else { return text }
    return home + text.dropFirst()
  }

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }

  private static func isExecutable(_ path: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: path) && !isFolder(path)
  }
}
