import Diagnostics
import ElementMath
import TileIR

extension MachineCompiler {
  func tile(_ value: Value) -> TileType {
    function.values[value.index].type.tile ?? TileType(.int64)
  }

  func operand(_ value: Value, _ operation: Operation) throws(Diagnostic) -> Operand {
    guard let operand = operands[value.index] else {
      throw unsupported("'\(operation.kind.name)' on a handle or an undefined value", operation)
    }
    return operand
  }

  /// The operand as a number of lanes; pointers are summed up first.
  mutating func lanes(_ value: Value, _ operation: Operation) throws(Diagnostic) -> Operand {
    if pointers[value.index] != nil, let sum = addresses(of: value) { return sum }
    return try operand(value, operation)
  }

  mutating func compile(_ region: Region) throws(Diagnostic) {
    for operation in region.operations {
      if operation.kind == .yield || operation.kind == .condition { return }
      location = operation.location
      let hoists =
        depth == 0 && operation.kind.isPure && canHoist(operation.kind)
        && operation.operands.allSatisfy { isUniform[$0.index] }
        && operation.results.allSatisfy { prologueCost($0) <= Self.prologueTileLimit }
        && prologueBytes < Self.prologueLimit
      isInPrologue = hoists
      if hoists {
        for result in operation.results {
          isUniform[result.index] = true
          prologueBytes += prologueCost(result)
        }
      }
      try compile(operation)
      isInPrologue = false
    }
  }

  /// Bytes of tiles kept from before the first program to the last.
  private static var prologueLimit: Int { 1 << 20 }
  private static var prologueTileLimit: Int { 1 << 16 }

  private func prologueCost(_ value: Value) -> Int { stored[value].reduce(8, *) }

  private func canHoist(_ kind: Operation.Kind) -> Bool {
    switch kind {
    case .programID, .numPrograms, .reduce, .scan, .external, .inlineAssembly, .hint: false
    default: true
    }
  }

  mutating func compile(_ operation: Operation) throws(Diagnostic) {
    let result = operation.results.first
    if canFault(operation.kind), let first = result ?? operation.operands.first {
      openSite(operation, shape: tile(first).shape, element: tile(first).element)
    }
    switch operation.kind {
    case .constant(let value):
      guard let result else { return }
      operands[result.index] = makeConstant(value, tile(result))
    case .programID(let axis):
      emitScalar(FrameHandlers.programID(axis), result)
    case .numPrograms(let axis):
      guard let result else { return }
      operands[result.index] = constant([grid.0, grid.1, grid.2][axis], .int32, [])
    case .makeRange(let start, let end):
      guard let result else { return }
      let target = newOperand(.int32, [end - start])
      var instruction = Instruction(handler: ShapeHandlers.range)
      (instruction.d, instruction.n, instruction.imm) = (target.slot, end - start, start)
      emit(Pending(instruction: instruction, writes: [target.slot], fields: .d))
      operands[result.index] = target
    case .splat, .broadcast, .expandDims, .reshape, .trans, .join, .split, .cat, .gather:
      try compileShape(operation)
    case .unary, .binary, .compare, .select, .fma, .clamp, .cast, .external:
      try compileElementwise(operation)
    case .addPointer: compileAddPointer(operation)
    case .hint(let kind, let values): try compileHint(operation, kind, values)
    case .load(let attributes): try compileLoad(operation, attributes)
    case .store(let attributes): try compileStore(operation, attributes)
    case .atomicRMW(let op, _, _, let hasMask): try compileAtomic(operation, op, hasMask: hasMask)
    case .atomicCAS: try compileCompareAndSwap(operation)
    case .dot(let precision, _): try compileDot(operation, precision)
    case .reduce(let axis, let combine, _):
      try compileReduce(operation, axis: axis, combine)
    case .scan(let axis, let combine, let reverse):
      try compileScan(operation, axis: axis, combine, isReversed: reverse)
    case .histogram(let bins, let hasMask): try compileHistogram(operation, bins, hasMask)
    case .forLoop: try compileFor(operation)
    case .whileLoop: try compileWhile(operation)
    case .ifElse: try compileIf(operation)
    case .yield, .condition, .barrier: break
    case .devicePrint(let prefix): try compilePrint(operation, prefix)
    case .deviceAssert(let message):
      try compileCheck(operation, FrameHandlers.assertTrue, text: message)
    case .assume: try compileCheck(operation, FrameHandlers.assume, text: "")
    case .dotScaled: try compileScaledDot(operation)
    case .inlineAssembly(let text, _, _, _) where text.hasPrefix("griddepcontrol."):
      // Launches run one after the other: there is nothing to wait for.
      if let result { operands[result.index] = makeConstant(.int(0), tile(result)) }
    case .inlineAssembly, .makeBlockPointer, .advance, .blockLoad, .blockStore,
      .makeTensorDescriptor, .descriptorLoad, .descriptorStore, .descriptorGather,
      .descriptorScatter:
      throw unsupported("'\(operation.kind.name)'", operation)
    }
  }

