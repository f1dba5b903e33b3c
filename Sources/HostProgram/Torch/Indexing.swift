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
    "scatter": TorchOperator("input dim index src value reduce") { ev, bound in
      if let source = bound["src"], source.asDouble != nil {
        ev.restate(nil, ["src": .none, "value": source])
      }
      return same(ev, bound)
    },
    "scatter_add": TorchOperator("input dim index src") { ev, bound in same(ev, bound) },
    "scatter_reduce": TorchOperator("input dim index src reduce include_self") { ev, bound in
      same(ev, bound)
    },
    "index_add": TorchOperator("input dim index source alpha") { ev, bound in same(ev, bound) },
    "index_copy": TorchOperator("input dim index source") { ev, bound in same(ev, bound) },
    "index_fill": TorchOperator("input dim index value") { ev, bound in same(ev, bound) },
    "masked_scatter": TorchOperator("input mask source") { ev, bound in same(ev, bound) },
    "bernoulli": TorchOperator("input p") { ev, bound in same(ev, bound) },
    "searchsorted": TorchOperator("sorted_sequence input out_int32 right side") { ev, bound in
      .tensor(try ev.makeTensor(.int64, try bound.tensor("input").dims))
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
    let (viewed, indices) = try basicIndex(tensor, key)
    if let contents = knownContents(tensor), let index = key.asInt, tensor.rank == 1 {
      viewed.fill = contents[try position(index, tensor.dims[0])]
    }
    guard let indices else { return viewed }
    for case .tensor(let mask)? in indices.map(\.value) where mask.element == .int1 {
      note("assumed-content", "the size of this result depends on tensor contents")
    }
    let result = try makeTensor(tensor.element, try advancedDims(viewed, indices))
    operatorDepth += 1
    defer { operatorDepth -= 1 }
    recordOperator("index")
    trace(
      "index", ["input": .tensor(viewed), "indices": indexList(viewed, indices)], [result])
    return result
  }

  /// An index tensor, mask or list and the first axis of the basic view that it indexes.
  struct AdvancedIndex {
    var axis: Int
    /// How many axes it takes up: several for a mask.
    var width: Int
    var value: Value
    var dims: [SymInt]
  }

  /// The view that ints, slices, `None` and `...` pick, and the advanced indices into that view.
  private func basicIndex(_ tensor: TensorObject, _ key: Value) throws
    -> (TensorObject, [AdvancedIndex]?)
  {
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
    let old = tensor.strides
    var axis = 0
    var advanced: [AdvancedIndex] = []
    func keepAxes(_ count: Int) {
      for _ in 0..<count {
        dims.append(tensor.dims[axis])
        strides.append(old[axis])
        axis += 1
      }
    }
    var sawEllipsis = false
    for item in keys {
      switch item {
      case .none, .boolean:
        dims.append(1)
        strides.append(axis < old.count ? tensor.dims[axis] * old[axis] : 1)
      case .ellipsis:
        if sawEllipsis { throw raise("IndexError", "an index can only have a single ellipsis") }
        sawEllipsis = true
        keepAxes(tensor.rank - consumed)
      case .slice(let slice):
        let (size, start, step) = try sliceAxis(slice, tensor.dims[axis])
        dims.append(size)
        strides.append(step == 1 ? old[axis] : old[axis] * SymInt(step))
        offset = offset &+ start &* old[axis].value
        axis += 1
      case .tensor(let index):
        if index.element == .int1 {
          let count = tensor.dims[axis..<(axis + index.rank)].reduce(SymInt(1)) { $0 * $1 }
          advanced.append(
            AdvancedIndex(
              axis: dims.count, width: index.rank, value: item,
              dims: [count.raised(to: .unknown)]))
          keepAxes(index.rank)
        } else if index.rank == 0, let fill = readFill(index)?.asInt {
          offset = offset &+ (try position(fill, tensor.dims[axis])) &* old[axis].value
          axis += 1
        } else {
          advanced.append(
            AdvancedIndex(axis: dims.count, width: 1, value: item, dims: index.dims))
          keepAxes(1)
        }
      case .list(let list):
        advanced.append(
          AdvancedIndex(
            axis: dims.count, width: 1, value: item, dims: [SymInt(list.items.count)]))
        keepAxes(1)
      default:
        let index = try integer(item, "a tensor index")
        offset = offset &+ (try position(index, tensor.dims[axis])) &* old[axis].value
        axis += 1
      }
    }
    keepAxes(tensor.rank - axis)
    let result = view(of: tensor, dims, strides, offset: offset)
    return (result, advanced.isEmpty ? nil : advanced)
  }

  /// The shape of an advanced index: index tensors side by side stand where the first stood;
  /// separated ones go to the front.
  private func advancedDims(_ viewed: TensorObject, _ indices: [AdvancedIndex]) throws -> [SymInt] {
    var dims: [SymInt] = []
    var taken: Set<Int> = []
    for index in indices { taken.formUnion(index.axis..<(index.axis + index.width)) }
    for (axis, dim) in viewed.dims.enumerated() where !taken.contains(axis) { dims.append(dim) }
    let isTogether = zip(indices, indices.dropFirst()).allSatisfy { $0.axis + $0.width == $1.axis }
    let place = isTogether ? min(indices.first?.axis ?? 0, dims.count) : 0
    dims.insert(contentsOf: try broadcast(indices.map(\.dims)), at: place)
    return dims
  }

  /// One entry per axis of the view (a mask over several axes is one entry): an index or `None`.
  private func indexList(_ viewed: TensorObject, _ indices: [AdvancedIndex]) -> Value {
    var entries: [Value] = []
    var axis = 0
    for index in indices {
      while axis < index.axis {
        entries.append(.none)
        axis += 1
      }
      entries.append(index.value)
      axis += index.width
    }
    return .makeList(entries)
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

  /// `tensor[key] = value`.
  func assignTensor(_ tensor: TensorObject, _ key: Value, _ value: Value) throws {
    let (viewed, indices) = try basicIndex(tensor, key)
    operatorDepth += 1
    defer { operatorDepth -= 1 }
    recordOperator("index_put")
    if let indices {
      trace(
        "index_put",
        ["input": .tensor(viewed), "indices": indexList(viewed, indices), "values": value],
        [viewed])
    } else if case .tensor = value {
      trace("copy", ["input": .tensor(viewed), "src": value], [viewed])
    } else {
      trace("fill", ["input": .tensor(viewed), "value": value], [viewed])
    }
    noteWrite(tensor)
  }
}
