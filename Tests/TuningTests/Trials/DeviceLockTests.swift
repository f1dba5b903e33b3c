import Foundation
import Synchronization
import Testing

@testable import Tuning

@Suite struct DeviceLockTests {
  private final class Holders: Sendable {
    let now = Mutex(0)
    let most = Mutex(0)
    func enter() {
      let count = now.withLock { value in
        value += 1
        return value
      }
      most.withLock { $0 = max($0, count) }
    }
    func leave() { now.withLock { $0 -= 1 } }
  }

  /// Each lock is a file description of its own, as in several processes.
  @Test func oneAtATime() async throws {
    let folder = try TrialFolder()
    let holders = Holders()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let lock = try #require(DeviceLock(device: "GPU-1/2 3", folder: folder.url.path))
          for _ in 0..<10 {
            try await lock.hold {
              holders.enter()
              try? await Task.sleep(for: .microseconds(200))
              holders.leave()
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(holders.most.withLock { $0 } == 1)
    #expect(FileManager.default.fileExists(atPath: folder.path("hone-GPU-1_2_3.lock")))
  }

  @Test func saysWhereThereIsNone() {
    #expect(DeviceLock(device: "a", folder: "/no/such/folder") == nil)
  }

  @Test func waitingCanBeCancelled() async throws {
    let folder = try TrialFolder()
    let held = try #require(DeviceLock(device: "a", folder: folder.url.path))
    let waiting = try #require(DeviceLock(device: "a", folder: folder.url.path))
    try await held.hold {
      let task = Task { try await waiting.hold {} }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }
}
