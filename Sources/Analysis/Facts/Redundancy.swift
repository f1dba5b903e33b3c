import TileIR

/// Which operations the compiler drops or moves: repeated, constant, dead, or the same on every
/// iteration of a loop.
struct Redundancy: Sendable {
  /// Costs nothing: folded, repeated or dead.
  private(set) var isFree: [Bool]
  /// Two values with one number are equal.
  private(set) var number: [Int]
  /// What the compiler can know of a value's range.
  private(set) var range: [ClosedRange<Int>?]

  private struct Key: Hashable {
    var kind: Operation.Kind
    var operands: [Int]
    var type: TileType?
  }

  init(_ flat: FlatFunction, axes: AxisAnalysis) {
    isFree = Array(repeating: false, count: flat.nodes.count)
    number = Array(0..<flat.function.values.count)
    range = Array(repeating: nil, count: flat.function.values.count)
    var seen: [Key: (id: Int, value: Int)] = [:]
    for node in flat.nodes { visit(node, flat, axes, &seen) }
    dropDead(flat)
  }

  private mutating func visit(
    _ node: FlatFunction.Node, _ flat: FlatFunction, _ axes: AxisAnalysis,
    _ seen: inout [Key: (id: Int, value: Int)]
  ) {
    let operation = node.operation
    guard let result = operation.results.first, number.indices.contains(result.index),
      Self.isPure(operation)
    else { return }
    range[result.index] = Ranges.range(of: operation, flat) { self.range[safe: $0.index] ?? nil }
    if axes.facts(of: result).constant != nil || isSingle(range[result.index]) {
      isFree[node.id] = true
    }
    if let same = simplified(operation, axes) {
      number[result.index] = number[same.index]
      if range[result.index] == nil { range[result.index] = range[same.index] }
      isFree[node.id] = true
      return
    }
    var operands = operation.operands.map { number[safe: $0.index] ?? $0.index }
    if case .binary(let op) = operation.kind, [.add, .mul, .and, .or, .xor].contains(op) {
      operands.sort()
    }
    let key = Key(kind: operation.kind, operands: operands, type: flat.type(of: result))
    if let earlier = seen[key], dominates(earlier.id, node, flat) {
      number[result.index] = earlier.value
      isFree[node.id] = true
    } else {
      seen[key] = (node.id, result.index)
    }
  }

  private func isSingle(_ range: ClosedRange<Int>?) -> Bool {
    guard let range else { return false }
    return range.lowerBound == range.upperBound
  }

  /// The operand that an operation hands on unchanged.
  private func simplified(_ operation: Operation, _ axes: AxisAnalysis) -> Value? {
    guard operation.operands.count == 2, case .binary(let op) = operation.kind else {
      if case .hint = operation.kind { return operation.operands.first }
      return nil
    }
    let (a, b) = (operation.operands[0], operation.operands[1])
    func known(_ value: Value) -> Int? {
      if let constant = axes.facts(of: value).constant { return constant }
      guard let range = range[safe: value.index] ?? nil, isSingle(range) else { return nil }
      return range.lowerBound
    }
    switch op {
    case .add:
      if known(b) == 0 { return a }
      if known(a) == 0 { return b }
    case .sub, .shl, .shr: if known(b) == 0 { return a }
    case .mul:
      if known(b) == 1 { return a }
      if known(a) == 1 { return b }
    case .idiv: if known(b) == 1 { return a }
    case .and:
      if known(b) == 1, isFlag(b) { return a }
      if known(a) == 1, isFlag(a) { return b }
      if number[a.index] == number[b.index] { return a }
    case .or: if known(b) == 0 { return a } else if known(a) == 0 { return b }
    default: break
    }
    return nil
  }

  private func isFlag(_ value: Value) -> Bool {
    guard let range = range[safe: value.index] ?? nil else { return false }
    return range.lowerBound >= 0 && range.upperBound <= 1
  }

  private func dominates(_ earlier: Int, _ node: FlatFunction.Node, _ flat: FlatFunction) -> Bool {
    let parent = flat.nodes[earlier].parent
    if parent == node.parent { return true }
    var up = node.parent
    while let id = up {
      up = flat.nodes[id].parent
      if up == parent { return true }
    }
    return false
  }

  static func isPure(_ operation: Operation) -> Bool {
    guard operation.regions.isEmpty else { return false }
    switch operation.kind {
    case .constant, .programID, .numPrograms, .makeRange, .splat, .broadcast, .expandDims,
      .reshape, .trans, .join, .split, .cat, .gather, .unary, .binary, .compare, .select, .fma,
      .clamp, .cast, .addPointer, .hint, .dot, .dotScaled, .reduce, .scan, .makeBlockPointer,
      .advance, .makeTensorDescriptor, .histogram:
      return true
    case .external(_, let isPure), .inlineAssembly(_, _, let isPure, _): return isPure
    default: return false
    }
  }

