import Diagnostics
import Foundation

/// A Python process that does one thing at a time for Hone, and is replaced when it fails.
///
/// ```
/// let worker = Worker(python: python, scratch: scratch, environment: environment)
/// let hello = try await worker.call(
///   "hello", Hello.Request(), deadline: .seconds(30), as: Hello.self)
/// ```
/// The process starts with the first call. After a crash, a missed deadline, an answer that is not
/// one, or an error of the device it is killed with everything it started, and the next call starts
/// another: whatever the last one had loaded is gone.
public actor Worker {
  public let python: PythonEnvironment
  private let scratch: ScratchFolder
  private let environment: [String: String]
  private let startLimit: Duration
  private var process: WorkerProcess?
  private var nextID = 1
  /// How many processes were started so far; a caller that keeps something in the process compares.
  public private(set) var generation = 0
  private var isBusy = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// - Parameters:
  ///   - environment: all variables that the process gets; a command hands in its own.
  ///   - startLimit: how long a bare Python may take to be ready. Imports count to the call's deadline.
  public init(
    python: PythonEnvironment, scratch: ScratchFolder, environment: [String: String],
    startLimit: Duration = .seconds(60)
  ) {
    self.python = python
    self.scratch = scratch
    self.environment = environment
    self.startLimit = startLimit
  }

  deinit { process?.kill() }

  /// Asks the worker for one thing and waits for the answer.
  ///
  /// The reply's fields are read from the answer's top level; non-finite numbers arrive as such.
  /// Calls wait for one another. Cancelling the task kills the process.
  ///
  /// - Parameters:
  ///   - deadline: counted from when the process is ready for this call.
  ///   - progress: gets the `progress` field of each progress line as JSON.
  public func call<Request: Encodable & Sendable, Reply: Decodable & Sendable>(
    _ operation: String, _ request: Request, deadline: Duration, as type: Reply.Type,
    progress: (@Sendable (Data) -> Void)? = nil
  ) async throws(WorkerFailure) -> Reply {
    await enter()
    defer { leave() }
    if Task.isCancelled {
      throw WorkerFailure(.cancelled, operation: operation, "cancelled before it began")
    }
    let id = nextID
    nextID += 1
    let line = try Self.encode(request, id: id, operation: operation)
    let process = try await running(for: operation)
    process.send(line)
    let timer = Task {
      try await Task.sleep(for: deadline)
      process.mailbox.deliver(.deadline(id))
    }
    defer { timer.cancel() }
    do {
      return try await withTaskCancellationHandler {
        while true {
          let event = await process.mailbox.next()
          if let answer = try read(
            event, of: operation, id: id, deadline: deadline, as: type, progress: progress)
          {
            return answer
          }
        }
      } onCancel: {
        process.mailbox.deliver(.cancelled(id))
      }
    } catch {
      var failure =
        error as? WorkerFailure ?? WorkerFailure(.crashed, operation: operation, "\(error)")
      if !failure.leavesWorkerAlive {
        await end(process)
        failure.standardError = process.standardError
      }
      throw ended(failure)
    }
  }

  /// Ends the process, if one runs; the next call starts another.
  public func stop() async {
    await enter()
    defer { leave() }
    guard let process else { return }
    self.process = nil
    process.closeInput()
    if await !process.waitUntilGone(limit: .seconds(1)) {
      process.kill()
      _ = await process.waitUntilGone(limit: .seconds(10))
    }
  }

  /// Starts the process ahead of its first call.
  public func start() async throws(WorkerFailure) {
    await enter()
    defer { leave() }
    _ = try await running(for: "start")
  }

  // MARK: - One at a time

  private func enter() async {
    if isBusy {
      await withCheckedContinuation { waiting.append($0) }
    } else {
      isBusy = true
    }
  }

  private func leave() {
    if waiting.isEmpty {
      isBusy = false
    } else {
      waiting.removeFirst().resume()
    }
  }

  // MARK: - Starting and ending

  private func running(for operation: String) async throws(WorkerFailure) -> WorkerProcess {
    if let process { return process }
    let program: String
    let folder: String
    do {
      program = try scratch.program()
      folder = try scratch.makeFolder("worker")
    } catch {
      throw ended(WorkerFailure(.notStarted, operation: operation, error.message))
    }
    let started = WorkerProcess(
      executable: python.executable, arguments: ["-u", program, folder],
      environment: environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 },
      folder: folder, scratch: scratch)
    generation += 1
    let limit = startLimit
    let timer = Task {
      try await Task.sleep(for: limit)
      started.mailbox.deliver(.deadline(0))
    }
    defer { timer.cancel() }
    let event = await withTaskCancellationHandler {
      await started.mailbox.next()
    } onCancel: {
      started.mailbox.deliver(.cancelled(0))
    }
    var failure = WorkerFailure(.notStarted, operation: operation, "")
    switch event {
    case .line(let bytes):
      if let ready = try? JSONDecoder().decode(Ready.self, from: Data(bytes)) {
        if ready.ready == Ready.version {
          process = started
          return started
        }
        failure.message = "speaks version \(ready.ready) of the protocol, not \(Ready.version)"
      } else {
        failure.message =
          "'\(python.executable)' is no Python that runs the worker: \(Self.excerpt(bytes))"
      }
    case .flood: failure.message = "'\(python.executable)' writes without end"
    case .failedToStart(let reason):
      failure.message = "cannot start '\(python.executable)': \(reason)"
    case .exited(let status):
      failure.message = "'\(python.executable)' ended before it was ready (\(status))"
    case .deadline: failure.message = "'\(python.executable)' was not ready within \(limit)"
    case .cancelled: failure.kind = .cancelled
    }
    await end(started)
    failure.standardError = started.standardError
    throw ended(failure)
  }

  /// The failure as it is to be told: a process that went with its folder was ended by Hone, and
  /// nothing that it was asked for is at fault.
  private func ended(_ failure: WorkerFailure) -> WorkerFailure {
    guard !failure.leavesWorkerAlive, scratch.isGone else { return failure }
    return WorkerFailure(.cancelled, operation: failure.operation, "the run is being ended")
  }

  /// Kills the process and waits until it and what it started are gone.
  private func end(_ process: WorkerProcess) async {
    if self.process === process { self.process = nil }
    process.kill()
    _ = await process.waitUntilGone(limit: .seconds(10))
  }

  // MARK: - Lines

  /// The answer that an event brings, nil where it brings none, or the failure that it is.
  private func read<Reply: Decodable>(
    _ event: WorkerEvent, of operation: String, id: Int, deadline: Duration, as type: Reply.Type,
    progress: (@Sendable (Data) -> Void)?
  ) throws(WorkerFailure) -> Reply? {
    switch event {
    case .line(let bytes):
      return try Self.decode(bytes, of: operation, id: id, as: type, progress: progress)
    case .flood:
      throw WorkerFailure(.garbage, operation: operation, "the worker writes without end")
    case .failedToStart(let reason):
      throw WorkerFailure(.notStarted, operation: operation, reason)
    case .exited(let status):
      throw WorkerFailure(.crashed, operation: operation, "the worker ended (\(status))")
    case .deadline(let late) where late == id:
      throw WorkerFailure(.timedOut, operation: operation, "no answer within \(deadline)")
    case .cancelled(let given) where given == id:
      throw WorkerFailure(.cancelled, operation: operation, "cancelled")
    case .deadline, .cancelled: return nil  // of an earlier call
    }
  }

  private struct Ready: Decodable {
    static let version = 1
    var ready: Int
  }

  private static func encode(
    _ request: some Encodable, id: Int, operation: String
  ) throws(WorkerFailure) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    do {
      let head = Array("{\"id\":\(id),\"op\":".utf8) + Array(try encoder.encode(operation))
      let body = Array(try encoder.encode(request))
      guard body.first == UInt8(ascii: "{"), body.last == UInt8(ascii: "}") else {
        throw WorkerFailure(.protocol, operation: operation, "a request must be an object")
      }
      return head + (body.count > 2 ? [UInt8(ascii: ",")] : []) + body.dropFirst() + [0x0A]
    } catch let failure as WorkerFailure {
      throw failure
    } catch {
      throw WorkerFailure(.protocol, operation: operation, "cannot write the request: \(error)")
    }
  }

  private struct Envelope: Decodable {
    struct Problem: Decodable {
      var kind: String
      var message: String
      var traceback: String?
      var line: Int?
      var sticky: Bool?
    }
    var id: Int?
    var ok: Bool?
    var error: Problem?
  }

  private static func decode<Reply: Decodable>(
    _ bytes: [UInt8], of operation: String, id: Int, as type: Reply.Type,
    progress: (@Sendable (Data) -> Void)?
  ) throws(WorkerFailure) -> Reply? {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let envelope: Envelope
    do {
      envelope = try decoder.decode(Envelope.self, from: data)
    } catch {
      throw WorkerFailure(
        .garbage, operation: operation, "the worker wrote: \(excerpt(bytes))")
    }
    if let problem = envelope.error, envelope.id == nil {
      throw WorkerFailure(.protocol, operation: operation, problem.message, isSticky: true)
    }
    guard envelope.id == id else {
      throw WorkerFailure(
        .lied, operation: operation,
        "the worker answered request \(envelope.id.map(String.init) ?? "?"), not \(id)")
    }
    guard let isDone = envelope.ok else {
      progress?(data)
      return nil
    }
    if isDone {
      do {
        return try decoder.decode(Reply.self, from: data)
      } catch {
        throw WorkerFailure(
          .lied, operation: operation, "the answer has another shape: \(describe(error))")
      }
    }
    guard let problem = envelope.error, let kind = WorkerFailure.Kind(rawValue: problem.kind) else {
      throw WorkerFailure(
        .lied, operation: operation, "the worker failed without a known kind of error")
    }
    throw WorkerFailure(
      kind, operation: operation, problem.message, traceback: problem.traceback,
      line: problem.line, isSticky: problem.sticky ?? false)
  }

  private static func describe(_ error: any Error) -> String {
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, _): return "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      return "'\(path(context))' is not what was asked for"
    default: return "\(error)"
    }
  }

  private static func excerpt(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes.prefix(120), as: UTF8.self)
    return "'\(text)\(bytes.count > 120 ? "…" : "")'"
  }
}
