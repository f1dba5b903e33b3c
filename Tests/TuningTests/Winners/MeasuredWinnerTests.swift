import Diagnostics
import HostProgram
import Stages
import Testing

@testable import Tuning

/// Winners of measured runs, on simulated devices.
@Suite struct MeasuredWinnerTests {
  /// Fastest with two warps.
  private static func cost(_ text: String) -> Double {
    let warps = text.matches(of: /num_warps=(\d+)/).compactMap { Int($0.output.1) }
    let factors = [2: 0.8, 4: 1.0, 8: 1.1, 16: 1.3]
    return 100 * (warps.compactMap { factors[$0] }.min() ?? 1)
  }

  private func run(
    _ store: WinnerStore?, on device: SimulatedDevice, emission: EmissionForm = .list,
    editing: (inout StagePolicy) -> Void = { _ in }
  ) async throws -> Optimization {
    let request = try Subjects.request(
      Subjects.autotuned([(4, 3), (8, 3)]), inputs: ["x=f32[64,64]"], editing: editing)
    let header = MeasuredOptimizer.header(for: request, backend: device.identity, tool: "test")
    var optimizer = MeasuredOptimizer(
      request: request, backend: device, log: TrialLog(header: header), budget: 60)
    optimizer.winners = store
    optimizer.emission = emission
    return try await optimizer.run()
  }

  @Test func laterRunsStartFromTheWinner() async throws {
    let folder = WinnerFolder()
    let device = SimulatedDevice(noise: 0.001, cost: Self.cost)
    let first = try await run(folder.store, on: device)
    #expect(first.expectsGain)
    let kept = try folder.store.all()
    #expect(kept.count == 1)
    let winner = try #require(kept.first)
    #expect(winner.level == .measured && winner.key.device == "simulated")
    #expect(winner.configs.contains { $0.numWarps == 2 })
    #expect((winner.lower ?? 0) > 1.2 && winner.keyArguments == [["n": 4096]])
    let second = try await run(folder.store, on: device)
    #expect(second.module.text == first.module.text)
    let records = try #require(second.measurement?.records)
    // The baseline, the winner, its confirmation: timed again, searched for no more.
    #expect(records.count == 3, "\(records.map(\.label))")
    #expect(records.contains { $0.label.contains("from the store of winners") })
    #expect((first.measurement?.records.count ?? 0) > records.count)
    #expect(second.measurement?.confirmation?.verdict == .accepted)
  }

  /// What was fast on a device as it was then is not believed where it is slow now.
  @Test func aWinnerThatIsNoLongerOneIsNotPrinted() async throws {
    let folder = WinnerFolder()
    _ = try await run(folder.store, on: SimulatedDevice(noise: 0.001, cost: Self.cost))
    #expect(try folder.store.all().count == 1)
    let changed = SimulatedDevice(noise: 0.001) { text in
      text.contains("num_warps=2") ? 150 : text.contains("num_warps=16") ? 70 : 100
    }
    let result = try await run(folder.store, on: changed)
    #expect(result.status != .unchanged)
    #expect(!result.module.text.contains("num_warps=2,"))
    #expect(result.kernels.first?.configs.contains { $0.numWarps == 16 } == true)
    let wrong = SimulatedDevice(
      noise: 0.001, fault: { $0.contains("num_warps=2") ? .wrong : nil }, cost: Self.cost)
    let checked = try await run(folder.store, on: wrong)
    #expect(!checked.module.text.contains("num_warps=2,"))
  }

  @Test func otherDevicesHaveTheirOwn() async throws {
    let folder = WinnerFolder()
    _ = try await run(folder.store, on: SimulatedDevice(noise: 0.001, cost: Self.cost))
    let other = SimulatedDevice(device: "another", noise: 0.001, cost: Self.cost)
    let result = try await run(folder.store, on: other)
    #expect(
      result.measurement?.records.contains { $0.label.contains("from the store") } == false)
    #expect(try Set(folder.store.all().map(\.key.device)) == ["simulated", "another"])
  }

  @Test func aCorruptStoreIsANote() async throws {
    let folder = WinnerFolder()
    try folder.store.record(WinnerStoreTests.winner())
    try "{".write(toFile: folder.path, atomically: false, encoding: .utf8)
    let result = try await run(
      folder.store, on: SimulatedDevice(noise: 0.001, cost: Self.cost))
    #expect(result.expectsGain)
    #expect(result.notes.contains { $0.id == "corrupt-winners" && $0.severity == .warning })
    #expect(try String(contentsOfFile: folder.path, encoding: .utf8) == "{")
  }

  @Test func formsRestOnMeasurements() async throws {
    let device = SimulatedDevice(noise: 0.001, cost: Self.cost)
    let table = try await run(nil, on: device, emission: .table)
    #expect(table.module.text.contains("SCALE_KERNEL_TABLE = {\n    (4096,): "))
    #expect(table.module.text.contains("by n (measured for"))
    let refused = try await run(nil, on: device, emission: .perShape)
    #expect(refused.notes.contains { $0.id == "emission-forbidden" })
    #expect(refused.expectsGain)
    let single = try await run(nil, on: device, emission: .perShape) {
      $0.configCount = nil
      $0.includesOriginal = false
    }
    #expect(single.kernels.first?.configs.map(\.numWarps) == [2])
  }
}
