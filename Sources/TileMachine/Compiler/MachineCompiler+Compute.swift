import Diagnostics
import TileIR

extension MachineCompiler {
  // MARK: Products

  mutating func compileDot(
    _ operation: Operation, _ precision: InputPrecision
  ) throws(Diagnostic) {
    let result = operation.results[0]
    let (aType, bType, type) = (
      tile(operation.operands[0]), tile(operation.operands[1]), tile(result)
    )
    let rank = type.shape.count
    let k = aType.shape[rank - 1]
    var a = materialize(try operand(operation.operands[0], operation), aType.shape)
    var b = materialize(try operand(operation.operands[1], operation), bType.shape)
    let c = materialize(try operand(operation.operands[2], operation), type.shape)
    let handler: Handler
    let lane: Lane
    switch Lane(type.element) {
    case .double:
      lane = .double
      handler = DotHandlers.double
    case .float:
      lane = .float
      handler = DotHandlers.float
      if aType.element.isInteger || bType.element.isInteger {
        throw unsupported("a product of integers into \(type.element)", operation)
      }
    case .int32:
      lane = .int32
      handler = DotHandlers.integer
      a = emitElementwise(CastHandlers.integer(from: a.lane, to: .int32), [a], lane: .int32)
      b = emitElementwise(CastHandlers.integer(from: b.lane, to: .int32), [b], lane: .int32)
    default: throw unsupported("a product into \(type.element)", operation)
    }
    let splits = aType.element == .fp32 && bType.element == .fp32 && lane == .float
    if splits, precision == .tf32 {
      a = emitDense(DotHandlers.truncateToTF32, [a], lane: .float)
      b = emitDense(DotHandlers.truncateToTF32, [b], lane: .float)
    } else if splits, precision != .ieee {
      operands[result.index] = emitSplitProduct(
        precision, a, b, c, type.shape, k)
      return
    }
    operands[result.index] = rounded(
      emitProduct(handler, a, b, c, type.shape, k), type.element)
  }

  /// `tf32x3`, `bf16x3` and `bf16x6`, as Triton's F32DotTC pass: operands are split into parts, the
  /// smaller products come first, without NaN (an infinite first part leaves NaN as the others), then
  /// the product of the first parts, then the accumulator.
  private mutating func emitSplitProduct(
    _ precision: InputPrecision, _ a: Operand, _ b: Operand, _ c: Operand, _ shape: [Int], _ k: Int
  ) -> Operand {
    let left = split(a, precision)
    let right = split(b, precision)
    var sum = materialize(constant(0.0, .float, shape), shape)
    for order in (1..<left.count).reversed() {
      for part in 0...order {
        sum = emitProduct(
          DotHandlers.float, left[order - part], right[part], sum, shape, k)
      }
    }
    sum = emitDense(DotHandlers.withoutNaN, [sum], lane: .float)
    sum = emitProduct(DotHandlers.float, left[0], right[0], sum, shape, k)
    guard let add = FloatHandlers.binary(.add, .float) else { return sum }
    return emitElementwise(add, [sum, c], lane: .float)
  }

  /// The parts of fp32 lanes, largest first: two in TF32, or two or three in bf16.
  private mutating func split(_ operand: Operand, _ precision: InputPrecision) -> [Operand] {
    guard precision != .tf32x3, let subtract = FloatHandlers.binary(.sub, .float) else {
      return [
        emitDense(DotHandlers.roundToTF32, [operand], lane: .float),
        emitDense(DotHandlers.residueOfTF32, [operand], lane: .float),
      ]
    }
    var parts: [Operand] = []
    var rest = operand
    for index in 0..<(precision == .bf16x6 ? 3 : 2) {
      if index > 0 { rest = emitElementwise(subtract, [rest, parts[index - 1]], lane: .float) }
      parts.append(emitDense(MathHandlers.round(.bf16), [rest], lane: .float))
    }
    return parts
  }

  /// a [batch…, m, k] · b [batch…, k, n] + c, all dense; `shape` is that of c and the result.
  mutating func emitProduct(
    _ handler: @escaping Handler, _ a: Operand, _ b: Operand, _ c: Operand, _ shape: [Int], _ k: Int
  ) -> Operand {
    let target = newOperand(c.lane, shape)
    var instruction = Instruction(handler: handler)
    (instruction.d, instruction.a, instruction.b, instruction.c) = (
      target.slot, a.slot, b.slot, c.slot
    )
    var detail = Detail()
    let rank = shape.count
    detail.sizes = [shape.dropLast(2).reduce(1, *), shape[rank - 2], shape[rank - 1], k]
    detail.products = detail.sizes.reduce(1, *)
    emit(
      Pending(
        instruction: instruction, reads: [a.slot, b.slot, c.slot], writes: [target.slot],
        fields: [.d, .a, .b, .c], detail: detail))
    return target
  }

  // MARK: Reductions and scans

  /// The tile as [outer, length, inner] around an axis; nil axis: all of it is reduced.
  private func sizes(_ shape: [Int], axis: Int?) -> [Int] {
    guard let axis else { return [1, shape.reduce(1, *), 1] }
    return [
      shape[..<axis].reduce(1, *), shape[axis], shape[(axis + 1)...].reduce(1, *),
    ]
  }

