import Testing
import TileIR

@testable import TritonLowering

/// The type of the first value stored.
private func storedType(_ expression: String, _ signature: String, _ parameters: String = "x, y")
  throws -> String
{
  let function = try lowered(
    """
    @triton.jit
    def kernel(out, \(parameters)):
        value = \(expression)
        tl.store(out + value.to(tl.int32) * 0, value)
        tl.static_print(value)
    """, "*fp64, \(signature)")
  var type = "none"
  // The stored value is cast to the pointer's type: look at the value the name was bound to.
  for info in function.values where info.name == "value" { type = "\(info.type)" }
  return type
}

@Test(arguments: [
  ("x + y", "i32, i64", "int64"), ("x + y", "i32, u32", "uint32"), ("x + 1", "i64, i32", "int64"),
  ("x + 4294967296.0", "i32, i32", "fp32"), ("x / y", "i32, i32", "fp32"),
  ("x // y", "i32, i64", "int64"), ("x * y", "fp16, bf16", "fp16"), ("x + y", "bf16, bf16", "bf16"),
  ("x / y", "fp16, fp16", "fp32"), ("x * 2.5", "fp16, i32", "fp16"),
  ("x * 2.5", "i32, i32", "fp32"),
  ("x * y", "fp32, fp64", "fp64"), ("x - y", "fp8e5, fp8e4nv", "fp16"),
  ("tl.maximum(x, 0.0)", "fp16, i32", "fp32"), ("tl.maximum(x, y)", "bf16, bf16", "fp32"),
  ("tl.where(x > 0, x, 0.0)", "fp16, i32", "fp16"), ("x & y", "i32, i16", "int32"),
  ("x > y", "i32, fp32", "int1"), ("x + True", "i32, i32", "int32"),
])
func promotes(_ expression: String, _ signature: String, _ type: String) throws {
  #expect(try storedType(expression, signature) == type)
}

@Test(arguments: [
  ("x // y", "i32, u32", "triton-type-error"), ("x // y", "fp32, fp32", "triton-type-error"),
  ("x + 2147483648", "u8, i32", "triton-value-error"),
  ("x ** 2", "fp32, i32", "triton-attribute-error"),
  ("x @ y", "fp32, fp32", "triton-unsupported-syntax"), ("not x", "i32, i32", "triton-value-error"),
  ("x and y", "i32, i32", "triton-value-error"),
  ("0 < x < y", "i32, i32", "triton-unsupported-syntax"),
  ("tl.exp(x)", "fp16, i32", "triton-value-error"), ("undefined", "i32, i32", "triton-name-error"),
  (
    "tl.dot(tl.zeros((16, 8), tl.float16), tl.zeros((8, 16), tl.float16))", "i32, i32",
    "triton-assertion"
  ),
  ("tl.zeros((1 << 30, 1 << 30), tl.float32)", "i32, i32", "triton-value-error"),
  ("tl.arange(0, 2**62)", "i32, i32", "triton-value-error"),
  ("2 ** 200 + x", "i32, i32", "unsupported-integer-size"),
])
func refuses(_ expression: String, _ signature: String, _ id: String) {
  expectRefused(
    """
    @triton.jit
    def kernel(out, x, y):
        tl.store(out, \(expression))
    """, "*fp64, \(signature)", id: id, line: 3)
}

@Test func keepsConstexprAnnotationsConstant() throws {
  let function = try lowered(
    """
    N: tl.constexpr = tl.constexpr(3)

    @triton.constexpr_function
    def double(x):
        total = 0
        for _ in range(2):
            total += x
        return total

    @triton.jit
    def helper(x, SCALE: tl.constexpr = 2):
        return x * SCALE

    @triton.jit
    def kernel(out, BLOCK: tl.constexpr):
        half: tl.constexpr = BLOCK // 2
        tl.static_assert(half == 32, f"half is {half}")
        for i in tl.static_range(double(N)):
            tl.store(out + helper(i) + tl.arange(0, half), helper(x=i, SCALE=half))
    """, "*i32, 64")
  #expect(Summary.lines(of: function) == Array(repeating: "store tensor<32xi32>", count: 6))
}

