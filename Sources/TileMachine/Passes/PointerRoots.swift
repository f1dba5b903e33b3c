import TileIR

/// Which allocations a launch may write and read, as far as pointers can be traced to parameters;
/// nil where one cannot.
struct PointerRoots {
  private(set) var written: Set<Int>? = []
  private(set) var read: Set<Int>? = []
  private var roots: [Set<Int>?]

  init(_ function: Function, addresses: [Value: Int]) {
    roots = Array(repeating: [], count: function.values.count)
    for (value, address) in addresses {
      roots[value.index] = [(address >> DeviceMemory.regionShift) - 1]
    }
    // Twice, so that what a loop carries around reaches its beginning.
    for _ in 0..<3 { visit(function.body, function) }
  }

  private mutating func visit(_ region: Region, _ function: Function) {
    for operation in region.operations {
      if case .forLoop = operation.kind {
        bind(operation.regions[0].arguments.dropFirst(), operation.operands.dropFirst(3))
        yields(operation.regions[0], into: operation.regions[0].arguments.dropFirst())
      }
      if case .whileLoop = operation.kind {
        for region in operation.regions { bind(region.arguments[...], operation.operands[...]) }
        yields(operation.regions[1], into: operation.regions[0].arguments[...])
      }
      for nested in operation.regions { visit(nested, function) }
      for region in operation.regions { yields(region, into: operation.results[...]) }
      if case .forLoop = operation.kind {
        bind(operation.results[...], operation.operands.dropFirst(3))
      }
      switch operation.kind {
      case .load: note(operation.operands[0], isWrite: false)
      case .store: note(operation.operands[0], isWrite: true)
      case .atomicRMW, .atomicCAS:
        note(operation.operands[0], isWrite: true)
        setRoots(operation, function)
      default: break
      }
      switch operation.kind {
      case .forLoop, .whileLoop, .ifElse: break
      default: setRoots(operation, function)
      }
    }
  }

  private mutating func setRoots(_ operation: Operation, _ function: Function) {
    for result in operation.results
    where function.values[result.index].type.tile?.element.isPointer == true {
      switch operation.kind {
      case .addPointer, .splat, .broadcast, .expandDims, .reshape, .trans, .select, .hint, .join,
        .split, .cat, .gather:
        var all: Set<Int>? = []
        for operand in operation.operands
        where function.values[operand.index].type.tile?.element.isPointer == true {
          all = merged(all, roots[operand.index])
        }
        roots[result.index] = all
      default: roots[result.index] = nil
      }
      if case .cast(.bitcast) = operation.kind {
        roots[result.index] = roots[operation.operands[0].index]
      }
    }
  }

  private func merged(_ a: Set<Int>?, _ b: Set<Int>?) -> Set<Int>? {
    guard let a, let b else { return nil }
    return a.union(b)
  }

  private mutating func bind(_ targets: ArraySlice<Value>, _ sources: ArraySlice<Value>) {
    for (target, source) in zip(targets, sources) {
      roots[target.index] = merged(roots[target.index], roots[source.index])
    }
  }

  private mutating func yields(_ region: Region, into targets: ArraySlice<Value>) {
    guard let last = region.operations.last else { return }
    if last.kind == .yield { bind(targets, last.operands[...]) }
    if last.kind == .condition { bind(targets, last.operands.dropFirst()) }
  }

  private mutating func note(_ pointer: Value, isWrite: Bool) {
    if isWrite {
      written = merged(written, roots[pointer.index])
    } else {
      read = merged(read, roots[pointer.index])
    }
  }
}
