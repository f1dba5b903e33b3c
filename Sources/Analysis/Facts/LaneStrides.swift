import TileIR

/// Whether the elements of a tile differ by compile-time constants from place to place.
///
/// Such a value costs one computation a thread: the rest are constants the compiler puts into the
/// address of the load. `pid * 64 + arange(0, 64)` is one; `arange(0, 64) * stride` is not, unless
/// `stride` is a constant.
struct LaneStrides: Sendable {
  /// One flag per axis of each value.
  private var isConstant: [[Bool]]
  /// Per axis of each value: how many different constants are added along it, where the value is a
  /// run-time part plus something known at compile time for each place; nil where it is not.
  private var steps: [[Int?]]

  /// Nothing is known of any value.
  static let unknown = LaneStrides()

  private init() { (isConstant, steps) = ([], []) }

  /// - Parameter sample: the values one program computed; tells how many constants differ.
  init(_ flat: FlatFunction, axes: AxisAnalysis, sample: [ConcreteValue] = []) {
    isConstant = (0..<flat.function.values.count).map {
      let rank = flat.type(of: Value(index: $0))?.shape.count ?? 0
      return Array(repeating: false, count: rank)
    }
    steps = isConstant.map { $0.map { _ in nil } }
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
      steps[result.index] = Self.steps(
        node.operation, type, facts: facts, isPure: axes.dependences(of: result) == .lane,
        sample: sample[safe: result.index]?.tile
      ) { self.steps[safe: $0.index] ?? [] }
    }
  }

  /// The different constants along each axis; see ``steps``.
  func steps(of value: Value) -> [Int?] { steps[safe: value.index] ?? [] }

  private static func steps(
    _ operation: Operation, _ type: TileType, facts: AxisFacts, isPure: Bool,
    sample: ConcreteTile?, _ known: (Value) -> [Int?]
  ) -> [Int?] {
    let rank = type.shape.count
    var result: [Int?] = (0..<rank).map {
      facts.rank > $0 && facts.constancy[$0] >= type.shape[$0] ? 1 : nil
    }
    guard !type.element.isFloat else { return result }
    if isPure {
      return (0..<rank).map { axis in
        guard let sample, sample.extents.count == rank else { return type.shape[axis] }
        return sample.distinctSlices(along: axis)
      }
    }
    func merge(_ a: [Int?], _ b: [Int?]) {
      guard a.count == rank, b.count == rank else { return }
      for axis in 0..<rank {
        if let x = a[axis], let y = b[axis] { result[axis] = min(type.shape[axis], x * y) }
      }
    }
    let operands = operation.operands
    switch operation.kind {
    case .binary(let op) where op == .add || op == .sub || op == .and || op == .or:
      if operands.count == 2 { merge(known(operands[0]), known(operands[1])) }
    case .addPointer, .compare:
      if operands.count == 2 { merge(known(operands[0]), known(operands[1])) }
    case .binary(.mul):
      // (run-time + constant) × uniform keeps the number of different places.
      if operands.count == 2 { merge(known(operands[0]), known(operands[1])) }
    case .broadcast, .hint, .cast:
      if let source = operands.first.map(known), source.count == rank {
        for axis in 0..<rank { result[axis] = source[axis] ?? result[axis] }
      }
    case .expandDims(let axis):
      if var source = operands.first.map(known), source.count + 1 == rank, axis <= source.count {
        source.insert(1, at: axis)
        result = source
      }
    default: break
    }
    return result
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
