import TileIR

/// Which parameter each pointer value was made from.
struct PointerRoots: Sendable {
  private var roots: [Int?]

  init(_ flat: FlatFunction) {
    roots = Array(repeating: nil, count: flat.function.values.count)
    for (index, parameter) in flat.function.parameters.enumerated()
    where roots.indices.contains(parameter.value.index) {
      roots[parameter.value.index] = index
    }
    for _ in 0..<2 {
      for node in flat.nodes {
        let operation = node.operation
        switch operation.kind {
        case .addPointer, .splat, .broadcast, .expandDims, .reshape, .trans, .hint, .advance,
          .makeBlockPointer, .makeTensorDescriptor, .cast:
          if let source = operation.operands.first, let root = roots[safe: source.index],
            let root, Self.isPointer(operation.results.first, flat)
          {
            for result in operation.results { set(result, root) }
          }
        case .select:
          if operation.operands.count == 3, let result = operation.results.first,
            Self.isPointer(result, flat),
            let a = roots[safe: operation.operands[1].index] ?? nil,
            a == roots[safe: operation.operands[2].index] ?? nil
          {
            set(result, a)
          }
        case .forLoop, .whileLoop, .ifElse: propagate(node, flat)
        default: break
        }
      }
    }
  }

  /// The position of the parameter in the function's list.
  func parameter(of value: Value) -> Int? { roots[safe: value.index] ?? nil }

  private mutating func set(_ value: Value, _ root: Int) {
    if roots.indices.contains(value.index) { roots[value.index] = root }
  }

  private mutating func propagate(_ node: FlatFunction.Node, _ flat: FlatFunction) {
    let operation = node.operation
    var initial = operation.operands
    var arguments = operation.regions.first?.arguments ?? []
    switch operation.kind {
    case .forLoop:
      initial = Array(initial.dropFirst(3))
      arguments = Array(arguments.dropFirst())
    case .ifElse: arguments = []
    default: break
    }
    for (argument, start) in zip(arguments, initial) {
      if let root = parameter(of: start), Self.isPointer(argument, flat) { set(argument, root) }
    }
    for region in node.regions.indices {
      for (result, source) in zip(operation.results, node.yielded(region, in: flat)) {
        if let root = parameter(of: source), Self.isPointer(result, flat) { set(result, root) }
      }
    }
    if operation.regions.count == 2, case .whileLoop = operation.kind {
      for (argument, source) in zip(
        operation.regions[1].arguments, node.yielded(0, in: flat))
      {
        if let root = parameter(of: source), Self.isPointer(argument, flat) { set(argument, root) }
      }
    }
    for (result, argument) in zip(operation.results, arguments) {
      if let root = parameter(of: argument), Self.isPointer(result, flat) { set(result, root) }
    }
  }

  private static func isPointer(_ value: Value?, _ flat: FlatFunction) -> Bool {
    guard let value, flat.function.values.indices.contains(value.index) else { return false }
    switch flat.function.values[value.index].type {
    case .tile(let type): return type.element.isPointer
    case .blockPointer, .tensorDescriptor: return true
    }
  }
}

extension Array {
  /// The element, or nil where there is none.
  subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
