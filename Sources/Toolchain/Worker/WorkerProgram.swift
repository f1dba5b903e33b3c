import Foundation

/// The worker's Python files, which the binary carries: nothing has to lie beside it.
enum WorkerProgram {
  /// Name and contents of each file in `Python/`. A file that is not in this list does not exist for
  /// the worker; `WorkerProgramTests` compares the list with the folder.
  static var files: [(name: String, bytes: [UInt8])] {
    [
      ("main.py", PackageResources.main_py),
      ("protocol.py", PackageResources.protocol_py),
      ("sandbox.py", PackageResources.sandbox_py),
      ("environment.py", PackageResources.environment_py),
    ]
  }

  /// Writes the files into a folder and returns the path of the one to start.
  static func write(to folder: String) throws -> String {
    for file in files {
      try Data(file.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file.name)"))
    }
    return "\(folder)/main.py"
  }
}
