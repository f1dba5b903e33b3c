import Diagnostics
import PythonSyntax
import Stages
import Testing

@Suite struct StageRulesTests {
  /// The ids of what a candidate breaks.
  func broken(
    _ candidate: ModuleTree, _ policy: StagePolicy = .builtIn(.microTuning)
  ) -> [String] {
    StageRules.check(candidate: candidate, original: SampleModule.tree, policy: policy).map(\.id)
  }

  let oldConfigs = """
            triton.Config({'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=4, num_stages=2),
            triton.Config({'BLOCK_R': 32, 'BLOCK_C': 64}, num_warps=8, num_stages=3),
    """

  func configs(_ lines: String...) -> ModuleTree {
    SampleModule.edited((oldConfigs, lines.map { "        triton.Config(\($0)),\n" }.joined()))
  }

  @Test func theOriginalKeepsEveryRule() {
    for stage in Stage.allCases {
      for isFused in [false, true] {
        #expect(broken(SampleModule.tree, .builtIn(stage, isFused: isFused)).isEmpty)
      }
    }
  }

  @Test func spaceAndCommentsDoNotMatter() {
    let candidate = SampleModule.edited(
      (
        "lambda meta: (triton.cdiv(rows, meta['BLOCK_R']), triton.cdiv(cols, meta['BLOCK_C']))",
        "lambda META: (  # tiles\n        triton.cdiv(rows, META['BLOCK_R']),\n        triton.cdiv(cols, META['BLOCK_C']),\n    )"
      ))
    #expect(broken(candidate).isEmpty)
  }

  @Test func aLawfulCandidate() {
    let candidate = configs(
      "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=4, num_stages=2",
      "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=2, num_stages=3",
      "{'BLOCK_R': 32, 'BLOCK_C': 64}, num_warps=16, num_stages=4")
    #expect(broken(candidate).isEmpty)
  }

  @Test func restoringMoreIsLawfulAndLessIsNot() {
    func restoring(_ more: String) -> ModuleTree {
      SampleModule.edited(("key=['rows'],", "key=['rows'], " + more))
    }
    for more in ["restore_value=['y_ptr']", "reset_to_zero=['y_ptr']"] {
      for stage in Stage.allCases { #expect(broken(restoring(more), .builtIn(stage)).isEmpty) }
    }
    func ids(_ candidate: String, from original: String) -> [String] {
      StageRules.check(
        candidate: restoring(candidate), original: restoring(original),
        policy: .builtIn(.microTuning)
      ).map(\.id)
    }
    #expect(ids("", from: "restore_value=['y_ptr']") == ["restored-argument-removed"])
    #expect(
      ids("restore_value=['x_ptr']", from: "restore_value=['x_ptr', 'y_ptr']")
        == ["restored-argument-removed"])
    #expect(ids("reset_to_zero=['y_ptr']", from: "restore_value=['y_ptr']").isEmpty)
  }

