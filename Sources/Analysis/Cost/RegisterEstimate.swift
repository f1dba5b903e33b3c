import TileIR

/// How many registers a thread is likely to need: the most that is live at once, plus what compilers
/// always need. An estimate; the compiler's own figure replaces it where there is one.
struct RegisterEstimate: Sendable {
  var registersPerThread: Int
  /// Before the limit of the machine.
  var wanted: Int

  /// Addresses, loop counters, staging: taken from small kernels compiled for sm_89 (14 … 22).
  static let base = 20.0
  /// Set so that an unrolled implicit-GEMM convolution comes out as compiled for sm_89 (96 to 220).
  static let unrolledFactor = 1.15

  init(_ context: InstructionEstimate.Context, limit: Int) {
    let flat = context.flat
    var end = Array(repeating: -1, count: flat.function.values.count)
    /// The last operation inside a loop or branch, by operation.
    func lastInside(_ id: Int) -> Int {
      var last = id
      while let inner = flat.nodes[last].regions.last(where: { !$0.isEmpty })?.last { last = inner }
      return last
    }
    for node in flat.nodes {
      for operand in node.operation.operands where end.indices.contains(operand.index) {
        var position = node.id
        // A value from outside a loop lives as long as the loop does.
        let home = flat.definer[operand.index].map { flat.nodes[$0].loops } ?? []
        if let outer = node.loops.first(where: { !home.contains($0) }),
          flat.argumentLoop[operand.index] != outer
        {
          position = lastInside(outer)
        }
        end[operand.index] = max(end[operand.index], position)
      }
    }
    var released: [Int: Double] = [:]
    var live = 0.0
    var peak = 0.0
    for node in flat.nodes {
      let values: [Value]
      switch node.operation.kind {
      case .forLoop, .whileLoop: values = node.operation.regions.flatMap(\.arguments)
      case .ifElse: values = []
      default: values = context.redundancy.isFree[node.id] ? [] : node.operation.results
      }
      var added = 0.0
      var later: [(last: Int, need: Double)] = []
      for value in values {
        let need = Self.registers(value, node, context)
        guard need > 0, end.indices.contains(value.index) else { continue }
        var last = end[value.index]
        // A loop's counter lives as long as the loop; a carried value until the next one takes its place.
        if value == node.operation.regions.first?.arguments.first,
          flat.argumentLoop[value.index] != nil
        {
          last = max(last, lastInside(node.id))
        }
        guard last >= node.id else { continue }
        added += need
        if last == node.id {
          released[node.id, default: 0] += need
        } else {
          later.append((last, need))
        }
      }
      // Results take the registers of operands that end here; both are live only while a dot runs.
      peak = max(peak, live + Self.transient(node, context))
      live += added - (released[node.id] ?? 0)
      for (last, need) in later { released[last, default: 0] += need }
      peak = max(peak, live)
    }
    // Straight-line copies of a loop let the compiler fetch ahead of need.
    let isUnrolled = flat.function.unrolledLoops.contains { $0.tripCount > 2 }
    let estimate = Int((peak * (isUnrolled ? Self.unrolledFactor : 1) + Self.base).rounded())
    wanted = estimate
    registersPerThread = max(16, min(limit, (estimate + 7) / 8 * 8))
  }

  /// Registers an operation needs only while it runs: tensor-core operands.
  private static func transient(_ node: FlatFunction.Node, _ context: InstructionEstimate.Context)
    -> Double
  {
    guard let dot = DotShape(node.operation, in: context.flat),
      let layout = context.layouts.dots[node.id], layout.unit == .warp
    else { return 0 }
    let slice = Double(min(dot.k, 2 * InstructionEstimate.tensorDepth(dot.lhs)) * dot.lhs.bytes)
    let rows = Double(max(16, dot.m / max(1, layout.warpsM)))
    let columns = Double(max(8, dot.n / max(1, layout.warpsN)))
    return (rows + columns) * slice / 32 / 4
  }

  private static func registers(
    _ value: Value, _ node: FlatFunction.Node, _ context: InstructionEstimate.Context
  ) -> Double {
    guard let type = context.flat.type(of: value) else { return 8 }
    if context.axes.facts(of: value).constant != nil { return 0 }
    if type.element == .int1 {
      return type.isScalar
        ? 0
        : Double(
          context.layouts.layouts[node.id].first
            .map { $0.elementsPerThread(type.shape) } ?? 1) / 8
    }
    let words = Double(max(1, type.element.bytes / 4)) * min(1, Double(type.element.bytes) / 4)
    let wide = type.element.bytes >= 8 ? 2.0 : max(0.25, Double(type.element.bytes) / 4)
    if type.isScalar { return type.element.isPointer ? 0 : min(1, words) }
    switch node.operation.kind {
    case .splat, .broadcast, .expandDims, .constant, .makeRange, .trans, .hint: return 0
    case .dot, .dotScaled:
      // `acc += dot(a, b)`: the product is made in the accumulator's registers.
      if let user = context.flat.users[safe: value.index]?.first,
        case .binary(.add) = context.flat.nodes[user].operation.kind,
        InstructionEstimate.isAccumulatorUpdate(context.flat.nodes[user].operation, context)
      {
        return 0
      }
    default: break
    }
    if let access = MemoryAccess(node.operation, in: context.flat), access.isLoad,
      node.loops.last.map({ context.pipelinedLoops.contains($0) }) ?? false
    {
      return 0  // goes to shared memory
    }
    // Pointers: one address for each access the thread makes.
    var width = 1.0
    var layout = context.layouts.anchored[value]
    if type.element.isPointer {
      for id in context.flat.users[safe: value.index] ?? [] {
        if let access = MemoryAccess(context.flat.nodes[id].operation, in: context.flat) {
          width = max(width, Double(InstructionEstimate.vectorElements(id, access, context)))
          layout = layout ?? context.layouts.memory[id]
        }
      }
    }
    if let layout, layout.rank == type.shape.count {
      return Double(layout.elementsPerThread(type.shape)) * wide / width
    }
    if node.operation.results.contains(value) {
      return InstructionEstimate.elements(node, context) * wide / width
    }
    let standard = TileLayout.standard(shape: type.shape, warps: context.warps)
    return Double(standard.elementsPerThread(type.shape)) * wide / width
  }
}
