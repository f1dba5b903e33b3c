import Analysis
import Diagnostics
import Testing

@testable import Tuning

/// The revert rule on intervals, and what counts as proof.
@Suite struct VerdictTests {
  private let rule = VerdictRule(threshold: 1.02)

  private func timing(_ lower: Double, _ ratio: Double, _ upper: Double, unstable: Bool = false)
    -> TimingFigures
  {
    TimingFigures(
      originalMicroseconds: 100, microseconds: 100 / ratio, ratio: ratio, lower: lower,
      upper: upper, isUnstable: unstable)
  }

  /// The interval's lower end decides, not the ratio.
  @Test(arguments: [
    (1.021, 1.03, 1.04, TrialVerdict.accepted), (1.02, 1.05, 1.08, .reverted),
    (1.019, 1.06, 1.07, .reverted), (0.9, 0.91, 0.92, .reverted), (1.5, 1.6, 1.65, .accepted),
  ])
  func theLowerEndDecides(_ lower: Double, _ ratio: Double, _ upper: Double, _ wanted: TrialVerdict)
  {
    #expect(rule.judge(timing(lower, ratio, upper)).verdict == wanted)
  }

  @Test func unstableIsReverted() {
    let jumping = rule.judge(timing(1.4, 1.5, 1.6, unstable: true))
    #expect(jumping.verdict == .reverted && jumping.reason?.hasPrefix("unstable") == true)
    let wide = rule.judge(timing(1.3, 1.5, 1.7))
    #expect(wide.verdict == .reverted && wide.reason?.hasPrefix("unstable") == true)
    var lenient = rule
    lenient.revertsIfUnstable = false
    #expect(lenient.judge(timing(1.3, 1.5, 1.7)).verdict == .accepted)
  }

  /// A faster kernel in a slower call is no gain.
  @Test func aSlowerCallIsReverted() {
    var times = timing(1.2, 1.25, 1.28)
    times.forwardUpper = 1.01
    #expect(rule.judge(times).verdict == .accepted)
    times.forwardUpper = 0.97
    #expect(rule.judge(times).verdict == .reverted)
  }

  @Test func thatAreNoTimesProveNothing() {
    #expect(rule.judge(timing(.nan, 1.5, 1.6)).verdict == .refused)
    #expect(rule.judge(timing(1.4, .infinity, 1.6)).verdict == .refused)
    #expect(rule.judge(timing(1.7, 1.6, 1.5)).verdict == .refused)
    #expect(rule.judge(timing(0, 0, 0)).verdict == .refused)
  }

  @Test func missingEvidenceIsNotProven() {
    let check = evidence(.check)
    var time = evidence(.timing)
    time.timed = timing(1.47, 1.5, 1.53)
    #expect(rule.judge(hash: "h", [check, time]).verdict == .accepted)
    for part in [[], [check], [time]] {
      let judged = rule.judge(hash: "h", part)
      #expect(judged.verdict == .refused)
      #expect(judged.reason?.hasPrefix("not proven") == true)
    }
  }

  @Test func evidenceOfAnotherTextProvesNothing() {
    let check = evidence(.check)
    var time = evidence(.timing, hash: "other")
    time.timed = timing(1.47, 1.5, 1.53)
    let judged = rule.judge(hash: "h", [check, time])
    #expect(judged.verdict == .refused && judged.reason?.contains("another text") == true)
  }

  private func evidence(_ kind: Evidence.Kind, hash: String = "h") -> Evidence {
    Evidence(
      id: "e", kind: kind, level: .measured, device: "d", hash: hash, passed: true)
  }

  // MARK: In the runner

  private func verdict(_ fault: SimulatedDevice.Fault?, cost: Double = 50) async throws -> (
    TrialRecord, [String]
  ) {
    let device = SimulatedDevice(
      fault: { $0 == "original" ? nil : fault }, cost: { $0 == "original" ? 100 : cost })
    let runner = TrialSubjects.runner(device, TrialLog(header: TrialSubjects.header()))
    let records = try await runner.run(TrialSubjects.plans(["candidate"]))
    return (try #require(records.first), device.calls)
  }

  @Test func aFasterTextIsAccepted() async throws {
    let (record, calls) = try await verdict(nil)
    #expect(record.verdict == .accepted && record.ratio == 2)
    #expect(record.evidence.map(\.kind) == [.rules, .compile, .check, .timing])
    #expect(Set(record.evidence.map(\.id)).count == 4)
    #expect(calls.map { $0.prefix(5) } == ["check", "time "])
  }

  /// What is wrong is never timed.
  @Test func aWrongTextIsNeverTimed() async throws {
    let (record, calls) = try await verdict(.wrong)
    #expect(record.verdict == .refused && record.ratio == nil)
    #expect(record.reason == "wrong: relative error 0.7")
    #expect(!calls.contains { $0.hasPrefix("time") })
  }

  @Test func aTextOfAnotherHashIsRefused() async throws {
    let (record, calls) = try await verdict(.anotherText)
    #expect(record.verdict == .refused && record.reason?.contains("another text") == true)
    #expect(!calls.contains { $0.hasPrefix("time") })
  }

  @Test func aCrashCostsOneTrial() async throws {
    let (record, _) = try await verdict(.dies)
    #expect(record.verdict == .refused && record.reason == "crashed: the worker died")
  }

  @Test func aLostDeviceEndsTheRun() async throws {
    await #expect(throws: StepFailure.self) { _ = try await verdict(.gone) }
  }

  @Test func brokenRulesAreNeverCompiled() async throws {
    let device = SimulatedDevice { _ in 1 }
    var runner = TrialSubjects.runner(device, TrialLog(header: TrialSubjects.header()))
    runner.screen = { _ in Screening(rules: Diagnostic(id: "grid-changed", "the grid differs")) }
    let record = try #require(try await runner.run(TrialSubjects.plans(["a"])).first)
    #expect(record.verdict == .refused && record.reason == "the grid differs")
    #expect(device.calls.isEmpty)
  }

  /// Many trials on several devices: each once, no device with two at a time.
  @Test func lanesAreNotShared() async throws {
    let device = SimulatedDevice(lanes: 3) { _ in 1 }
    let runner = TrialSubjects.runner(device, TrialLog(header: TrialSubjects.header()))
    let texts = (0..<40).map { "text \($0)" }
    let records = try await runner.run(TrialSubjects.plans(texts))
    #expect(records.map(\.label) == texts)
    #expect(!device.calls.contains { $0.hasPrefix("shared") })
    #expect(device.calls.count { $0.hasPrefix("time") } == 40)
  }
}
