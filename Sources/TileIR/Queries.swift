import Diagnostics

/// Where an operation stands: indices of operation and region from the body down.
///
/// Stable while the function is not edited; `steps` alternates operation, region, operation, ….
public struct OperationPath: Hashable, Sendable, CustomStringConvertible {
  public var steps: [Int]
  public init(_ steps: [Int]) { self.steps = steps }
  public var description: String { steps.map(String.init).joined(separator: ".") }
  /// How many regions enclose the operation, the body not counted.
  public var depth: Int { steps.count / 2 }
}

extension Function {
  /// Calls `body` with every operation and its path, outer before inner, in program order.
  public func forEachOperationPath(_ body: (OperationPath, Operation) -> Void) {
    func visit(_ region: Region, _ prefix: [Int]) {
      for (index, operation) in region.operations.enumerated() {
        let path = prefix + [index]
        body(OperationPath(path), operation)
        for (number, nested) in operation.regions.enumerated() { visit(nested, path + [number]) }
      }
    }
    visit(self.body, [])
  }

  /// The operation at a path; nil if there is none.
  public subscript(path: OperationPath) -> Operation? {
    var region = body
    var steps = path.steps[...]
    while let index = steps.popFirst() {
      guard region.operations.indices.contains(index) else { return nil }
      let operation = region.operations[index]
      guard let number = steps.popFirst() else { return operation }
      guard operation.regions.indices.contains(number) else { return nil }
      region = operation.regions[number]
    }
    return nil
  }

  /// Who defines and who uses each value.
  /// - Complexity: O(operations).
  public func defUse() -> DefUse { DefUse(self) }
}

/// Definitions and uses of a function's values, by value index.
public struct DefUse: Sendable {
  public enum Definition: Sendable, Hashable {
    case parameter(Int)
    /// Result number `result` of the operation at `path`.
    case result(OperationPath, result: Int)
    /// Argument `argument` of a region of the operation at `path`.
    case regionArgument(OperationPath, region: Int, argument: Int)
    /// The value is not defined (dead, removed).
    case none
  }
  public struct Use: Sendable, Hashable {
    public var path: OperationPath
    public var operand: Int
  }

  private let definitions: [Definition]
  private let usesOfValue: [[Use]]

  init(_ function: Function) {
    var definitions = [Definition](repeating: .none, count: function.values.count)
    var uses = [[Use]](repeating: [], count: function.values.count)
    func set(_ value: Value, _ definition: Definition) {
      if definitions.indices.contains(value.index) { definitions[value.index] = definition }
    }
    for (index, parameter) in function.parameters.enumerated() {
      set(parameter.value, .parameter(index))
    }
    function.forEachOperationPath { path, operation in
      for (index, result) in operation.results.enumerated() {
        set(result, .result(path, result: index))
      }
      for (number, region) in operation.regions.enumerated() {
        for (index, argument) in region.arguments.enumerated() {
          set(argument, .regionArgument(path, region: number, argument: index))
        }
      }
      for (index, operand) in operation.operands.enumerated()
      where uses.indices.contains(operand.index) {
        uses[operand.index].append(Use(path: path, operand: index))
      }
    }
    self.definitions = definitions
    self.usesOfValue = uses
  }

  public func definition(of value: Value) -> Definition {
    definitions.indices.contains(value.index) ? definitions[value.index] : .none
  }

  public func uses(of value: Value) -> [Use] {
    usesOfValue.indices.contains(value.index) ? usesOfValue[value.index] : []
  }
}

extension Operation.Kind {
  /// Whether the operation may be removed when nobody uses its results and moved past others.
  /// Loads are not pure: they depend on memory.
  public var isPure: Bool {
    switch self {
    case .load, .store, .atomicRMW, .atomicCAS, .blockLoad, .blockStore, .descriptorLoad,
      .descriptorStore, .descriptorGather, .descriptorScatter, .forLoop, .whileLoop, .ifElse,
      .yield, .condition, .deviceAssert, .devicePrint, .assume, .barrier:
      false
    case .external(_, let isPure), .inlineAssembly(_, _, let isPure, _): isPure
    default: true
    }
  }

  /// Whether the operation reads or writes memory.
  public var touchesMemory: Bool {
    switch self {
    case .load, .store, .atomicRMW, .atomicCAS, .blockLoad, .blockStore, .descriptorLoad,
      .descriptorStore, .descriptorGather, .descriptorScatter:
      true
    default: false
    }
  }
}

extension Function {
  /// Removes pure operations whose results nobody uses, inner regions included.
  ///
  /// Loads stay, even unused ones: whether they are wanted is for the reader to say.
  /// - Complexity: O(operations).
  public mutating func removeDeadOperations() {
    var used = [Bool](repeating: false, count: values.count)
    func mark(_ value: Value) { used[value.index] = true }
    // Backwards in one pass: a definition dominates its uses, so uses are seen first. Values
    // carried by a loop are used by its own yield and stay.
    func sweep(_ region: inout Region) {
      var kept: [Operation] = []
      for var operation in region.operations.reversed() {
        let isWanted = !operation.kind.isPure || operation.results.contains { used[$0.index] }
        guard isWanted else { continue }
        if operation.kind == .ifElse { operation.dropResults { !used[$0.index] } }
        operation.operands.forEach(mark)
        for index in operation.regions.indices.reversed() { sweep(&operation.regions[index]) }
        kept.append(operation)
      }
      region.operations = kept.reversed()
    }
    sweep(&body)
  }

  /// The number of operations, inner regions included.
  public var operationCount: Int {
    var count = 0
    forEachOperation { _ in count += 1 }
    return count
  }
}

extension Operation {
  /// Removes results of an `.ifElse` and what its branches yield for them.
  fileprivate mutating func dropResults(_ isUnwanted: (Value) -> Bool) {
    let wanted = results.indices.filter { !isUnwanted(results[$0]) }
    guard wanted.count < results.count else { return }
    for index in regions.indices {
      guard let last = regions[index].operations.popLast() else { continue }
      guard last.kind == .yield, last.operands.count == results.count else {
        regions[index].operations.append(last)
        continue
      }
      var yield = last
      yield.operands = wanted.map { last.operands[$0] }
      if !wanted.isEmpty { regions[index].operations.append(yield) }
    }
    results = wanted.map { results[$0] }
  }
}

extension Region {
  /// The region with uses of some values replaced, inner regions included.
  public func replacing(_ replacements: [Value: Value]) -> Region {
    if replacements.isEmpty { return self }
    var copy = self
    for index in copy.operations.indices {
      copy.operations[index].operands = copy.operations[index].operands.map {
        replacements[$0] ?? $0
      }
      copy.operations[index].regions = copy.operations[index].regions.map {
        $0.replacing(replacements)
      }
    }
    return copy
  }
}