  @Test func gridChanges() {
    #expect(
      broken(SampleModule.edited(("triton.cdiv(cols, meta", "triton.cdiv(cols + 1, meta"))) == [
        "grid-changed"
      ])
    #expect(
      broken(SampleModule.edited(("scale_kernel[grid](", "scale_kernel[(rows, 1)]("))).contains(
        "grid-changed"))
    let named = SampleModule.edited(
      (
        "grid = lambda meta: (triton.cdiv(rows, meta['BLOCK_R']), triton.cdiv(cols, meta['BLOCK_C']))",
        "def grid(m):\n        return (triton.cdiv(rows, m['BLOCK_R']), triton.cdiv(cols, m['BLOCK_C']))"
      ))
    #expect(broken(named).isEmpty)
    #expect(
      broken(SampleModule.edited(("tl.program_id(1)", "tl.program_id(2)"))) == ["mapping-changed"])
  }

  @Test func gridMayChangeInItsStage() {
    let policy = StagePolicy.builtIn(.gridAndParallelism)
    #expect(
      broken(SampleModule.edited(("triton.cdiv(cols, meta", "triton.cdiv(cols + 1, meta")), policy)
        .isEmpty)
    let four = SampleModule.edited(("scale_kernel[grid](", "scale_kernel[(rows, 1, 1, 1)]("))
    #expect(broken(four, policy).contains("grid-rank"))
    #expect(broken(four, policy).contains("grid-not-lambda"))
  }

  @Test func configRules() {
    let a = "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=4, num_stages=2"
    let b = "{'BLOCK_R': 32, 'BLOCK_C': 64}, num_warps=8, num_stages=3"
    let near = "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=8, num_stages=2"
    #expect(
      broken(configs(a, b, "{'BLOCK_R': 64, 'BLOCK_C': 64}, num_warps=4, num_stages=2")) == [
        "block-sizes-changed"
      ])
    #expect(
      broken(configs(a, b, "{'BLOCK_R': 16, 'BLOCK_C': 64, 'GROUP': 8}, num_warps=4, num_stages=2"))
        == ["config-parameter-added"])
    #expect(
      broken(configs(a, b, "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=1, num_stages=2")) == [
        "num-warps-not-allowed"
      ])
    #expect(
      broken(configs(a, b, "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=6, num_stages=2")) == [
        "num-warps-invalid"
      ])
    #expect(
      broken(configs(a, b, "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=4, num_stages=4")) == [
        "num-stages-step"
      ])
    #expect(broken(configs(a, near)) == ["config-count"])
    #expect(broken(configs(a, a, near)) == ["config-twice"])
    #expect(
      broken(configs(near, near.replacing("=8", with: "=2"), near.replacing("=8", with: "=16")))
        == ["original-config-missing"])
    #expect(
      broken(configs(a, b, near.replacing("8", with: "compute()"))) == ["num-warps-unreadable"])
  }

  @Test func requiredConfig() throws {
    let needed = try #require(ModuleShape(SampleModule.tree)[kernel: "scale_kernel"]?.configs?.last)
    let candidate = configs(
      "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=4, num_stages=2",
      "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=8, num_stages=2",
      "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=2, num_stages=2")
    let found = StageRules.check(
      candidate: candidate, original: SampleModule.tree, policy: .builtIn(.microTuning),
      requiredConfigs: ["scale_kernel": needed])
    #expect(found.map(\.id) == ["original-config-missing"])
    #expect(found[0].message.hasSuffix("BLOCK_C=64 BLOCK_R=32 num_warps=8 num_stages=3"))
  }

  @Test func baseline() {
    let candidate = configs(
      "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=8, num_stages=2",
      "{'BLOCK_R': 32, 'BLOCK_C': 64}, num_warps=8, num_stages=3")
    #expect(broken(candidate, .builtIn(.microTuning, isFused: true)) == ["baseline-missing"])
  }

  @Test func knobsThatTheStageDoesNotOwn() {
    let candidate = configs(
      "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=8, num_stages=3",
      "{'BLOCK_R': 32, 'BLOCK_C': 64}, num_warps=8, num_stages=3")
    #expect(
      broken(candidate, .builtIn(.gridAndParallelism)) == [
        "num-stages-changed", "num-warps-changed",
      ])
    #expect(broken(candidate, .builtIn(.memoryAccess)) == ["num-warps-changed"])
  }

  @Test func tilesInTheirStage() {
    let candidate = configs(
      "{'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=4, num_stages=2",
      "{'BLOCK_R': 48, 'BLOCK_C': 64}, num_warps=4, num_stages=2")
    #expect(broken(candidate, .builtIn(.blockTiling)) == ["block-not-power-of-two"])
  }

  @Test func namesAndSignatures() {
    #expect(
      broken(
        SampleModule.edited(
          ("def scale(x, factor)", "def scaled(x, factor)"), ("return scale(", "return scaled(")))
        == ["name-removed"])
    #expect(
      broken(SampleModule.edited(("def scale(x, factor)", "def scale(factor, x)"))) == [
        "signature-changed"
      ])
    #expect(
      broken(SampleModule.edited(("def scale(x, factor)", "def scale(x, factor, bias)"))) == [
        "signature-changed"
      ])
    #expect(
      broken(SampleModule.edited(("def scale(x, factor)", "def scale(x, factor, bias=None)")))
        .isEmpty)
    #expect(broken(SampleModule.edited(("factor=2.0", "factor"))) == ["signature-changed"])
    #expect(
      broken(
        SampleModule.edited(
          ("rows, cols, factor, BLOCK_R", "rows: tl.constexpr, cols: tl.constexpr, factor, BLOCK_R")
        )
      ).isEmpty)
  }

  @Test func autotuneMustStandOnTheKernel() {
    let candidate = SampleModule.edited(
      ("def scale(x, factor)", "@triton.autotune(configs=[], key=[])\ndef scale(x, factor)"))
    #expect(broken(candidate).contains("autotune-on-wrapper"))
  }

  @Test func blocksGivenTwice() {
    let candidate = SampleModule.edited(
      ("rows, cols, factor)\n    return", "rows, cols, factor, BLOCK_R=16)\n    return"))
    #expect(broken(candidate).contains("block-given-twice"))
  }

  @Test func violationsNameTheRequestsRule() throws {
    let section = SourceText(name: "r.md", text: "Focus: micro-tuning\n- Do not modify the grid\n")
    let policy = try #require(StageSectionReader.read(section).policy)
    let candidate = SampleModule.edited(("triton.cdiv(cols, meta", "triton.cdiv(cols + 1, meta"))
    let found = StageRules.check(candidate: candidate, original: SampleModule.tree, policy: policy)
    #expect(found.map(\.diagnostic.nextStep) == ["the rule is at r.md:2: 'Do not modify the grid'"])
  }
}

