import Diagnostics
import Foundation
import TestSupport

@testable import Toolchain

/// A program that Hone takes for a Python: `EXECUTABLE -u main.py SCRATCH`.
final class FakeWorker: Sendable {
  let scratch: ScratchFolder
  let worker: Worker
  /// A file that the program may leave marks in.
  let marks: String

  /// - Parameter body: shell code that runs after the handshake; `$MARKS` is a file for it.
  init(_ body: String, handshake: Bool = true, startLimit: Duration = .seconds(600)) throws {
    scratch = try ScratchFolder()
    let folder = try scratch.makeFolder("fake")
    marks = folder + "/marks"
    let ready = handshake ? #"printf '{"ready":1}\n'"# : ""
    let program = folder + "/python3"
    try Script.write("#!/bin/sh\nMARKS='\(marks)'\n\(ready)\n\(body)\n", to: program)
    worker = Worker(
      python: PythonEnvironment(executable: program), scratch: scratch,
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], startLimit: startLimit)
  }

  deinit { scratch.tearDown() }

  /// What the program left in its file.
  var marked: String { (try? String(contentsOfFile: marks, encoding: .utf8)) ?? "" }

  /// The failure of a call, nil when it succeeds. Deadlines that are not what a test is about are
  /// long: while hundreds of tests share a few threads, an answer may wait for minutes to be read.
  func failure(deadline: Duration = .seconds(600)) async -> WorkerFailure? {
    do {
      _ = try await worker.call("ask", Question(), deadline: deadline, as: Answer.self)
      return nil
    } catch {
      return error
    }
  }

  func answer(deadline: Duration = .seconds(600)) async throws(WorkerFailure) -> Int {
    try await worker.call("ask", Question(), deadline: deadline, as: Answer.self).value
  }
}

struct Question: Codable, Sendable {
  var what = "?"
}

struct Answer: Codable, Sendable {
  var value: Int
}

/// Whether a process is there and not a zombie that nobody has waited for.
func isRunning(_ process: Int32) -> Bool {
  guard kill(process, 0) == 0 else { return false }
  guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
    let close = stat.lastIndex(of: ")")
  else { return true }
  return !stat[close...].hasPrefix(") Z")
}
