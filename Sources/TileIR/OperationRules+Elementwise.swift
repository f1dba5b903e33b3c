extension OperationRules {
  func shapeProblem() -> String? {
    guard tiles.count == operands.count, resultTiles.count == results.count else {
      return "operand or result is a handle, not a tile"
    }
    let input = tiles[0]
    let output = resultTiles[0]
    guard output.element == input.element else { return "changes the element type" }
    switch operation.kind {
    case .splat: return input.isScalar ? nil : "splats a tile"
    case .broadcast:
      let fits =
        input.shape.count == output.shape.count
        && zip(input.shape, output.shape).allSatisfy { $0 == $1 || $0 == 1 }
      return fits ? nil : "cannot broadcast \(input) to \(output)"
    case .expandDims(let axis):
      guard axis >= 0, axis <= input.shape.count else { return "axis \(axis) is out of range" }
      var shape = input.shape
      shape.insert(1, at: axis)
      return resultIs(TileType(input.element, shape))
    case .reshape:
      return input.count == output.count ? nil : "changes the number of elements"
    case .trans(let order):
      guard order.sorted() == Array(input.shape.indices) else { return "order is no permutation" }
      return resultIs(TileType(input.element, order.map { input.shape[$0] }))
    case .join:
      guard tiles[1] == input else { return "operand types differ" }
      return resultIs(TileType(input.element, input.shape + [2]))
    case .split:
      guard input.shape.last == 2 else { return "innermost axis is not 2" }
      let half = TileType(input.element, Array(input.shape.dropLast()))
      return resultTiles == [half, half] ? nil : "results must be \(half)"
    case .cat:
      guard tiles[1].element == input.element, input.shape.count == 1, tiles[1].shape.count == 1
      else { return "operands are not 1-D tiles of one type" }
      return resultIs(TileType(input.element, [input.shape[0] + tiles[1].shape[0]]))
    case .gather(let axis):
      guard input.shape.indices.contains(axis), tiles[1].element.isInteger else {
        return "needs an axis of the source and integer indices"
      }
      return resultIs(TileType(input.element, tiles[1].shape))
    default: return nil
    }
  }

  func elementwiseProblem() -> String? {
    switch operation.kind {
    case .external, .inlineAssembly, .hint: break
    default:
      guard tiles.count == operands.count, resultTiles.count == results.count else {
        return "operand or result is a handle, not a tile"
      }
      guard let shape = tiles.first?.shape, tiles.allSatisfy({ $0.shape == shape }),
        resultTiles.allSatisfy({ $0.shape == shape })
      else { return "shapes of \(describe(operands)) and \(describe(results)) differ" }
    }
    switch operation.kind {
    case .unary(let op):
      guard resultTiles == tiles else { return "changes the type" }
      return Self.accepts(op, tiles[0].element) ? nil : "not defined on \(tiles[0].element)"
    case .binary(let op):
      guard tiles[0] == tiles[1], resultTiles[0] == tiles[0] else {
        return "operands \(describe(operands)) and result \(describe(results)) differ in type"
      }
      return Self.accepts(op, tiles[0].element) ? nil : "not defined on \(tiles[0].element)"
    case .compare:
      guard tiles[0] == tiles[1] else { return "operand types differ" }
      return resultTiles[0].element == .int1 ? nil : "result is not int1"
    case .select:
      guard tiles[0].element == .int1 else { return "condition is not int1" }
      return tiles[1] == tiles[2] && resultTiles[0] == tiles[1] ? nil : "branch types differ"
    case .fma, .clamp:
      let same = tiles.allSatisfy { $0 == tiles[0] } && resultTiles[0] == tiles[0]
      return same ? nil : "operand types differ"
    case .cast(let kind):
      if case .bitcast = kind, tiles[0].element.bits != resultTiles[0].element.bits {
        return "bitcast changes the width"
      }
      return nil
    case .addPointer:
      guard tiles[0].element.isPointer, tiles[1].element.isInteger else {
        return "needs a pointer and an integer offset"
      }
      return resultTiles[0] == tiles[0] ? nil : "result is not the pointer's type"
    case .hint: return operands == results ? nil : "result is not the operand's type"
    default: return nil
    }
  }

  static func accepts(_ op: UnaryOp, _ element: ElementType) -> Bool {
    switch op {
    case .neg, .abs: !element.isPointer
    case .not: element.isInteger
    default: element.isFloat
    }
  }

  static func accepts(_ op: BinaryOp, _ element: ElementType) -> Bool {
    switch op {
    case .add, .sub, .mul, .rem, .minimum, .maximum: !element.isPointer
    case .div, .divRn, .minimumNaN, .maximumNaN: element.isFloat
    case .idiv, .and, .or, .xor, .shl, .shr, .umulhi: element.isInteger
    }
  }

  func handleProblem() -> String? {
    guard let handle = handleOperand else {
      if case .makeBlockPointer = operation.kind { return makeHandleProblem() }
      if case .makeTensorDescriptor = operation.kind { return makeHandleProblem() }
      return "first operand is not a handle"
    }
    let block = TileType(handle.element, handle.block)
    switch operation.kind {
    case .advance:
      guard operands.count == 1 + handle.block.count else { return "needs one offset per axis" }
      return results == [operands[0]] ? nil : "changes the type"
    case .blockLoad(let axes, _, _):
      guard axes.allSatisfy(handle.block.indices.contains) else {
        return "boundary axis is out of range"
      }
      return resultIs(block)
    case .blockStore(let axes, _):
      guard axes.allSatisfy(handle.block.indices.contains) else {
        return "boundary axis is out of range"
      }
      return operands[1] == .tile(block) ? nil : "value is \(operands[1]), not \(block)"
    case .descriptorLoad:
      return operands.count == 1 + handle.block.count
        ? resultIs(block) : "needs one offset per axis"
    case .descriptorStore:
      guard operands.count == 2 + handle.block.count else { return "needs one offset per axis" }
      return operands[1] == .tile(block) ? nil : "value is \(operands[1]), not \(block)"
    default: return nil
    }
  }

  private var handleOperand: (element: ElementType, block: [Int])? {
    switch operands.first {
    case .blockPointer(let element, let block)?, .tensorDescriptor(let element, let block)?:
      (element, block)
    default: nil
    }
  }

  private func makeHandleProblem() -> String? {
    guard let base = tiles.first, base.isScalar, base.element.isPointer else {
      return "base is not a scalar pointer"
    }
    guard tiles.dropFirst().allSatisfy({ $0.isScalar && $0.element.isInteger }) else {
      return "shape, strides and offsets must be integer scalars"
    }
    return nil
  }
}
