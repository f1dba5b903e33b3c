import Dispatch
import Foundation
import Toolchain

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// While one lives, Ctrl-C and SIGTERM end the workers and remove the scratch folder before the
/// program goes; what is in a trial log stays. The exit code is 128 + the signal's number, as a
/// shell has it: 130 for Ctrl-C.
final class Interruption {
  private let sources: [any DispatchSourceSignal]

  init(cleaningUp scratch: ScratchFolder) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)  // else the process ends before the source sees it
      let source = DispatchSource.makeSignalSource(
        signal: number, queue: DispatchQueue(label: "hone.interruption"))
      source.setEventHandler {
        scratch.tearDown()
        _exit(128 + number)
      }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
}
