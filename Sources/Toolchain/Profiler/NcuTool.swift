import Diagnostics
import Foundation

/// An Nsight Compute command line (`ncu`) on this machine.
public struct NcuTool: Sendable, Hashable {
  /// An absolute path.
  public var executable: String

  public init(executable: String) { self.executable = executable }

  /// The `ncu` to use: `explicit`, else the one in `PATH`, else the newest where NVIDIA's installers
  /// put it (`/usr/local/cuda*/bin`, `/opt/nvidia/nsight-compute/*`).
  ///
  /// - Parameter folders: where to look after `PATH`; tests hand in their own.
  /// - Throws: `no-ncu` with what to do about it.
  public static func find(
    explicit: String?, environment: [String: String],
    folders: [String] = ["/usr/local", "/opt/nvidia/nsight-compute"]
  ) throws(Diagnostic) -> NcuTool {
    if let explicit {
      let path = URL(fileURLWithPath: explicit).standardizedFileURL.path
      let inside = path + "/ncu"
      if isExecutable(path) { return NcuTool(executable: path) }
      if isExecutable(inside) { return NcuTool(executable: inside) }
      throw Diagnostic(
        id: "no-ncu", "--ncu names no executable file: '\(explicit)'",
        nextStep: "give the path of ncu, the command line of Nsight Compute")
    }
    for folder in (environment["PATH"] ?? "").split(separator: ":") {
      let path = URL(fileURLWithPath: String(folder)).path + "/ncu"
      if isExecutable(path) { return NcuTool(executable: path) }
    }
    for folder in folders {
      // Most of these folders are not there.
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      let newestFirst = names.sorted { $0.compare($1, options: .numeric) == .orderedDescending }
      for name in newestFirst {
        for place in ["\(folder)/\(name)/ncu", "\(folder)/\(name)/bin/ncu"]
        where isExecutable(place) {
          return NcuTool(executable: place)
        }
      }
    }
    throw Diagnostic(
      id: "no-ncu", "there is no ncu (Nsight Compute) in PATH, nor where the CUDA toolkit puts it",
      nextStep: "install Nsight Compute (it comes with the CUDA toolkit), or name it with --ncu; a "
        + "report made elsewhere can be given as CSV: ncu --import FILE --page raw --csv")
  }

  private static func isExecutable(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && !isDirectory.boolValue && FileManager.default.isExecutableFile(atPath: path)
  }
}
