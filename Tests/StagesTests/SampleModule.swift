import Diagnostics
import PythonSyntax
import Testing

/// A module in the strict form: a row-wise scale with two configs, written for these tests.
enum SampleModule {
  static let text = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    @triton.autotune(
        configs=[
            triton.Config({'BLOCK_R': 16, 'BLOCK_C': 64}, num_warps=4, num_stages=2),
            triton.Config({'BLOCK_R': 32, 'BLOCK_C': 64}, num_warps=8, num_stages=3),
        ],
        key=['rows'],
    )
    @triton.jit
    def scale_kernel(x_ptr, y_ptr, rows, cols, factor, BLOCK_R: tl.constexpr, BLOCK_C: tl.constexpr):
        r = tl.program_id(0) * BLOCK_R + tl.arange(0, BLOCK_R)
        c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
        offsets = r[:, None] * cols + c[None, :]
        inside = (r[:, None] < rows) & (c[None, :] < cols)
        value = tl.load(x_ptr + offsets, mask=inside)
        tl.store(y_ptr + offsets, value * factor, mask=inside)


    def scale(x, factor):
        rows, cols = x.shape
        y = torch.empty_like(x)
        grid = lambda meta: (triton.cdiv(rows, meta['BLOCK_R']), triton.cdiv(cols, meta['BLOCK_C']))
        scale_kernel[grid](x, y, rows, cols, factor)
        return y


    class ModelNew(nn.Module):
        def __init__(self, factor=2.0):
            super().__init__()
            self.factor = factor

        def forward(self, x):
            return scale(x, self.factor)
    """

  static func tree(_ text: String, name: String = "m.py") -> ModuleTree {
    PythonParser.parse(SourceText(name: name, text: text))
  }

  static var tree: ModuleTree { tree(text) }

  /// The module with parts of its text replaced; each part must occur.
  static func edited(_ edits: (String, String)...) -> ModuleTree {
    var text = text
    for (old, new) in edits {
      #expect(text.contains(old), "\(old)")
      text = text.replacing(old, with: new)
    }
    return tree(text)
  }
}
