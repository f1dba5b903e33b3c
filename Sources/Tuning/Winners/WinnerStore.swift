import Diagnostics
import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The winners of earlier runs, in one JSON file.
///
/// A change reads the file, makes the new one beside it and renames it into place, all under a lock
/// that other runs wait for: readers see the old table or the new one, and no run loses another's
/// winners. A file that cannot be read is never written over.
public struct WinnerStore: Sendable {
  public let path: String

  /// - Parameter path: of the file; it and its folder need not exist.
  public init(path: String) { self.path = path }

  /// Where winners are kept by default: `XDG_DATA_HOME`, else `~/.local/share`; nil without either.
  public static func defaultPath(environment: [String: String]) -> String? {
    if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") {
      return data + "/hone/winners.json"
    }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    return home + "/.local/share/hone/winners.json"
  }

  /// All winners, in a stable order; none where there is no file.
  public func all() throws(Diagnostic) -> [Winner] {
    guard let data = try read() else { return [] }
    return try decode(data)
  }

  /// The winner for a key: of several (other versions) the one with the best evidence, then the newest.
  public func lookup(_ key: WinnerKey) throws(Diagnostic) -> Winner? {
    try all().filter { key.matches($0.key) }
      .max { ($0.level.rank, $0.date) < ($1.level.rank, $1.date) }
  }

  /// The winners of one kernel on one device at any shape.
  public func shapes(of key: WinnerKey) throws(Diagnostic) -> [Winner] {
    try all().filter { winner in
      var wanted = key
      wanted.shape = winner.key.shape
      return wanted.matches(winner.key)
    }
  }

  /// Keeps a winner; one with better evidence under the same key stays.
  /// - Returns: whether it was kept.
  @discardableResult
  public func record(_ winner: Winner) throws(Diagnostic) -> Bool {
    var isKept = false
    try update { winners in
      if let index = winners.firstIndex(where: { $0.key == winner.key }) {
        guard winner.replaces(winners[index]) else { return }
        winners[index] = winner
      } else {
        winners.append(winner)
      }
      isKept = true
    }
    return isKept
  }

  /// Removes the winners that a test picks.
  /// - Returns: how many were removed.
  @discardableResult
  public func remove(where isUnwanted: (Winner) -> Bool) throws(Diagnostic) -> Int {
    var count = 0
    try update { winners in
      let before = winners.count
      winners.removeAll(where: isUnwanted)
      count = before - winners.count
    }
    return count
  }

  // MARK: - The file

  private struct Table: Codable {
    static let format = "hone-winners"
    static let version = 1
    var format: String
    var version: Int
    var winners: [Winner]
  }

  private struct Head: Decodable {
    var format: String
    var version: Int
  }

  private func read() throws(Diagnostic) -> Data? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw Diagnostic(
        id: "unreadable-winners", "cannot read the winners in '\(path)'",
        nextStep: "check the file's permissions, or name another with --winners")
    }
  }

  private func decode(_ data: Data) throws(Diagnostic) -> [Winner] {
    let decoder = JSONDecoder()
    guard let head = try? decoder.decode(Head.self, from: data), head.format == Table.format else {
      throw corrupt("it is no table of winners")
    }
    guard head.version == Table.version else {
      throw Diagnostic(
        id: "newer-winners",
        "the winners in '\(path)' have version \(head.version), this hone reads \(Table.version)",
        nextStep: "use the hone that wrote them, or name another file with --winners")
    }
    do {
      return try decoder.decode(Table.self, from: data).winners
    } catch let DecodingError.keyNotFound(key, context) {
      throw corrupt("'\(Self.place(context))' has no '\(key.stringValue)'")
    } catch let DecodingError.typeMismatch(_, context) {
      throw corrupt("'\(Self.place(context))' is not what it should be")
    } catch let DecodingError.valueNotFound(_, context) {
      throw corrupt("'\(Self.place(context))' has no value")
    } catch {
      throw corrupt("it is no whole JSON")
    }
  }

  private static func place(_ context: DecodingError.Context) -> String {
    context.codingPath.map { key in key.intValue.map(String.init) ?? key.stringValue }
      .joined(separator: ".")
  }

  private func corrupt(_ what: String) -> Diagnostic {
    Diagnostic(
      id: "corrupt-winners", "cannot use the winners in '\(path)': \(what)",
      nextStep: "nothing was changed; mend the file, move it away, or name another with --winners")
  }

  private func update(_ change: (inout [Winner]) -> Void) throws(Diagnostic) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw unwritable("cannot make '\(folder)'")
    }
    let lock = try Lock(path: path + ".lock", limit: Self.lockSeconds) { unwritable($0) }
    defer { lock.release() }
    let before = try all()
    var winners = before
    change(&winners)
    guard winners != before else { return }
    winners.sort { Self.order($0) < Self.order($1) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard
      let data = try? encoder.encode(
        Table(format: Table.format, version: Table.version, winners: winners))
    else { throw unwritable("a winner cannot be written as JSON") }
    try replace(with: data, in: folder)
  }

  private static func order(_ winner: Winner) -> String {
    let key = winner.key
    return [
      key.device, key.kernel, key.content, key.shape, key.triton ?? "", key.torch ?? "",
      key.driver ?? "",
    ].joined(separator: "\u{0}")
  }

  private func replace(with data: Data, in folder: String) throws(Diagnostic) {
    let temporary = "\(path).\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw unwritable("cannot write in '\(folder)'") }
    var offset = 0
    var isWhole = true
    data.withUnsafeBytes { bytes in
      while offset < bytes.count {
        let count = write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
        if count < 0 {
          if errno == EINTR { continue }
          isWhole = false
          return
        }
        offset += count
      }
    }
    if fsync(descriptor) != 0, errno != EINVAL { isWhole = false }
    if close(descriptor) != 0 { isWhole = false }
    guard isWhole, rename(temporary, path) == 0 else {
      unlink(temporary)
      throw unwritable("cannot write '\(path)'")
    }
    let parent = open(folder, O_RDONLY | O_CLOEXEC)
    if parent >= 0 {
      _ = fsync(parent)
      close(parent)
    }
  }

  private func unwritable(_ what: String) -> Diagnostic {
    Diagnostic(
      id: "unwritable-winners", "the winner is not kept: \(what)",
      nextStep: "check the path, or name another with --winners")
  }

  // MARK: - The lock

  /// How long another run may hold the table.
  private static let lockSeconds = 10.0

  /// An advisory lock on a file beside the table, which renames leave alone.
  private struct Lock {
    private let descriptor: Int32

    init(path: String, limit: Double, failure: (String) -> Diagnostic) throws(Diagnostic) {
      descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw failure("cannot make '\(path)'") }
      let end = Date().addingTimeInterval(limit)
      while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        guard errno == EWOULDBLOCK || errno == EINTR, Date() < end else {
          close(descriptor)
          throw failure("another run holds '\(path)'")
        }
        usleep(5_000)
      }
    }

    func release() { close(descriptor) }
  }
}
