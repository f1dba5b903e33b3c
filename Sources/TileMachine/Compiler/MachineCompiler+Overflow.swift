import TileIR

/// Addresses that depend on 32-bit arithmetic which can wrap in this launch are computed a second
/// time in 64 bits; a lane that uses an address which differs from its twin stops the program.
///
/// Only what ``Intervals`` cannot prove free of overflow costs anything. The twin follows sums,
/// products, shifts, selections and shape changes back from the address; where it ends (loads,
/// divisions, carried values) the 32-bit value counts as meant.
extension MachineCompiler {
  /// Which values depend, through the operations the twin follows, on one that may wrap.
  static func wrappingSlices(_ function: Function, _ intervals: Intervals) -> [Bool] {
    var result = [Bool](repeating: false, count: function.values.count)
    guard intervals.mayWrap.contains(true) else { return result }
    function.forEachOperation { operation in
      guard let first = operation.results.first,
        let type = function.values[first.index].type.tile,
        type.element == .int32 || type.element == .int64
      else { return }
      let isOwn = type.element == .int32 && intervals.mayWrap[first.index]
      guard let followed = followedOperands(operation, function) else { return }
      result[first.index] = isOwn || followed.contains { result[$0.index] }
    }
    return result
  }

  /// The operands through which the twin goes on; nil where it ends.
  private static func followedOperands(_ operation: Operation, _ function: Function) -> [Value]? {
    switch operation.kind {
    case .binary(.add), .binary(.sub), .binary(.mul), .binary(.shl), .binary(.minimum),
      .binary(.maximum), .unary(.neg), .splat, .broadcast, .expandDims, .reshape, .trans, .hint:
      return operation.operands
    case .select: return Array(operation.operands.dropFirst())
    case .cast(.convert):
      let from = function.values[operation.operands[0].index].type.tile?.element
      let to = function.values[operation.results[0].index].type.tile?.element
      return from == .int32 && to == .int64 ? operation.operands : nil
    default: return nil
    }
  }

  /// The value in 64 bits, without wrapping at 32.
  mutating func twin(of value: Value, depth: Int = 0) -> Operand? {
    guard let narrow = operands[value.index] else { return nil }
    guard depth < 64, wrapsInSlice[value.index], let definition = definitions[value.index],
      let followed = Self.followedOperands(definition, function)
    else {
      if narrow.lane == .int64 { return narrow }
      return emitElementwise(
        CastHandlers.integer(from: narrow.lane, to: .int64), [narrow], lane: .int64)
    }
    var inputs: [Operand] = []
    for operand in followed {
      guard let input = twin(of: operand, depth: depth + 1) else { return nil }
      inputs.append(input)
    }
    let shape = tile(value).shape
    switch definition.kind {
    case .binary(let op):
      guard
        let handler = IntegerHandlers.wrapping(op, .int64) ?? IntegerHandlers.ordered(op, .int64)
      else { return nil }
      return emitElementwise(handler, inputs, lane: .int64)
    case .unary(let op):
      return IntegerHandlers.unary(op, .int64).map { emitElementwise($0, inputs, lane: .int64) }
    case .select:
      guard let condition = operands[definition.operands[0].index] else { return nil }
      return emitElementwise(FloatHandlers.select(bytes: 8), [condition] + inputs, lane: .int64)
    case .splat:
      return Operand(slot: inputs[0].slot, lane: .int64, shape: shape.map { _ in 1 })
    case .expandDims(let axis):
      inputs[0].shape.insert(1, at: axis)
      return inputs[0]
    case .reshape:
      if inputs[0].count == 1 {
        return Operand(slot: inputs[0].slot, lane: .int64, shape: shape.map { _ in 1 })
      }
      let all = materialize(inputs[0], tile(followed[0]).shape)
      return Operand(slot: all.slot, lane: .int64, shape: shape)
    case .trans(let order):
      let target = newOperand(.int64, order.map { inputs[0].shape[$0] })
      let strides = RowMajor.strides(inputs[0].shape)
      emitCopy(inputs[0], strides: order.map { strides[$0] }, into: target)
      return target
    default: return inputs[0]
    }
  }

  /// The terms of `base + offset` in 64 bits; nil where they are those of the address itself.
  mutating func twinTerms(
    _ base: PointerParts, _ offset: Value, scale: Int, terms: ArraySlice<PointerParts.Term>
  ) -> [PointerParts.Term]? {
    if wrapsInSlice[offset.index], let wide = twin(of: offset) {
      return (base.twin ?? base.terms) + [.init(operand: wide, scale: scale)]
    }
    return base.twin.map { $0 + terms }
  }

  /// Compares the addresses that the unmasked lanes of an access use with their twins.
  mutating func emitOverflowCheck(
    _ parts: PointerParts, over shape: [Int], mask: Operand?, bytes: Int
  ) {
    guard let terms = parts.twin, let used = sum(parts.terms), let wide = sum(terms) else { return }
    let (narrow, exact) = (materialize(used, shape), materialize(wide, shape))
    var instruction = Instruction(handler: AddressHandlers.checkOverflow)
    (instruction.a, instruction.b) = (narrow.slot, exact.slot)
    instruction.n = shape.last ?? 1
    instruction.rows = shape.dropLast().reduce(1, *)
    instruction.imm = bytes
    instruction.site = currentSite
    var detail = Detail()
    var reads = [narrow.slot, exact.slot]
    if let mask {
      detail.mask = lanePart(mask, over: shape)
      reads.append(detail.mask.offset)
    }
    emit(
      Pending(
        instruction: instruction, reads: reads, fields: [.a, .b], detail: detail, hasEffect: true))
  }
}
