import Diagnostics
import HostProgram
import PythonSyntax
import Testing

@testable import Rewrites

@Suite struct SpecializeArgumentsTests {
  static let header = "import torch\nimport triton\nimport triton.language as tl\n\n"

  /// A decoding kernel: `OW` and `OHW` divide, `n` only masks.
  static let decode =
    header + """
      @triton.jit
      def decode(
          x_ptr,  # input
          out_ptr,
          n, OHW,  # sizes
          OW,
          KW,
          BLOCK: tl.constexpr,
      ):
          offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
          image = offs // OHW
          rest = offs % OHW
          oh = rest // OW
          value = tl.load(x_ptr + image * KW + oh, mask=offs < n)
          tl.store(out_ptr + offs, value, mask=offs < n)


      def run(x, out, n, ohw, ow, kw):
          decode[(triton.cdiv(n, 256),)](x, out, n, ohw, ow, kw, BLOCK=256)

      """
  static let values: Subjects.Values = [
    "x": Subjects.tensor(0), "out": Subjects.tensor(1), "n": Subjects.shape(774_400),
    "ohw": Subjects.shape(3025), "ow": Subjects.shape(55), "kw": Subjects.fixed(11),
  ]

  @Test func findsNestedSets() {
    let subject = Subjects.run(Self.decode, Self.values)
    let sites = SpecializeArguments().sites(in: subject)
    #expect(sites.map(\.names) == [["KW"], ["OHW", "OW", "KW"], ["n", "OHW", "OW", "KW"]])
    #expect(sites[0].what == "make KW compile-time constant (the module fixes them)")
    #expect(
      sites[1].why
        == "3 integer divisions and remainders by values known only at run time (lines 15, 16, 17), "
        + "such as 'offs // OHW'; a constant divisor needs a multiplication and a shift")
  }

  @Test func annotatesOnlyTheParameters() {
    let subject = Subjects.run(Self.decode, Self.values)
    let expected = Self.decode
      .replacing("n, OHW,  # sizes", with: "n, OHW: tl.constexpr,  # sizes")
      .replacing("    OW,\n", with: "    OW: tl.constexpr,\n")
    expectRewrite(
      SpecializeArguments(), site("decode", ["OHW", "OW"]), subject, gives: expected)
  }

  @Test func usesTheModulesSpelling() {
    let text = """
      import triton
      from triton import language as lang
      @triton.jit
      def k(p, n: int, s=4):
          i = lang.program_id(0)
          lang.store(p + i // s, i % n)
      def f(p):
          k[(1,)](p, 3, 7)

      """
    expectRewrite(
      SpecializeArguments(), site("k", ["n", "s"]), Subjects.run(text, ["p": Subjects.tensor(0)]),
      gives: text.replacing("n: int, s=4", with: "n: lang.constexpr, s: lang.constexpr=4"))
  }

  /// Each body with what speaks against making `n` a constant, and where.
  static let refused: [(body: String, id: String, at: String)] = [
    ("n = n + 1\n    tl.store(p, n)", "parameter-reassigned", "n"),
    ("n += 1\n    tl.store(p, n)", "parameter-reassigned", "n"),
    ("for n in range(4):\n        tl.store(p, n)", "parameter-reassigned", "n"),
    ("tl.store(p, n.to(tl.int64))", "constant-has-no-method", "n.to(tl.int64)"),
    ("tl.store(p, (n * 2).to(tl.int64))", "constant-has-no-method", "(n * 2).to(tl.int64)"),
    ("if n.dtype == tl.int32:\n        tl.store(p, 1)", "constant-has-no-attribute", "n.dtype"),
    ("tl.multiple_of(n, 16)\n    tl.store(p, n)", "hint-on-constant", "tl.multiple_of(n, 16)"),
    ("tl.store(p + n[None], 1)", "constant-subscript", "n[None]"),
    ("tl.store(p, n * 1000000 * 1000)", "constant-leaves-int32", "n * 1000000 * 1000"),
    ("tl.store(p, (3 - n) // 2)", "constant-division", "(3 - n) // 2"),
    ("while n > 4:\n        tl.store(p, 1)", "constant-loop-condition", "n > 4"),
    ("tl.store(p, tl.exp(n))", "call-needs-tensor", "tl.exp(n)"),
    ("tl.store(p, other(n))", "call-needs-tensor", "other(n)"),
    ("x = tl.load(p).to(tl.int8)\n    tl.store(p, x + n)", "constant-adapts-type", "x + n"),
    ("x = tl.load(p).to(tl.bfloat16)\n    tl.store(p, x * n)", "constant-adapts-type", "x * n"),
    ("tl.store(p, tl.load(p) * (n / 7))", "constant-float-adapts-type", "tl.load(p) * (n / 7)"),
    ("m: tl.constexpr = n + 1\n    tl.store(p, m)", "constexpr-from-argument", "n + 1"),
  ]

  @Test(arguments: refused.indices) func refuses(_ index: Int) {
    let (body, id, text) = Self.refused[index]
    let module =
      Self.header + "@triton.jit\ndef k(p, n):\n    \(body)\ndef f(p):\n    k[(1,)](p, 5)\n"
    let subject = Subjects.run(module, ["p": Subjects.tensor(0)])
    expectRefusal(SpecializeArguments(), site("k", ["n"]), subject, id, at: text)
    #expect(SpecializeArguments().sites(in: subject).isEmpty)
  }

  /// Bodies that keep their meaning with `n` a constant.
  @Test(arguments: [
    "m = n\n    m += 1\n    tl.store(p, m)",
    "m = n * 2\n    tl.store(p, m.to(tl.int64))",
    "for i in range(0, n):\n        tl.store(p + i, i)",
    "for i in tl.range(0, n, num_stages=2):\n        tl.store(p + i, i)",
    "tl.store(p, tl.cdiv(n, 4))",
    "x = tl.load(p)\n    x = tl.where(x > n, x, n)\n    tl.store(p, x)",
    "i = tl.program_id(0)\n    tl.store(p, i // n + i % n)",
    "if n > 4:\n        tl.store(p, 1)\n    else:\n        tl.store(p, 2)",
    "x = tl.load(p).to(tl.int8)\n    y = x.to(tl.int32) + n\n    tl.store(p, y)",
    "tl.store(p, min(n, 8))",
  ]) func accepts(_ body: String) {
    let module =
      Self.header + "@triton.jit\ndef k(p, n):\n    \(body)\ndef f(p):\n    k[(1,)](p, 5)\n"
    expectRewrite(
      SpecializeArguments(), site("k", ["n"]), Subjects.run(module, ["p": Subjects.tensor(0)]),
      gives: module.replacing("def k(p, n)", with: "def k(p, n: tl.constexpr)"))
  }

  @Test func followsCalledFunctions() {
    let module =
      Self.header + """
        @triton.jit
        def inner(p, m):
            tl.store(p, m.to(tl.int64))
        @triton.jit
        def k(p, n, o):
            inner(p, n)
            inner(p, m=o * 2)
        def f(p):
            k[(1,)](p, 5, 6)

        """
    let subject = Subjects.run(module, ["p": Subjects.tensor(0)])
    expectRefusal(
      SpecializeArguments(), site("k", ["n"]), subject, "constant-has-no-method",
      at: "m.to(tl.int64)", line: 7)
    expectRefusal(SpecializeArguments(), site("k", ["o"]), subject, "constant-has-no-method")
  }

  @Test func refusesWhatLaunchesSpeakAgainst() {
    func subject(_ parameters: String, _ jit: String, _ call: String, _ values: Subjects.Values)
      -> RewriteSubject
    {
      Subjects.run(
        Self.header
          + "@triton.jit\(jit)\ndef k(\(parameters)):\n    tl.store(p, n)\ndef f(p, v):\n    \(call)\n",
        values.merging(["p": Subjects.tensor(0)]) { first, _ in first })
    }
    let rewrite = SpecializeArguments()
    expectRefusal(
      rewrite, site("k", ["n"]), subject("p, n: tl.constexpr", "", "k[(1,)](p, 5)", [:]),
      "already-constexpr")
    expectRefusal(
      rewrite, site("k", ["n"]),
      subject("p, n", "(do_not_specialize=['n'])", "k[(1,)](p, 5)", [:]), "do-not-specialize")
    expectRefusal(
      rewrite, site("k", ["n"]),
      subject("p, n", "(do_not_specialize_on_alignment=[1])", "k[(1,)](p, 5)", [:]),
      "do-not-specialize")
    expectRefusal(
      rewrite, site("k", ["n"]),
      subject("p, n", "", "k[(1,)](p, v)", ["v": (.float(1), .literal)]), "not-an-integer", at: "v")
    expectRefusal(
      rewrite, site("k", ["n"]),
      subject("p, n", "", "k[(1,)](p, v)", ["v": Subjects.unknown(3)]), "value-not-fixed", at: "v")
    expectRefusal(
      rewrite, site("k", ["n"]),
      subject("p, n", "", "k[(1,)](p, v)", ["v": Subjects.shape(1 << 40)]), "beyond-int32", at: "v")
    expectRefusal(
      rewrite, site("k", ["n"]), subject("p, n: tl.int64", "", "k[(1,)](p, 5)", [:]),
      "annotated-parameter", at: "tl.int64")
    expectRefusal(
      rewrite, site("k", ["q"]), subject("p, n", "", "k[(1,)](p, 5)", [:]), "no-such-parameter")
  }

  @Test func refusesLaunchesThatDidNotRun() {
    let module =
      Self.header + """
        @triton.jit
        def k(p, n):
            tl.store(p, n)
        def f(p, v, w):
            k[(1,)](p, v)
            k[(1,)](p, w)

        """
    let subject = Subjects.run(
      module, ["p": Subjects.tensor(0), "v": Subjects.shape(5)], skipping: [1])
    expectRefusal(SpecializeArguments(), site("k", ["n"]), subject, "launch-not-seen", at: "w")
  }

  @Test func refusesManyCompilations() {
    var subject = Subjects.run(
      Self.header
        + "@triton.jit\ndef k(p, n):\n    tl.store(p, n)\ndef f(p, v):\n    k[(1,)](p, v)\n",
      ["p": Subjects.tensor(0), "v": Subjects.shape(5)])
    if let launch = subject.run?.launches.first {
      subject.run?.launches = (0..<20).map { index in
        var copy = launch
        copy.arguments[1].value = .int(100 + index)
        return copy
      }
    }
    expectRefusal(SpecializeArguments(), site("k", ["n"]), subject, "too-many-compilations")
    #expect(SpecializeArguments().sites(in: subject).isEmpty)
  }

  @Test func saysWhereRoundingChanges() throws {
    let module =
      Self.header
      + "@triton.jit\ndef k(p, n, m):\n    scale = n / m\n    tl.store(p, scale)\n"
      + "def f(p):\n    k[(1,)](p, 5, 7)\n"
    let subject = Subjects.run(module, ["p": Subjects.tensor(0)])
    let result = try SpecializeArguments().apply(site("k", ["n", "m"]), to: subject)
    #expect(
      result.numerics
        == .changesRounding(
          "line 7: 'n / m' is computed in double precision at compile time instead of fp32"))
  }

  @Test(
    arguments: [
      ("tl.store(p, tl.load(p) / n)", 55, "'tl.load(p) / n' multiplies by the rounded reciprocal"),
      (
        "m = n * 3\n    tl.store(p, tl.load(p) / m)", 55,
        "'tl.load(p) / m' multiplies by the rounded"
      ),
      (
        "m = n * 3\n    f = m.to(tl.float32)\n    tl.store(p, tl.load(p) / f)", 55,
        "'tl.load(p) / f' multiplies"
      ),
      ("m = n * 2\n    tl.store(p, tl.load(p) / m)", 64, nil),
      ("m = n * 2\n    tl.store(p, m / tl.load(p))", 55, nil),
      (
        "m = n * 3\n    f = tl.sqrt(m.to(tl.float32))\n    tl.store(p, f)", 55,
        "'tl.sqrt(m.to(tl.float32))' may be computed at compile time"
      ),
    ] as [(String, Int, String?)])
  func saysWhereConstantsFold(_ test: (body: String, value: Int, note: String?)) throws {
    let module =
      Self.header + "@triton.jit\ndef k(p, n):\n    \(test.body)\ndef f(p, v):\n    k[(1,)](p, v)\n"
    let subject = Subjects.run(module, ["p": Subjects.tensor(0), "v": Subjects.shape(test.value)])
    let result = try SpecializeArguments().apply(site("k", ["n"]), to: subject)
    switch (result.numerics, test.note) {
    case (.bitExact, nil): break
    case (.changesRounding(let text), let note?): #expect(text.contains(note), "\(text)")
    default: Issue.record("\(result.numerics)")
    }
  }

  @Test func saysWhereSumsMayReorder() throws {
    let module =
      Self.header
      + "@triton.jit\ndef k(p, n, B: tl.constexpr):\n    x = tl.load(p + n * tl.arange(0, B))\n"
      + "    tl.store(p, tl.sum(x))\ndef f(p, v):\n    k[(1,)](p, v, 64)\n"
    func numerics(_ value: Int) throws -> Numerics {
      let subject = Subjects.run(module, ["p": Subjects.tensor(0), "v": Subjects.shape(value)])
      return try SpecializeArguments().apply(site("k", ["n"]), to: subject).numerics
    }
    #expect(try numerics(48) == .bitExact)
    #expect(try numerics(7) == .bitExact)
    #expect(try numerics(8) != .bitExact)
  }
}
