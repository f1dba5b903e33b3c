import Diagnostics
import ElementMath
import TileIR

extension MachineCompiler {
  /// `tl.dot_scaled`: operands are brought to fp32, multiplied with the scale of their group along
  /// k, and multiplied as fp32 matrices.
  ///
  /// Scaling is exact, except where it leaves the range of fp32: the operands have at most 11
  /// significant bits, e8m0 scales are powers of two and fp8 scales have 4 bits.
  mutating func compileScaledDot(_ operation: Operation) throws(Diagnostic) {
    guard
      case .dotScaled(
        let lhsFormat, let rhsFormat, let hasLHSScale, let hasRHSScale, _, let lhsKPack,
        let rhsKPack) = operation.kind
    else { return }
    let result = operation.results[0]
    let type = tile(result)
    let rank = type.shape.count
    let rightIndex = hasLHSScale ? 2 : 1
    var a = try unpacked(operation, 0, lhsFormat, isLastAxis: lhsKPack)
    var b = try unpacked(operation, rightIndex, rhsFormat, isLastAxis: !rhsKPack)
    let k = a.shape[rank - 1]
    guard Lane(type.element) == .float, b.shape[rank - 2] == k else {
      throw unsupported("a scaled product of these types", operation)
    }
    if hasLHSScale {
      let scale = try scales(operation, 1)
      let groups = scale.shape[1]
      let lead = a.shape.dropLast()
      a = try scaled(
        a, scale, split: lead + [groups, k / max(1, groups)],
        scaleShape: lead.dropLast().map { _ in 1 } + [scale.shape[0], groups, 1], operation)
    }
    if hasRHSScale {
      let scale = try scales(operation, rightIndex + 1)
      let (columns, groups) = (scale.shape[0], scale.shape[1])
      let turned = newOperand(.float, [groups, columns])
      emitCopy(scale, strides: [1, groups], into: turned)
      let lead = b.shape.dropLast(2)
      b = try scaled(
        b, turned, split: lead + [groups, k / max(1, groups), b.shape[rank - 1]],
        scaleShape: lead.map { _ in 1 } + [groups, 1, columns], operation)
    }
    let accumulator = operation.operands[operation.operands.count - 1]
    let c = materialize(try operand(accumulator, operation), type.shape)
    operands[result.index] = emitProduct(DotHandlers.float, a, b, c, type.shape, k)
  }

  /// An operand as dense fp32 lanes. Two e2m1 numbers share a byte, the first in its low half;
  /// they are neighbours along the last axis or along the one before it.
  private mutating func unpacked(
    _ operation: Operation, _ index: Int, _ format: String, isLastAxis: Bool
  ) throws(Diagnostic) -> Operand {
    let value = operation.operands[index]
    let shape = tile(value).shape
    let input = materialize(try operand(value, operation), shape)
    guard format == "e2m1" else { return input }
    let rank = shape.count
    let pairs = newOperand(.float, shape + [2])
    var instruction = Instruction(handler: ScaleHandlers.unpackE2M1)
    (instruction.d, instruction.a, instruction.n) = (pairs.slot, input.slot, input.count)
    emit(
      Pending(
        instruction: instruction, reads: [input.slot], writes: [pairs.slot], fields: [.d, .a]))
    var full = shape
    if isLastAxis {
      full[rank - 1] *= 2
      return Operand(slot: pairs.slot, lane: .float, shape: full)
    }
    full[rank - 2] *= 2
    let target = newOperand(.float, full)
    var sizes = shape
    sizes.insert(2, at: rank - 1)
    emitCopy(
      pairs, strides: RowMajor.strides(shape).dropLast().map { $0 * 2 } + [1, 2],
      into: Operand(slot: target.slot, lane: .float, shape: sizes))
    return target
  }

  private mutating func scales(
    _ operation: Operation, _ index: Int
  ) throws(Diagnostic) -> Operand {
    let value = operation.operands[index]
    let type = tile(value)
    let input = materialize(try operand(value, operation), type.shape)
    guard type.shape.count == 2 else { throw unsupported("scales of this rank", operation) }
    if type.element.isFloat { return input }
    guard input.lane.bytes == 1 else {
      throw unsupported("scales of \(type.element)", operation)
    }
    return emitDense(ScaleHandlers.decodeE8M0, [input], lane: .float)
  }

  private mutating func scaled(
    _ operand: Operand, _ scale: Operand, split: [Int], scaleShape: [Int], _ operation: Operation
  ) throws(Diagnostic) -> Operand {
    guard let multiply = FloatHandlers.binary(.mul, .float), split.reduce(1, *) == operand.count
    else { throw unsupported("scales of this shape", operation) }
    let product = emitElementwise(
      multiply,
      [
        Operand(slot: operand.slot, lane: .float, shape: split),
        Operand(slot: scale.slot, lane: .float, shape: scaleShape),
      ], lane: .float)
    return Operand(slot: product.slot, lane: .float, shape: operand.shape)
  }
}
