import Diagnostics
import Foundation
import TestSupport
import Testing
import TileMachine

/// The tile machine against real Triton: hundreds of small kernels over every operation and pair of
/// element types, with the results of an NVIDIA GPU or of Triton's interpreter recorded beside them.
@Suite struct JudgeTests {
  private func check(_ test: JudgeCase) {
    guard test.judge != nil else { return }
    do {
      let differences = test.differences(try test.run())
      #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    } catch let refusal as Diagnostic {
      Issue.record("\(refusal.id): \(refusal.message) (line \(refusal.location?.line ?? 0))")
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test(arguments: JudgeCase.load("elementwise")) func elementwise(_ test: JudgeCase) {
    check(test)
  }

  @Test(arguments: JudgeCase.load("tiles")) func tiles(_ test: JudgeCase) { check(test) }

  @Test(arguments: JudgeCase.load("memory")) func memory(_ test: JudgeCase) { check(test) }

  @Test(arguments: JudgeCase.load("products")) func products(_ test: JudgeCase) { check(test) }

  @Test(arguments: JudgeCase.load("control")) func control(_ test: JudgeCase) { check(test) }

  @Test(arguments: JudgeCase.load("library")) func library(_ test: JudgeCase) { check(test) }

  /// All goldens are read: none is skipped because its line could not be.
  @Test func goldensAreThere() {
    let families = ["elementwise", "tiles", "memory", "products", "control", "library"]
    #expect(families.map { JudgeCase.load($0).count }.reduce(0, +) >= 700)
  }

  /// Triton's interpreter, run again, says what is recorded: the goldens are of this Triton.
  @Test(
    .enabled(if: Checkout.judgePython != nil, "\(Checkout.judgePythonReason)"),
    arguments: ["control", "memory"])
  func recordingsAreTheInterpreters(_ family: String) async throws {
    let result = try await Program.run(
      Checkout.judgePython ?? "",
      ["-W", "ignore", "Scripts/judge-machine.py", "verify", family], in: Checkout.root.path)
    // 3: that python has no torch to hand tensors over with.
    #expect([0, 3].contains(result.code), "\(result.output)")
  }
}
