import TileIR

extension LayoutAssignment {
  /// Walks from uses to definitions and notes in which layouts each value is wanted.
  mutating func demand(_ flat: FlatFunction) {
    var wanted: [Value: [TileLayout]] = [:]
    // Twice, so that what a loop's body asks of its arguments reaches the loop's yields.
    for _ in 0..<2 {
      for node in flat.nodes.reversed() { demand(node, flat, &wanted) }
    }
    for node in flat.nodes {
      guard let result = node.operation.results.first, let type = flat.type(of: result),
        !type.isScalar
      else { continue }
      if let layout = anchored[result] {
        setLayouts(node.id, [layout])
      } else {
        let all = (wanted[result] ?? []).filter { $0.rank == type.shape.count }
        setLayouts(
          node.id, all.isEmpty ? [.standard(shape: type.shape, warps: warpCount)] : all)
      }
    }
    noteConversions(flat)
  }

  private func demand(
    _ node: FlatFunction.Node, _ flat: FlatFunction, _ wanted: inout [Value: [TileLayout]]
  ) {
    let operation = node.operation
    func ask(_ value: Value, _ layouts: [TileLayout]) {
      guard anchored[value] == nil, let type = flat.type(of: value), !type.isScalar else { return }
      var list = wanted[value] ?? []
      for layout in layouts where layout.rank == type.shape.count && !list.contains(layout) {
        if list.count < 4 { list.append(layout) }
      }
      wanted[value] = list
    }
    let result = operation.results.first
    let here = result.map { anchored[$0].map { [$0] } ?? wanted[$0] ?? [] } ?? []
    switch operation.kind {
    case .load, .store, .atomicRMW, .atomicCAS, .blockStore, .descriptorStore:
      if let layout = memory[node.id] { for value in operation.operands { ask(value, [layout]) } }
    case .expandDims(let axis):
      if let source = operation.operands.first {
        ask(source, here.map { $0.removing(axis: axis) })
      }
    case .trans(let order):
      if let source = operation.operands.first {
        ask(source, here.map { $0.permuted(back: order) })
      }
    case .forLoop, .whileLoop:
      let isFor: Bool
      if case .forLoop = operation.kind { isFor = true } else { isFor = false }
      let arguments = Array((operation.regions.first?.arguments ?? []).dropFirst(isFor ? 1 : 0))
      let initial = Array(operation.operands.dropFirst(isFor ? 3 : 0))
      let yielded = node.yielded(node.regions.count - 1, in: flat)
      for (index, argument) in arguments.enumerated() {
        var layouts = wanted[argument] ?? []
        if index < operation.results.count { layouts += wanted[operation.results[index]] ?? [] }
        if let fixed = anchored[argument] { layouts = [fixed] }
        if index < initial.count { ask(initial[index], layouts) }
        if index < yielded.count { ask(yielded[index], layouts) }
      }
    case .ifElse:
      for region in node.regions.indices {
        for (value, result) in zip(node.yielded(region, in: flat), operation.results) {
          ask(value, anchored[result].map { [$0] } ?? wanted[result] ?? [])
        }
      }
    case .splat, .makeRange, .constant, .dot, .dotScaled, .reshape, .yield, .condition: break
    case .reduce, .scan:
      for value in operation.operands {
        guard let type = flat.type(of: value) else { continue }
        let anchor = operation.operands.compactMap { anchored[$0] }.first
        ask(value, [anchor ?? .standard(shape: type.shape, warps: warpCount)])
      }
    default:
      for value in operation.operands { ask(value, here) }
    }
  }

  /// A fixed value wanted in another layout moves through shared memory. Dot operands are counted
  /// with the dot.
  private mutating func noteConversions(_ flat: FlatFunction) {
    for node in flat.nodes {
      let operation = node.operation
      let target: TileLayout?
      switch operation.kind {
      case .store, .blockStore, .descriptorStore, .load, .atomicRMW: target = memory[node.id]
      case .binary, .select, .fma, .compare, .addPointer, .clamp:
        target = operation.results.first.flatMap { anchored[$0] }
      default: target = nil
      }
      guard let target else { continue }
      for value in operation.operands {
        guard let own = anchored[value], own != target, let type = flat.type(of: value),
          !type.isScalar, own.rank == target.rank,
          own.elementsPerThread(type.shape) * 32 * warpCount >= 64
        else { continue }
        addConversion(node.id, value)
      }
    }
  }
}
