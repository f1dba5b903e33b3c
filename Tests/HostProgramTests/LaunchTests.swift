import Diagnostics
import Testing
import TileIR
import TritonLowering

@testable import HostProgram

@Suite struct LaunchTests {
  private static let tuned =
    TestModule.header + """
      import math

      def get_configs():
          return [triton.Config({'BLOCK': b}, num_warps=w) for b in (128, 256) for w in (2, 4)]

      @triton.autotune(configs=get_configs(), key=['n'])
      @triton.heuristics({'EVEN': lambda args: args['n'] % args['BLOCK'] == 0})
      @triton.jit
      def scale(x_ptr, y_ptr, n, stride, factor, EVEN: tl.constexpr, BLOCK: tl.constexpr):
          pass

      class ModelNew(nn.Module):
          def __init__(self, factor, width=64):
              super().__init__()
              self.factor = factor
              self.fc = nn.Linear(width, 32)

          def forward(self, x):
              x = self.fc(x).contiguous()
              N, C = x.shape
              y = torch.empty_like(x)
              grid = lambda meta: (triton.cdiv(N * C, meta['BLOCK']), 2)
              for _ in range(3):
                  scale[grid](x, y, N * C, y.stride(0), self.factor)
              return y

      def get_inputs():
          return [torch.rand(100, 64)]

      def get_init_inputs():
          return [1.5]

      """

