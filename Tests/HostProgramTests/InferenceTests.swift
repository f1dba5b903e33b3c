import Diagnostics
import Testing
import TileIR

@testable import HostProgram

@Suite struct InferenceTests {
  private static let convolution =
    TestModule.header + """
      @triton.autotune(
          configs=[triton.Config({'BLOCK_M': 32}), triton.Config({'BLOCK_M': 64}, num_stages=2)],
          key=['N', 'H', 'W'])
      @triton.jit
      def conv(x_ptr, w_ptr, y_ptr, N, C, H, W, OH, OW, K_TOTAL: tl.constexpr, BLOCK_M: tl.constexpr):
          pass

      def run(x, weight, stride, padding):
          N, C, H, W = x.shape
          O, C_w, KH, KW = weight.shape
          assert C == C_w, "channels"
          OH = (H + 2 * padding - KH) // stride + 1
          OW = (W + 2 * padding - KW) // stride + 1
          y = torch.empty((N, O, OH, OW), device=x.device, dtype=x.dtype)
          grid = lambda meta: (triton.cdiv(N * OH * OW, meta['BLOCK_M']),)
          conv[grid](x, weight, y, N, C, H, W, OH, OW, K_TOTAL=C * KH * KW)
          return y

      class ModelNew(nn.Module):
          def __init__(self):
              super().__init__()
              self.conv = nn.Conv2d(3, 96, kernel_size=7, stride=4, padding=2)

          def forward(self, x):
              return run(x, self.conv.weight, self.conv.stride[0], self.conv.padding[0])

      """

