import Diagnostics
import TileIR

extension MachineCompiler {
  // MARK: Loads and stores

  mutating func compileLoad(
    _ operation: Operation, _ attributes: LoadAttributes
  ) throws(Diagnostic) {
    let result = operation.results[0]
    let element = tile(result).element
    guard let parts = parts(of: operation.operands[0]) else {
      throw unsupported("a load through this pointer", operation)
    }
    var mask: Operand?
    var other: Operand?
    if attributes.hasMask { mask = try operand(operation.operands[1], operation) }
    if attributes.hasOther {
      other = try lanes(operation.operands[2], operation)
      if element.isNarrowFloat, let lanes = other {
        other = emitDense(
          MathHandlers.encode(element), [lanes], lane: element.bytes == 1 ? .uint8 : .uint16)
      }
    }
    let rank = tile(result).shape.map { _ in 1 }
    var shape = joined(
      [rank] + parts.terms.map(\.operand.shape) + [mask, other].compactMap { $0?.shape })
    if attributes.isVolatile { shape = tile(result).shape }
    let rawLane: Lane =
      element.isNarrowFloat ? (element.bytes == 1 ? .uint8 : .uint16) : Lane(element)
    emitOverflowCheck(parts, over: shape, mask: mask, bytes: element.bytes)
    let target = newOperand(rawLane, shape)
    var detail = Detail()
    accessParts(parts, over: shape, into: &detail)
    if let mask { detail.mask = lanePart(mask, over: shape) }
    if let other { detail.other = lanePart(other, over: shape) }
    emitAccess(
      LoadHandlers.load(element), shape, detail, writes: target, isLoad: true)
    operands[result.index] =
      element.isNarrowFloat
      ? emitDense(MathHandlers.decode(element), [target], lane: .float) : target
  }

  mutating func compileStore(
    _ operation: Operation, _ attributes: StoreAttributes
  ) throws(Diagnostic) {
    let element = tile(operation.operands[1]).element
    guard let parts = parts(of: operation.operands[0]) else {
      throw unsupported("a store through this pointer", operation)
    }
    var value = try lanes(operation.operands[1], operation)
    if element.isNarrowFloat {
      value = emitDense(
        MathHandlers.encode(element), [value], lane: element.bytes == 1 ? .uint8 : .uint16)
    }
    var shapes = parts.terms.map(\.operand.shape) + [value.shape]
    var mask: Operand?
    if attributes.hasMask {
      let lanes = try operand(operation.operands[2], operation)
      mask = lanes
      shapes.append(lanes.shape)
    }
    let shape = joined(shapes)
    emitOverflowCheck(parts, over: shape, mask: mask, bytes: element.bytes)
    var detail = Detail()
    accessParts(parts, over: shape, into: &detail)
    if let mask { detail.mask = lanePart(mask, over: shape) }
    detail.value = lanePart(value, over: shape)
    emitAccess(StoreHandlers.store(bytes: element.bytes), shape, detail, writes: nil, isLoad: false)
  }

  /// Emits a memory instruction over rows of lanes.
  mutating func emitAccess(
    _ handler: @escaping Handler, _ shape: [Int], _ detail: Detail, writes target: Operand?,
    isLoad: Bool
  ) {
    var instruction = Instruction(handler: handler)
    instruction.n = shape.last ?? 1
    instruction.rows = shape.dropLast().reduce(1, *)
    instruction.site = currentSite
    program.sites[program.sites.count - 1].shape = shape
    program.longestRow = max(program.longestRow, instruction.n)
    var fields: Fields = []
    if let target, isLoad {
      instruction.d = target.slot
      fields.insert(.d)
    }
    let parts = [
      detail.rowBase, detail.columns, detail.offsets, detail.mask, detail.other, detail.value,
    ]
    emit(
      Pending(
        instruction: instruction, reads: parts.filter(\.isPresent).map(\.offset),
        writes: target.map { [$0.slot] } ?? [], fields: fields, detail: detail, hasEffect: true))
  }

  // MARK: Atomics

  mutating func compileAtomic(
    _ operation: Operation, _ op: AtomicOp, hasMask: Bool
  ) throws(Diagnostic) {
    let element = tile(operation.operands[1]).element
    guard let handler = AtomicHandlers.readModifyWrite(op, element) else {
      throw unsupported("atomic \(op.rawValue) on \(element)", operation)
    }
    var mask: Operand?
    if hasMask { mask = try operand(operation.operands[2], operation) }
    try compileAtomic(operation, handler, element, value: 1, expected: nil, mask: mask)
  }

