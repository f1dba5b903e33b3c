import Testing

@testable import Toolchain

struct CheckJudgeTests {
  private func reasons(_ check: GPUCheck) -> [Rejection] { check.findings.map(\.reason) }

  @Test func anHonestReplyPasses() {
    let check = Fabricated.check()
    #expect(check.verdict == .passed && check.findings.isEmpty)
    #expect(check.rows.count == Fabricated.settings.count && check.configs == 2)
  }

  @Test func errorsAreMeasuredByTheOriginals() {
    // 2^-16 is what a sum in another order may cost in fp32; twice the original's error is allowed.
    #expect(
      Fabricated.check { $0.outputs = [Fabricated.output(Fabricated.figures(1.4e-5))] }
        .verdict == .passed)
    let worse = Fabricated.check { $0.outputs = [Fabricated.output(Fabricated.figures(3e-5))] }
    #expect(reasons(worse) == [.wrongResult] && worse.verdict == .failed)
    let original = Fabricated.figures(2e-4, worst: 2e-3)
    #expect(
      Fabricated.check {
        $0.outputs = [
          Fabricated.output(Fabricated.figures(3.9e-4, worst: 7e-3), original: original)
        ]
      }.verdict == .passed)
    #expect(
      reasons(
        Fabricated.check {
          $0.outputs = [
            Fabricated.output(Fabricated.figures(4.1e-4, worst: 7e-3), original: original)
          ]
        }) == [.wrongResult])
    #expect(
      reasons(
        Fabricated.check {
          $0.outputs = [Fabricated.output(Fabricated.figures(1e-7, worst: 1e-2))]
        }) == [.wrongResult])
  }

  @Test func precisionIsGivenUpOnlyWhereAllowed() {
    let half = Fabricated.output(Fabricated.figures(4e-4, worst: 2e-3))
    #expect(Fabricated.check { $0.outputs = [half] }.verdict == .failed)
    #expect(
      Fabricated.check(accuracy: GPUAccuracy(allowed: .fp16)) { $0.outputs = [half] }.verdict
        == .passed)
    #expect(
      Fabricated.check { $0.outputs = [Fabricated.output(half.candidate!, type: "float16")] }
        .verdict == .passed)
  }

  @Test func integersAreExact() {
    let off = Fabricated.output(
      Fabricated.figures(1e-9, worst: 1e-9), original: Fabricated.figures(0, worst: 0),
      type: "int64")
    #expect(reasons(Fabricated.check { $0.outputs = [off] }) == [.wrongResult])
  }

  @Test func anOriginalThatIsWrongIsNoMeasure() {
    let garbage = Fabricated.output(
      Fabricated.figures(0.5, worst: 3), original: Fabricated.figures(0.7, worst: 3))
    let check = Fabricated.check { $0.outputs = [garbage] }
    #expect(check.verdict == .passed, "the other settings stand")
    #expect(check.notes.contains { $0.contains("measures nothing") })
    let judge = CheckJudge()
    let all = judge.judge(
      GPUReplies.Checked(
        rows: Fabricated.settings.map { Fabricated.row($0, [garbage]) }, left: 0,
        integrity: .clean),
      settings: Fabricated.settings, loaded: Fabricated.loaded(), expectedHash: Fabricated.hash)
    #expect(all.verdict == .unproven && all.findings.map(\.reason) == [.originalWrong])
  }

  @Test func aConstantProvesNothing() {
    var output = Fabricated.output()
    output.constantError = 0
    let judge = CheckJudge()
    let rows = Fabricated.settings.map { Fabricated.row($0, [output]) }
    let check = judge.judge(
      GPUReplies.Checked(rows: rows, left: 0, integrity: .clean), settings: Fabricated.settings,
      loaded: Fabricated.loaded(), expectedHash: Fabricated.hash)
    #expect(check.verdict == .unproven && reasons(check) == [.unproven])
  }

  @Test(arguments: [
    ("non-finite", Fabricated.figures(nonFinite: 1), Rejection.nonFinite),
    ("unwritten", Fabricated.figures(unwritten: 7), .unwrittenOutput),
    ("negative error", Fabricated.figures(-1), .lied),
    ("error without a difference", Fabricated.figures(1e-7, worst: 0), .wrongResult),
  ])
  func figuresThatFail(name: String, figures: GPUReplies.Figures, reason: Rejection) {
    if reason == .wrongResult {
      // An error in L2 above what is allowed counts whatever the worst element claims.
      let output = Fabricated.output(Fabricated.figures(0.5, worst: 0))
      #expect(reasons(Fabricated.check { $0.outputs = [output] }) == [reason])
      return
    }
    let check = Fabricated.check { $0.outputs = [Fabricated.output(figures)] }
    #expect(reasons(check) == [reason], "\(name)")
  }

  @Test func whatItDoesBesideComputing() {
    func expect(
      _ reason: Rejection, _ change: (inout GPUReplies.Row) -> Void,
      _ place: SourceLocation = #_sourceLocation
    ) {
      let check = Fabricated.check("seed 2", change)
      #expect(reasons(check) == [reason], sourceLocation: place)
      #expect(check.findings.first?.setting == "seed 2", sourceLocation: place)
      #expect(check.verdict == .failed, sourceLocation: place)
    }
    expect(.wrongType) { $0.types = ["out is a Later, not torch.Tensor"] }
    expect(.wrongType) { $0.outputs = [] }
    expect(.outOfBoundsWrite) { $0.guards?.outputsAfter = 4 }
    expect(.outOfBoundsWrite) { $0.guards?.inputsBefore = 16 }
    expect(.mutatesInput) { $0.mutated = ["0"] }
    expect(.wrongResult) { $0.originalMutated = ["0"] }
    expect(.aliasesInput) { $0.aliased = ["out shares storage with input 0"] }
    expect(.mutatesState) { $0.state = ["weight"] }
    expect(.reusesOutput) { $0.reused = ["out: both calls return one storage"] }
    expect(.nondeterministic) { $0.differsOnRepeat = 3 }
    expect(.raises) {
      $0.error = .init(kind: "python", message: "candidate: ValueError: no")
      $0.failed = "candidate"
    }
    expect(.outOfResources) {
      $0.error = .init(kind: "out-of-resources", message: "candidate: shared memory")
      $0.failed = "candidate"
    }
  }

  @Test func whatTheOriginalDoesACandidateMayDo() {
    let check = Fabricated.check {
      $0.mutated = ["0"]
      $0.originalMutated = ["0"]
      $0.aliased = ["out shares storage with input 0"]
      $0.originalAliased = ["out"]
      $0.state = ["running_mean"]
      $0.originalState = ["running_mean"]
      $0.differsOnRepeat = 5
      $0.originalDiffersOnRepeat = 9
    }
    #expect(check.verdict == .passed, "\(check.findings)")
  }

  @Test func aFirstCallThatTuningSpoiled() {
    let wrong = Fabricated.output(Fabricated.figures(1.5, worst: 4))
    let check = Fabricated.check {
      $0.firstCall = [wrong]
      $0.differsOnRepeat = 32
    }
    #expect(reasons(check) == [.firstCallWrong])
  }

  @Test func oneConfigAlone() {
    let wrong = Fabricated.output(Fabricated.figures(0.74, worst: 2))
    let check = Fabricated.check("config 2") { $0.outputs = [wrong] }
    #expect(reasons(check) == [.configWrong] && check.verdict == .failed)
    let gaps = Fabricated.check("config 1") {
      $0.outputs = [Fabricated.output(Fabricated.figures(unwritten: 16))]
    }
    #expect(reasons(gaps) == [.configWrong])
    let large = Fabricated.check("config 2") {
      $0.error = .init(kind: "out-of-resources", message: "candidate: out of resource")
      $0.failed = "candidate"
      $0.outputs = []
    }
    #expect(large.verdict == .passed && large.notes.count == 1)
  }

  @Test func othersSizes() {
    let check = Fabricated.check("first axis 7") {
      $0.outputs = [Fabricated.output(Fabricated.figures(0.5, worst: 2))]
    }
    #expect(check.verdict == .shapeSpecific && reasons(check) == [.shapeSpecific])
    let skipped = Fabricated.check("first axis 7") {
      $0.skipped = "Model refuses this size"
      $0.outputs = []
    }
    #expect(skipped.verdict == .passed)
  }

  @Test func replayedResultsHaveTheirName() {
    let check = Fabricated.check("refilled") {
      $0.outputs = [Fabricated.output(Fabricated.figures(1.4, worst: 3))]
    }
    #expect(reasons(check) == [.replaysResult])
  }

  @Test func whatItDoesToTheProcess() {
    func found(_ change: (inout GPUReplies.Integrity) -> Void) -> [Rejection] {
      var integrity = GPUReplies.Integrity.clean
      change(&integrity)
      let allowed = Fabricated.check(integrity: integrity, original: integrity)
      #expect(allowed.verdict == .passed || integrity.rewritten != [], "the original does it too")
      return reasons(Fabricated.check(integrity: integrity))
    }
    #expect(found { $0.patched = ["torch.cuda.Event.elapsed_time"] } == [.patchesFunctions])
    #expect(found { $0.settings = ["torch.get_num_threads: 2 -> 1"] } == [.changesSettings])
    #expect(found { $0.threads = 1 } == [.startsThreads])
    #expect(found { $0.persistingL2Bytes = 1 << 24 } == [.persistingL2])
    #expect(found { $0.rewritten = ["candidate"] } == [.rewritesItself])
  }

  @Test func anotherFileIsNotMeasured() {
    let check = Fabricated.check(hash: String(repeating: "b", count: 64))
    #expect(reasons(check) == [.wrongFile])
  }

  @Test func repliesThatLie() {
    let judge = CheckJudge()
    func verdict(_ rows: [GPUReplies.Row], left: Int = 0) -> GPUCheck {
      judge.judge(
        GPUReplies.Checked(rows: rows, left: left, integrity: .clean),
        settings: Fabricated.settings, loaded: Fabricated.loaded(), expectedHash: Fabricated.hash)
    }
    let rows = Fabricated.settings.map { Fabricated.row($0) }
    #expect(reasons(verdict([])) == [.lied])
    #expect(reasons(verdict(Array(rows.dropLast()))) == [.lied])
    #expect(verdict(Array(rows.dropLast()), left: 1).verdict == .passed)
    #expect(reasons(verdict(rows + [rows[0]])) == [.lied])
    #expect(reasons(verdict(Array(rows.reversed()))) == [.lied])
    var bare = rows
    bare[0].outputs[0].candidate = nil
    #expect(reasons(verdict(bare)) == [.lied])
    var nan = rows
    nan[0].outputs[0].candidate = Fabricated.figures(.nan)
    #expect(reasons(verdict(nan)) == [.lied])
  }
}