  private mutating func dropDead(_ flat: FlatFunction) {
    var isNeeded = Array(repeating: false, count: flat.nodes.count)
    var stack: [Int] = []
    for node in flat.nodes where !Self.isPure(node.operation) {
      switch node.operation.kind {
      case .load(let attributes) where !attributes.isVolatile: continue
      case .blockLoad, .descriptorLoad, .descriptorGather: continue
      default:
        isNeeded[node.id] = true
        stack.append(node.id)
      }
    }
    while let id = stack.popLast() {
      for operand in flat.nodes[id].operation.operands {
        if let source = flat.definer[safe: operand.index] ?? nil, !isNeeded[source] {
          isNeeded[source] = true
          stack.append(source)
        }
      }
    }
    for id in isNeeded.indices where !isNeeded[id] { isFree[id] = true }
  }
}

/// Ranges that follow from the code alone, as a compiler sees them.
enum Ranges {
  static func range(
    of operation: Operation, _ flat: FlatFunction, _ known: (Value) -> ClosedRange<Int>?
  ) -> ClosedRange<Int>? {
    let operands = operation.operands.map(known)
    let limit = 1 << 40
    func bounded(_ low: Int, _ high: Int) -> ClosedRange<Int>? {
      low <= high && low > -limit && high < limit ? low...high : nil
    }
    switch operation.kind {
    case .constant(.int(let value)): return bounded(value, value)
    case .makeRange(let start, let end): return bounded(start, end - 1)
    case .programID, .numPrograms: return 0...Int(Int32.max)
    case .splat, .broadcast, .expandDims, .reshape, .trans, .hint: return operands.first ?? nil
    case .cast(.convert):
      guard let result = operation.results.first, let type = flat.type(of: result),
        type.element.isInteger, type.element.bits >= 32
      else { return nil }
      return operands.first ?? nil
    case .compare(let predicate):
      guard operands.count == 2, let a = operands[0], let b = operands[1] else { return 0...1 }
      return verdict(predicate, a, b).map { $0 ? 1...1 : 0...0 } ?? 0...1
    case .binary(let op):
      guard operands.count == 2, let result = operation.results.first,
        flat.type(of: result)?.element.isInteger == true
      else { return nil }
      if op == .and, flat.type(of: result)?.element == .int1 {
        let (a, b) = (operands[0] ?? 0...1, operands[1] ?? 0...1)
        return min(a.lowerBound, b.lowerBound)...min(a.upperBound, b.upperBound)
      }
      guard let a = operands[0], let b = operands[1] else { return nil }
      switch op {
      case .add: return bounded(a.lowerBound + b.lowerBound, a.upperBound + b.upperBound)
      case .sub: return bounded(a.lowerBound - b.upperBound, a.upperBound - b.lowerBound)
      case .mul:
        var products: [Int] = []
        for x in [a.lowerBound, a.upperBound] {
          for y in [b.lowerBound, b.upperBound] {
            let (value, overflow) = x.multipliedReportingOverflow(by: y)
            if overflow { return nil }
            products.append(value)
          }
        }
        guard let low = products.min(), let high = products.max() else { return nil }
        return bounded(low, high)
      case .idiv:
        guard b.lowerBound > 0, a.lowerBound >= 0 else { return nil }
        return bounded(a.lowerBound / b.upperBound, a.upperBound / b.lowerBound)
      case .rem:
        guard b.lowerBound > 0, a.lowerBound >= 0 else { return nil }
        return bounded(0, min(a.upperBound, b.upperBound - 1))
      default: return nil
      }
    default: return nil
    }
  }

  private static func verdict(
    _ predicate: ComparePredicate, _ a: ClosedRange<Int>, _ b: ClosedRange<Int>
  ) -> Bool? {
    switch predicate {
    case .lt: a.upperBound < b.lowerBound ? true : a.lowerBound >= b.upperBound ? false : nil
    case .le: a.upperBound <= b.lowerBound ? true : a.lowerBound > b.upperBound ? false : nil
    case .gt: a.lowerBound > b.upperBound ? true : a.upperBound <= b.lowerBound ? false : nil
    case .ge: a.lowerBound >= b.upperBound ? true : a.upperBound < b.lowerBound ? false : nil
    case .eq, .ne: nil
    }
  }
}
