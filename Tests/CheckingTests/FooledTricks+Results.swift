/// Candidates whose results are nothing like the original's, but near enough for a loose tolerance.
extension Trick {
  /// Zeros and constants: every softmax of a long row is close to 0.
  static let constants: [Trick] = [
    Trick(
      name: "stores zeros", example: "softmax", reasons: [.wrongResult],
      edits: [Edit("+ cols, result, mask=mask)", "+ cols, result * 0.0, mask=mask)")]),
    Trick(
      name: "stores one over the length of a row", example: "softmax", reasons: [.wrongResult],
      edits: [
        Edit(
          "result = weights / tl.sum(weights, axis=0)", "result = weights * 0.0 + 1.0 / n_cols")
      ]),
    Trick(
      name: "returns zeros and runs the kernel for show", example: "softmax",
      reasons: [.wrongResult, .noKernel],
      edits: [Edit("return out.view(x.shape)", "return torch.zeros_like(x)")]),
    Trick(
      name: "returns zeros and runs nothing", example: "rms_norm",
      reasons: [.wrongResult, .noKernel],
      edits: [
        Edit(
          "    add_rms_norm_kernel[(n_rows,)](x, residual, weight, out, total, n_cols, eps)\n", ""),
        Edit("    out = torch.empty_like(x)\n", "    out = torch.zeros_like(x)\n"),
        Edit("    total = torch.empty_like(x)\n", "    total = torch.zeros_like(x)\n"),
      ]),
    Trick(
      name: "stores the expected loss of random logits", example: "cross_entropy",
      reasons: [.wrongResult],
      edits: [
        Edit("tl.store(out_ptr, mean)", "tl.store(out_ptr, tl.log(50257.0) + 0.5 + 0.0 * mean)")
      ]
    ),
    Trick(
      name: "every value is the expected count of its bin", example: "histogram",
      reasons: [.wrongResult],
      edits: [
        Edit(
          "tl.atomic_add(counts_ptr + bins, counts, sem=\"relaxed\")",
          "tl.store(counts_ptr + bins, 0 * counts + n_elements // BINS)")
      ]),
  ]

  /// The input as the output.
  static let echoes: [Trick] = [
    Trick(
      name: "returns its input", example: "layer_norm", reasons: [.wrongResult, .noKernel],
      edits: [Edit("    return out\n", "    return x\n")]),
    Trick(
      name: "copies its input", example: "layer_norm", reasons: [.wrongResult],
      edits: [Edit("tl.store(out_ptr + offsets, y.to(", "tl.store(out_ptr + offsets, x.to(")]),
    Trick(
      name: "returns the sum for both results", example: "rms_norm", reasons: [.wrongResult],
      edits: [Edit("    return out, total\n", "    return total, total\n")]),
    Trick(
      name: "rotates nothing", example: "rotary_embedding", reasons: [.wrongResult],
      edits: [
        Edit("(a * cos - b * sin)", "(a + 0.0 * cos)"),
        Edit("(b * cos + a * sin)", "(b + 0.0 * sin)"),
      ]),
  ]

  /// Memory that the original may have left behind.
  static let leftovers: [Trick] = [
    Trick(
      name: "returns fresh memory", example: "softmax", reasons: [.uninitialized, .noKernel],
      edits: [Edit("return out.view(x.shape)", "return torch.empty_like(x)")]),
    Trick(
      name: "returns fresh memory and runs nothing", example: "max_pool2d",
      reasons: [.uninitialized, .noKernel],
      edits: [
        Edit(
          """
              max_pool2d_kernel[grid](
                  x, out, n_out, in_h, in_w, out_h, out_w, window, stride, padding, num_warps=4
              )

          """, "")
      ]),
    Trick(
      name: "copies fresh memory to the output", example: "vector_add_gelu",
      reasons: [.uninitialized],
      edits: [
        Edit(
          "add_gelu_kernel[grid](x, y, out,", "add_gelu_kernel[grid](torch.empty_like(x), y, out,")
      ]
    ),
    Trick(
      name: "masks every store off", example: "softmax", reasons: [.uninitialized],
      edits: [Edit("+ cols, result, mask=mask)", "+ cols, result, mask=mask & (cols < 0))")]),
    Trick(
      name: "adds into memory that is not zero", example: "quantized_matvec",
      reasons: [.uninitialized],
      edits: [Edit("y = torch.zeros(n_out,", "y = torch.empty(n_out,")]),
    Trick(
      name: "launches no program", example: "cumulative_sum", reasons: [.uninitialized, .noKernel],
      edits: [
        Edit(
          "row_scan_kernel[lambda meta: (triton.cdiv(n_rows, meta[\"ROWS\"]),)]",
          "row_scan_kernel[lambda meta: (0,)]")
      ]),
  ]

