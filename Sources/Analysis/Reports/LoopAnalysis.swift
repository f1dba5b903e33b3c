import TileIR

/// Finds the loops and whether their loads can be pipelined, by Triton's rules: an innermost loop
/// with more than one stage whose loads feed a dot (or any, where `tl.range` asks for stages itself)
/// and are at least 4 bytes a thread wide.
enum LoopAnalysis {
  /// Loads whose data reaches a dot.
  static func dotLoads(_ flat: FlatFunction) -> Set<Int> {
    var loads: Set<Int> = []
    for node in flat.nodes where DotShape(node.operation, in: flat) != nil {
      for operand in node.operation.operands.dropLast() {
        if let load = InstructionEstimate.sourceLoad(operand, flat) { loads.insert(load.id) }
      }
    }
    return loads
  }

  static func pipelining(
    _ node: FlatFunction.Node, _ flat: FlatFunction, dotLoads: Set<Int>, numStages: Int,
    computeCapability: Int, widthBytes: (Int) -> Int
  ) -> LoopReport.Pipelining {
    guard case .forLoop(let attributes) = node.operation.kind else {
      return .off("a while loop is not pipelined")
    }
    let inner = flat.nodes.contains { other in
      guard other.loops.last == node.id else { return false }
      switch other.operation.kind {
      case .forLoop, .whileLoop: return true
      default: return false
      }
    }
    if inner, !attributes.flatten { return .off("only innermost loops are pipelined") }
    let loads = flat.nodes.filter { other in
      guard other.loops.last == node.id else { return false }
      return MemoryAccess(other.operation, in: flat)?.isLoad ?? false
    }
    if loads.isEmpty { return .off("the loop has no loads") }
    let stages = attributes.numStages ?? numStages
    let eligible = loads.filter { dotLoads.contains($0.id) || attributes.numStages != nil }
    if eligible.isEmpty {
      return .off("none of its loads feeds a dot and the loop asks for no stages itself")
    }
    if computeCapability < 80 { return .off("asynchronous copies need compute capability 8.0") }
    if stages <= 1 { return .off("num_stages is \(stages)") }
    if !eligible.contains(where: { widthBytes($0.id) >= 4 }) {
      return .off("its loads are under 4 bytes a thread, too narrow for asynchronous copies")
    }
    return .pipelined(stages: stages)
  }

  static func reports(
    _ context: InstructionEstimate.Context, dotLoads: Set<Int>, numStages: Int,
    observations: ProgramSampler.Observations
  ) -> [LoopReport] {
    let flat = context.flat
    let source = flat.function.source
    var reports: [LoopReport] = []
    func count(_ test: (FlatFunction.Node) -> Bool, inside loop: Int) -> Int {
      flat.nodes.count { $0.loops.contains(loop) && test($0) }
    }
    for node in flat.nodes {
      let form: LoopReport.Form
      switch node.operation.kind {
      case .forLoop: form = .range
      case .whileLoop: form = .whileLoop
      default: continue
      }
      let pipelining = pipelining(
        node, flat, dotLoads: dotLoads, numStages: numStages,
        computeCapability: context.computeCapability, widthBytes: { context.widthBytes($0) })
      let atTwo = Self.pipelining(
        node, flat, dotLoads: dotLoads, numStages: 2,
        computeCapability: context.computeCapability, widthBytes: { context.widthBytes($0) })
      let entries = observations.loopEntries[node.id] ?? 0
      let isKnown = !observations.unknownLoops.contains(node.id) && entries > 0
      reports.append(
        LoopReport(
          place: SourcePlace(node.operation.location.range, in: source), form: form,
          tripCount: isKnown ? (observations.loopIterations[node.id] ?? 0) / entries : nil,
          pipelining: pipelining, numStagesIsDead: !atTwo.isOn,
          loads: count({ MemoryAccess($0.operation, in: flat)?.isLoad ?? false }, inside: node.id),
          stores: count(
            { MemoryAccess($0.operation, in: flat)?.isStore ?? false }, inside: node.id),
          dots: count({ DotShape($0.operation, in: flat) != nil }, inside: node.id),
          divisions: count(
            { DivisionKind($0, flat, context.axes) != nil && !context.redundancy.isFree[$0.id] },
            inside: node.id)))
    }
    var seen: Set<Int> = []
    for loop in flat.function.unrolledLoops where seen.insert(loop.range.lower).inserted {
      let inside = flat.nodes.filter {
        let range = $0.operation.location.range
        return range.lower >= loop.range.lower && range.upper <= loop.range.upper
      }
      func per(_ test: (FlatFunction.Node) -> Bool) -> Int {
        let total = inside.count(where: test)
        return loop.tripCount > 0 ? (total + loop.tripCount - 1) / loop.tripCount : total
      }
      reports.append(
        LoopReport(
          place: SourcePlace(loop.range, in: source), form: .unrolled,
          tripCount: Double(loop.tripCount),
          pipelining: .off("it is unrolled, so no loop is left to pipeline"),
          numStagesIsDead: true,
          loads: per { MemoryAccess($0.operation, in: flat)?.isLoad ?? false },
          stores: per { MemoryAccess($0.operation, in: flat)?.isStore ?? false },
          dots: per { DotShape($0.operation, in: flat) != nil },
          divisions: per {
            DivisionKind($0, flat, context.axes) != nil && !context.redundancy.isFree[$0.id]
          }))
    }
    return reports.sorted { $0.place.range.lower < $1.place.range.lower }
  }
}

extension InstructionEstimate.Context {
  /// Bytes one instruction of a memory operation moves for a thread.
  func widthBytes(_ id: Int) -> Int {
    guard let access = MemoryAccess(flat.nodes[id].operation, in: flat) else { return 0 }
    return InstructionEstimate.vectorElements(id, access, self) * access.element.bytes
  }
}
