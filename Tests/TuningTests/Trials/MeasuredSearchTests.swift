import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import Stages
import Testing

@testable import Tuning

/// The measured search against simulated devices: what it finds, and what it never prints.
@Suite struct MeasuredSearchTests {
  /// Sizes at which the tile machine's part takes moments.
  private static let inputs = ["x=f32[8,24,28,28]"]

  private func optimize(
    _ module: String, on device: SimulatedDevice, budget: Double = 60, log: TrialLog? = nil,
    inputs: [String] = inputs, editing: (inout StagePolicy) -> Void = { _ in }
  ) async throws -> Optimization {
    let request = try Subjects.request(module, inputs: inputs, editing: editing)
    let header = MeasuredOptimizer.header(for: request, backend: device.identity, tool: "test")
    return try await MeasuredOptimizer(
      request: request, backend: device, log: log ?? TrialLog(header: header), budget: budget
    ).run()
  }

  /// Faster with constants, fastest with two warps; an autotuner takes the best of its list.
  private static func cost(_ text: String) -> Double {
    var microseconds = 100.0
    if text.contains("a: tl.constexpr") { microseconds *= 0.7 }
    let warps = text.matches(of: /num_warps=(\d+)/).compactMap { Int($0.output.1) }
    let factors = [2: 0.8, 4: 1.0, 8: 1.1, 16: 1.3]
    return microseconds * ((warps.isEmpty ? [4] : warps).compactMap { factors[$0] }.min() ?? 1)
  }

  @Test func findsBodyAndKnobs() async throws {
    let device = SimulatedDevice(noise: 0.001, cost: Self.cost)
    let result = try await optimize(Subjects.dividing, on: device)
    #expect(result.status == .improved && result.expectsGain)
    let record = try #require(result.measurement?.confirmation)
    #expect((record.ratio ?? 0) > 1.7, "\(record.label): \(String(describing: record.ratio))")
    #expect(record.hash == ContentHash(of: result.module.bytes).hex, "what was measured is printed")
    #expect(record.evidence.contains { $0.kind == .check && $0.passed })
    #expect(result.module.text.contains("a: tl.constexpr"))
    #expect(result.module.text.contains("num_warps=2"))
    #expect(!PythonParser.parse(result.module).hasErrors)
    #expect(result.trials.allSatisfy { $0.evidence == .measured && $0.record != nil })
  }

  /// The same, from a module whose list of configs is there already.
  @Test func addsTheFastestToTheList() async throws {
    let device = SimulatedDevice(noise: 0.001, cost: Self.cost)
    let result = try await optimize(
      Subjects.autotuned([(4, 3), (8, 3)]), on: device, inputs: ["x=f32[64,64]"])
    let configs = try #require(result.kernels.first?.configs)
    #expect(configs.contains { $0.numWarps == 2 })
    #expect((3...6).contains(configs.count))
    #expect(configs.contains { $0.numWarps == 4 }, "the fastest original stays")
  }

  @Test func printsTheOriginalWhereNothingGains() async throws {
    let device = SimulatedDevice(noise: 0.002) { _ in 100 }
    let result = try await optimize(Subjects.dividing, on: device)
    #expect(result.status == .unchanged && !result.expectsGain)
    #expect(result.measurement?.confirmation == nil)
    #expect(result.run?.launches.isEmpty == false)
  }

  /// Everything is slower in truth and the clock is noisy: none of it may be printed.
  @Test(arguments: [0.005, 0.01, 0.02, 0.04])
  func neverPrintsASlowerModule(_ noise: Double) async throws {
    let original = Subjects.dividing
    let device = SimulatedDevice(noise: noise) { text in
      guard text != original else { return 100 }
      return 100.5 + Double(ContentHash(of: text).hex.utf8.first ?? 0) / 50
    }
    let result = try await optimize(original, on: device)
    #expect(result.status == .unchanged, "\(result.measurement?.confirmation?.label ?? "")")
  }

  @Test func printsNothingUnstable() async throws {
    let original = Subjects.dividing
    let device = SimulatedDevice(
      noise: 0.001, fault: { $0 == original ? nil : .unstable }, cost: Self.cost)
    let result = try await optimize(original, on: device)
    #expect(result.status == .unchanged)
    #expect(result.trials.contains { $0.reversal?.hasPrefix("unstable") == true })
  }

  @Test func printsNothingWrongOrSwapped() async throws {
    let original = Subjects.dividing
    for fault in [SimulatedDevice.Fault.wrong, .anotherText, .dies] {
      let device = SimulatedDevice(
        fault: { $0 == original ? nil : fault }, cost: Self.cost)
      let result = try await optimize(original, on: device)
      #expect(result.status == .unchanged)
      let others = result.measurement?.records.filter {
        $0.hash != ContentHash(of: original).hex
      }
      #expect(others?.isEmpty == false)
      #expect(others?.allSatisfy { $0.verdict == .refused } == true)
    }
  }

