import TileIR

extension InstructionEstimate {
  /// The depth of one tensor-core instruction along K, by operand type (PTX ISA, `mma` shapes).
  static func tensorDepth(_ element: ElementType) -> Int {
    switch element {
    case .fp32: 8
    case .fp16, .bf16: 16
    default: 32
    }
  }

  static func dotCost(_ node: FlatFunction.Node, _ context: Context) -> InstructionMix {
    guard let dot = DotShape(node.operation, in: context.flat),
      let layout = context.layouts.dots[node.id]
    else { return InstructionMix() }
    var mix = InstructionMix()
    let batch = Double(dot.batch)
    let rowsPerWarp = Double(max(1, dot.m / max(1, layout.warpsM)))
    let columnsPerWarp = Double(max(1, dot.n / max(1, layout.warpsN)))
    switch layout.unit {
    case .fma:
      let perThread =
        batch * Double(dot.m) * Double(dot.n) * Double(dot.k)
        / Double(32 * context.warps)
      mix[dot.lhs == .fp64 ? .fp64 : .fp32] = perThread
      // Operands come from shared memory; a 4 × 4 patch reads 8 values for 16 multiply-adds.
      mix[.sharedLoad] = perThread / 8
    case .warp:
      let rows = (rowsPerWarp / 16).rounded(.up)
      let columns = (columnsPerWarp / 8).rounded(.up)
      let depth = (Double(dot.k) / Double(tensorDepth(dot.lhs))).rounded(.up)
      mix[.tensor] = batch * rows * columns * depth * Double(dot.passes)
      if dot.passes > 1 {  // splitting the operands
        let words = (rowsPerWarp + columnsPerWarp) * Double(dot.k) / 32
        mix[.fp32] = 3 * batch * words
      }
      let words = batch * Double(dot.k) * Double(dot.lhs.bytes) / 32 / 4
      mix[.sharedLoad] =
        operandReads(node, 0, max(16, rowsPerWarp) * words, context)
        + operandReads(node, rhsIndex(node.operation), max(8, columnsPerWarp) * words, context)
    case .warpGroup:
      // One instruction covers 64 rows, up to 256 columns and 32 bytes of K, for four warps.
      let depth = (Double(dot.k * dot.lhs.bytes) / 32).rounded(.up)
      let rows = (Double(dot.m) / 64 / Double(max(1, layout.warpsM / 4))).rounded(.up)
      mix[.tensor] =
        batch * rows * (Double(dot.n) / 256).rounded(.up) * depth
        * Double(dot.passes)
      mix[.integerALU] = mix[.tensor]
    }
    var stored = 0.0
    for index in [0, rhsIndex(node.operation)] where index < node.operation.operands.count {
      stored += operandStores(node, node.operation.operands[index], context)
    }
    mix[.sharedStore] = stored
    mix[.barrier] = stored > 0 ? 2 : 1
    return mix
  }

  static func rhsIndex(_ operation: Operation) -> Int {
    if case .dotScaled(_, _, let hasLHSScale, _, _, _, _) = operation.kind {
      return hasLHSScale ? 2 : 1
    }
    return 1
  }

  /// The load a dot operand comes from through casts and arithmetic; nil if it is computed.
  static func sourceLoad(_ value: Value, _ flat: FlatFunction) -> FlatFunction.Node? {
    var current = value
    for _ in 0..<16 {
      guard let node = flat.definition(of: current) else { return nil }
      switch node.operation.kind {
      case .load, .blockLoad, .descriptorLoad: return node
      case .cast, .trans, .unary, .binary, .reshape, .hint, .select:
        // The operand of the same shape carries the data.
        let shape = flat.type(of: current)?.count
        guard
          let next = node.operation.operands.first(where: {
            flat.type(of: $0)?.count == shape && flat.definition(of: $0) != nil
          })
        else { return nil }
        current = next
      default: return nil
      }
    }
    return nil
  }

  /// True where a dot operand is another dot's result and stays in registers.
  static func comesFromDot(_ value: Value, _ context: Context) -> Bool {
    guard let layout = context.layouts.anchored[value] else { return false }
    return layout.rank >= 2 && layout.sizePerThread.suffix(2) == [2, 2]
      && layout.threadsPerWarp.suffix(2) == [8, 4]
  }

