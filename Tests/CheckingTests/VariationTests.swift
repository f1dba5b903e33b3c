import Checking
import PythonSyntax
import Testing

/// Problems beyond those that the problem file's constants lead to.
@Suite struct VariationTests {
  private static let header = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    """

  private func check(_ module: String, _ old: String, _ new: String) throws -> CheckReport {
    let text = Self.header + module
    try #require(text.contains(old))
    let original = CheckerTests.tree(text, "original.py")
    let candidate = CheckerTests.tree(text.replacing(old, with: new))
    var checker = Checker(candidate: candidate, original: original)
    checker.options.budget = 600
    checker.options.secondsPerRun = 0.05
    return checker.check()
  }

  /// The module agrees with itself, and the edit is rejected.
  private func expectRejected(
    _ module: String, _ old: String, _ new: String, at words: String
  ) throws {
    let same = try check(module, old, old)
    #expect(same.verdict == .passed, "\(same.findings) \(same.notes)")
    #expect(same.problems.contains { $0.contains(words) }, "\(same.problems) \(same.notes)")
    let report = try check(module, old, new)
    #expect(report.verdict == .failed || report.verdict == .shapeSpecific, "\(report.notes)")
    #expect(report.findings.first?.problem.contains(words) == true, "\(report.findings)")
  }

  @Test func `Indices that the kernel ignores are drawn`() throws {
    let module = """
      @triton.jit
      def pick_kernel(x_ptr, index_ptr, out_ptr, n, ignored):
          row = tl.program_id(0)
          index = tl.load(index_ptr + row)
          if index == ignored:
              tl.store(out_ptr + row, 0.0)
              return
          tl.store(out_ptr + row, tl.load(x_ptr + row * n + index))


      def pick(x, index, ignored=-7):
          out = torch.empty(x.shape[0], device=x.device, dtype=x.dtype)
          pick_kernel[(x.shape[0],)](x, index, out, x.shape[1], ignored)
          return out


      class ModelNew(nn.Module):
          def forward(self, x, index):
              return pick(x, index)


      class Model(nn.Module):
          def forward(self, x, index):
              kept = index.clamp(min=0).unsqueeze(1)
              return torch.where(index == -7, 0.0, x.gather(1, kept).squeeze(1))


      rows = 24


      def get_inputs():
          return [torch.randn(rows, 16), torch.randint(0, 16, (rows,))]


      def get_init_inputs():
          return []

      """
    try expectRejected(module, "tl.store(out_ptr + row, 0.0)", "pass", at: "[-7] in 'index'")
    try expectRejected(
      module, "out, x.shape[1], ignored)", "out, x.shape[1], ignored - 1)", at: "[-7] in 'index'")
  }

  private static let flip = """
    @triton.jit
    def flip_kernel(x_ptr, out_ptr, height, width, BLOCK: tl.constexpr):
        at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
        mask = at < height * width
        row = at // width
        plane = tl.program_id(0) * height * width
        x = tl.load(x_ptr + plane + at, mask=mask, other=0.0)
        tl.store(out_ptr + plane + (height - 1 - row) * width + at % width, x, mask=mask)


    class ModelNew(nn.Module):
        def forward(self, x):
            x = x.contiguous()
            out = torch.empty(x.shape, device=x.device, dtype=x.dtype)
            n, height, width = x.shape
            flip_kernel[(n, triton.cdiv(height * width, 64))](x, out, height, width, BLOCK=64)
            return out


    class Model(nn.Module):
        def forward(self, x):
            return x.flip(1)


    images = 12


    def get_inputs():
        return [torch.randn(images, 16, 16)]


    def get_init_inputs():
        return []

    """

  @Test func `Images are not always square`() throws {
    try expectRejected(
      Self.flip, "(x, out, height, width, BLOCK=64)", "(x, out, width, height, BLOCK=64)",
      at: "x[")
  }

  @Test func `Inputs are not always contiguous`() throws {
    try expectRejected(
      Self.flip, "x = x.contiguous()", "x = x.view(x.shape)", at: "transposed in memory")
    try expectRejected(Self.flip, "x = x.contiguous()", "x = x", at: "transposed in memory")
  }

  @Test func `A layout that the original does not take is left out`() throws {
    let module = Self.flip.replacing("x = x.contiguous()", with: "x = x")
    let report = try check(module, "width, BLOCK=64)", "width, BLOCK=64)")
    #expect(report.verdict == .passed, "\(report.findings)")
    #expect(report.notes.contains { $0.contains("the original itself is wrong there") })
  }

  @Test func `The constructor gets other arguments`() throws {
    let module = """
      @triton.jit
      def power_kernel(x_ptr, out_ptr, n, times, ADDS: tl.constexpr, BLOCK: tl.constexpr):
          at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
          x = tl.load(x_ptr + at, mask=at < n, other=0.0)
          y = x * times
          if ADDS:
              y = y + 1.0
          tl.store(out_ptr + at, y, mask=at < n)


      class ModelNew(nn.Module):
          def __init__(self, times: int, adds: bool):
              super().__init__()
              self.times = times
              self.adds = adds

          def forward(self, x):
              out = torch.empty_like(x)
              n = x.numel()
              power_kernel[(triton.cdiv(n, 64),)](x, out, n, self.times, self.adds, BLOCK=64)
              return out


      class Model(nn.Module):
          def __init__(self, times: int, adds: bool):
              super().__init__()
              self.times = times
              self.adds = adds

          def forward(self, x):
              return x * self.times + 1.0 if self.adds else x * self.times


      def get_inputs():
          return [torch.randn(400)]


      def get_init_inputs():
          return [3, False]

      """
    try expectRejected(module, "n, self.times,", "n, 3,", at: "argument 1 = 4")
    try expectRejected(module, "y = y + 1.0", "y = y + 2.0", at: "argument 2 = True")
  }

  @Test func `Rows are long in one problem`() throws {
    let module = """
      @triton.jit
      def sum_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
          row = tl.program_id(0)
          total = 0.0
          for start in range(0, n, BLOCK):
              at = start + tl.arange(0, BLOCK)
              total += tl.sum(tl.load(x_ptr + row * n + at, mask=at < n, other=0.0))
          tl.store(out_ptr + row, total)


      class ModelNew(nn.Module):
          def forward(self, x):
              out = torch.empty(x.shape[0], device=x.device, dtype=x.dtype)
              sum_kernel[(x.shape[0],)](x, out, x.shape[1], BLOCK=128)
              return out


      class Model(nn.Module):
          def forward(self, x):
              return x.sum(dim=1)


      rows = 16
      columns = 500


      def get_inputs():
          return [torch.rand(rows, columns)]


      def get_init_inputs():
          return []

      """
    try expectRejected(module, "range(0, n, BLOCK)", "range(0, min(n, 1024), BLOCK)", at: "2048")
  }
}