  mutating func compileCompareAndSwap(_ operation: Operation) throws(Diagnostic) {
    let element = tile(operation.operands[1]).element
    try compileAtomic(
      operation, AtomicHandlers.compareAndSwap(bytes: element.bytes), element, value: 2,
      expected: 1, mask: nil)
  }

  private mutating func compileAtomic(
    _ operation: Operation, _ handler: @escaping Handler, _ element: ElementType, value: Int,
    expected: Int?, mask: Operand?
  ) throws(Diagnostic) {
    guard let parts = parts(of: operation.operands[0]) else {
      throw unsupported("an atomic operation through this pointer", operation)
    }
    // Every lane counts, equal or not.
    let shape = tile(operation.operands[value]).shape
    let rawLane: Lane =
      element.isNarrowFloat ? (element.bytes == 1 ? .uint8 : .uint16) : Lane(element)
    func raw(_ compiler: inout MachineCompiler, _ index: Int) throws(Diagnostic) -> Operand {
      let lanes = try compiler.lanes(operation.operands[index], operation)
      guard element.isNarrowFloat else { return lanes }
      return compiler.emitDense(MathHandlers.encode(element), [lanes], lane: rawLane)
    }
    let new = try raw(&self, value)
    emitOverflowCheck(parts, over: shape, mask: mask, bytes: element.bytes)
    var detail = Detail()
    accessParts(parts, over: shape, into: &detail)
    if let mask { detail.mask = lanePart(mask, over: shape) }
    detail.value = lanePart(new, over: shape)
    if let expected { detail.other = lanePart(try raw(&self, expected), over: shape) }
    let target = newOperand(rawLane, shape)
    detail.result = Detail.Part(offset: target.slot)
    emitAccess(handler, shape, detail, writes: target, isLoad: false)
    program.hasAtomics = true
    if let result = operation.results.first {
      operands[result.index] =
        element.isNarrowFloat
        ? emitDense(MathHandlers.decode(element), [target], lane: .float) : target
    }
  }

  // MARK: Facts and effects

  mutating func compileHint(
    _ operation: Operation, _ kind: HintKind, _ values: [Int]
  ) throws(Diagnostic) {
    let result = operation.results[0]
    let source = operation.operands[0]
    if let parts = pointers[source.index] {
      pointers[result.index] = parts
    } else {
      operands[result.index] = operands[source.index]
    }
    guard let lanes = addressesOrLanes(source),
      tile(source).element.isInteger || tile(source).element.isPointer
    else { return }
    let shape = tile(source).shape
    let all = materialize(lanes, shape)
    let wide =
      all.lane == .int64
      ? all : emitElementwise(CastHandlers.integer(from: all.lane, to: .int64), [all], lane: .int64)
    var instruction = Instruction(handler: HintHandlers.check(kind))
    (instruction.a, instruction.n) = (wide.slot, all.count)
    instruction.site = currentSite
    instruction.imm = tile(source).element.pointee?.bytes ?? 1
    var detail = Detail()
    detail.sizes = shape
    detail.more = values
    emit(
      Pending(
        instruction: instruction, reads: [wide.slot], fields: .a, detail: detail, hasEffect: true))
  }

  private mutating func addressesOrLanes(_ value: Value) -> Operand? {
    pointers[value.index] != nil ? addresses(of: value) : operands[value.index]
  }

  mutating func compileCheck(
    _ operation: Operation, _ handler: @escaping Handler, text: String
  ) throws(Diagnostic) {
    let condition = try operand(operation.operands[0], operation)
    var instruction = Instruction(handler: handler)
    (instruction.a, instruction.n) = (condition.slot, condition.count)
    instruction.site = currentSite
    program.sites[program.sites.count - 1].shape = condition.shape
    program.sites[program.sites.count - 1].text = text
    var detail = Detail()
    detail.text = text
    emit(
      Pending(
        instruction: instruction, reads: [condition.slot], fields: .a, detail: detail,
        hasEffect: true))
  }

  mutating func compilePrint(_ operation: Operation, _ prefix: String) throws(Diagnostic) {
    program.prints = true
    for value in operation.operands {
      guard tile(value).element.isPointer == false else { continue }
      let lanes = try operand(value, operation)
      var instruction = Instruction(handler: FrameHandlers.print(tile(value).element))
      (instruction.a, instruction.n) = (lanes.slot, lanes.count)
      var detail = Detail()
      detail.text = prefix
      emit(
        Pending(
          instruction: instruction, reads: [lanes.slot], fields: .a, detail: detail,
          hasEffect: true))
    }
  }
}
