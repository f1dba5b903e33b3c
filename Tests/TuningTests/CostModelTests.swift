import Diagnostics
import HostProgram
import Testing
import TileIR

@testable import Tuning

@Suite struct CostModelTests {
  @Test func aLongerLoopCostsMore() throws {
    let (short, _) = try costed(Subjects.computing)
    let (long, _) = try costed(Subjects.computing.replacing("2000", with: "4000"))
    #expect(long > 1.5 * short && short > 0)
  }

  private func costed(_ module: String) throws -> (Double, Int) {
    var (tuner, state) = try Subjects.tuner(try Subjects.request(module))
    let cost = try tuner.evaluate(tuner.originals(in: state), in: state)
    return (cost.microseconds, tuner.model.analysesMade)
  }

  /// 64 launches on other tensors of one shape cost 64 times one, with one analysis.
  @Test func equalLaunchesAreAnalysedOnce() throws {
    let once = Subjects.elementwise()
    let often = once.replacing(
      "        scale_kernel[grid](x, y, x.numel(), BLOCK=1024)",
      with: """
                for step in range(32):
                    z = torch.empty_like(x)
                    scale_kernel[grid](x, z, x.numel(), BLOCK=1024)
                    scale_kernel[grid](z, y, x.numel(), BLOCK=1024)
        """)
    let (single, _) = try costed(once)
    let (many, made) = try costed(often)
    #expect(made == 1)
    #expect(abs(many / single - 64) < 1e-6)
  }

  /// Dead stages do not count, other warps do; what was analysed is not analysed again.
  @Test func configsShareAnalyses() throws {
    var (tuner, state) = try Subjects.tuner(
      try Subjects.request(Subjects.autotuned([(4, 2), (4, 3), (8, 3)])))
    let configs = tuner.originals(in: state)
    let first = try tuner.evaluate(configs, in: state)
    #expect(tuner.model.analysesMade == 2)
    #expect(first.perConfig.count == 3)
    let again = try tuner.evaluate(configs, in: state)
    #expect(tuner.model.analysesMade == 2)
    #expect(again.microseconds == first.microseconds)
  }

  @Test func anotherTextIsAnalysedAnew() throws {
    let request = try Subjects.request(Subjects.computing)
    var (tuner, state) = try Subjects.tuner(request)
    let before = try tuner.evaluate(tuner.originals(in: state), in: state)
    let other = try Subjects.tuner(
      try Subjects.request(Subjects.computing.replacing("2000", with: "500"))
    ).state
    let after = try tuner.evaluate(tuner.originals(in: other), in: other)
    #expect(after.microseconds < before.microseconds)
  }

  @Test func refusesWhatCannotBeLowered() throws {
    let module = Subjects.elementwise(body: "x = tl.no_such(x)")
    var (tuner, state) = try Subjects.tuner(try Subjects.request(module))
    #expect {
      try tuner.evaluate(tuner.originals(in: state), in: state)
    } throws: { error in
      (error as? Diagnostic)?.location?.line == 11
    }
  }

  @Test func refusesAConfigThatNoLaunchHas() throws {
    var (tuner, state) = try Subjects.tuner(
      try Subjects.request(Subjects.autotuned([(4, 3)])))
    let foreign = Subjects.config(4, 3, blocks: ["BLOCK": 77])
    #expect { try tuner.evaluate([foreign], in: state) } throws: { error in
      (error as? Diagnostic)?.id == "no-such-config"
    }
  }
}

@Suite struct LaunchSignatureTests {
  private func launch(
    _ tensors: [TensorShape], number: Int = 7, grid: [Int] = [8], warps: Int = 4
  ) -> Launch {
    var arguments = tensors.enumerated().map {
      LaunchArgument(name: "t\($0.offset)", value: .tensor($0.element), origin: .inputShape)
    }
    arguments.append(LaunchArgument(name: "n", value: .int(number), origin: .inputShape))
    return Launch(
      kernel: "k", arguments: arguments, configs: [(Subjects.config(warps), grid)],
      callRange: SourceRange(0, 1), gridRange: SourceRange(0, 1))
  }

  private func tensor(_ storage: Int, offset: Int = 0, rows: Int = 4) -> TensorShape {
    TensorShape(element: .fp32, shape: [rows, 8], storage: storage, offset: offset)
  }

  private func same(_ a: Launch, _ b: Launch) -> Bool {
    LaunchSignature(a) == LaunchSignature(b)
  }

  @Test func otherStorageIsTheSame() {
    #expect(same(launch([tensor(1), tensor(2)]), launch([tensor(9), tensor(3)])))
    #expect(same(launch([tensor(1, offset: 4)]), launch([tensor(1, offset: 400)])))
  }

  @Test func whatTheAnalysisReadsIsNotTheSame() {
    let one = launch([tensor(1), tensor(2)])
    #expect(!same(one, launch([tensor(1), tensor(1)])), "two arguments of one storage")
    #expect(!same(one, launch([tensor(1), tensor(2, rows: 5)])))
    #expect(!same(one, launch([tensor(1), tensor(2, offset: 1)])), "alignment")
    #expect(!same(one, launch([tensor(1), tensor(2)], number: 8)))
    #expect(!same(one, launch([tensor(1), tensor(2)], grid: [9])))
    #expect(!same(one, launch([tensor(1), tensor(2)], warps: 8)))
  }

  @Test func hugeOffsetsDoNotOverflow() {
    #expect(!same(launch([tensor(1, offset: .max)]), launch([tensor(1)])))
    #expect(same(launch([tensor(1, offset: -4)]), launch([tensor(1, offset: 4)])))
  }
}
