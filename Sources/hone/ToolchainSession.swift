import ArgumentParser
import Diagnostics
import Foundation
import Toolchain

/// What every command that starts a Python shares: the scratch folder and the process's environment,
/// which libraries do not read.
///
/// While a session lasts, Ctrl-C, SIGTERM and SIGHUP end the workers and remove the scratch folder
/// before the program goes; what is in a trial log stays. The program ends by the signal, which a
/// shell shows as 128 + its number: 130 for Ctrl-C.
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

  /// What a worker's failure is to the command: the environment's fault, or the original's.
  static func failure(_ failure: WorkerFailure) -> Failure {
    var diagnostic = failure.diagnostic
    let isInput = ["original:", "problem:"].contains { failure.message.hasPrefix($0) }
    if !isInput { diagnostic.nextStep = "run 'hone doctor'" }
    return Failure(outcome: isInput ? .input : .environment, diagnostics: [diagnostic])
  }

  /// `$XDG_CACHE_HOME/hone/NAME`, by default under `~/.cache`; nil without a home.
  func cacheFolder(_ name: String) -> String? {
    if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") {
      return "\(folder)/hone/\(name)"
    }
    return environment["HOME"].map { "\($0)/.cache/hone/\(name)" }
  }
}

/// The session of a run whose backend is chosen by what the Python has.
struct ToolchainAtHand {
  let session: ToolchainSession
  var python: PythonEnvironment
  var report: PythonReport

  var hasCompiler: Bool { report.packages["triton"]?.version != nil }
  var hasGPU: Bool {
    hasCompiler && report.packages["torch"]?.version != nil && !report.gpus.isEmpty
  }

  /// How long `--backend auto` looks for a Python with Triton before it goes on without.
  private static let probeLimit = Duration.milliseconds(1000)

  /// Looks at the Python without importing anything. For `auto`, whatever is amiss is nil.
  ///
  /// - Throws: a `Failure` where the user named a backend or a Python that is not there.
  static func find(_ options: BackendOptions) async throws -> ToolchainAtHand? {
    if options.backend == .model, options.targetBackend == .model { return nil }
    let isAsked = options.backend != .auto || options.python != nil
    let session: ToolchainSession
    do {
      session = try ToolchainSession()
    } catch {
      guard isAsked else { return nil }
      throw error
    }
    do {
      let python = try PythonEnvironment.find(
        explicit: options.python, environment: session.environment)
      let limit = isAsked ? Duration.seconds(60) : probeLimit
      let worker = Worker(
        python: python, scratch: session.scratch, environment: session.environment,
        startLimit: limit)
      let report = try await worker.hello(imports: false, deadline: limit)
      await worker.stop()
      return ToolchainAtHand(session: session, python: python, report: report)
    } catch {
      session.scratch.tearDown()
      guard isAsked else { return nil }
      let diagnostic = (error as? Diagnostic) ?? (error as? WorkerFailure)?.diagnostic
      throw Failure(
        outcome: options.python == nil ? .environment : .input,
        diagnostics: [diagnostic ?? Diagnostic(id: "no-python", "\(error)")])
    }
  }
}
