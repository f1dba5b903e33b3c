import Checking
import PythonSyntax
import Testing

/// Mistakes that small sizes hide: loops of one round, one program along an axis, one tile along one
/// of two axes that are folded into one of the grid.
@Suite struct CoverageTests {
  static let header = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    """

  static func check(_ module: String, _ old: String, _ new: String) throws -> CheckReport {
    let text = Self.header + module
    try #require(text.contains(old))
    let original = CheckerTests.tree(text, "original.py")
    let candidate = CheckerTests.tree(text.replacing(old, with: new))
    var checker = Checker(candidate: candidate, original: original)
    checker.options.budget = 600
    checker.options.secondsPerRun = 0.05
    return checker.check()
  }

  private func expectRejected(_ module: String, _ edits: [(String, String)]) throws {
    let (old, _) = try #require(edits.first)
    let same = try Self.check(module, old, old)
    #expect(same.verdict == .passed, "\(same.findings) \(same.notes)")
    for (old, new) in edits {
      let report = try Self.check(module, old, new)
      #expect(
        report.verdict == .failed || report.verdict == .shapeSpecific,
        "\(new): \(report.problems) \(report.notes)")
    }
  }

  /// No more than a few programs walk over the blocks: small inputs leave one round.
  @Test func `Loops over blocks have several rounds`() throws {
    let module = """
      @triton.jit
      def count_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
          lanes = tl.arange(0, BLOCK)
          count = tl.zeros([BLOCK], dtype=tl.int32)
          step = tl.num_programs(0) * BLOCK
          for start in range(tl.program_id(0) * BLOCK, n, step):
              x = tl.load(x_ptr + start + lanes, mask=start + lanes < n, other=0.0)
              count += (x > 0.5).to(tl.int32)
          tl.atomic_add(out_ptr, tl.sum(count, axis=0))


      def count(x):
          out = torch.zeros(1, device=x.device, dtype=torch.int32)
          n = x.numel()
          count_kernel[(min(triton.cdiv(n, 64), 64),)](x, out, n, BLOCK=64)
          return out


      class ModelNew(nn.Module):
          def forward(self, x):
              return count(x)


      class Model(nn.Module):
          def forward(self, x):
              return (x > 0.5).sum().to(torch.int32).reshape(1)


      def get_inputs():
          return [torch.randn(256, 1024)]


      def get_init_inputs():
          return []

      """
    try expectRejected(
      module,
      [
        ("count += (x > 0.5)", "count = (x > 0.5)"),
        ("n, step):", "n, step * 2):"),
      ])
  }

  /// Pixels of a plane are one axis of the grid: neither height nor width alone gives it a second
  /// program.
  @Test func `Planes have several tiles`() throws {
    let module = """
      @triton.jit
      def lift_kernel(x_ptr, out_ptr, height, width, BLOCK: tl.constexpr):
          at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
          mask = at < height * width
          plane = tl.program_id(1) * height * width
          row = at // width
          x = tl.load(x_ptr + plane + at, mask=mask, other=0.0)
          tl.store(out_ptr + plane + at, x + row.to(tl.float32), mask=mask)


      class ModelNew(nn.Module):
          def forward(self, x):
              out = torch.empty_like(x)
              n, height, width = x.shape
              lift_kernel[(triton.cdiv(height * width, 512), n)](x, out, height, width, BLOCK=512)
              return out


      class Model(nn.Module):
          def forward(self, x):
              rows = torch.arange(x.shape[1], dtype=torch.float32)
              return x + rows[None, :, None]


      def get_inputs():
          return [torch.randn(640, 48, 48)]


      def get_init_inputs():
          return []

      """
    try expectRejected(
      module,
      [
        ("tl.program_id(0) * BLOCK +", "tl.program_id(0) * (BLOCK + 1) +"),
        ("out_ptr + plane + at", "out_ptr + plane + tl.arange(0, BLOCK)"),
      ])
  }

  /// Bands of tiles: the height of the last one matters only where a row of tiles has two.
  @Test func `Two axes that share one of the grid are both long`() throws {
    let module = """
      @triton.jit
      def outer_kernel(
          x_ptr, y_ptr, out_ptr, M, N, BLOCK: tl.constexpr, BAND: tl.constexpr
      ):
          tiles_m = tl.cdiv(M, BLOCK)
          tiles_n = tl.cdiv(N, BLOCK)
          pid = tl.program_id(0)
          first = pid // (BAND * tiles_n) * BAND
          height = min(tiles_m - first, BAND)
          inside = pid % (BAND * tiles_n)
          row = (first + inside % height) * BLOCK + tl.arange(0, BLOCK)
          col = inside // height * BLOCK + tl.arange(0, BLOCK)
          x = tl.load(x_ptr + row, mask=row < M, other=0.0)
          y = tl.load(y_ptr + col, mask=col < N, other=0.0)
          mask = (row < M)[:, None] & (col < N)[None, :]
          tl.store(out_ptr + row[:, None] * N + col[None, :], x[:, None] * y[None, :], mask=mask)


      class ModelNew(nn.Module):
          def forward(self, x, y):
              M, N = x.shape[0], y.shape[0]
              out = torch.empty((M, N), device=x.device, dtype=x.dtype)
              grid = (triton.cdiv(M, 32) * triton.cdiv(N, 32),)
              outer_kernel[grid](x, y, out, M, N, BLOCK=32, BAND=4)
              return out


