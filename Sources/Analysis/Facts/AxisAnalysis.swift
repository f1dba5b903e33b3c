import TileIR

/// The facts and dependences of every value of a function.
struct AxisAnalysis: Sendable {
  private(set) var facts: [AxisFacts]
  private(set) var dependences: [Dependences]
  /// The index of each loop in program order, by operation id.
  private(set) var loopIndex: [Int: Int] = [:]

  init(_ flat: FlatFunction) {
    let count = flat.function.values.count
    facts = (0..<count).map {
      .unknown(rank: flat.type(of: Value(index: $0))?.shape.count ?? 0)
    }
    dependences = Array(repeating: [], count: count)
    for parameter in flat.function.parameters where facts.indices.contains(parameter.value.index) {
      dependences[parameter.value.index] = .parameter
      if parameter.isDivisibleBy16 {
        facts[parameter.value.index].divisibility = facts[parameter.value.index].divisibility.map {
          _ in 16
        }
      }
    }
    for node in flat.nodes {
      switch node.operation.kind {
      case .forLoop, .whileLoop: loopIndex[node.id] = loopIndex.count
      default: break
      }
    }
    visit(flat.top, flat)
  }

  func facts(of value: Value) -> AxisFacts {
    facts.indices.contains(value.index) ? facts[value.index] : .unknown(rank: 1)
  }

  func dependences(of value: Value) -> Dependences {
    dependences.indices.contains(value.index) ? dependences[value.index] : []
  }

  private mutating func set(_ value: Value, _ new: AxisFacts, _ depends: Dependences) {
    guard facts.indices.contains(value.index) else { return }
    facts[value.index] = new
    dependences[value.index] = depends
  }

  private mutating func visit(_ ids: [Int], _ flat: FlatFunction) {
    for id in ids {
      let node = flat.nodes[id]
      switch node.operation.kind {
      case .forLoop, .whileLoop: visitLoop(node, flat)
      case .ifElse:
        for region in node.regions { visit(region, flat) }
        let condition = node.operation.operands.first.map { dependences(of: $0) } ?? []
        merge(
          node.operation.results, node.regions.indices.map { node.yielded($0, in: flat) },
          adding: condition)
      default: visitSimple(node, flat)
      }
    }
  }

  private mutating func merge(
    _ results: [Value], _ sources: [[Value]], adding extra: Dependences
  ) {
    for (index, result) in results.enumerated() {
      var joined: AxisFacts?
      var depends = extra
      for source in sources where index < source.count {
        let facts = facts(of: source[index])
        joined = joined.map { $0.joined(facts) } ?? facts
        depends.formUnion(dependences(of: source[index]))
      }
      set(result, joined ?? facts(of: result), depends)
    }
  }

  private mutating func visitLoop(_ node: FlatFunction.Node, _ flat: FlatFunction) {
    let operation = node.operation
    let mark = Dependences.loop(loopIndex[node.id] ?? 0)
    var initial = operation.operands
    var carried = operation.regions.first?.arguments ?? []
    if case .forLoop = operation.kind {
      initial = Array(operation.operands.dropFirst(3))
      if let induction = carried.first, operation.operands.count >= 3 {
        let lower = facts(of: operation.operands[0])
        let step = facts(of: operation.operands[2])
        var facts = AxisFacts.unknown(rank: 0)
        facts.divisibility = [AxisFacts.gcd(lower.divisibility[0], step.divisibility[0])]
        set(
          induction, facts,
          dependences(of: operation.operands[0]).union(dependences(of: operation.operands[2]))
            .union(mark))
      }
      carried = Array(carried.dropFirst())
    }
    for (index, value) in carried.enumerated() where index < initial.count {
      set(value, facts(of: initial[index]), dependences(of: initial[index]).union(mark))
    }
    // Facts only fall and every fall divides; a handful of rounds settles all practical loops, and
    // what has not settled by then is given up.
    let rounds = 6
    for round in 1...rounds {
      if operation.regions.count > 1 {  // while: the second region takes what the first hands on
        for (index, value) in operation.regions[1].arguments.enumerated() {
          if index < carried.count {
            set(value, facts(of: carried[index]), dependences(of: carried[index]))
          }
        }
      }
      for region in node.regions { visit(region, flat) }
      let next = node.yielded(node.regions.count - 1, in: flat)
      var changed = false
      for (index, value) in carried.enumerated() where index < next.count {
        let old = facts(of: value)
        let depends = dependences(of: value).union(dependences(of: next[index]))
        var new = old.joined(facts(of: next[index]))
        if round == rounds, new != old { new = .unknown(rank: old.rank) }
        if new != old || depends != dependences(of: value) {
          set(value, new, depends)
          changed = true
        }
      }
      if !changed { break }
    }
    for (index, result) in operation.results.enumerated() where index < carried.count {
      set(result, facts(of: carried[index]), dependences(of: carried[index]))
    }
  }

  private mutating func visitSimple(_ node: FlatFunction.Node, _ flat: FlatFunction) {
    let operation = node.operation
    var depends: Dependences = operation.operands.reduce(into: []) {
      $0.formUnion(dependences(of: $1))
    }
    switch operation.kind {
    case .programID(let axis): depends.insert(.program(axis))
    case .makeRange: depends.insert(.lane)
    case .load, .blockLoad, .descriptorLoad, .descriptorGather, .atomicRMW, .atomicCAS:
      depends.insert(.memory)
    default: break
    }
    let operands = operation.operands.map { facts(of: $0) }
    for result in operation.results {
      guard let type = flat.type(of: result) else {
        set(result, .unknown(rank: 0), depends)
        continue
      }
      let sourceShape = operation.operands.first.flatMap { flat.type(of: $0)?.shape } ?? []
      let new = AxisRules.facts(
        of: operation.kind, result: type, operands: operands, sourceShape: sourceShape)
      set(result, new, depends)
    }
  }
}
