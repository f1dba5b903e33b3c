import Diagnostics
import HostProgram
import PythonSyntax
import Testing
import TritonLowering

@testable import Rewrites

@Suite struct TuneConfigsTests {
  static func config(
    _ constants: [String: Int], _ warps: Int, _ stages: Int
  ) -> LaunchConfig {
    LaunchConfig(
      constants: constants.mapValues { .int($0) }, numWarps: warps, numStages: stages)
  }

  static let grouped = """
    import triton
    import triton.language as tl

    @triton.autotune(
        configs=[
            # small
            triton.Config(
                {'BLOCK': 32},
                num_warps=4,
                num_stages=1,
            ),
            triton.Config(
                {'BLOCK': 32},
                num_warps=4,
                num_stages=2,
            ),

            # large
            triton.Config({'BLOCK': 64}, num_warps=4, num_stages=3),  # best so far
        ],
        key=['n'],
    )
    @triton.jit
    def k(x, y, n, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(y + i, tl.load(x + i, mask=i < n), mask=i < n)
    def f(x, y, n):
        k[lambda meta: (triton.cdiv(n, meta['BLOCK']),)](x, y, n)

    """

  static let values: Subjects.Values = [
    "x": Subjects.tensor(0), "y": Subjects.tensor(1), "n": Subjects.shape(4096),
  ]

  private func expect(
    _ text: String, _ configs: [LaunchConfig], key: [String]? = nil, gives expected: String,
    values: Subjects.Values = values,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    expectRewrite(
      TuneConfigs(configs: configs, key: key), site("k"), Subjects.run(text, values),
      gives: expected, sourceLocation: sourceLocation)
  }

  @Test func keepsTheTextOfWhatStays() {
    let all = [
      Self.config(["BLOCK": 32], 4, 1), Self.config(["BLOCK": 32], 4, 2),
      Self.config(["BLOCK": 64], 4, 3),
    ]
    expect(Self.grouped, all, gives: Self.grouped)
    expect(Self.grouped, all.reversed(), gives: Self.grouped)
  }

  @Test func movesAGroupsCommentToWhatIsLeftOfIt() {
    let expected = Self.grouped.replacing(
      """
              triton.Config(
                  {'BLOCK': 32},
                  num_warps=4,
                  num_stages=1,
              ),

      """, with: "")
    expect(
      Self.grouped, [Self.config(["BLOCK": 32], 4, 2), Self.config(["BLOCK": 64], 4, 3)],
      gives: expected)
  }

  @Test func writesVariationsAfterWhatTheyVary() {
    let expected = Self.grouped.replacing(
      "num_stages=3),  # best so far\n",
      with: """
        num_stages=3),  # best so far
                triton.Config({'BLOCK': 64}, num_warps=8, num_stages=3),
                triton.Config({'BLOCK': 64}, num_warps=4, num_stages=2),

        """)
    expect(
      Self.grouped,
      [
        Self.config(["BLOCK": 64], 8, 3), Self.config(["BLOCK": 32], 4, 1),
        Self.config(["BLOCK": 64], 4, 2), Self.config(["BLOCK": 64], 4, 3),
        Self.config(["BLOCK": 32], 4, 2),
      ], gives: expected)
  }

  @Test func keepsTheLayoutOfLongConfigs() {
    let expected = Self.grouped.replacing(
      """
              triton.Config(
                  {'BLOCK': 32},
                  num_warps=4,
                  num_stages=1,
              ),
              triton.Config(
                  {'BLOCK': 32},
                  num_warps=4,
                  num_stages=2,
              ),

              # large
              triton.Config({'BLOCK': 64}, num_warps=4, num_stages=3),  # best so far

      """,
      with: """
                triton.Config(
                    {'BLOCK': 32},
                    num_warps=4,
                    num_stages=1,
                ),
                triton.Config(
                    {'BLOCK': 32},
                    num_warps=2,
                    num_stages=1,
                ),

        """)
    expect(
      Self.grouped, [Self.config(["BLOCK": 32], 4, 1), Self.config(["BLOCK": 32], 2, 1)],
      gives: expected)
  }

