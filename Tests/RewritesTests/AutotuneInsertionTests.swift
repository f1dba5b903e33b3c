import Diagnostics
import HostProgram
import PythonSyntax
import Testing
import TritonLowering

@testable import Rewrites

/// Kernels launched with fixed knobs: adding `@triton.autotune`, and changing the launches.
@Suite struct AutotuneInsertionTests {
  static let plain = """
    import triton
    import triton.language as tl


    @triton.jit
    def k(x, y, n, stride, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(y + i * stride, tl.load(x + i, mask=i < n), mask=i < n)


    def f(x, y, n, s):
        k[(triton.cdiv(n, 256),)](x, y, n, s, BLOCK=256, num_warps=4, num_stages=2)


    def g(x, y, n, s):
        k[(triton.cdiv(n, 256),)](
            x, y,
            n, s,  # sizes
            BLOCK=256,
            num_warps=8,  # found by hand
        )

    """
  static let plainValues = TuneConfigsTests.values.merging(["s": Subjects.shape(64)]) { first, _ in
    first
  }

  private func expect(
    _ text: String, _ configs: [LaunchConfig], key: [String]? = nil, gives expected: String,
    values: Subjects.Values = TuneConfigsTests.values,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    expectRewrite(
      TuneConfigs(configs: configs, key: key), site("k"), Subjects.run(text, values),
      gives: expected, sourceLocation: sourceLocation)
  }

  @Test func addsADecorator() {
    let expected = """
      import triton
      import triton.language as tl


      @triton.autotune(
          configs=[
              triton.Config({}, num_warps=4, num_stages=2),
              triton.Config({}, num_warps=8, num_stages=3),
          ],
          key=[],
      )
      @triton.jit
      def k(x, y, n, stride, BLOCK: tl.constexpr):
          i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
          tl.store(y + i * stride, tl.load(x + i, mask=i < n), mask=i < n)


      def f(x, y, n, s):
          k[(triton.cdiv(n, 256),)](x, y, n, s, BLOCK=256)


      def g(x, y, n, s):
          k[(triton.cdiv(n, 256),)](
              x, y,
              n, s,  # sizes
              BLOCK=256,
          )

      """
    let configs = [TuneConfigsTests.config([:], 4, 2), TuneConfigsTests.config([:], 8, 3)]
    expect(Self.plain, configs, key: [], gives: expected, values: Self.plainValues)
    // The key: sizes the kernel compares, not strides.
    expect(
      Self.plain, configs, gives: expected.replacing("key=[]", with: "key=['n']"),
      values: Self.plainValues)
  }

