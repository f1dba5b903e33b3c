import Analysis
import Diagnostics
import Synchronization

/// What is known of a text before any backend sees it: rules, form, tile machine.
public struct Screening: Sendable {
  public var rules: Diagnostic?
  /// nil where the tile machine found nothing wrong or could not run the module.
  public var tileMachine: Diagnostic?
  /// Whether the tile machine ran it.
  public var isRun: Bool

  public init(rules: Diagnostic? = nil, tileMachine: Diagnostic? = nil, isRun: Bool = false) {
    self.rules = rules
    self.tileMachine = tileMachine
    self.isRun = isRun
  }
}

/// One thing to try.
public struct TrialPlan: Sendable {
  public var candidate: Candidate
  public var phase: TrialPhase
  public var depth: CheckDepth
  public var effort: TimingEffort

  public init(
    _ candidate: Candidate, _ phase: TrialPhase, depth: CheckDepth = .quick,
    effort: TimingEffort = .quick
  ) {
    self.candidate = candidate
    self.phase = phase
    self.depth = depth
    self.effort = effort
  }

  /// The same text tried for the same purpose with the same care is the same trial.
  public var key: String {
    ContentHash(
      of: "\(candidate.hash.hex) \(phase.rawValue) \(depth.rawValue) \(effort.rawValue)"
    ).short
  }
}

/// Takes plans through rules → form → tile machine → compile → check → timing → verdict, one log
/// record each; what the log has already is not run again.
public struct TrialRunner: Sendable {
  public var backend: any TrialBackend
  public var log: TrialLog
  public var rule: VerdictRule
  public var original: Candidate
  /// Looks at a candidate's text. Runs beside the compiler.
  public var screen: @Sendable (TrialPlan) async -> Screening
  /// Told of every trial as it ends.
  public var progress: @Sendable (TrialRecord) -> Void

  public init(
    backend: any TrialBackend, log: TrialLog, rule: VerdictRule, original: Candidate,
    screen: @escaping @Sendable (TrialPlan) async -> Screening = { _ in Screening() },
    progress: @escaping @Sendable (TrialRecord) -> Void = { _ in }
  ) {
    self.backend = backend
    self.log = log
    self.rule = rule
    self.original = original
    self.screen = screen
    self.progress = progress
  }

  /// The records of all plans, in their order. Trials spread over the backend's lanes; each lane
  /// has one at a time. What a lane was at when it was lost is begun again on another. Cancelled, it
  /// throws after the trials under way were left without a record.
  ///
  /// - Throws: where the log cannot be written, nothing can be run at all, or all lanes are lost.
  public func run(_ plans: [TrialPlan]) async throws -> [TrialRecord] {
    var records: [Int: TrialRecord] = [:]
    var rest = Array(plans.indices)
    var loss: StepFailure?
    var passes = 0
    while !rest.isEmpty {
      let lanes = (0..<max(1, backend.lanes)).filter { !backend.isLost(lane: $0) }
      // Each pass but the last loses a lane.
      passes += 1
      guard !lanes.isEmpty, passes <= max(1, backend.lanes) else {
        throw loss ?? StepFailure(.device, "no device is left")
      }
      // Each lane has one to begin with, however slowly it starts.
      let firsts = Array(zip(lanes, rest))
      let queue = Queue(rest.dropFirst(firsts.count))
      rest = []
      let made = try await run(plans, firsts, then: queue)
      for part in made {
        records.merge(part.records) { first, _ in first }
        if let lost = part.lost { rest.append(lost) }
        loss = part.loss ?? loss
      }
      rest += queue.left
      rest.sort()
    }
    return plans.indices.compactMap { records[$0] }
  }

  /// What one lane did until nothing was left, or until it was lost.
  private struct LanePart: Sendable {
    var records: [Int: TrialRecord] = [:]
    /// The plan that it was at.
    var lost: Int?
    var loss: StepFailure?
  }

  private func run(
    _ plans: [TrialPlan], _ firsts: [(lane: Int, index: Int)], then queue: Queue
  ) async throws -> [LanePart] {
    try await withThrowingTaskGroup(of: LanePart.self) { group in
      for (lane, first) in firsts {
        group.addTask {
          var part = LanePart()
          var next: Int? = first
          while let index = next {
            try Task.checkCancellation()
            do {
              part.records[index] = try await run(plans[index], lane: lane)
            } catch let failure as StepFailure where failure.kind == .device {
              part.lost = index
              part.loss = failure
              break
            }
            next = queue.take()
          }
          return part
        }
      }
      var parts: [LanePart] = []
      for try await part in group { parts.append(part) }
      return parts
    }
  }

