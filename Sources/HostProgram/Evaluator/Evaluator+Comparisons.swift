import PythonSyntax

extension Evaluator {
  func compare(_ op: CompareOperator, _ left: Value, _ right: Value) throws -> Value {
    switch op {
    case .is: return .boolean(SymBool(value: isIdentical(left, right)))
    case .isNot: return .boolean(SymBool(value: !isIdentical(left, right)))
    case .in: return try contains(right, left)
    case .notIn: return try unary(.not, try contains(right, left))
    default: break
    }
    if case .tensor = left { return try tensorCompare(op, left, right) }
    if case .tensor = right { return try tensorCompare(op, left, right) }
    if let result = try overloadedComparison(op, left, right) { return result }
    if let comparison = Condition.Comparison(rawValue: op.rawValue) {
      if let first = left.asInt, let second = right.asInt {
        return compareIntegers(comparison, first, second)
      }
      if op == .equal || op == .notEqual {
        let equal = try equality(left, right, 0)
        return op == .equal ? equal : try unary(.not, equal)
      }
      if let x = left.asDouble, let y = right.asDouble {
        let holds: Bool =
          switch comparison {
          case .less: x < y
          case .lessEqual: x <= y
          case .greater: x > y
          default: x >= y
          }
        return .boolean(SymBool(value: holds, origin: max(left.origin, right.origin)))
      }
      if case .string(let first) = left, case .string(let second) = right {
        return .bool(comparison.holds(first == second ? 0 : first < second ? -1 : 1, 0))
      }
      if let first = sequence(left), let second = sequence(right) {
        return try compareSequences(comparison, first, second)
      }
    }
    if case .opaque(let object) = left { throw refuse(object) }
    throw raise(
      "TypeError",
      "'\(op.rawValue)' not supported between instances of '\(left.typeName)' and '\(right.typeName)'"
    )
  }

  func compareIntegers(_ comparison: Condition.Comparison, _ first: SymInt, _ second: SymInt)
    -> Value
  {
    var result = SymBool(
      value: comparison.holds(first.value, second.value), origin: max(first.origin, second.origin))
    if first.formula != nil || second.formula != nil, let a = first.asFormula,
      let b = second.asFormula
    {
      result.condition = .compare(a, comparison, b)
    }
    return .boolean(result)
  }

  private func sequence(_ value: Value) -> [Value]? {
    switch value {
    case .tuple(let tuple): tuple.items
    case .list(let list): list.items
    default: nil
    }
  }

  private func compareSequences(
    _ comparison: Condition.Comparison, _ first: [Value], _ second: [Value]
  ) throws -> Value {
    for (a, b) in zip(first, second) {
      if try truth(compare(.equal, a, b)) { continue }
      guard let op = CompareOperator(rawValue: comparison.rawValue) else { break }
      return try compare(op, a, b)
    }
    return .bool(comparison.holds(first.count, second.count))
  }

  private static let comparisonNames: [CompareOperator: String] = [
    .equal: "__eq__", .notEqual: "__ne__", .less: "__lt__", .lessEqual: "__le__",
    .greater: "__gt__", .greaterEqual: "__ge__",
  ]

  private func overloadedComparison(_ op: CompareOperator, _ left: Value, _ right: Value) throws
    -> Value?
  {
    guard case .instance(let object) = left, let name = Self.comparisonNames[op],
      let method = object.type.lookup(name)
    else { return nil }
    let result = try call(method, [left, right])
    if case .notImplemented = result { return nil }
    return result
  }

