import TileIR

/// Which layout each operation works in, as Triton's layout passes would have it.
///
/// Loads, stores, dots and reductions fix theirs; what is computed from a load's or dot's result
/// stays in its layout; index arithmetic is repeated in every layout that wants it.
struct LayoutAssignment: Sendable {
  /// The layouts each operation's result is computed in (several: repeated for each).
  private(set) var layouts: [[TileLayout]]
  /// The layout a value has because of the load, dot or reduction it comes from.
  private(set) var anchored: [Value: TileLayout] = [:]
  /// The layout of each memory operation's pointer tile.
  private(set) var memory: [Int: TileLayout] = [:]
  private(set) var dots: [Int: DotLayout] = [:]
  /// Values that move between layouts through shared memory: operation that wants it → values.
  private(set) var conversions: [Int: [Value]] = [:]

  private let warps: Int

  init(
    _ flat: FlatFunction, axes: AxisAnalysis, warps: Int, computeCapability: Int
  ) {
    self.warps = max(1, warps)
    layouts = Array(repeating: [], count: flat.nodes.count)
    chooseMemoryLayouts(flat, axes)
    chooseDotLayouts(flat, computeCapability)
    for _ in 0..<2 { propagateAnchors(flat.top, flat) }
    demand(flat)
  }

  var warpCount: Int { warps }

  mutating func setLayouts(_ id: Int, _ list: [TileLayout]) { layouts[id] = list }

  mutating func addConversion(_ id: Int, _ value: Value) {
    conversions[id, default: []].append(value)
  }

  /// The shape of an operation's work: axes along which all elements are equal count once.
  static func effectiveShape(_ type: TileType, _ facts: AxisFacts) -> [Int] {
    guard facts.rank == type.shape.count else { return type.shape }
    return zip(type.shape, facts.constancy).map { $1 >= $0 ? 1 : $0 }
  }

  // MARK: Anchors

  private mutating func chooseMemoryLayouts(_ flat: FlatFunction, _ axes: AxisAnalysis) {
    struct Candidate {
      var id: Int
      var shape: [Int]
      var order: [Int]
      var perThread: Int
      var isLoad: Bool
    }
    var candidates: [Candidate] = []
    for node in flat.nodes {
      guard let access = MemoryAccess(node.operation, in: flat), !access.shape.isEmpty else {
        continue
      }
      let facts = access.isBlock ? nil : axes.facts(of: access.pointer)
      let order =
        facts.map { TileLayout.order(byContiguity: $0.contiguity) } ?? access.blockOrder
      guard order.count == access.shape.count, let fastest = order.first else { continue }
      let bytes = access.element.bytes
      let perThread =
        facts.map {
          TileLayout.elementsPerAccess(
            $0, axis: fastest, elementBytes: bytes, extent: access.shape[fastest])
        } ?? max(1, 16 / max(1, bytes))
      candidates.append(
        Candidate(
          id: node.id, shape: access.shape, order: order, perThread: perThread,
          isLoad: access.isLoad))
    }
    for candidate in candidates {
      let elements = candidate.shape.reduce(1, TileLayout.product)
      var perThread = candidate.perThread
      if candidate.isLoad {  // accesses of one shape and order share the widest
        for other in candidates where other.shape == candidate.shape {
          if other.order == candidate.order { perThread = max(perThread, other.perThread) }
        }
      }
      perThread = max(1, min(perThread, max(1, elements / (32 * warps))))
      var size = candidate.shape.map { _ in 1 }
      size[candidate.order[0]] = min(perThread, candidate.shape[candidate.order[0]])
      memory[candidate.id] = .blocked(
        shape: candidate.shape, sizePerThread: size, order: candidate.order, warps: warps)
    }
  }

  private mutating func chooseDotLayouts(_ flat: FlatFunction, _ computeCapability: Int) {
    let isChained = Self.chainedDots(flat)
    for node in flat.nodes {
      guard let dot = DotShape(node.operation, in: flat) else { continue }
      dots[node.id] = .choose(
        m: dot.m, n: dot.n, warps: warps, usesTensorCores: dot.usesTensorCores,
        hasWarpGroups: (computeCapability / 10 == 9 || computeCapability / 10 == 10)
          && (dot.lhs.bytes <= 2 || hasInnermostK(node, flat)),
        isChained: isChained.contains(node.id))
    }
  }

