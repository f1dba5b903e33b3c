import Foundation
import TestSupport
import Testing

@Suite struct CommandTests {
  static let module = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    @triton.jit
    def add_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n) + 1, mask=i < n)


    def add(x):
        y = torch.empty_like(x)
        add_kernel[(triton.cdiv(x.numel(), 256),)](x, y, x.numel(), BLOCK=256)
        return y


    class ModelNew(nn.Module):
        def forward(self, x):
            return add(x)

    """

  @Test func usageErrorsExitWith2() async throws {
    let unknown = try await Command.run(["polish"])
    #expect(unknown.code == 2)
    #expect(unknown.output.isEmpty)
    #expect(unknown.errors.hasPrefix("error: Unexpected argument 'polish'"))
    #expect(try await Command.run(["lint"]).code == 2)
    #expect(try await Command.run(["lint", "x.py", "--fromat", "json"]).code == 2)
    let alone = try await Command.run(["lint", "x.py", "--stage", "4"])
    #expect(alone.code == 2)
    #expect(
      alone.errors.hasPrefix("error: --stage needs --original (or --request) to compare with."))
  }

  @Test func helpGoesToStandardOutput() async throws {
    let root = try await Command.run(["--help"])
    #expect(root.code == 0 && root.errors.isEmpty)
    #expect(root.output.hasPrefix("OVERVIEW: Make Triton kernels faster and prove it.\n"))
    #expect(try await Command.run(["--version"]).output == "0.1.0\n")
    let lint = try await Command.run(["lint", "--help"])
    #expect(
      lint.output == """
        OVERVIEW: Check a module against the output form and a stage's rules.

        With --original, also checks that names, signatures, grid and configs keep to
        the rules of the stage (--stage, or the stage section of --request). Warns of
        autotuned kernels whose trial runs spoil their own arguments.

        USAGE: hone lint <module> [--original <file>] [--stage <stage>] [--request <file>] [--format <format>]

        ARGUMENTS:
          <module>                The module to check; '-' reads standard input.

        OPTIONS:
          --original <file>       The module before optimization.
          --stage <stage>         The stage whose built-in rules hold, by name or
                                  number (1 to 4).
          --request <file>        A request document: its stage section, output rules
                                  and, without --original, its module.
          --format <format>       How to print. (values: text, json; default: text)
          --version               Show the version.
          -h, --help              Show help information.


        """)
  }

  @Test func gpus() async throws {
    let all = try await Command.run(["gpus"])
    #expect(all.code == 0 && all.errors.isEmpty)
    #expect(all.output.split(separator: "\n").count == 18)
    let one = try await Command.run(["gpus", "rtx4090"])
    #expect(one.output.hasPrefix("GPU                   RTX 4090\n"))
    let json = try await Command.run(["gpus", "4090", "--format", "json"])
    let list = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]]
    #expect(list?.first?["l2Bytes"] as? Int == 75_497_472)
    let unknown = try await Command.run(["gpus", "H20O"])
    #expect(unknown.code == 2 && unknown.output.isEmpty)
    #expect(
      unknown.errors == """
        error: unknown GPU 'H20O'; did you mean 'H200'?
          next: run 'hone gpus' for the list of known GPUs

        """)
  }

  @Test func lintSaysYes() async throws {
    let result = try await Command.run(["lint", "-"], input: Self.module)
    #expect(result.code == 0 && result.errors.isEmpty)
    #expect(result.output == "-: ok\n")
  }

  @Test func lintWarnsOfTrialRunsThatSpoilArguments() async throws {
    let module = """
      import torch
      import torch.nn as nn
      import triton
      import triton.language as tl
      @triton.autotune(configs=[triton.Config({'B': 64}), triton.Config({'B': 128})], key=['n'])
      @triton.jit
      def halve(x, n, B: tl.constexpr):
          i = tl.program_id(0) * B + tl.arange(0, B)
          tl.store(x + i, tl.load(x + i, mask=i < n) / 2, mask=i < n)
      def f(x):
          halve[lambda meta: (triton.cdiv(x.numel(), meta['B']),)](x, x.numel())
          return x
      class ModelNew(nn.Module):
          def forward(self, x):
              return f(x)

      """
    let result = try await Command.run(["lint", "-"], input: module)
    #expect(result.code == 0)
    #expect(result.output.contains("'halve' updates 'x' in place"))
    #expect(result.output.contains("next: add restore_value=['x']"))
    let restored = module.replacing("key=['n'])", with: "key=['n'], restore_value=['x'])")
    #expect(try await Command.run(["lint", "-"], input: restored).output == "-: ok\n")
  }

  @Test func lintSaysNo() async throws {
    let scratch = try Scratch()
    try scratch.write(Self.module, to: "old.py")
    try scratch.write(
      Self.module.replacing("x.numel(), 256)", with: "x.numel(), 128)") + "print('hi')\n",
      to: "new.py")
    let result = try await Command.run(
      ["lint", "new.py", "--original", "old.py", "--stage", "micro"], in: scratch.folder)
    #expect(result.code == 1 && result.errors.isEmpty)
    #expect(
      result.output == """
        new.py:22:1: error: 'print' runs when the module is imported
           22 | print('hi')
              | ^~~~~~~~~~~
          next: keep imports, kernels, wrappers and ModelNew only
        new.py:15:16: error: the grid of 'add_kernel' differs from the original's
           15 |     add_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=256)
              |                ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        new.py: 2 errors, 0 warnings

        """)
    let json = try await Command.run(["lint", "new.py", "--format", "json"], in: scratch.folder)
    #expect(json.code == 1)
    let record = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect(record?["ok"] as? Bool == false && record?["errors"] as? Int == 1)
  }

  @Test func syntaxErrorsAreBadInput() async throws {
    let result = try await Command.run(["lint", "-"], input: "def f(:\n")
    #expect(result.code == 2 && result.output.isEmpty)
    #expect(result.errors.hasPrefix("<stdin>:1:"))
  }

  @Test func badPaths() async throws {
    let scratch = try Scratch()
    try scratch.write(Self.module, to: "kernel.py")
    let missing = try await Command.run(["lint", "kernal.py"], in: scratch.folder)
    #expect(missing.code == 2)
    #expect(
      missing.errors == "error: no such file: 'kernal.py'\n  next: did you mean 'kernel.py'?\n")
    let folder = try await Command.run(["lint", "."], in: scratch.folder)
    #expect(folder.code == 2)
    #expect(folder.errors.hasPrefix("error: '.' is a directory\n"))
    // So large that reading it would fail.
    let file = try scratch.write("", to: "large.md")
    let handle = try FileHandle(forWritingTo: file)
    try handle.truncate(atOffset: 20_000_000_000)
    try handle.close()
    let large = try await Command.run(["lint", "large.md"], in: scratch.folder)
    #expect(large.code == 2)
    #expect(large.errors.hasPrefix("error: 'large.md' is too large to be a request (20000 MB)\n"))
    let binary = scratch.folder.appendingPathComponent("b.py")
    try Data([0x61, 0xFF]).write(to: binary)
    let bytes = try await Command.run(["lint", "b.py"], in: scratch.folder)
    #expect(bytes.code == 2 && bytes.errors.hasPrefix("b.py:1:2: error: byte 0xFF is not UTF-8\n"))
  }

  @Test func aClosedPipeEndsQuietly() async throws {
    let binary = try #require(Command.binary)
    let result = try await Program.run(
      "/bin/sh",
      ["-c", "{ '\(binary.path)' gpus --format json; echo code $? >&2; } | head -c 1 >/dev/null"])
    #expect(result.errors == "code 0\n")
  }

  @Test func `Files beside the module are followed, in every command`() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let package = folder.appendingPathComponent("lab/parts")
    try FileManager.default.createDirectory(at: package, withIntermediateDirectories: true)
    let split = try #require(Self.module.range(of: "class ModelNew"))
    let helper = String(Self.module[..<split.lowerBound])
    let model =
      "from .parts.adding import add\nimport torch.nn as nn\nimport torch\n\n\n"
      + String(Self.module[split.lowerBound...])
      + "\n\ndef get_inputs():\n    return [torch.rand(1000)]\n"
    try helper.write(
      to: package.appendingPathComponent("adding.py"), atomically: true, encoding: .utf8)
    let path = folder.appendingPathComponent("lab/model.py")
    try model.write(to: path, atomically: true, encoding: .utf8)
    let check = try await Command.run(
      ["check", "lab/model.py", "--against", path.path, "--budget", "600"], in: folder)
    #expect(check.code == 0, "\(check.output)\(check.errors)")
    let explained = try await Command.run(
      ["explain", "model.py", "--gpu", "h100"], in: folder.appendingPathComponent("lab"))
    #expect(explained.code == 0)
    #expect(explained.output.contains("add_kernel[4]"), "\(explained.output)\(explained.errors)")
    let optimized = try await Command.run(
      ["optimize", "lab/model.py", "--gpu", "h100", "--backend", "model"], in: folder)
    #expect(optimized.code == 0, "\(optimized.errors)")
    #expect(optimized.output.contains("from .parts.adding import add"))
  }
}
