import Checking
import PythonSyntax
import Testing

/// Modules that are right at the given sizes and wrong at small ones.
@Suite struct SmallSizesTests {
  /// A matrix product as public modules have it: groups of rows of tiles without a clamp, or hints
  /// that hold where the tiles divide the sizes.
  private static func product(isGrouped: Bool) -> String {
    let order =
      isGrouped
      ? """
          group = pid // (GROUP * tiles_n)
          tile_m = group * GROUP + pid % GROUP
          tile_n = pid % (GROUP * tiles_n) // GROUP
          rows = tile_m * BLOCK + tl.arange(0, BLOCK)
          cols = tile_n * BLOCK + tl.arange(0, BLOCK)
          row = rows % M
          col = cols % N
      """
      : """
          tile_m = pid // tiles_n
          tile_n = pid % tiles_n
          rows = tile_m * BLOCK + tl.arange(0, BLOCK)
          cols = tile_n * BLOCK + tl.arange(0, BLOCK)
          row = tl.max_contiguous(tl.multiple_of(rows % M, BLOCK), BLOCK)
          col = tl.max_contiguous(tl.multiple_of(cols % N, BLOCK), BLOCK)
      """
    return CoverageTests.header + """
      @triton.jit
      def product_kernel(
          a_ptr, b_ptr, out_ptr, M, N, K,
          BLOCK: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
      ):
          pid = tl.program_id(0)
          tiles_n = tl.cdiv(N, BLOCK)
      \(order)
          acc = tl.zeros((BLOCK, BLOCK), dtype=tl.float32)
          for start in range(0, K, BLOCK_K):
              k = start + tl.arange(0, BLOCK_K)
              a = tl.load(
                  a_ptr + row[:, None] * K + k[None, :], mask=(k < K)[None, :], other=0.0)
              b = tl.load(
                  b_ptr + k[:, None] * N + col[None, :], mask=(k < K)[:, None], other=0.0)
              acc = tl.dot(a, b, acc, input_precision="ieee")
          mask = (rows < M)[:, None] & (cols < N)[None, :]
          tl.store(out_ptr + rows[:, None] * N + cols[None, :], acc, mask=mask)


      def product(a, b):
          (M, K), N = a.shape, b.shape[1]
          out = torch.empty((M, N), device=a.device, dtype=a.dtype)
          grid = (triton.cdiv(M, 16) * triton.cdiv(N, 16),)
          product_kernel[grid](a, b, out, M, N, K, BLOCK=16, BLOCK_K=16, GROUP=32)
          return out


      class ModelNew(nn.Module):
          def forward(self, a, b):
              return product(a, b)


      class Model(nn.Module):
          def forward(self, a, b):
              return torch.matmul(a, b)


      M = 2048
      N = 512
      K = 256


      def get_inputs():
          return [torch.randn(M, K), torch.randn(K, N)]


      def get_init_inputs():
          return []

      """
  }

  private static func check(
    _ original: String, _ candidate: String
  ) -> CheckReport {
    var checker = Checker(
      candidate: CheckerTests.tree(candidate), original: CheckerTests.tree(original, "original.py"))
    checker.options.budget = 900
    checker.options.secondsPerRun = 0.02
    return checker.check()
  }

  @Test(arguments: [true, false])
  func `An original that is wrong at small sizes is a yardstick at larger ones`(
    _ isGrouped: Bool
  ) throws {
    let original = Self.product(isGrouped: isGrouped)
    let same = Self.check(original, original)
    #expect(same.verdict == .passed, "\(same.findings) \(same.notes)")
    if isGrouped {
      #expect(
        same.notes.contains { $0.hasPrefix("the original is wrong at") },
        "\(same.notes) \(same.problems)")
    }
    for (old, new) in [
      ("range(0, K, BLOCK_K)", "range(0, K - BLOCK_K, BLOCK_K)"),
      ("mask=(k < K)[None, :], other", "mask=(k <= K)[None, :], other"),
      ("tl.store(out_ptr + rows[:, None] * N", "tl.store(out_ptr + rows[:, None] * (N - 1)"),
    ] {
      try #require(original.contains(old))
      let report = Self.check(original, original.replacing(old, with: new))
      #expect(
        report.verdict == .failed || report.verdict == .shapeSpecific,
        "\(new): \(report.problems) \(report.notes)")
    }
  }

  /// What the original does right and the candidate only where its groups fit.
  @Test func `A candidate that is wrong at small sizes only is called so`() throws {
    let candidate = Self.product(isGrouped: true)
    let original = candidate.replacing(
      "tile_m = group * GROUP + pid % GROUP", with: "tile_m = pid // tiles_n"
    )
    .replacing("tile_n = pid % (GROUP * tiles_n) // GROUP", with: "tile_n = pid % tiles_n")
    try #require(original != candidate)
    let report = Self.check(original, candidate)
    #expect(report.verdict == .shapeSpecific, "\(report.findings) \(report.notes)")
  }
}
