import Foundation
import TestSupport
import Testing

/// `hone profile` and `hone winners` as built.
@Suite struct ProfileCommandTests {
  private static let module = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl
    @triton.jit
    def scale(x, y, n, B: tl.constexpr):
        i = tl.program_id(0) * B + tl.arange(0, B)
        tl.store(y + i, tl.load(x + i, mask=i < n) * 2, mask=i < n)
    class ModelNew(nn.Module):
        def forward(self, x):
            y = torch.empty_like(x)
            scale[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), B=64)
            return y
    def get_inputs():
        return [torch.randn(4096)]

    """
  private static let csv = """
    "ID","Kernel Name","Grid Size","gpu__time_duration.sum","device__attribute_warp_size"
    "","","","us",""
    "0","at::fill(float)","(2, 1, 1)","1.5","32"
    "1","scale","(64, 1, 1)","2.5","32"
    "2","scale","(64, 1, 1)","2.25","32"
    """

  @Test func importsAReport() async throws {
    let scratch = try Scratch()
    try scratch.write(Self.module, to: "m.py")
    try scratch.write(Self.csv, to: "p.csv")
    let result = try await Command.run(
      ["profile", "m.py", "--import", "p.csv", "-o", "p.json"], in: scratch.folder)
    #expect(result.code == 0, "\(result.errors)")
    #expect(
      result.output == """
        measured by Nsight Compute
        kernel  launch  grid  time µs
        scale        0    64     2.25
        not the module's:
          at::fill(float): 1 launch, 1.5 µs in all

        """)
    #expect(
      result.errors == "note: 1 launch of 'scale' before the last 1 left out: warm-up\n")
    let json = try String(
      contentsOf: scratch.folder.appendingPathComponent("p.json"), encoding: .utf8)
    #expect(json.contains("\"launch__grid_size\": 64") && !json.contains("warp_size"))
    // What was written is taken as a profile.
    let explained = try await Command.run(
      ["explain", "m.py", "--gpu", "h200", "--stage", "micro", "--profile", "p.json"],
      in: scratch.folder)
    #expect(explained.code == 0, "\(explained.errors)")
  }

  @Test func saysWhatIsMissing() async throws {
    let scratch = try Scratch()
    try scratch.write(Self.module, to: "m.py")
    try scratch.write(Self.csv.replacing("scale", with: "other"), to: "p.csv")
    let other = try await Command.run(["profile", "m.py", "--import", "p.csv"], in: scratch.folder)
    #expect(other.code == 2 && other.output.isEmpty)
    #expect(other.errors.contains("next: kernels of the module: scale"))
    let noTool = try await Command.run(["profile", "m.py", "--ncu", "/no/ncu"], in: scratch.folder)
    #expect(noTool.code == 3)
    #expect(noTool.errors.hasPrefix("error: --ncu names no executable file: '/no/ncu'\n"))
    let noFile = try await Command.run(
      ["profile", "m.py", "--import", "x.ncu-rep"], in: scratch.folder)
    #expect(noFile.code == 2 && noFile.errors.contains("no such file: 'x.ncu-rep'"))
    #expect(try await Command.run(["profile", "m.py", "--timeout", "0"]).code == 2)
  }

  @Test func winnersAreListedAndCleared() async throws {
    let scratch = try Scratch()
    try scratch.write(Self.module, to: "m.py")
    let store = ["--winners", "w.json"]
    #expect(try await Command.run(["winners", "list"] + store, in: scratch.folder).output == "")
    let made = try await Command.run(
      ["optimize", "m.py", "--gpu", "4090", "--stage", "micro", "--backend", "model", "-o", "o.py"]
        + store, in: scratch.folder)
    #expect(made.code == 0, "\(made.errors)")
    let list = try await Command.run(["winners", "list"] + store, in: scratch.folder)
    #expect(list.output.hasPrefix("scale  ") == made.errors.contains("  done "))
    let show = try await Command.run(["winners", "show", "scal"] + store, in: scratch.folder)
    #expect(show.code == 2 && show.errors.contains("there is no winner of 'scal'"))
    #expect(try await Command.run(["winners", "clear"] + store, in: scratch.folder).code == 2)
    let cleared = try await Command.run(["winners", "clear", "--all"] + store, in: scratch.folder)
    #expect(cleared.code == 0 && cleared.errors.hasPrefix("removed "))
    try scratch.write("{", to: "w.json")
    let corrupt = try await Command.run(["winners", "list"] + store, in: scratch.folder)
    #expect(corrupt.code == 2 && corrupt.errors.contains("cannot use the winners in 'w.json'"))
  }
}
