import Diagnostics
import Foundation

/// One GPU with one problem and its original loaded: candidates are checked and timed against it.
///
/// ```
/// let session = GPUSession(worker: worker, problem: problem, original: original)
/// let check = try await session.check(candidate)
/// guard check.verdict == .passed else { return }
/// let report = try await session.time([candidate])
/// ```
/// A worker that dies takes only the call with it: the next call opens the problem again. Nothing is
/// timed that did not pass its check in this session. Faults of the candidate are findings in what
/// is returned; a `WorkerFailure` is thrown for faults of the environment and of the original.
public actor GPUSession {
  /// What opening found out.
  public struct Opening: Sendable, Hashable, Codable {
    /// As the driver calls it.
    public var gpu: String
    public var capability: String?
    public var torch: String
    public var triton: String?
    /// Bytes of `forward`'s tensors.
    public var inputBytes: Int?
    /// `fp64` where `Model` judges, else `original`.
    public var judge: String
    /// Why not fp64, and settings that the original does not bear.
    public var notes: [String]
    public var originalSHA256: String
  }

  public let problem: GPUProblem
  public let original: GPUModule
  public var accuracy: GPUAccuracy
  private let worker: Worker
  private var opening: Opening?
  private var generation = -1
  private var settings: [CheckSetting] = []
  private var originalIntegrity = GPUReplies.Integrity.clean
  /// What the process has loaded, by name, and what passed.
  private var loaded: [String: GPUReplies.Loaded] = [:]
  private var passed: [ContentHash: GPUCheck] = [:]
  private let progress: (@Sendable (String) -> Void)?
  /// Held, beside other checks, while the original is run to open the session.
  private let device: DeviceLock?

  /// - Parameters:
  ///   - worker: one for this session alone, `CUDA_VISIBLE_DEVICES` naming its GPU.
  ///   - progress: told what the worker is doing.
  public init(
    worker: Worker, problem: GPUProblem, original: GPUModule,
    accuracy: GPUAccuracy = GPUAccuracy(), device: DeviceLock? = nil,
    progress: (@Sendable (String) -> Void)? = nil
  ) {
    self.worker = worker
    self.problem = problem
    self.original = GPUModule(name: "original", text: original.text)
    self.accuracy = accuracy
    self.progress = progress
    self.device = device
  }

  // MARK: Opening

  /// Loads the problem and the original and runs the original at every setting of the full check.
  /// Called by the other methods where needed.
  ///
  /// - Throws: `WorkerFailure`; the original is at fault where its message begins with `original:`.
  @discardableResult
  public func open() async throws(WorkerFailure) -> Opening {
    if let opening, await worker.generation == generation { return opening }
    loaded = [:]
    // A setting that kills the original (sizes it reads out of bounds at) is left out the next time.
    for _ in 0..<4 {
      do {
        return try await openOnce()
      } catch {
        guard !error.leavesWorkerAlive, let label = running, label != settings.first?.label,
          error.kind != .notStarted, error.kind != .cancelled
        else { throw error }
        unusable[label] = "the original fails: \(error.message.prefix(160))"
      }
    }
    return try await openOnce()
  }

  /// What the worker last said it was at, of the call before.
  private var running: String?
  /// Settings that the original does not survive, with the reason.
  private var unusable: [String: String] = [:]

  private func openOnce() async throws(WorkerFailure) -> Opening {
    let opened = try await call(
      "gpu.open",
      OpenRequest(
        device: problem.device, problem: problem.text,
        inputs: problem.inputs.isEmpty ? nil : problem.inputs),
      deadline: .seconds(180), as: GPUReplies.Opened.self)
    generation = await worker.generation
    let load = try await self.load(original)
    originalIntegrity = load.integrity
    // All configs side by side; else each would wait for the one before it.
    do {
      _ = try await warm(loaded: original.name)
    } catch {
      guard error.leavesWorkerAlive else { throw error }
    }
    let inputs = opened.inputs ?? load.inputs
    let all = CheckSetting.full(leadingSize: inputs?.leadingSize)
    if settings.isEmpty { settings = all }
    let wanted = all.filter { unusable[$0.label] == nil }
    do {
      try await device?.acquire(alone: false)
    } catch {
      throw WorkerFailure(
        .cancelled, operation: "gpu.prepare", "cancelled while it waited for the GPU")
    }
    defer { device?.release() }
    let prepared = try await call(
      "gpu.prepare", PrepareRequest(original: original.name, settings: wanted),
      deadline: .seconds(600), as: GPUReplies.Prepared.self)
    originalIntegrity = Self.joined(originalIntegrity, prepared.integrity)
    var notes = unusable.map { "\($0.key): left out: \($0.value)" }.sorted()
    let usable = Set(prepared.rows.filter { $0.unusable == nil }.map(\.label))
    for row in prepared.rows {
      if let reason = row.unusable { notes.append("\(row.label): left out: \(reason)") }
    }
    settings = wanted.filter { usable.contains($0.label) }
    guard !settings.isEmpty else {
      throw WorkerFailure(
        .python, operation: "gpu.prepare",
        "original: runs at no setting: \(notes.first ?? "none was tried")")
    }
    let judge = prepared.rows.contains { $0.judge == "fp64" } ? "fp64" : "original"
    if judge != "fp64", let reason = prepared.rows.first?.judge {
      notes.append("no judge in fp64, the original is the judge: \(reason)")
    }
    let opening = Opening(
      gpu: opened.device.name, capability: opened.device.capability, torch: opened.torch,
      triton: opened.triton, inputBytes: inputs?.bytes, judge: judge, notes: notes,
      originalSHA256: load.sha256)
    self.opening = opening
    return opening
  }

  // MARK: Check

  /// Runs a candidate and says whether it may replace the original. Safe while other processes use
  /// the GPU.
  ///
  /// - Parameters:
  ///   - glance: the first setting only, for another config of what was checked already.
  ///   - quick: other numbers, another magnitude and numbers put in place only; no single configs.
  ///   - seconds: after these no further setting is begun.
  public func check(
    _ candidate: GPUModule, quick: Bool = false, glance: Bool = false,
    seconds: Double = 60
  ) async throws(WorkerFailure) -> GPUCheck {
    let start = ContinuousClock.now
    _ = try await open()
    let expected = candidate.hash
    let load: GPUReplies.Loaded
    do {
      load = try await self.load(candidate)
    } catch {
      return try Self.fault(error, of: candidate, hash: expected)
    }
    let labels = Set(settings.map(\.label))
    var plan =
      quick ? CheckSetting.quick.filter { labels.contains($0.label) } : settings
    if glance { plan = Array(plan.prefix(1)) }
    if !quick && !glance {
      plan += CheckSetting.configs(load.configs.map(\.configs.count).max() ?? 0)
    }
    var check: GPUCheck
    do {
      let reply = try await call(
        "gpu.check",
        CheckRequest(
          candidate: candidate.name, original: original.name, settings: plan, seconds: seconds),
        // A setting once begun may compile and tune: that is what the rest is for.
        deadline: .seconds(seconds + 120), as: GPUReplies.Checked.self)
      let judge = CheckJudge(accuracy: accuracy, originalIntegrity: originalIntegrity)
      check = judge.judge(reply, settings: plan, loaded: load, expectedHash: expected.hex)
    } catch {
      return try Self.fault(error, of: candidate, hash: expected, at: running)
    }
    check.seconds = Self.seconds(since: start)
    if check.verdict == .passed {
      passed[expected] = check
    } else {
      passed[expected] = nil
      await forget(candidate, check)
    }
    return check
  }

  /// A candidate that changed the process must not be there for the next.
  private func forget(_ candidate: GPUModule, _ check: GPUCheck) async {
    let lasting: Set<Rejection> = [
      .patchesFunctions, .startsThreads, .persistingL2, .changesSettings, .lied,
    ]
    if check.findings.contains(where: { lasting.contains($0.reason) }) {
      await close()
    } else {
      await unload(candidate.name)
    }
  }

  /// What a failed call says about the candidate.
  /// - Throws: the failure itself where the candidate has no part in it.
  private static func fault(
    _ failure: WorkerFailure, of candidate: GPUModule, hash: ContentHash, at setting: String? = nil
  ) throws(WorkerFailure) -> GPUCheck {
    switch failure.kind {
    case .notStarted, .cancelled, .protocol, .refused: throw failure
    default: break
    }
    if failure.message.hasPrefix("original:") { throw failure }
    let reason =
      failure.message.hasPrefix("wrong-file:")
      ? Rejection.wrongFile : CheckJudge.reason(failure.kind.rawValue)
    return .failed(
      GPUFinding(reason, String(failure.message.prefix(300)), setting: setting), sha256: hash.hex)
  }

  // MARK: Time

  /// Times candidates against the original, all in one run. Autotuners choose anew inside.
  ///
  /// Hold the GPU for this process alone meanwhile. Each candidate must have passed `check`; others
  /// are listed as failures and not run.
  public func time(
    _ candidates: [GPUModule], options: TimingOptions = TimingOptions()
  ) async throws(WorkerFailure) -> TimingReport {
    let opening = try await open()
    var notChecked: [String: GPUFinding] = [:]
    var names: [String] = []
    var judge = TimingJudge(options: options, originalIntegrity: originalIntegrity)
    judge.hashes[original.name] = original.hash.hex
    for candidate in candidates {
      guard let check = passed[candidate.hash] else {
        notChecked[candidate.name] = GPUFinding(.wrongResult, "not timed: it passed no check")
        continue
      }
      do {
        _ = try await load(candidate)
      } catch {
        let failed = try Self.fault(error, of: candidate, hash: candidate.hash)
        notChecked[candidate.name] = failed.findings[0]
        continue
      }
      judge.checks[candidate.name] = check
      judge.hashes[candidate.name] = candidate.hash.hex
      names.append(candidate.name)
    }
    // Whatever else is loaded would only take memory.
    for name in loaded.keys.sorted() where name != original.name && !names.contains(name) {
      await unload(name)
    }
    let peerTime = Double(options.peers.count) * options.peerSeconds
    let reply = try await call(
      "gpu.time",
      TimeRequest(
        original: original.name, candidates: names, seconds: options.seconds,
        fewestRounds: options.fewestRounds, mostRounds: options.mostRounds, peers: options.peers,
        peerSeconds: options.peerSeconds, graph: options.graph, kernels: options.trace),
      deadline: .seconds(3 * options.seconds + peerTime + 240), as: GPUReplies.Timed.self)
    var cross: [String: TimingJudge.CrossCheck] = [:]
    if options.crossCheck {
      for subject in reply.subjects where names.contains(subject.name) {
        for _ in 0..<Self.crossChecks {
          let check = try await crossCheck(subject)
          cross[subject.name] = check
          if !check.isAmiss { break }
        }
      }
    }
    var report = try judge.judge(
      reply, gpu: opening.gpu, original: original.name, candidates: names, cross: cross)
    report.failures.merge(notChecked) { first, _ in first }
    return report
  }

  /// How often the clocks are compared before they are said to disagree.
  private static let crossChecks = 4

  /// About 50 ms of calls in a row, with Hone's clock beside the worker's.
  private func crossCheck(
    _ subject: GPUReplies.Subject
  ) async throws(WorkerFailure) -> TimingJudge.CrossCheck {
    let each = max(0.01, TimeSummary(subject.wallMilliseconds)?.median ?? 1)
    let calls = max(5, min(2000, Int((50 / each).rounded())))
    let start = StartTime()
    let reply = try await call(
      "gpu.span", SpanRequest(name: subject.name, calls: calls), deadline: .seconds(120),
      as: GPUReplies.Span.self, onProgress: { start.set() })
    return TimingJudge.CrossCheck(
      outsideSeconds: start.elapsed, claimedSeconds: reply.claimedSeconds, calls: calls)
  }

  /// Ends the worker; the session opens again when it is used.
  public func close() async {
    forgetProcess()
    await worker.stop()
  }

  // MARK: The worker

  func load(_ module: GPUModule) async throws(WorkerFailure) -> GPUReplies.Loaded {
    let hash = module.hash.hex
    if let known = loaded[module.name], known.sha256 == hash { return known }
    let reply = try await call(
      "gpu.load", LoadRequest(name: module.name, text: module.text, entry: problem.entry),
      deadline: .seconds(180), as: GPUReplies.Loaded.self)
    guard reply.sha256 == hash else {
      throw WorkerFailure(
        .lied, operation: "gpu.load",
        "wrong-file: sent \(hash.prefix(12)), imported \(reply.sha256.prefix(12))")
    }
    loaded[module.name] = reply
    return reply
  }

  private func unload(_ name: String) async {
    loaded[name] = nil
    // A process that fails here is ended, and what it had loaded is gone as well.
    _ = try? await call(
      "gpu.unload", UnloadRequest(name: name), deadline: .seconds(30), as: Nothing.self)
  }

  func call<Request: Encodable & Sendable, Reply: Decodable & Sendable>(
    _ operation: String, _ request: Request, deadline: Duration, as type: Reply.Type,
    onProgress: (@Sendable () -> Void)? = nil
  ) async throws(WorkerFailure) -> Reply {
    let tell = progress
    let last = LastLabel()
    running = nil
    defer { running = last.label }
    do {
      return try await worker.call(
        operation, request, deadline: deadline, as: type,
        progress: { data in
          onProgress?()
          // Progress is for show: what is not understood is not shown.
          guard let step = try? JSONDecoder().decode(Step.self, from: data) else { return }
          last.set(step.progress.label)
          tell?("\(step.progress.stage): \(step.progress.label)")
        })
    } catch {
      if !error.leavesWorkerAlive { forgetProcess() }
      throw error
    }
  }

  /// The process is gone, and what it had loaded.
  private func forgetProcess() {
    generation = -1
    loaded = [:]
  }

  private static func joined(
    _ first: GPUReplies.Integrity, _ second: GPUReplies.Integrity
  ) -> GPUReplies.Integrity {
    GPUReplies.Integrity(
      patched: first.patched + second.patched, settings: first.settings + second.settings,
      rewritten: first.rewritten + second.rewritten, threads: max(first.threads, second.threads),
      persistingL2Bytes: max(first.persistingL2Bytes, second.persistingL2Bytes))
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + 1e-18 * Double(duration.components.attoseconds)
  }
}
