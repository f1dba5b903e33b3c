import Diagnostics
import HostProgram
import Stages
import Testing

@testable import Tuning

/// `hone optimize` with a store, and with other forms of the configs.
@Suite struct WinnerReuseTests {
  private static let kernel = "scale_kernel"

  private func optimizer(_ module: String, editing: (inout StagePolicy) -> Void = { _ in }) throws
    -> (Optimizer, ModuleState)
  {
    let request = try Subjects.request(module, editing: editing)
    let problem = KnownProblem.find(for: request)
    var optimizer = Optimizer(request)
    optimizer.checkSeconds = 600
    return (optimizer, ModuleState(tree: request.tree, run: problem.run))
  }

  /// A winner measured on the target for the module at hand.
  private func winner(_ state: ModuleState, _ configs: [(Int, Int)]) throws -> Winner {
    var winner = WinnerStoreTests.winner(Self.kernel)
    winner.key = try #require(
      WinnerKey(of: Self.kernel, in: state, device: "NVIDIA GeForce RTX 4090", triton: "3.6.0"))
    winner.keyArguments = [["n": 4096 * 4096]]
    winner.configs = configs.compactMap { Winner.Config(Subjects.config($0.0, $0.1)) }
    winner.steps = []
    return winner
  }

  @Test func aMeasuredWinnerIsTheFirstCandidate() throws {
    let folder = WinnerFolder()
    var (optimizer, state) = try optimizer(Subjects.autotuned([(4, 3)]))
    #expect(WinnerKey(of: Self.kernel, in: state, device: "4090")?.device == "RTX 4090")
    try folder.store.record(try winner(state, [(4, 3), (16, 3), (2, 3)]))
    optimizer.winners = folder.store
    let result = try optimizer.run()
    #expect(result.kernels.first?.configs.map(\.numWarps) == [4, 16, 2])
    let trials = result.trials.filter { $0.basis == .winner }
    #expect(trials.count == 1 && result.trials.count == 1)
    #expect(trials.first?.why.contains("from the store of winners: measured 2.0×") == true)
    #expect(trials.first?.why.contains("checked again here, not timed") == true)
    #expect(result.expectsGain)
    #expect(result.check?.verdict == .passed)
  }

  @Test func whatIsNotMeasuredOrOfAnotherKernelIsNot() throws {
    let folder = WinnerFolder()
    var (optimizer, state) = try optimizer(Subjects.autotuned([(4, 3)]))
    let plain = try optimizer.run()
    var predicted = try winner(state, [(16, 3)])
    predicted.level = .predicted
    try folder.store.record(predicted)
    for edit in [\WinnerKey.content, \WinnerKey.shape, \WinnerKey.device] {
      var other = try winner(state, [(16, 3)])
      other.key[keyPath: edit] = "another"
      try folder.store.record(other)
    }
    optimizer.winners = folder.store
    let result = try optimizer.run()
    #expect(result.module.text == plain.module.text)
    #expect(!result.trials.contains { $0.basis == .winner })
  }

  /// A winner that the stage's rules forbid here is dropped, and the run goes on without it.
  @Test func aWinnerThatFailsTheChecksIsDropped() throws {
    let folder = WinnerFolder()
    var (optimizer, state) = try optimizer(Subjects.autotuned([(4, 3)]))
    let plain = try optimizer.run()
    try folder.store.record(try winner(state, [(16, 7)]))
    optimizer.winners = folder.store
    let result = try optimizer.run()
    #expect(result.module.text == plain.module.text)
    #expect(result.notes.first?.id == "winner-refused")
  }

  @Test func aWinnerThatNoLongerFitsIsSaid() throws {
    let folder = WinnerFolder()
    var (optimizer, state) = try optimizer(Subjects.autotuned([(4, 3)]))
    var stale = try winner(state, [(4, 3)])
    stale.steps = [Winner.Step(rewrite: "gone", what: "x", names: [])]
    try folder.store.record(stale)
    optimizer.winners = folder.store
    let result = try optimizer.run()
    #expect(
      result.notes.contains {
        $0.message.hasPrefix("the stored winner of 'scale_kernel' is not used")
      })
  }

  @Test func predictionsAreKeptWhereAskedFor() throws {
    let folder = WinnerFolder()
    var (optimizer, _) = try optimizer(Subjects.autotuned([(4, 3)]))
    optimizer.winners = folder.store
    _ = try optimizer.run()
    #expect(try folder.store.all().isEmpty)
    optimizer.recordsPredictions = true
    let result = try optimizer.run()
    let kept = try folder.store.all()
    #expect(kept.count == 1 && kept.first?.level == .predicted)
    #expect(kept.first?.keyArguments == [["n": 4096 * 4096]])
    #expect(kept.first?.configs.count == result.kernels.first?.configs.count)
  }

  // MARK: Forms

  @Test func aTableChoosesFromTheList() throws {
    var (optimizer, _) = try optimizer(Subjects.autotuned([(4, 3), (8, 3)]))
    optimizer.emission = .table
    let result = try optimizer.run()
    let text = result.module.text
    #expect(text.contains("SCALE_KERNEL_TABLE = {\n    (16777216,): "))
    #expect(text.contains("(predicted for RTX 4090)"))
    #expect(text.contains("prune_configs_by={'early_config_prune': scale_kernel_choice}"))
    #expect(result.trials.contains { $0.basis == .emission && $0.isAccepted })
    #expect(result.check?.verdict == .passed)
  }

  /// Another shape that the store knows, of the same schedule, is a row of its own.
  @Test func storedShapesAreRows() throws {
    let folder = WinnerFolder()
    var (optimizer, state) = try optimizer(Subjects.autotuned([(4, 3), (8, 3)])) {
      $0.mayChange.remove(.body)
    }
    var other = try winner(state, [(8, 3)])
    other.key.shape = "another"
    other.keyArguments = [["n": 1000]]
    try folder.store.record(other)
    var rewritten = other
    rewritten.key.shape = "a third"
    rewritten.keyArguments = [["n": 2000]]
    rewritten.steps = [Winner.Step(rewrite: "specialize-arguments", what: "n", names: ["n"])]
    try folder.store.record(rewritten)
    optimizer.emission = .table
    optimizer.winners = folder.store
    let result = try optimizer.run()
    let listed = result.module.text.split(separator: "\n").filter { $0.contains("Config(") }
    let index = try #require(listed.firstIndex { $0.contains("num_warps=8") })
    #expect(result.module.text.contains("    (1000,): \(index),\n"))
    #expect(!result.module.text.contains("(2000,)"))
    #expect(result.module.text.contains("(measured and predicted for RTX 4090)"))
  }

  @Test func onePerShapeNeedsAStageThatAllowsIt() throws {
    let module = Subjects.autotuned([(4, 3), (8, 3)])
    var (strict, _) = try optimizer(module)
    strict.emission = .perShape
    let refused = try strict.run()
    let reasons = refused.trials.compactMap { trial in
      if case .refused(let reason) = trial.outcome { reason } else { nil }
    }
    #expect(reasons.contains { $0.id == "emission-forbidden" })
    #expect(reasons.contains { $0.message.contains("the stage forbids --emit per-shape here") })
    var (free, _) = try optimizer(module) {
      $0.configCount = nil
      $0.includesOriginal = false
    }
    free.emission = .perShape
    let result = try free.run()
    #expect(result.run?.launches.first?.configs.count == 1)
  }

  @Test func dates() {
    #expect(WinnerDate.text(0) == "1970-01-01T00:00:00Z")
    #expect(WinnerDate.text(951_827_696) == "2000-02-29T12:34:56Z")
    #expect(WinnerDate.text(1_795_305_599) == "2026-11-21T23:59:59Z")
    #expect(WinnerDate.text(-5) == "1970-01-01T00:00:00Z")
    #expect(WinnerDate.text(.infinity) == "9999-12-31T23:59:59Z")
  }
}
