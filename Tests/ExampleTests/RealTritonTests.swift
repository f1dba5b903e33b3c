import Foundation
import Testing

/// Judges that need Python: real Triton 3.6 compiles the examples, and runs them in its interpreter.
@Suite(.serialized) struct RealTritonTests {
  @Test(
    .enabled(if: JudgePython.isThere, Comment(rawValue: JudgePython.skipReason)),
    arguments: [89, 90])
  func `Every launch of the examples compiles`(target: Int) throws {
    let all = FileManager.default.temporaryDirectory
      .appending(path: "hone-launches-\(UUID().uuidString).jsonl")
    defer { try? FileManager.default.removeItem(at: all) }
    let lines = try Examples.names.map {
      try String(
        contentsOf: Examples.launches.appending(path: $0 + ".jsonl"), encoding: .utf8)
    }
    try lines.joined().write(to: all, atomically: true, encoding: .utf8)
    let output = try JudgePython.run(
      ["Scripts/judge-compile.py", all.path(), "--target", String(target)])
    #expect(output.exitCode == 0, "\(output.standardOutput)\(output.standardError)")
    let expected = try Examples.names.map { try Examples.recordedLaunches($0).count }
    #expect(output.standardOutput.split(separator: "\n").count == expected.reduce(0, +))
  }

  @Test(.enabled(if: JudgePython.isThere, Comment(rawValue: JudgePython.skipReason)))
  func `judge-compile says what is wrong, and where`() throws {
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
    let output = try JudgePython.run(
      ["Scripts/judge-compile.py", module.path(), launch.path()])
    #expect(output.exitCode == 1)
    #expect(output.standardOutput.contains(#""ok": false"#))
    #expect(output.standardOutput.contains("missing is not defined"))
    #expect(output.standardOutput.contains(#""line": 9"#))
  }

  @Test(
    .enabled(
      if: JudgePython.hasTorch, "the judges' python has no torch (Scripts/python-env --torch)"))
  func `Every example agrees with its reference in Triton's interpreter`() throws {
    let output = try JudgePython.run(["-W", "ignore", "Scripts/check-examples.py"])
    #expect(output.exitCode == 0, "\(output.standardOutput)\(output.standardError)")
  }
}