  mutating func compileReduce(
    _ operation: Operation, axis: Int?, _ combine: CombineKind
  ) throws(Diagnostic) {
    let types = operation.operands.map(tile)
    let shape = types[0].shape
    let outShape = tile(operation.results[0]).shape
    // Axes other than the reduced one stay as they are stored.
    var inputs: [Operand] = []
    for value in operation.operands { inputs.append(try lanes(value, operation)) }
    var common = joined(inputs.map(\.shape) + [shape.map { _ in 1 }])
    if let axis { common[axis] = shape[axis] } else { common = shape }
    inputs = inputs.map { materialize($0, common) }
    var outStored = outShape.map { _ in 1 }
    if let axis {
      var rest = common
      if outShape.count == common.count { rest[axis] = 1 } else { rest.remove(at: axis) }
      outStored = rest
    }
    let sizes = sizes(common, axis: axis)
    func result(_ index: Int, _ operand: Operand) {
      operands[operation.results[index].index] = Operand(
        slot: operand.slot, lane: operand.lane, shape: outStored)
    }
    let element = types[0].element
    if inputs.count == 1, !element.isNarrowFloat || combine == .max || combine == .min,
      let handler = ReduceHandlers.reduce(combine, inputs[0].lane),
      element != .int1 || combine != .sum
    {
      let target = newOperand(inputs[0].lane, outStored)
      let scratch = newSlot(max(1, sizes[1] * sizes[2] / 2) * inputs[0].lane.bytes)
      var instruction = Instruction(handler: handler)
      (instruction.d, instruction.a, instruction.b) = (target.slot, inputs[0].slot, scratch)
      var detail = Detail()
      detail.sizes = sizes
      emit(
        Pending(
          instruction: instruction, reads: [inputs[0].slot], writes: [target.slot, scratch],
          fields: [.d, .a, .b], detail: detail))
      result(0, target)
      return
    }
    let isArg =
      combine == .argmaxLeft || combine == .argmaxFast || combine == .argminLeft
      || combine == .argminFast
    if isArg, inputs.count == 2, inputs[1].lane == .int32,
      let handler = ReduceHandlers.arg(inputs[0].lane)
    {
      let values = newOperand(inputs[0].lane, outStored)
      let indices = newOperand(.int32, outStored)
      var instruction = Instruction(handler: handler)
      (instruction.a, instruction.b, instruction.d, instruction.c) = (
        inputs[0].slot, inputs[1].slot, values.slot, indices.slot
      )
      instruction.imm = combine == .argmaxLeft || combine == .argmaxFast ? 1 : 0
      var detail = Detail()
      detail.sizes = sizes
      emit(
        Pending(
          instruction: instruction, reads: [inputs[0].slot, inputs[1].slot],
          writes: [values.slot, indices.slot], fields: [.d, .a, .b, .c], detail: detail))
      result(0, values)
      result(1, indices)
      return
    }
    // A tree over rows: the axis goes first, neighbours are combined, level by level.
    var level = inputs.map { axisFirst($0, sizes) }
    var length = sizes[1]
    let rest = sizes[0] * sizes[2]
    while length > 1 {
      let half = length / 2
      let even = level.map { rows($0, first: 0, step: 2, count: half, rest) }
      let odd = level.map { rows($0, first: 1, step: 2, count: half, rest) }
      level = try self.combine(operation, combine, even, odd, types.map(\.element)).map {
        materialize($0, [half, rest])
      }
      length = half
    }
    for (index, operand) in level.enumerated() { result(index, operand) }
  }

  /// [outer, length, inner] → [length, outer * inner].
  private mutating func axisFirst(_ operand: Operand, _ sizes: [Int]) -> Operand {
    let target = newOperand(operand.lane, [sizes[1], sizes[0] * sizes[2]])
    emitCopy(
      Operand(slot: operand.slot, lane: operand.lane, shape: sizes),
      strides: [sizes[2], sizes[1] * sizes[2], 1],
      into: Operand(slot: target.slot, lane: target.lane, shape: [sizes[1], sizes[0], sizes[2]]))
    return target
  }

  private mutating func rows(
    _ operand: Operand, first: Int, step: Int, count: Int, _ rest: Int
  ) -> Operand {
    let target = newOperand(operand.lane, [count, rest])
    emitCopy(operand, strides: [step * rest, 1], offset: first * rest, into: target)
    return target
  }

