import Foundation
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Cleaning up before Ctrl-C, SIGTERM or SIGHUP end the program; the signal still does, afterwards.
enum TerminationSignals {
  private static let all: [Int32] = [SIGINT, SIGTERM, SIGHUP]
  /// Where the signal handler writes the signal's number; -1 before the first clean-up is given.
  private static let writer = Atomic<Int32>(-1)
  private static let isEnding = Atomic<Bool>(false)
  private static let cleanUps = Mutex<[@Sendable () -> Void]>([])

  /// Has `body` run when the program is interrupted. Runs on a thread of its own, in which anything
  /// is allowed.
  static func beforeEnd(_ body: @escaping @Sendable () -> Void) {
    let isFirst = cleanUps.withLock { bodies in
      bodies.append(body)
      return bodies.count == 1
    }
    guard isFirst else { return }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    writer.store(ends[1], ordering: .releasing)
    let reader = ends[0]
    Thread.detachNewThread { wait(on: reader) }
    for number in all {
      // A signal that is ignored already (nohup) stays so.
      var current = sigaction()
      if sigaction(number, nil, &current) == 0, isIgnored(current) { continue }
      signal(number) { number in
        // Nothing else is allowed in here.
        TerminationSignals.isEnding.store(true, ordering: .releasing)
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(TerminationSignals.writer.load(ordering: .acquiring), &byte, 1)
      }
    }
  }

  /// To be called before the program ends by itself: once a signal has come, the clean-up is let
  /// finish, and the signal is what ends the program.
  static func waitIfEnding() {
    while isEnding.load(ordering: .acquiring) { sleep(1) }
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      let handler = unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self)
    #elseif canImport(Musl)
      let handler = unsafeBitCast(action.__sa_handler.sa_handler, to: Int.self)
    #else
      let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    #endif
    return handler == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  private static func wait(on reader: Int32) {
    var byte: UInt8 = 0
    while true {
      let count = read(reader, &byte, 1)
      if count == 1 { break }
      if count < 0, errno == EINTR { continue }
      return
    }
    for body in cleanUps.withLock({ $0 }) { body() }
    signal(Int32(byte), SIG_DFL)
    kill(getpid(), Int32(byte))
  }
}
