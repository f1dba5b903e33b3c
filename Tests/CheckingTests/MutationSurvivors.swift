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
      example: "cumulative_sum", operatorName: "contiguous-dropped", place: "x.contiguous()",
      reason: "along the last axis the transposition is none, and get_inputs gives whole tensors"),
    Survivor(
      example: "cumulative_sum", operatorName: "result-cast-dropped", place: "transpose",
      reason: "get_init_inputs gives the last axis, for which the transposition is none"),
    Survivor(
      example: "depthwise_conv2d", operatorName: "contiguous-dropped", place: "contiguous()",
      reason: "get_inputs and nn.Conv2d give whole tensors"),
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
  ]
}
