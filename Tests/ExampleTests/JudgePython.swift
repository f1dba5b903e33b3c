import TestSupport

extension Checkout {
  /// True when the judges' python also has torch (`Scripts/python-env --torch`).
  static func judgeHasTorch() async -> Bool {
    let code = "import importlib.util as u, sys; sys.exit(not u.find_spec('torch'))"
    guard let python = judgePython else { return false }
    return (try? await Program.run(python, ["-c", code]))?.code == 0
  }

  /// Runs the judges' python in the checkout.
  static func runJudge(_ arguments: [String]) async throws -> Finished {
    try await Program.run(judgePython ?? "/usr/bin/false", arguments, in: root.path)
  }
}
