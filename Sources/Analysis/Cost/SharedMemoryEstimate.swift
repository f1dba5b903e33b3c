import TileIR

/// Shared memory of one block: dot operands (one buffer less than stages where a loop is pipelined) and
/// the exchange of partial results in reductions. Agrees with Triton 3.6 for sm_89 on the examples'
/// matrix products and attention.
enum SharedMemoryEstimate {
  static func bytes(_ context: InstructionEstimate.Context, numStages: Int) -> Int {
    var largest = 0
    var pipelined = 0
    for node in context.flat.nodes {
      switch node.operation.kind {
      case .reduce, .scan:
        let outputs = node.operation.results.reduce(0) { sum, value in
          sum + (context.flat.type(of: value).map { $0.count * max(1, $0.element.bytes) } ?? 0)
        }
        largest = max(largest, min(outputs, 8192) * context.warps)
      default: break
      }
      guard let dot = DotShape(node.operation, in: context.flat) else { continue }
      var staged = 0
      for index in [0, InstructionEstimate.rhsIndex(node.operation)] {
        guard index < node.operation.operands.count else { continue }
        let value = node.operation.operands[index]
        if InstructionEstimate.comesFromDot(value, context) { continue }
        let extent = index == 0 ? dot.m * dot.lhs.bytes : dot.n * dot.rhs.bytes
        let bytes = dot.batch * dot.k * extent
        let load = InstructionEstimate.sourceLoad(value, context.flat)
        if let loop = load?.loops.last, context.pipelinedLoops.contains(loop) {
          var stages = numStages
          if case .forLoop(let attributes) = context.flat.nodes[loop].operation.kind {
            stages = attributes.numStages ?? numStages
          }
          pipelined += bytes * max(1, stages - 1)
        } else {
          staged += bytes
        }
      }
      largest = max(largest, staged)
    }
    return largest + pipelined
  }
}

/// How many times a program must wait for memory with nothing of its own to do meanwhile.
enum MemoryRounds {
  /// What is left of a round trip in a pipelined loop (same fit as `TimeModel.latencyClocks`).
  static let hiddenShare = 0.3

  static func exposed(_ context: InstructionEstimate.Context, numStages: Int) -> Double {
    var rounds = 0.0
    var seen: [Int?: Double] = [:]
    for node in context.flat.nodes {
      guard let access = MemoryAccess(node.operation, in: context.flat), access.isLoad,
        context.counts[node.id] > 0
      else { continue }
      let loop = node.loops.last
      let isDotted =
        context.flat.users[safe: node.operation.results.first?.index ?? -1]?
        .isEmpty == false
      guard isDotted else { continue }
      if let loop, context.pipelinedLoops.contains(loop) {
        seen[loop] = context.counts[node.id] * hiddenShare
      } else if let loop {
        seen[loop] = context.counts[node.id]
      } else {
        seen[nil] = max(seen[nil] ?? 0, 1)
      }
    }
    rounds = seen.values.reduce(0, +)
    // Unrolled steps: each dot that is staged through shared memory waits once.
    let staged = context.flat.nodes.filter {
      $0.loops.isEmpty && DotShape($0.operation, in: context.flat) != nil
    }.count
    return rounds + Double(staged)
  }
}
