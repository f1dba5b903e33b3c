import TileIR

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
      result.fill = knownFill(input)
      trace("contiguous", ["input": .tensor(input)], [result])
      return result
    }
    if input.isContiguous { return input }
    recordOperator("contiguous")
    let result = try makeTensor(input.element, input.dims)
    result.fill = knownFill(input)
    result.rankSource = input.rankSource
    result.elementSource = input.elementSource
    trace("contiguous", ["input": .tensor(input)], [result])
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

  /// The diagonal `offset` steps above the main one, as a last axis.
  func diagonal(_ input: TensorObject, _ offset: Int, _ first: Int, _ second: Int) throws
    -> TensorObject
  {
    guard first != second else {
      throw raise("RuntimeError", "diagonal dimensions cannot be identical \(first), \(second)")
    }
    let strides = input.strides
    let skipped = SymInt(Int(clamping: offset.magnitude))
    let rows = offset < 0 ? input.dims[first] - skipped : input.dims[first]
    let columns = offset > 0 ? input.dims[second] - skipped : input.dims[second]
    let size = SymInt.minimum(rows, columns)
    let start = offset < 0 ? strides[first] : strides[second]
    let kept = (0..<input.rank).filter { $0 != first && $0 != second }
    return view(
      of: input, kept.map { input.dims[$0] } + [size.value < 0 ? 0 : size],
      kept.map { strides[$0] } + [strides[first] + strides[second]],
      offset: size.value > 0 ? input.offset &+ skipped.value &* start.value : input.offset)
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
    let copy = try makeTensor(input.element, input.dims)
    copy.fill = knownFill(input)
    trace("contiguous", ["input": .tensor(input)], [copy])
    return view(of: copy, dims, nil)
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
    let result = view(
      of: input, Array(input.dims.dropLast()) + [size], nil,
      offset: input.offset &* from / max(1, to))
    result.element = element
    return result
  }
}
