import TileIR

/// The warp instructions of one program, by class and by operation.
struct InstructionEstimate: Sendable {
  /// Instructions one warp executes for each operation over a whole program.
  private(set) var byOperation: [Int: InstructionMix] = [:]
  /// What integer division contributes to each of these.
  private(set) var division: [Int: InstructionMix] = [:]
  /// For all warps of one program.
  private(set) var perProgram = InstructionMix()
  /// Instructions in the compiled code, each once: what the instruction cache must hold.
  private(set) var codeSize = 0.0

  /// Integer work in a loop that is left a loop, against the same steps unrolled, where common parts
  /// are shared: 629 to 463 instructions a step in an implicit-GEMM convolution compiled both ways.
  static let loopIntegerFactor = 1.35

  struct Context {
    let flat: FlatFunction
    let axes: AxisAnalysis
    let layouts: LayoutAssignment
    let redundancy: Redundancy
    let strides: LaneStrides
    let warps: Int
    /// Executions of each operation per program, as sampled.
    let counts: [Double]
    /// Loops whose loads the compiler pipelines through shared memory.
    let pipelinedLoops: Set<Int>
    let numStages: Int
    let computeCapability: Int
  }

  init(_ context: Context) {
    var reciprocals: Set<Int> = []
    let quotients = Self.quotients(context)
    for node in context.flat.nodes {
      var mix = InstructionMix()
      let staging = Self.staging(node, context)
      if !context.redundancy.isFree[node.id] {
        mix = Self.cost(node, context)
        if case .binary(let op) = node.operation.kind, op == .idiv || op == .rem,
          let extra = Self.divisionCost(node, op, context, quotients: quotients, &reciprocals)
        {
          mix += extra
          division[node.id] = extra * Self.executions(node, context)
        }
      }
      mix += staging
      if let loop = node.loops.last {
        var factor = Self.loopIntegerFactor
        // The first stages' index work runs before the loop.
        if context.pipelinedLoops.contains(loop) {
          let trips = max(1, context.counts[node.id])
          factor *= 1 + min(1, Double(context.numStages - 1) / trips)
        }
        mix[.integerALU] *= factor
        mix[.integerMultiply] *= factor
      }
      guard mix.total > 0 else { continue }
      codeSize += mix.total
      let all = mix * Self.executions(node, context)
      byOperation[node.id] = all
      perProgram += all * Double(context.warps)
    }
    // Entry, exit, parameter loads and the program's own address set-up.
    perProgram += InstructionMix([.control: 12 * Double(context.warps)])
  }

  /// How often an operation runs per program once loop-invariant work has moved out.
  static func executions(_ node: FlatFunction.Node, _ context: Context) -> Double {
    let own = context.counts[node.id]
    guard Redundancy.isPure(node.operation), let result = node.operation.results.first else {
      return own
    }
    let depends = context.axes.dependences(of: result)
    for loop in node.loops.reversed() {
      if let index = context.axes.loopIndex[loop], depends.contains(.loop(index)) {
        let first = context.flat.nodes[loop].regions.first?.first
        return min(own, first.map { context.counts[$0] } ?? own)
      }
    }
    return node.loops.isEmpty ? own : min(own, node.loops.first.map { context.counts[$0] } ?? own)
  }

  /// The elements one thread computes for an operation, over all layouts that want it.
  static func elements(_ node: FlatFunction.Node, _ context: Context) -> Double {
    guard let result = node.operation.results.first,
      let type = context.flat.type(of: result)
    else { return 1 }
    guard !type.isScalar else { return 1 }
    var shape = LayoutAssignment.effectiveShape(type, context.axes.facts(of: result))
    if LaneStrides.isAffine(node.operation), type.element.isInteger || type.element.isPointer {
      let users = context.flat.users[safe: result.index] ?? []
      let isFolded = users.allSatisfy { LaneStrides.isAffine(context.flat.nodes[$0].operation) }
      let flags = context.strides.flags(of: result)
      if isFolded, flags.count == shape.count {
        for axis in shape.indices where flags[axis] { shape[axis] = 1 }
      }
    }
    let steps = context.strides.steps(of: result)
    let isPure = context.axes.dependences(of: result) == .lane
    return context.layouts.layouts[node.id].reduce(0.0) { sum, layout in
      sum + count(shape, layout, steps: steps, isPure: isPure, node, context)
    }
  }

