import Diagnostics
import HostProgram
import PythonSyntax
import Testing

@testable import Rewrites

/// Rewrites of kernel bodies: divisions, loops, accumulators.
@Suite struct BodyRewritesTests {
  static func module(_ parameters: String, _ body: String, _ call: String) -> String {
    let indented = body.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n")
    return """
      import triton
      import triton.language as tl
      @triton.jit
      def k(\(parameters)):
      \(indented)
      def f(x, w, y, n, c, h, d):
          k[(1,)](\(call))

      """
  }
  static let values: Subjects.Values = [
    "x": Subjects.tensor(0), "w": Subjects.tensor(1), "y": Subjects.tensor(2),
    "n": Subjects.shape(1000), "c": Subjects.fixed(3), "h": Subjects.shape(20),
    "d": Subjects.shape(30),
  ]

  private func expect(
    _ rewrite: some Rewrite, _ parameters: String, _ call: String, _ before: String,
    _ after: String, index: Int = 0, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    let subject = Subjects.run(Self.module(parameters, before, call), Self.values)
    let sites = rewrite.sites(in: subject)
    guard sites.indices.contains(index) else {
      Issue.record("no site", sourceLocation: sourceLocation)
      return
    }
    expectRewrite(
      rewrite, sites[index], subject, gives: Self.module(parameters, after, call),
      sourceLocation: sourceLocation)
  }

  private func expectNone(
    _ rewrite: some Rewrite, _ parameters: String, _ call: String, _ body: String,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    let subject = Subjects.run(Self.module(parameters, body, call), Self.values)
    #expect(rewrite.sites(in: subject).isEmpty, sourceLocation: sourceLocation)
  }

  // MARK: Divisions

  private func divisions(
    _ before: String, _ after: String?, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    let parameters = "p, C, H, W, B: tl.constexpr"
    let call = "y, c, h, d, B=64"
    let head = "i = tl.program_id(0) * B + tl.arange(0, B)\n"
    if let after {
      expect(
        StrengthReduceDivision(), parameters, call, head + before, head + after,
        sourceLocation: sourceLocation)
    } else {
      expectNone(
        StrengthReduceDivision(), parameters, call, head + before, sourceLocation: sourceLocation)
    }
  }

  @Test func sharesQuotients() {
    divisions(
      "n = i // (C * H * W)\nc = (i // (H * W)) % C\nh = (i // W) % H  # row\nw = i % W",
      "n = i // W // H // C\nc = i // W // H % C\nh = (i // W) % H  # row\nw = i % W")
    divisions(
      "a = i // (H * W)\nb = (i % (H * W)) // W\nc = i % W",
      "a = i // W // H\nb = i // W % H\nc = i % W")
    divisions(
      "HW = H * W\nj = i\na = j // HW\nr = j % HW\nb = r // W\nc = j % W",
      "HW = H * W\nj = i\na = i // W // H\nb = i // W % H\nc = j % W")
  }

  @Test func leavesSharedQuotientsAlone() {
    divisions("t = i // W\nw = i % W\nh = t % H\nc = t // H", nil)
    divisions("a = i // (H * W)\nr = i % (H * W)\nb = r // W\nc = r % W", nil)
    divisions("a = i // C\nb = i // W", nil)
    divisions("W = W + 1\na = i // (H * W)\nb = i // W", nil)
    divisions("a = tl.load(p) // (H * W)\nb = i // W", nil)
  }

  @Test func leavesConstantDivisorsToTheCompiler() {
    expectNone(
      StrengthReduceDivision(), "p, C: tl.constexpr, H: tl.constexpr", "y, C=3, H=4",
      "i = tl.program_id(0)\na = i // (C * H)\nb = i // H % C\nc = i % H")
  }

  @Test func refusesDivisorsThatWrapAround() {
    let text = Self.module(
      "p, C, H, W",
      "i = tl.program_id(0)\na = i // (H * W)\nb = (i % (H * W)) // W\nc = i % W\n"
        + "tl.store(p, a + b + c)", "y, c, 100000, 100000")
    let subject = Subjects.run(text, Self.values)
    #expect(StrengthReduceDivision().sites(in: subject).isEmpty)
    expectRefusal(StrengthReduceDivision(), site("k"), subject, "divisor-leaves-int32")
  }

  // MARK: Loops

  static let hoistable = """
    o = tl.arange(0, B)
    for i in range(0, n, 2):
        q = o * 2
        v = tl.load(x + i * B + o)
        # the same each time
        s = tl.load(
            w + q,
            mask=q < n,
        )
        tl.store(y + i * B + o, v * s)
    """

