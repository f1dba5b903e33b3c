import Diagnostics
import PythonSyntax
import Stages
import Testing

@Suite struct StrictFormTests {
  func found(_ tree: ModuleTree, _ rules: OutputRules = .standard) -> [String] {
    StrictForm.check(tree, rules: rules).filter { $0.severity == .error }.map(\.id)
  }

  func appended(_ text: String) -> ModuleTree {
    SampleModule.tree(SampleModule.text + "\n\n" + text)
  }

  @Test func theSampleIsInForm() { #expect(StrictForm.check(SampleModule.tree).isEmpty) }

  @Test(arguments: [
    ("if __name__ == '__main__':\n    pass", "main-guard"),
    ("def get_inputs():\n    return []", "forbidden-function"),
    ("def get_init_inputs():\n    return []", "forbidden-function"),
    ("print('done')", "testing-code"), ("for i in range(3):\n    pass", "testing-code"),
    ("assert torch.ones(1)", "testing-code"), ("x = torch.randn(3)", "testing-code"),
    ("def main():\n    pass", "testing-code"), ("import math", "section-order"),
    ("def helper(x):\n    return x", "section-order"),
    ("@triton.jit\ndef late(x):\n    pass", "section-order"),
  ])
  func forbiddenParts(_ text: String, _ id: String) { #expect(found(appended(text)) == [id]) }

  @Test func constantsAndHelpersAreFine() {
    let tree = SampleModule.edited(
      (
        "import triton.language as tl\n",
        "import triton.language as tl\nimport math\nfrom typing import Optional\n\nLOG2E = tl.constexpr(1.44)\nSIZES = [1, 2]\n"
      ))
    #expect(StrictForm.check(tree).isEmpty)
  }

  @Test func modelNew() {
    #expect(
      found(SampleModule.edited(("class ModelNew(nn.Module)", "class Model2(nn.Module)"))) == [
        "no-model"
      ])
    #expect(
      found(SampleModule.edited(("class ModelNew(nn.Module)", "class ModelNew"))) == [
        "model-not-module"
      ])
    #expect(
      found(
        SampleModule.edited(
          (
            "class ModelNew(nn.Module)",
            "class Base(nn.Module):\n    pass\n\n\nclass ModelNew(Base)"
          ))
      ).isEmpty)
    #expect(
      found(SampleModule.edited(("return scale(x, self.factor)", "return x * self.factor"))) == [
        "kernel-not-called"
      ])
  }

  @Test func everyKernelIsDecorated() {
    #expect(found(SampleModule.edited(("@triton.jit\n", ""))).contains("kernel-undecorated"))
    let helper = SampleModule.edited(
      ("@triton.autotune", "@triton.jit\ndef twice(v):\n    return v + v\n\n\n@triton.autotune"),
      ("value * factor", "twice(value) * factor"))
    #expect(StrictForm.check(helper).isEmpty)
  }

  @Test func namesMustBeImported() {
    #expect(found(SampleModule.edited(("value * factor", "value * math.pi"))) == ["missing-import"])
  }

  @Test func rulesOfTheRequest() {
    var rules = OutputRules.standard
    let source = SourceText(
      name: "r.md",
      text: """
        1. Follow this exact order:
           1. Imports: torch, torch.nn, triton, triton.language as tl
           2. @triton.jit decorated kernels — NO continue/break/return inside loops
        2. Do NOT include: testing code, if __name__
        - Triton has NO: tl.tanh, tl.sigmoid
        - The answer is forty-two
        """)
    rules.read(source, lines: Array(0..<6))
    #expect(rules.forbidsLoopExits)
    #expect(rules.unavailableNames == ["tl.tanh", "tl.sigmoid"])
    #expect(rules.diagnostics.map { $0.location?.line } == [6])
    #expect(
      found(SampleModule.edited(("value * factor", "tl.tanh(value)")), rules) == [
        "unavailable-name"
      ])
    let loop = SampleModule.edited(
      (
        "    value = tl.load",
        "    for i in range(3):\n        if i > 1:\n            break\n    value = tl.load"
      ))
    #expect(found(loop, rules) == ["loop-exit"])
    #expect(found(loop).isEmpty)
  }

  @Test func aModuleThatIsItsOwnProblemKeepsItsParts() {
    let tree = appended("def get_inputs():\n    return []")
    #expect(found(tree, StrictForm.rules(.standard, keepingPartsOf: tree)).isEmpty)
  }

  @Test func syntaxErrorsComeFirst() {
    #expect(StrictForm.check(SampleModule.tree("def (")).count >= 1)
  }
}
