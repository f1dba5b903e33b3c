import Synchronization

/// One lock for all atomic operations of a launch that runs on several threads.
final class AtomicLock: Sendable {
  private let isTaken = Atomic<Bool>(false)

  func acquire() {
    while isTaken.exchange(true, ordering: .acquiring) {
      while isTaken.load(ordering: .relaxed) {}
    }
  }

  func release() { isTaken.store(false, ordering: .releasing) }
}
