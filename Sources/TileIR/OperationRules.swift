/// What each operation requires of its operands and results: the verifier's table.
///
/// `Rule.problem` answers with a sentence, or nil when the operation is well-typed.
struct OperationRules {
  let operation: Operation
  let operands: [ValueType]
  let results: [ValueType]

  var tiles: [TileType] { operands.compactMap(\.tile) }
  var resultTiles: [TileType] { results.compactMap(\.tile) }

  func problem() -> String? {
    countProblem() ?? typeProblem()
  }

  // MARK: Counts

  /// Operand, result and region counts; nil in place of a number means any.
  private var counts: (operands: ClosedRange<Int>?, results: Int?, regions: Int) {
    func exactly(_ count: Int) -> ClosedRange<Int> { count...count }
    switch operation.kind {
    case .constant, .programID, .numPrograms, .makeRange: return (exactly(0), 1, 0)
    case .splat, .broadcast, .expandDims, .reshape, .trans: return (exactly(1), 1, 0)
    case .join, .cat, .gather, .addPointer, .binary, .compare: return (exactly(2), 1, 0)
    case .split: return (exactly(1), 2, 0)
    case .unary, .cast, .hint: return (exactly(1), 1, 0)
    case .select, .fma, .clamp: return (exactly(3), 1, 0)
    case .external: return (nil, 1, 0)
    case .inlineAssembly: return (nil, nil, 0)
    case .load(let attributes):
      return (exactly(1 + (attributes.hasMask ? 1 : 0) + (attributes.hasOther ? 1 : 0)), 1, 0)
    case .store(let attributes): return (exactly(attributes.hasMask ? 3 : 2), 0, 0)
    case .atomicRMW(_, _, _, let hasMask): return (exactly(hasMask ? 3 : 2), 1, 0)
    case .atomicCAS: return (exactly(3), 1, 0)
    case .makeBlockPointer(let order): return (exactly(1 + 3 * order.count), 1, 0)
    case .advance: return (1...8, 1, 0)
    case .blockLoad: return (exactly(1), 1, 0)
    case .blockStore: return (exactly(2), 0, 0)
    case .makeTensorDescriptor: return (3...11, 1, 0)
    case .descriptorLoad: return (2...6, 1, 0)
    case .descriptorStore: return (3...7, 0, 0)
    case .descriptorGather: return (exactly(3), 1, 0)
    case .descriptorScatter: return (exactly(4), 0, 0)
    case .dot: return (exactly(3), 1, 0)
    case .dotScaled(_, _, let left, let right, _, _, _):
      return (exactly(3 + (left ? 1 : 0) + (right ? 1 : 0)), 1, 0)
    case .reduce(_, let combine, _), .scan(_, let combine, _):
      return (nil, operands.count, combine == .custom ? 1 : 0)
    case .histogram(_, let hasMask): return (exactly(hasMask ? 2 : 1), 1, 0)
    case .forLoop: return (nil, operands.count - 3, 1)
    case .whileLoop: return (nil, nil, 2)
    case .ifElse: return (exactly(1), nil, 2)
    case .yield, .condition: return (nil, 0, 0)
    case .deviceAssert, .assume: return (exactly(1), 0, 0)
    case .devicePrint: return (nil, 0, 0)
    case .barrier: return (exactly(0), 0, 0)
    }
  }

  private func countProblem() -> String? {
    let expected = counts
    if let range = expected.operands, !range.contains(operands.count) {
      return "has \(operands.count) operands, needs \(range.lowerBound)"
        + (range.count > 1 ? " to \(range.upperBound)" : "")
    }
    if let count = expected.results, count != results.count {
      return "has \(results.count) results, needs \(max(0, count))"
    }
    if expected.regions != operation.regions.count {
      return "has \(operation.regions.count) regions, needs \(expected.regions)"
    }
    return nil
  }

  // MARK: Types

  private func typeProblem() -> String? {
    switch operation.kind {
    case .constant(let value): return constantProblem(value)
    case .programID(let axis), .numPrograms(let axis):
      return (0...2).contains(axis) ? resultIs(TileType(.int32)) : "axis \(axis) is not 0, 1 or 2"
    case .makeRange(let start, let end):
      return end > start ? resultIs(TileType(.int32, [end - start])) : "range is empty"
    case .splat, .broadcast, .expandDims, .reshape, .trans, .join, .split, .cat, .gather:
      return shapeProblem()
    case .unary, .binary, .compare, .select, .fma, .clamp, .cast, .addPointer, .external,
      .inlineAssembly, .hint:
      return elementwiseProblem()
    case .load, .store, .atomicRMW, .atomicCAS: return memoryProblem()
    case .makeBlockPointer, .advance, .blockLoad, .blockStore, .makeTensorDescriptor,
      .descriptorLoad, .descriptorStore, .descriptorGather, .descriptorScatter:
      return handleProblem()
    case .dot, .dotScaled: return dotProblem()
    case .reduce, .scan, .histogram: return reductionProblem()
    case .forLoop:
      guard operands.count >= 3, tiles.prefix(3).count == 3,
        tiles.prefix(3).allSatisfy({ $0.isScalar && $0.element.isInteger && $0 == tiles[0] })
      else { return "bounds and step must be integer scalars of one type" }
      return Array(operands.dropFirst(3)) == results
        ? nil : "carried values and results differ in type"
    case .whileLoop: return operands.count == operation.operands.count ? nil : "lacks operands"
    case .ifElse, .assume, .deviceAssert:
      guard let condition = tiles.first, condition.element == .int1 else {
        return "condition is not int1"
      }
      if case .ifElse = operation.kind, !condition.isScalar { return "condition is not a scalar" }
      return nil
    case .yield, .condition, .devicePrint, .barrier: return nil
    }
  }