  @Test func hoistsLoads() {
    expect(
      HoistLoopInvariant(), "x, w, y, n, B: tl.constexpr", "x, w, y, n, B=64", Self.hoistable,
      """
      o = tl.arange(0, B)
      q = o * 2
      s = tl.load(
          w + q,
          mask=q < n,
      )
      for i in range(0, n, 2):
          v = tl.load(x + i * B + o)
          # the same each time
          tl.store(y + i * B + o, v * s)
      """)
  }

  @Test(arguments: [
    // written by the kernel; may share memory; changes; read before; conditional; loop may not run
    ("tl.store(y + i * B + o, v * s)", "tl.store(w + i * B + o, v * s)"),
    ("q = o * 2", "q = o * i"),
    ("v = tl.load(x + i * B + o)", "v = tl.load(x + i * B + o) + s"),
    ("range(0, n, 2)", "range(0, n - n, 2)"),
    ("range(0, n, 2)", "range(tl.program_id(0), n, 2)"),
    ("s = tl.load(", "s = other("),
    ("mask=q < n,", "mask=q < n, volatile=True,"),
    ("tl.store(y + i * B + o, v * s)", "v = v * s"),
  ]) func leavesLoadsThatMayNotMove(_ change: (String, String)) {
    expectNone(
      HoistLoopInvariant(), "x, w, y, n, B: tl.constexpr", "x, w, y, n, B=64",
      Self.hoistable.replacing(change.0, with: change.1))
  }

  @Test func refusesSharedMemory() {
    expectNone(
      HoistLoopInvariant(), "x, w, y, n, B: tl.constexpr", "x, y, y, n, B=64", Self.hoistable)
  }

  @Test func turnsUnrolledLoopsIntoLoops() {
    let body = """
      acc = tl.zeros((B,), tl.float32)
      for i in tl.static_range(0, K, B):  # unrolled
          o = i + tl.arange(0, B)
          acc += tl.load(x + o, mask=o < K)
      tl.store(y, acc)
      """
    expect(
      ConvertLoopForm(), "x, y, K: tl.constexpr, B: tl.constexpr", "x, y, K=512, B=64", body,
      body.replacing("tl.static_range", with: "range"))
    for change in [
      ("o = i + tl.arange(0, B)", "o = tl.arange(0, B) + i // 3 * (7 // i)"),
      ("acc += tl.load", "if i > 4:\n        acc += tl.load"),
      ("acc = tl.zeros((B,), tl.float32)", "acc = 0.0"),
      ("tl.store(y, acc)", "tl.store(y + i, acc)"),
      ("tl.store(y, acc)", "tl.store(y + o, acc)"),
      ("i + tl.arange(0, B)", "tl.arange(i, B)"),
      ("o = i +", "j: tl.constexpr = i\n    o = i +"),
    ] {
      expectNone(
        ConvertLoopForm(), "x, y, K: tl.constexpr, B: tl.constexpr", "x, y, K=512, B=64",
        body.replacing(change.0, with: change.1))
    }
  }

  @Test func unrollsShortLoops() {
    let body = """
      acc = tl.zeros((B,), tl.float32)
      for i in range(0, K, B):
          o = i + tl.arange(0, B)
          acc += tl.load(x + o, mask=o < K)
      tl.store(y, acc)
      """
    expect(
      ConvertLoopForm(), "x, y, K: tl.constexpr, B: tl.constexpr", "x, y, K=512, B=64", body,
      body.replacing("range", with: "tl.static_range").replacing(
        "tl.atl.static_range", with: "tl.arange"))
    expectNone(
      ConvertLoopForm(), "x, y, K: tl.constexpr, B: tl.constexpr", "x, y, K=5120, B=64", body)
    expectNone(
      ConvertLoopForm(), "x, y, K, B: tl.constexpr", "x, y, n, B=64", body)
    expectNone(
      ConvertLoopForm(), "x, y, K: tl.constexpr, B: tl.constexpr", "x, y, K=512, B=64",
      body.replacing("o = i +", with: "o = i.to(tl.int64) +"))
  }

  // MARK: Accumulators

