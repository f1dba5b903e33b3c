import TileIR

/// Convolutions and transposed convolutions in 1, 2 and 3 dimensions.
enum ConvolutionOperators {
  static let table: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    for rank in 1...3 {
      table["conv\(rank)d"] = TorchOperator("input weight bias stride padding dilation groups") {
        ev, bound in
        let (input, weight) = (try bound.tensor("input"), try bound.tensor("weight"))
        let stride = try bound.ints("stride", count: rank, default: 1)
        let dilation = try bound.ints("dilation", count: rank, default: 1)
        return .tensor(
          try ev.convolve(
            input, weight, stride: stride, padding: try padding(ev, bound, rank, weight, dilation),
            dilation: dilation, groups: bound.int("groups", default: 1)))
      }
      table["conv_transpose\(rank)d"] = TorchOperator(
        "input weight bias stride padding output_padding groups dilation"
      ) { ev, bound in
        .tensor(
          try ev.convolveTransposed(
            try bound.tensor("input"), try bound.tensor("weight"),
            stride: try bound.ints("stride", count: rank, default: 1),
            padding: try bound.ints("padding", count: rank, default: 0),
            outputPadding: try bound.ints("output_padding", count: rank, default: 0),
            dilation: try bound.ints("dilation", count: rank, default: 1),
            groups: bound.int("groups", default: 1)))
      }
    }
    table["unfold"] = TorchOperator("input kernel_size dilation padding stride") { ev, bound in
      let input = try bound.tensor("input")
      try ev.requireRank(input, [4, 3], "unfold")
      let kernel = try bound.ints("kernel_size", count: 2)
      let dilation = try bound.ints("dilation", count: 2, default: 1)
      let padding = try bound.ints("padding", count: 2, default: 0)
      let stride = try bound.ints("stride", count: 2, default: 1)
      let spatial = Array(input.dims.suffix(2))
      var positions = SymInt(1)
      for axis in 0..<2 {
        positions =
          positions
          * (try ev.windowCount(
            spatial[axis], kernel[axis], stride[axis], padding[axis] + padding[axis],
            dilation[axis]))
      }
      let channels = input.dims[input.rank - 3] * kernel[0] * kernel[1]
      return .tensor(
        try ev.makeTensor(input.element, Array(input.dims.dropLast(3)) + [channels, positions]))
    }
    return table
  }()

  /// Both sides' padding per axis; `'same'` and `'valid'` as torch spells them.
  private static func padding(
    _ ev: Evaluator, _ bound: Bound, _ rank: Int, _ weight: TensorObject, _ dilation: [SymInt]
  ) throws -> [SymInt] {
    switch bound.string("padding") {
    case "same":
      return weight.dims.suffix(rank).enumerated().map { index, size in
        dilation[index] * (size - 1)
      }
    case "valid": return Array(repeating: 0, count: rank)
    default: return try bound.ints("padding", count: rank, default: 0).map { $0 + $0 }
    }
  }
}

extension Evaluator {
  /// How many windows fit: `(size + padding - dilation*(kernel-1) - 1) // stride + 1`.
  func windowCount(
    _ size: SymInt, _ kernel: SymInt, _ stride: SymInt, _ padding: SymInt, _ dilation: SymInt,
    roundsUp: Bool = false
  ) throws -> SymInt {
    let span = size + padding - dilation * (kernel - 1) - 1
    guard stride.value > 0 else {
      throw raise("RuntimeError", "non-positive stride is not supported")
    }
    if span.value < 0 {
      throw raise(
        "RuntimeError",
        "Kernel size can't be greater than actual input size",
        condition: span.asFormula.map { .compare($0, .greaterEqual, .constant(0)) })
    }
    guard let count = roundsUp ? span.ceilDivided(by: stride) : span.floorDivided(by: stride) else {
      return span
    }
    return count + 1
  }

  /// The strides of a convolution's result: channels last where an operand is, as cuDNN gives it.
  private func convolutionStrides(
    _ dims: [SymInt], _ input: TensorObject, _ weight: TensorObject
  ) -> [SymInt]? {
    func isChannelsLast(_ tensor: TensorObject) -> Bool {
      guard !tensor.isContiguous,
        let wanted = TensorObject.channelsLastStrides(tensor.dims)
      else { return false }
      return zip(zip(tensor.dims, tensor.strides), wanted).allSatisfy {
        $0.0.value == 1 || $0.1.value == $1.value
      }
    }
    guard isChannelsLast(input) || isChannelsLast(weight) else { return nil }
    return TensorObject.channelsLastStrides(dims)
  }

  /// `padding` is the sum of both sides per axis.
  func convolve(
    _ input: TensorObject, _ weight: TensorObject, stride: [SymInt], padding: [SymInt],
    dilation: [SymInt], groups: SymInt
  ) throws -> TensorObject {
    let rank = stride.count
    try requireRank(weight, [rank + 2], "conv\(rank)d weight")
    try requireRank(input, [rank + 2, rank + 1], "conv\(rank)d")
    let channels = input.dims[input.rank - rank - 1]
    try requireEqual(
      channels, weight.dims[1] * groups,
      "Given groups=\(groups.value), weight of size \(weight.sizes), expected input\(input.sizes) to have \(weight.dims[1].value * groups.value) channels, but got \(channels.value) channels instead"
    )
    var dims = Array(input.dims.dropLast(rank + 1)) + [weight.dims[0]]
    for axis in 0..<rank {
      dims.append(
        try windowCount(
          input.dims[input.rank - rank + axis], weight.dims[2 + axis], stride[axis],
          padding[axis], dilation[axis]))
    }
    return try makeTensor(
      input.element, dims, strides: convolutionStrides(dims, input, weight))
  }

  func convolveTransposed(
    _ input: TensorObject, _ weight: TensorObject, stride: [SymInt], padding: [SymInt],
    outputPadding: [SymInt], dilation: [SymInt], groups: SymInt
  ) throws -> TensorObject {
    let rank = stride.count
    try requireRank(weight, [rank + 2], "conv_transpose\(rank)d weight")
    try requireRank(input, [rank + 2, rank + 1], "conv_transpose\(rank)d")
    let channels = input.dims[input.rank - rank - 1]
    try requireEqual(
      channels, weight.dims[0],
      "Given transposed=1, weight of size \(weight.sizes), expected input\(input.sizes) to have \(weight.dims[0].value) channels, but got \(channels.value) channels instead"
    )
    var dims = Array(input.dims.dropLast(rank + 1)) + [weight.dims[1] * groups]
    for axis in 0..<rank {
      let size = input.dims[input.rank - rank + axis]
      let kernel = dilation[axis] * (weight.dims[2 + axis] - 1)
      dims.append(
        (size - 1) * stride[axis] - padding[axis] - padding[axis] + kernel + outputPadding[axis] + 1
      )
    }
    return try makeTensor(
      input.element, dims, strides: convolutionStrides(dims, input, weight))
  }
}
