import Foundation
import Subprocess
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What a worker process lets Hone know.
enum WorkerEvent: Sendable {
  /// One line of standard output, without its newline.
  case line([UInt8])
  /// A line longer than the protocol allows, or more lines than anybody reads.
  case flood
  /// The process could not be started.
  case failedToStart(String)
  case exited(String)
  case deadline(Int)
  case cancelled(Int)
}

/// One life of the worker: from the start of a Python to its end. Its life is one call of
/// `Subprocess.run`, driven by two streams: what to write, and the order to kill.
///
/// The process leads a session of its own, so that Ctrl-C in a terminal reaches Hone alone, and
/// what it starts is killed with it.
final class WorkerProcess: Sendable {
  /// The longest line that is read, bytes.
  static let lineLimit = 64 << 20
  /// Lines that may wait to be read.
  static let waitingLimit = 10_000
  /// How much of standard error is kept, bytes.
  static let errorLimit = 16 << 10

  let mailbox = Mailbox<WorkerEvent>()
  private let requests: AsyncStream<[UInt8]>.Continuation
  private let kills: AsyncStream<Void>.Continuation
  private let life: Task<Void, Never>
  private let tail = ErrorTail(limit: WorkerProcess.errorLimit)
  private let folder: String?

  init(
    executable: String, arguments: [String], environment: [String: String],
    folder: String? = nil, scratch: ScratchFolder
  ) {
    self.folder = folder
    // A write to a process that just died must be an error, not the end of Hone.
    signal(SIGPIPE, SIG_IGN)
    let (requestStream, requests) = AsyncStream.makeStream(of: [UInt8].self)
    let (killStream, kills) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    self.requests = requests
    self.kills = kills
    let mailbox = mailbox
    var variables: [Environment.Key: String] = [:]
    for (name, value) in environment {
      if let key = Environment.Key(rawValue: name) { variables[key] = value }
    }
    var options = PlatformOptions()
    options.createSession = true
    options.teardownSequence = [
      .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(1))
    ]
    let configuration = Configuration(
      executable: .path(.init(executable)), arguments: Arguments(arguments),
      environment: .custom(variables), platformOptions: options)
    let tail = tail
    life = Task {
      do {
        let result = try await run(
          configuration, input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
          let group = execution.processIdentifier.value
          let killAll: @Sendable () -> Void = {
            // Fails where nothing of it is left.
            try? execution.send(signal: .kill, toProcessGroup: true)
          }
          if !scratch.register(group: group) { killAll() }
          await withTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
              for await bytes in requestStream {
                // A process that no longer reads has ended or will be killed: its call says so.
                let written = try? await execution.standardInputWriter.write(bytes)
                if written != bytes.count { break }
              }
              try? await execution.standardInputWriter.finish()
              return false
            }
            tasks.addTask {
              for await _ in killStream { killAll() }
              return false
            }
            tasks.addTask {
              await Self.readLines(execution.standardOutput, into: mailbox)
              // Without its answers a process is of no use, even if it still runs.
              killAll()
              return true
            }
            tasks.addTask {
              await Self.readTail(execution.standardError, into: tail)
              return true
            }
            var readers = 2
            while readers > 0, let isReader = await tasks.next() { readers -= isReader ? 1 : 0 }
            requests.finish()
            kills.finish()
          }
          // The process is not reaped yet, so the number is still its own: end what it started.
          killAll()
          scratch.unregister(group: group)
        }
        mailbox.deliver(.exited(Self.words(result.terminationStatus)))
      } catch {
        mailbox.deliver(.failedToStart("\(error)"))
      }
    }
  }

  deinit { kill() }

  /// The end of what it wrote to standard error so far. A compiler that ended the process left its
  /// words in a file (`compile_kernel.py`).
  var standardError: String? {
    var text = tail.text
    if let folder, let log = FileManager.default.contents(atPath: folder + "/compiler.log") {
      text += String(decoding: log.suffix(Self.errorLimit), as: UTF8.self)
    }
    return text.isEmpty ? nil : text
  }

  func send(_ bytes: [UInt8]) { requests.yield(bytes) }

  /// Ends the process and all of its session's group at once.
  func kill() { kills.yield() }

  /// Lets it end by itself: an idle worker does when its input ends.
  func closeInput() { requests.finish() }

  /// Waits until it is gone; gives up after `limit`, which only a process stuck in the kernel
  /// (a driver that hangs) outlasts. True when it is gone.
  func waitUntilGone(limit: Duration) async -> Bool {
    let life = life
    return await withCheckedContinuation { continuation in
      let isResumed = Mutex(false)
      let once: @Sendable (Bool) -> Void = { value in
        let isFirst = isResumed.withLock { isResumed in
          defer { isResumed = true }
          return !isResumed
        }
        if isFirst { continuation.resume(returning: value) }
      }
      let timer = Task {
        try? await Task.sleep(for: limit)
        once(false)
      }
      Task {
        await life.value
        timer.cancel()
        once(true)
      }
    }
  }

  // MARK: - Reading

  private static func readLines(
    _ output: SubprocessOutputSequence, into mailbox: Mailbox<WorkerEvent>
  ) async {
    var pending: [UInt8] = []
    var iterator = output.makeAsyncIterator()
    // What cannot be read any more ends like the output's end.
    while let buffer = try? await iterator.next() {
      let isInOrder = buffer.withUnsafeBytes { bytes -> Bool in
        var rest = bytes[...]
        while let newline = rest.firstIndex(of: 0x0A) {
          pending.append(contentsOf: rest[..<newline])
          guard mailbox.deliver(.line(pending), limit: waitingLimit) else { return false }
          pending.removeAll()
          rest = rest[(newline + 1)...]
        }
        pending.append(contentsOf: rest)
        return pending.count <= lineLimit
      }
      if !isInOrder {
        mailbox.deliver(.flood)
        return
      }
    }
    // A line that the end cut off is worth nothing, but it is not silence either.
    if !pending.isEmpty { mailbox.deliver(.line(pending)) }
  }

  private static func readTail(_ output: SubprocessOutputSequence, into tail: ErrorTail) async {
    var iterator = output.makeAsyncIterator()
    while let buffer = try? await iterator.next() {
      buffer.withUnsafeBytes { tail.append($0) }
    }
  }

  private static func words(_ status: TerminationStatus) -> String {
    switch status {
    case .exited(let code): "exit code \(code)"
    case .signaled(let number): "signal \(number)"
    }
  }
}

/// The last bytes that a process wrote to standard error.
private final class ErrorTail: Sendable {
  private let limit: Int
  private let bytes = Mutex<[UInt8]>([])

  init(limit: Int) { self.limit = limit }

  func append(_ new: UnsafeRawBufferPointer) {
    let limit = limit
    let part = Array(new.suffix(limit))
    bytes.withLock { bytes in
      bytes.append(contentsOf: part)
      if bytes.count > 2 * limit { bytes.removeFirst(bytes.count - limit) }
    }
  }

  var text: String {
    String(decoding: bytes.withLock { Array($0.suffix(limit)) }, as: UTF8.self)
  }
}
