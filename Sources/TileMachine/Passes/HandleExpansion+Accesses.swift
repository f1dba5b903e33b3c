import Diagnostics
import TileIR

/// Loads and stores of blocks as loads and stores through tiles of pointers.
extension HandleExpander {
  /// Where a block lies: a tile of pointers, and the mask of lanes inside, if any axis is checked.
  struct Place {
    var pointers: Value
    var mask: Value?
  }

  /// The block whose first element has the given scalar offsets.
  mutating func place(_ parts: HandleParts, _ offsets: [Value], checked: [Int]) -> Place {
    let axes = parts.block.enumerated().map { axis, size in
      indices(from: offsets[axis], count: size)
    }
    return place(parts, axes, parts.block, checked: checked)
  }

  /// int64 [offset, offset + count).
  private mutating func indices(from offset: Value, count: Int) -> Value {
    let lanes = emit(.makeRange(start: 0, end: count), [], TileType(.int32, [count]))
    let wide = cast(lanes, to: .int64)
    let type = TileType(.int64, [count])
    let start = emit(.splat, [cast(offset, to: .int64)], type)
    return emit(.binary(.add), [start, wide], type)
  }

  /// A block of `shape` whose coordinates along each axis are given, one axis at a time.
  private mutating func place(
    _ parts: HandleParts, _ axes: [Value], _ shape: [Int], checked: [Int]
  ) -> Place {
    let pointer = TileType(.pointer(to: parts.element), shape)
    var pointers = emit(.splat, [parts.base], pointer)
    var mask: Value?
    for (axis, indices) in axes.enumerated() {
      let line = TileType(.int64, [shape[axis]])
      let stride = emit(.splat, [parts.strides[axis]], line)
      let offsets = emit(.binary(.mul), [indices, stride], line)
      pointers = emit(.addPointer, [pointers, spread(offsets, axis, shape)], pointer)
      guard checked.contains(axis) else { continue }
      let bits = TileType(.int1, line.shape)
      let size = emit(.splat, [parts.shape[axis]], line)
      let zero = integer(0, .int64, line.shape)
      let isInside = emit(
        .binary(.and),
        [
          emit(.compare(.ge), [indices, zero], bits), emit(.compare(.lt), [indices, size], bits),
        ], bits)
      let all = spread(isInside, axis, shape)
      mask = mask.map { emit(.binary(.and), [$0, all], TileType(.int1, shape)) } ?? all
    }
    return Place(pointers: pointers, mask: mask)
  }

  /// A line of lanes along one axis of a tile.
  private mutating func spread(_ line: Value, _ axis: Int, _ shape: [Int]) -> Value {
    let element = type(line).element
    var value = line
    var reached = [shape[axis]]
    for other in shape.indices where other != axis {
      reached.insert(1, at: other)
      value = emit(.expandDims(axis: other), [value], TileType(element, reached))
    }
    return reached == shape ? value : emit(.broadcast, [value], TileType(element, shape))
  }

  /// The rows of a gather or scatter: any rows, columns from `column` on.
  mutating func rows(
    _ parts: HandleParts, _ operation: Operation, _ rows: Value, _ column: Value
  ) throws(Diagnostic) -> (block: [Int], place: Place) {
    let count = type(rows).count
    guard parts.block.count == 2, type(rows).shape.count == 1 else {
      throw Diagnostic(
        id: "unsupported-machine-operation",
        "the tile machine runs '\(operation.kind.name)' on descriptors of rank 2",
        source: function.source, range: operation.location.range)
    }
    let block = [count, parts.block[1]]
    let axes = [cast(rows, to: .int64), indices(from: column, count: block[1])]
    return (block, place(parts, axes, block, checked: [0, 1]))
  }

  /// Loads into the operation's result; lanes outside are 0, or NaN where the padding says so.
  mutating func load(
    _ operation: Operation, _ element: ElementType, _ block: [Int], _ place: Place,
    padding: String?, _ given: LoadAttributes
  ) {
    var attributes = given
    attributes.hasMask = place.mask != nil
    attributes.hasOther = place.mask != nil
    var operands = [place.pointers]
    if let mask = place.mask {
      let filling: ConstantValue =
        element.isFloat ? .float(padding == "nan" ? .nan : 0) : .int(0)
      operands += [mask, emit(.constant(filling), [], TileType(element, block))]
    }
    append(
      Operation(
        .load(attributes), operands: operands, results: operation.results, at: operation.location))
  }

  /// Stores; lanes outside are dropped.
  mutating func store(_ value: Value, _ place: Place, _ given: StoreAttributes) {
    var attributes = given
    attributes.hasMask = place.mask != nil
    append(
      Operation(
        .store(attributes), operands: [place.pointers, value] + (place.mask.map { [$0] } ?? []),
        at: location))
  }

  /// A store that combines with what is there, each lane by itself.
  mutating func reduce(
    _ value: Value, _ reduction: AtomicOp, _ parts: HandleParts, _ place: Place
  ) {
    var kind = reduction
    switch reduction {
    case .add where parts.element.isFloat: kind = .fadd
    case .max where parts.element.isInteger && !parts.element.isSignedInteger: kind = .umax
    case .min where parts.element.isInteger && !parts.element.isSignedInteger: kind = .umin
    default: break
    }
    _ = emit(
      .atomicRMW(kind, semantics: "relaxed", scope: "gpu", hasMask: place.mask != nil),
      [place.pointers, value] + (place.mask.map { [$0] } ?? []),
      TileType(parts.element, parts.block))
  }
}
