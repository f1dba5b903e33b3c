import Foundation

/// Runs deeply recursive work on a thread whose stack suits it.
enum LargeStack {
  /// 256 MiB of address space; pages are committed as they are touched.
  private static let bytes = 256 << 20

  private final class Box<Result: Sendable>: @unchecked Sendable {
    var result: Result?
  }

  private static let name = "hone-large-stack"

  static func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) -> Result {
    if Thread.current.name == name { return work() }
    let box = Box<Result>()
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      // The semaphore orders this write before the read below.
      box.result = work()
      done.signal()
    }
    thread.stackSize = bytes
    thread.name = name
    thread.start()
    done.wait()
    // The thread sets the result before it signals.
    if let result = box.result { return result }
    return work()
  }
}
