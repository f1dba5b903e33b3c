import TileIR

/// Reading and writing by index tensors.
enum IndexingOperators {
  static let table: [String: TorchOperator] = [
    "index_select": TorchOperator("input dim index") { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim"), input)
      var dims = input.dims
      if !dims.isEmpty { dims[axis] = try bound.tensor("index").symbolicCount }
      return .tensor(try ev.makeTensor(input.element, dims))
    },
    "gather": TorchOperator("input dim index sparse_grad") { ev, bound in
      .tensor(
        try ev.makeTensor(try bound.tensor("input").element, try bound.tensor("index").dims))
    },
    "take_along_dim": TorchOperator("input indices dim") { ev, bound in
      .tensor(
        try ev.makeTensor(try bound.tensor("input").element, try bound.tensor("indices").dims))
    },
    "masked_select": TorchOperator("input mask") { ev, bound in
      ev.note("assumed-content", "the size of this result depends on tensor contents")
      let input = try bound.tensor("input")
      return .tensor(
        try ev.makeTensor(input.element, [SymInt(input.count, origin: .unknown)]))
    },
    "scatter": TorchOperator("input dim index src value reduce") { ev, bound in same(ev, bound) },
    "scatter_add": TorchOperator("input dim index src") { ev, bound in same(ev, bound) },
    "scatter_reduce": TorchOperator("input dim index src reduce include_self") { ev, bound in
      same(ev, bound)
    },
    "index_add": TorchOperator("input dim index source alpha") { ev, bound in same(ev, bound) },
    "index_copy": TorchOperator("input dim index source") { ev, bound in same(ev, bound) },
    "index_fill": TorchOperator("input dim index value") { ev, bound in same(ev, bound) },
    "masked_scatter": TorchOperator("input mask source") { ev, bound in same(ev, bound) },
    "bernoulli": TorchOperator("input p") { ev, bound in same(ev, bound) },
    "searchsorted": TorchOperator("input values out_int32 right side") { ev, bound in
      .tensor(try ev.makeTensor(.int64, try bound.tensor("values").dims))
    },
    "nonzero": TorchOperator("input as_tuple") { ev, bound in
      ev.note("assumed-content", "the size of this result depends on tensor contents")
      let input = try bound.tensor("input")
      return .tensor(
        try ev.makeTensor(
          .int64, [SymInt(input.count, origin: .unknown), SymInt(input.rank)]))
    },
  ]

  private static func same(_ ev: Evaluator, _ bound: Bound) -> Value {
    if case .tensor(let tensor)? = bound["input"] { return .tensor(ev.clone(tensor)) }
    return .none
  }
}

