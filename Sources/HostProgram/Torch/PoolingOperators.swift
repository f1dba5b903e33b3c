import TileIR

/// Pooling and adaptive pooling in 1, 2 and 3 dimensions.
enum PoolingOperators {
  static let table: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    for rank in 1...3 {
      table["max_pool\(rank)d"] = TorchOperator(
        "input kernel_size stride padding dilation ceil_mode return_indices"
      ) { ev, bound in
        let input = try bound.tensor("input")
        let dims = try pooled(
          ev, input, rank, try bound.ints("kernel_size", count: rank), stride(bound, rank),
          try bound.ints("padding", count: rank, default: 0),
          try bound.ints("dilation", count: rank, default: 1),
          ceil: bound.bool("ceil_mode", default: false))
        let result = try ev.makeTensor(input.element, dims, strides: layout(input, dims))
        if try bound.bool("return_indices", default: false) {
          return .makeTuple([.tensor(result), .tensor(try ev.makeTensor(.int64, dims))])
        }
        return .tensor(result)
      }
      table["avg_pool\(rank)d"] = TorchOperator(
        "input kernel_size stride padding ceil_mode count_include_pad divisor_override"
      ) { ev, bound in
        let input = try bound.tensor("input")
        let dims = try pooled(
          ev, input, rank, try bound.ints("kernel_size", count: rank), stride(bound, rank),
          try bound.ints("padding", count: rank, default: 0),
          Array(repeating: 1, count: rank), ceil: bound.bool("ceil_mode", default: false))
        return .tensor(try ev.makeTensor(input.element, dims, strides: layout(input, dims)))
      }
      for name in ["adaptive_avg_pool\(rank)d", "adaptive_max_pool\(rank)d"] {
        let isMax = name.contains("max")
        table[name] = TorchOperator(
          "input output_size" + (isMax ? " return_indices" : "")
        ) { ev, bound in
          let input = try bound.tensor("input")
          try ev.requireRank(input, [rank + 2, rank + 1], name)
          var dims = input.dims
          let given = try bound.require("output_size")
          let sizes =
            given.asInt != nil || given.isNone
            ? Array(repeating: given, count: rank) : try ev.items(given)
          guard sizes.count == rank else {
            throw ev.raise("RuntimeError", "\(name): output_size must have \(rank) entries")
          }
          for (axis, size) in sizes.enumerated() where !size.isNone {
            dims[input.rank - rank + axis] = try ev.integer(size, "output_size")
          }
          let result = try ev.makeTensor(input.element, dims, strides: layout(input, dims))
          if try bound.bool("return_indices", default: false) {
            return .makeTuple([.tensor(result), .tensor(try ev.makeTensor(.int64, dims))])
          }
          return .tensor(result)
        }
      }
      table["lp_pool\(rank)d"] = TorchOperator("input norm_type kernel_size stride ceil_mode") {
        ev, bound in
        let input = try bound.tensor("input")
        let dims = try pooled(
          ev, input, rank, try bound.ints("kernel_size", count: rank), stride(bound, rank),
          Array(repeating: 0, count: rank), Array(repeating: 1, count: rank),
          ceil: bound.bool("ceil_mode", default: false))
        return .tensor(try ev.makeTensor(input.element, dims))
      }
    }
    return table
  }()

  private static func stride(_ bound: Bound, _ rank: Int) throws -> [SymInt] {
    if case .list(let list)? = bound["stride"], list.items.isEmpty {
      return try bound.ints("kernel_size", count: rank)
    }
    return bound.given("stride") == nil
      ? try bound.ints("kernel_size", count: rank) : try bound.ints("stride", count: rank)
  }

  /// A channels-last input gives a channels-last result.
  private static func layout(_ input: TensorObject, _ dims: [SymInt]) -> [SymInt]? {
    guard !input.isContiguous, input.isDense else { return nil }
    return TensorObject.channelsLastStrides(dims)
  }

  private static func pooled(
    _ ev: Evaluator, _ input: TensorObject, _ rank: Int, _ kernel: [SymInt], _ stride: [SymInt],
    _ padding: [SymInt], _ dilation: [SymInt], ceil: Bool
  ) throws -> [SymInt] {
    try ev.requireRank(input, [rank + 2, rank + 1], "pool\(rank)d")
    var dims = input.dims
    for axis in 0..<rank {
      let position = input.rank - rank + axis
      let both = padding[axis] + padding[axis]
      var count = try ev.windowCount(
        dims[position], kernel[axis], stride[axis], both, dilation[axis], roundsUp: ceil)
      // With ceil_mode the last window must start inside the input or its left padding.
      if ceil,
        (count.value &- 1) &* stride[axis].value >= dims[position].value &+ padding[axis].value
      {
        count = count - 1
      }
      dims[position] = count
    }
    return dims
  }
}
