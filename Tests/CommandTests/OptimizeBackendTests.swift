import Foundation
import TestSupport
import Testing

/// `hone optimize` with its backends, where neither Triton nor a GPU is there.
@Suite(.enabled(if: Command.binary != nil, "the hone binary is built beside the tests"))
struct OptimizeBackendTests {
  private static let module = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    @triton.jit
    def scale_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + offsets, mask=offsets < n)
        tl.store(y_ptr + offsets, x * 2.0, mask=offsets < n)


    class ModelNew(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.empty_like(x)
            scale_kernel[(triton.cdiv(x.numel(), 1024),)](x, y, x.numel(), BLOCK=1024)
            return y

    """

  private func run(_ extra: [String]) async throws -> Finished {
    let scratch = try Scratch()
    let file = try scratch.write(Self.module, to: "module.py")
    return try await Command.run(
      ["optimize", file.path, "--gpu", "L4", "--stage", "4", "--input", "x=f32[64,64]"] + extra)
  }

  /// Without a Python that has Triton, auto is the embedded model and says so.
  @Test func autoIsTheModelWhereNothingElseIs() async throws {
    let model = try await run(["--backend", "model"])
    let auto = try await run([])
    #expect(model.code == 0 && auto.code == 0)
    #expect(model.output == auto.output)
    #expect(auto.errors.contains("backend model (figures are predicted"))
  }

  @Test func aBackendThatIsNotThereIsTheEnvironments() async throws {
    for backend in ["gpu", "compiler"] {
      let result = try await run(["--backend", backend])
      #expect(result.code == 3 && result.output.isEmpty)
      #expect(result.errors.hasPrefix("error: "), "\(result.errors)")
    }
  }

  @Test func aPythonThatIsNotThereIsTheInputs() async throws {
    let result = try await run(["--python", "/no/such/python"])
    #expect(result.code == 2 && result.output.isEmpty)
    #expect(result.errors.contains("/no/such/python"))
  }

  @Test(arguments: ["a", "1-", "3-1", "0,,1", "-1", "0-99999999999"])
  func listsOfGPUsAreChecked(_ list: String) async throws {
    let result = try await run(["--gpus=\(list)"])
    #expect(result.code == 2 && result.errors.contains("is no list of GPUs"), "\(result.errors)")
  }

  @Test(arguments: ["-1", "nan", "1e99"])
  func budgetsAreChecked(_ budget: String) async throws {
    let result = try await run(["--budget=\(budget)"])
    #expect(result.code == 2 && result.errors.contains("--budget"))
  }
}
