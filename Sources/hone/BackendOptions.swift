import ArgumentParser
import Diagnostics
import Foundation
import Toolchain

/// Who answers: the embedded model, Triton's compiler, or a GPU.
enum BackendChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, model, compiler, gpu
}

/// What is said of the request's GPU beside what is measured on the GPU at hand.
enum TargetBackend: String, ExpressibleByArgument, CaseIterable {
  case model, compiler
}

/// Which backend, which Python, which GPUs.
struct BackendOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What decides: predictions, predictions with what Triton compiles, or measurements on a GPU; "
        + "auto takes the best that is here and says which."))
  var backend: BackendChoice = .auto

  @Option(
    help: ArgumentHelp(
      "What is said of the request's GPU beside measurements on another: predicted times, or what "
        + "Triton compiles for it as well."))
  var targetBackend: TargetBackend = .model

  @Option(
    help: ArgumentHelp(
      "The Python with triton and torch: a path or a virtual environment's folder; else "
        + "HONE_PYTHON, the active environment, python3.", valueName: "path"))
  var python: String?

  @Option(
    help: ArgumentHelp(
      "GPUs to measure on, as in 0-3 or 0,2; trials spread over them, each timed on one alone.",
      valueName: "list"))
  var gpus: String?

  /// The indices that `--gpus` names.
  /// - Throws: a `Diagnostic` for what is no list.
  func indices() throws(Diagnostic) -> [Int]? {
    guard let gpus else { return nil }
    var found: [Int] = []
    for part in gpus.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      switch ends.count {
      case 1:
        if let index = ends[0], index >= 0, index < 1024 {
          found.append(index)
          continue
        }
      case 2:
        if let first = ends[0], let last = ends[1], first >= 0, first <= last, last < 1024 {
          found += Array(first...last)
          continue
        }
      default: break
      }
      throw Diagnostic(
        id: "bad-gpu-list", "'\(gpus)' is no list of GPUs", nextStep: "write it as 0-3 or 0,2")
    }
    var seen: Set<Int> = []
    return found.filter { seen.insert($0).inserted }
  }
}

/// The Python side that a run uses.
struct ToolchainAtHand {
  var python: PythonEnvironment
  var report: PythonReport
  var scratch: ScratchFolder
  var environment: [String: String]
  /// Lives as long as this does.
  var interruption: Interruption

  var hasCompiler: Bool { report.packages["triton"]?.version != nil }
  var hasGPU: Bool {
    hasCompiler && report.packages["torch"]?.version != nil && !report.gpus.isEmpty
  }

  /// How long `--backend auto` looks for a Python with Triton before it goes on without.
  static let probeLimit = Duration.milliseconds(1000)

  /// Looks at the Python without importing anything. For `auto`, whatever is amiss is nil.
  ///
  /// - Throws: a `Failure` where the user named a backend or a Python that is not there.
  static func find(_ options: BackendOptions) async throws -> ToolchainAtHand? {
    if options.backend == .model, options.targetBackend == .model { return nil }
    let environment = ProcessInfo.processInfo.environment
    let isAsked = options.backend != .auto || options.python != nil
    var made: ScratchFolder?
    do {
      let python = try PythonEnvironment.find(explicit: options.python, environment: environment)
      let scratch = try ScratchFolder(in: environment["TMPDIR"])
      made = scratch
      let interruption = Interruption(cleaningUp: scratch)
      let limit = isAsked ? Duration.seconds(60) : probeLimit
      let worker = Worker(
        python: python, scratch: scratch, environment: environment, startLimit: limit)
      let report = try await worker.hello(imports: false, deadline: limit)
      await worker.stop()
      return ToolchainAtHand(
        python: python, report: report, scratch: scratch, environment: environment,
        interruption: interruption)
    } catch {
      made?.tearDown()
      guard isAsked else { return nil }
      let diagnostic = (error as? Diagnostic) ?? (error as? WorkerFailure)?.diagnostic
      throw Failure(
        outcome: options.python == nil ? .environment : .input,
        diagnostics: [diagnostic ?? Diagnostic(id: "no-python", "\(error)")])
    }
  }
}
