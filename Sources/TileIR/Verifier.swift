import Diagnostics

/// Checks that a function is well-formed: each value defined once and before its uses, operand and
/// result types per operation, regions that end as their owner wants.
public enum Verifier {
  /// The first thing wrong, with the operation's name and place; nil for a sound function.
  /// - Parameter pass: what ran before, named in the message ("after lowering").
  /// - Complexity: O(operations).
  public static func verify(_ function: Function, after pass: String? = nil) -> Diagnostic? {
    var checker = Checker(function: function)
    return checker.run().map { problem in
      Diagnostic(
        id: "invalid-tile-ir",
        "\(pass.map { "after \($0): " } ?? "")'\(problem.operation)' \(problem.text)",
        source: function.source, range: problem.range)
    }
  }
}

private struct Problem {
  var operation: String
  var text: String
  var range: SourceRange
}

private struct Checker {
  let function: Function
  /// Whether each value is visible at the point reached.
  var visible: [Bool]
  var defined: [Bool]

  init(function: Function) {
    self.function = function
    visible = Array(repeating: false, count: function.values.count)
    defined = visible
  }

  mutating func run() -> Problem? {
    for parameter in function.parameters {
      if let text = define(parameter.value) {
        return Problem(operation: "func", text: text, range: SourceRange(0, 0))
      }
    }
    return check(function.body, terminator: nil)
  }

  mutating func define(_ value: Value) -> String? {
    guard defined.indices.contains(value.index) else { return "defines unknown value \(value)" }
    if defined[value.index] { return "defines \(value) a second time" }
    defined[value.index] = true
    visible[value.index] = true
    return nil
  }

  /// `terminator`: the types the region's last operation must hand over; nil wants none.
  mutating func check(_ region: Region, terminator: [ValueType]?, isCondition: Bool = false)
    -> Problem?
  {
    var here: [Value] = region.arguments
    for argument in region.arguments {
      if let text = define(argument) {
        return Problem(operation: "region", text: text, range: SourceRange(0, 0))
      }
    }
    for (index, operation) in region.operations.enumerated() {
      func problem(_ text: String) -> Problem {
        Problem(operation: operation.kind.name, text: text, range: operation.location.range)
      }
      for operand in operation.operands {
        guard visible.indices.contains(operand.index), visible[operand.index] else {
          return problem("uses \(operand) where it is not defined")
        }
      }
      let isLast = index == region.operations.count - 1
      if operation.kind == .yield || operation.kind == .condition {
        guard isLast, terminator != nil else { return problem("stands where no values are wanted") }
      }
      let rules = OperationRules(
        operation: operation, operands: operation.operands.map(function.type(of:)),
        results: operation.results.map(function.type(of:)))
      if let text = rules.problem() { return problem(text) }
      if let nested = checkRegions(operation) { return nested }
      for result in operation.results {
        if let text = define(result) { return problem(text) }
      }
      here += operation.results
    }
    defer { for value in here { visible[value.index] = false } }
    guard let terminator else { return nil }
    let last = region.operations.last
    let wanted: Operation.Kind = isCondition ? .condition : .yield
    guard let last, last.kind == wanted else {
      if terminator.isEmpty, !isCondition { return nil }
      return Problem(
        operation: "region", text: "does not end in '\(wanted.name)'",
        range: last?.location.range ?? SourceRange(0, 0))
    }
    var handed = last.operands.map(function.type(of:))
    if isCondition {
      guard handed.first == .tile(TileType(.int1)) else {
        return Problem(
          operation: last.kind.name, text: "condition is not a scalar int1",
          range: last.location.range)
      }
      handed.removeFirst()
    }
    guard handed == terminator else {
      return Problem(
        operation: last.kind.name,
        text: "hands over \(handed.map(\.description)), wanted \(terminator.map(\.description))",
        range: last.location.range)
    }
    return nil
  }

  mutating func checkRegions(_ operation: Operation) -> Problem? {
    let operands = operation.operands.map(function.type(of:))
    let results = operation.results.map(function.type(of:))
    func mismatch(_ text: String) -> Problem {
      Problem(operation: operation.kind.name, text: text, range: operation.location.range)
    }
    switch operation.kind {
    case .forLoop:
      let arguments = operation.regions[0].arguments.map(function.type(of:))
      guard arguments == [operands[0]] + operands.dropFirst(3) else {
        return mismatch("region takes \(arguments.map(\.description))")
      }
      return check(operation.regions[0], terminator: results)
    case .whileLoop:
      for region in operation.regions
      where region.arguments.map(function.type(of:)) != operands {
        return mismatch("region arguments and operands differ in type")
      }
      guard results == operands else { return mismatch("results and operands differ in type") }
      return check(operation.regions[0], terminator: operands, isCondition: true)
        ?? check(operation.regions[1], terminator: operands)
    case .ifElse:
      return check(operation.regions[0], terminator: results)
        ?? check(operation.regions[1], terminator: results)
    case .reduce, .scan:
      guard let region = operation.regions.first else { return nil }
      let scalars = operands.compactMap(\.tile).map { ValueType.tile(TileType($0.element)) }
      guard region.arguments.map(function.type(of:)) == scalars + scalars else {
        return mismatch("combine region must take \(scalars.count * 2) scalars")
      }
      return check(region, terminator: scalars)
    default: return nil
    }
  }
}
