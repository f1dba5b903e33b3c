/// Compiling ahead of the check.
extension GPUSession {
  private struct WarmRequest: Encodable, Sendable {
    var name: String
  }

  private struct Warmed: Decodable, Sendable {
    var launches: Int
    var seconds: Double
    var note: String?
  }

  /// Compiles what a candidate launches, several configs at once, and launches nothing: the check
  /// and the timing that follow hold the GPU for moments instead of minutes. Faults of the candidate
  /// are left for `check` to find.
  ///
  /// - Returns: how many launches were compiled for, every config of an autotuner counted.
  @discardableResult
  public func warm(_ candidate: GPUModule) async throws(WorkerFailure) -> Int {
    try await open()
    do {
      _ = try await load(candidate)
      return try await warm(loaded: candidate.name)
    } catch {
      switch error.kind {
      case .notStarted, .cancelled, .protocol: throw error
      default: return 0
      }
    }
  }

  func warm(loaded name: String) async throws(WorkerFailure) -> Int {
    try await call(
      "gpu.warm", WarmRequest(name: name), deadline: .seconds(300), as: Warmed.self
    ).launches
  }

  private struct TrimRequest: Encodable, Sendable {
    var all: Bool
  }

  /// Gives memory that torch keeps for later back to other processes on the GPU.
  ///
  /// - Parameter all: also drops results of the original that are kept for the next check.
  public func trim(all: Bool = false) async {
    // A process that fails here is ended, which gives back all its memory.
    _ = try? await call(
      "gpu.trim", TrimRequest(all: all), deadline: .seconds(60), as: Nothing.self)
  }
}
