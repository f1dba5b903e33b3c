import TileIR

/// Whether the elements of a tile differ by compile-time constants from place to place.
///
/// Such a value costs one computation a thread: the rest are constants the compiler puts into the
/// address of the load. `pid * 64 + arange(0, 64)` is one; `arange(0, 64) * stride` is not, unless
/// `stride` is a constant.
struct LaneStrides: Sendable {
  /// One flag per axis of each value.
  private var isConstant: [[Bool]]

  init(_ flat: FlatFunction, axes: AxisAnalysis) {
    isConstant = (0..<flat.function.values.count).map {
      let rank = flat.type(of: Value(index: $0))?.shape.count ?? 0
      return Array(repeating: false, count: rank)
    }
    for node in flat.nodes {
      guard let result = node.operation.results.first,
        let type = flat.type(of: result), !type.isScalar
      else { continue }
      let facts = axes.facts(of: result)
      var flags = Self.flags(node.operation, type) {
        self.isConstant[safe: $0.index] ?? []
      } axes: {
        axes.facts(of: $0)
      }
      for axis in flags.indices where facts.rank > axis && facts.constancy[axis] >= type.shape[axis]
      {
        flags[axis] = true
      }
      isConstant[result.index] = flags
    }
  }

  func flags(of value: Value) -> [Bool] { isConstant[safe: value.index] ?? [] }

  private static func flags(
    _ operation: Operation, _ type: TileType, _ known: (Value) -> [Bool],
    axes: (Value) -> AxisFacts
  ) -> [Bool] {
    let rank = type.shape.count
    let none = Array(repeating: false, count: rank)
    let operands = operation.operands
    func both() -> [Bool] {
      guard operands.count >= 2 else { return none }
      let (a, b) = (known(operands[0]), known(operands[1]))
      guard a.count == rank, b.count == rank else { return none }
      return zip(a, b).map { $0 && $1 }
    }
    switch operation.kind {
    case .makeRange, .splat, .constant: return none.map { _ in true }
    case .broadcast, .hint, .cast:
      let source = operands.first.map(known) ?? none
      guard source.count == rank, !type.element.isFloat else { return none }
      return source
    case .expandDims(let axis):
      var source = operands.first.map(known) ?? []
      guard source.count + 1 == rank, (0...source.count).contains(axis) else { return none }
      source.insert(true, at: axis)
      return source
    case .trans(let order):
      let source = operands.first.map(known) ?? []
      guard source.count == rank, order.count == rank else { return none }
      return order.map { source[safe: $0] ?? false }
    case .addPointer: return both()
    case .binary(let op):
      guard type.element.isInteger else { return none }
      switch op {
      case .add, .sub: return both()
      case .mul, .shl:
        guard operands.count == 2 else { return none }
        let hasConstant = operands.contains { axes($0).constant != nil }
        return hasConstant ? both() : none
      default: return none
      }
    default: return none
    }
  }

  /// True where an operation only shifts or scales its operands, so that its users can fold it.
  static func isAffine(_ operation: Operation) -> Bool {
    switch operation.kind {
    case .addPointer, .splat, .broadcast, .expandDims, .trans, .hint, .load, .store, .atomicRMW:
      true
    case .binary(let op): op == .add || op == .sub || op == .mul
    default: false
    }
  }
}