  /// Along an axis that no thread or warp shares, a thread knows its places at compile time: what
  /// depends on nothing else is a constant, and sums fold it into an address or a comparison.
  private static func count(
    _ shape: [Int], _ layout: TileLayout, steps: [Int?], isPure: Bool, _ node: FlatFunction.Node,
    _ context: Context
  ) -> Double {
    guard layout.rank == shape.count, steps.count == shape.count else {
      return Double(layout.elementsPerThread(shape))
    }
    let isOwn = shape.indices.map { layout.threadsPerWarp[$0] * layout.warpsPerBlock[$0] == 1 }
    if isPure, shape.indices.allSatisfy({ shape[$0] == 1 || isOwn[$0] }) { return 0 }
    var shape = shape
    switch node.operation.kind {
    case .compare, .binary(.and), .binary(.or):
      for axis in shape.indices where isOwn[axis] {
        if let distinct = steps[axis] { shape[axis] = min(shape[axis], distinct) }
      }
    case .binary(.add), .binary(.sub), .binary(.mul), .addPointer:
      let users =
        (node.operation.results.first).flatMap { context.flat.users[safe: $0.index] } ?? []
      let isFolded = users.allSatisfy {
        let user = context.flat.nodes[$0].operation
        if case .compare = user.kind { return true }
        return LaneStrides.isAffine(user)
      }
      if isFolded {
        for axis in shape.indices where isOwn[axis] && steps[axis] != nil { shape[axis] = 1 }
      }
    default: break
    }
    return Double(layout.elementsPerThread(shape))
  }

  /// Dividend and divisor, by value number, of every division that is carried out.
  private static func quotients(_ context: Context) -> Set<[Int]> {
    var result: Set<[Int]> = []
    for node in context.flat.nodes where !context.redundancy.isFree[node.id] {
      if case .binary(.idiv) = node.operation.kind {
        result.insert(node.operation.operands.map { context.redundancy.number[$0.index] })
      }
    }
    return result
  }

  private static func divisionCost(
    _ node: FlatFunction.Node, _ op: BinaryOp, _ context: Context, quotients: Set<[Int]>,
    _ reciprocals: inout Set<Int>
  ) -> InstructionMix? {
    guard let kind = DivisionKind(node, context.flat, context.axes) else { return nil }
    let numbers = node.operation.operands.map { context.redundancy.number[$0.index] }
    let shares = op == .rem && quotients.contains(numbers)
    let cost = InstructionTable.division(
      isRemainder: op == .rem, divisor: kind.divisor, bits: kind.bits, isSigned: kind.isSigned,
      sharesQuotient: shares)
    var mix = cost.perElement * elements(node, context)
    if kind.divisor == .runTime, numbers.count == 2, reciprocals.insert(numbers[1]).inserted {
      mix += cost.perThread
    }
    return mix
  }
}

/// What kind of integer division an operation is; nil for any other operation.
struct DivisionKind: Sendable {
  var divisor: InstructionTable.Divisor
  var bits: Int
  var isSigned: Bool
  var constant: Int?

  init?(_ node: FlatFunction.Node, _ flat: FlatFunction, _ axes: AxisAnalysis) {
    guard case .binary(let op) = node.operation.kind, op == .idiv || op == .rem,
      let result = node.operation.results.first, let type = flat.type(of: result),
      type.element.isInteger, node.operation.operands.count == 2
    else { return nil }
    bits = type.element.bits
    isSigned = type.element.isSignedInteger
    let facts = axes.facts(of: node.operation.operands[1])
    constant = facts.constant
    if let constant {
      divisor = constant > 0 && constant & (constant - 1) == 0 ? .powerOfTwo : .constant
    } else {
      divisor = facts.isUniform(type.isScalar ? [1] : type.shape) ? .runTime : .perElement
    }
  }
}
