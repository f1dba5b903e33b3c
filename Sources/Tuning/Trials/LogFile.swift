import Diagnostics
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file that is only appended to, each piece synced before the call returns, held under a lock.
final class LogFile: Sendable {
  private let descriptor: Int32
  private let path: String
  private let size = Mutex(0)

  /// Opens or makes it and takes the lock.
  init(path: String) throws(Diagnostic) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.error("cannot open '\(path)'", errno) }
    guard Self.lock(descriptor) else {
      let code = errno
      close(descriptor)
      if code == EWOULDBLOCK {
        throw Diagnostic(
          id: "log-in-use", "'\(path)' is being written by another run",
          nextStep: "wait for it, or give another path to --log")
      }
      throw Self.error("cannot lock '\(path)'", code)
    }
    self.descriptor = descriptor
    self.path = path
    // The name of a new file is only safe when its folder is synced.
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let parent = open(
      folder.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : folder, O_RDONLY | O_CLOEXEC)
    if parent >= 0 {
      _ = fsync(parent)
      close(parent)
    }
  }

  /// Unlocks before it closes: a program that is just being started elsewhere in this process holds
  /// a copy of the descriptor for a moment, and with it the lock.
  deinit {
    _ = flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Takes the lock, also where a run that was killed is not gone yet.
  private static func lock(_ descriptor: Int32) -> Bool {
    for attempt in 0..<20 {
      if attempt > 0 { usleep(10_000) }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      guard errno == EWOULDBLOCK else { return false }
    }
    errno = EWOULDBLOCK
    return false
  }

  func contents() throws(Diagnostic) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.error("cannot read '\(path)'", errno)
      }
      bytes.append(contentsOf: buffer[..<count])
    }
    let length = bytes.count
    size.withLock { $0 = length }
    return bytes
  }

  func truncate(to length: Int) throws(Diagnostic) {
    guard ftruncate(descriptor, off_t(length)) == 0, fsync(descriptor) == 0 else {
      throw Self.error("cannot cut '\(path)'", errno)
    }
    size.withLock { $0 = length }
  }

  /// Appends and syncs. What was written of a piece that does not fit is taken back.
  func append(_ bytes: [UInt8]) throws(Diagnostic) {
    let size = self.size.withLock { $0 }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        pwrite(
          descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written,
          off_t(size + written))
      }
      if count < 0 {
        if errno == EINTR { continue }
        let code = errno
        _ = ftruncate(descriptor, off_t(size))
        throw Self.error("cannot write '\(path)'", code)
      }
      written += count
    }
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw Self.error("cannot sync '\(path)'", errno)
    }
    self.size.withLock { $0 = size + bytes.count }
  }

  private static func error(_ message: String, _ code: Int32) -> Diagnostic {
    let reason = strerror(code).map { String(cString: $0).lowercased() } ?? "error \(code)"
    return Diagnostic(
      id: "unwritable-log", "\(message): \(reason)", nextStep: "check the path given to --log")
  }
}