  @Test func `Rank, channels and names come from the module, the rest stands in`() throws {
    let run = try TestModule.program(Self.convolution).run(.unknown)
    #expect(!run.inputsAreKnown)
    #expect(run.inputs.count == 1)
    #expect(run.inputs[0].shape.shape.count == 4)
    #expect(run.inputs[0].shape.shape[1] == 3)
    #expect(run.dimensions.map(\.name) == ["N", "C", "H", "W"])
    #expect(run.dimensions.map(\.basis) == [.standIn, .required, .standIn, .standIn])
    let launch = try #require(run.launches.first)
    #expect(
      launch.gridFormulas?.map(\.description) == ["cdiv(N*((H + 1) // 4)*((W + 1) // 4), BLOCK_M)"])
    let byName = Dictionary(uniqueKeysWithValues: launch.arguments.map { ($0.name, $0) })
    #expect(byName["C"]?.origin == .module)
    #expect(byName["K_TOTAL"]?.value == .int(147))
    #expect(byName["K_TOTAL"]?.origin == .module)
    #expect(byName["OH"]?.formula?.description == "(H + 1) // 4")
    #expect(byName["OH"]?.origin == .inputShape)
    #expect(run.notes.filter { $0.id == "stand-in" }.count == 3)
    for (config, grid) in launch.configs {
      var values = run.assignment
      if case .int(let block)? = config.constants["BLOCK_M"] { values["BLOCK_M"] = block }
      #expect(launch.gridFormulas?[0].evaluate(values) == grid[0])
    }
  }

  @Test func `Chosen sizes are used and not changed`() throws {
    let program = TestModule.program(Self.convolution)
    let run = try program.run(.assumed(["x": [256, nil, 224, 224]]))
    #expect(run.inputs[0].shape.shape == [256, 3, 224, 224])
    #expect(run.launches[0].configs.map(\.grid) == [[25_088], [12_544]])
    #expect(throws: Diagnostic.self) { try program.run(.assumed(["x": [256, 4, 224, 224]])) }
    let given = try program.run(
      .tensors(["x": TensorShape(element: .fp16, shape: [2, 3, 32, 32])]))
    #expect(given.inputsAreKnown)
    #expect(given.inputs[0].shape.element == .fp16)
    #expect(given.outputs[0].shape == [2, 96, 8, 8])
  }

  private static func module(_ initializer: String, _ forward: String) -> HostProgram {
    func indented(_ text: String) -> String {
      text.split(separator: "\n").map { "        " + $0 }.joined(separator: "\n")
    }
    return TestModule.program(
      TestModule.scaleKernel + """
        class ModelNew(nn.Module):
            def __init__(self\(initializer.prefix { $0 != "\n" })):
                super().__init__()
        \(indented(String(initializer.drop { $0 != "\n" })))

            def forward(self, \(forward.prefix { $0 != "\n" })):
        \(indented(String(forward.drop { $0 != "\n" })))
                scale[(1,)](a, a, a.numel(), 1.0, BLOCK=64)
                return a

        """)
  }

  @Test func `Equal sizes of two inputs become one`() throws {
    let run = try Self.module(
      "", "a, b\nM, K = a.shape\nK2, N = b.shape\nassert K == K2\nc = torch.matmul(a, b)"
    ).run(.unknown)
    #expect(run.inputs[0].shape.shape[1] == run.inputs[1].shape.shape[0])
    #expect(run.dimensions.map(\.name) == ["M", "K", "N"])
  }

  @Test func `Checks of rank and type are met`() throws {
    let run = try Self.module(
      "",
      "a\nif a.dim() != 3:\n    raise ValueError('rank')\nassert a.dtype == torch.float16\nassert a.shape[2] % 48 == 0"
    ).run(.unknown)
    #expect(run.inputs[0].shape.shape.count == 3)
    #expect(run.inputs[0].shape.element == .fp16)
    #expect(run.inputs[0].shape.shape[2] % 48 == 0)
  }

  @Test func `Layers fix ranks and features`() throws {
    let run = try Self.module(
      "\nself.fc = nn.Linear(640, 10)", "a\nb = self.fc(a.flatten(1))\nc = a[:, :, 0]"
    ).run(.unknown)
    let shape = run.inputs[0].shape.shape
    #expect(shape.count == 3)
    #expect(shape[1] * shape[2] == 640)
  }

  @Test func `Arguments of the constructor stand in and say so`() throws {
    let run = try Self.module(
      ", in_channels, kernel_size, bias_shape, scale_factor: float",
      """
      a
      a = nn.Conv2d(8, 8, 3)(a) * 1
      """.replacing("nn.Conv2d(8, 8, 3)", with: "self.conv")
    ).runWithConvolution()
    #expect(run.dimensions.contains { $0.source == .constructor("in_channels") })
    #expect(
      run.notes.filter { $0.id == "stand-in" && $0.message.contains("constructor") }.count == 4)
    #expect(run.inputs[0].shape.shape.count == 4)
  }

  @Test func `A size meets all demands made on it`() throws {
    let run = try Self.module(
      """
      , out_channels
      assert out_channels % 4 == 0
      self.conv = nn.Conv2d(6, out_channels // 4, 1, groups=3)
      """, "a"
    ).run(.unknown)
    let size = try #require(
      run.dimensions.first { $0.source == .constructor("out_channels") }?.value)
    #expect(size % 12 == 0 && size > 0)
  }

  @Test func `Where nothing says what is wrong, other ranks and sizes are tried`() throws {
    let ranks = try Self.module("", "a\nb, c = a.detach()[0].shape").run(.unknown)
    #expect(ranks.inputs[0].shape.shape.count == 3)
    let sizes = try Self.module(
      "\nself.pool = nn.MaxPool2d(2)",
      "a\nb, c, d, e = a.shape\nif float(d) < 200.0:\n    raise ValueError('small')"
    ).run(.unknown)
    #expect(sizes.inputs[0].shape.shape[2] >= 200)
  }

  @Test func `A branch without kernels is left where another has some`() throws {
    let program = TestModule.program(
      TestModule.scaleKernel + """
        class ModelNew(nn.Module):
            def forward(self, x):
                if x.dim() != 3:
                    return torch.relu(x)
                y = torch.empty_like(x)
                scale[(1,)](x, y, x.numel(), 2.0, BLOCK=64)
                return y
        """)
    let run = try program.run(.unknown)
    #expect(run.inputs[0].shape.shape.count == 3)
    #expect(run.launches.count == 1)
  }

  @Test func `The length of a spread argument is found`() throws {
    let run = try Self.module(
      ", bias_shape\nself.bias = nn.Parameter(torch.randn(*bias_shape))",
      "a\nb = self.bias.stride(3)"
    ).run(.unknown)
    #expect(run.dimensions.count { $0.source == .constructor("bias_shape") } == 4)
  }

  @Test func `A module without ModelNew is refused`() {
    let error = #expect(throws: Diagnostic.self) {
      try TestModule.program(TestModule.scaleKernel).run(.unknown)
    }
    #expect(error?.id == "no-model")
  }

  @Test func `Inputs from nowhere are refused`() {
    let error = #expect(throws: Diagnostic.self) {
      try TestModule.program(Self.convolution).run(.fromProblem)
    }
    #expect(error?.id == "no-inputs")
  }

  @Test func `The reference model runs beside the module`() throws {
    let problem = """
      import torch
      import torch.nn as nn

      class Model(nn.Module):
          def __init__(self):
              super().__init__()
              self.conv = nn.Conv2d(3, 96, kernel_size=7, stride=4, padding=2)

          def forward(self, x):
              return torch.relu(self.conv(x))

      def get_inputs():
          return [torch.rand(2, 3, 32, 32)]

      def get_init_inputs():
          return []

      """
    let program = TestModule.program(Self.convolution, problem: problem)
    #expect(try program.runReference().outputs.map(\.shape) == [[2, 96, 8, 8]])
    #expect(try program.runReference().torchOperators.map(\.name) == ["conv2d", "relu"])
    #expect(try program.run(.fromProblem).outputs.map(\.shape) == [[2, 96, 8, 8]])
  }
}

extension HostProgram {
  /// Runs with a convolution made of the constructor's stand-ins.
  fileprivate func runWithConvolution() throws -> HostRun {
    let text = module.source.text.replacing(
      "super().__init__()",
      with: "super().__init__()\n        self.conv = nn.Conv2d(in_channels, 8, kernel_size)")
    return try TestModule.program(text).run(.unknown)
  }
}
