import Synchronization

/// A queue with one reader, which waits without a thread until something is there.
///
/// Unlike an `AsyncStream` it survives a reader that gives up: timers and cancellation are letters
/// like any other.
final class Mailbox<Letter: Sendable>: Sendable {
  private struct State {
    var letters: [Letter] = []
    var reader: CheckedContinuation<Letter, Never>?
  }
  private let state = Mutex(State())

  /// Hands a letter over; false where `limit` unread ones lie there already, and it is dropped.
  @discardableResult
  func deliver(_ letter: Letter, limit: Int = .max) -> Bool {
    let (reader, isTaken) = state.withLock {
      state -> (CheckedContinuation<Letter, Never>?, Bool) in
      if let reader = state.reader {
        state.reader = nil
        return (reader, true)
      }
      guard state.letters.count < limit else { return (nil, false) }
      state.letters.append(letter)
      return (nil, true)
    }
    reader?.resume(returning: letter)
    return isTaken
  }

  /// The next letter. Only one task at a time may wait.
  func next() async -> Letter {
    await withCheckedContinuation { continuation in
      let letter = state.withLock { state -> Letter? in
        if !state.letters.isEmpty { return state.letters.removeFirst() }
        precondition(state.reader == nil, "a mailbox has one reader")
        state.reader = continuation
        return nil
      }
      if let letter { continuation.resume(returning: letter) }
    }
  }
}
