import TileIR

/// Operators that give another view of a storage, or copy where no view exists.
enum ViewOperators {
  static let shared: [String: TorchOperator] = [
    "reshape": TorchOperator("input *shape", .sometimes) { ev, bound in
      .tensor(try ev.reshape(try bound.tensor("input"), try bound.sizes("*shape")))
    },
    "permute": TorchOperator("input *dims", .views) { ev, bound in
      let input = try bound.tensor("input")
      let order = try bound.sizes("*dims")
      if order.count != input.rank { try ev.requireRank(input, [order.count], "permute") }
      let axes = try order.map { try ev.axis($0, input) }
      guard Set(axes).count == axes.count else {
        throw ev.raise("RuntimeError", "permute(): duplicate dims are not allowed")
      }
      let strides = input.strides
      let result = ev.view(of: input, axes.map { input.dims[$0] }, axes.map { strides[$0] })
      return .tensor(result)
    },
    "transpose": TorchOperator("input dim0 dim1", .views) { ev, bound in
      .tensor(try ev.transpose(try bound.tensor("input"), bound.int("dim0"), bound.int("dim1")))
    },
    "swapaxes": TorchOperator("input dim0 dim1", .views) { ev, bound in
      .tensor(try ev.transpose(try bound.tensor("input"), bound.int("dim0"), bound.int("dim1")))
    },
    "movedim": TorchOperator("input source destination", .views) { ev, bound in
      let input = try bound.tensor("input")
      let from = try ev.axis(bound.int("source"), input)
      let to = try ev.axis(bound.int("destination"), input)
      var order = Array(0..<input.rank)
      order.remove(at: from)
      order.insert(from, at: to)
      let strides = input.strides
      return .tensor(ev.view(of: input, order.map { input.dims[$0] }, order.map { strides[$0] }))
    },
    "t": TorchOperator("input", .views) { ev, bound in
      let input = try bound.tensor("input")
      if input.rank < 2 { return .tensor(ev.view(of: input, input.dims, input.strides)) }
      try ev.requireRank(input, [2], "t()")
      return .tensor(try ev.transpose(input, 0, 1))
    },
    "unsqueeze": TorchOperator("input dim", .views) { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim"), input, extra: 1)
      var dims = input.dims
      var strides = input.strides
      let stride = axis < dims.count ? dims[axis] * strides[axis] : SymInt(1)
      dims.insert(1, at: axis)
      strides.insert(stride, at: axis)
      return .tensor(ev.view(of: input, dims, strides))
    },
    "squeeze": TorchOperator("input dim", .views) { ev, bound in
      let input = try bound.tensor("input")
      let axes = Set(try ev.axes(bound["dim"], input))
      let kept = (0..<input.rank).filter { !(axes.contains($0) && input.dims[$0].value == 1) }
      let strides = input.strides
      return .tensor(ev.view(of: input, kept.map { input.dims[$0] }, kept.map { strides[$0] }))
    },
    "flatten": TorchOperator("input start_dim end_dim", .sometimes) { ev, bound in
      let input = try bound.tensor("input")
      if input.rank == 0 { return .tensor(try ev.reshape(input, [1])) }
      let start = try ev.axis(bound.int("start_dim", default: 0), input)
      let end = try ev.axis(bound.int("end_dim", default: -1), input)
      guard start <= end else {
        throw ev.raise("RuntimeError", "flatten() has invalid args: start_dim is past end_dim")
      }
      let middle = input.dims[start...end].reduce(SymInt(1)) { $0 * $1 }
      let dims = Array(input.dims[..<start]) + [middle] + Array(input.dims[(end + 1)...])
      return .tensor(try ev.reshape(input, dims))
    },
    "unflatten": TorchOperator("input dim sizes", .views) { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim"), input)
      let sizes = try ev.items(bound.require("sizes")).map { try ev.integer($0, "a size") }
      let filled = try ev.fillIn(sizes, total: input.dims[axis])
      let dims = Array(input.dims[..<axis]) + filled + Array(input.dims[(axis + 1)...])
      return .tensor(try ev.reshape(input, dims))
    },
    "narrow": TorchOperator("input dim start length", .views) { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim"), input)
      return .tensor(
        try ev.narrow(input, axis, from: bound.int("start"), length: bound.int("length")))
    },
    "select": TorchOperator("input dim index", .views) { ev, bound in
      let input = try bound.tensor("input")
      return .tensor(try ev.select(input, ev.axis(bound.int("dim"), input), bound.int("index")))
    },
    "unbind": TorchOperator("input dim", .views) { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim", default: 0), input)
      try ev.checkSize(input.dims[axis].value)
      return .makeTuple(
        try (0..<input.dims[axis].value).map { .tensor(try ev.select(input, axis, SymInt($0))) })
    },
    "chunk": TorchOperator("input chunks dim", .views) { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim", default: 0), input)
      let chunks = try bound.int("chunks")
      guard chunks.value > 0 else {
        throw ev.raise("RuntimeError", "chunk expects `chunks` to be greater than 0")
      }
      let size = input.dims[axis].ceilDivided(by: chunks) ?? input.dims[axis]
      let exact = SymbolicInt.floorModulo(input.dims[axis].value, chunks.value) == 0
      let piece = exact ? input.dims[axis].floorDivided(by: chunks) ?? size : size
      return try ev.split(input, axis, piece)
    },
    "split": TorchOperator("input split_size dim", .views) { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim", default: 0), input)
      let size = try bound.require("split_size")
      if let single = size.asInt { return try ev.split(input, axis, single) }
      var start = SymInt(0)
      var parts: [Value] = []
      for item in try ev.items(size) {
        let length = try ev.integer(item, "a split size")
        parts.append(.tensor(try ev.narrow(input, axis, from: start, length: length)))
        start = start + length
      }
      try ev.requireEqual(
        start, input.dims[axis],
        "split_with_sizes expects split_sizes to sum exactly to \(input.dims[axis].value)")
      return .makeTuple(parts)
    },
    "diagonal": TorchOperator("input offset dim1 dim2", .views) { ev, bound in
      let input = try bound.tensor("input")
      try ev.requireRank(input, atLeast: 2, "diagonal")
      return .tensor(
        try ev.diagonal(
          input, bound.int("offset", default: 0).value,
          ev.axis(bound.int("dim1", default: 0), input),
          ev.axis(bound.int("dim2", default: 1), input)))
    },
    "detach": TorchOperator("input", .views) { ev, bound in
      let input = try bound.tensor("input")
      let result = ev.view(of: input, input.dims, input.strides)
      result.rankSource = input.rankSource
      return .tensor(result)
    },
    "clone": TorchOperator("input memory_format") { ev, bound in
      let input = try bound.tensor("input")
      switch bound.string("memory_format") {
      case "contiguous_format": return .tensor(try ev.makeTensor(input.element, input.dims))
      case "channels_last", "channels_last_3d":
        return .tensor(
          try ev.makeTensor(
            input.element, input.dims, strides: TensorObject.channelsLastStrides(input.dims)))
      default: return .tensor(ev.clone(input))
      }
    },
    "ravel": TorchOperator("input", .sometimes) { ev, bound in
      .tensor(try ev.reshape(try bound.tensor("input"), [-1]))
    },
    "swapdims": TorchOperator("input dim0 dim1", .views) { ev, bound in
      .tensor(try ev.transpose(try bound.tensor("input"), bound.int("dim0"), bound.int("dim1")))
    },
    "broadcast_to": TorchOperator("input *size", .views) { ev, bound in
      .tensor(try ev.expand(try bound.tensor("input"), try bound.sizes("*size")))
    },
    "unfold_copy": TorchOperator("input", .views) { ev, bound in .tensor(try bound.tensor("input"))
    },
    "real": TorchOperator("input", .views) { ev, bound in .tensor(try bound.tensor("input")) },
  ]

