import Diagnostics
import PythonSyntax
import Testing
import TileIR

@testable import TritonLowering

@Test(arguments: [
  "for i in tl.static_range(1 << 40):\n        tl.store(out, i)",
  "for i in tl.static_range(3000):\n        for j in tl.static_range(3000):\n            tl.store(out, i)",
  "x: tl.constexpr = forever(1)",
  "x: tl.constexpr = deep(1)",
  "x = (1,) * (1 << 40)",
  "x: tl.constexpr = 'a' * (1 << 40)",
])
func endsOnEveryInput(_ statement: String) {
  let body = """
    @triton.constexpr_function
    def forever(x):
        while x > 0:
            x = x + 1
        return x

    @triton.constexpr_function
    def deep(x):
        return deep(x + 1)

    @triton.jit
    def kernel(out):
        \(statement)
    """
  #expect(throws: (any Error).self) { try lowered(body, "*i32") }
}

@Test func refusesRecursion() {
  expectRefused(
    """
    @triton.jit
    def again(x):
        return again(x) + 1

    @triton.jit
    def kernel(out):
        tl.store(out, again(tl.program_id(0)))
    """, "*i32", id: "triton-recursion", line: 3)
}

@Test func refusesDeepNesting() {
  let sum = Array(repeating: "x", count: 3000).joined(separator: " + ")
  let module = module("@triton.jit\ndef kernel(out, x):\n    tl.store(out, \(sum))\n")
  let specialization = Specialization(arguments: [
    "out": .pointer(.int32, isDivisibleBy16: true), "x": .scalar(.int32, isDivisibleBy16: false),
  ])
  #expect(throws: Diagnostic.self) { try module.lower("kernel", for: specialization) }
}

/// A small deterministic generator, so that a failure can be run again.
private struct Xorshift {
  var state: UInt64
  mutating func next(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(max(1, bound)))
  }
}

@Test func survivesMutatedKernels() {
  let seed = """
    @triton.jit
    def helper(x, BLOCK: tl.constexpr = 16):
        if BLOCK > 8:
            return x * 2
        return x

    @triton.jit
    def kernel(a, b, out, n, BLOCK: tl.constexpr):
        pid = tl.program_id(0)
        offs = pid * BLOCK + tl.arange(0, BLOCK)
        mask = offs < n
        acc = tl.zeros((BLOCK, BLOCK), dtype=tl.float32)
        for k in range(0, n, BLOCK):
            x = tl.load(a + offs[:, None] * n + k, mask=mask[:, None], other=0.0)
            acc += tl.dot(x + tl.zeros((BLOCK, BLOCK), tl.float32), acc)
        if n > 4:
            acc = tl.where(acc > 0, acc, helper(acc))
        for i in tl.static_range(2):
            acc = acc + tl.sum(acc, axis=i, keep_dims=True)
        tl.store(out + offs, tl.max(acc, 1), mask=mask)
    """
  let words = [
    "0", "1", "-1", "2**62", "None", "True", "BLOCK", "n", "acc", "offs", "tl.arange(0, 16)", "(",
    ")", "[None]", ":", "+", "//", "%", "<<", "return", "if n:", "while n > 0:", "tl.float16",
    "'s'", "helper", "tl.sum", "=", ",", "\n    ", "a", "tl.static_range(3)", "1.5", "x", "**",
  ]
  var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
  let pieces = seed.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
  for _ in 0..<250 {
    var mutated = pieces
    for _ in 0...random.next(4) {
      let place = random.next(mutated.count)
      switch random.next(3) {
      case 0: mutated[place] = words[random.next(words.count)]
      case 1: mutated.remove(at: place)
      default: mutated.insert(words[random.next(words.count)], at: place)
      }
    }
    let module = module(mutated.joined(separator: " "))
    for function in module.functions {
      guard
        let specialization = try? Signature.parse(
          "*fp32, *fp32, *fp32, i32, 16", for: function),
        let result = try? module.lower(function.name, for: specialization)
      else { continue }
      if let problem = Verifier.verify(result) {
        Issue.record("\(problem)\n\(module.tree.source.text)")
      }
    }
  }
}
