import TileIR

extension InstructionEstimate {
  /// What one execution of an operation costs one warp, without integer division.
  static func cost(_ node: FlatFunction.Node, _ context: Context) -> InstructionMix {
    let operation = node.operation
    let flat = context.flat
    let result = operation.results.first
    let type = result.flatMap { flat.type(of: $0) }
    switch operation.kind {
    case .unary(let op):
      guard let type else { return InstructionMix() }
      return InstructionTable.unary(op, type.element) * elements(node, context)
    case .binary(let op):
      guard let type, let result else { return InstructionMix() }
      if (op == .idiv || op == .rem) && type.element.isInteger { return InstructionMix() }
      if op == .mul, isFused(result, flat) { return InstructionMix() }
      if op == .add, isAccumulatorUpdate(operation, context) { return InstructionMix() }
      return InstructionTable.binary(op, type.element) * elements(node, context)
    case .compare: return InstructionTable.alu(elements(node, context))
    case .select, .clamp: return InstructionTable.alu(elements(node, context))
    case .fma: return InstructionMix([.fp32: elements(node, context)])
    case .cast(.bitcast): return InstructionMix()
    case .cast(.convert):
      guard let type, let source = operation.operands.first.flatMap({ flat.type(of: $0) }) else {
        return InstructionMix()
      }
      return InstructionTable.cast(from: source.element, to: type.element) * elements(node, context)
    case .addPointer: return pointerCost(node, context)
    case .external:
      return InstructionMix([.fp32: 16, .special: 1, .control: 4]) * elements(node, context)
    case .inlineAssembly: return InstructionMix([.integerALU: 2]) * elements(node, context)
    case .programID, .numPrograms: return InstructionMix([.control: 1])
    case .makeRange: return InstructionTable.alu(2)
    case .load, .store, .atomicRMW, .atomicCAS, .blockLoad, .blockStore, .descriptorLoad,
      .descriptorStore, .descriptorGather, .descriptorScatter:
      return memoryCost(node, context)
    case .dot, .dotScaled: return dotCost(node, context)
    case .reduce(let axis, let combine, _): return reduceCost(node, axis, combine, context)
    case .scan(let axis, _, _): return scanCost(node, axis, context)
    case .histogram:
      let count = operation.operands.first.map { perThread($0, context) } ?? 1
      return InstructionMix([.atomic: count, .sharedLoad: 2, .barrier: 2])
    case .forLoop: return InstructionMix([.control: 2, .integerALU: 2])
    case .whileLoop, .ifElse: return InstructionMix([.control: 2])
    case .barrier: return InstructionMix([.barrier: 1])
    case .gather:
      let count = elements(node, context)
      return InstructionMix([.sharedStore: count, .sharedLoad: count, .barrier: 2])
    default: return InstructionMix()
    }
  }

  /// The registers' worth of elements one thread holds of a value in its own layout.
  static func perThread(_ value: Value, _ context: Context) -> Double {
    guard let type = context.flat.type(of: value), !type.isScalar else { return 1 }
    let layout =
      context.layouts.anchored[value]
      ?? context.flat.definition(of: value).flatMap { context.layouts.layouts[$0.id].first }
      ?? .standard(shape: type.shape, warps: context.warps)
    return Double(layout.elementsPerThread(type.shape))
  }

  /// A product whose only user adds to it becomes one multiply-add.
  private static func isFused(_ value: Value, _ flat: FlatFunction) -> Bool {
    let users = flat.users[safe: value.index] ?? []
    guard users.count == 1 else { return false }
    var user = flat.nodes[users[0]].operation
    // Broadcasts stand between `a * b` and `+ c`.
    for _ in 0..<3 {
      switch user.kind {
      case .broadcast, .expandDims, .splat:
        guard let next = user.results.first, let ids = flat.users[safe: next.index], ids.count == 1
        else { return false }
        user = flat.nodes[ids[0]].operation
      case .binary(.add), .binary(.sub): return true
      default: return false
      }
    }
    return false
  }

