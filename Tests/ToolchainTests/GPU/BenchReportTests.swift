import Foundation
import Testing

@testable import Toolchain

struct BenchReportTests {
  private let opening = GPUSession.Opening(
    gpu: "NVIDIA TEST", capability: "9.0", torch: "2.11.0", triton: "3.6.0", inputBytes: 1024,
    judge: "fp64", notes: ["first axis 7: left out: Model refuses this size"],
    originalSHA256: Fabricated.hash)

  @Test func timesFollowAPassedCheck() throws {
    let timing = try Fabricated.report(Fabricated.timed(Fabricated.subject("candidate", 0.1)))
    let report = BenchReport(
      opening: opening, checks: [.init(name: "candidate", check: Fabricated.check())],
      timing: timing)
    #expect(report.isAccepted)
    #expect(
      report.text() == """
        candidate: passed, 14 settings on the GPU
          closest to the limit: seed 1, relative error 1.0e-07 against fp64, the original's 1.0e-07, allowed 1.5e-05
        note: first axis 7: left out: Model refuses this size

        measured on NVIDIA TEST, 30 rounds; milliseconds, medians
                   device  ratio   95 % interval  forward  kernels   graph  error
        original   0.2020      -               -   0.2323   0.2000  0.2010      -
        candidate  0.1010  2.000  2.000 to 2.000   0.1313   0.1000  0.1000      -

        """)
  }

  @Test func aFailedCheckComesWithItsReasonAndNoTimes() throws {
    let check = Fabricated.check("seed 2") { $0.mutated = ["0"] }
    let report = BenchReport(
      opening: opening, checks: [.init(name: "candidate", check: check)])
    #expect(!report.isAccepted)
    #expect(
      report.text().hasPrefix("candidate: FAILED\n  mutates-input: seed 2: input 0 is changed\n"))
    #expect(!report.text().contains("measured on"))
  }

  @Test func timesThatAreNotBelievedAreMarked() throws {
    var candidate = Fabricated.subject("candidate", 0.1)
    candidate.trace?.kernels?[0].streams = [13]
    let report = BenchReport(
      opening: opening, checks: [.init(name: "candidate", check: Fabricated.check())],
      timing: try Fabricated.report(Fabricated.timed(candidate)))
    #expect(!report.isAccepted)
    #expect(report.text().contains("candidate: REJECTED: side-stream: work on stream 13"))
  }

  @Test func theRecordIsJSON() throws {
    let timing = try Fabricated.report(Fabricated.timed(Fabricated.subject("candidate", 0.1)))
    let report = BenchReport(
      opening: opening, checks: [.init(name: "candidate", check: Fabricated.check())],
      timing: timing)
    let read = try JSONDecoder().decode(BenchReport.self, from: Data(try report.json().utf8))
    #expect(read.timing == timing)
    #expect(read.checks.first?.check.sha256 == Fabricated.hash)
  }
}
