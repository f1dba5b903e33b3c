// A run of trials that a test kills at any moment: a log, a runner, and a device that only waits.
//
// usage: hone-trials LOG COUNT MICROSECONDS
import Analysis
import Diagnostics
import Foundation
import Tuning

/// Passes everything; a trial's figures follow from its text alone.
struct WaitingDevice: TrialBackend {
  var wait: Duration
  var identity: BackendIdentity {
    BackendIdentity(name: "gpu", level: .measured, device: "a device that waits")
  }
  var lanes: Int { 2 }

  func compile(_ candidate: Candidate, lane: Int) async -> StepAnswer<CompileFigures> {
    StepAnswer(.success(CompileFigures()), hash: candidate.hash.hex, seconds: 0.001)
  }

  func check(_ candidate: Candidate, depth: CheckDepth, lane: Int) async
    -> StepAnswer<CheckFigures>
  {
    try? await Task.sleep(for: wait)
    return StepAnswer(.success(CheckFigures(runs: 1)), hash: candidate.hash.hex, seconds: 0.001)
  }

  func time(_ candidate: Candidate, against original: Candidate, effort: TimingEffort, lane: Int)
    async -> StepAnswer<TimingFigures>
  {
    try? await Task.sleep(for: wait)
    let ratio =
      0.5 + Double(candidate.hash.hex.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) % 1000 }) / 1000
    let figures = TimingFigures(
      originalMicroseconds: 100, microseconds: 100 / ratio, ratio: ratio, lower: ratio * 0.99,
      upper: ratio * 1.01)
    return StepAnswer(.success(figures), hash: candidate.hash.hex, seconds: 0.001)
  }
}

let arguments = CommandLine.arguments
guard arguments.count == 4, let count = Int(arguments[2]), let wait = Int(arguments[3]) else {
  FileHandle.standardError.write(Data("usage: hone-trials LOG COUNT MICROSECONDS\n".utf8))
  exit(2)
}
let device = WaitingDevice(wait: .microseconds(wait))
let header = TrialHeader(
  tool: "test", request: "request", policy: "policy", target: "target", backend: device.identity,
  seed: 0)
do {
  let log = try TrialLog(path: arguments[1], header: header, attempts: 1_000_000)
  let original = Candidate(label: "original", text: SourceText(name: "o", text: "original"))
  let runner = TrialRunner(
    backend: device, log: log, rule: VerdictRule(threshold: 1.02), original: original)
  let plans = (0..<count).map { index in
    TrialPlan(
      Candidate(label: "trial \(index)", text: SourceText(name: "t", text: "text \(index)")), .body)
  }
  _ = try await runner.run(plans)
  print("done")
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(2)
}