      class Model(nn.Module):
          def forward(self, x, y):
              return x[:, None] * y[None, :]


      M = 1024
      N = 512


      def get_inputs():
          return [torch.randn(M), torch.randn(N)]


      def get_init_inputs():
          return []

      """
    try expectRejected(module, [("min(tiles_m - first, BAND)", "min(tiles_m + first, BAND)")])
  }

  /// `torch.rand` draws no negative numbers, of which a maximum would take no notice.
  @Test func `Inputs of one sign get both`() throws {
    let module = """
      @triton.jit
      def sum_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
          row = tl.program_id(0)
          total = 0.0
          for start in range(0, n, BLOCK):
              at = start + tl.arange(0, BLOCK)
              x = tl.load(x_ptr + row * n + at, mask=at < n, other=0.0)
              total += tl.sum(x, axis=0)
          tl.store(out_ptr + row, total)


      class ModelNew(nn.Module):
          def forward(self, x):
              out = torch.empty(x.shape[0], device=x.device, dtype=x.dtype)
              sum_kernel[(x.shape[0],)](x, out, x.shape[1], BLOCK=128)
              return out


      class Model(nn.Module):
          def forward(self, x):
              return x.sum(dim=1)


      def get_inputs():
          return [torch.rand(96, 1000)]


      def get_init_inputs():
          return []

      """
    try expectRejected(
      module, [("total += tl.sum(x, axis=0)", "total += tl.sum(tl.abs(x), axis=0)")])
  }

  /// A residual sum needs two sizes alike, which the problem file gives by two names.
  @Test func `Sizes that must be alike change together`() throws {
    let module = """
      @triton.jit
      def shift_kernel(x_ptr, w_ptr, out_ptr, n, BLOCK: tl.constexpr):
          row = tl.program_id(0) * n
          for start in range(0, n, BLOCK):
              at = start + tl.arange(0, BLOCK)
              x = tl.load(x_ptr + row + at, mask=at < n, other=0.0)
              w = tl.load(w_ptr + at, mask=at < n, other=0.0)
              tl.store(out_ptr + row + at, x + w, mask=at < n)


      class ModelNew(nn.Module):
          def __init__(self, in_features, out_features):
              super().__init__()
              self.w = nn.Parameter(torch.randn(out_features))

          def forward(self, x):
              assert x.shape[1] == self.w.shape[0]
              out = torch.empty_like(x)
              shift_kernel[(x.shape[0],)](x, self.w, out, x.shape[1], BLOCK=64)
              return out


      class Model(nn.Module):
          def __init__(self, in_features, out_features):
              super().__init__()
              self.w = nn.Parameter(torch.randn(out_features))

          def forward(self, x):
              return x + self.w


      rows = 256
      in_features = 4096
      out_features = 4096


      def get_inputs():
          return [torch.randn(rows, in_features)]


      def get_init_inputs():
          return [in_features, out_features]

      """
    try expectRejected(
      module, [("w = tl.load(w_ptr + at, mask=at < n,", "w = tl.load(w_ptr + at, mask=at <= n,")])
    let report = try Self.check(module, "x + w", "x + w")
    #expect(
      report.problems.allSatisfy { $0.contains("in_features = ") }, "\(report.problems)")
  }
}

/// Modules without a problem file.
@Suite struct StandInTests {
  private static let module =
    CoverageTests.header + """
      @triton.jit
      def shift_kernel(x_ptr, w_ptr, out_ptr, n, BLOCK: tl.constexpr):
          row = tl.program_id(0) * n
          for start in range(0, n, BLOCK):
              at = start + tl.arange(0, BLOCK)
              x = tl.load(x_ptr + row + at, mask=at < n, other=0.0)
              w = tl.load(w_ptr + at, mask=at < n, other=0.0)
              tl.store(out_ptr + row + at, x + w, mask=at < n)


      class ModelNew(nn.Module):
          def forward(self, x: torch.Tensor, w: torch.Tensor):
              rows, n = x.shape
              assert w.shape[0] == n
              out = torch.empty_like(x)
              shift_kernel[(rows,)](x, w, out, n, BLOCK=64)
              return out

      """

  private static func check(_ candidate: String, against text: String = module) -> CheckReport {
    var checker = Checker(
      candidate: CheckerTests.tree(candidate), original: CheckerTests.tree(text, "original.py"))
    checker.options.budget = 600
    checker.options.secondsPerRun = 0.02
    return checker.check()
  }

  @Test func `Stand-in sizes get tails`() throws {
    let same = Self.check(Self.module)
    #expect(same.verdict == .passed, "\(same.findings) \(same.notes)")
    let text = "w = tl.load(w_ptr + at, mask=at < n, other=0.0)"
    try #require(Self.module.contains(text))
    let report = Self.check(Self.module.replacing(text, with: "w = tl.load(w_ptr + at)"))
    #expect(
      report.verdict == .failed || report.verdict == .shapeSpecific,
      "\(report.problems) \(report.notes)")
  }

  /// Inputs that the original itself does not take are the user's to know, not to be replaced.
  @Test func `What the original raises for get_inputs is said`() {
    let text =
      Self.module + """
        def get_inputs():
            return [torch.rand(8, 96), torch.rand(8, 96)]

        """
    let report = Self.check(text, against: text)
    #expect(report.verdict == .unsupported)
    #expect(report.obstacle?.message.contains("AssertionError") == true)
  }
}
