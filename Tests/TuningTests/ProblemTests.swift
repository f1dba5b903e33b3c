import Diagnostics
import HostProgram
import PythonSyntax
import Rewrites
import Testing

@testable import Tuning

/// Where the problem's shapes come from, in order of trust.
@Suite struct KnownProblemTests {
  private func shape(_ problem: KnownProblem) -> [Int]? {
    problem.run?.inputs.first?.shape.shape
  }

  static let file = """
    import torch
    import torch.nn as nn


    class Model(nn.Module):
        def forward(self, x):
            return x * 2


    def get_inputs():
        return [torch.rand(96, 128)]


    def get_init_inputs():
        return []

    """

  @Test func flagsComeBeforeTheProblemFile() throws {
    let module = Subjects.elementwise()
    let both = try Subjects.request(module, inputs: ["x=f32[32,64]"], problem: Self.file)
    #expect(shape(KnownProblem.find(for: both)) == [32, 64])
    let file = try Subjects.request(module, inputs: [], problem: Self.file)
    #expect(shape(KnownProblem.find(for: file)) == [96, 128])
  }

  @Test func shapesOfNoInputAreWarnedOf() throws {
    let module = Subjects.elementwise()
    let wrong = KnownProblem.find(
      for: try Subjects.request(module, inputs: ["y=f32[32,64]", "x=f32[8,64]"]))
    #expect(wrong.notes.map(\.id) == ["unknown-input"])
    #expect(wrong.notes.first?.message.contains("'y'") == true)
    #expect(wrong.notes.first?.nextStep?.contains("x") == true)
    #expect(shape(wrong) == [8, 64])
  }

  @Test func aModuleMayBeItsOwnProblem() throws {
    let module = Subjects.elementwise(
      extra: "\n\ndef get_inputs():\n    return [torch.rand(48, 64)]\n\n\n"
        + "def get_init_inputs():\n    return []\n")
    let problem = KnownProblem.find(for: try Subjects.request(module, inputs: []))
    #expect(shape(problem) == [48, 64])
    #expect(problem.deduction == nil && problem.notes.isEmpty)
  }

  @Test func theProfileIsTheLastResort() throws {
    let request = try Subjects.request(
      Subjects.elementwise(), inputs: [],
      profile: #"{"scale_kernel": {"launch__grid_size": 16384}}"#)
    let problem = KnownProblem.find(for: request)
    #expect(problem.deduction?.best != nil)
    #expect(problem.run?.launches.first?.configs.first?.grid == [16384])
    #expect(problem.configs["scale_kernel"] == [0])
    let without = KnownProblem.find(for: try Subjects.request(Subjects.elementwise(), inputs: []))
    #expect(without.deduction == nil && without.run?.inputsAreKnown == false)
  }

  @Test func aHostProgramThatIsNotFollowedIsANote() throws {
    let module = Subjects.elementwise().replacing(
      "y = torch.empty_like(x)", with: "y = torch.no_such_thing(x)")
    let problem = KnownProblem.find(for: try Subjects.request(module))
    #expect(problem.run == nil)
    #expect(problem.notes.first?.severity == .warning)
    #expect(problem.notes.first?.location?.line == 17)
  }

  @Test func inputsThatCannotBeRunAreNotUsed() throws {
    let module = Subjects.elementwise().replacing(
      "y = torch.empty_like(x)", with: "n, c, h, w = x.shape\n        y = torch.empty_like(x)")
    let problem = KnownProblem.find(for: try Subjects.request(module, inputs: ["x=f32[8,8]"]))
    #expect(problem.run != nil)
    #expect(problem.notes.contains { $0.id == "inputs-not-used" })
  }
}

/// One version of the module, and the checks before it is printed.
@Suite struct ModuleStateTests {
  @Test func aRewrittenModuleRunsAgain() throws {
    let request = try Subjects.request(Subjects.computing)
    let problem = KnownProblem.find(for: request)
    let state = ModuleState(tree: request.tree, run: problem.run)
    let rewrite = Replacement(old: "(x.numel(), 1024)", new: "(x.numel(), 512)")
    let site = try #require(rewrite.sites(in: state.subject).first)
    let next = try ModuleState(
      try rewrite.apply(site, to: state.subject), after: state, inputs: problem.inputs)
    #expect(next.applied.map(\.rewrite) == ["replace-text"])
    #expect(next.subject.run?.launches.first?.configs.first?.grid == [32768])
    #expect(state.applied.isEmpty)
  }

  @Test func aRewriteThatStopsTheHostProgramIsAtFault() throws {
    let request = try Subjects.request(Subjects.computing)
    let problem = KnownProblem.find(for: request)
    let state = ModuleState(tree: request.tree, run: problem.run)
    let rewrite = Replacement(old: "x.numel(), 1024", new: "x.no_such(), 1024")
    let site = try #require(rewrite.sites(in: state.subject).first)
    #expect(throws: Diagnostic.self) {
      try ModuleState(
        try rewrite.apply(site, to: state.subject), after: state, inputs: problem.inputs)
    }
  }

  /// States are looked at from the last to the first; one that changes the grid is not printed.
  @Test func theLastSoundStateIsPrinted() throws {
    let request = try Subjects.request(Subjects.computing)
    let problem = KnownProblem.find(for: request)
    let original = ModuleState(tree: request.tree, run: problem.run)
    func state(_ old: String, _ new: String) -> ModuleState {
      let text = Subjects.computing.replacing(old, with: new)
      let tree = PythonParser.parse(SourceText(name: "module.py", text: text))
      return ModuleState(tree: tree, run: nil)
    }
    let good = state("range(0, 2000)", "range(0, 2 * 1000)")
    let checks = FinalChecks(request: request, original: original, inputs: problem.inputs)
    #expect(checks.lastSound(of: [original, good]).index == 1)
    let grid = checks.lastSound(of: [
      original, good, state("(x.numel(), 1024)", "(x.numel(), 512)"),
    ])
    #expect(grid.index == 1 && grid.text.text.contains("range(0, 2 * 1000)"))
    #expect(grid.notes.contains { $0.id.contains("grid") })
    let launches = checks.lastSound(
      of: [
        original,
        state(
          "        return y",
          "        scale_kernel[grid](y, y, x.numel(), BLOCK=1024)\n        return y"
        ),
      ])
    #expect(launches.index == 0)
    let broken = checks.lastSound(of: [original, state("range(0, 2000)", "range(0, ")])
    #expect(broken.index == 0 && broken.text.text == Subjects.computing)
  }

  /// What the original itself breaks is a warning, and it is printed all the same.
  @Test func theOriginalIsPrintedWhateverItBreaks() throws {
    let module = Subjects.computing + "\nprint('hello')\n"
    let request = try Subjects.request(module)
    let problem = KnownProblem.find(for: request)
    let original = ModuleState(tree: request.tree, run: problem.run)
    let result = FinalChecks(request: request, original: original, inputs: problem.inputs)
      .lastSound(of: [original])
    #expect(result.index == 0)
    #expect(result.notes.allSatisfy { $0.severity == .warning })
    #expect(result.text.text.contains("print('hello')"))
  }
}
