import Testing
import TileIR

@testable import HostProgram

@Suite struct TraceTests {
  @Test(arguments: TraceTable.operators)
  func `Operators are recorded by torch's names`(code: String, lines: [String]) {
    #expect(TraceText.forward(code) == lines)
  }

  @Test func `Setup fills inputs, parameters and buffers by name`() throws {
    let program = TestModule.program(
      TestModule.header + """
        class ModelNew(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.inner = nn.Sequential(nn.Linear(n, 4), nn.BatchNorm1d(4))
                self.scale = nn.Parameter(torch.ones(4))
                self.packed = self.inner[0].weight.t().contiguous()
            def forward(self, x, flag):
                return (x @ self.packed) * self.scale

        def get_inputs():
            return [torch.randn(2, 16), 3]

        def get_init_inputs():
            return [16]
        """)
    let trace = try program.run(.fromProblem).trace
    #expect(
      trace.tensors.map { "\($0.role) \($0.name) \(TraceText.text($0.shape))" } == [
        "input x %9:fp32[2, 16]", "parameter scale %7:fp32[4]",
        "parameter inner.0.weight %0:fp32[4, 16]", "parameter inner.0.bias %1:fp32[4]",
        "parameter inner.1.weight %2:fp32[4]", "parameter inner.1.bias %3:fp32[4]",
        "buffer inner.1.running_mean %4:fp32[4]", "buffer inner.1.running_var %5:fp32[4]",
        "buffer inner.1.num_batches_tracked %6:int64[]",
      ])
    #expect(
      trace.setup.map(TraceText.line) == [
        "%0:fp32[4, 16] = init.uniform(high=0.25, low=-0.25)",
        "%1:fp32[4] = init.uniform(high=0.25, low=-0.25)",
        "%2:fp32[4] = init.constant(value=1.0)", "%3:fp32[4] = init.constant(value=0.0)",
        "%4:fp32[4] = init.constant(value=0.0)", "%5:fp32[4] = init.constant(value=1.0)",
        "%6:int64[] = init.constant(value=0.0)", "%7:fp32[4] = ones(size=[4])",
        "%8:fp32[16, 4] = contiguous(input=%0:fp32[16, 4]/[1, 16])",
        "%9:fp32[2, 16] = randn(size=[2, 16])",
      ])
    #expect(
      trace.forward.map(TraceText.line) == [
        "%10:fp32[2, 4] = matmul(input=%9:fp32[2, 16], other=%8:fp32[16, 4])",
        "%11:fp32[2, 4] = mul(input=%10:fp32[2, 4], other=%7:fp32[4])",
      ])
    #expect(trace.outputs.map(TraceText.text) == ["%11:fp32[2, 4]"])
    #expect(trace.gap == nil)
    #expect(trace.lastSetupStep(writing: 0) == 0)
    #expect(trace.lastSetupStep(writing: 99) == nil)
  }

  @Test func `An output that views an input has its storage`() throws {
    let program = TestModule.program(
      TestModule.header + """
        class ModelNew(nn.Module):
            def forward(self, x):
                return {"a": x[1:].t(), "b": [x.half().float()]}

        def get_inputs():
            return [torch.rand(4, 6)]

        def get_init_inputs():
            return []
        """)
    let trace = try program.run(.fromProblem).trace
    #expect(trace.outputs.map(TraceText.text) == ["%0+6:fp32[6, 3]/[1, 6]", "%2:fp32[4, 6]"])
    #expect(trace.forward.count == 2)
  }

  @Test func `A module's conversion moves its parameters to new storages`() throws {
    let program = TestModule.program(
      TestModule.header + """
        class ModelNew(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(4, 2, bias=False, dtype=torch.float64)
                self.half()
            def forward(self, x):
                return self.fc(x)

        def get_inputs():
            return [torch.rand(3, 4, dtype=torch.float16)]

        def get_init_inputs():
            return []
        """)
    let trace = try program.run(.fromProblem).trace
    #expect(
      trace.setup.map(TraceText.line) == [
        "%0:fp64[2, 4] = init.uniform(high=0.5, low=-0.5)",
        "%1:fp16[2, 4] = to(dtype=fp16, input=%0:fp64[2, 4])",
        "%2:fp16[3, 4] = rand(dtype=fp16, size=[3, 4])",
      ])
    #expect(trace.tensors.map(\.shape.storage) == [2, 1])
  }

  @Test func `Loaded weights are copies, and einops goes by its parts`() throws {
    let program = TestModule.program(
      TestModule.header + """
        from einops import rearrange, reduce, repeat

        class ModelNew(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(2, 3, bias=False)
                self.b = nn.Linear(2, 3, bias=False)
                self.b.load_state_dict(self.a.state_dict())
            def forward(self, x):
                y = reduce(x, 'b (h k) c -> b c h', 'mean', k=2)
                z = repeat(y, 'b c h -> b (c r) h', r=3)
                return rearrange(z, 'b c h -> c (b h)')

        def get_inputs():
            return [torch.rand(5, 4, 6)]

        def get_init_inputs():
            return []
        """)
    let trace = try program.run(.fromProblem).trace
    #expect(
      trace.setup.map(TraceText.line)[2]
        == "%1:fp32[3, 2] = copy(input=%1:fp32[3, 2], src=%0:fp32[3, 2])")
    #expect(
      trace.forward.map(TraceText.line) == [
        "%3:fp32[5, 2, 6] = mean(dim=[2], input=%2:fp32[5, 2, 2, 6])",
        "%4:fp32[5, 6, 3, 2] = contiguous(input=%3:fp32[5, 6, 3, 2]/[12, 1, 0, 6])",
        "%5:fp32[18, 5, 2] = contiguous(input=%4:fp32[18, 5, 2]/[2, 36, 1])",
      ])
    #expect(trace.outputs.map(TraceText.text) == ["%5:fp32[18, 10]"])
  }

  // MARK: Launches

  private static let loop =
    TestModule.scaleKernel + """
      class ModelNew(nn.Module):
          def forward(self, x):
              y = torch.empty_like(x)
              for i in range(3):
                  scale[(1,)](x[i], y[i], 64, 2.0, BLOCK=64)
              z = y + 1
              for i in range(2):
                  scale[(1,)](z, z, 64, 2.0, BLOCK=64)
              return z

      def get_inputs():
          return [torch.rand(3, 64)]

      def get_init_inputs():
          return []
      """

  @Test func `Launches stand in order, each with its own tensors`() throws {
    let run = try TestModule.program(Self.loop).run(.fromProblem)
    #expect(run.launches.map(\.repetitions) == [3, 2])
    #expect(
      run.trace.forward.map(TraceText.line) == [
        "%1:fp32[3, 64] = empty_like(input=%0:fp32[3, 64])", "launch 0", "launch 0", "launch 0",
        "%2:fp32[3, 64] = add(input=%1:fp32[3, 64], other=1)", "launch 1", "launch 1",
      ])
    let offsets = run.trace.forward.indices.compactMap { step -> Int? in
      guard case .tensor(let shape)? = run.launch(at: step)?.arguments.first?.value else {
        return nil
      }
      return shape.offset
    }
    #expect(offsets == [0, 64, 128, 0, 0])
    #expect(run.launch(at: 0) == nil && run.launch(at: 99) == nil)
    #expect(run.trace.launchArguments.keys.sorted() == [2, 3])
  }

  // MARK: Gaps

  @Test(arguments: [
    ("if x.sum() > 0:\n    x = x + 1", "this depends on tensor contents; assumed true"),
    ("n = int(k.max().item())\ny = x * n", "'item()' reads tensor contents; assumed 1"),
    ("y = x[x > 0]", "the size of this result depends on tensor contents"),
    ("y = torch.nonzero(x)", "the size of this result depends on tensor contents"),
    ("y = F.one_hot(k)", "the size of this result depends on tensor contents"),
    (
      "if torch.allclose(x, y):\n    pass", "this depends on tensor contents; assumed true"
    ),
  ])
  func `What depends on contents is a gap`(code: String, message: String) {
    #expect(TraceText.forward(code).last == "gap: \(message)")
  }

  @Test(arguments: [
    "x[x > 0] = 1", "n = torch.tensor([3, 4])[1].item()\nx = x * n",
    "for v in torch.linspace(0, 1, 3):\n    x = x + v.item()",
    "s = torch.tensor(2.0)\nx = x * float(s)",
    "z = torch.zeros(1)\nx = x + 1 if z.item() == 0 else x",
  ])
  func `Contents that the code fixes are none`(code: String) {
    #expect(TraceText.forward(code).allSatisfy { !$0.hasPrefix("gap") })
  }

  @Test func `A value is known no more after a write, and a read one is told`() throws {
    #expect(
      TraceText.forward("z = torch.zeros(1)\nz += x[0, 0]\nif z.item() > 0:\n    x = x + 1").last
        == "gap: 'item()' reads tensor contents; assumed 1")
    let program = TestModule.program(
      TestModule.header + """
        class ModelNew(nn.Module):
            def __init__(self):
                super().__init__()
                self.s = nn.Parameter(torch.tensor(2.0))
            def forward(self, x):
                return x * self.s.item()

        def get_inputs():
            return [torch.rand(4)]

        def get_init_inputs():
            return []
        """)
    let trace = try program.run(.fromProblem).trace
    #expect(trace.gap == nil)
    #expect(trace.readStorages == [0])
  }

  // MARK: Other sizes

  private static let module =
    TestModule.header + """
      class ModelNew(nn.Module):
          def __init__(self, features):
              super().__init__()
              self.fc = nn.Linear(features, 8)
          def forward(self, x, labels):
              return self.fc(x)

      """
  private static let problem = """
    import torch
    batch = 128
    features = 32 * 2
    shape = (3, 5)
    half = features // 2
    class Model:
        pass
    def get_inputs():
        return [torch.rand(batch, features).half() if False else torch.rand(batch, features), torch.randint(0, 7, (batch,))]
    def get_init_inputs():
        return [features]
    """

  @Test func `The problem's integers are listed and can be replaced`() throws {
    let program = TestModule.program(Self.module, problem: Self.problem)
    #expect(
      program.constants.map { "\($0.name)=\($0.value)" } == [
        "batch=128", "features=64", "shape[0]=3", "shape[1]=5",
      ])
    let run = try program.run(.fromProblem, constants: ["batch": 3, "features": 10])
    #expect(run.inputs.map(\.shape.shape) == [[3, 10], [3]])
    #expect(run.outputs.map(\.shape) == [[3, 8]])
    #expect(throws: (any Error).self) { try program.run(.fromProblem, constants: ["half": 1]) }
  }

  @Test func `Inputs take other shapes, and what then fails is thrown`() throws {
    let program = TestModule.program(Self.module, problem: Self.problem)
    let run = try program.run(.resized(["x": [5, 7, 64], "labels": [5]]))
    #expect(run.outputs.map(\.shape) == [[5, 7, 8]])
    #expect(
      run.trace.setup.map(TraceText.line).suffix(2) == [
        "%4:fp32[5, 7, 64] = rand(size=[5, 7, 64])",
        "%5:int64[5] = randint(high=7, low=0, size=[5])",
      ])
    #expect(run.trace.setup.count == 4)
    #expect(throws: (any Error).self) { try program.run(.resized(["x": [5, 63]])) }
    #expect(throws: (any Error).self) { try program.run(.resized(["nothing": [5]])) }
  }

  @Test func `Inputs from nowhere are filled with stand-ins`() throws {
    let run = try TestModule.program(Self.module).run(.unknown)
    let names = run.trace.setup.compactMap { step -> String? in
      if case .operation(let operation) = step { operation.name } else { nil }
    }
    #expect(names == ["init.uniform", "init.uniform", "randn", "randint"])
    #expect(run.trace.gap == nil)
  }
}
