import Testing
import TileIR

@testable import TritonLowering

@Test func lowersVectorAdd() throws {
  let function = try lowered(
    """
    @triton.jit
    def kernel(x, y, out, n, BLOCK: tl.constexpr):
        offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        mask = offs < n
        tl.store(out + offs, tl.load(x + offs, mask=mask) + tl.load(y + offs, mask=mask), mask=mask)
    """, "*fp32:16, *fp16, *fp32, i32, 128")
  #expect(
    Summary.lines(of: function) == [
      "load tensor<128xf32> mask", "load tensor<128xf16> mask", "store tensor<128xf32> mask",
    ])
}

@Test func carriesWhatALoopChanges() throws {
  let function = try lowered(
    """
    @triton.jit
    def kernel(x, out, n, BLOCK: tl.constexpr):
        acc = tl.zeros((BLOCK,), dtype=tl.float32)
        unchanged = tl.arange(0, BLOCK)
        for i in range(0, n, BLOCK):
            unchanged = unchanged
            acc += tl.load(x + i + unchanged)
        tl.store(out + unchanged, acc)
    """, "*fp32, *fp32, i32, 64")
  var carried: [Int] = []
  function.forEachOperation { if case .forLoop = $0.kind { carried.append($0.results.count) } }
  #expect(carried == [1])
}

@Test func recordsUnrolledLoops() throws {
  let function = try lowered(
    """
    @triton.jit
    def kernel(out):
        for i in tl.static_range(3):
            for j in tl.static_range(0, 4, 2):
                tl.store(out + i * 4 + j, i)
    """, "*i32")
  #expect(function.unrolledLoops.map(\.tripCount) == [3, 2])
  var paths: [[Int]] = []
  function.forEachOperation {
    if case .store = $0.kind { paths.append($0.location.unrollPath.map(\.iteration)) }
  }
  #expect(paths == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]])
}

@Test func movesWhatFollowsAnEarlyReturnIntoTheElse() throws {
  let function = try lowered(
    """
    @triton.jit
    def kernel(out, n):
        if n > 4:
            return
        tl.store(out, n)
    """, "*i32, i32")
  var nested = 0
  function.forEachOperationPath { path, operation in
    if case .store = operation.kind { nested = path.depth }
  }
  #expect(nested == 1)
}

@Test func returnsFromNestedConditions() throws {
  let function = try lowered(
    """
    @triton.jit
    def pick(a, b, c):
        if a > 0:
            if b > 0:
                return c + 1
            c = c * 2
        return c

    @triton.jit
    def kernel(out, a, b):
        tl.store(out, pick(a, b, a + b))
    """, "*i32, i32, i32")
  var ifs = 0
  function.forEachOperation { if case .ifElse = $0.kind { ifs += 1 } }
  #expect(ifs == 3)
}

@Test func aConstexprParameterMayChangeBehindAnEarlyReturn() throws {
  try lowered(
    """
    @triton.jit
    def kernel(x, out, n, LIMIT: tl.constexpr):
        pid = tl.program_id(0)
        if pid * 8 >= n:
            return
        LIMIT = min(LIMIT, n - pid)
        total = tl.load(x)
        for i in range(pid, LIMIT):
            total += tl.load(x + i)
        tl.store(out + pid, total)
    """, "*fp32, *fp32, i32, 4")
}

@Test func refusesTypeChangesInLoops() {
  expectRefused(
    """
    @triton.jit
    def kernel(out, n):
        acc = 0
        for i in range(n):
            acc += 1.5
        tl.store(out, acc)
    """, "*fp32, i32", id: "triton-type-error", line: 5, contains: "'acc'")
}

@Test func refusesWhatTritonHasNot() {
  expectRefused(
    """
    @triton.jit
    def kernel(out):
        tl.store(out, tl.tanh(1.0))
    """, "*fp32", id: "triton-attribute-error", line: 3, contains: "tanh")
  expectRefused(
    """
    @triton.jit
    def kernel(out):
        tl.store(out + tl.arange(0, 100), 1.0)
    """, "*fp32", id: "triton-value-error", line: 3, contains: "power of 2")
  expectRefused(
    """
    @triton.jit
    def kernel(out):
        while True:
            tl.store(out, 1.0)
    """, "*fp32", id: "triton-attribute-error", line: 3)
}