@Test func readsTheLimitsOfTorchsTypes() throws {
  let function = try lowered(
    """
    import torch
    import numpy as np
    LOWEST = tl.constexpr(torch.finfo(torch.float32).min)
    MOST: tl.constexpr = tl.constexpr(torch.iinfo(torch.int64).max)
    HALF_EPS = tl.constexpr(torch.finfo(dtype=torch.float16).eps)
    BYTES = tl.constexpr(np.iinfo(np.uint8).max)

    @tl.constexpr
    def accumulator(dtype):
        return tl.float32 if dtype.is_fp16() else dtype

    @triton.jit
    def kernel(out):
        tl.static_assert(LOWEST == -3.4028234663852886e38)
        tl.static_assert(MOST == 9223372036854775807)
        tl.static_assert(HALF_EPS * 1024 == 1.0)
        tl.static_assert(BYTES == 255)
        total = tl.zeros([16], accumulator(tl.float16))
        tl.store(out + tl.arange(0, 16), tl.where(total == 0, LOWEST, total))
    """, "*fp32")
  #expect(Summary.lines(of: function) == ["store tensor<16xf32>"])
  expectRefused(
    """
    import torch
    LOWEST = tl.constexpr(torch.finfo(torch.int8).min)
    @triton.jit
    def kernel(out):
        tl.store(out, LOWEST)
    """, "*fp32", id: "unsupported-global", line: 5)
}

@Test func refusesPlainGlobals() {
  expectRefused(
    """
    SIZE = 16
    @triton.jit
    def kernel(out):
        tl.store(out + tl.arange(0, SIZE), 0)
    """, "*i32", id: "triton-name-error", line: 4, contains: "SIZE")
}

@Test func lowersCustomReductions() throws {
  let function = try lowered(
    """
    @triton.jit
    def add(a, b):
        return a + b

    @triton.jit
    def pick(v0, i0, v1, i1):
        better = v0 > v1
        return tl.where(better, v0, v1), tl.where(better, i0, i1)

    @triton.jit
    def kernel(x, out):
        offs = tl.arange(0, 64)
        v = tl.load(x + offs)
        total = tl.reduce(v, 0, add)
        best, where = tl.reduce((v, offs), 0, pick)
        tl.store(out, total + best)
        tl.store(out + 1, where)
    """, "*fp32, *fp32")
  var kinds: [CombineKind] = []
  function.forEachOperation { if case .reduce(_, let kind, _) = $0.kind { kinds.append(kind) } }
  #expect(kinds == [.sum, .custom])
}

@Test func readsSignatures() throws {
  let function = try #require(
    module(
      """
      @triton.jit
      def kernel(x, n, scale, BLOCK: tl.constexpr, ACT: tl.constexpr, DTYPE: tl.constexpr):
          pass
      """
    ).function(named: "kernel"))
  let parsed = try Signature.parse(
    "*fp16:16, i64:16, fp32, BLOCK=128, ACT='re,lu', DTYPE=tl.bfloat16", for: function)
  #expect(parsed.arguments["x"] == .pointer(.fp16, isDivisibleBy16: true))
  #expect(parsed.arguments["n"] == .scalar(.int64, isDivisibleBy16: true))
  #expect(parsed.arguments["BLOCK"] == .constexpr(.int(128)))
  #expect(parsed.arguments["ACT"] == .constexpr(.string("re,lu")))
  #expect(parsed.arguments["DTYPE"] == .constexpr(.dtype(.bf16)))
  #expect(throws: (any Error).self) { try Signature.parse("*fp99", for: function) }
  #expect(throws: (any Error).self) { try Signature.parse("nope=i32", for: function) }
}

@Test func infersArgumentsFromUse() throws {
  let module = module(
    """
    @triton.autotune(configs=[triton.Config({"BLOCK": 256}, num_warps=8)], key=["n"])
    @triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})
    @triton.jit
    def kernel(src, index, out, n, eps, BLOCK: tl.constexpr, EVEN: tl.constexpr, FLAG: tl.constexpr):
        offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        i = tl.load(index + offs, mask=offs < n, other=0)
        v = tl.load(src + i, mask=offs < n, other=0.0)
        if FLAG:
            v = v / (v + eps)
        tl.store(out + offs, v, mask=offs < n)
    """)
  let guess = try module.inferredSpecialization(for: "kernel").specialization
  #expect(guess.arguments["src"] == .pointer(.fp32, isDivisibleBy16: true))
  #expect(guess.arguments["index"] == .pointer(.int64, isDivisibleBy16: true))
  #expect(guess.arguments["n"] == .scalar(.int32, isDivisibleBy16: false))
  #expect(guess.arguments["eps"] == .scalar(.fp32, isDivisibleBy16: false))
  #expect(guess.arguments["BLOCK"] == .constexpr(.int(256)))
  #expect(guess.arguments["EVEN"] == .constexpr(.bool(true)))
  #expect(guess.numWarps == 8)
}
