import ArgumentParser
import Diagnostics
import Foundation
import Toolchain

/// What every command that starts a Python shares: the scratch folder, gone also when the command is
/// interrupted, and the process's environment, which libraries do not read.
struct ToolchainSession {
  let scratch: ScratchFolder
  let environment: [String: String]

  /// - Throws: `Failure` where no folder can be made.
  init() throws {
    environment = ProcessInfo.processInfo.environment
    do throws(Diagnostic) {
      scratch = try ScratchFolder(in: environment["TMPDIR"])
    } catch {
      throw Failure(outcome: .environment, diagnostics: [error])
    }
    let scratch = scratch
    TerminationSignals.beforeEnd { scratch.tearDown() }
  }

  /// The Python to use, by `--python` and the environment.
  ///
  /// - Throws: `Failure` where there is none.
  func python(_ option: String?) throws -> PythonEnvironment {
    do throws(Diagnostic) {
      return try PythonEnvironment.find(explicit: option, environment: environment)
    } catch {
      throw Failure(outcome: .environment, diagnostics: [error])
    }
  }

  /// `$XDG_CACHE_HOME/hone/NAME`, by default under `~/.cache`; nil without a home.
  func cacheFolder(_ name: String) -> String? {
    if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") {
      return "\(folder)/hone/\(name)"
    }
    return environment["HOME"].map { "\($0)/.cache/hone/\(name)" }
  }
}
