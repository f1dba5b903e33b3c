import Foundation
import Testing

@testable import Toolchain

extension RealPython {
  /// The pinned Python where it has torch too (its CPU build will do).
  static let torch: PythonEnvironment? = pinned.flatMap { python in
    let library = URL(fileURLWithPath: python.executable).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("lib")
    let found = try? FileManager.default.contentsOfDirectory(atPath: library.path).contains {
      FileManager.default.fileExists(
        atPath: "\(library.path)/\($0)/site-packages/torch/__init__.py")
    }
    return found == true ? python : nil
  }
  static let torchReason =
    "HONE_JUDGE_PYTHON names no python with torch (Scripts/python-env --torch)"
}

/// Check and timing with the CPU build of torch: the same Python as on a GPU.
@Suite(.enabled(if: RealPython.torch != nil, "\(RealPython.torchReason)"), .timeLimit(.minutes(20)))
struct GPUSessionTests {
  private func session(_ scratch: ScratchFolder, original: String = CPUExploits.original) throws
    -> GPUSession
  {
    let python = try #require(RealPython.torch)
    var problem = GPUProblem(text: CPUExploits.problem)
    problem.device = "cpu"
    return GPUSession(
      worker: Worker(python: python, scratch: scratch, environment: RealPython.environment),
      problem: problem, original: GPUModule(name: "any", text: original))
  }

  @Test func anHonestModulePassesAndIsTimed() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let session = try session(scratch)
    let opening = try await session.open()
    #expect(opening.judge == "fp64" && opening.notes.isEmpty, "\(opening.notes)")
    let honest = GPUModule(name: "honest", text: CPUExploits.honest)
    let check = try await session.check(honest)
    #expect(check.verdict == .passed, "\(check.findings)")
    #expect(check.sha256 == honest.hash.hex)
    #expect(check.rows.count == 12, "\(check.rows.map(\.setting)) \(check.notes)")
    let quick = try await session.check(honest, quick: true)
    #expect(quick.verdict == .passed && quick.rows.count == 3)
    var options = TimingOptions()
    options.seconds = 0.3
    options.peers = ["eager", "channels-last"]
    let report = try await session.time([honest], options: options)
    let timing = try #require(report.candidate("honest"))
    #expect(timing.subject.sha256 == honest.hash.hex)
    #expect(timing.ratio.low > 0.2 && timing.ratio.high < 5)
    #expect(!timing.findings.contains { $0.reason != .escapesTheEvents }, "\(timing.findings)")
    #expect(report.peers.map(\.name) == ["peer:eager"])
    #expect(report.notes.contains { $0.contains("channels-last") })
  }

  @Test func nothingIsTimedUnchecked() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let session = try session(scratch)
    let module = GPUModule(name: "unchecked", text: CPUExploits.honest)
    var options = TimingOptions.quick
    options.seconds = 0.1
    let report = try await session.time([module], options: options)
    #expect(report.candidates.isEmpty)
    #expect(report.failures["unchecked"]?.message.contains("no check") == true)
  }

  @Test func whatIsRightOnlyUntilItIsTimed() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let session = try session(scratch)
    let patient = GPUModule(name: "patient", text: CPUExploits.patient)
    let check = try await session.check(patient)
    #expect(check.verdict == .passed, "\(check.findings)")
    var options = TimingOptions()
    options.seconds = 0.5
    let report = try await session.time([patient], options: options)
    let reasons = report.candidate("patient")?.findings.map(\.reason) ?? []
    #expect(reasons.contains(.wrongWhileTimed), "\(reasons)")
  }

  @Test func exploitsAreRejected() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let session = try session(scratch)
    for exploit in CPUExploits.all {
      let check = try await session.check(GPUModule(name: exploit.name, text: exploit.text))
      #expect(check.verdict != .passed, "\(exploit.name)")
      let reasons = Set(check.findings.map(\.reason))
      #expect(!reasons.isDisjoint(with: exploit.reasons), "\(exploit.name): \(check.findings)")
    }
    // After all of them an honest module still passes.
    let honest = try await session.check(GPUModule(name: "honest", text: CPUExploits.honest))
    #expect(honest.verdict == .passed, "\(honest.findings)")
  }

  @Test func anOriginalThatFailsIsAnError() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let session = try session(scratch, original: CPUExploits.module("", "raise ValueError('no')"))
    do {
      _ = try await session.check(GPUModule(name: "honest", text: CPUExploits.honest))
      Issue.record("checked against nothing")
    } catch {
      #expect(error.message.hasPrefix("original:"), "\(error)")
    }
  }

  @Test func settingsThatKillTheOriginalAreLeftOut() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let dies = CPUExploits.module(
      "import os", "if x.shape[0] == 7:\n    os._exit(1)\nreturn honest(x, self.weight)")
    let session = try session(scratch, original: dies)
    let check = try await session.check(GPUModule(name: "honest", text: CPUExploits.honest))
    #expect(check.verdict == .passed, "\(check.findings)")
    let opening = try await session.open()
    #expect(opening.notes.contains { $0.hasPrefix("first axis 7: left out") }, "\(opening.notes)")
  }
}
