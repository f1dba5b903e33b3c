import Foundation
import TestSupport
import Testing

/// Judges that need Python: real Triton 3.6 compiles the examples, and runs them in its interpreter.
@Suite(.serialized) struct RealTritonTests {
  @Test(
    .enabled(if: Checkout.judgePython != nil, "\(Checkout.judgePythonReason)"),
    arguments: [89, 90])
  func `Every launch of the examples compiles`(target: Int) async throws {
    let all = FileManager.default.temporaryDirectory
      .appending(path: "hone-launches-\(UUID().uuidString).jsonl")
    defer { try? FileManager.default.removeItem(at: all) }
    let lines = try Examples.names.map {
      try String(
        contentsOf: Examples.launches.appending(path: $0 + ".jsonl"), encoding: .utf8)
    }
    try lines.joined().write(to: all, atomically: true, encoding: .utf8)
    let output = try await Checkout.runJudge(
      ["Scripts/judge-compile.py", all.path(), "--target", String(target)])
    #expect(output.code == 0, "\(output.output)\(output.errors)")
    let expected = try Examples.names.map { try Examples.recordedLaunches($0).count }
    #expect(output.output.split(separator: "\n").count == expected.reduce(0, +))
  }

  @Test(.enabled(if: Checkout.judgePython != nil, "\(Checkout.judgePythonReason)"))
  func `judge-compile says what is wrong, and where`() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "hone-judge-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let module = folder.appending(path: "m.py")
    try """
    import torch
    import triton
    import triton.language as tl


    @triton.jit
    def fill(x_ptr, n, BLOCK: tl.constexpr):
        offsets = tl.arange(0, BLOCK)
        tl.store(x_ptr + offsets, missing, mask=offsets < n)
    """.write(to: module, atomically: true, encoding: .utf8)
    let launch = folder.appending(path: "l.jsonl")
    try
      (#"{"kernel": "fill", "signature": {"x_ptr": "*fp32", "n": "i32"}, "#
      + #""constexprs": {"BLOCK": 64}}"#)
      .write(to: launch, atomically: true, encoding: .utf8)
    let output = try await Checkout.runJudge(
      ["Scripts/judge-compile.py", module.path(), launch.path()])
    #expect(output.code == 1)
    #expect(output.output.contains(#""ok": false"#))
    #expect(output.output.contains("missing is not defined"))
    #expect(output.output.contains(#""line": 9"#))
  }

  @Test(
    .enabled("the judges' python has no torch (Scripts/python-env --torch)") {
      await Checkout.judgeHasTorch()
    })
  func `Every example agrees with its reference in Triton's interpreter`() async throws {
    let output = try await Checkout.runJudge(["-W", "ignore", "Scripts/check-examples.py"])
    #expect(output.code == 0, "\(output.output)\(output.errors)")
  }
}