  /// Loads of one operand from shared memory into one warp's registers.
  private static func operandReads(
    _ node: FlatFunction.Node, _ index: Int, _ words: Double, _ context: Context
  ) -> Double {
    guard index < node.operation.operands.count else { return 0 }
    let value = node.operation.operands[index]
    if comesFromDot(value, context) { return 0 }
    let isLeft = index == 0
    var isAlongK = isLeft  // ldmatrix wants K innermost for 32-bit operands
    if let load = sourceLoad(value, context.flat), let layout = context.layouts.memory[load.id],
      layout.rank >= 2
    {
      let kAxis = isLeft ? layout.rank - 1 : layout.rank - 2
      isAlongK = layout.order.first == kAxis
    }
    let bytes = context.flat.type(of: value)?.element.bytes ?? 4
    // ldmatrix moves four registers; it transposes 16-bit elements on the way, not wider ones.
    return bytes == 2 || isAlongK ? max(1, words / 4) : max(1, words)
  }

  /// Stores of one operand into shared memory; none where the load copies there by itself.
  private static func operandStores(
    _ node: FlatFunction.Node, _ value: Value, _ context: Context
  ) -> Double {
    if comesFromDot(value, context) { return 0 }
    guard let type = context.flat.type(of: value) else { return 0 }
    let load = sourceLoad(value, context.flat)
    if let load, load.loops.last.map({ context.pipelinedLoops.contains($0) }) ?? false { return 0 }
    if let load, case .descriptorLoad = load.operation.kind { return 0 }
    var width = 1.0
    if let load, let access = MemoryAccess(load.operation, in: context.flat) {
      width = Double(vectorElements(load.id, access, context))
    }
    let count = perThread(load?.operation.results.first ?? value, context)
    let perStore = max(1, min(width, 16 / Double(max(1, type.element.bytes))))
    return max(1, count / perStore)
  }

  static func reduceCost(
    _ node: FlatFunction.Node, _ axis: Int?, _ combine: CombineKind, _ context: Context
  ) -> InstructionMix {
    guard let value = node.operation.operands.first,
      let type = context.flat.type(of: value), !type.isScalar
    else { return InstructionMix() }
    let layout =
      context.layouts.anchored[value]
      ?? context.flat.definition(of: value).flatMap { context.layouts.layouts[$0.id].first }
      ?? .standard(shape: type.shape, warps: context.warps)
    let inputs = Double(layout.elementsPerThread(type.shape))
    var lanes = 32
    var warps = context.warps
    var outputs = 1.0
    if let axis, (0..<layout.rank).contains(axis), layout.rank == type.shape.count {
      lanes = min(layout.threadsPerWarp[axis], max(1, type.shape[axis]))
      warps = layout.warpsPerBlock[axis]
      var rest = type.shape
      rest.remove(at: axis)
      outputs = Double(layout.removing(axis: axis).elementsPerThread(rest))
    }
    let steps = Double(combineSteps(combine, node.operation, type.element))
    let pieces = Double(node.operation.operands.count)
    let isFloat = type.element.isFloat && combine == .sum || combine == .prod
    var mix = InstructionMix([isFloat ? .fp32 : .integerALU: max(0, inputs - outputs) * steps])
    let levels = Double(max(0, lanes.trailingZeroBitCount))
    mix[.shuffle] = levels * outputs * pieces
    mix[isFloat ? .fp32 : .integerALU] += levels * outputs * steps
    if warps > 1 {  // partial results cross the warps through shared memory
      let second = Double(max(1, warps.trailingZeroBitCount))
      mix[.sharedStore] = outputs * pieces
      mix[.sharedLoad] = 2 * outputs * pieces
      mix[.barrier] = 2
      mix[.shuffle] += second * pieces
      mix[.integerALU] += second * steps + 4
    }
    return mix
  }

  private static func combineSteps(
    _ combine: CombineKind, _ operation: Operation, _ element: ElementType
  ) -> Int {
    switch combine {
    case .argmaxLeft, .argminLeft: 5
    case .argmaxFast, .argminFast: 3
    case .custom: max(1, operation.regions.first?.operations.count ?? 2)
    default: element.bits > 32 ? 2 : 1
    }
  }

  /// Counted on a cumulative sum: 3 instructions an element and 3 for each of the five shuffle levels.
  static func scanCost(_ node: FlatFunction.Node, _ axis: Int, _ context: Context) -> InstructionMix
  {
    guard let value = node.operation.operands.first else { return InstructionMix() }
    let count = perThread(value, context) * Double(node.operation.operands.count)
    return InstructionMix([
      .fp32: 2 * count, .integerALU: 2 * count, .shuffle: 5 + count / 4, .sharedStore: 2,
      .sharedLoad: 4, .barrier: 2,
    ])
  }
}