  private func canFault(_ kind: Operation.Kind) -> Bool {
    switch kind {
    case .load, .store, .atomicRMW, .atomicCAS, .gather, .histogram, .hint, .assume, .deviceAssert,
      .binary(.idiv), .binary(.rem), .whileLoop, .forLoop:
      true
    default: false
    }
  }

  mutating func makeConstant(_ value: ConstantValue, _ type: TileType) -> Operand {
    let lane = Lane(type.element)
    switch value {
    case .int(let number):
      if type.element.isFloat { return constant(Double(number), lane, type.shape) }
      return constant(number, lane, type.shape)
    case .float(let number):
      guard type.element.isNarrowFloat else { return constant(number, lane, type.shape) }
      var rounded: [Float] = [0]
      ElementMath.narrow([number], to: type.element, target: &rounded, count: 1)
      return constant(Double(rounded[0]), lane, type.shape)
    }
  }

  mutating func emitScalar(_ handler: @escaping Handler, _ result: Value?) {
    guard let result else { return }
    let target = newOperand(Lane(tile(result).element), [])
    var instruction = Instruction(handler: handler)
    instruction.d = target.slot
    emit(Pending(instruction: instruction, writes: [target.slot], fields: .d))
    operands[result.index] = target
  }

  // MARK: Shapes

  mutating func compileShape(_ operation: Operation) throws(Diagnostic) {
    guard let result = operation.results.first else { return }
    let type = tile(result)
    // Pointers keep their parts through broadcasts.
    if let parts = pointers[operation.operands[0].index], reshapePointer(operation, parts) {
      return
    }
    let source = try lanes(operation.operands[0], operation)
    switch operation.kind {
    case .splat:
      operands[result.index] = Operand(
        slot: source.slot, lane: source.lane, shape: type.shape.map { _ in 1 })
    case .broadcast: operands[result.index] = source
    case .expandDims(let axis):
      var shape = source.shape
      shape.insert(1, at: axis)
      operands[result.index] = Operand(slot: source.slot, lane: source.lane, shape: shape)
    case .reshape:
      if source.count == 1 {
        operands[result.index] = Operand(
          slot: source.slot, lane: source.lane, shape: type.shape.map { _ in 1 })
      } else {
        let all = materialize(source, tile(operation.operands[0]).shape)
        operands[result.index] = Operand(slot: all.slot, lane: all.lane, shape: type.shape)
      }
    case .trans(let order):
      let target = newOperand(source.lane, order.map { source.shape[$0] })
      let strides = RowMajor.strides(source.shape)
      emitCopy(source, strides: order.map { strides[$0] }, into: target)
      operands[result.index] = target
    case .join:
      let shape = tile(operation.operands[0]).shape
      let target = newOperand(source.lane, type.shape)
      for (index, value) in operation.operands.enumerated() {
        let part = materialize(try lanes(value, operation), shape)
        emitPlacement(part, into: target, at: index, step: 2)
      }
      operands[result.index] = target
    case .split:
      let all = materialize(source, tile(operation.operands[0]).shape)
      for (index, half) in operation.results.enumerated() {
        let target = newOperand(source.lane, type.shape)
        emitCopy(
          Operand(slot: all.slot, lane: all.lane, shape: [all.count]),
          strides: [2], offset: index,
          into: Operand(slot: target.slot, lane: target.lane, shape: [target.count]))
        operands[half.index] = target
      }
    case .cat:
      let target = newOperand(source.lane, type.shape)
      var at = 0
      for value in operation.operands {
        let part = materialize(try lanes(value, operation), tile(value).shape)
        emitPlacement(part, into: target, at: at, step: 1)
        at += part.count
      }
      operands[result.index] = target
    default:
      guard case .gather(let axis) = operation.kind else { return }
      try compileGather(operation, axis: axis)
    }
  }

