extension Survivor {
  /// Mutants of the examples that are shown to be equivalent: no problem of the module tells them
  /// from the original.
  static let all: [Survivor] = [
    Survivor(
      example: "batched_matmul", operatorName: "padding-dropped", place: "tl.load(",
      reason: "without a padding option a checked block reads zeros in Triton as well"),
    Survivor(
      example: "cross_entropy", operatorName: "other-dropped", place: "other=0.0",
      reason: "masked-off lanes without `other` are 0 on NVIDIA GPUs, and so they are here"),
    Survivor(
      example: "rms_norm", operatorName: "other-dropped", place: "other=0.0",
      reason: "masked-off lanes without `other` are 0 on NVIDIA GPUs, and so they are here"),
    Survivor(
      example: "flash_attention", operatorName: "dot-operands-narrowed", place: "tl.float16",
      reason: "the operands are float16 already"),
    Survivor(
      example: "grouped_matmul", operatorName: "dot-operands-narrowed", place: "tl.float16",
      reason: "the operands are float16 already"),
    Survivor(
      example: "grouped_matmul", operatorName: "cast-narrowed", place: "line 76",
      reason: "the bias is float16 and is added to a float32 sum, which widens it again"),
    Survivor(
      example: "grouped_matmul", operatorName: "output-dtype-changed", place: "x.dtype",
      reason: "the wrapper asserts that x is float16"),
    Survivor(
      example: "depthwise_conv2d", operatorName: "accumulator-narrowed", place: "line 39",
      reason: "the unrolled sum is 0 in float16 before the first addition and float32 after it"),
    Survivor(
      example: "rms_norm", operatorName: "arguments-swapped", place: "`x, residual`",
      reason: "the two are only added to each other"),
    Survivor(
      example: "vector_add_gelu", operatorName: "arguments-swapped", place: "`x, y`",
      reason: "the two are only added to each other"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "mask-bound-loosened",
      place: "line 69: `channel_out < out_channels`",
      reason: "the layer has 96 output channels, a multiple of every config's tile"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "mask-bound-loosened",
      place: "line 74: `channel_out < out_channels`",
      reason: "the layer has 96 output channels, a multiple of every config's tile"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "mask-bound-loosened",
      place: "line 80: `channel_out < out_channels`",
      reason: "the layer has 96 output channels, a multiple of every config's tile"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "mask-conjunct-dropped", place: "→ `k_ok[:, None]`",
      reason: "the layer has 96 output channels, a multiple of every config's tile"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "mask-conjunct-dropped",
      place: "→ `pixel_ok[:, None]`",
      reason: "the layer has 96 output channels, a multiple of every config's tile"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "mask-conjunct-dropped", place: "→ `inside`",
      reason: "pixels past the end stay inside the image by the other tests, and are not stored"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "mask-dropped", place: "line 74",
      reason: "the layer has 96 output channels, a multiple of every config's tile"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "other-changed", place: "line 70",
      reason: "the patch is 0 where the taps are masked"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "other-changed", place: "line 74",
      reason: "channels past the end are not stored"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "hint-size-multiple", place: "out_channels",
      reason: "the layer has 96 output channels, a multiple of every config's tile"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "grid-rounded-down", place: "out_channels",
      reason: "the layer has 96 output channels, a multiple of every config's tile"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "arguments-swapped", place: "`window_h, window_w`",
      reason: "the layer's window is 11 by 11"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "sizes-swapped", place: "`window_h, window_w`",
      reason: "the layer's window is 11 by 11"),
    Survivor(
      example: "conv2d_alexnet", operatorName: "contiguous-dropped", place: "weight.permute",
      reason: "the reshape has copied already"),
    Survivor(
      example: "cross_entropy", operatorName: "other-changed", place: "line 69",
      reason: "the mask takes these lanes out of the count"),
    Survivor(
      example: "cross_entropy", operatorName: "other-dropped", place: "line 69",
      reason: "the mask takes these lanes out of the count"),
    Survivor(
      example: "cross_entropy", operatorName: "accumulator-start-wrong", place: "line 30",
      reason: "the first round multiplies it by exp(-inf)"),
    Survivor(
      example: "cross_entropy", operatorName: "cast-narrowed", place: "line 70",
      reason: "it is 0 or 1 and is added to an int32 tile, which widens it"),
    Survivor(
      example: "cross_entropy", operatorName: "hint-assume-program", place: "line 62",
      reason: "the kernel is launched as one program"),
    Survivor(
      example: "cross_entropy", operatorName: "arguments-swapped",
      place: "`logits.stride(0), n_classes`",
      reason: "contiguous logits have rows of n_classes"),
    Survivor(
      example: "cumulative_sum", operatorName: "mask-dropped", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "index-operator-swapped", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "store-program-term-dropped", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "result-narrowed", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "store-dropped", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "store-conditional", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "operator-swapped", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "addend-dropped", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "result-negated", place: "line 47",
      reason: "no launch sets EXCLUSIVE"),
    Survivor(
      example: "cumulative_sum", operatorName: "other-changed", place: "line 41",
      reason: "masked lanes come last in the last piece, and are not stored"),
    Survivor(
      example: "depthwise_conv2d", operatorName: "mask-conjunct-dropped",
      place: "`mask & (ih >= 0)` → `(ih >= 0)`",
      reason: "the other tests keep the address inside the plane, and the lanes are not stored"),
    Survivor(
      example: "depthwise_conv2d", operatorName: "arguments-swapped",
      place: "`stride[0], stride[1]`",
      reason: "the constructor takes integers, of which nn.Conv2d makes pairs of equals"),
    Survivor(
      example: "depthwise_conv2d", operatorName: "arguments-swapped",
      place: "`padding[0], padding[1]`",
      reason: "the constructor takes integers, of which nn.Conv2d makes pairs of equals"),
    Survivor(
      example: "depthwise_conv2d", operatorName: "arguments-swapped",
      place: "`dilation[0], dilation[1]`",
      reason: "the constructor takes integers, of which nn.Conv2d makes pairs of equals"),
    Survivor(
      example: "flash_attention", operatorName: "other-changed", place: "line 29",
      reason: "scores of these keys are replaced by -inf"),
    Survivor(
      example: "flash_attention", operatorName: "other-changed", place: "line 42",
      reason: "the weights of these values are 0"),
    Survivor(
      example: "flash_attention", operatorName: "tile-offset-wrong", place: "line 92",
      reason: "it adds tiles that lie wholly in the future, where nothing is visible"),
    Survivor(
      example: "flash_attention", operatorName: "minimum-maximum-swapped", place: "line 92",
      reason: "it adds tiles that lie wholly in the future, where nothing is visible"),
    Survivor(
      example: "flash_attention", operatorName: "hint-size-multiple", place: "stride_b",
      reason: "the wrapper asserts that head_dim is 32, 64 or 128"),
    Survivor(
      example: "flash_attention", operatorName: "hint-assume-size", place: "stride_b",
      reason: "the wrapper asserts that head_dim is 32, 64 or 128"),
    Survivor(
      example: "flash_attention", operatorName: "hint-size-multiple", place: "stride_h",
      reason: "the wrapper asserts that head_dim is 32, 64 or 128"),
    Survivor(
      example: "flash_attention", operatorName: "hint-assume-size", place: "stride_h",
      reason: "the wrapper asserts that head_dim is 32, 64 or 128"),
    Survivor(
      example: "flash_attention", operatorName: "hint-size-multiple", place: "stride_s",
      reason: "the wrapper asserts that head_dim is 32, 64 or 128"),
    Survivor(
      example: "grouped_matmul", operatorName: "other-changed", place: "line 69",
      reason: "the other operand is 0 there"),
    Survivor(
      example: "grouped_matmul", operatorName: "other-changed", place: "line 70",
      reason: "the other operand is 0 there"),
    Survivor(
      example: "grouped_matmul", operatorName: "other-changed", place: "line 75",
      reason: "columns past the end are not stored"),
    Survivor(
      example: "grouped_matmul", operatorName: "stride-of-other-axis", place: "`stride_wk` → `N`",
      reason: "the wrapper makes the weight contiguous"),
    Survivor(
      example: "grouped_matmul", operatorName: "minimum-maximum-swapped", place: "line 78",
      reason: "no launch asks for relu"),
    Survivor(
      example: "grouped_matmul", operatorName: "contiguous-dropped", place: "weight.contiguous()",
      reason: "the constructor makes the weight contiguous"),
    Survivor(
      example: "histogram", operatorName: "other-changed", place: "line 27",
      reason: "the mask takes these lanes out of the histogram"),
    Survivor(
      example: "histogram", operatorName: "other-dropped", place: "line 27",
      reason: "the mask takes these lanes out of the histogram"),
    Survivor(
      example: "histogram", operatorName: "function-dropped", place: "tl.floor",
      reason: "the bounds are tested before the cast, which rounds down from there"),
    Survivor(
      example: "quantized_matvec", operatorName: "other-changed", place: "line 30",
      reason: "the weight is 0 there"),
    Survivor(
      example: "quantized_matvec", operatorName: "other-changed", place: "line 34",
      reason: "the input is 0 there"),
    Survivor(
      example: "quantized_matvec", operatorName: "cast-narrowed", place: "line 37",
      reason: "float16 holds what is loaded exactly, and the product is float32"),
    Survivor(
      example: "rms_norm", operatorName: "other-changed", place: "line 48",
      reason: "these lanes are only stored, under the same mask"),
    Survivor(
      example: "rms_norm", operatorName: "other-changed", place: "line 49",
      reason: "these lanes are only stored, under the same mask"),
    Survivor(
      example: "rotary_embedding", operatorName: "cast-narrowed", place: "line 35",
      reason: "the input is float16"),
    Survivor(
      example: "rotary_embedding", operatorName: "cast-narrowed", place: "line 36",
      reason: "the input is float16"),
    Survivor(
      example: "softmax", operatorName: "stride-of-other-axis",
      place: "`x_row_stride` → `out_row_stride`",
      reason: "the wrapper makes both tensors contiguous"),
    Survivor(
      example: "softmax", operatorName: "stride-of-other-axis",
      place: "`out_row_stride` → `x_row_stride`",
      reason: "the wrapper makes both tensors contiguous"),
    Survivor(
      example: "softmax", operatorName: "arguments-swapped",
      place: "`flat.stride(0), out.stride(0)`",
      reason: "the wrapper makes both tensors contiguous"),
    Survivor(
      example: "softmax", operatorName: "arguments-swapped", place: "`out.stride(0), n_cols`",
      reason: "the wrapper makes both tensors contiguous"),
    Survivor(
      example: "depthwise_conv2d", operatorName: "contiguous-dropped", place: "weight.contiguous()",
      reason: "nn.Conv2d makes the weight contiguous"),
  ]
}
