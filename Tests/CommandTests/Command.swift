import Foundation
import TestSupport
import Testing

/// Runs the built `hone` binary.
enum Command {
  static let binary = Checkout.binary("hone")

  static func run(
    _ arguments: [String], input: String = "", in folder: URL? = nil
  ) async throws -> Finished {
    try await Program.run(
      try #require(binary).path, arguments, input: input,
      environment: ["COLUMNS": "80", "PATH": "/usr/bin:/bin"], in: folder?.path)
  }
}