  @Test(arguments: [
    ("acc += tl.dot(a, b)", "acc = tl.dot(a, b, acc)"),
    ("acc = acc + tl.dot(a, b)  # sum", "acc = tl.dot(a, b, acc)  # sum"),
    ("acc = tl.dot(a, b) + acc", "acc = tl.dot(a, b, acc)"),
    (
      "acc += tl.dot(a, b, input_precision='ieee')",
      "acc = tl.dot(a, b, input_precision='ieee', acc=acc)"
    ),
  ]) func handsTheAccumulatorOver(_ change: (String, String)) {
    let head = "acc = tl.load(x)\na = tl.load(x)\nb = tl.load(y)\n"
    expect(FuseAccumulator(), "x, y", "x, y", head + change.0, head + change.1)
  }

  @Test func refusesOtherAccumulators() {
    for text in [
      "acc += tl.dot(a, b, c)", "acc += tl.dot(a, b, out_dtype=tl.float16)",
      "acc += tl.dot(a, b, max_num_imprecise_acc=4)",
    ] {
      let subject = Subjects.run(Self.module("x, y", text, "x, y"), Self.values)
      let sites = FuseAccumulator().sites(in: subject)
      #expect(sites.count == 1)
      if let found = sites.first {
        expectRefusal(FuseAccumulator(), found, subject, "accumulator-differs")
      }
    }
  }

  // MARK: Casts and masks

  @Test func dropsCastsThatChangeNothing() {
    expect(
      DropRedundantCast(), "x, B: tl.constexpr", "x, B=64",
      "a = (tl.zeros((B,), dtype=tl.float32)).to(tl.float32)  # fp32\ntl.store(x, a)",
      "a = (tl.zeros((B,), dtype=tl.float32))  # fp32\ntl.store(x, a)")
    expect(
      DropRedundantCast(), "x", "x", "a = tl.load(x).to(tl.float32)\nb = a.to(tl.float32)",
      "a = tl.load(x).to(tl.float32)\nb = a")
    for text in [
      "a = tl.load(x).to(tl.float32)", "a = tl.load(x).to(tl.float16).to(tl.float32)",
      "a = tl.program_id(0).to(tl.int64)",
      "a = tl.zeros((4,), tl.float32)\na = tl.load(x)\nb = a.to(tl.float32)",
      "a = tl.arange(0, 4).to(tl.int32, bitcast=True)",
    ] {
      expectNone(DropRedundantCast(), "x", "x", text)
    }
  }

  private func masked(
    _ body: String, dividend: SymbolicInt = .dim("n"), size: Int = 1024, programs: Int = 16
  ) -> RewriteSubject {
    let text = Self.module(
      "x, N: tl.constexpr, B: tl.constexpr", body, "x, N=n, B=64")
    var subject = Subjects.run(text, ["x": Subjects.tensor(0), "n": Subjects.shape(size)])
    subject.run?.launches[0].gridFormulas = [.ceilDiv(dividend, .constant(64))]
    subject.run?.launches[0].configs[0].grid = [programs]
    let index = subject.run?.launches[0].arguments.firstIndex { $0.name == "N" }
    if let index { subject.run?.launches[0].arguments[index].formula = .dim("n") }
    return subject
  }

  @Test func dropsMasksOfWholeTiles() {
    let body = """
      pid = tl.program_id(axis=0)
      offs = pid * B + tl.arange(0, B)
      mask = offs < N  # bounds
      tl.store(x + offs, 1.0, mask=mask)
      """
    let subject = masked(body)
    let sites = DropRedundantMask().sites(in: subject)
    #expect(sites.map(\.names) == [["N", "B"]])
    if let found = sites.first {
      expectRewrite(
        DropRedundantMask(), found, subject,
        gives: subject.module.source.text.replacing(
          "mask = offs < N  #", with: "mask = ((N % B == 0) | (offs < N))  #"))
      expectRefusal(
        DropRedundantMask(), found, masked(body, programs: 17), "mask-needed", at: "(1,)")
      expectRefusal(DropRedundantMask(), found, masked(body, dividend: .dim("m")), "mask-needed")
    }
    // Never true for all lanes; no whole tile; strided; another comparison.
    #expect(DropRedundantMask().sites(in: masked(body, size: 1000)).isEmpty)
    for change in [
      ("pid * B + tl.arange(0, B)", "pid * B + tl.arange(0, 32)"),
      ("pid * B + tl.arange(0, B)", "pid * B + tl.arange(0, B) * 2"),
      ("offs < N", "offs < N + 1"), ("offs < N", "offs <= N"),
      ("pid = tl.program_id(axis=0)", "pid = tl.program_id(axis=0)\npid = pid + 1"),
    ] {
      let subject = masked(body.replacing(change.0, with: change.1))
      #expect(DropRedundantMask().sites(in: subject).isEmpty)
    }
  }
}
