import Diagnostics
import HostProgram
import PythonSyntax
import Testing
import Toolchain
import TritonLowering

@testable import Tuning

/// What a winner is known by.
@Suite struct WinnerKeyTests {
  private static let module = """
    import triton
    import triton.language as tl
    SCALE = 2
    UNUSED = 3
    @triton.jit
    def twice(x):
        return x * SCALE
    @triton.autotune(configs=[triton.Config({'B': 64})], key=['n'])
    @triton.jit
    def k(x, n, B: tl.constexpr):
        i = tl.arange(0, B)  # lanes
        tl.store(x + i, twice(tl.load(x + i)))
    """

  private func hash(_ edits: (String, String)...) -> String? {
    var text = Self.module
    for (old, new) in edits { text = text.replacing(old, with: new) }
    let tree = PythonParser.parse(SourceText(name: "m.py", text: text))
    return KernelFingerprint(tree).content(of: "k")
  }

  @Test func contentIsWhatIsCompiled() throws {
    let original = try #require(hash())
    #expect(hash(("# lanes", "# other words")) == original)
    #expect(hash(("tl.arange(0, B)", "tl.arange(0,  B)")) == original)
    #expect(hash(("'B': 64", "'B': 128")) == original)
    #expect(hash(("UNUSED = 3", "UNUSED = 4")) == original)
    #expect(hash(("import triton\n", "\"\"\"Another module.\"\"\"\nimport triton\n")) == original)
    #expect(
      hash(("@triton.autotune(configs=[triton.Config({'B': 64})], key=['n'])\n", "")) == original)
    #expect(hash(("SCALE = 2", "SCALE = 4")) != original)
    #expect(hash(("x * SCALE", "x + SCALE")) != original)
    #expect(hash(("x + i, twice", "x + i + 1, twice")) != original)
    let tree = PythonParser.parse(SourceText(name: "m.py", text: Self.module))
    #expect(KernelFingerprint(tree).content(of: "missing") == nil)
  }

  private func launch(_ arguments: [(String, ArgumentValue)], key: [String] = []) -> Launch {
    Launch(
      kernel: "k",
      arguments: arguments.map { LaunchArgument(name: $0.0, value: $0.1, origin: .inputShape) },
      configs: [(LaunchConfig(), [1])], autotuneKey: key, callRange: SourceRange(0, 0),
      gridRange: SourceRange(0, 0))
  }

  @Test func shapesOfOneClass() {
    func text(_ numbers: Int...) -> String {
      ShapeClass.text(of: numbers.map { launch([("n", .int($0))]) })
    }
    #expect(text(4096) == "n:i2^12/16")
    #expect(text(4000) == text(4096))
    #expect(text(4001) != text(4096))
    #expect(text(2048) != text(4096))
    #expect(text(1) == "n:i1" && text(0) == "n:i0" && text(-64) == "n:i-2^6/16")
    #expect(text(Int.min) == "n:i-2^63/16" && text(Int.max) == "n:i2^63")
    // Repeated launches are one.
    #expect(text(4096, 4096) == text(4096))
    #expect(text(4096, 64) == "n:i2^12/16 n:i2^6/16")
    let tensor = ArgumentValue.tensor(TensorShape(element: .fp32, shape: [3, Int.max]))
    #expect(ShapeClass.text(of: [launch([("x", tensor), ("m", .none)])]) == "x:*fp32[2^63],m:None")
  }

  @Test func keyArgumentsAreExact() {
    let launches = [4096, 4000, 4096].map {
      launch([("n", .int($0)), ("m", .int(7)), ("x", .float(1))], key: ["n", "x"])
    }
    #expect(ShapeClass.keyArguments(of: launches) == [["n": 4096], ["n": 4000]])
    #expect(ShapeClass.keyArguments(of: [launch([("n", .int(1))])]).isEmpty)
  }

  // MARK: Replay

  private func state(_ text: String) throws -> (ModuleState, ModuleInputs) {
    let request = try Subjects.request(text)
    let problem = KnownProblem.find(for: request)
    return (ModuleState(tree: request.tree, run: problem.run), problem.inputs)
  }

  @Test func aWinnerIsMadeAgain() throws {
    let (start, inputs) = try state(Subjects.autotuned([(4, 3)]))
    let replay = WinnerReplay(kernel: "scale_kernel", inputs: inputs)
    var winner = WinnerStoreTests.winner("scale_kernel")
    winner.configs = [Subjects.config(4), Subjects.config(8)].compactMap { Winner.Config($0) }
    winner.steps = []
    let knobs = try replay.replay(winner, on: start)
    #expect(knobs.source.text.contains("num_warps=8"))
    #expect(Winner.steps(of: "scale_kernel", in: knobs, after: start).isEmpty)
    // The schedule that led to a state leads there again.
    winner.steps = [Winner.Step(rewrite: "specialize-arguments", what: "old words", names: ["n"])]
    let body = try replay.replay(winner, on: start)
    #expect(body.source.text.contains("n: tl.constexpr"))
    let steps = Winner.steps(of: "scale_kernel", in: body, after: start)
    #expect(steps.map(\.rewrite) == ["specialize-arguments"] && steps[0].names == ["n"])
    winner.steps = steps
    #expect(try replay.replay(winner, on: start).source.text == body.source.text)
    // Nothing to do is nothing done.
    winner.steps = []
    winner.configs = []
    #expect(try replay.replay(winner, on: start).source.text == start.source.text)
  }

  @Test func aWinnerThatNoLongerFitsIsRefused() throws {
    let (start, inputs) = try state(Subjects.autotuned([(4, 3)]))
    let replay = WinnerReplay(kernel: "scale_kernel", inputs: inputs)
    func refusal(_ step: Winner.Step) -> String? {
      var winner = WinnerStoreTests.winner("scale_kernel")
      winner.steps = [step]
      do {
        _ = try replay.replay(winner, on: start)
        return nil
      } catch {
        return error.id
      }
    }
    #expect(
      refusal(Winner.Step(rewrite: "no-such", what: "", names: [])) == "winner-unknown-rewrite")
    #expect(
      refusal(Winner.Step(rewrite: "specialize-arguments", what: "make q", names: ["q"]))
        == "winner-out-of-place")
    // Its configs set constants that this kernel's do not.
    var winner = WinnerStoreTests.winner("scale_kernel")
    winner.steps = []
    winner.configs = [Winner.Config(Subjects.config(4, blocks: ["OTHER": 1]))].compactMap(\.self)
    #expect(throws: Diagnostic.self) { try replay.replay(winner, on: start) }
  }
}
