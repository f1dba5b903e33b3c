import Diagnostics

/// One run of another program to its end: its lines, the end of its errors, and how it ended.
///
/// The program leads a session of its own, in which all it starts is killed at the deadline.
struct ToolProcess {
  enum End: Sendable, Equatable {
    case exited(String)
    case failedToStart(String)
    case timedOut
    /// It wrote more than anybody reads.
    case flooded
    case cancelled

    var isSuccess: Bool { self == .exited("exit code 0") }
  }

  var end: End
  /// Standard output, one entry a line.
  var lines: [String]
  /// The last 16 KB of standard error.
  var standardError: String

  /// All that it wrote, for looking up what went wrong.
  var words: String { lines.joined(separator: "\n") + "\n" + standardError }

  /// The most that is kept of standard output, bytes.
  private static let outputLimit = 256 << 20

  static func run(
    _ executable: String, _ arguments: [String], environment: [String: String],
    scratch: ScratchFolder, deadline: Duration
  ) async -> ToolProcess {
    let process = WorkerProcess(
      executable: executable, arguments: arguments, environment: environment, scratch: scratch)
    process.closeInput()
    let timer = Task {
      try await Task.sleep(for: deadline)
      process.mailbox.deliver(.deadline(0))
    }
    defer { timer.cancel() }
    var lines: [String] = []
    var bytes = 0
    var end: End?
    while end == nil {
      let event = await withTaskCancellationHandler {
        await process.mailbox.next()
      } onCancel: {
        process.mailbox.deliver(.cancelled(0))
      }
      switch event {
      case .line(let line):
        bytes += line.count
        lines.append(String(decoding: line, as: UTF8.self))
        if bytes > outputLimit { end = .flooded }
      case .flood: end = .flooded
      case .failedToStart(let reason): end = .failedToStart(reason)
      case .exited(let status): end = .exited(status)
      case .deadline: end = .timedOut
      case .cancelled: end = .cancelled
      }
    }
    process.kill()
    _ = await process.waitUntilGone(limit: .seconds(10))
    return ToolProcess(
      end: end ?? .cancelled, lines: lines, standardError: process.standardError ?? "")
  }
}