  /// One application of a combine function to tiles of left and right operands.
  private mutating func combine(
    _ operation: Operation, _ combine: CombineKind, _ left: [Operand], _ right: [Operand],
    _ elements: [ElementType]
  ) throws(Diagnostic) -> [Operand] {
    if combine == .custom {
      guard let region = operation.regions.first else {
        throw unsupported("a reduction without its combine function", operation)
      }
      for (argument, operand) in zip(region.arguments, left + right) {
        operands[argument.index] = operand
      }
      let here = location
      depth += 1
      defer {
        depth -= 1
        location = here
      }
      for inner in region.operations {
        if inner.kind == .yield {
          var results: [Operand] = []
          for value in inner.operands { results.append(try operand(value, inner)) }
          return results
        }
        switch inner.kind {
        case .ifElse, .forLoop, .whileLoop, .load, .store, .atomicRMW, .atomicCAS, .reduce, .scan:
          throw unsupported("'\(inner.kind.name)' in a combine function", inner)
        default: try compile(inner)
        }
      }
      throw unsupported("a combine function without a result", operation)
    }
    let lane = left[0].lane
    let op: BinaryOp
    switch combine {
    case .sum: op = .add
    case .prod: op = .mul
    case .max: op = .maximum
    case .min: op = .minimum
    case .and: op = .and
    case .or: op = .or
    case .xor: op = .xor
    default: throw unsupported("the reduction '\(combine.rawValue)'", operation)
    }
    let handler =
      FloatHandlers.binary(op, lane) ?? IntegerHandlers.wrapping(op, lane)
      ?? IntegerHandlers.ordered(op, lane)
    guard let handler else {
      throw unsupported("the reduction '\(combine.rawValue)' of \(elements[0])", operation)
    }
    return [rounded(emitElementwise(handler, [left[0], right[0]], lane: lane), elements[0])]
  }

  mutating func compileScan(
    _ operation: Operation, axis: Int, _ combine: CombineKind, isReversed: Bool
  ) throws(Diagnostic) {
    let types = operation.operands.map(tile)
    let shape = types[0].shape
    var inputs: [Operand] = []
    for value in operation.operands {
      inputs.append(materialize(try lanes(value, operation), shape))
    }
    let sizes = sizes(shape, axis: axis)
    let element = types[0].element
    if inputs.count == 1, !element.isNarrowFloat, element != .int1,
      let handler = ReduceHandlers.scan(combine, inputs[0].lane)
    {
      let target = newOperand(inputs[0].lane, shape)
      var instruction = Instruction(handler: handler)
      (instruction.d, instruction.a, instruction.imm) = (
        target.slot, inputs[0].slot, isReversed ? 1 : 0
      )
      var detail = Detail()
      detail.sizes = sizes
      emit(
        Pending(
          instruction: instruction, reads: [inputs[0].slot], writes: [target.slot],
          fields: [.d, .a], detail: detail))
      operands[operation.results[0].index] = target
      return
    }
    // Doubling: after step s each row holds the combination of the last 2^s rows up to it.
    let length = sizes[1]
    let rest = sizes[0] * sizes[2]
    var rowsNow = inputs.map { axisFirst($0, sizes) }
    if isReversed { rowsNow = rowsNow.map { flipped($0, length, rest) } }
    var distance = 1
    while distance < length {
      let left = rowsNow.map { rows($0, first: 0, step: 1, count: length - distance, rest) }
      let right = rowsNow.map { rows($0, first: distance, step: 1, count: length - distance, rest) }
      let next = try self.combine(operation, combine, left, right, types.map(\.element))
      rowsNow = zip(rowsNow, next).map { old, new in
        let target = newOperand(old.lane, [length, rest])
        let head = rows(old, first: 0, step: 1, count: distance, rest)
        emitPlacement(head, into: target, at: 0, step: 1)
        emitPlacement(
          materialize(new, [length - distance, rest]), into: target, at: distance * rest, step: 1)
        return target
      }
      distance *= 2
    }
    if isReversed { rowsNow = rowsNow.map { flipped($0, length, rest) } }
    for (index, operand) in rowsNow.enumerated() {
      let target = newOperand(operand.lane, shape)
      emitCopy(
        operand, strides: [sizes[2], rest, 1],
        into: Operand(slot: target.slot, lane: target.lane, shape: sizes))
      operands[operation.results[index].index] = target
    }
  }

  private mutating func flipped(_ operand: Operand, _ length: Int, _ rest: Int) -> Operand {
    let target = newOperand(operand.lane, [length, rest])
    emitCopy(operand, strides: [-rest, 1], offset: (length - 1) * rest, into: target)
    return target
  }

  mutating func compileHistogram(
    _ operation: Operation, _ bins: Int, _ hasMask: Bool
  ) throws(Diagnostic) {
    let type = tile(operation.operands[0])
    let input = materialize(try operand(operation.operands[0], operation), type.shape)
    let target = newOperand(.int32, [bins])
    var instruction = Instruction(handler: ReduceHandlers.histogram)
    (instruction.d, instruction.a, instruction.n) = (target.slot, input.slot, input.count)
    (instruction.imm, instruction.imm2) = (input.lane.bytes, hasMask ? 1 : 0)
    instruction.site = currentSite
    var reads = [input.slot]
    var fields: Fields = [.d, .a]
    if hasMask {
      let mask = materialize(try operand(operation.operands[1], operation), type.shape)
      instruction.b = mask.slot
      reads.append(mask.slot)
      fields.insert(.b)
    }
    var detail = Detail()
    detail.sizes = [bins]
    emit(
      Pending(
        instruction: instruction, reads: reads, writes: [target.slot], fields: fields,
        detail: detail, hasEffect: true))
    operands[operation.results[0].index] = target
  }
}