  /// Python's `==`, with the condition on sizes that it states.
  func equality(_ left: Value, _ right: Value, _ depth: Int) throws -> Value {
    guard depth < 100 else { throw refuse("values nest too deeply", id: "host-limit") }
    if let first = left.asInt, let second = right.asInt {
      return compareIntegers(.equal, first, second)
    }
    if let x = left.asDouble, let y = right.asDouble {
      return .boolean(SymBool(value: x == y, origin: max(left.origin, right.origin)))
    }
    switch (left, right) {
    case (.list(let a), .list(let b)) where a === b: return .bool(true)
    case (.tuple, .tuple), (.list, .list):
      guard let first = sequence(left), let second = sequence(right) else { return .bool(false) }
      guard first.count == second.count else {
        var result = SymBool(value: false)
        for (value, other) in [(left, right), (right, left)] {
          if case .tuple(let tuple) = value, let source = tuple.rankSource,
            case .tuple(let wanted) = other
          {
            result.condition = .compare(
              .dim(Self.rankName(source)), .equal, .constant(wanted.items.count))
          }
        }
        return .boolean(result)
      }
      var conditions: [Condition] = []
      var holds = true
      var origin = ValueOrigin.literal
      for (a, b) in zip(first, second) {
        guard case .boolean(let flag) = try equality(a, b, depth + 1) else { return .bool(false) }
        if let condition = flag.condition { conditions.append(condition) }
        origin = max(origin, flag.origin)
        if !flag.value { holds = false }
      }
      return .boolean(
        SymBool(
          value: holds, origin: origin, condition: conditions.isEmpty ? nil : .all(conditions)))
    case (.dict(let first), .dict(let second)):
      guard first.count == second.count else { return .bool(false) }
      for entry in first.items {
        guard let other = second[try hashKey(entry.key)] else { return .bool(false) }
        if case .boolean(let flag) = try equality(entry.value, other.value, depth + 1), !flag.value
        {
          return .bool(false)
        }
      }
      return .bool(true)
    case (.set(let first), .set(let second)):
      guard first.count == second.count else { return .bool(false) }
      return .bool(try first.items.allSatisfy { second.contains(try hashKey($0)) })
    case (.device(let first), .device(let second)):
      return .bool(first.prefix { $0 != ":" } == second.prefix { $0 != ":" })
    case (.device(let name), .string(let text)), (.string(let text), .device(let name)):
      return .bool(name == text || name.prefix { $0 != ":" } == text)
    case (.dtype(let first), .dtype(let second)) where first.source != second.source:
      var result = SymBool(value: first == second)
      if let source = first.source, second.source == nil {
        result.condition = .element(source, second.element)
      } else if let source = second.source, first.source == nil {
        result.condition = .element(source, first.element)
      }
      return .boolean(result)
    case (.opaque(let first), .opaque(let second)):
      if first === second { return .bool(true) }
      throw refuse(first)
    default: break
    }
    guard let first = KeyValue(left), let second = KeyValue(right) else {
      return .bool(isIdentical(left, right))
    }
    return .bool(first == second)
  }

  func isIdentical(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.none, .none), (.ellipsis, .ellipsis), (.notImplemented, .notImplemented): true
    case (.boolean(let a), .boolean(let b)): a.value == b.value
    case (.integer(let a), .integer(let b)): a.value == b.value
    case (.string(let a), .string(let b)): a == b
    case (.list(let a), .list(let b)): a === b
    case (.dict(let a), .dict(let b)): a === b
    case (.set(let a), .set(let b)): a === b
    case (.tuple(let a), .tuple(let b)): a === b
    case (.integer, _), (_, .integer), (.float, _), (_, .float), (.boolean, _), (_, .boolean): false
    default:
      if let a = KeyValue(left), let b = KeyValue(right) { a == b } else { false }
    }
  }

  /// `needle in haystack`.
  private func contains(_ haystack: Value, _ needle: Value) throws -> Value {
    switch haystack {
    case .string(let text):
      guard case .string(let part) = needle else {
        throw raise("TypeError", "'in <string>' requires string as left operand")
      }
      return .bool(part.isEmpty || text.contains(part))
    case .dict(let dict): return .bool(dict[try hashKey(needle)] != nil)
    case .set(let set): return .bool(set.contains(try hashKey(needle)))
    case .instance(let object):
      if let method = object.type.lookup("__contains__") {
        return .bool(try truth(call(method, [haystack, needle])))
      }
    default: break
    }
    var conditions: [Condition] = []
    for candidate in try items(haystack) {
      if isIdentical(candidate, needle) {
        switch needle {
        case .integer(let number) where number.formula != nil: break
        case .dtype(let dtype) where dtype.source != nil: break
        default: return .bool(true)
        }
      }
      if case .tensor = candidate { continue }
      guard case .boolean(let flag) = try equality(candidate, needle, 0) else { continue }
      if let condition = flag.condition { conditions.append(condition) }
      if flag.value {
        return .boolean(SymBool(value: true, origin: flag.origin, condition: flag.condition))
      }
    }
    let any: Condition? = conditions.isEmpty ? nil : .not(.all(conditions.map { .not($0) }))
    return .boolean(
      SymBool(value: false, origin: conditions.isEmpty ? .literal : .inputShape, condition: any))
  }
}
