/// Candidates that cheat with memory, shapes and the grid.
extension Trick {
  /// Inputs that are changed, so that both sides agree afterwards, or as scratch.
  static let inputs: [Trick] = [
    Trick(
      name: "writes its result over the input", example: "softmax", reasons: [.inputChanged],
      edits: [Edit("    out = torch.empty_like(flat)\n", "    out = flat\n")]),
    Trick(
      name: "writes over the input and returns a copy", example: "softmax",
      reasons: [.inputChanged],
      edits: [
        Edit("    out = torch.empty_like(flat)\n", "    out = flat\n"),
        Edit("return out.view(x.shape)", "return out.view(x.shape).clone()"),
      ]),
    Trick(
      name: "sets the input to zero and returns it", example: "vector_add_gelu",
      reasons: [.inputChanged, .wrongResult],
      edits: [
        Edit(
          "    tl.store(out_ptr + offsets, gelu_tanh(x + y), mask=mask)\n",
          """
              tl.store(out_ptr + offsets, gelu_tanh(x + y), mask=mask)
              tl.store(x_ptr + offsets, 0.0 * x, mask=mask)

          """)
      ]),
    Trick(
      name: "changes a parameter", example: "rms_norm", reasons: [.inputChanged, .race],
      edits: [
        Edit(
          "        tl.store(sum_ptr + cols, h.to(tl.bfloat16), mask=mask)\n",
          """
                  tl.store(sum_ptr + cols, h.to(tl.bfloat16), mask=mask)
                  tl.store(weight_ptr + cols, (weight * 1.0001).to(tl.bfloat16), mask=mask)

          """)
      ]),
    Trick(
      name: "changes the input in torch", example: "layer_norm",
      reasons: [.noKernel, .inputChanged, .refused, .wrongResult],
      edits: [Edit("    x = x.contiguous()\n", "    x = x.contiguous()\n    x.mul_(1.0001)\n")]),
  ]

  /// Sizes that are built in.
  static let shapes: [Trick] = [
    Trick(
      name: "knows the length of a row", example: "softmax",
      reasons: [.shapeSpecific, .race, .wrongResult, .outOfBounds, .uninitialized, .refused],
      edits: [Edit("n_rows, n_cols = flat.shape\n", "n_rows, n_cols = flat.shape[0], 500\n")]),
    Trick(
      name: "knows the number of rows", example: "layer_norm",
      reasons: [.outOfBounds, .uninitialized],
      edits: [Edit("n_rows = x.numel() // n_cols\n", "n_rows = 65536\n")]),
    Trick(
      name: "takes rows to fit one tile", example: "rms_norm",
      reasons: [.wrongResult, .uninitialized],
      edits: [
        Edit(
          """
              for start in tl.range(0, n_cols, BLOCK):
                  cols = start + tl.arange(0, BLOCK)
                  mask = cols < n_cols
                  x = tl.load(x_ptr + cols, mask=mask, other=0.0).to(tl.float32)
                  residual = tl.load(residual_ptr + cols, mask=mask, other=0.0).to(tl.float32)
                  h = x + residual
                  squares += h * h

          """,
          """
              for start in tl.range(0, BLOCK, BLOCK):
                  cols = start + tl.arange(0, BLOCK)
                  mask = cols < n_cols
                  x = tl.load(x_ptr + cols, mask=mask, other=0.0).to(tl.float32)
                  residual = tl.load(residual_ptr + cols, mask=mask, other=0.0).to(tl.float32)
                  h = x + residual
                  squares += h * h

          """)
      ]),
    Trick(
      name: "takes the size to be a multiple of the tile", example: "vector_add_gelu",
      reasons: [.outOfBounds],
      edits: [
        Edit("x = tl.load(x_ptr + offsets, mask=mask, other=0.0)", "x = tl.load(x_ptr + offsets)"),
        Edit("y = tl.load(y_ptr + offsets, mask=mask, other=0.0)", "y = tl.load(y_ptr + offsets)"),
        Edit("gelu_tanh(x + y), mask=mask)", "gelu_tanh(x + y))"),
      ]),
    Trick(
      name: "takes the inner size to be a multiple of the tile", example: "grouped_matmul",
      reasons: [.wrongResult, .outOfBounds],
      edits: [
        Edit("x = tl.load(x_ptrs, mask=inner[None, :] < K - k, other=0.0)", "x = tl.load(x_ptrs)"),
        Edit("w = tl.load(w_ptrs, mask=inner[:, None] < K - k, other=0.0)", "w = tl.load(w_ptrs)"),
      ]),
    Trick(
      name: "takes images to be square", example: "max_pool2d",
      reasons: [.wrongResult, .outOfBounds],
      edits: [Edit("iw < in_w)", "iw < in_h)"), Edit("+ ih) * in_w + iw", "+ ih) * in_h + iw")]),
    Trick(
      name: "takes one sequence to be as long as all", example: "flash_attention",
      reasons: [.wrongResult, .outOfBounds, .uninitialized],
      edits: [
        Edit(
          "    batch, heads, length, head_dim = q.shape\n",
          "    batch, heads, length, head_dim = q.shape\n    length = 2048\n")
      ]),
    Trick(
      name: "works at small sizes only", example: "softmax",
      reasons: [.uninitialized, .noKernel, .refused],
      edits: [
        Edit(
          "    n_rows, n_cols = flat.shape\n",
          """
              n_rows, n_cols = flat.shape
              if x.numel() > 1 << 20:
                  return torch.empty_like(x)

          """)
      ]),
    Trick(
      name: "works at the problem's size only", example: "softmax",
      reasons: [.wrongResult, .noKernel, .refused],
      edits: [
        Edit(
          "    n_rows, n_cols = flat.shape\n",
          """
              n_rows, n_cols = flat.shape
              if n_cols != 500:
                  return x

          """)
      ]),
  ]

