import Diagnostics
import Testing
import TileIR

@testable import HostProgram

/// What the host code of public packages does around its kernels.
@Suite struct PublicHabitsTests {
  private static let scaleModel = """
    class ModelNew(nn.Module):
        def forward(self, x):
            y = torch.empty_like(x)
            n = x.numel()
            scale[(triton.cdiv(n, 64),)](x, y, n, 2.0, BLOCK=64)
            return y

    def get_inputs():
        return [torch.rand(100)]

    """

  @Test func `Loggers, perf_report and constexpr_function do not keep a module from running`()
    throws
  {
    let run = try TestModule.program(
      TestModule.scaleKernel + """
        import logging
        logger = logging.getLogger(__name__)
        logger.setLevel(logging.DEBUG)
        logger.info("loaded %s", __name__)
        assert logging.NOTSET < logging.DEBUG < logging.INFO < logging.WARNING < logging.ERROR

        @triton.constexpr_function
        def half(n):
            return n // 2

        @triton.testing.perf_report(triton.testing.Benchmark(x_names=['N']))
        def benchmark(N):
            return N

        if __name__ == "__main__":
            benchmark.run(print_data=True)

        """ + Self.scaleModel
    ).run(.fromProblem)
    #expect(run.launches.map(\.kernel) == ["scale"])
    #expect(run.trace.gap == nil)
  }

  @Test func `A type is written as torch writes it, whatever alias it was named by`() throws {
    let run = try TestModule.program(
      TestModule.scaleKernel + """
        assert str(torch.short) == "torch.int16"
        assert f"{torch.half}" == "torch.float16"
        assert repr(torch.zeros(1, dtype=torch.double).dtype) == "torch.float64"

        """ + Self.scaleModel
    ).run(.fromProblem)
    #expect(run.launches.map(\.kernel) == ["scale"])
  }

  @Test func `A function with an unknown decorator is refused where it is needed`() throws {
    let program = TestModule.program(
      TestModule.scaleKernel.replacing("@triton.jit", with: "@triton.testing.perf_report")
        + Self.scaleModel)
    #expect {
      _ = try program.run(.fromProblem)
    } throws: { error in
      "\(error)".contains("the decorator of 'scale' is not modelled")
    }
  }

  private static let descriptors =
    TestModule.header + """
      from triton.tools.tensor_descriptor import TensorDescriptor

      def hook(nargs):
          nargs["d"].block_shape = [nargs["BLOCK"]]
          nargs["y"].zero_()

      @triton.autotune(configs=[triton.Config({'BLOCK': b}, pre_hook=hook) for b in (16, 32)], key=[])
      @triton.jit
      def copy(d, y, n, BLOCK: tl.constexpr):
          i = tl.program_id(0) * BLOCK
          tl.store(y + i + tl.arange(0, BLOCK), d.load([i]))

      class ModelNew(nn.Module):
          def forward(self, x):
              y = torch.empty_like(x)
              d = TensorDescriptor(x, x.shape, x.stride(), [1])
              copy[lambda meta: (triton.cdiv(x.numel(), meta['BLOCK']),)](d, y, x.numel())
              return y

      def get_inputs():
          return [torch.rand(64)]
      """

  @Test func `A config's pre_hook gives descriptors their blocks and fills tensors once`() throws {
    let run = try TestModule.program(Self.descriptors).run(.fromProblem)
    let launch = try #require(run.launches.first)
    #expect(launch.configs.map(\.config.descriptorBlocks) == [["d": [16]], ["d": [32]]])
    for (config, grid) in launch.configs {
      guard
        case .tensorDescriptor(_, let block) = config.adjusted(launch.arguments[0].value, "d")
      else {
        Issue.record("the first argument is a descriptor")
        continue
      }
      #expect(grid == [64 / block[0]])
    }
    #expect(
      run.trace.forward.map(TraceText.line).dropFirst() == [
        "%1:fp32[64] = zero(input=%1:fp32[64])", "launch 0",
      ])
  }

  @Test func `A kernel compiled by warmup is launched with what it was compiled with`() throws {
    let run = try TestModule.program(
      TestModule.scaleKernel + """
        class ModelNew(nn.Module):
            def forward(self, x):
                y = torch.empty_like(x)
                n = x.numel()
                kernel = scale.warmup(x, y, n, 2.0, BLOCK=64, num_warps=8, grid=(1,))
                kernel._init_handles()
                warps = kernel.metadata.num_warps
                per_sm = 65536 // (kernel.n_regs * 32 * warps)
                per_sm = min(per_sm, 100000 // kernel.metadata.shared)
                kernel[(min(triton.cdiv(n, 64), 128 * per_sm), warps, 1)](x, y, n, 2.0)
                return y

        def get_inputs():
            return [torch.rand(100)]
        """
    ).run(.fromProblem)
    let launch = try #require(run.launches.first)
    #expect(launch.configs[0].config.numWarps == 8)
    #expect(launch.configs[0].grid == [2, 8, 1])
    #expect(launch.arguments.last?.value == .int(64))
    #expect(run.notes.contains { $0.id == "assumed-compilation" })
    #expect(run.trace.gap == nil)
  }

  @Test func `Contents are read where someone computes them`() throws {
    let text =
      TestModule.header + """
        class ModelNew(nn.Module):
            def forward(self, x, k):
                total = 0
                for n in k.tolist():
                    total += n
                if k.max() > 5:
                    total += int(k.sum())
                assert total == 18, total
                return x[:k.max().item()], torch.bincount(k)

        def get_inputs():
            return [torch.rand(10), torch.tensor([2, 7]).to(torch.int32)]
        """
    var program = TestModule.program(text)
    #expect(throws: Diagnostic.self) { try program.run(.fromProblem) }
    program.contents = { run, shape in
      // The steps so far are there: the last one made what is asked for, or an earlier one.
      guard case .operation(let last)? = run.trace.forward.last ?? run.trace.setup.last else {
        return nil
      }
      if shape.shape == [2] { return [2, 7] }
      return last.name == "sum" ? [9] : last.name == "gt" ? [1] : [7]
    }
    let run = try program.run(.fromProblem)
    #expect(run.trace.gap == nil)
    #expect(run.outputs.map(\.shape) == [[7], [8]])
  }

  @Test func `Shapes are given by another module's names`() throws {
    var program = TestModule.program(
      TestModule.scaleKernel + Self.scaleModel.replacing("self, x)", with: "self, x, /)"))
    #expect(program.inputParameters == ["x"])
    program.inputNames = ["input"]
    let run = try program.run(.resized(["input": [33]]))
    #expect(run.inputs.map(\.name) == ["input"])
    #expect(run.inputs[0].shape.shape == [33])
  }

  @Test func `A call that does not fit is said of forward`() throws {
    let problem = "import torch\n\n\n\n\ndef get_inputs():\n    return [torch.rand(3)] * 2\n"
    let program = TestModule.program(
      TestModule.scaleKernel + Self.scaleModel,
      problem: problem)
    let error = #expect(throws: Diagnostic.self) { try program.run(.fromProblem) }
    #expect(error?.message.contains("forward() takes 2 positional arguments") == true)
    #expect(error?.source?.name == "module.py")
    let text = error.flatMap { error in error.range.map { error.source?.text(in: $0) } }
    #expect(text == "forward")
  }
}
