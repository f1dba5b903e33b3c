import Diagnostics

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A GPU held by one process while it times, across all processes of the machine.
///
/// The lock is on a file in `/tmp` named after the device, so several runs share a GPU: they compile
/// and check side by side and time one after another. It goes with the process, whatever ends it.
public final class DeviceLock: Sendable {
  private let descriptor: Int32
  /// How often a waiting process looks again.
  private static let interval = Duration.milliseconds(3)

  /// - Parameter device: the GPU's UUID, or its name and index.
  /// - Returns: nil where no lock file can be made; timing is then not protected from other runs.
  public init?(device: String, folder: String = "/tmp") {
    let name = String(device.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" })
    let path = "\(folder)/hone-\(name).lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return nil }
    // Another user's run must be able to take it too, whatever our mask says.
    _ = fchmod(descriptor, 0o666)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Runs `body` while the device is held.
  /// - Throws: `CancellationError` while it waits.
  public func hold<Result: Sendable>(_ body: @Sendable () async -> Result) async throws -> Result {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      try await Task.sleep(for: Self.interval)
    }
    let result = await body()
    _ = flock(descriptor, LOCK_UN)
    return result
  }
}