extension Evaluator {
  /// `tensor[key]`.
  func subscriptTensor(_ tensor: TensorObject, _ key: Value) throws -> TensorObject {
    if let contents = tensor.contents, let index = key.asInt {
      let result = try makeTensor(tensor.element, [])
      result.fill = contents[try position(index, tensor.dims[0])]
      return result
    }
    var keys: [Value] = [key]
    if case .tuple(let tuple) = key { keys = tuple.items }
    if case .list(let list) = key, list.items.contains(where: { $0.asInt == nil }) {
      keys = list.items
    }
    let consumed = keys.reduce(0) { total, item in
      switch item {
      case .none, .ellipsis, .boolean: total
      case .tensor(let index) where index.element == .int1: total + index.rank
      default: total + 1
      }
    }
    try requireRank(tensor, atLeast: consumed, "indexing")
    var dims: [SymInt] = []
    var strides: [SymInt] = []
    var offset = tensor.offset
    var advanced: [(position: Int, dims: [SymInt])] = []
    let old = tensor.strides
    var axis = 0
    var sawEllipsis = false
    for item in keys {
      switch item {
      case .none, .boolean:
        dims.append(1)
        strides.append(axis < old.count ? tensor.dims[axis] * old[axis] : 1)
      case .ellipsis:
        if sawEllipsis { throw raise("IndexError", "an index can only have a single ellipsis") }
        sawEllipsis = true
        for _ in 0..<(tensor.rank - consumed) {
          dims.append(tensor.dims[axis])
          strides.append(old[axis])
          axis += 1
        }
      case .slice(let slice):
        let (size, start, step) = try sliceAxis(slice, tensor.dims[axis])
        dims.append(size)
        strides.append(step == 1 ? old[axis] : old[axis] * SymInt(step))
        offset = offset &+ start &* old[axis].value
        axis += 1
      case .tensor(let index):
        if index.element == .int1 {
          note("assumed-content", "the size of this result depends on tensor contents")
          let count = tensor.dims[axis..<(axis + index.rank)].reduce(SymInt(1)) { $0 * $1 }
          advanced.append((dims.count, [count.raised(to: .unknown)]))
          axis += index.rank
        } else if index.rank == 0, let fill = index.fill?.asInt {
          offset = offset &+ (try position(fill, tensor.dims[axis])) &* old[axis].value
          axis += 1
        } else {
          advanced.append((dims.count, index.dims))
          axis += 1
        }
      case .list(let list):
        advanced.append((dims.count, [SymInt(list.items.count)]))
        axis += 1
      default:
        let index = try integer(item, "a tensor index")
        offset = offset &+ (try position(index, tensor.dims[axis])) &* old[axis].value
        axis += 1
      }
    }
    while axis < tensor.rank {
      dims.append(tensor.dims[axis])
      strides.append(old[axis])
      axis += 1
    }
    guard let firstAdvanced = advanced.first else {
      return view(of: tensor, dims, strides, offset: offset)
    }
    // Index tensors side by side stand where the first stood; separated ones go to the front.
    let isTogether = advanced.allSatisfy { $0.position == firstAdvanced.position }
    let indexed = try broadcast(advanced.map(\.dims))
    dims.insert(contentsOf: indexed, at: isTogether ? firstAdvanced.position : 0)
    operatorDepth += 1
    defer { operatorDepth -= 1 }
    recordOperator("index")
    return try makeTensor(tensor.element, dims)
  }

  private func position(_ index: SymInt, _ size: SymInt) throws -> Int {
    let position = index.value < 0 ? index.value &+ size.value : index.value
    guard position >= 0, position < size.value else {
      throw raise(
        "IndexError", "index \(index.value) is out of bounds for dimension with size \(size.value)",
        condition: size.asFormula.flatMap { size in
          index.asFormula.map { .compare(size, .greater, $0) }
        })
    }
    return position
  }

  /// The size, start and step of a slice over one axis; sizes stay formulas where they can.
  private func sliceAxis(_ slice: SliceObject, _ size: SymInt) throws -> (SymInt, Int, Int) {
    let step = slice.step.isNone ? 1 : try integer(slice.step, "slice step").value
    guard step > 0 else { throw raise("ValueError", "step must be greater than zero") }
    func bound(_ value: Value, _ fallback: SymInt) throws -> SymInt {
      if value.isNone { return fallback }
      let raw = try integer(value, "slice index")
      if raw.value < 0 {
        let shifted = raw + size
        return shifted.value < 0 ? 0 : shifted
      }
      return raw.value > size.value ? size : raw
    }
    let start = try bound(slice.lower, 0)
    let stop = try bound(slice.upper, size)
    if stop.value <= start.value { return (0, start.value, step) }
    var length = stop - start
    if step > 1 { length = length.ceilDivided(by: SymInt(step)) ?? length }
    return (length, start.value, step)
  }

  /// `tensor[key] = value`: the target must exist; contents are not modelled.
  func assignTensor(_ tensor: TensorObject, _ key: Value, _ value: Value) throws {
    operatorDepth += 2
    defer { operatorDepth -= 2 }
    _ = try subscriptTensor(tensor, key)
    tensor.fill = nil
    operatorDepth -= 1
    recordOperator("index_put")
    operatorDepth += 1
  }
}
