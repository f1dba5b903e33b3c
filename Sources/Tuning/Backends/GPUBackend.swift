import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import Requests
import Synchronization
import TileIR
import Toolchain

/// Trials on real GPUs: one session, one worker and one lane per GPU, each GPU held for this process
/// while it times.
public final class GPUBackend: TrialBackend {
  public let identity: BackendIdentity
  private let sessions: [GPUSession]
  private let devices: [DeviceLock?]
  /// What each lane's GPU is called in messages.
  private let names: [String]
  private let lost = Mutex<Set<Int>>([])
  private let floors: Floors
  private let note: @Sendable (String) -> Void

  public var lanes: Int { sessions.count }
  public func isLost(lane: Int) -> Bool { lost.withLock { $0.contains(lane) } }

  /// - Parameters:
  ///   - report: what the worker's Python has, GPUs included.
  ///   - gpus: indices of the GPUs to use; nil takes the first.
  ///   - environment: the variables of the process.
  ///   - note: told what the user should know while trials run: a GPU that is lost.
  /// - Throws: a `Diagnostic` where an index names no GPU, the request gives no inputs to measure
  ///   with, or the named GPUs are of several kinds.
  public init(
    request: Request, python: PythonEnvironment, report: PythonReport, scratch: ScratchFolder,
    environment: [String: String], gpus: [Int]? = nil,
    note: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(Diagnostic) {
    let known = KnownProblem.find(for: request)
    let problem = try Self.problem(of: request, known)
    var found: [PythonReport.Device] = []
    for index in gpus ?? [report.gpus.first?.index ?? 0] { found.append(try report.gpu(index)) }
    guard Set(found.map(\.name)).count == 1, let first = found.first else {
      throw Diagnostic(
        id: "mixed-gpus", "trials on GPUs of several kinds cannot be compared",
        nextStep: "name GPUs of one kind with --gpus")
    }
    identity = BackendIdentity(
      name: "gpu", level: .measured, device: first.name, python: report.python,
      triton: report.packages["triton"]?.version, torch: report.packages["torch"]?.version)
    let original = GPUModule(name: "original", text: request.module.text)
    let devices = found.map { DeviceLock($0) }
    sessions = zip(found, devices).map { device, lock in
      let worker = Worker(
        python: python, scratch: scratch,
        environment: environment.merging(device.variables) { $1 })
      return GPUSession(worker: worker, problem: problem, original: original, device: lock)
    }
    self.devices = devices
    self.note = note
    names = found.map { "GPU \($0.index)" }
    floors = Floors(known, original: request.tree, device: first.name)
  }

  /// Loads torch, the problem and the original on every GPU. What this takes is nobody's trial.
  /// - Returns: what there is to know about how results are judged.
  public func open() async throws(WorkerFailure) -> [String] {
    let results = await withTaskGroup(of: Result<[String], WorkerFailure>.self) { group in
      for (session, name) in zip(sessions, names) {
        group.addTask {
          do throws(WorkerFailure) {
            return .success(try await session.open().notes)
          } catch {
            var failure = error
            failure.operation += " on \(name)"
            return .failure(failure)
          }
        }
      }
      var all: [Result<[String], WorkerFailure>] = []
      for await result in group { all.append(result) }
      return all
    }
    var notes: [String] = []
    for result in results { notes = try result.get() }
    if devices.contains(where: { $0 == nil }) { notes.append(DeviceLock.absence) }
    if let absence = floors.absence { notes.append(absence) }
    return notes
  }

  /// Ends the workers.
  public func close() async {
    for session in sessions { await session.close() }
  }

  // MARK: Steps

  /// Compiles everything that the candidate launches and holds no device meanwhile. What goes wrong
  /// is left for the check to find and to name.
  public func compile(_ candidate: Candidate, lane: Int) async -> StepAnswer<CompileFigures> {
    if let failure = await reopen(lane) {
      return StepAnswer(.failure(failure), hash: candidate.hash.hex, seconds: 0)
    }
    let start = ContinuousClock.now
    do throws(WorkerFailure) {
      try await sessions[lane].warm(Self.module(candidate))
    } catch {
      return StepAnswer(
        .failure(Self.failure(error)), hash: candidate.hash.hex, seconds: Self.seconds(since: start)
      )
    }
    return StepAnswer(
      .success(CompileFigures()), hash: candidate.hash.hex, seconds: Self.seconds(since: start))
  }

  public func check(_ candidate: Candidate, depth: CheckDepth, lane: Int) async
    -> StepAnswer<CheckFigures>
  {
    var answer = await held(lane, alone: false, candidate) {
      await self.examine(candidate, depth, lane)
    }
    // Memory is shared with other runs: what does not fit now may fit in a moment.
    for attempt in 1...Self.memoryAttempts {
      guard case .failure(let failure) = answer.outcome, failure.kind == .memory else { break }
      await sessions[lane].trim(all: true)
      // Cancelled, it ends at once, and so does what follows.
      try? await Task.sleep(for: .seconds(2 * attempt))
      let again = await held(lane, alone: false, candidate) {
        await self.examine(candidate, depth, lane)
      }
      answer = StepAnswer(again.outcome, hash: again.hash, seconds: answer.seconds + again.seconds)
    }
    return answer
  }

  public func time(
    _ candidate: Candidate, against original: Candidate, effort: TimingEffort, lane: Int
  ) async -> StepAnswer<TimingFigures> {
    await held(lane, alone: true, candidate) { await self.measure(candidate, effort, lane) }
  }

  /// Opens the session again where an earlier trial took the worker with it: no part of this trial.
  /// - Returns: why the lane is of no use.
  private func reopen(_ lane: Int) async -> StepFailure? {
    for attempt in 1...Self.memoryAttempts {
      do throws(WorkerFailure) {
        try await sessions[lane].open()
        return nil
      } catch {
        if error.kind == .cancelled { return Self.failure(error) }
        if error.kind == .outOfMemory, attempt < Self.memoryAttempts {
          guard (try? await Task.sleep(for: .seconds(2 * attempt))) != nil else {
            return StepFailure(.environment, "cancelled")
          }
        } else if attempt > 1 {
          lost.withLock { _ = $0.insert(lane) }
          let failure = StepFailure(
            .device, "\(names[lane]) is of no use any more: \(Self.failure(error).message)")
          note(failure.message)
          return failure
        }
      }
    }
    return nil
  }

  /// Waits for the device, which costs the trial nothing.
  private func held<Figures: Sendable>(
    _ lane: Int, alone: Bool, _ candidate: Candidate,
    _ body: @Sendable () async -> StepAnswer<Figures>
  ) async -> StepAnswer<Figures> {
    guard let device = devices[lane] else { return await body() }
    do {
      return try await device.hold(alone: alone, body)
    } catch {
      return StepAnswer(
        .failure(StepFailure(.environment, "cancelled while it waited for the GPU")),
        hash: candidate.hash.hex, seconds: 0)
    }
  }

  private func examine(_ candidate: Candidate, _ depth: CheckDepth, _ lane: Int) async
    -> StepAnswer<CheckFigures>
  {
    let start = ContinuousClock.now
    let limit = depth == .full ? Self.fullCheckSeconds : Self.quickCheckSeconds
    do throws(WorkerFailure) {
      let check = try await sessions[lane].check(
        Self.module(candidate), quick: depth == .quick, glance: depth == .glance, seconds: limit)
      let seconds = Self.seconds(since: start)
      await sessions[lane].trim()
      guard check.verdict == .passed else {
        let reason = check.reason
        if check.verdict == .unproven,
          let note = check.notes.first(where: { $0.contains("out of memory") })
        {
          return StepAnswer(
            .failure(StepFailure(.memory, note)), hash: check.sha256, seconds: seconds)
        }
        let failure =
          reason.map(Self.failure)
          ?? StepFailure(
            .wrong, "nothing was proven: \(check.notes.joined(separator: "; ").prefix(300))")
        return StepAnswer(.failure(failure), hash: check.sha256, seconds: seconds)
      }
      return StepAnswer(
        .success(
          CheckFigures(
            runs: check.rows.count, worstError: check.worstRelativeL2,
            reference: check.rows.first?.judge)), hash: check.sha256, seconds: seconds)
    } catch {
      return StepAnswer(
        .failure(Self.failure(error)), hash: candidate.hash.hex, seconds: Self.seconds(since: start)
      )
    }
  }

  private func measure(_ candidate: Candidate, _ effort: TimingEffort, _ lane: Int) async
    -> StepAnswer<TimingFigures>
  {
    let start = ContinuousClock.now
    let module = Self.module(candidate)
    do throws(WorkerFailure) {
      var options = Self.options(effort)
      floors.add(to: &options, module)
      let report = try await sessions[lane].time([module], options: options)
      await sessions[lane].trim()
      let seconds = Self.seconds(since: start)
      guard let timing = report.candidate(module.name) else {
        let finding = report.failures[module.name]
        return StepAnswer(
          .failure(
            finding.map(Self.failure) ?? StepFailure(.wrong, "no times came back")),
          hash: candidate.hash.hex, seconds: seconds)
      }
      let hash = timing.subject.sha256 ?? ""
      if let finding = timing.findings.first {
        return StepAnswer(
          .failure(StepFailure(.untrusted, Self.failure(finding).message)),
          hash: hash, seconds: seconds)
      }
      return StepAnswer(
        .success(Self.figures(timing, report)), hash: hash, seconds: seconds)
    } catch {
      return StepAnswer(
        .failure(Self.failure(error)), hash: candidate.hash.hex, seconds: Self.seconds(since: start)
      )
    }
  }

  // MARK: Figures

  private static func figures(_ timing: CandidateTiming, _ report: TimingReport) -> TimingFigures {
    var figures = TimingFigures(
      originalMicroseconds: report.original.device.median * 1e3,
      microseconds: timing.subject.device.median * 1e3, ratio: timing.ratio.ratio,
      lower: timing.ratio.low, upper: timing.ratio.high, isUnstable: !timing.isStable,
      samples: timing.subject.device.count)
    figures.forwardRatio = timing.forwardRatio?.ratio
    figures.forwardLower = timing.forwardRatio?.low
    figures.forwardUpper = timing.forwardRatio?.high
    var conditions: [String] = []
    if let clock = report.clocksAfter.smMHz { conditions.append("\(Int(clock)) MHz") }
    if let heat = report.clocksAfter.temperatureC { conditions.append("\(Int(heat)) °C") }
    if let reason = timing.instability { conditions.append(reason) }
    figures.conditions = conditions.isEmpty ? nil : conditions.joined(separator: ", ")
    return figures
  }

  private static func options(_ effort: TimingEffort) -> TimingOptions {
    var options = TimingOptions.quick
    switch effort {
    case .quick:
      options.seconds = 0.2
      options.fewestRounds = 11
      options.mostRounds = 25
    case .normal:
      options.seconds = 0.5
      options.mostRounds = 40
    case .long:
      options.seconds = 1.5
      options.fewestRounds = 21
      options.mostRounds = 100
      options.trace = true
      options.crossCheck = true
    }
    return options
  }

  /// Seconds after which no further setting of a check is begun.
  private static let quickCheckSeconds = 15.0
  private static let fullCheckSeconds = 40.0
  /// How often a check that found no memory is made again.
  private static let memoryAttempts = 4

  /// A text keeps its name through check and timing; a module's name is an identifier.
  private static func module(_ candidate: Candidate) -> GPUModule {
    GPUModule(name: "c_" + candidate.hash.short, text: candidate.text.text)
  }

  private static func kind(_ reason: Rejection?) -> StepFailure.Kind {
    switch reason {
    case .doesNotCompile?: .compile
    case .outOfResources?: .resources
    case .outOfMemory?: .memory
    case .raises?: .python
    case .crashed?, .illegalAddress?, .deviceError?: .crashed
    case .timedOut?: .timedOut
    case .wrongFile?, .lied?, .clockLies?, .belowTheFloor?: .untrusted
    default: .wrong
    }
  }

  private static func failure(_ finding: GPUFinding) -> StepFailure {
    let kind = Self.kind(finding.reason)
    // Said once: the kind stands before the message wherever it is shown.
    let words = finding.reason.rawValue
    return StepFailure(
      kind, words == kind.rawValue ? finding.message : "\(words): \(finding.message)")
  }

  private static func failure(_ failure: WorkerFailure) -> StepFailure {
    let text = failure.message.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    switch failure.kind {
    case .notStarted, .protocol, .cancelled: return StepFailure(.environment, text)
    case .timedOut: return StepFailure(.timedOut, text)
    case .outOfMemory: return StepFailure(.memory, text)
    case .outOfResources: return StepFailure(.resources, text)
    case .compile: return StepFailure(.compile, text)
    case .python: return StepFailure(.python, text)
    case .lied, .garbage: return StepFailure(.untrusted, text)
    case .crashed: return StepFailure(.crashed, text)
    default: return StepFailure(.crashed, "\(failure.kind.rawValue): \(text)")
    }
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + 1e-18 * Double(duration.components.attoseconds)
  }
}

extension GPUBackend {
  /// What a request's modules are measured on: its problem file, its inputs, or those that its
  /// profile implies.
  static func problem(of request: Request, _ known: KnownProblem) throws(Diagnostic) -> GPUProblem {
    var text = known.inputs.problem?.source.text
    var inputs: [GPUInput] = []
    if case .tensors(let tensors) = known.inputs.inputs {
      // In the order of `forward`'s parameters, where the host program tells it.
      let order = known.run?.inputs.map(\.name) ?? tensors.keys.sorted()
      for name in order where tensors[name] != nil {
        guard let tensor = tensors[name] else { continue }
        inputs.append(try GPUInput(name: name, element: tensor.element, shape: tensor.shape))
      }
      if request.problem == nil, request.inputs.isEmpty { text = nil }
    }
    guard text != nil || !inputs.isEmpty else {
      throw Diagnostic(
        id: "no-inputs", "nothing says what 'forward' is to be measured with",
        nextStep: "give --problem or --input")
    }
    return GPUProblem(text: text, inputs: inputs)
  }
}
