import TileIR

/// A lowered function with its operations numbered in program order, so that every analysis can
/// keep its findings in arrays.
///
/// Classes, because every step of every analysis holds them: a copy of a struct would count
/// references on each of its arrays.
final class FlatFunction: Sendable {
  /// One operation with its place in the nesting.
  final class Node: Sendable {
    let operation: Operation
    let id: Int
    /// The operation whose region holds this one; nil at top level.
    let parent: Int?
    /// The enclosing loops, outermost first, by operation id.
    let loops: [Int]
    /// The ids of the operations of each region.
    let regions: [[Int]]

    init(operation: Operation, id: Int, parent: Int?, loops: [Int], regions: [[Int]]) {
      self.operation = operation
      self.id = id
      self.parent = parent
      self.loops = loops
      self.regions = regions
    }
  }

  let function: Function
  let nodes: [Node]
  /// Top-level operation ids, in order.
  let top: [Int]
  /// The operation that defines each value; nil for parameters and region arguments.
  let definer: [Int?]
  /// The loop that owns each region argument; nil for other values.
  let argumentLoop: [Int?]
  /// Operations that use each value.
  let users: [[Int]]

  init(_ function: Function) {
    self.function = function
    var builder = Builder(valueCount: function.values.count)
    self.top = builder.add(function.body, parent: nil, loops: [])
    self.nodes = builder.nodes.compactMap(\.self)
    self.definer = builder.definer
    self.argumentLoop = builder.argumentLoop
    self.users = builder.users
  }

  func type(of value: Value) -> TileType? {
    guard function.values.indices.contains(value.index) else { return nil }
    return function.values[value.index].type.tile
  }

  /// The operation that defines a value.
  func definition(of value: Value) -> Node? {
    guard definer.indices.contains(value.index), let id = definer[value.index] else { return nil }
    return nodes[id]
  }

  private struct Builder {
    var nodes: [Node?] = []
    var definer: [Int?]
    var argumentLoop: [Int?]
    var users: [[Int]]

    init(valueCount: Int) {
      definer = Array(repeating: nil, count: valueCount)
      argumentLoop = Array(repeating: nil, count: valueCount)
      users = Array(repeating: [], count: valueCount)
    }

    mutating func add(_ region: Region, parent: Int?, loops: [Int]) -> [Int] {
      var ids: [Int] = []
      for operation in region.operations {
        let id = nodes.count
        nodes.append(nil)
        ids.append(id)
        for value in operation.operands where users.indices.contains(value.index) {
          users[value.index].append(id)
        }
        for value in operation.results where definer.indices.contains(value.index) {
          definer[value.index] = id
        }
        var isLoop = false
        switch operation.kind {
        case .forLoop, .whileLoop: isLoop = true
        default: break
        }
        let inner = isLoop ? loops + [id] : loops
        var regions: [[Int]] = []
        for region in operation.regions {
          if isLoop {
            for value in region.arguments where argumentLoop.indices.contains(value.index) {
              argumentLoop[value.index] = id
            }
          }
          regions.append(add(region, parent: id, loops: inner))
        }
        nodes[id] = Node(
          operation: operation, id: id, parent: parent, loops: loops, regions: regions)
      }
      return ids
    }
  }
}

extension FlatFunction.Node {
  /// The operands of the yield (or condition) that ends a region.
  func yielded(_ region: Int, in flat: FlatFunction) -> [Value] {
    guard regions.indices.contains(region), let last = regions[region].last else { return [] }
    let operation = flat.nodes[last].operation
    switch operation.kind {
    case .yield: return operation.operands
    case .condition: return Array(operation.operands.dropFirst())
    default: return []
    }
  }
}
