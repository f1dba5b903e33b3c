import Foundation
import Synchronization
import Testing
import Toolchain

@Suite struct DeviceLockTests {
  private final class Holders: Sendable {
    let now = Mutex((alone: 0, shared: 0))
    let faults = Mutex(0)
    let mostShared = Mutex(0)

    func enter(alone: Bool) {
      let count = now.withLock { value in
        if alone { value.alone += 1 } else { value.shared += 1 }
        return value
      }
      if count.alone > 1 || (count.alone == 1 && count.shared > 0) {
        faults.withLock { $0 += 1 }
      }
      mostShared.withLock { $0 = max($0, count.shared) }
    }
    func leave(alone: Bool) {
      now.withLock { value in
        if alone { value.alone -= 1 } else { value.shared -= 1 }
      }
    }
  }

  /// Each lock is a file description of its own, as in several processes.
  @Test func timingIsAlone() async throws {
    let folder = try TrialFolder()
    let holders = Holders()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask {
          let lock = try #require(DeviceLock(device: "GPU-1/2 3", folder: folder.url.path))
          for turn in 0..<10 {
            let alone = (worker + turn) % 2 == 0
            try await lock.hold(alone: alone) {
              holders.enter(alone: alone)
              try? await Task.sleep(for: .milliseconds(1))
              holders.leave(alone: alone)
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(holders.faults.withLock { $0 } == 0)
    #expect(FileManager.default.fileExists(atPath: folder.path("hone-GPU-1_2_3.lock")))
  }

  @Test func checksRunBesideEachOther() async throws {
    let folder = try TrialFolder()
    let first = try #require(DeviceLock(device: "a", folder: folder.url.path))
    let second = try #require(DeviceLock(device: "a", folder: folder.url.path))
    try await first.acquire(alone: false)
    try await second.acquire(alone: false)
    first.release()
    second.release()
    try await first.acquire(alone: true)
    first.release()
  }

  @Test func saysWhereThereIsNone() {
    #expect(DeviceLock(device: "a", folder: "/no/such/folder") == nil)
  }

  @Test func waitingCanBeCancelled() async throws {
    let folder = try TrialFolder()
    let held = try #require(DeviceLock(device: "a", folder: folder.url.path))
    let waiting = try #require(DeviceLock(device: "a", folder: folder.url.path))
    try await held.acquire(alone: true)
    let task = Task { try await waiting.acquire(alone: true) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    held.release()
    try await waiting.acquire(alone: true)
  }
}