  @Test func `An autotuned launch has every config with its grid`() throws {
    let run = try TestModule.program(Self.tuned).run(.fromProblem)
    #expect(run.inputsAreKnown)
    #expect(run.torchOperators.map(\.name) == ["linear"])
    #expect(run.outputs.map(\.shape) == [[100, 32]])
    let launch = try #require(run.launches.first)
    #expect(run.launches.count == 1)
    #expect(launch.repetitions == 3)
    #expect(launch.isAutotuned)
    #expect(launch.autotuneKey == ["n"])
    #expect(launch.configs.map(\.grid) == [[25, 2], [25, 2], [13, 2], [13, 2]])
    #expect(launch.configs.map(\.config.numWarps) == [2, 4, 2, 4])
    #expect(
      launch.configs.map(\.config.constants["EVEN"]) == [
        .bool(true), .bool(true), .bool(false), .bool(false),
      ])
    #expect(launch.configs[0].config.statesNumWarps)
    #expect(!launch.configs[0].config.statesNumStages)
    #expect(launch.configs[0].config.numStages == 3)
    #expect(launch.gridFormulas?.map(\.description) == ["cdiv(32*N, BLOCK)", "2"])
    #expect(launch.arguments.map(\.name) == ["x_ptr", "y_ptr", "n", "stride", "factor"])
    #expect(launch.arguments[2].value == .int(3200))
    #expect(launch.arguments[2].origin == .inputShape)
    #expect(launch.arguments[2].formula?.description == "32*N")
    #expect(launch.arguments[3].origin == .module)
    #expect(launch.arguments[3].formula == nil)
    #expect(launch.arguments[4].value == .float(1.5))
    #expect(launch.arguments[4].origin == .module)
  }

  @Test func `Sources of arguments, grids and configs are located`() throws {
    let program = TestModule.program(Self.tuned)
    let launch = try #require(try program.run(.fromProblem).launches.first)
    let source = program.module.source
    #expect(source.text(in: launch.gridRange) == "grid")
    #expect(source.text(in: launch.callRange).hasPrefix("scale[grid](x, y"))
    #expect(launch.arguments[2].range.map { source.text(in: $0) } == "N * C")
    #expect(
      launch.configs[0].config.range.map { source.text(in: $0) }
        == "triton.Config({'BLOCK': b}, num_warps=w)")
  }

  private static func scaled(_ body: String) -> HostProgram {
    TestModule.program(
      TestModule.scaleKernel + """
        class ModelNew(nn.Module):
            def forward(self, x, k=3):
        \(body.split(separator: "\n").map { "        " + $0 }.joined(separator: "\n"))

        def get_inputs():
            return [torch.rand(6, 50)]

        def get_init_inputs():
            return []

        """)
  }

  @Test func `Tuple grids, run and launch options`() throws {
    let run = try Self.scaled(
      """
      y = torch.empty_like(x)
      scale[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), 2.0, BLOCK=64, num_warps=8)
      scale.run(x, y, 1, 2.0, 32, grid=(1, 2, 3), warmup=False)
      scale[(1,)](x[1:], y[:, 1:], 16, None, BLOCK=16)
      """
    ).run(.fromProblem)
    #expect(run.launches.map { $0.configs[0].grid } == [[5], [1, 2, 3], [1]])
    #expect(run.launches[0].configs[0].config.numWarps == 8)
    #expect(run.launches[0].configs[0].config.statesNumWarps)
    #expect(!run.launches[0].isAutotuned)
    #expect(run.launches[0].arguments.last?.value == .int(64))
  }

  @Test func `Specialisation follows Triton's launcher`() throws {
    let program = Self.scaled(
      """
      y = torch.empty_like(x)
      scale[(1,)](x, y, 1, 2.0, BLOCK=64)
      scale[(1,)](x[:, 4:], y[:, 1:], 3000000000, True, BLOCK=64)
      scale[(1,)](x.half(), None, 48, 'text', BLOCK=(1, 2))
      """)
    let run = try program.run(.fromProblem)
    let kernel = try #require(TritonModule(program.module).function(named: "scale"))
    let found = run.launches.map {
      $0.specialization(config: $0.configs[0].config, kernel: kernel, computeCapability: 89)
    }
    #expect(
      found[0].arguments == [
        "x_ptr": .pointer(.fp32, isDivisibleBy16: true),
        "y_ptr": .pointer(.fp32, isDivisibleBy16: true), "n": .constexpr(.int(1)),
        "factor": .scalar(.fp32, isDivisibleBy16: false), "BLOCK": .constexpr(.int(64)),
      ])
    #expect(
      found[1].arguments == [
        "x_ptr": .pointer(.fp32, isDivisibleBy16: true),
        "y_ptr": .pointer(.fp32, isDivisibleBy16: false),
        "n": .scalar(.int64, isDivisibleBy16: true),
        "factor": .scalar(.int1, isDivisibleBy16: false), "BLOCK": .constexpr(.int(64)),
      ])
    #expect(found[2].arguments["x_ptr"] == .pointer(.fp16, isDivisibleBy16: true))
    #expect(found[2].arguments["y_ptr"] == .constexpr(.none))
    #expect(found[2].arguments["n"] == .scalar(.int32, isDivisibleBy16: true))
    #expect(found[2].arguments["factor"] == .constexpr(.string("text")))
    #expect(found[2].arguments["BLOCK"] == .constexpr(.tuple([.int(1), .int(2)])))
  }

  @Test(arguments: [
    (
      "scale[(1,)](x, x, 1, 2.0, BLOCK=64, WRONG=1)",
      "this raises KeyError: Keyword argument WRONG was specified but unrecognised"
    ),
    (
      "scale[(1,)](x, x, 1, 2.0)",
      "this raises TypeError: scale() missing a required argument: 'BLOCK'"
    ),
    (
      "scale[(1,)](x, x, 1, 2.0, BLOCK=64, num_warps=3)",
      "this raises AssertionError: num_warps must be a power of 2"
    ),
    (
      "scale(x, x, 1, 2.0, BLOCK=64)",
      "this raises RuntimeError: Cannot call @triton.jit'd outside of the scope of a kernel: 'scale' needs a grid"
    ),
    (
      "scale[(x,)](x, x, 1, 2.0, BLOCK=64)", "this raises TypeError: a size must be int, not Tensor"
    ),
    ("y = torch.mystery(x)", "'torch.mystery' is not modelled"),
  ])
  func `What cannot be launched is said at its line`(line: String, message: String) throws {
    let program = Self.scaled(line)
    let error = #expect(throws: Diagnostic.self) { try program.run(.fromProblem) }
    #expect(error?.message == message)
    #expect(error?.location?.line == 11)
  }

  @Test func `Autotuned values cannot be given again`() {
    let text = Self.tuned.replacing("self.factor)", with: "self.factor, BLOCK=64)")
    let error = #expect(throws: Diagnostic.self) {
      try TestModule.program(text).run(.fromProblem)
    }
    #expect(error?.message.contains("Conflicting meta-parameters: BLOCK") == true)
  }

  @Test func `A config's options outweigh its dict and reach parameters of their name`() throws {
    let text = Self.tuned.replacing(
      "triton.Config({'BLOCK': b}, num_warps=w)",
      with: "triton.Config({'BLOCK': b, 'num_stages': 7}, num_warps=w, num_stages=2)"
    ).replacing("BLOCK: tl.constexpr)", with: "BLOCK: tl.constexpr, num_stages: tl.constexpr)")
    let launch = try #require(try TestModule.program(text).run(.fromProblem).launches.first)
    #expect(launch.configs[0].config.numStages == 2)
    #expect(launch.configs[0].config.constants["num_stages"] == .int(2))
  }

  @Test func `Kernels used in inference only are found in inference`() throws {
    let run = try Self.scaled(
      """
      if self.training:
          return x
      scale[(1,)](x, x, 1, 2.0, BLOCK=64)
      return x
      """
    ).run(.fromProblem)
    #expect(run.launches.count == 1)
    #expect(run.notes.contains { $0.id == "inference-mode" })
  }

  @Test func `The GPU answers as given`() throws {
    let text =
      TestModule.scaleKernel + """
        class ModelNew(nn.Module):
            def forward(self, x):
                sms = torch.cuda.get_device_properties(x.device).multi_processor_count
                same = triton.runtime.driver.active.utils.get_device_properties(0)["multiprocessor_count"]
                major, minor = torch.cuda.get_device_capability()
                scale[(sms, same, major)](x, x, minor, 1.0, BLOCK=16)

        def get_inputs():
            return [torch.rand(4)]

        def get_init_inputs():
            return []

        """
    let module = TestModule.program(text).module
    let gpu = HostGPU(name: "H100", computeCapability: 90, multiprocessors: 132)
    let run = try HostProgram(module: module, gpu: gpu).run(.fromProblem)
    #expect(run.launches.first?.configs[0].grid == [132, 132, 9])
  }
}