  /// One trial, from the log or from the backend.
  public func run(_ plan: TrialPlan, lane: Int) async throws -> TrialRecord {
    if let known = log.record(for: plan.key) { return known }
    let candidate = plan.candidate
    let interruptions = log.interruptions(of: plan.key)
    if interruptions >= log.attempts {
      let record = TrialRecord(
        end: plan.key, attempt: interruptions, phase: plan.phase, candidate: candidate,
        verdict: .interrupted, reason: "began \(interruptions) times and never came to an end")
      try log.end(record)
      progress(record)
      return record
    }
    let attempt = try log.begin(plan.key, what: candidate.label)
    var gathered = Gathering(
      identity: backend.identity, candidate: candidate, attempt: attempt)
    try await gather(plan, lane: lane, into: &gathered)
    let (verdict, reason) = rule.judge(hash: candidate.hash.hex, gathered.evidence)
    let record = TrialRecord(
      end: plan.key, attempt: attempt, phase: plan.phase, candidate: candidate, verdict: verdict,
      reason: reason, evidence: gathered.evidence, seconds: gathered.seconds)
    try log.end(record)
    progress(record)
    return record
  }

  /// The steps in their order; the first that fails is the last that is made.
  private func gather(_ plan: TrialPlan, lane: Int, into gathered: inout Gathering) async throws {
    let candidate = plan.candidate
    async let screening = screen(plan)
    let compiled = await backend.compile(candidate, lane: lane)
    let seen = await screening
    try Task.checkCancellation()
    gathered.add(seen)
    guard gathered.isSound else { return }
    try gathered.add(compiled, .compile) { $0.compiled = $1 }
    guard gathered.isSound else { return }
    let checked = await backend.check(candidate, depth: plan.depth, lane: lane)
    try Task.checkCancellation()
    try gathered.add(checked, .check) { $0.checked = $1 }
    guard gathered.isSound else { return }
    let timed = await backend.time(
      candidate, against: original, effort: plan.effort, lane: lane)
    try Task.checkCancellation()
    try gathered.add(timed, .timing) { $0.timed = $1 }
  }
}

/// Evidence on its way into a record.
private struct Gathering {
  var identity: BackendIdentity
  var candidate: Candidate
  var attempt: Int
  var evidence: [Evidence] = []
  var seconds = 0.0

  var isSound: Bool {
    evidence.allSatisfy { $0.passed && $0.hash == candidate.hash.hex }
  }

  private func entry(
    _ kind: Evidence.Kind, level: EvidenceLevel, device: String, hash: String, passed: Bool
  ) -> Evidence {
    let id = ContentHash(of: "\(hash) \(kind.rawValue) \(device) \(attempt) \(evidence.count)")
    return Evidence(
      id: id.short, kind: kind, level: level, device: device, hash: hash, passed: passed)
  }

  mutating func add(_ screening: Screening) {
    let hash = candidate.hash.hex
    var rules = entry(
      .rules, level: .predicted, device: "text", hash: hash, passed: screening.rules == nil)
    rules.detail = screening.rules?.message
    evidence.append(rules)
    guard screening.isRun || screening.tileMachine != nil else { return }
    var machine = entry(
      .tileMachine, level: .predicted, device: "tile machine", hash: hash,
      passed: screening.tileMachine == nil)
    machine.detail = screening.tileMachine?.message
    evidence.append(machine)
  }

  /// - Throws: a failure that no other candidate would escape.
  mutating func add<Figures>(
    _ answer: StepAnswer<Figures>, _ kind: Evidence.Kind,
    _ store: (inout Evidence, Figures) -> Void
  ) throws {
    seconds += answer.seconds.isFinite ? max(0, answer.seconds) : 0
    var entry = entry(
      kind, level: kind == .compile ? .compiled : identity.level, device: identity.device,
      hash: answer.hash, passed: true)
    entry.seconds = answer.seconds
    switch answer.outcome {
    case .success(let figures): store(&entry, figures)
    case .failure(let failure):
      if failure.kind == .environment || failure.kind == .device { throw failure }
      entry.passed = false
      entry.detail = "\(failure.kind.rawValue): \(failure.message)"
    }
    evidence.append(entry)
  }
}

/// Hands out numbers in their order to several tasks.
private final class Queue: Sendable {
  private let numbers: Mutex<ArraySlice<Int>>

  init(_ numbers: ArraySlice<Int>) { self.numbers = Mutex(numbers) }

  func take() -> Int? { numbers.withLock { $0.popFirst() } }

  /// What nobody took.
  var left: [Int] { numbers.withLock { Array($0) } }
}
