import Diagnostics
import Foundation
import Synchronization

/// What happened to every trial, in a file that survives `kill -9` at any moment.
///
/// JSON lines. The first is a ``TrialHeader``. Before a trial starts, `{"begin": key, "attempt": n}`
/// is appended and synced; when it has ended, its ``TrialRecord`` is. A last line that was torn
/// when the process died is cut off when the log is opened again; complete lines are never changed.
/// A trial with a record is not run again. One that began and has no record was interrupted: it is
/// tried again until it was begun ``attempts`` times, so that a candidate which takes the machine
/// down with it does not do so forever.
///
/// A log is held by one process at a time, and a log of another request, policy, tool, device or
/// Python is refused and left as it is.
public final class TrialLog: Sendable {
  private struct State {
    var records: [String: TrialRecord] = [:]
    var begins: [String: Int] = [:]
    var order: [String] = []
    var file: LogFile?
  }

  public let header: TrialHeader
  /// How often a trial may begin without an end before it counts as interrupted for good.
  public let attempts: Int
  private let state: Mutex<State>

  /// Tried once and again twice.
  public static let defaultAttempts = 3

  /// A log in memory only.
  public init(header: TrialHeader) {
    self.header = header
    self.attempts = Self.defaultAttempts
    self.state = Mutex(State())
  }

  /// Opens or makes a log; an existing one of the same run is resumed.
  ///
  /// - Throws: `another-log`, `damaged-log`, `log-in-use` or `unwritable`; the file is then as it
  ///   was.
  public init(path: String, header: TrialHeader, attempts: Int = TrialLog.defaultAttempts)
    throws(Diagnostic)
  {
    self.header = header
    self.attempts = max(1, attempts)
    let file = try LogFile(path: path)
    var state = State()
    let lines = try Self.lines(of: try file.contents(), path: path)
    if let first = lines.entries.first {
      guard let found = try? JSONDecoder().decode(TrialHeader.self, from: Data(first)) else {
        throw Self.error(
          "another-log", "'\(path)' is not a trial log", next: "give another path to --log")
      }
      let differences = header.differences(from: found)
      guard differences.isEmpty else {
        throw Self.error(
          "another-log",
          "'\(path)' is the log of another run: \(differences.joined(separator: ", "))",
          next: "give another path to --log, or repeat that run's request and device")
      }
      for (index, line) in lines.entries.enumerated().dropFirst() {
        guard Self.absorb(line, into: &state) else {
          throw Self.error(
            "damaged-log", "line \(index + 1) of '\(path)' is no record",
            next: "restore the file, or give another path to --log")
        }
      }
      if lines.kept < lines.total { try file.truncate(to: lines.kept) }
    } else {
      // A file without one complete line: its run died while it wrote the header.
      if lines.total > 0 { try file.truncate(to: 0) }
      try file.append(Self.line(header))
    }
    state.file = file
    self.state = Mutex(state)
  }

  // MARK: Reading

  /// The final record of a trial; nil if it has none.
  public func record(for key: String) -> TrialRecord? { state.withLock { $0.records[key] } }

  /// How often a trial began without coming to an end.
  public func interruptions(of key: String) -> Int {
    state.withLock { $0.records[key] == nil ? $0.begins[key] ?? 0 : 0 }
  }

  /// All final records in the order they were written.
  public var records: [TrialRecord] {
    state.withLock { state in state.order.compactMap { state.records[$0] } }
  }

  // MARK: Writing

  /// Says that a trial starts; returns which attempt it is.
  /// - Throws: where the file cannot be written; the trial must not run then.
  public func begin(_ key: String, what: String) throws(Diagnostic) -> Int {
    let attempt = state.withLock { state in
      let next = (state.begins[key] ?? 0) + 1
      state.begins[key] = next
      return next
    }
    try append(Self.line(TrialBegin(begin: key, attempt: attempt, what: what)))
    return attempt
  }

  /// Writes a trial's final record; returns when it is on the disk.
  public func end(_ record: TrialRecord) throws(Diagnostic) {
    try append(Self.line(record))
    state.withLock { state in
      if state.records.updateValue(record, forKey: record.end) == nil {
        state.order.append(record.end)
      }
    }
  }

  private func append(_ line: [UInt8]) throws(Diagnostic) {
    try state.withLock { state throws(Diagnostic) in
      try state.file?.append(line)
    }
  }

  // MARK: Lines

  private static func line(_ value: some Encodable) throws(Diagnostic) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return Array(try encoder.encode(value)) + [0x0A]
    } catch {
      throw Self.error("unwritable", "a record cannot be written as JSON: \(error)", next: nil)
    }
  }

  /// - Returns: false for a line that is neither kind of entry: the caller refuses the log.
  private static func absorb(_ line: ArraySlice<UInt8>, into state: inout State) -> Bool {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let data = Data(line)
    if let record = try? decoder.decode(TrialRecord.self, from: data) {
      if state.records.updateValue(record, forKey: record.end) == nil {
        state.order.append(record.end)
      }
      return true
    }
    guard let begin = try? decoder.decode(TrialBegin.self, from: data) else { return false }
    state.begins[begin.begin] = max(state.begins[begin.begin] ?? 0, begin.attempt)
    return true
  }

  /// The complete lines, without a torn last one.
  ///
  /// Torn is what has no line end; and a last line with one that is no JSON, as a disk leaves it
  /// that lost power between writing the size and writing the bytes.
  private static func lines(of bytes: [UInt8], path: String) throws(Diagnostic) -> (
    entries: [ArraySlice<UInt8>], kept: Int, total: Int
  ) {
    var entries: [ArraySlice<UInt8>] = []
    var start = 0
    for (index, byte) in bytes.enumerated() where byte == 0x0A {
      entries.append(bytes[start..<index])
      start = index + 1
    }
    if let last = entries.last, entries.count > 1,
      (try? JSONSerialization.jsonObject(with: Data(last))) == nil
    {
      entries.removeLast()
      start -= last.count + 1
    }
    if entries.isEmpty, bytes.count > 0, bytes.first != UInt8(ascii: "{") {
      throw Self.error(
        "another-log", "'\(path)' is not a trial log", next: "give another path to --log")
    }
    return (entries, start, bytes.count)
  }

  static func error(_ id: String, _ message: String, next: String?) -> Diagnostic {
    Diagnostic(id: id, message, nextStep: next)
  }
}