  func resultIs(_ type: TileType) -> String? {
    results == [.tile(type)] ? nil : "result is \(describe(results)), should be \(type)"
  }

  func describe(_ types: [ValueType]) -> String {
    types.map(\.description).joined(separator: ", ")
  }

  private func constantProblem(_ value: ConstantValue) -> String? {
    guard let type = resultTiles.first else { return "result is not a tile" }
    switch value {
    case .int(let number):
      if !type.element.isInteger { return "integer constant of type \(type)" }
      return type.element.wrap(number) == number ? nil : "constant \(number) exceeds \(type)"
    case .float: return type.element.isFloat ? nil : "float constant of type \(type)"
    }
  }

  private func memoryProblem() -> String? {
    guard tiles.count == operands.count else { return "operand is a handle, not a tile" }
    guard let pointee = tiles[0].element.pointee else {
      return "address is \(tiles[0]), not a pointer"
    }
    let shape = tiles[0].shape
    guard tiles.allSatisfy({ $0.shape == shape }) else { return "operand shapes differ" }
    let value = TileType(pointee, shape)
    let mask = TileType(.int1, shape)
    switch operation.kind {
    case .load(let attributes):
      if attributes.hasOther, !attributes.hasMask { return "other without mask" }
      if attributes.hasMask, tiles[1] != mask { return "mask is \(tiles[1])" }
      if attributes.hasOther, tiles[2] != value { return "other is \(tiles[2]), not \(value)" }
      return resultIs(value)
    case .store(let attributes):
      if attributes.hasMask, tiles[2] != mask { return "mask is \(tiles[2])" }
      return tiles[1] == value ? nil : "value is \(tiles[1]), not \(value)"
    case .atomicRMW(_, _, _, let hasMask):
      if hasMask, tiles[2] != mask { return "mask is \(tiles[2])" }
      return tiles[1] == value ? resultIs(value) : "value is \(tiles[1]), not \(value)"
    default:
      return tiles[1] == value && tiles[2] == value
        ? resultIs(value) : "compared and new value must be \(value)"
    }
  }

  private func dotProblem() -> String? {
    guard tiles.count == operands.count else { return "operand is a handle, not a tile" }
    guard case .dot = operation.kind else {
      return resultTiles.first == tiles.last ? nil : "accumulator and result differ in type"
    }
    let (a, b, c) = (tiles[0].shape, tiles[1].shape, tiles[2].shape)
    guard a.count == b.count, b.count == c.count, a.count >= 2 else { return "ranks differ" }
    let rank = a.count
    guard a[rank - 1] == b[rank - 2], a.dropLast() == c.dropLast(), b[rank - 1] == c[rank - 1],
      a.dropLast(2) == b.dropLast(2)
    else { return "shapes \(a), \(b), \(c) do not fit" }
    return resultIs(tiles[2])
  }

  private func reductionProblem() -> String? {
    guard tiles.count == operands.count, let first = tiles.first else { return "needs tiles" }
    switch operation.kind {
    case .reduce(let axis, _, let keepDims):
      var shape = first.shape
      if let axis {
        guard shape.indices.contains(axis) else {
          return "axis \(axis) of a rank \(shape.count) tile"
        }
        if keepDims { shape[axis] = 1 } else { shape.remove(at: axis) }
      } else {
        shape = keepDims ? Array(repeating: 1, count: shape.count) : []
      }
      return check(shape: shape, first)
    case .scan(let axis, _, _):
      guard first.shape.indices.contains(axis) else { return "axis \(axis) is out of range" }
      return check(shape: first.shape, first)
    case .histogram(let bins, let hasMask):
      if hasMask, tiles[1] != TileType(.int1, first.shape) { return "mask is \(tiles[1])" }
      return first.shape.count == 1 ? resultIs(TileType(.int32, [bins])) : "input is not 1-D"
    default: return nil
    }
  }

  private func check(shape: [Int], _ first: TileType) -> String? {
    guard tiles.allSatisfy({ $0.shape == first.shape }) else { return "input shapes differ" }
    let expected = tiles.map { ValueType.tile(TileType($0.element, shape)) }
    return results == expected
      ? nil : "results are \(describe(results)), should be \(describe(expected))"
  }
}
