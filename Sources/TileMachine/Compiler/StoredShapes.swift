import TileIR

/// Along which axes each value of a function can vary, found without running it.
///
/// A splat varies along none; `a[:, None] + b[None, :]` along both. Loop-carried values count as
/// varying everywhere.
struct StoredShapes {
  private(set) var shapes: [[Int]]

  init(_ function: Function) {
    shapes = function.values.map { $0.type.tile?.shape ?? [] }
    visit(function.body)
  }

  subscript(_ value: Value) -> [Int] { shapes[value.index] }

  private mutating func visit(_ region: Region) {
    for operation in region.operations {
      for nested in operation.regions { visit(nested) }
      guard let result = operation.results.first else { continue }
      let full = shapes[result.index]
      switch operation.kind {
      case .constant, .splat: shapes[result.index] = full.map { _ in 1 }
      case .broadcast: shapes[result.index] = shapes[operation.operands[0].index]
      case .expandDims(let axis):
        var shape = shapes[operation.operands[0].index]
        shape.insert(1, at: min(axis, shape.count))
        shapes[result.index] = shape
      case .reshape:
        let source = shapes[operation.operands[0].index]
        if source.allSatisfy({ $0 == 1 }) { shapes[result.index] = full.map { _ in 1 } }
      case .unary, .binary, .compare, .select, .fma, .clamp, .cast, .addPointer, .external:
        shapes[result.index] =
          operation.operands.isEmpty
          ? full.map { _ in 1 } : joined(operation.operands.map { shapes[$0.index] })
      case .load(let attributes):
        // A volatile load reads each lane for itself.
        if !attributes.isVolatile {
          shapes[result.index] = joined(operation.operands.map { shapes[$0.index] })
        }
      case .hint: shapes[result.index] = shapes[operation.operands[0].index]
      case .trans(let order):
        let source = shapes[operation.operands[0].index]
        shapes[result.index] = order.map { source[$0] }
      default: break
      }
    }
  }
}
