import TileIR

/// Joining, repeating and padding.
enum JoiningOperators {
  static let shared: [String: TorchOperator] = [
    "repeat": TorchOperator("input *repeats") { ev, bound in
      let input = try bound.tensor("input")
      let times = try bound.sizes("*repeats")
      guard times.count >= input.rank else {
        throw ev.raise(
          "RuntimeError",
          "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
      }
      let lead = times.count - input.rank
      let dims = times.enumerated().map { position, count in
        position < lead ? count : count * input.dims[position - lead]
      }
      return .tensor(try ev.makeTensor(input.element, dims))
    },
    "tile": TorchOperator("input *dims") { ev, bound in
      let input = try bound.tensor("input")
      var times = try bound.sizes("*dims")
      while times.count < input.rank { times.insert(1, at: 0) }
      let lead = times.count - input.rank
      let dims = times.enumerated().map { position, count in
        position < lead ? count : count * input.dims[position - lead]
      }
      return .tensor(try ev.makeTensor(input.element, dims))
    },
    "repeat_interleave": TorchOperator("input repeats dim output_size") { ev, bound in
      let input = try bound.tensor("input")
      let times = try bound.int("repeats")
      guard let dim = try bound.optionalInt("dim") else {
        return .tensor(try ev.makeTensor(input.element, [input.symbolicCount * times]))
      }
      var dims = input.dims
      let axis = try ev.axis(dim, input)
      dims[axis] = dims[axis] * times
      return .tensor(try ev.makeTensor(input.element, dims))
    },
    "flip": TorchOperator("input *dims") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
    "fliplr": TorchOperator("input") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
    "roll": TorchOperator("input shifts dims") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
  ]

  static let functions: [String: TorchOperator] = [
    "cat": TorchOperator("tensors dim") { ev, bound in try concatenate(ev, bound) },
    "concat": TorchOperator("tensors dim") { ev, bound in try concatenate(ev, bound) },
    "concatenate": TorchOperator("tensors dim") { ev, bound in try concatenate(ev, bound) },
    "stack": TorchOperator("tensors dim") { ev, bound in
      let tensors = try list(ev, bound)
      guard let first = tensors.first else {
        throw ev.raise("RuntimeError", "stack expects a non-empty TensorList")
      }
      for other in tensors.dropFirst() {
        guard other.rank == first.rank else {
          throw ev.raise("RuntimeError", "stack expects each tensor to be equal size")
        }
        for (a, b) in zip(first.dims, other.dims) {
          try ev.requireEqual(a, b, "stack expects each tensor to be equal size")
        }
      }
      let axis = try ev.axis(bound.int("dim", default: 0), first, extra: 1)
      var dims = first.dims
      dims.insert(SymInt(tensors.count), at: axis)
      return .tensor(try ev.makeTensor(common(tensors), dims))
    },
    "hstack": TorchOperator("tensors") { ev, bound in
      let tensors = try list(ev, bound)
      return .tensor(try join(ev, tensors, (tensors.first?.rank ?? 0) <= 1 ? 0 : 1))
    },
    "vstack": TorchOperator("tensors") { ev, bound in
      let tensors = try list(ev, bound).map { tensor in
        tensor.rank > 1
          ? tensor : ev.view(of: tensor, [1] + tensor.dims, [1] + tensor.strides)
      }
      return .tensor(try join(ev, tensors, 0))
    },
    "pad": TorchOperator("input pad mode value") { ev, bound in
      let input = try bound.tensor("input")
      let pads = try ev.items(bound.require("pad")).map { try ev.integer($0, "a pad") }
      guard pads.count % 2 == 0 else {
        throw ev.raise("RuntimeError", "Padding length must be divisible by 2")
      }
      try ev.requireRank(input, atLeast: pads.count / 2, "pad")
      var dims = input.dims
      for pair in 0..<(pads.count / 2) {
        let axis = input.rank - 1 - pair
        dims[axis] = dims[axis] + pads[2 * pair] + pads[2 * pair + 1]
      }
      return .tensor(try ev.makeTensor(input.element, dims))
    },
    "one_hot": TorchOperator("input num_classes") { ev, bound in
      let input = try bound.tensor("input")
      if bound.given("num_classes") == nil {
        ev.note("assumed-content", "the size of this result depends on tensor contents")
      }
      return .tensor(
        try ev.makeTensor(
          .int64, input.dims + [bound.optionalInt("num_classes") ?? SymInt(1, origin: .unknown)]))
    },
    "embedding": TorchOperator(
      "input weight padding_idx max_norm norm_type scale_grad_by_freq sparse"
    ) { ev, bound in
      let (input, weight) = (try bound.tensor("input"), try bound.tensor("weight"))
      try ev.requireRank(weight, [2], "embedding")
      return .tensor(try ev.makeTensor(weight.element, input.dims + [weight.dims[1]]))
    },
    "meshgrid": TorchOperator("tensors *rest indexing", .views) { ev, bound in
      var tensors: [TensorObject] = []
      let given = [try bound.require("tensors")] + bound.rest
      for value in given {
        if case .tensor(let tensor) = value {
          tensors.append(tensor)
        } else {
          for item in try ev.items(value) {
            if case .tensor(let tensor) = item { tensors.append(tensor) }
          }
        }
      }
      let dims = tensors.map { $0.dims.first ?? 1 }
      return .makeTuple(
        tensors.enumerated().map { index, tensor in
          var strides = Array(repeating: SymInt(0), count: dims.count)
          strides[index] = tensor.strides.first ?? 1
          return .tensor(ev.view(of: tensor, dims, strides))
        })
    },
    "pixel_shuffle": TorchOperator("input upscale_factor") { ev, bound in
      let input = try bound.tensor("input")
      let r = try bound.int("upscale_factor")
      try ev.requireRank(input, atLeast: 3, "pixel_shuffle")
      var dims = input.dims
      let n = dims.count
      dims[n - 3] = dims[n - 3].floorDivided(by: r * r) ?? dims[n - 3]
      dims[n - 2] = dims[n - 2] * r
      dims[n - 1] = dims[n - 1] * r
      return .tensor(try ev.makeTensor(input.element, dims))
    },
    "interpolate": TorchOperator(
      "input size scale_factor mode align_corners recompute_scale_factor antialias"
    ) {
      ev, bound in
      let input = try bound.tensor("input")
      try ev.requireRank(input, atLeast: 3, "interpolate")
      let spatial = input.rank - 2
      var dims = input.dims
      if bound.given("size") != nil {
        for (index, size) in try bound.ints("size", count: spatial).enumerated() {
          dims[2 + index] = size
        }
      } else if let factor = bound.given("scale_factor") {
        for index in 0..<spatial {
          let one: Value
          if factor.asDouble != nil {
            one = factor
          } else {
            let values = try ev.items(factor)
            guard values.indices.contains(index) else {
              throw ev.raise("ValueError", "scale_factor must match the spatial axes")
            }
            one = values[index]
          }
          if let whole = one.asInt {
            dims[2 + index] = dims[2 + index] * whole
          } else if let scale = one.asDouble {
            let size = (Double(dims[2 + index].value) * scale).rounded(.down)
            dims[2 + index] = SymInt(Int(exactly: size) ?? 0, origin: dims[2 + index].origin)
          }
        }
      }
      return .tensor(try ev.makeTensor(input.element, dims))
    },
  ]

  private static func list(_ ev: Evaluator, _ bound: Bound) throws -> [TensorObject] {
    try ev.items(bound.require("tensors")).map { value in
      guard case .tensor(let tensor) = value else {
        throw ev.raise("TypeError", "expected Tensor as element, but got \(value.typeName)")
      }
      return tensor
    }
  }

  private static func common(_ tensors: [TensorObject]) -> ElementType {
    tensors.dropFirst().reduce(tensors.first?.element ?? .fp32) {
      Promotion.promote($0, $1.element)
    }
  }

  private static func concatenate(_ ev: Evaluator, _ bound: Bound) throws -> Value {
    let tensors = try list(ev, bound)
    guard let first = tensors.first else {
      throw ev.raise("RuntimeError", "torch.cat(): expected a non-empty list of Tensors")
    }
    return .tensor(try join(ev, tensors, try ev.axis(bound.int("dim", default: 0), first)))
  }

  private static func join(_ ev: Evaluator, _ all: [TensorObject], _ axis: Int) throws
    -> TensorObject
  {
    // An empty 1-D tensor is skipped, for old code's sake.
    let tensors = all.filter { !($0.rank == 1 && $0.dims[0].value == 0) }
    guard let first = tensors.first else { return try ev.makeTensor(common(all), [0]) }
    var dims = first.dims
    for other in tensors.dropFirst() {
      guard other.rank == first.rank else {
        throw ev.raise(
          "RuntimeError",
          "Tensors must have same number of dimensions: got \(first.rank) and \(other.rank)")
      }
      for position in dims.indices {
        if position == axis {
          dims[position] = dims[position] + other.dims[position]
        } else {
          try ev.requireEqual(
            first.dims[position], other.dims[position],
            "Sizes of tensors must match except in dimension \(axis). Expected size \(first.dims[position].value) but got size \(other.dims[position].value)"
          )
        }
      }
    }
    var strides: [SymInt]?
    if tensors.allSatisfy({ !$0.isContiguous && $0.isDense && $0.strideOrder == first.strideOrder })
    {
      strides = TensorObject.strides(dims, order: first.strideOrder)
    }
    return try ev.makeTensor(common(tensors), dims, strides: strides)
  }
}
