import Diagnostics
import Requests
import Testing

@testable import Reporting

@Suite struct ExplanationTests {
  static let module = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    @triton.jit
    def scale_kernel(x_ptr, y_ptr, width, rows, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        mask = offsets < rows * width
        row = offsets // width
        x = tl.load(x_ptr + offsets, mask=mask)
        tl.store(y_ptr + offsets, x * row, mask=mask)


    class ModelNew(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x.contiguous()
            y = torch.empty_like(x)
            rows, width = x.shape
            grid = (triton.cdiv(x.numel(), 1024),)
            scale_kernel[grid](x, y, width, rows, BLOCK=1024)
            return y
    """

  static func explain(inputs: [String], profile: String? = nil) throws -> Explanation {
    let options = RequestOptions(
      gpu: "4090", profile: profile.map { SourceText(name: "profile.json", text: $0) },
      inputs: inputs)
    let request = try RequestReader.read(
      bytes: Array(module.utf8), name: "scale.py", options: options)
    return ExplanationBuilder.explain(request)
  }

  @Test func explainsALaunchWithItsLines() throws {
    let explanation = try Self.explain(inputs: ["x=f32[4096,1024]"])
    let kernel = try #require(explanation.kernels.first)
    let analysis = try #require(kernel.analysis)
    #expect(analysis.grid == [4096])
    #expect(analysis.work.compulsoryBytes == 2 * 4096 * 1024 * 4)
    #expect(analysis.work.isMemoryBound)
    #expect(analysis.accesses.map(\.place.line) == [12, 13])
    #expect(analysis.accesses.first?.vectorBytes == 16)
    #expect(analysis.divisions.sites.first?.place.line == 11)
    let text = explanation.text()
    #expect(text.contains("scale.py:12"))
    #expect(text.contains("`offsets // width`"))
    let json = try explanation.json()
    #expect(String(decoding: json, as: UTF8.self).contains("\"memoryFloorMicroseconds\""))
  }

  @Test func deducesTheShapeFromTheGrid() throws {
    let explanation = try Self.explain(
      inputs: [], profile: #"{"scale_kernel": {"launch__grid_size": 16384}}"#)
    let deduction = try #require(explanation.deduction)
    let best = try #require(deduction.best)
    let elements = best.inputs[0].shape.shape.reduce(1, *)
    #expect((elements + 1023) / 1024 == 16384)
    // Many shapes have so many elements: the deduction says so.
    #expect(deduction.isAmbiguous)
    #expect(explanation.kernels.first?.analysis?.grid == [16384])
  }

  @Test func aKernelThatCannotBeLoweredIsReported() throws {
    let broken = Self.module.replacing("x * row", with: "tl.no_such_thing(x)")
    let request = try RequestReader.read(
      bytes: Array(broken.utf8), name: "scale.py",
      options: RequestOptions(gpu: "4090", inputs: ["x=f32[64,64]"]))
    let explanation = ExplanationBuilder.explain(request)
    #expect(explanation.kernels.first?.analysis == nil)
    #expect(explanation.kernels.first?.refusal?.location?.line == 13)
    #expect(explanation.text().contains("not analysed"))
  }

  @Test func wrapsAtWords() {
    #expect(Explanation.wrap("- one two three", indent: 4, 12) == ["  - one two", "    three"])
  }
}
