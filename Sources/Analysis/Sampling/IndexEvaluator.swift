import TileIR

/// The integer meaning of single operations on known operands.
enum IndexEvaluator {
  static func results(
    of operation: Operation, operands: [ConcreteValue], program: [Int], grid: [Int],
    in flat: FlatFunction
  ) -> [ConcreteValue] {
    guard let result = operation.results.first else { return [] }
    if flat.function.values.indices.contains(result.index),
      case .tile = flat.function.values[result.index].type
    {
    } else {
      return block(operation, operands)
    }
    guard let type = flat.type(of: result) else { return [] }
    let rank = type.shape.count
    if let tile = tile(operation, operands, type, rank, program, grid, flat) {
      return [.tile(tile)]
    }
    return [.unknown]
  }

  private static func tile(
    _ operation: Operation, _ operands: [ConcreteValue], _ type: TileType, _ rank: Int,
    _ program: [Int], _ grid: [Int], _ flat: FlatFunction
  ) -> ConcreteTile? {
    let first = operands.first?.tile
    switch operation.kind {
    case .constant(.int(let value)): return .scalar(value, rank: rank)
    case .programID(let axis): return .scalar(program.indices.contains(axis) ? program[axis] : 0)
    case .numPrograms(let axis): return .scalar(grid.indices.contains(axis) ? grid[axis] : 1)
    case .makeRange(let start, let end):
      guard end > start, end - start <= 1 << 20 else { return nil }
      return ConcreteTile(extents: [end - start], data: Array(start..<end))
    case .splat:
      guard let value = first?.scalar else { return nil }
      return .scalar(value, rank: rank, base: first?.base)
    case .broadcast, .hint: return first
    case .expandDims(let axis):
      guard var source = first, (0...source.extents.count).contains(axis) else { return nil }
      source.extents.insert(1, at: axis)
      return source
    case .trans(let order): return first?.transposed(order)
    case .reshape(let canReorder):
      guard !canReorder || first?.data.count == 1, let source = first,
        let shape = operation.operands.first.flatMap({ flat.type(of: $0)?.shape })
      else { return nil }
      if source.data.count == 1 { return .scalar(source.data[0], rank: rank, base: source.base) }
      guard shape.count == source.extents.count, shape.reduce(1, *) <= 1 << 18 else { return nil }
      return ConcreteTile(extents: type.shape, data: source.expanded(shape), base: source.base)
    case .cast:
      guard !type.element.isFloat, let source = first,
        let from = operation.operands.first.flatMap({ flat.type(of: $0)?.element }), !from.isFloat
      else { return nil }
      if type.element == .int1 { return source.map { $0 != 0 ? 1 : 0 } }
      return source.map { IntegerSemantics.wrapped($0, type.element) }
    case .addPointer:
      guard let pointer = first, operands.count > 1, let offset = operands[1].tile else {
        return nil
      }
      let bytes = type.element.pointee?.bytes ?? 1
      return ConcreteTile.combine(pointer, offset) { $0 &+ $1 &* bytes }
    case .binary(let op):
      guard type.element.isInteger, let a = first, operands.count > 1, let b = operands[1].tile
      else { return nil }
      if type.element == .int32 {  // the common case, without a switch for each element
        func narrow(_ value: Int) -> Int { Int(Int32(truncatingIfNeeded: value)) }
        switch op {
        case .add: return ConcreteTile.combine(a, b) { narrow($0 &+ $1) }
        case .sub: return ConcreteTile.combine(a, b) { narrow($0 &- $1) }
        case .mul: return ConcreteTile.combine(a, b) { narrow($0 &* $1) }
        default: break
        }
      }
      return ConcreteTile.combine(a, b) { IntegerSemantics.apply(op, $0, $1, type.element) }
    case .compare(let predicate):
      guard let a = first, operands.count > 1, let b = operands[1].tile else { return nil }
      return ConcreteTile.combine(a, b) { IntegerSemantics.compare(predicate, $0, $1) }
    case .unary(let op):
      guard type.element.isInteger, let source = first else { return nil }
      switch op {
      case .neg: return source.map { IntegerSemantics.wrapped(0 &- $0, type.element) }
      case .not:
        return type.element == .int1
          ? source.map { 1 - ($0 & 1) } : source.map { IntegerSemantics.wrapped(~$0, type.element) }
      case .abs: return source.map { $0 == .min ? $0 : Swift.abs($0) }
      default: return nil
      }
    case .select:
      guard operands.count == 3, let condition = first, let a = operands[1].tile,
        let b = operands[2].tile, a.base == b.base,
        let extents = ConcreteTile.agreed(a.extents, b.extents)
          .flatMap({ ConcreteTile.agreed($0, condition.extents) })
      else { return nil }
      let choose = condition.expanded(extents)
      let yes = a.expanded(extents)
      let no = b.expanded(extents)
      return ConcreteTile(
        extents: extents, data: choose.indices.map { choose[$0] != 0 ? yes[$0] : no[$0] },
        base: a.base)
    default: return nil
    }
  }