  /// Copies a dense tile to lanes `at`, `at + step`, … of another.
  mutating func emitPlacement(_ part: Operand, into target: Operand, at: Int, step: Int) {
    var instruction = Instruction(handler: ShapeHandlers.copy(bytes: part.lane.bytes))
    (instruction.d, instruction.a, instruction.imm2) = (target.slot, part.slot, at)
    var detail = Detail()
    detail.sizes = [part.count]
    detail.strides = [1]
    detail.more = [step]
    emit(
      Pending(
        instruction: instruction, reads: [part.slot], writes: [target.slot], fields: [.d, .a],
        detail: detail))
  }

  private mutating func reshapePointer(_ operation: Operation, _ parts: PointerParts) -> Bool {
    guard let result = operation.results.first else { return false }
    let shape = tile(result).shape
    switch operation.kind {
    case .splat:
      pointers[result.index] = parts.map { $0.shape = shape.map { _ in 1 } }
    case .broadcast: pointers[result.index] = parts
    case .expandDims(let axis):
      pointers[result.index] = parts.map { $0.shape.insert(1, at: axis) }
    default: return false
    }
    return true
  }

  private mutating func compileGather(_ operation: Operation, axis: Int) throws(Diagnostic) {
    let result = operation.results[0]
    let sourceShape = tile(operation.operands[0]).shape
    let source = materialize(try lanes(operation.operands[0], operation), sourceShape)
    let shape = tile(result).shape
    let indices = materialize(try lanes(operation.operands[1], operation), shape)
    let target = newOperand(source.lane, shape)
    var instruction = Instruction(handler: ShapeHandlers.gather(bytes: source.lane.bytes))
    (instruction.d, instruction.a, instruction.b) = (target.slot, source.slot, indices.slot)
    (instruction.n, instruction.imm, instruction.imm2) = (target.count, axis, indices.lane.bytes)
    instruction.site = currentSite
    var detail = Detail()
    detail.sizes = shape
    detail.strides = RowMajor.strides(sourceShape)
    detail.more = [sourceShape[axis]]
    emit(
      Pending(
        instruction: instruction, reads: [source.slot, indices.slot], writes: [target.slot],
        fields: [.d, .a, .b], detail: detail, hasEffect: true))
    operands[result.index] = target
  }

  // MARK: Elementwise

  mutating func compileElementwise(_ operation: Operation) throws(Diagnostic) {
    let result = operation.results[0]
    let element = tile(result).element
    let lane = Lane(element)
    if case .cast = operation.kind, element.isPointer,
      let parts = pointers[operation.operands[0].index]
    {
      pointers[result.index] = parts
      return
    }
    var inputs: [Operand] = []
    for value in operation.operands { inputs.append(try lanes(value, operation)) }
    let source = operation.operands.first.map { tile($0).element } ?? element
    switch operation.kind {
    case .binary(let op):
      let handler: Handler?
      var hasEffect = false
      if element.isFloat {
        handler = FloatHandlers.binary(op, lane)
      } else if op == .idiv || op == .rem {
        handler = DivisionHandlers.handler(op, lane)
        hasEffect = true
      } else {
        handler = IntegerHandlers.wrapping(op, lane) ?? IntegerHandlers.ordered(op, lane)
      }
      guard let handler else {
        throw unsupported("'\(op.rawValue)' on \(element)", operation)
      }
      let target = newOperand(lane, joined(inputs.map(\.shape)))
      emitElementwise(handler, inputs, into: target, hasEffect: hasEffect)
      operands[result.index] = normalized(target, element, op)
    case .compare(let predicate):
      guard let handler = IntegerHandlers.compare(predicate, Lane(source)) else {
        throw unsupported("a comparison of \(source)", operation)
      }
      operands[result.index] = emitElementwise(handler, inputs, lane: .bool)
    case .select:
      operands[result.index] = emitElementwise(
        FloatHandlers.select(bytes: lane.bytes), inputs, lane: lane)
    case .fma:
      guard let handler = FloatHandlers.fma(lane) else {
        throw unsupported("fma on \(element)", operation)
      }
      operands[result.index] = rounded(
        emitElementwise(handler, inputs, lane: lane), element)
    case .clamp(let propagateNaN):
      guard let handler = FloatHandlers.clamp(propagateNaN: propagateNaN, lane) else {
        throw unsupported("clamp on \(element)", operation)
      }
      operands[result.index] = emitElementwise(handler, inputs, lane: lane)
    case .unary(let op):
      if !element.isFloat {
        guard let handler = IntegerHandlers.unary(op, lane) else {
          throw unsupported("'\(op.rawValue)' on \(element)", operation)
        }
        operands[result.index] = emitElementwise(handler, inputs, lane: lane)
      } else {
        guard let handler = MathHandlers.unary(op, element) else {
          throw unsupported("'\(op.rawValue)' on \(element)", operation)
        }
        operands[result.index] = emitDense(handler, inputs, lane: lane)
      }
    case .cast(.bitcast):
      operands[result.index] = bitcast(inputs[0], from: source, to: element)
    case .cast(.convert(let rounding)):
      let mode = rounding == "rtz" ? ElementMath.Rounding.towardZero : .nearestEven
      if source == element {
        operands[result.index] = inputs[0]
      } else if source.isPointer || element.isPointer {
        operands[result.index] = inputs[0]
      } else if source.isFloat || element.isFloat {
        guard let handler = CastHandlers.convert(from: source, to: element, rounding: mode) else {
          throw unsupported("the conversion of \(source) to \(element)", operation)
        }
        operands[result.index] = emitDense(handler, inputs, lane: lane)
      } else if Lane(source).unsignedAgnostic == lane.unsignedAgnostic, lane != .bool {
        operands[result.index] = Operand(
          slot: inputs[0].slot, lane: lane, shape: inputs[0].shape)
      } else {
        operands[result.index] = emitElementwise(
          CastHandlers.integer(from: Lane(source), to: lane), inputs, lane: lane)
      }
    case .external(let symbol, _):
      let types = operation.operands.map { tile($0).element }
      guard !inputs.isEmpty,
        let function = ElementMath.function(symbol: symbol, operands: types, result: element)
      else { throw unsupported("the function '\(symbol)'", operation) }
      let shape = joined(inputs.map(\.shape))
      operands[result.index] = emitDense(
        MathHandlers.apply(function), inputs.map { materialize($0, shape) }, lane: lane)
    default: break
    }
  }

