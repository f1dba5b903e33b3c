import Diagnostics
import Foundation

/// Runs an evaluation on a thread of its own whose stack holds the deepest nesting that the limits
/// allow; the caller waits.
enum LargeStack {
  /// Reserved, not committed: pages are taken as they are touched.
  private static let bytes = 512 << 20

  private final class Slot<Result: Sendable>: @unchecked Sendable {
    // Written by the thread before `done` is signalled, read after it.
    var result: Result?
    let done = DispatchSemaphore(value: 0)
  }

  static func run<Success: Sendable>(
    _ body: @escaping @Sendable () -> Result<Success, Diagnostic>
  ) throws(Diagnostic) -> Success {
    let slot = Slot<Result<Success, Diagnostic>>()
    let thread = Thread {
      slot.result = body()
      slot.done.signal()
    }
    thread.stackSize = bytes
    thread.start()
    slot.done.wait()
    guard let result = slot.result else {
      throw Diagnostic(id: "host-limit", "the evaluation ended without a result")
    }
    return try result.get()
  }
}