  private static func block(_ operation: Operation, _ operands: [ConcreteValue]) -> [ConcreteValue]
  {
    switch operation.kind {
    case .makeBlockPointer(let order):
      let rank = order.count
      guard let base = operands.first?.tile, operands.count >= 1 + 3 * rank else {
        return [.unknown]
      }
      let numbers = operands.dropFirst().map { $0.scalar }
      guard !numbers.contains(where: { $0 == nil }) else { return [.unknown] }
      let known = numbers.compactMap(\.self)
      return [
        .block(
          ConcreteBlock(
            base: base.base, start: base.scalar ?? 0, shape: Array(known[0..<rank]),
            strides: Array(known[rank..<2 * rank]), offsets: Array(known[2 * rank..<3 * rank])))
      ]
    case .makeTensorDescriptor:
      let rank = (operands.count - 1) / 2
      guard rank > 0, let base = operands.first?.tile else { return [.unknown] }
      let known = operands.dropFirst().map { $0.scalar ?? 0 }
      return [
        .block(
          ConcreteBlock(
            base: base.base, start: base.scalar ?? 0, shape: Array(known[0..<rank]),
            strides: Array(known[rank..<2 * rank]), offsets: Array(repeating: 0, count: rank)))
      ]
    case .advance:
      guard case .block(var block)? = operands.first else { return [.unknown] }
      for (axis, offset) in operands.dropFirst().enumerated() where axis < block.offsets.count {
        guard let step = offset.scalar else { return [.unknown] }
        block.offsets[axis] = block.offsets[axis] &+ step
      }
      return [.block(block)]
    default: return [.unknown]
    }
  }

  /// The addresses of a block's window and which of them lie inside the tensor.
  static func window(
    _ block: ConcreteBlock, shape: [Int], elementBytes: Int
  ) -> (ConcreteTile?, ConcreteTile?) {
    let rank = shape.count
    guard block.offsets.count == rank, block.strides.count == rank, block.shape.count == rank,
      shape.allSatisfy({ $0 > 0 }), shape.reduce(1, TileLayout.product) <= 1 << 18
    else { return (nil, nil) }
    var addresses = ConcreteTile.scalar(block.start, rank: rank, base: block.base)
    var inside = ConcreteTile.scalar(1, rank: rank)
    for axis in 0..<rank {
      var extents = Array(repeating: 1, count: rank)
      extents[axis] = shape[axis]
      let places = (0..<shape[axis]).map { block.offsets[axis] &+ $0 }
      let part = ConcreteTile(
        extents: extents, data: places.map { $0 &* block.strides[axis] &* elementBytes })
      let check = ConcreteTile(
        extents: extents, data: places.map { $0 >= 0 && $0 < block.shape[axis] ? 1 : 0 })
      guard let sum = ConcreteTile.combine(addresses, part, { $0 &+ $1 }),
        let both = ConcreteTile.combine(inside, check, { $0 & $1 })
      else { return (nil, nil) }
      addresses = sum
      inside = both
    }
    addresses.base = block.base
    return (addresses, inside)
  }
}
