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
      try ev.requireRank(input, [2], "diagonal")
      let strides = input.strides
      return .tensor(
        ev.view(
          of: input, [SymInt.minimum(input.dims[0], input.dims[1])], [strides[0] + strides[1]]))
    },
    "detach": TorchOperator("input", .views) { ev, bound in
      let input = try bound.tensor("input")
      let result = ev.view(of: input, input.dims, input.strides)
      result.rankSource = input.rankSource
      return .tensor(result)
    },
    "clone": TorchOperator("input memory_format") { ev, bound in
      .tensor(ev.clone(try bound.tensor("input")))
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

extension Evaluator {
  func transpose(_ input: TensorObject, _ first: SymInt, _ second: SymInt) throws -> TensorObject {
    let a = try axis(first, input)
    let b = try axis(second, input)
    var dims = input.dims
    var strides = input.strides
    if dims.isEmpty { return view(of: input, dims, strides) }
    dims.swapAt(a, b)
    strides.swapAt(a, b)
    return view(of: input, dims, strides)
  }

  func contiguous(_ input: TensorObject, _ format: String?) throws -> TensorObject {
    if format == "channels_last" || format == "channels_last_3d" {
      try requireRank(input, [format == "channels_last" ? 4 : 5], "contiguous")
      guard let wanted = TensorObject.channelsLastStrides(input.dims) else { return input }
      if zip(zip(input.dims, input.strides), wanted).allSatisfy({
        $0.0.value == 1 || $0.1.value == $1.value
      }) {
        return input
      }
      recordOperator("contiguous")
      let result = try makeTensor(input.element, input.dims, strides: wanted)
      result.fill = input.fill
      return result
    }
    if input.isContiguous { return input }
    recordOperator("contiguous")
    let result = try makeTensor(input.element, input.dims)
    result.fill = input.fill
    result.rankSource = input.rankSource
    result.elementSource = input.elementSource
    return result
  }

  func narrow(_ input: TensorObject, _ axis: Int, from start: SymInt, length: SymInt) throws
    -> TensorObject
  {
    guard input.rank > 0, start.value >= 0, length.value >= 0,
      start.value <= input.dims[axis].value, length.value <= input.dims[axis].value - start.value
    else {
      throw raise(
        "RuntimeError",
        "start (\(start.value)) + length (\(length.value)) exceeds dimension size")
    }
    var dims = input.dims
    let strides = input.strides
    dims[axis] = length
    let offset = input.offset &+ start.value &* strides[axis].value
    return view(of: input, dims, strides, offset: offset)
  }

  func select(_ input: TensorObject, _ axis: Int, _ index: SymInt) throws -> TensorObject {
    guard input.rank > 0 else {
      throw raise("IndexError", "select() cannot be applied to a 0-dim tensor.")
    }
    let position = index.value < 0 ? index.value &+ input.dims[axis].value : index.value
    guard position >= 0, position < input.dims[axis].value else {
      throw raise(
        "IndexError",
        "index \(index.value) is out of bounds for dimension \(axis) with size \(input.dims[axis].value)"
      )
    }
    var dims = input.dims
    var strides = input.strides
    let offset = input.offset &+ position &* strides[axis].value
    dims.remove(at: axis)
    strides.remove(at: axis)
    return view(of: input, dims, strides, offset: offset)
  }

  func split(_ input: TensorObject, _ axis: Int, _ size: SymInt) throws -> Value {
    let total = input.dims[axis]
    guard size.value > 0 || total.value == 0 else {
      throw raise("RuntimeError", "split expects split_size be non-negative")
    }
    var parts: [Value] = []
    var start = 0
    while start < total.value {
      let isWhole = size.value <= total.value - start
      let length = isWhole ? size : total - SymInt(start)
      parts.append(.tensor(try narrow(input, axis, from: SymInt(start), length: length)))
      start += length.value
      try checkSize(parts.count)
    }
    return .makeTuple(parts)
  }

  func expand(_ input: TensorObject, _ sizes: [SymInt]) throws -> TensorObject {
    guard sizes.count >= input.rank else {
      throw raise(
        "RuntimeError",
        "expand: the number of sizes provided (\(sizes.count)) must be greater or equal to the number of dimensions in the tensor (\(input.rank))"
      )
    }
    let lead = sizes.count - input.rank
    var dims: [SymInt] = []
    var strides: [SymInt] = []
    let old = input.strides
    for (position, size) in sizes.enumerated() {
      guard position >= lead else {
        dims.append(size)
        strides.append(0)
        continue
      }
      let dim = input.dims[position - lead]
      if size.value == -1 || (size.value == dim.value && dim.value != 1) {
        dims.append(dim)
        strides.append(old[position - lead])
      } else if dim.value == 1 {
        dims.append(size)
        strides.append(size.value == 1 ? old[position - lead] : 0)
      } else {
        throw raise(
          "RuntimeError",
          "The expanded size of the tensor (\(size.value)) must match the existing size (\(dim.value))",
          condition: size.asFormula.flatMap { a in
            dim.asFormula.map { .compare(a, .equal, $0) }
          })
      }
    }
    return view(of: input, dims, strides)
  }

  /// Replaces a -1 among `sizes` by what is left of `total`.
  func fillIn(_ sizes: [SymInt], total: SymInt) throws -> [SymInt] {
    var result = sizes
    let open = sizes.indices.filter { sizes[$0].value == -1 && sizes[$0].formula == nil }
    guard open.count <= 1 else {
      throw raise("RuntimeError", "only one dimension can be inferred")
    }
    var product = SymInt(1)
    for (index, size) in sizes.enumerated() where !open.contains(index) { product = product * size }
    if let index = open.first {
      guard product.value > 0, total.value % product.value == 0,
        let rest = total.floorDivided(by: product)
      else {
        throw raise(
          "RuntimeError",
          "shape '[\(sizes.map { "\($0.value)" }.joined(separator: ", "))]' is invalid for input of size \(total.value)",
          condition: total.asFormula.flatMap { a in
            product.asFormula.map { .compare(.mod(a, $0), .equal, .constant(0)) }
          })
      }
      result[index] = rest
    } else {
      try requireEqual(
        total, product,
        "shape '[\(sizes.map { "\($0.value)" }.joined(separator: ", "))]' is invalid for input of size \(total.value)"
      )
    }
    return result
  }

  func reshape(_ input: TensorObject, _ sizes: [SymInt]) throws -> TensorObject {
    let dims = try fillIn(sizes, total: input.symbolicCount)
    if input.isContiguous { return view(of: input, dims, nil) }
    if let strides = viewStrides(input, dims) { return view(of: input, dims, strides) }
    recordOperator("reshape")
    let result = try makeTensor(input.element, dims)
    result.fill = input.fill
    return result
  }

  func viewed(_ input: TensorObject, _ sizes: [SymInt]) throws -> TensorObject {
    let dims = try fillIn(sizes, total: input.symbolicCount)
    if input.isContiguous { return view(of: input, dims, nil) }
    guard let strides = viewStrides(input, dims) else {
      throw raise(
        "RuntimeError",
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead."
      )
    }
    return view(of: input, dims, strides)
  }

  /// The strides of a view with another shape, or nil where only a copy will do.
  /// The rule of ATen's `computeStride`: runs of axes that nest without gaps are cut anew.
  func viewStrides(_ input: TensorObject, _ dims: [SymInt]) -> [SymInt]? {
    if input.count == 0 { return TensorObject.contiguousStrides(dims) }
    let old = input.dims
    let oldStrides = input.strides
    guard !old.isEmpty else { return TensorObject.contiguousStrides(dims) }
    var strides = Array(repeating: SymInt(1), count: dims.count)
    var position = dims.count - 1
    var chunkBase = oldStrides[old.count - 1]
    var oldCount = 1
    var newCount = SymInt(1)
    for axis in stride(from: old.count - 1, through: 0, by: -1) {
      oldCount = oldCount.multipliedSaturating(by: old[axis].value)
      let isEnd =
        axis == 0
        || (old[axis - 1].value != 1
          && oldStrides[axis - 1].value
            != oldCount.multipliedSaturating(by: chunkBase.value))
      guard isEnd else { continue }
      while position >= 0, newCount.value < oldCount || dims[position].value == 1 {
        strides[position] = newCount * chunkBase
        newCount = newCount * dims[position]
        position -= 1
      }
      if newCount.value != oldCount { return nil }
      if axis > 0 {
        chunkBase = oldStrides[axis - 1]
        oldCount = 1
        newCount = 1
      }
    }
    return position == -1 ? strides : nil
  }

  /// `x.view(dtype)`.
  func view(_ input: TensorObject, as element: ElementType) throws -> TensorObject {
    let (from, to) = (input.element.bytes, element.bytes)
    if from == to {
      let result = view(of: input, input.dims, input.strides)
      result.element = element
      return result
    }
    guard input.isContiguous, let last = input.dims.last else {
      throw refuse("a view of another element size over a tensor with gaps is not modelled")
    }
    guard let size = (last * SymInt(from)).floorDivided(by: SymInt(to)) else { return input }
    let result = view(of: input, Array(input.dims.dropLast()) + [size], nil)
    result.element = element
    return result
  }
}
