#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A program that a test does something to while it runs, started and waited for by the calling
/// thread: when that happens must not depend on when one of the threads that all tests share is
/// free. Its output is thrown away.
public struct ChildProcess: Sendable {
  public let id: Int32

  /// - Parameter environment: All of its variables; nil: those of the tests.
  /// - Returns: nil when the program cannot be started.
  public init?(_ path: String, _ arguments: [String], environment: [String: String]? = nil) {
    var words = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var variables = (environment ?? [:]).map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for variable in variables { free(variable) } }
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var process: pid_t = 0
    let status =
      environment == nil
      ? posix_spawn(&process, path, &actions, nil, &words, environ)
      : posix_spawn(&process, path, &actions, nil, &words, &variables)
    guard status == 0 else { return nil }
    id = process
  }

  public func send(signal number: Int32) { kill(id, number) }

  /// True when it ended; it can still be waited for.
  public var hasEnded: Bool {
    var information = siginfo_t()
    guard waitid(P_PID, id_t(id), &information, WEXITED | WNOHANG | WNOWAIT) == 0 else {
      return true
    }
    return information.si_signo == SIGCHLD
  }

  /// Waits for its end: the exit code, or 1000 plus the number of the signal that ended it.
  public func wait() -> Int32 {
    var status: Int32 = 0
    while waitpid(id, &status, 0) == -1, errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? status >> 8 & 0xFF : 1000 + signal
  }
}
