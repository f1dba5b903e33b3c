import Diagnostics
import HostProgram
import PythonSyntax
import Testing
import TritonLowering

@testable import Rewrites

@Suite struct TabulateConfigsTests {
  private static func module(
    key: String = "['n']", more: String = "",
    configs: String =
      "[triton.Config({'B': 64}), triton.Config({'B': 128})]"
  ) -> String {
    RestoreTunedArgumentsTests.module(
      decorator: "# scales\n@triton.autotune(configs=\(configs), key=\(key)\(more))",
      body: "tl.store(y + i, tl.load(x + i, mask=i < n), mask=i < n)",
      wrapper: "y = torch.empty_like(x)\nk[grid](x, y, n)\nreturn y")
  }

  private static func rows(_ rows: (Int, Int)...) -> TabulateConfigs {
    TabulateConfigs(
      rows: rows.map { TabulateConfigs.Row(values: ["n": $0.0], config: $0.1) },
      evidence: "measured on a GPU")
  }

  @Test func writesATableAndAChoice() throws {
    let text = Self.module()
    let rewrite = Self.rows((1000, 1), (4096, 0), (1000, 0))
    let subject = try RestoreTunedArgumentsTests.subject(text)
    let site = try #require(rewrite.sites(in: subject).first)
    #expect(site.names == ["n"])
    expectRewrite(
      rewrite, site, subject,
      gives: text.replacing(
        "# scales\n",
        with: """
          # The config of 'k' by n (measured on a GPU); other values try all configs.
          K_TABLE = {
              (1000,): 1,
              (4096,): 0,
          }


          def k_choice(configs, named_args, **kwargs):
              arguments = {**named_args, **kwargs}
              index = K_TABLE.get((arguments.get('n'),))
              return configs if index is None else [configs[index]]


          # scales

          """
      ).replacing(
        "key=['n'])", with: "key=['n'], prune_configs_by={'early_config_prune': k_choice})"))
  }

  /// The host program follows the table as Triton does.
  @Test(arguments: [(1000, ["B=128"]), (999, ["B=64", "B=128"])])
  func theHostProgramChoosesByIt(size: Int, blocks: [String]) throws {
    let subject = try RestoreTunedArgumentsTests.subject(Self.module())
    let result = try Self.rows((1000, 1)).apply(site("k"), to: subject)
    let tree = PythonParser.parse(
      SourceText(
        name: "m.py",
        text: result.source.text.replacing("torch.randn(1000)", with: "torch.randn(\(size))")))
    let run = try HostProgram(module: tree).run(.fromProblem)
    let found = run.launches.flatMap(\.configs).map { config, _ in
      config.constants.map { "\($0.key)=\($0.value.pythonLiteral ?? "?")" }.joined()
    }
    #expect(found == blocks)
  }

  @Test func refusesWhatATableCannotChoose() throws {
    func refusal(
      _ id: String, _ text: String,
      _ rewrite: TabulateConfigs = TabulateConfigsTests.rows((1000, 1))
    ) throws {
      let subject = Subjects.unrun(text)
      #expect(subject.module.diagnostics.map(\.headline) == [])
      expectRefusal(rewrite, site("k"), subject, id)
    }
    try refusal("no-key", Self.module(key: "[]"))
    try refusal("no-key", Self.module(key: "KEY"))
    try refusal("key-not-an-integer", Self.module(key: "['n', 'm']"))
    try refusal("configs-pruned", Self.module(more: ", prune_configs_by={'top_k': 1}"))
    try refusal("configs-not-literal", Self.module(configs: "LIST"))
    try refusal("configs-not-literal", Self.module(configs: "[*A, *B]"))
    try refusal("configs-not-literal", Self.module(configs: "[triton.Config({'B': 64})]"))
    try refusal("no-such-config", Self.module(), Self.rows((1000, 2)))
    try refusal("no-such-config", Self.module(), Self.rows((1000, -1)))
    try refusal("no-rows", Self.module(), TabulateConfigs())
    try refusal(
      "name-taken", Self.module().replacing("def f(", with: "def k_choice(x):\n    pass\ndef f("))
    try refusal("name-taken", Self.module().replacing("def f(", with: "K_TABLE = 1\ndef f("))
    expectRefusal(
      Self.rows((1, 0)), site("missing"), Subjects.unrun(Self.module()), "no-such-kernel")
    let plain = Self.module().replacing("# scales\n", with: "#")
    expectRefusal(Self.rows((1, 0)), site("k"), Subjects.unrun(plain), "not-autotuned")
  }
}