@Suite struct ModuleShapeTests {
  func configs(_ list: String, before: String = "") -> [KernelConfig]? {
    let text = """
      import triton
      import triton.language as tl
      \(before)
      @triton.autotune(configs=\(list), key=['n'])
      @triton.jit
      def k(x, n, B: tl.constexpr):
          tl.store(x + tl.arange(0, B), 0)
      """
    return ModuleShape(SampleModule.tree(text))[kernel: "k"]?.configs
  }

  @Test func readsListsOfManyForms() {
    #expect(
      configs("[triton.Config({'B': 2 ** 5}, num_warps=4)]")?.first?.summary
        == "B=32 num_warps=4 num_stages=3")
    #expect(
      configs("[triton.Config(dict(B=64), 8, 2)]")?.first?.summary
        == "B=64 num_warps=8 num_stages=2")
    #expect(
      configs("[triton.Config({'B': b}, num_warps=w) for b in [32, 64] for w in (2, 4)]")?.map(
        \.summary) == [
          "B=32 num_warps=2 num_stages=3", "B=32 num_warps=4 num_stages=3",
          "B=64 num_warps=2 num_stages=3", "B=64 num_warps=4 num_stages=3",
        ])
    #expect(
      configs(
        "CONFIGS + [triton.Config({'B': N})]", before: "N = 16\nCONFIGS = [triton.Config({'B': 8})]"
      )?.count == 2)
    #expect(
      configs(
        "make()",
        before:
          "def make():\n    sizes = [1, 2]\n    return [triton.Config({'B': s}) for s in sizes]\n")?
        .count == 2)
    #expect(configs("[triton.Config({'B': b}) for b, w in [(8, 1), (16, 2)]]")?.count == 2)
  }

  @Test func whatMustRunIsUnknown() {
    #expect(configs("make()") == nil)
    #expect(configs("[triton.Config({'B': b}) for b in sizes()]") == nil)
    #expect(configs("[triton.Config(**options)]") == nil)
    #expect(configs("[*load()]") == nil)
  }

  @Test func launchesGiveConfigsWhereNothingIsTuned() throws {
    let text = """
      @triton.jit
      def k(x, n, B: tl.constexpr, FLAG: tl.constexpr):
          tl.store(x + tl.arange(0, B), 0)

      def run(x):
          size = 128
          k[(1,)](x, x.numel(), B=size, FLAG=True, num_warps=8)

      def other(x):
          size = triton.next_power_of_2(x.numel())
          alias = k if x.is_cuda else None
          alias[(1,)](x, x.numel(), size, False)
      """
    let kernel = try #require(ModuleShape(SampleModule.tree(text))[kernel: "k"])
    #expect(kernel.blockNames == ["B"])
    #expect(
      kernel.configs?.map(\.summary) == [
        "B=128 num_warps=8 num_stages=3",
        "B=triton . next_power_of_2 ( x . numel ( ) ) num_warps=4 num_stages=3",
      ])
    #expect(kernel.launches.map(\.gridRank) == [1, 1])
  }
}