  @Test func restoresWhatIsUpdatedInPlace() throws {
    func restored(_ body: String, _ values: Subjects.Values, others: String = "") throws -> String {
      let text = """
        import triton
        import triton.language as tl
        \(others)
        @triton.jit
        def k(x, y, n, B: tl.constexpr):
            i = tl.arange(0, B)
            \(body)
        def f(x, y, n):
            k[(1,)](x, y, n, B=64)

        """
      let result = try TuneConfigs.apply(
        kernel: "k",
        configs: [TuneConfigsTests.config([:], 4, 3), TuneConfigsTests.config([:], 8, 3)],
        to: Subjects.run(text, values))
      let line = result.source.text.split(separator: "\n").first { $0.contains("restore_value") }
      return line.map { $0.trimmingPrefix { $0 == " " }.description } ?? ""
    }
    let shared = TuneConfigsTests.values.merging(["y": Subjects.tensor(0)]) { $1 }
    #expect(try restored("tl.store(y + i, tl.load(x + i))", TuneConfigsTests.values) == "")
    #expect(
      try restored("tl.store(y + i, tl.load(x + i))", shared) == "restore_value=['y'],")
    #expect(
      try restored("tl.store(y + i, tl.load(y + i) * 2)", TuneConfigsTests.values)
        == "restore_value=['y'],")
    #expect(
      try restored("tl.atomic_add(y + i, tl.load(x + i))", TuneConfigsTests.values)
        == "restore_value=['y'],")
    #expect(
      try restored(
        "p = y + i\n    p += n\n    q = p[:, None]\n    tl.store(q, tl.load(q))",
        TuneConfigsTests.values)
        == "restore_value=['y'],")
    #expect(
      try restored(
        "bump(y + i)", TuneConfigsTests.values,
        others: "@triton.jit\ndef bump(p):\n    tl.store(p, tl.load(p) + 1)\n")
        == "restore_value=['y'],")
    #expect(
      try restored(
        "b = tl.make_block_ptr(y, (64,), (1,), (0,), (64,), (0,))\n    "
          + "tl.store(b, tl.load(b) + 1)", TuneConfigsTests.values) == "restore_value=['y'],")
    #expect(throws: Diagnostic.self) {
      try restored(
        "tl.store(tl.load(x).to(tl.pointer_type(tl.float32)), 1.0)", TuneConfigsTests.values)
    }
  }

  @Test func keepsASearchSafeThatBecomesOne() {
    let text = """
      import triton
      import triton.language as tl
      @triton.autotune(configs=[triton.Config({'B': 64})], key=['n'])
      @triton.jit
      def k(x, n, B: tl.constexpr):
          tl.store(x + tl.arange(0, B), tl.load(x + tl.arange(0, B)) + 1)
      def f(x, n):
          k[(1,)](x, n)

      """
    expect(
      text, [TuneConfigsTests.config(["B": 64], 4, 3), TuneConfigsTests.config(["B": 64], 8, 3)],
      gives: text.replacing(
        "[triton.Config({'B': 64})], key=['n'])",
        with: "[triton.Config({'B': 64}), triton.Config({'B': 64}, num_warps=8)], key=['n'], "
          + "restore_value=['x'])"))
  }

  @Test func refusesWhatAutotuningWouldBreak() {
    func refusal(
      _ id: String, _ decorator: String = "", _ call: String = "k[(1,)](x, y, n, B=64)",
      at text: String? = nil, configs: [LaunchConfig]? = nil, imports: String = "",
      sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) {
      let module = """
        import triton
        import triton.language as tl
        \(imports)
        \(decorator)@triton.jit
        def k(x, y, n, B: tl.constexpr):
            tl.store(y + tl.arange(0, B), tl.load(x + tl.arange(0, B)))
        def f(x, y, n, options):
            \(call)

        """
      let rewrite = TuneConfigs(
        configs: configs ?? [
          TuneConfigsTests.config([:], 4, 3), TuneConfigsTests.config([:], 8, 3),
        ])
      expectRefusal(
        rewrite, site("k"), Subjects.run(module, TuneConfigsTests.values), id, at: text,
        sourceLocation: sourceLocation)
    }
    refusal("launch-options-hidden", "", "k[(1,)](x, y, n, B=64, **options)", at: "**options")
    refusal("not-a-plain-launch", "", "k.warmup(x, y, n, B=64, grid=(1,))", at: "k")
    refusal("not-a-plain-launch", "", "k[(1,)](x, y, n, B=64)\n    g = k[(1,)]", at: "k")
    refusal("never-launched", "", "pass")
    refusal(
      "unknown-decorator", "@libentry()\n", at: "libentry()", imports: "from a import libentry")
    refusal(
      "heuristic-sets-knob", "@triton.heuristics({'num_warps': lambda a: 4})\n", at: "'num_warps'")
    refusal("heuristics-hidden", "@triton.heuristics(TABLE)\n", imports: "TABLE = {}")
    let blocks = [
      TuneConfigsTests.config(["B": 64], 4, 3), TuneConfigsTests.config(["B": 128], 4, 3),
    ]
    refusal("grid-does-not-follow", configs: blocks)
    refusal("constant-not-a-keyword", "", "k[(1,)](x, y, n, 64)", configs: blocks)
    refusal("no-configs", configs: [])
  }

  @Test func movesConstantsThatAGridReads() {
    let text = """
      import triton
      import triton.language as tl
      @triton.jit
      def k(x, y, n, B: tl.constexpr):
          i = tl.program_id(0) * B + tl.arange(0, B)
          tl.store(y + i, tl.load(x + i, mask=i < n), mask=i < n)
      def f(x, y, n):
          grid = lambda meta: (triton.cdiv(n, meta['B']),)
          k[grid](x, y, n, B=64)

      """
    let head = """
      @triton.autotune(
          configs=[
              triton.Config({'B': 64}, num_warps=4, num_stages=3),
              triton.Config({'B': 128}, num_warps=4, num_stages=3),
          ],
          key=['n'],
      )
      @triton.jit
      """
    expect(
      text, [TuneConfigsTests.config(["B": 64], 4, 3), TuneConfigsTests.config(["B": 128], 4, 3)],
      gives: text.replacing("@triton.jit", with: head).replacing(", B=64)", with: ")"))
  }

  @Test func setsKnobsAtLaunches() {
    let expected = Self.plain
      .replacing(
        "BLOCK=256, num_warps=4, num_stages=2)", with: "BLOCK=256, num_warps=8, num_stages=4)"
      )
      .replacing(
        "num_warps=8,  # found by hand",
        with: "num_warps=8,\n        num_stages=4,  # found by hand")
    expectRewrite(
      SetLaunchKnobs(numWarps: 8, numStages: 4), site("k"),
      Subjects.run(Self.plain, Self.plainValues), gives: expected)
    expectRefusal(
      SetLaunchKnobs(numWarps: 8), site("k"),
      Subjects.run(TuneConfigsTests.grouped, TuneConfigsTests.values), "autotuned")
  }
}
