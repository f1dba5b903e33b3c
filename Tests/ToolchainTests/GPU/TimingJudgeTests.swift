import Testing

@testable import Toolchain

struct TimingJudgeTests {
  private func reasons(_ timing: CandidateTiming?) -> [Rejection] {
    (timing?.findings ?? []).map(\.reason)
  }

  @Test func anHonestReplyIsBelieved() throws {
    let timing = try #require(try Fabricated.timing())
    #expect(timing.isAccepted && timing.isStable)
    #expect(abs(timing.ratio.ratio - 2) < 1e-9)
    #expect(timing.ratio.low <= 2 && timing.ratio.high >= 2)
    #expect(timing.subject.trace.first?.isOwn == true)
    #expect(timing.subject.kernels?.median == 0.1)
  }

  @Test func workOnASideStream() throws {
    let late = try Fabricated.timing {
      $0.wallMilliseconds = $0.wallEventMilliseconds.map { $0 + 0.2 }
    }
    #expect(reasons(late) == [.escapesTheEvents])
    let stream = try Fabricated.timing { $0.trace?.kernels?[0].streams = [7, 13] }
    #expect(reasons(stream) == [.sideStream])
  }

  @Test func clocksThatLie() throws {
    let slow = try Fabricated.timing {
      $0.wallMilliseconds = $0.wallEventMilliseconds.map { 0.1 * $0 }
    }
    #expect(reasons(slow) == [.clockLies])
    let cross = TimingJudge.CrossCheck(outsideSeconds: 0.5, claimedSeconds: 0.05, calls: 500)
    #expect(reasons(try Fabricated.timing(cross: cross)) == [.clockLies])
    let fine = TimingJudge.CrossCheck(outsideSeconds: 0.052, claimedSeconds: 0.05, calls: 500)
    #expect(reasons(try Fabricated.timing(cross: fine)) == [])
  }

  @Test func fasterThanTheBytesAllow() throws {
    #expect(reasons(try Fabricated.timing(floorSeconds: 0.00015)) == [.belowTheFloor])
    #expect(reasons(try Fabricated.timing(floorSeconds: 0.00005)) == [])
    #expect(reasons(try Fabricated.timing(ownFloorSeconds: 0.00015)) == [.belowTheFloor])
    #expect(reasons(try Fabricated.timing(ownFloorSeconds: 0.00005)) == [])
    // A floor that the original itself beats is none.
    let report = try Fabricated.report(
      Fabricated.timed(Fabricated.subject("candidate", 0.1)), floorSeconds: 0.001)
    #expect(reasons(report.candidate("candidate")) == [])
    #expect(report.notes.contains { $0.contains("floor") })
    let own = try Fabricated.report(
      Fabricated.timed(Fabricated.subject("candidate", 0.1)), ownFloorSeconds: 0.00015,
      ownFloorOfOriginal: 0.0003)
    #expect(reasons(own.candidate("candidate")) == [])
    #expect(own.notes.contains { $0.contains("floor of its products") })
  }

  @Test func resultsOfTimedCallsCount() throws {
    #expect(reasons(try Fabricated.timing { $0.checks[1].relativeL2 = 1.4 }) == [.wrongWhileTimed])
    #expect(reasons(try Fabricated.timing { $0.checks[0].nonFinite = 3 }) == [.wrongWhileTimed])
    #expect(reasons(try Fabricated.timing { $0.checks[0].shapes = false }) == [.wrongWhileTimed])
    #expect(reasons(try Fabricated.timing { $0.checks[0].relativeL2 = .nan }) == [.wrongWhileTimed])
    #expect(reasons(try Fabricated.timing { $0.checks = [] }) == [.lied])
  }

  @Test func whoDoesTheWork() throws {
    func kernel(_ name: String, _ time: Double) -> GPUReplies.Kernel {
      .init(name: name, kind: "kernel", count: 5, microseconds: time, streams: [7])
    }
    let fallback = try Fabricated.timing {
      $0.trace?.kernels = [kernel("vectorized_elementwise_kernel<4>", 500)]
    }
    #expect(reasons(fallback) == [.noOwnKernel])
    let library = try Fabricated.timing {
      $0.trace?.kernels = [kernel("rows", 10), kernel("sm90_xmma_gemm_f32f32", 500)]
    }
    #expect(reasons(library).contains(.libraryCall))
    let copy = try Fabricated.timing {
      $0.trace?.kernels = [kernel("rows", 400), kernel("elementwise_copy", 50)]
    }
    #expect(reasons(copy) == [])
    let mostlyTorch = try Fabricated.timing {
      $0.trace?.kernels = [kernel("rows", 100), kernel("elementwise_copy", 500)]
    }
    #expect(reasons(mostlyTorch) == [.libraryCall])
  }

  @Test func noTraceIsSaid() throws {
    var candidate = Fabricated.subject("candidate", 0.1)
    candidate.trace = .init(unavailable: "CUPTI is missing")
    let report = try Fabricated.report(Fabricated.timed(candidate))
    #expect(report.candidate("candidate")?.isAccepted == true)
    #expect(report.notes.contains { $0.contains("CUPTI is missing") })
  }

  @Test func aNoisyRatioIsUnstable() throws {
    let wild = (0..<30).map { (index: Int) -> Double in 0.1 + 0.008 * Double(index * 7 % 11) }
    let noisy = try Fabricated.timing { $0.deviceMilliseconds = wild }
    #expect(noisy?.isStable == false)
    let drifting = try Fabricated.timing {
      $0.deviceMilliseconds =
        Array(repeating: 0.1, count: 15) + Array(repeating: 0.1101, count: 15)
    }
    #expect(drifting?.isStable == false)
  }

  @Test func theMeasuredFileIsTheSentOne() throws {
    #expect(reasons(try Fabricated.timing { $0.sha256 = "b" }) == [.wrongFile])
    #expect(reasons(try Fabricated.timing { $0.sha256 = nil }) == [.wrongFile])
  }

  @Test func repliesThatLie() {
    func failure(_ change: (inout GPUReplies.Timed) -> Void) -> WorkerFailure.Kind? {
      var reply = Fabricated.timed(Fabricated.subject("candidate", 0.1))
      change(&reply)
      do {
        _ = try Fabricated.report(reply)
        return nil
      } catch { return (error as? WorkerFailure)?.kind }
    }
    #expect(failure { $0.subjects.removeFirst() } == .lied)
    #expect(failure { $0.subjects.removeLast() } == .lied)
    #expect(failure { $0.subjects[1].deviceMilliseconds = [] } == .lied)
    #expect(failure { $0.subjects[1].deviceMilliseconds[2] = -1 } == .lied)
    #expect(failure { $0.subjects[1].deviceMilliseconds[2] = .nan } == .lied)
    #expect(failure { $0.subjects[0].sha256 = "b" } == .lied)
    #expect(failure { $0.subjects[1].deviceMilliseconds.removeLast() } == .lied)
    #expect(
      failure {
        $0.subjects.removeLast()
        $0.failures = ["candidate": .init(kind: "python", message: "candidate: no")]
      } == nil)
  }

  @Test func whatHappenedToTheProcessCounts() throws {
    var reply = Fabricated.timed(Fabricated.subject("candidate", 0.1))
    reply.integrity.patched = ["torch.cuda.Event.elapsed_time"]
    #expect(reasons(try Fabricated.report(reply).candidate("candidate")) == [.patchesFunctions])
  }
}