  /// The original itself does not run: nothing can be compared, and that is said.
  @Test func saysThatTheOriginalCannotBeMeasured() async throws {
    let device = SimulatedDevice(fault: { _ in .wrong }, cost: Self.cost)
    let result = try await optimize(Subjects.dividing, on: device)
    #expect(result.status == .unchanged && result.measurement?.records.count == 1)
    #expect(result.notes.contains { $0.id == "original-not-measured" })
  }

  @Test func staysWithinTheBudget() async throws {
    let device = SimulatedDevice(noise: 0.001, cost: Self.cost)
    let result = try await optimize(Subjects.dividing, on: device, budget: 4)
    let measurement = try #require(result.measurement)
    // 0.8 s a trial: the one under way when the budget ends may end after it.
    #expect(measurement.seconds <= 4 + 2 * 0.8 && measurement.endedByBudget)
    let one = try await optimize(Subjects.dividing, on: device, budget: 0)
    #expect(one.measurement?.records.count == 1)
  }

  /// However little time there is, bodies leave some for configs and kernels for each other.
  @Test func everyPartOfTheSearchHasItsTime() async throws {
    let parts = Subjects.dividing.split(separator: "@triton.jit", maxSplits: 1)
    let rest = try #require(parts.last).split(separator: "class ModelNew", maxSplits: 1)
    let second = "@triton.jit" + rest[0].replacing("fold_kernel", with: "refold_kernel")
    let module = Subjects.dividing.replacing("class ModelNew", with: second + "class ModelNew")
      .replacing(
        "        return y",
        with: """
                  z = torch.empty_like(x)
                  refold_kernel[(triton.cdiv(x.numel(), 1024),)](y, z, a, b, c, d, x.numel(), BLOCK=1024)
                  return z
          """)
    let device = SimulatedDevice(noise: 0.001, cost: Self.cost)
    let result = try await optimize(module, on: device, budget: 20)
    let records = try #require(result.measurement?.records)
    for kernel in ["fold_kernel", "refold_kernel"] {
      for phase in [TrialPhase.body, .knobs] {
        #expect(
          records.contains { $0.kernel == kernel && $0.phase == phase }, "\(kernel) \(phase)")
      }
    }
  }

  /// Interrupted after any number of trials and resumed: the same module from the same trials.
  @Test func aResumedRunEndsAsAnUninterruptedOne() async throws {
    let folder = try TrialFolder()
    let request = try Subjects.request(Subjects.dividing, inputs: Self.inputs)
    func device() -> SimulatedDevice { SimulatedDevice(noise: 0.003, cost: Self.cost) }
    let header = MeasuredOptimizer.header(
      for: request, backend: device().identity, tool: "test")
    func run(_ path: String) async throws -> (Optimization, Int) {
      let device = device()
      let log = try TrialLog(path: path, header: header)
      let result = try await MeasuredOptimizer(
        request: request, backend: device, log: log, budget: 60
      ).run()
      return (result, device.calls.count { $0.hasPrefix("time") })
    }
    let whole = folder.path("whole.jsonl")
    let (reference, made) = try await run(whole)
    let lines = try String(contentsOfFile: whole, encoding: .utf8).split(separator: "\n")
    for kept in [1, 2, lines.count / 3, lines.count - 1] {
      let path = folder.path("cut-\(kept).jsonl")
      try (lines.prefix(kept).joined(separator: "\n") + "\n{\"torn").write(
        toFile: path, atomically: true, encoding: .utf8)
      let (resumed, again) = try await run(path)
      #expect(resumed.module.bytes == reference.module.bytes)
      #expect(
        resumed.measurement?.records.map(\.end) == reference.measurement?.records.map(\.end))
      #expect(again <= made)
    }
    #expect(try await run(whole).1 == 0)
  }

  /// Several devices: the same search, no device with two trials at once.
  @Test func spreadsOverDevices() async throws {
    let device = SimulatedDevice(lanes: 4, noise: 0.001, cost: Self.cost)
    let result = try await optimize(Subjects.dividing, on: device)
    #expect(result.expectsGain)
    #expect(!device.calls.contains { $0.hasPrefix("shared") })
  }

  @Test func identifiesARequestBySubstance() throws {
    let one = try Subjects.request(Subjects.dividing, inputs: Self.inputs)
    let same = try Subjects.request(Subjects.dividing, inputs: Self.inputs)
    let other = try Subjects.request(Subjects.dividing, inputs: ["x=f32[8,24,28,29]"])
    #expect(RequestIdentity.hash(of: one) == RequestIdentity.hash(of: same))
    #expect(RequestIdentity.hash(of: one) != RequestIdentity.hash(of: other))
    let strict = try Subjects.request(Subjects.dividing, inputs: Self.inputs) {
      $0.revertBelowPercent = PercentRange(30, 30)
    }
    #expect(RequestIdentity.hash(of: one.policy) != RequestIdentity.hash(of: strict.policy))
  }
}