  /// The right operand comes from a load whose threads run along K: a warp-group dot reads it from
  /// shared memory and cannot transpose four-byte elements on the way (the left one may pass registers).
  private func hasInnermostK(_ node: FlatFunction.Node, _ flat: FlatFunction) -> Bool {
    guard node.operation.operands.count >= 2,
      let load = InstructionEstimate.sourceLoad(node.operation.operands[1], flat),
      let layout = memory[load.id], layout.rank >= 2
    else { return false }
    return layout.order.first == layout.rank - 2
  }

  /// Dots whose result another dot uses, in straight-line code (a loop's own carry does not count).
  static func chainedDots(_ flat: FlatFunction) -> Set<Int> {
    var reaches: [Value: Set<Int>] = [:]
    var chained: Set<Int> = []
    for node in flat.nodes {
      var sources: Set<Int> = []
      for operand in node.operation.operands {
        if let known = reaches[operand] { sources.formUnion(known.prefix(8)) }
      }
      if DotShape(node.operation, in: flat) != nil {
        if !sources.isEmpty {
          chained.formUnion(sources)
          chained.insert(node.id)
        }
        sources = [node.id]
      }
      if !sources.isEmpty { for result in node.operation.results { reaches[result] = sources } }
    }
    return chained
  }

  private mutating func propagateAnchors(_ ids: [Int], _ flat: FlatFunction) {
    for id in ids {
      let node = flat.nodes[id]
      let operation = node.operation
      switch operation.kind {
      case .load, .blockLoad, .descriptorLoad, .atomicRMW, .atomicCAS:
        if let layout = memory[id], let result = operation.results.first {
          anchored[result] = layout
        }
      case .dot, .dotScaled:
        if let result = operation.results.first, let type = flat.type(of: result),
          let layout = dots[id]
        {
          anchored[result] = layout.accumulator(
            rank: type.shape.count, shape: type.shape, warps: warps)
        }
      case .reduce(let axis, _, let keepDims):
        guard let source = operation.operands.compactMap({ anchored[$0] }).first else { continue }
        for result in operation.results {
          guard let axis, !keepDims else { continue }
          anchored[result] = source.removing(axis: axis)
        }
      case .forLoop, .whileLoop:
        let skip: Int
        if case .forLoop = operation.kind { skip = 3 } else { skip = 0 }
        let arguments = (operation.regions.first?.arguments ?? []).dropFirst(skip == 3 ? 1 : 0)
        let initial = operation.operands.dropFirst(skip)
        let yielded = node.yielded(node.regions.count - 1, in: flat)
        for (index, argument) in arguments.enumerated() {
          let from = index < yielded.count ? anchored[yielded[index]] : nil
          let start =
            index < initial.count ? anchored[initial[initial.startIndex + index]] : nil
          if let layout = from ?? start { anchored[argument] = layout }
        }
        for region in node.regions { propagateAnchors(region, flat) }
        for (index, result) in operation.results.enumerated() where index < yielded.count {
          if let layout = anchored[yielded[index]] { anchored[result] = layout }
        }
      case .ifElse:
        for region in node.regions { propagateAnchors(region, flat) }
        for region in node.regions.indices {
          let yielded = node.yielded(region, in: flat)
          for (index, result) in operation.results.enumerated() where index < yielded.count {
            if let layout = anchored[yielded[index]] { anchored[result] = layout }
          }
        }
      case .trans(let order):
        if let operand = operation.operands.first, let layout = anchored[operand],
          let result = operation.results.first, order.count == layout.rank
        {
          var inverse = Array(repeating: 0, count: order.count)
          for (target, source) in order.enumerated() where order.indices.contains(source) {
            inverse[source] = target
          }
          anchored[result] = layout.permuted(back: inverse)
        }
      case .unary, .binary, .compare, .select, .fma, .clamp, .cast, .addPointer, .external,
        .inlineAssembly, .scan, .hint:
        guard let result = operation.results.first, let type = flat.type(of: result) else {
          continue
        }
        // The operand with most at stake keeps its layout: accumulators first.
        let candidates = operation.operands.compactMap { operand -> (TileLayout, Int)? in
          guard let layout = anchored[operand], layout.rank == type.shape.count else { return nil }
          let isAccumulator = layout.sizePerThread.filter { $0 == 2 }.count >= 2
          return (layout, isAccumulator ? 1 : 0)
        }
        if let best = candidates.max(by: { $0.1 < $1.1 }) {
          for result in operation.results { anchored[result] = best.0 }
        }
      default: break
      }
    }
  }
}