  /// Lanes of narrow floats brought back to their format; int1 arithmetic to one bit.
  private mutating func normalized(
    _ target: Operand, _ element: ElementType, _ op: BinaryOp
  ) -> Operand {
    if element == .int1 {
      switch op {
      case .and, .or, .xor, .minimum, .maximum, .mul: return target
      default:
        let one = constant(1, .bool, target.shape)
        guard let mask = IntegerHandlers.wrapping(.and, .bool) else { return target }
        return emitElementwise(mask, [target, one], lane: .bool)
      }
    }
    switch op {
    case .minimum, .maximum, .minimumNaN, .maximumNaN: return target
    default: return rounded(target, element)
    }
  }

  mutating func rounded(_ target: Operand, _ element: ElementType) -> Operand {
    guard element.isNarrowFloat else { return target }
    return emitDense(MathHandlers.round(element), [target], lane: .float)
  }

  /// An instruction over whole buffers: operands must have the result's shape.
  mutating func emitDense(_ handler: @escaping Handler, _ inputs: [Operand], lane: Lane) -> Operand
  {
    let target = newOperand(lane, inputs.first?.shape ?? [])
    var instruction = Instruction(handler: handler)
    instruction.d = target.slot
    instruction.n = target.count
    instruction.site = currentSite
    var fields: Fields = .d
    if let first = inputs.first {
      instruction.a = first.slot
      fields.insert(.a)
    }
    if inputs.count > 1 {
      instruction.b = inputs[1].slot
      fields.insert(.b)
    }
    if inputs.count > 2 {
      instruction.c = inputs[2].slot
      fields.insert(.c)
    }
    var detail: Detail?
    if inputs.count > 3 {
      detail = Detail()
      detail?.value = Detail.Part(offset: inputs[3].slot)
    }
    emit(
      Pending(
        instruction: instruction, reads: inputs.map(\.slot), writes: [target.slot],
        fields: fields, detail: detail))
    return target
  }

  private mutating func bitcast(
    _ input: Operand, from source: ElementType, to target: ElementType
  ) -> Operand {
    var bits = input
    if source.isNarrowFloat {
      bits = emitDense(
        MathHandlers.encode(source), [input], lane: source.bytes == 1 ? .uint8 : .uint16)
    }
    if target.isNarrowFloat {
      return emitDense(MathHandlers.decode(target), [bits], lane: .float)
    }
    return Operand(slot: bits.slot, lane: Lane(target), shape: bits.shape)
  }
}
