import Foundation
import TestSupport
import Testing

@testable import Tuning

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A run of trials in a process of its own, killed with SIGKILL again and again.
@Suite struct KilledRunTests {
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
  }

  private struct Line: Decodable {
    var begin: String?
    var end: String?
    var hash: String?
  }

  /// 200 kills at random moments: every trial has exactly one record at the end, and none was
  /// begun again after it had one.
  @Test(.timeLimit(.minutes(20))) func noTrialIsLostOrRepeated() throws {
    let program = try #require(
      Checkout.binary("hone-trials")?.path, "the executable hone-trials is built beside the tests")
    let folder = try TrialFolder()
    var random = Generator(state: 20_261_121)
    let count = 150
    var kills = 0
    var logs = 0
    var inside = 0
    let start = try duration(of: program, folder.path("first.jsonl"))
    let perTrial = size(of: folder.path("first.jsonl")) / 2
    while kills < 200 {
      logs += 1
      let path = folder.path("log-\(logs).jsonl")
      var isDone = false
      while !isDone {
        let before = size(of: path)
        let process = try #require(ChildProcess(program, [path, "\(count)", "2000"]))
        if kills < 200 {
          if Int.random(in: 0..<4, using: &random) == 0 {
            // While it starts, or reads the log.
            usleep(UInt32(start * Double.random(in: 0...1.2, using: &random)))
          } else {
            // Among the trials, however slowly this machine starts a process.
            let target = before + Int.random(in: 1...3 * perTrial, using: &random)
            while size(of: path) < target, !process.hasEnded { usleep(200) }
            usleep(UInt32.random(in: 0..<4000, using: &random))
          }
          process.send(signal: SIGKILL)
        }
        let status = process.wait()
        if status == 1000 + SIGKILL {
          kills += 1
        } else {
          try #require(status == 0)
          isDone = true
        }
      }
      inside += try verify(path, count)
    }
    #expect(kills >= 200)
    // Else the kills all fell before the first trial and prove nothing.
    #expect(inside > 10, "\(inside) of \(kills) kills fell inside a trial")
  }

  /// Microseconds that a run of one trial takes from start to end.
  private func duration(of program: String, _ path: String) throws -> Double {
    let start = ContinuousClock.now
    _ = try #require(ChildProcess(program, [path, "1", "0"])).wait()
    let taken = (ContinuousClock.now - start).components
    return Double(taken.seconds) * 1e6 + Double(taken.attoseconds) * 1e-12
  }

  private func size(of path: String) -> Int {
    var information = stat()
    return stat(path, &information) == 0 ? Int(information.st_size) : 0
  }

  /// - Returns: how many trials were interrupted.
  private func verify(_ path: String, _ count: Int) throws -> Int {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(data.last == 0x0A)
    var ended: [String: String] = [:]
    var begun: [String: Int] = [:]
    for line in data.split(separator: 0x0A).dropFirst() {
      let entry = try JSONDecoder().decode(Line.self, from: Data(line))
      if let key = entry.begin {
        #expect(ended[key] == nil, "a finished trial was begun again")
        begun[key, default: 0] += 1
      }
      if let key = entry.end {
        #expect(ended[key] == nil, "a trial has two records")
        ended[key] = entry.hash
      }
    }
    let expected = Set((0..<count).map { TrialSubjects.candidate("text \($0)").hash.hex })
    #expect(Set(ended.values) == expected)
    #expect(ended.count == count && begun.count == count)
    return begun.values.reduce(0) { $0 + $1 - 1 }
  }
}