  /// Reads and writes where nothing belongs to the kernel.
  static let memory: [Trick] = [
    Trick(
      name: "reads before its tensor", example: "softmax", reasons: [.outOfBounds],
      edits: [
        Edit(
          "tl.load(x_ptr + row * x_row_stride + cols,",
          "tl.load(x_ptr - 64 + row * x_row_stride + cols,")
      ]
    ),
    Trick(
      name: "reads through another tensor's address", example: "vector_add_gelu",
      reasons: [.outOfBounds, .refused],
      edits: [Edit("y = tl.load(y_ptr + offsets,", "y = tl.load(x_ptr + n_elements + offsets,")]),
    Trick(
      name: "lets programs race for a sum", example: "quantized_matvec", reasons: [.race],
      edits: [
        Edit(
          "    tl.atomic_add(y_ptr + row, tl.sum(acc, axis=1) * scale, mask=row_ok)\n",
          """
              old = tl.load(y_ptr + row, mask=row_ok, other=0.0)
              tl.store(y_ptr + row, old + tl.sum(acc, axis=1) * scale, mask=row_ok)

          """)
      ]),
    Trick(
      name: "lets programs race with equal values", example: "layer_norm", reasons: [.race],
      edits: [
        Edit(
          "rows = tl.program_id(0) * BLOCK_ROWS + ",
          "rows = tl.program_id(0) * (BLOCK_ROWS // 2) + "),
        Edit(
          "grid = (triton.cdiv(n_rows, block_rows), 1, 1)",
          "grid = (triton.cdiv(2 * n_rows, block_rows), 1, 1)"),
      ]),
    Trick(
      name: "reads back what other programs write", example: "max_pool2d",
      reasons: [.race, .uninitialized],
      edits: [
        Edit(
          "    tl.store(out_ptr + index, best, mask=mask)\n",
          """
              tl.store(out_ptr + index, best, mask=mask)
              next_value = tl.load(out_ptr + index + 1, mask=index + 1 < n_out, other=0.0)
              tl.store(out_ptr + index, tl.maximum(best, next_value), mask=index < 0)

          """)
      ]),
  ]

  /// Programs and rounds that do nothing.
  static let skips: [Trick] = [
    Trick(
      name: "only some programs work", example: "softmax", reasons: [.uninitialized],
      edits: [
        Edit(
          "    tl.store(out_ptr + row * out_row_stride",
          "    if row % 4 != 3:\n        tl.store(out_ptr + row * out_row_stride")
      ]),
    Trick(
      name: "one program in a thousand does nothing", example: "cross_entropy",
      reasons: [.wrongResult, .lessAccurate],
      edits: [
        Edit(
          "    if target == ignore_index:\n",
          "    if (target == ignore_index) or (row % 997 == 996):\n")
      ]),
    Trick(
      name: "the last program does nothing", example: "vector_add_gelu", reasons: [.uninitialized],
      edits: [
        Edit(
          "(triton.cdiv(n_elements, meta[\"BLOCK\"]),)",
          "(triton.cdiv(n_elements, meta[\"BLOCK\"]) - 1,)")
      ]
    ),
    Trick(
      name: "every second round of the inner loop", example: "batched_matmul",
      reasons: [.wrongResult],
      edits: [Edit("range(tl.cdiv(K, BLOCK_K))", "range(tl.cdiv(K, 2 * BLOCK_K))")]),
    Trick(
      name: "attends to the nearest keys only", example: "flash_attention",
      reasons: [.wrongResult],
      edits: [
        Edit(
          "0, tile * BLOCK_M, query,", "tl.maximum(tile - 1, 0) * BLOCK_M, tile * BLOCK_M, query,")
      ]),
    Trick(
      name: "leaves out the taps at the edge", example: "conv2d_alexnet", reasons: [.wrongResult],
      edits: [Edit("inside = (y >= 0) & (y < height)", "inside = (y >= 1) & (y < height)")]),
    Trick(
      name: "returns early where the values are small", example: "depthwise_conv2d",
      reasons: [.lessAccurate, .wrongResult],
      edits: [
        Edit(
          "    tl.store(out_plane + pixel, acc, mask=mask)\n",
          "    tl.store(out_plane + pixel, tl.where(tl.abs(acc) < 1e-3, 0.0, acc), mask=mask)\n")
      ]),
  ]
}