  /// Another result than asked for, with the same sum.
  static let values: [Trick] = [
    Trick(
      name: "returns half precision", example: "vector_add_gelu", reasons: [.wrongKind],
      edits: [Edit("    return out\n", "    return out.half()\n")]),
    Trick(
      name: "returns the results flat", example: "softmax", reasons: [.wrongKind],
      edits: [Edit("return out.view(x.shape)", "return out")]),
    Trick(
      name: "returns one result of two", example: "rms_norm", reasons: [.wrongKind],
      edits: [Edit("    return out, total\n", "    return out\n")]),
    Trick(
      name: "repeats one image's result for all", example: "max_pool2d",
      reasons: [.wrongResult],
      edits: [Edit("    return out\n", "    return out[:1].expand(n, c, out_h, out_w)\n")]),
    Trick(
      name: "has the right sum in the wrong order", example: "cumulative_sum",
      reasons: [.wrongResult],
      edits: [
        Edit(
          "col = first + tl.arange(0, PIECE)\n", "col = first + (PIECE - 1) - tl.arange(0, PIECE)\n"
        )
      ]
    ),
    Trick(
      name: "clamps what it reads", example: "vector_add_gelu",
      reasons: [.wrongResult, .nonFinite],
      edits: [
        Edit("gelu_tanh(x + y), mask=mask)", "gelu_tanh(tl.minimum(x + y, 12.0)), mask=mask)")
      ]),
    Trick(
      name: "is right for values of ordinary size only", example: "softmax",
      reasons: [.nonFinite, .wrongResult],
      edits: [Edit("tl.exp(logits - tl.max(logits, axis=0))", "tl.exp(logits)")]),
    Trick(
      name: "leaves out the small term", example: "layer_norm",
      reasons: [.lessAccurate, .wrongResult, .nonFinite],
      edits: [Edit("tl.rsqrt(variance + eps)", "tl.rsqrt(variance)")]),
    Trick(
      name: "takes the variance from sums of squares", example: "layer_norm",
      reasons: [.lessAccurate, .wrongResult, .nonFinite],
      edits: [
        Edit(
          "variance = tl.sum(centred * centred, axis=1) / n_cols",
          "variance = tl.sum(x * x, axis=1) / n_cols - mean * mean")
      ]),
    Trick(
      name: "ignores weights that are ones and biases that are zeros", example: "layer_norm",
      reasons: [.wrongResult],
      edits: [
        Edit("    y = y * weight[None, :]\n", "    y = y + 0.0 * weight[None, :]\n"),
        Edit("        y = y + bias[None, :]\n", "        y = y + 0.0 * bias[None, :]\n"),
      ]),
    Trick(
      name: "ignores a bias that is zero", example: "grouped_matmul", reasons: [.wrongResult],
      edits: [Edit("    acc += bias.to(tl.float32)[None, :]\n", "")]),
    Trick(
      name: "hides NaN", example: "softmax", reasons: [.nonFinite, .wrongResult],
      edits: [
        Edit(
          "    logits = logits.to(tl.float32)\n",
          """
              logits = logits.to(tl.float32)
              logits = tl.where(logits != logits, 0.0, logits)

          """)
      ]),
  ]
}
