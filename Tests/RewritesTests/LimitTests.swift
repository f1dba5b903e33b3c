import Diagnostics
import HostProgram
import PythonSyntax
import Testing

@testable import Rewrites

/// Inputs made to take long: every rewrite ends, and quickly.
@Suite struct LimitTests {
  private func visitAll(_ body: String, others: String = "") -> Int {
    let text =
      "import triton\nimport triton.language as tl\n\(others)@triton.jit\n"
      + "def k(x, n, B: tl.constexpr):\n\(body)\ndef f(x, n):\n    k[(1,)](x, n, B=4)\n"
    let subject = Subjects.run(text, ["x": Subjects.tensor(0), "n": Subjects.shape(100)])
    return Rewrites.catalog.reduce(0) { $0 + $1.sites(in: subject).count }
  }

  @Test(.timeLimit(.minutes(20))) func nestedLoops() {
    let loops = (0..<40).map {
      String(repeating: " ", count: $0 + 1) + "for i\($0) in range(n):"
    }
    let body =
      loops.joined(separator: "\n") + "\n" + String(repeating: " ", count: 41)
      + "tl.store(x, i0 // n)"
    #expect(visitAll(body) > 0)
  }

  @Test(.timeLimit(.minutes(20)), arguments: ["*", "+", "//", "%"]) func doublingNames(_ op: String)
  {
    let lines = (1..<100).map { " a\($0) = a\($0 - 1) \(op) a\($0 - 1)" }
    let body =
      " a0 = n\n" + lines.joined(separator: "\n") + "\n for i in range(a99):\n"
      + "  s = tl.load(x + n)\n  tl.store(x, i // a99 + i % a98 + s)"
    #expect(visitAll(body) > 0)
  }

  @Test(.timeLimit(.minutes(20))) func manyCalls() {
    let count = 40
    let functions = (0..<count).map { index in
      let calls = ((index + 1)..<count).map { " g\($0)(p)" }.joined(separator: "\n")
      return "@triton.jit\ndef g\(index)(p):\n\(calls)\n tl.store(p, 1)\n"
    }
    #expect(visitAll(" g0(x)\n k(x, n, B)", others: functions.joined()) > 0)
  }

  @Test func deepExpressions() {
    let sum = (0..<400).map { _ in "n" }.joined(separator: " + ")
    #expect(visitAll(" tl.store(x, \(sum))") > 0)
  }
}
