import Mutation
import Testing

/// Single operators on small modules.
@Suite struct OperatorTests {
  private let rows = module(
    """
    @triton.jit
    def scale_rows(x_ptr, out_ptr, n_rows, n_cols, stride, BLOCK: tl.constexpr):
        row = tl.program_id(0)
        cols = tl.arange(0, BLOCK)
        mask = (row < n_rows) & (cols < n_cols)
        x = tl.load(x_ptr + row * stride + cols, mask=mask, other=0.0)
        tl.store(out_ptr + row * stride + cols, x * 2.0, mask=mask)
    """)

  private func replacements(_ text: String, _ name: String) -> [String] {
    mutants(of: text, by: name).map { "\($0.original) → \($0.replacement)" }
  }

  @Test func `Bounds of masks move by one`() {
    #expect(
      replacements(rows, "mask-bound-loosened") == [
        "row < n_rows → row <= n_rows", "cols < n_cols → cols <= n_cols",
      ])
    #expect(
      replacements(rows, "mask-bound-tightened") == [
        "row < n_rows → row < n_rows - 1", "cols < n_cols → cols < n_cols - 1",
      ])
  }

  @Test func `A conjunct is dropped from a mask`() {
    #expect(
      replacements(rows, "mask-conjunct-dropped") == [
        "(row < n_rows) & (cols < n_cols) → (row < n_rows)",
        "(row < n_rows) & (cols < n_cols) → (cols < n_cols)",
      ])
  }

  @Test func `A mask goes with the value for masked lanes`() {
    #expect(
      replacements(rows, "mask-dropped") == [
        "tl.load(x_ptr + row * stride + cols, mask=mask, other=0.0)"
          + " → tl.load(x_ptr + row * stride + cols)",
        "tl.store(out_ptr + row * stride + cols, x * 2.0, mask=mask)"
          + " → tl.store(out_ptr + row * stride + cols, x * 2.0)",
      ])
  }

  @Test func `Where masked lanes meet no others their value does not matter`() {
    #expect(replacements(rows, "other-changed") == [])
    let reduced = rows.replacing("x * 2.0", with: "x - tl.sum(x, axis=0)")
    #expect(replacements(reduced, "other-changed") == ["0.0 → 1.0"])
  }

  @Test func `The program's part is dropped from a store`() {
    #expect(
      replacements(rows, "store-program-term-dropped") == [
        "out_ptr + row * stride + cols → (out_ptr + cols)"
      ])
  }

  @Test func `The program's part is found behind names, casts and broadcasts`() {
    let text = module(
      """
      @triton.jit
      def copy(x_ptr, out_ptr, n, B: tl.constexpr):
          row = tl.program_id(0) * B + tl.arange(0, B)
          base = row.to(tl.int64)[:, None] * n
          cols = tl.arange(0, B)[None, :]
          tl.store(out_ptr + base + cols, tl.load(x_ptr + base + cols))
      """)
    #expect(
      replacements(text, "store-program-term-dropped") == [
        "out_ptr + base + cols → (out_ptr + (((tl.arange(0, B))).to(tl.int64))[:, None] * n + cols)"
      ])
  }

  @Test func `A pointer that only stores use loses the program's part`() {
    let text = module(
      """
      @triton.jit
      def fill(out_ptr, n, B: tl.constexpr):
          out_ptr += tl.program_id(0) * n
          plane = out_ptr + tl.program_id(1) * n * n
          tl.store(plane + tl.arange(0, B), 1.0)
      """)
    #expect(
      replacements(text, "store-program-term-dropped") == [
        "out_ptr += tl.program_id(0) * n → pass",
        "out_ptr + tl.program_id(1) * n * n → (out_ptr)",
      ])
  }

  @Test func `An accumulator is set outside its loop`() {
    let text = module(
      """
      @triton.jit
      def persistent(x_ptr, out_ptr, tiles, n, B: tl.constexpr):
          for tile in range(tl.program_id(0), tiles, tl.num_programs(0)):
              acc = tl.zeros([B], dtype=tl.float32)
              for k in range(0, n, B):
                  acc += tl.load(x_ptr + tile * n + k + tl.arange(0, B))
              tl.store(out_ptr + tile * B + tl.arange(0, B), acc)
      """)
    let found = mutants(of: text, by: "accumulator-stale")
    #expect(found.count == 1)
    #expect(
      found.first?.source.text.contains(
        """
            acc = tl.zeros([B], dtype=tl.float32)
            for tile in range(tl.program_id(0), tiles, tl.num_programs(0)):
                pass
                for k
        """) == true)
  }

  @Test func `An atomic addition becomes a load, an addition and a store`() {
    let text = module(
      """
      @triton.jit
      def count(x_ptr, out_ptr, n, B: tl.constexpr):
          i = tl.program_id(0) * B + tl.arange(0, B)
          tl.atomic_add(out_ptr + tl.load(x_ptr + i, i < n, 0), 1, i < n)
      """)
    #expect(
      mutants(of: text, by: "atomic-lost").map(\.replacement) == [
        "tl.store(out_ptr + tl.load(x_ptr + i, i < n, 0), "
          + "tl.load(out_ptr + tl.load(x_ptr + i, i < n, 0), mask=i < n) + 1, mask=i < n)"
      ])
  }

  @Test func `Rows and columns change places in an address`() {
    let text = module(
      """
      @triton.jit
      def transpose(x_ptr, out_ptr, n, B: tl.constexpr):
          r = tl.arange(0, B)
          c = tl.arange(0, B)
          x = tl.load(x_ptr + r[:, None] * n + c[None, :])
          tl.store(out_ptr + (r[:, None] + c[None, :]), x)
      """)
    #expect(
      mutants(of: text, by: "indices-swapped").map(\.replacement) == [
        "x_ptr + c[None, :] * n + r[:, None]"
      ])
  }

  @Test func `Loops that count towards a test are left to end`() {
    let text = module(
      """
      @triton.jit
      def walk(x_ptr, out_ptr, n, B: tl.constexpr):
          acc = 0.0
          i = 0
          while i < n:
              acc += tl.sum(tl.load(x_ptr + i + tl.arange(0, B)), axis=0)
              i += B
          tl.store(out_ptr, acc)
      """)
    for mutant in mutants(of: text) {
      #expect(mutant.source.text.contains("i += B"), "\(mutant.label)")
    }
    #expect(replacements(text, "accumulation-overwritten").count == 1)
    #expect(replacements(text, "while-bound-tightened") == ["i < n → i < n - 1"])
  }

  @Test func `Other names for Triton are known`() {
    let text = """
      import triton as tr
      from triton import language as T
      from triton.language import load, program_id as which

      @tr.jit
      def copy(x, y, n, B: T.constexpr):
          i = which(0) * B + T.arange(0, B)
          T.store(y + i, load(x + i, mask=i < n), mask=i < n)
      """
    #expect(replacements(text, "mask-dropped").count == 2)
    #expect(
      replacements(text, "store-conditional") == [
        "T.store(y + i, load(x + i, mask=i < n), mask=i < n)"
          + " → if T.program_id(0) != 0: T.store(y + i, load(x + i, mask=i < n), mask=i < n)"
      ])
  }

  @Test func `Wrappers are what ModelNew leads to and the problem does not`() {
    let text = module(
      """
      @triton.jit
      def fill(x_ptr, out_ptr, n, B: tl.constexpr):
          i = tl.program_id(0) * B + tl.arange(0, B)
          tl.store(out_ptr + i, tl.load(x_ptr + i, mask=i < n), mask=i < n)
      """,
      wrapper: """
        def size(n):
            return n - 1


        def shared(n):
            return n - 1


        def unused(n):
            return n - 1


        def launch(x):
            out = torch.zeros(size(x.numel()), dtype=torch.float32)
            n = shared(out.numel())
            fill[(triton.cdiv(n, 64),)](x, out, n, 64)
            return out


        class Model:
            def forward(self, x):
                return x[: shared(4)]


        class ModelNew:
            def __init__(self):
                self.n = 3 - 1

            def forward(self, x):
                return launch(x)


        def get_inputs():
            return [torch.zeros(4 - 1)]
        """)
    let wrappers = mutants(of: text).filter { $0.family == .wrapper || $0.family == .output }
    #expect(Set(wrappers.map(\.function)) == ["fill", "launch", "size"])
    #expect(replacements(text, "grid-rounded-down") == ["triton.cdiv(n, 64) → (n // 64)"])
    #expect(replacements(text, "zeros-to-empty") == ["zeros → empty"])
    #expect(replacements(text, "arguments-swapped") == ["x, out → out, x", "n, 64 → 64, n"])
    #expect(replacements(text, "shape-off-by-one") == ["n - 1 → n"])
  }

  @Test func `Branches chosen at compile time may never run`() {
    let text = rows.replacing(
      "    tl.store(", with: "    if BLOCK > 64:\n        x = x + 1.0\n    tl.store(")
    let found = mutants(of: text, by: "addend-dropped")
    #expect(found.count == 1)
    guard case .maybeEquivalent? = found.first?.expectation else {
      Issue.record("not marked")
      return
    }
  }

  @Test func `Modules without kernels or with errors have no mutants`() {
    #expect(mutants(of: "").isEmpty)
    #expect(mutants(of: "import triton\n@triton.jit\ndef f(:\n").isEmpty)
    #expect(mutants(of: "def f(x):\n    return x < 1\n").isEmpty)
  }

  @Test func `Line ends of the file are kept`() {
    let text = rows.replacing("\n", with: "\r\n")
    for mutant in mutants(of: text) {
      #expect(!mutant.source.text.replacing("\r\n", with: "").contains("\n"), "\(mutant.label)")
    }
  }
}
