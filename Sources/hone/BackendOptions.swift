import ArgumentParser
import Diagnostics

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