  /// `acc += dot(a, b)`: the compiler hands the accumulator to the dot.
  static func isAccumulatorUpdate(_ operation: Operation, _ context: Context) -> Bool {
    operation.operands.contains { operand in
      guard let definition = context.flat.definition(of: operand),
        (context.flat.users[safe: operand.index] ?? []).count == 1
      else { return false }
      switch definition.operation.kind {
      case .dot, .dotScaled:
        guard let start = definition.operation.operands.last,
          let made = context.flat.definition(of: start)
        else { return false }
        if case .constant = made.operation.kind { return true }
        if case .splat = made.operation.kind { return true }
        return false
      default: return false
      }
    }
  }

  /// One 64-bit multiply-add (IMAD.WIDE) for each address the thread forms.
  private static func pointerCost(_ node: FlatFunction.Node, _ context: Context) -> InstructionMix {
    guard let result = node.operation.results.first else { return InstructionMix() }
    let count = elements(node, context)
    var width = 1.0
    for id in context.flat.users[safe: result.index] ?? [] {
      if let access = MemoryAccess(context.flat.nodes[id].operation, in: context.flat),
        access.pointer == result
      {
        width = max(width, Double(vectorElements(id, access, context)))
      }
    }
    return InstructionMix([.integerMultiply: max(1, count / width)])
  }

  /// The elements one instruction moves for a thread.
  static func vectorElements(_ id: Int, _ access: MemoryAccess, _ context: Context) -> Int {
    guard let layout = context.layouts.memory[id], let fastest = layout.order.first else {
      return 1
    }
    var width = layout.sizePerThread[fastest]
    if !access.isBlock {
      width = min(
        width,
        TileLayout.elementsPerAccess(
          context.axes.facts(of: access.pointer), axis: fastest,
          elementBytes: access.element.bytes, extent: access.shape[fastest]))
      if let mask = access.mask {
        let facts = context.axes.facts(of: mask)
        if facts.rank > fastest { width = min(width, max(1, facts.constancy[fastest])) }
      }
    }
    return max(1, min(width, 16 / max(1, access.element.bytes)))
  }

  private static func memoryCost(_ node: FlatFunction.Node, _ context: Context) -> InstructionMix {
    guard let access = MemoryAccess(node.operation, in: context.flat) else {
      return InstructionMix()
    }
    let layout = context.layouts.memory[node.id]
    let count = layout.map { Double($0.elementsPerThread(access.shape)) } ?? 1
    let width = Double(vectorElements(node.id, access, context))
    let requests = max(1, count / width)
    var mix = InstructionMix()
    if access.isAtomic {
      mix[.atomic] = count
    } else if access.isLoad {
      mix[.globalLoad] = requests
      // A masked-off register must hold `other`: half an instruction each (CS2R clears two).
      if access.mask != nil {
        mix[.control] = count * Double(max(1, access.element.bytes / 4)) / 2
      }
    } else {
      mix[.globalStore] = requests
    }
    if access.isLoad, node.loops.last.map({ context.pipelinedLoops.contains($0) }) ?? false {
      // An asynchronous copy names its place in shared memory and how many bytes to copy.
      // Counted on masked 4-byte copies: 3 to 10 a copy.
      mix[.integerALU] += requests * (access.mask == nil ? 2 : 5)
      mix[.control] = 0
    }
    if access.isBlock {  // addresses and boundary checks are made here
      mix[.integerMultiply] += requests
      mix[.integerALU] += requests * 2
    }
    return mix
  }

  /// Shared-memory moves between layouts, beside the operation itself.
  static func staging(_ node: FlatFunction.Node, _ context: Context) -> InstructionMix {
    var mix = InstructionMix()
    for value in context.layouts.conversions[node.id] ?? [] {
      guard let type = context.flat.type(of: value) else { continue }
      let words = perThread(value, context) * Double(type.element.bytes) / 4
      mix += InstructionMix([
        .sharedStore: max(1, words / 4), .sharedLoad: max(1, words / 4), .barrier: 2,
        .integerALU: 4,
      ])
    }
    return mix
  }
}
