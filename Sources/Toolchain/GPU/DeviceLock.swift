import Diagnostics

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A GPU shared by several processes of a machine so that no timing is disturbed.
///
/// Who times holds the device alone; who checks holds it beside other checks; who compiles needs no
/// hold. The locks are on two files in `/tmp` named after the device and go with the process,
/// whatever ends it. The second file is a gate: whoever waits for the device alone keeps it shut, so
/// that an endless stream of checks cannot keep a timing waiting.
public final class DeviceLock: Sendable {
  private let gate: Int32
  private let device: Int32
  /// How often a waiting process looks again.
  private static let interval = Duration.milliseconds(2)

  /// - Parameter device: the GPU's UUID, or its name and index.
  /// - Returns: nil where no lock file can be made; timing is then not protected from other runs.
  public init?(device: String, folder: String = "/tmp") {
    let name = String(device.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" })
    func file(_ suffix: String) -> Int32 {
      let descriptor = open("\(folder)/hone-\(name).\(suffix)", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      // Another user's run must be able to take it too, whatever our mask says.
      if descriptor >= 0 { _ = fchmod(descriptor, 0o666) }
      return descriptor
    }
    gate = file("gate")
    self.device = file("lock")
    guard gate >= 0, self.device >= 0 else {
      if gate >= 0 { close(gate) }
      if self.device >= 0 { close(self.device) }
      return nil
    }
  }

  /// The lock of a GPU: every process finds the same, whatever number it knows the GPU by.
  public convenience init?(_ device: PythonReport.Device) {
    self.init(device: "gpu-" + (device.uuid ?? "\(device.name)-\(device.index)"))
  }

  /// What to tell where there is no lock.
  public static let absence =
    "no lock file can be made in /tmp: other runs of hone may disturb the timings"

  deinit {
    close(gate)
    close(device)
  }

  /// Waits for the device.
  /// - Parameter alone: for timing; otherwise beside others that are not alone.
  /// - Throws: `CancellationError`; nothing is held then.
  public func acquire(alone: Bool) async throws {
    try await wait(gate, LOCK_EX)
    defer { _ = flock(gate, LOCK_UN) }
    try await wait(device, alone ? LOCK_EX : LOCK_SH)
  }

  public func release() { _ = flock(device, LOCK_UN) }

  private func wait(_ descriptor: Int32, _ kind: Int32) async throws {
    while flock(descriptor, kind | LOCK_NB) != 0 {
      try await Task.sleep(for: Self.interval)
    }
  }

  /// Runs `body` while the device is held.
  public func hold<Result: Sendable>(
    alone: Bool, _ body: @Sendable () async -> Result
  ) async throws -> Result {
    try await acquire(alone: alone)
    let result = await body()
    release()
    return result
  }
}