  @Test func editsListsOnOneLine() {
    func text(_ list: String) -> String {
      """
      import triton
      import triton.language as tl
      @triton.autotune(configs=\(list), key=['n'])
      @triton.jit
      def k(x, y, n, B: tl.constexpr):
          tl.store(y + tl.arange(0, B), tl.load(x + tl.arange(0, B)))
      def f(x, y, n):
          k[(1,)](x, y, n)

      """
    }
    let list = "[triton.Config({'B': 32}), triton.Config({'B': 64}, num_warps=8)]"
    let a = Self.config(["B": 32], 4, 3)
    let b = Self.config(["B": 64], 8, 3)
    expect(text(list), [b], gives: text("[triton.Config({'B': 64}, num_warps=8)]"))
    expect(text(list), [a], gives: text("[triton.Config({'B': 32})]"))
    expect(
      text(list), [a, Self.config(["B": 32], 2, 3), b],
      gives: text(
        "[triton.Config({'B': 32}), triton.Config({'B': 32}, num_warps=2), "
          + "triton.Config({'B': 64}, num_warps=8)]"))
    expect(
      text(list), [a, b, Self.config(["B": 64], 8, 4)], key: ["n", "B"],
      gives: text(
        "[triton.Config({'B': 32}), triton.Config({'B': 64}, num_warps=8), "
          + "triton.Config({'B': 64}, num_warps=8, num_stages=4)]"
      ).replacing("key=['n']", with: "key=['n', 'B']"))
    expect(
      text(list), [b, Self.config(["B": 128], 8, 3)],
      gives: text(
        "[triton.Config({'B': 64}, num_warps=8), triton.Config({'B': 128}, num_warps=8)]"))
  }

  @Test func writesOutComputedLists() {
    func text(_ list: String, before: String = "") -> String {
      """
      import triton
      import triton.language as tl
      \(before)@triton.autotune(
          configs=\(list),
          key=["n"],
      )
      @triton.jit
      def k(x, y, n, B: tl.constexpr):
          tl.store(y + tl.arange(0, B), tl.load(x + tl.arange(0, B)))
      def f(x, y, n):
          k[(1,)](x, y, n)

      """
    }
    let configs = [Self.config(["B": 32], 4, 2), Self.config(["B": 32], 8, 2)]
    let written = """
      [
              triton.Config({"B": 32}, num_warps=4, num_stages=2),
              triton.Config({"B": 32}, num_warps=8, num_stages=2),
          ]
      """
    expect(
      text("[triton.Config({\"B\": b}, num_warps=w) for b in (32, 64) for w in (4, 8)]"), configs,
      gives: text(written))
    let function = "def make():\n    return [triton.Config({\"B\": 32})]\n"
    expect(text("make()", before: function), configs, gives: text(written, before: function))
    // A list with one name, used nowhere else, is edited where it stands.
    let named = "CONFIGS = [triton.Config({\"B\": 32}, num_warps=4, num_stages=2)]\n"
    expect(
      text("CONFIGS", before: named), configs,
      gives: text(
        "CONFIGS",
        before: "CONFIGS = [triton.Config({\"B\": 32}, num_warps=4, num_stages=2), "
          + "triton.Config({\"B\": 32}, num_warps=8, num_stages=2)]\n"))
    expect(
      text("CONFIGS", before: named + "OTHER = CONFIGS\n"), configs,
      gives: text(written, before: named + "OTHER = CONFIGS\n"))
    expectRefusal(
      TuneConfigs(configs: configs), site("k"),
      Subjects.run(text("[triton.Config({}, pre_hook=h) for h in hooks]"), Self.values),
      "configs-not-literal")
  }

  @Test func refusesConfigsWithoutTheirConstants() {
    expectRefusal(
      TuneConfigs(configs: [Self.config(["BLOCK": 32], 4, 1), Self.config([:], 8, 1)]), site("k"),
      Subjects.run(Self.grouped, Self.values), "config-lacks-constant")
  }
}
