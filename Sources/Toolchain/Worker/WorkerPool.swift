/// Several workers that share the calls: each call goes to one that is free, and waits for one if
/// none is.
public actor WorkerPool {
  public nonisolated let workers: [Worker]
  private var free: [Int]
  private var waiting: [CheckedContinuation<Int, Never>] = []

  /// - Parameters:
  ///   - count: at least 1.
  ///   - variables: environment variables of each worker on top of `environment`, by its number;
  ///     `CUDA_VISIBLE_DEVICES` gives each a GPU of its own.
  public init(
    python: PythonEnvironment, scratch: ScratchFolder, environment: [String: String], count: Int,
    variables: (Int) -> [String: String] = { _ in [:] }
  ) {
    workers = (0..<max(1, count)).map { index in
      Worker(
        python: python, scratch: scratch,
        environment: environment.merging(variables(index)) { $1 })
    }
    free = Array(workers.indices.reversed())
  }

  /// Runs `body` with a worker that nobody else uses meanwhile.
  public func withWorker<Result: Sendable>(
    _ body: @Sendable (Worker, _ index: Int) async throws(WorkerFailure) -> Result
  ) async throws(WorkerFailure) -> Result {
    let index = await take()
    defer { give(back: index) }
    return try await body(workers[index], index)
  }

  /// `Worker.call` on a worker that is free.
  public func call<Request: Encodable & Sendable, Reply: Decodable & Sendable>(
    _ operation: String, _ request: Request, deadline: Duration, as type: Reply.Type
  ) async throws(WorkerFailure) -> Reply {
    let index = await take()
    defer { give(back: index) }
    return try await workers[index].call(operation, request, deadline: deadline, as: type)
  }

  /// Ends all processes.
  public func stop() async {
    await withTaskGroup(of: Void.self) { group in
      for worker in workers { group.addTask { await worker.stop() } }
    }
  }

  private func take() async -> Int {
    if let index = free.popLast() { return index }
    return await withCheckedContinuation { waiting.append($0) }
  }

  private func give(back index: Int) {
    if waiting.isEmpty {
      free.append(index)
    } else {
      waiting.removeFirst().resume(returning: index)
    }
  }
}