  static let methods: [String: TorchOperator] = [
    "view": TorchOperator("input *shape", .views) { ev, bound in
      let input = try bound.tensor("input")
      if case .dtype(let dtype)? = bound.rest.first {
        return .tensor(try ev.view(input, as: dtype.element))
      }
      return .tensor(try ev.viewed(input, try bound.sizes("*shape")))
    },
    "view_as": TorchOperator("input other", .views) { ev, bound in
      .tensor(try ev.viewed(try bound.tensor("input"), try bound.tensor("other").dims))
    },
    "reshape_as": TorchOperator("input other", .sometimes) { ev, bound in
      .tensor(try ev.reshape(try bound.tensor("input"), try bound.tensor("other").dims))
    },
    "expand": TorchOperator("input *size", .views) { ev, bound in
      .tensor(try ev.expand(try bound.tensor("input"), try bound.sizes("*size")))
    },
    "expand_as": TorchOperator("input other", .views) { ev, bound in
      .tensor(try ev.expand(try bound.tensor("input"), try bound.tensor("other").dims))
    },
    "as_strided": TorchOperator("input size stride storage_offset", .views) { ev, bound in
      let input = try bound.tensor("input")
      let size = try ev.items(bound.require("size")).map { try ev.integer($0, "a size") }
      let stride = try ev.items(bound.require("stride")).map { try ev.integer($0, "a stride") }
      guard size.count == stride.count else {
        throw ev.raise("RuntimeError", "as_strided: sizes and strides differ in length")
      }
      let offset = try bound.optionalInt("storage_offset")?.value
      return .tensor(ev.view(of: input, size, stride, offset: offset))
    },
    "unfold": TorchOperator("input dimension size step", .views) { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dimension"), input)
      let size = try bound.int("size")
      let step = try bound.int("step")
      var dims = input.dims
      var strides = input.strides
      guard let count = (dims[axis] - size).floorDivided(by: step) else {
        throw ev.raise("RuntimeError", "step is 0 but must be > 0")
      }
      strides.append(strides[axis])
      strides[axis] = strides[axis] * step
      dims[axis] = count + 1
      dims.append(size)
      return .tensor(ev.view(of: input, dims, strides))
    },
    "contiguous": TorchOperator("input memory_format", .sometimes) { ev, bound in
      .tensor(try ev.contiguous(try bound.tensor("input"), bound.string("memory_format")))
    },
  ]
}
