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

/// Found by mutation: names defined by themselves, decorators that name their own function.
@Test(arguments: [
  "@kernel\n@triton.jit\ndef kernel(out):\n    tl.store(out, 1)\n",
  "A = B\nB = A\n@triton.jit\ndef kernel(out):\n    tl.store(out, A)\n",
  "A = (A, A, A)\n@triton.jit\ndef kernel(out):\n    tl.store(out, A)\n",
  "def f(x):\n    return A\nA = f(1)\n@triton.jit\ndef kernel(out, N: tl.constexpr = A):\n    tl.store(out, A)\n",
  "@triton.autotune(configs=kernel(), key=[])\n@triton.jit\ndef kernel(out):\n    kernel(out)\n",
])
func refusesCircularDefinitions(_ text: String) throws {
  let module = module(text)
  for function in module.functions {
    let guess = try module.inferredSpecialization(for: function.name)
    _ = try? module.lower(function.name, for: guess.specialization)
  }
}
