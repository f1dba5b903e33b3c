import Analysis
import Diagnostics
import Foundation
import Synchronization
import Tuning

/// A GPU whose times a test sets: a cost per text, noise that follows from a seed, and faults.
final class SimulatedDevice: TrialBackend {
  enum Fault: Sendable {
    /// The device ran another text than it was given.
    case anotherText
    /// Its times jump.
    case unstable
    /// Its results are wrong.
    case wrong
    /// It dies, once per text, before it answers.
    case dies
    /// It is gone for good.
    case gone
  }

  let identity: BackendIdentity
  let lanes: Int
  let cost: @Sendable (String) -> Double
  /// Half the width of the interval, as a share; also how far a ratio may be off.
  let noise: Double
  let fault: @Sendable (String) -> Fault?
  private let asked = Mutex<[String]>([])
  private let timing = Mutex<Set<Int>>([])

  init(
    device: String = "simulated", lanes: Int = 1, noise: Double = 0,
    fault: @escaping @Sendable (String) -> Fault? = { _ in nil },
    cost: @escaping @Sendable (String) -> Double
  ) {
    identity = BackendIdentity(name: "gpu", level: .measured, device: device)
    self.lanes = lanes
    self.noise = noise
    self.cost = cost
    self.fault = fault
  }

  /// "check HASH", "time HASH", in the order asked.
  var calls: [String] { asked.withLock { $0 } }

  private func note(_ call: String) { asked.withLock { $0.append(call) } }

  private func hash(_ candidate: Candidate) -> String {
    if case .anotherText? = fault(candidate.text.text) {
      return ContentHash(of: candidate.text.text + "#").hex
    }
    return candidate.hash.hex
  }

  func compile(_ candidate: Candidate, lane: Int) async -> StepAnswer<CompileFigures> {
    if case .gone? = fault(candidate.text.text) {
      return StepAnswer(
        .failure(StepFailure(.environment, "the device is gone")), hash: "", seconds: 0)
    }
    return StepAnswer(.success(CompileFigures()), hash: candidate.hash.hex, seconds: 0.5)
  }

  func check(_ candidate: Candidate, depth: CheckDepth, lane: Int) async
    -> StepAnswer<CheckFigures>
  {
    note("check \(candidate.hash.short)")
    switch fault(candidate.text.text) {
    case .wrong?:
      return StepAnswer(
        .failure(StepFailure(.wrong, "relative error 0.7")), hash: hash(candidate), seconds: 0.1)
    case .dies?:
      return StepAnswer(
        .failure(StepFailure(.crashed, "the worker died")), hash: hash(candidate), seconds: 0.1)
    default:
      return StepAnswer(
        .success(CheckFigures(runs: 3, worstError: 1e-7, reference: "fp64")),
        hash: hash(candidate), seconds: 0.1)
    }
  }

  func time(_ candidate: Candidate, against original: Candidate, effort: TimingEffort, lane: Int)
    async -> StepAnswer<TimingFigures>
  {
    note("time \(candidate.hash.short)")
    let isShared = timing.withLock { !$0.insert(lane).inserted }
    defer { _ = timing.withLock { $0.remove(lane) } }
    if isShared { note("shared lane \(lane)") }
    let before = cost(original.text.text)
    let after = cost(candidate.text.text)
    // Off by up to `noise` either way; the same text at the same effort always by the same.
    let digits = ContentHash(of: candidate.hash.hex + effort.rawValue).short
    let share = Double(Int(digits.prefix(6), radix: 16) ?? 0) / Double(0xFF_FFFF)
    let ratio = before / after * (1 + noise * (2 * share - 1))
    var figures = TimingFigures(
      originalMicroseconds: before, microseconds: before / ratio, ratio: ratio,
      lower: ratio * (1 - noise), upper: ratio * (1 + noise), samples: 40)
    if case .unstable? = fault(candidate.text.text) { figures.isUnstable = true }
    return StepAnswer(.success(figures), hash: hash(candidate), seconds: 0.2)
  }
}

/// A folder that goes with the test.
final class TrialFolder: Sendable {
  let url: URL
  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hone-trials-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: url) }
  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}

enum TrialSubjects {
  static func header(
    device: String = "simulated", request: String = "r", seed: UInt64 = 0
  ) -> TrialHeader {
    TrialHeader(
      tool: "0.1.0", request: request, policy: "p", target: "RTX 4090",
      backend: BackendIdentity(name: "gpu", level: .measured, device: device), seed: seed)
  }

  static func candidate(_ text: String) -> Candidate {
    Candidate(label: text, text: SourceText(name: "t", text: text))
  }

  static func plans(_ texts: [String]) -> [TrialPlan] {
    texts.map { TrialPlan(candidate($0), .body) }
  }

  static func runner(_ device: SimulatedDevice, _ log: TrialLog) -> TrialRunner {
    TrialRunner(
      backend: device, log: log, rule: VerdictRule(threshold: 1.02),
      original: candidate("original"))
  }
}
