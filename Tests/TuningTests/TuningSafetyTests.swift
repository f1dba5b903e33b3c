import Diagnostics
import HostProgram
import Rewrites
import Stages
import Testing

@testable import Tuning

/// What `hone optimize` prints for kernels that update their arguments in place.
@Suite struct TuningSafetyTests {
  /// The sample kernel, in place.
  private func inPlace(_ configs: [(Int, Int)]) -> String {
    Subjects.autotuned(configs).replacing("y = torch.empty_like(x)", with: "y = x")
  }

  @Test(arguments: [[(4, 3)], [(4, 3), (8, 3)], [(2, 3), (4, 3), (8, 3)]])
  func outputRestoresWhatTrialRunsChange(_ configs: [(Int, Int)]) throws {
    let request = try Subjects.request(inPlace(configs), inputs: ["x=f32[4096,4096]"])
    let result = try Optimizer(request).run()
    #expect(result.module.text.contains("restore_value=['y_ptr']"), "\(result.module.text)")
    #expect(result.module.text.components("restore_value") == 2)
    let original = Subjects.autotuned(configs)
    let safe = try Optimizer(
      try Subjects.request(original, inputs: ["x=f32[4096,4096]"])
    ).run()
    #expect(!safe.module.text.contains("restore_value"))
    #expect(!safe.trials.contains { $0.rewrite == "restore-tuned-arguments" })
  }

  /// A stage that changes no knobs prints the original's list, and completes it.
  @Test func listsThatStayAreCompleted() throws {
    let request = try Subjects.request(inPlace([(4, 3), (8, 3)]), inputs: ["x=f32[4096,4096]"]) {
      $0.mayChange.remove(.body)
      $0.numWarps.mayChange = false
      $0.numStages.mayChange = false
      $0.configCount = nil
      $0.includesOriginal = false
    }
    let result = try Optimizer(request).run()
    #expect(result.module.text.contains("restore_value=['y_ptr']"))
    #expect(result.status == .tuned)
    #expect(!result.expectsGain)
    let trial = try #require(result.trials.first { $0.rewrite == "restore-tuned-arguments" })
    #expect(trial.isAccepted && trial.basis == .safety)
    #expect(trial.what == "add restore_value=['y_ptr']")
  }

  @Test func saysWhatItCannotTell() throws {
    let part = inPlace([(4, 3), (8, 3)])
      .replacing("(x, y, x.numel(), ", with: "(x, y[1:], x.numel() - 4096, ")
    let request = try Subjects.request(part, inputs: ["x=f32[4096,4096]"])
    let result = try Optimizer(request).run()
    #expect(!result.module.text.contains("restore_value"))
    let refused = result.trials.contains { trial in
      if case .refused(let reason) = trial.outcome { reason.id == "rerun-unproven" } else { false }
    }
    #expect(refused, "\(result.trials)")
  }
}

extension String {
  /// The number of parts between occurrences of a text.
  fileprivate func components(_ separator: String) -> Int { split(separator: separator).count }
}
