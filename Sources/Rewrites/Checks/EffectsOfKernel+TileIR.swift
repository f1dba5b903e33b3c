import Diagnostics
import TileIR

extension EffectsOfKernel {
  /// The effects of a lowered kernel, exact for its specialisation.
  public init(of function: Function) {
    let roots = PointerRoots(of: function)
    var reads: Set<String> = []
    var writes: Set<String> = []
    var atomics: Set<String> = []
    var unknown: [Diagnostic] = []
    function.forEachOperation { operation in
      guard let target = operation.operands.first else { return }
      let found = roots.parameters(of: target)
      let touchesMemory: Bool
      switch operation.kind {
      case .load, .blockLoad, .descriptorLoad, .descriptorGather:
        reads.formUnion(found)
        touchesMemory = true
      case .store, .blockStore, .descriptorScatter, .descriptorStore(reduction: nil):
        writes.formUnion(found)
        touchesMemory = true
      case .atomicRMW, .atomicCAS, .descriptorStore:
        atomics.formUnion(found)
        touchesMemory = true
      case .inlineAssembly(_, _, let isPure, _), .external(_, let isPure): touchesMemory = !isPure
      default: touchesMemory = false
      }
      if touchesMemory, found.isEmpty {
        unknown.append(
          Diagnostic(
            id: "effects-not-followed", "what this operation accesses is not known",
            source: function.source, range: operation.location.range))
      }
    }
    self.init(reads: reads, writes: writes, atomics: atomics, unknown: unknown)
  }
}

/// The parameters that each pointer of a lowered kernel may point into.
struct PointerRoots {
  private var roots: [Int: Set<String>] = [:]

  func parameters(of value: Value) -> Set<String> { roots[value.index] ?? [] }

  init(of function: Function) {
    var roots: [Int: Set<String>] = [:]
    for parameter in function.parameters { roots[parameter.value.index] = [parameter.name] }
    /// Propagates pointers through results, loop-carried values and branches.
    func visit(_ region: Region, yieldingTo results: [Value]) -> Bool {
      var changed = false
      func flow(_ from: Value, _ to: Value) {
        let found = roots[from.index] ?? []
        if !found.isSubset(of: roots[to.index] ?? []) {
          roots[to.index, default: []].formUnion(found)
          changed = true
        }
      }
      for operation in region.operations {
        switch operation.kind {
        case .yield, .condition:
          let values = operation.operands.suffix(results.count)
          for (value, result) in zip(values, results) { flow(value, result) }
        case .forLoop, .whileLoop:
          let carried = operation.operands.suffix(operation.results.count)
          for inner in operation.regions {
            let arguments = inner.arguments.suffix(operation.results.count)
            for (value, argument) in zip(carried, arguments) { flow(value, argument) }
            if visit(inner, yieldingTo: operation.results) { changed = true }
            for (result, argument) in zip(operation.results, arguments) { flow(result, argument) }
          }
        case .ifElse:
          for inner in operation.regions
          where visit(inner, yieldingTo: operation.results) { changed = true }
        default:
          guard operation.kind.forwardsPointers else { continue }
          for operand in operation.operands where function.isPointer(operand) {
            for result in operation.results { flow(operand, result) }
          }
        }
      }
      return changed
    }
    while visit(function.body, yieldingTo: []) {}
    self.roots = roots
  }
}

extension Function {
  fileprivate func isPointer(_ value: Value) -> Bool {
    switch type(of: value) {
    case .tile(let tile): tile.element.isPointer
    case .blockPointer, .tensorDescriptor: true
    }
  }
}

extension TileIR.Operation.Kind {
  fileprivate var forwardsPointers: Bool {
    switch self {
    case .load, .store, .blockLoad, .blockStore, .descriptorLoad, .descriptorStore,
      .descriptorGather, .descriptorScatter, .atomicRMW, .atomicCAS, .compare:
      false
    default: true
    }
  }
}
