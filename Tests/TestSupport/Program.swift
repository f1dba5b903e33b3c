import Foundation
import Subprocess

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What a program said and how it ended.
public struct Finished: Sendable {
  /// The exit code, or 1000 plus the number of the signal that ended it.
  public var code: Int32
  public var output: String
  public var errors: String
}

/// Programs that tests run. They wait without holding one of the few threads that all tests share,
/// which Foundation's `Process` does; its wait on Linux also never returns at times when several
/// tests start programs at once.
public enum Program {
  private static let limit = 256 << 20

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - path: The program's file, or a name that is looked up in `PATH`.
  ///   - input: Its standard input.
  ///   - environment: All of its variables; nil: those of the tests.
  ///   - folder: Where it runs; nil: where the tests do.
  public static func run(
    _ path: String, _ arguments: [String] = [], input: String = "",
    environment: [String: String]? = nil, in folder: String? = nil
  ) async throws -> Finished {
    let configuration = configuration(path, arguments, environment, folder)
    let bytes = BytesOutput.bytes(limit: limit)
    guard !input.isEmpty else {
      let result = try await Subprocess.run(
        configuration, input: .none, output: bytes, error: .bytes(limit: limit))
      return Finished(
        code: code(result.terminationStatus), output: text(result.standardOutput),
        errors: text(result.standardError))
    }
    let result = try await Subprocess.run(
      configuration, input: .array(Array(input.utf8)), output: bytes,
      error: .bytes(limit: limit))
    return Finished(
      code: code(result.terminationStatus), output: text(result.standardOutput),
      errors: text(result.standardError))
  }

  private static func configuration(
    _ path: String, _ arguments: [String], _ environment: [String: String]?, _ folder: String?
  ) -> Configuration {
    // A program that ends without reading its input must not end the tests.
    signal(SIGPIPE, SIG_IGN)
    var variables: [Environment.Key: String] = [:]
    for (name, value) in environment ?? [:] {
      if let key = Environment.Key(rawValue: name) { variables[key] = value }
    }
    return Configuration(
      executable: path.contains("/") ? .path(.init(path)) : .name(path),
      arguments: Arguments(arguments),
      environment: environment == nil ? .inherit : .custom(variables),
      workingDirectory: folder.map { .init($0) })
  }

  private static func code(_ status: TerminationStatus) -> Int32 {
    switch status {
    case .exited(let code): code
    case .signaled(let signal): 1000 + signal
    }
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
