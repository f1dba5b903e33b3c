import DeviceModel
import Testing

@testable import Tuning

/// The least time that a module's own products take.
@Suite struct LaunchFloorTests {
  private static func module(_ configs: [(Int, Int)]) -> String {
    let list = configs.map { rows, inner in
      "triton.Config({'M': \(rows), 'K': \(inner)}, num_warps=4)"
    }.joined(separator: ", ")
    return """
      import torch
      import torch.nn as nn
      import triton
      import triton.language as tl


      @triton.autotune(configs=[\(list)], key=['n'])
      @triton.jit
      def product_kernel(a_ptr, b_ptr, c_ptr, n, M: tl.constexpr, K: tl.constexpr):
          rows = tl.program_id(0) * M + tl.arange(0, M)
          columns = tl.arange(0, 64)
          sum = tl.zeros((M, 64), dtype=tl.float32)
          for k in range(0, n, K):
              inner = k + tl.arange(0, K)
              a = tl.load(a_ptr + rows[:, None] * n + inner[None, :])
              b = tl.load(b_ptr + inner[:, None] * 64 + columns[None, :])
              sum += tl.dot(a, b)
          tl.store(c_ptr + rows[:, None] * 64 + columns[None, :], sum)


      class ModelNew(nn.Module):
          def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
              c = torch.empty((a.shape[0], 64), device=a.device, dtype=torch.float32)
              grid = lambda meta: (triton.cdiv(a.shape[0], meta['M']),)
              product_kernel[grid](a, b, c, a.shape[1])
              return c

      """
  }

  private func seconds(_ module: String, _ inputs: [String]) throws -> Double {
    let request = try Subjects.request(module, inputs: inputs)
    let run = try #require(KnownProblem.find(for: request).run)
    return LaunchFloor.seconds(
      of: run, in: request.tree, on: try #require(GPU.find("NVIDIA H200")))
  }

  @Test func isTheProductsAtThePeakRate() throws {
    let gpu = try #require(GPU.find("NVIDIA H200"))
    let found = try seconds(Self.module([(64, 32)]), ["a=f16[4096,2048]", "b=f16[2048,64]"])
    let peak = try #require(
      gpu.roofline.floorSeconds(operations: 2 * 4096 * 2048 * 64, .fp16))
    #expect(abs(found - 0.85 * peak) < 0.01 * peak, "\(found), the peak takes \(peak)")
    let twice = try seconds(Self.module([(64, 32)]), ["a=f16[8192,2048]", "b=f16[2048,64]"])
    #expect(abs(twice - 2 * found) < 0.01 * found)
  }

  /// Whichever config is chosen takes at least this long.
  @Test func ofSeveralConfigsTheLeastCounts() throws {
    let inputs = ["a=f16[4096,2048]", "b=f16[2048,64]"]
    let one = try seconds(Self.module([(64, 32)]), inputs)
    let several = try seconds(Self.module([(64, 32), (32, 64), (128, 32)]), inputs)
    #expect(several <= one && several > 0)
  }

  @Test func nothingIsClaimedWithoutProductsOrSizes() throws {
    #expect(try seconds(Subjects.computing, ["x=f32[64,64]"]) == 0)
    let request = try Subjects.request(Self.module([(64, 32)]), inputs: [])
    if let run = KnownProblem.find(for: request).run {
      let gpu = try #require(GPU.find("NVIDIA H200"))
      #expect(LaunchFloor.seconds(of: run, in: request.tree, on: gpu) == 0)
    }
  }
}
