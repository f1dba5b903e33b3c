import ArgumentParser
import Diagnostics
import Requests

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// How a run ends, as its exit code tells.
enum Outcome: Int32 {
  case done = 0
  /// The answer is no: a check failed, a rule is broken.
  case no = 1
  /// The input or the arguments are at fault.
  case input = 2
  /// The environment is: a tool is missing, a disk is full.
  case environment = 3
}

/// Ends a run with an outcome; the messages are already printed or given here.
struct Failure: Error {
  var outcome: Outcome
  var diagnostics: [Diagnostic] = []

  /// Reports an error on standard error and exits with its code. The one place that does either.
  static func exit(for error: any Error) -> Never {
    // What a run that is being interrupted fails of is no news.
    TerminationSignals.waitIfEnding()
    switch error {
    case is ClosedPipe:
      quit(.done)
    case let failure as Failure:
      StandardError.print(failure.diagnostics)
      quit(failure.outcome)
    case let errors as InputErrors:
      StandardError.print(errors.diagnostics)
      quit(.input)
    case let diagnostic as Diagnostic:
      StandardError.print([diagnostic])
      quit(.input)
    default:
      exitWithUsage(error)
    }
  }

  /// Help and version requests, and what ArgumentParser finds wrong with the arguments.
  private static func exitWithUsage(_ error: any Error) -> Never {
    let text = Hone.fullMessage(for: error)
    if Hone.exitCode(for: error).isSuccess {
      // Help that nobody can read has no other place to be told.
      if !text.isEmpty { try? StandardOutput.write(text + "\n") }
      quit(.done)
    }
    if !text.isEmpty {
      // ArgumentParser writes "Error: …"; every other message of this program is lower case.
      let isPlain = text.hasPrefix("Error: ")
      StandardError.write((isPlain ? "error: " + text.dropFirst(7) : text) + "\n")
    }
    quit(.input)
  }

  private static func quit(_ outcome: Outcome) -> Never {
    TerminationSignals.waitIfEnding()
    #if canImport(Darwin)
      Darwin.exit(outcome.rawValue)
    #elseif canImport(Musl)
      Musl.exit(outcome.rawValue)
    #else
      Glibc.exit(outcome.rawValue)
    #endif
  }
}
