import Diagnostics

/// Why a call to the worker gave no result. It costs the trial that made the call, nothing else.
public struct WorkerFailure: Error, Sendable, Hashable, Codable, CustomStringConvertible {
  /// The protocol's words, and those that Hone adds.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// The code that was run raised an exception.
    case python
    /// Triton refused to compile the kernel.
    case compile
    case outOfMemory = "out-of-memory"
    /// More shared memory or threads than the device gives a block.
    case outOfResources = "out-of-resources"
    /// A kernel touched what is not its own, or failed on the device; the context is lost.
    case illegalAddress = "illegal-address"
    /// Another CUDA error; the context is taken for lost.
    case cuda
    /// The worker will not do it, and says why.
    case refused
    /// The request was not understood.
    case `protocol`

    // From here on Hone's own findings.
    /// The Python could not be started, or ended before it was ready.
    case notStarted = "not-started"
    /// The process ended in the middle of the call.
    case crashed
    /// No answer by the deadline.
    case timedOut = "timed-out"
    /// What came was not the protocol.
    case garbage
    /// A well-formed answer to another question, or of another shape than was asked for.
    case lied
    /// The caller gave up.
    case cancelled
  }

  public var kind: Kind
  public var operation: String
  /// One sentence or what the exception said; the first line is fit for a table.
  public var message: String
  /// Python's traceback, where there is one.
  public var traceback: String?
  /// The end of what the process wrote to standard error, where that may explain it.
  public var standardError: String?
  /// The line of the module at fault, counted from 1 in the module's own text, where the worker knows.
  public var line: Int?
  /// True when the worker said that its process is of no use any more.
  public var isSticky: Bool

  public init(
    _ kind: Kind, operation: String, _ message: String, traceback: String? = nil,
    standardError: String? = nil, line: Int? = nil, isSticky: Bool = false
  ) {
    self.kind = kind
    self.operation = operation
    self.message = message
    self.traceback = traceback
    self.standardError = standardError
    self.line = line
    self.isSticky = isSticky
  }

  /// Whether the process goes on after it; otherwise it was killed and the next call starts another.
  public var leavesWorkerAlive: Bool {
    switch kind {
    case .python, .compile, .outOfMemory, .outOfResources, .refused, .protocol: !isSticky
    case .illegalAddress, .cuda, .notStarted, .crashed, .timedOut, .garbage, .lied, .cancelled:
      false
    }
  }

  public var description: String { "\(kind.rawValue): \(message)" }

  /// For commands that cannot go on.
  public var diagnostic: Diagnostic {
    var text = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? message
    if kind != .notStarted { text = "'\(operation)' failed (\(kind.rawValue)): \(text)" }
    let last = standardError?.split(whereSeparator: \.isNewline).last.map(String.init)
    return Diagnostic(
      id: "worker-\(kind.rawValue)", text,
      nextStep: last.map { "the process wrote: \($0)" } ?? "run 'hone doctor'")
  }
}
