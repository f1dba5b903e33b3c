import Diagnostics
import Foundation
import Testing

@testable import Tuning

/// The log: complete or cut, resumed or refused, never changed in the middle.
@Suite struct TrialLogTests {
  private func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func run(_ path: String, _ texts: [String], header: TrialHeader = TrialSubjects.header())
    async throws -> (records: [TrialRecord], calls: Int)
  {
    let device = SimulatedDevice { Double($0.utf8.count) }
    let log = try TrialLog(path: path, header: header)
    let records = try await TrialSubjects.runner(device, log).run(TrialSubjects.plans(texts))
    return (records, device.calls.count { $0.hasPrefix("time") })
  }

  @Test func resumesWithoutRepeating() async throws {
    let folder = try TrialFolder()
    let path = folder.path("log.jsonl")
    let first = try await run(path, ["a", "b"])
    let second = try await run(path, ["a", "b", "c"])
    #expect(first.calls == 2 && second.calls == 1)
    #expect(Array(second.records.prefix(2)) == first.records)
    let lines = String(decoding: try bytes(path), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 1 + 2 * 3)
    #expect(lines.first?.contains("\"log\":\"hone-trials\"") == true)
  }

  /// Cut at every byte of the last two lines: complete records stay, the rest is made again.
  @Test func aTornEndIsCutAndMadeAgain() async throws {
    let folder = try TrialFolder()
    let whole = folder.path("whole.jsonl")
    let reference = try await run(whole, ["a", "b"])
    let bytes = try bytes(whole)
    let ends = bytes.indices.filter { bytes[$0] == 0x0A }
    let firstCut = ends[ends.count - 3] + 1
    for cut in stride(from: firstCut, through: bytes.count, by: 7) {
      let path = folder.path("cut.jsonl")
      try Data(bytes[..<cut]).write(to: URL(fileURLWithPath: path))
      let resumed = try await run(path, ["a", "b"])
      #expect(resumed.records.map(\.hash) == reference.records.map(\.hash))
      #expect(resumed.records.map(\.ratio) == reference.records.map(\.ratio))
      #expect(resumed.calls == (cut >= bytes.count ? 0 : 1), "cut at \(cut) of \(bytes.count)")
      let now = try self.bytes(path)
      #expect(Array(now[..<firstCut]) == Array(bytes[..<firstCut]), "complete lines are kept")
    }
  }

  /// A disk that lost power may leave the size without the bytes.
  @Test func aLastLineOfZerosIsCut() async throws {
    let folder = try TrialFolder()
    let path = folder.path("log.jsonl")
    _ = try await run(path, ["a"])
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([0, 0, 0, 0, 0x0A]))
    try handle.close()
    #expect(try await run(path, ["a"]).calls == 0)
    #expect(!(try bytes(path).contains(0)))
  }

  @Test func damageInTheMiddleIsRefused() async throws {
    let folder = try TrialFolder()
    let path = folder.path("log.jsonl")
    _ = try await run(path, ["a", "b"])
    var text = String(decoding: try bytes(path), as: UTF8.self)
    text = text.replacing("\"begin\"", with: "\"bgin\"", maxReplacements: 1)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    #expect(throws: Diagnostic.self) {
      _ = try TrialLog(path: path, header: TrialSubjects.header())
    }
    #expect(String(decoding: try bytes(path), as: UTF8.self) == text)
  }

  @Test(arguments: [
    TrialSubjects.header(device: "another GPU"), TrialSubjects.header(request: "another"),
    TrialSubjects.header(seed: 1),
  ])
  func anotherRunsLogIsRefusedAndKept(_ header: TrialHeader) async throws {
    let folder = try TrialFolder()
    let path = folder.path("log.jsonl")
    _ = try await run(path, ["a"])
    let before = try bytes(path)
    let error = #expect(throws: Diagnostic.self) {
      _ = try TrialLog(path: path, header: header)
    }
    #expect(error?.id == "another-log")
    #expect(try bytes(path) == before)
  }

  @Test func afileThatIsNoLogIsRefusedAndKept() throws {
    let folder = try TrialFolder()
    for text in ["import torch\n", "notes without a line end", "{\"a\": 1}\n"] {
      let path = folder.path("file")
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      #expect(throws: Diagnostic.self) {
        _ = try TrialLog(path: path, header: TrialSubjects.header())
      }
      #expect(String(decoding: try bytes(path), as: UTF8.self) == text)
    }
  }

  @Test func aLogHasOneWriter() throws {
    let folder = try TrialFolder()
    let path = folder.path("log.jsonl")
    let log = try TrialLog(path: path, header: TrialSubjects.header())
    let error = #expect(throws: Diagnostic.self) {
      _ = try TrialLog(path: path, header: TrialSubjects.header())
    }
    #expect(error?.id == "log-in-use")
    _ = log.records
  }

  /// A candidate that takes the machine down with it is not tried forever.
  @Test func aTrialThatNeverEndsIsGivenUp() async throws {
    let folder = try TrialFolder()
    let path = folder.path("log.jsonl")
    let plan = try #require(TrialSubjects.plans(["bad"]).first)
    for attempt in 1...TrialLog.defaultAttempts {
      let log = try TrialLog(path: path, header: TrialSubjects.header())
      #expect(log.interruptions(of: plan.key) == attempt - 1)
      #expect(try log.begin(plan.key, what: "bad") == attempt)
    }
    let result = try await run(path, ["bad", "good"])
    #expect(result.records.map(\.verdict) == [.interrupted, .accepted])
    #expect(result.calls == 1)
    #expect(try await run(path, ["bad", "good"]).calls == 0)
  }

  @Test func unwritableLogsAreSaid() {
    let error = #expect(throws: Diagnostic.self) {
      _ = try TrialLog(path: "/no/such/folder/log.jsonl", header: TrialSubjects.header())
    }
    #expect(error?.id == "unwritable-log")
  }
}
