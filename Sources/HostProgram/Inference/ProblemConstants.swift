import Diagnostics
import PythonSyntax

/// An integer that the problem file fixes at module level (`batch_size = 128`), from which its
/// `get_inputs` and `get_init_inputs` make sizes.
public struct ProblemConstant: Hashable, Sendable {
  /// The variable, or an item of a tuple or list of integers: `input_shape[0]`.
  public var name: String
  public var value: Int
  /// The literal.
  public var range: SourceRange
}

extension HostProgram {
  /// The integers that the problem (or the module, without a problem) fixes at module level by
  /// literals, in source order. `run(_:constants:)` takes other values for them by name.
  public var constants: [ProblemConstant] {
    var found: [ProblemConstant] = []
    for statement in (problem ?? module).body {
      for (name, value) in ProblemConstants.assignments(in: statement) {
        if let number = ProblemConstants.literal(value) {
          found.append(ProblemConstant(name: name, value: number, range: value.range))
          continue
        }
        for (index, item) in ProblemConstants.items(value).enumerated() {
          guard let number = ProblemConstants.literal(item) else { continue }
          found.append(
            ProblemConstant(name: "\(name)[\(index)]", value: number, range: item.range))
        }
      }
    }
    return found
  }
}

enum ProblemConstants {
  /// The names that a statement assigns, each with its value: `a = 1`, `a = b = 1`, `a, b = 1, 2`.
  static func assignments(in statement: Stmt) -> [(String, Expr)] {
    switch statement.kind {
    case .assign(let targets, let value): targets.flatMap { pairs($0, value) }
    case .annAssign(let target, _, .some(let value), _): pairs(target, value)
    default: []
    }
  }

  private static func pairs(_ target: Expr, _ value: Expr) -> [(String, Expr)] {
    if case .name(let name) = target.kind { return [(name, value)] }
    let (names, values) = (items(target), items(value))
    guard names.count == values.count else { return [] }
    return zip(names, values).compactMap { target, value in
      if case .name(let name) = target.kind { (name, value) } else { nil }
    }
  }

  /// The items of a tuple or list.
  static func items(_ expression: Expr) -> [Expr] {
    switch expression.kind {
    case .tuple(let items), .list(let items): items
    default: []
    }
  }

  /// The value of an integer literal, or of `+`, `-`, `*`, `//`, `**` between such.
  static func literal(_ expression: Expr, _ depth: Int = 0) -> Int? {
    guard depth < 50 else { return nil }
    switch expression.kind {
    case .constant(.int(let literal)): return literal.value
    case .unary(.minus, let inner): return literal(inner, depth + 1).map { 0 &- $0 }
    case .binary(let left, let op, let right):
      guard let a = literal(left, depth + 1), let b = literal(right, depth + 1) else { return nil }
      switch op {
      case .add: return checked(a.addingReportingOverflow(b))
      case .sub: return checked(a.subtractingReportingOverflow(b))
      case .mul: return checked(a.multipliedReportingOverflow(by: b))
      case .floorDiv: return SymbolicInt.floorDivision(a, b)
      case .pow:
        guard (0..<63).contains(b) else { return nil }
        return (0..<b).reduce(1) { (power: Int?, _) in
          power.flatMap { checked($0.multipliedReportingOverflow(by: a)) }
        }
      default: return nil
      }
    default: return nil
    }
  }

  private static func checked(_ result: (partialValue: Int, overflow: Bool)) -> Int? {
    result.overflow ? nil : result.partialValue
  }
}

extension HostSession {
  /// Gives the constants that a module-level statement has just set their replacements.
  func overrideConstants(in statement: Stmt, _ unit: SourceUnit) {
    guard !constants.isEmpty, unit === problemUnit ?? moduleUnit else { return }
    for (name, _) in ProblemConstants.assignments(in: statement) {
      if let value = constants[name] { unit.globals.variables[name] = .int(value) }
      switch unit.globals.variables[name] {
      case .tuple(let tuple)?:
        unit.globals.variables[name] = .tuple(
          TupleObject(replaced(tuple.items, name), like: tuple))
      case .list(let list)?: list.items = replaced(list.items, name)
      default: break
      }
    }
  }

  private func replaced(_ items: [Value], _ name: String) -> [Value] {
    items.enumerated().map { index, item in
      constants["\(name)[\(index)]"].map(Value.int) ?? item
    }
  }
}
