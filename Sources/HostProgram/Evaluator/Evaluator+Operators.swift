import Foundation
import PythonSyntax

extension Evaluator {
  func unary(_ op: UnaryOperator, _ value: Value) throws -> Value {
    if op == .not {
      if case .boolean(let flag) = value, let condition = flag.condition {
        return .boolean(
          SymBool(value: !flag.value, origin: flag.origin, condition: .not(condition)))
      }
      return .boolean(SymBool(value: try !truth(value), origin: value.origin))
    }
    switch value {
    case .tensor(let tensor):
      return .tensor(
        try elementwise(op == .minus ? "neg" : op == .invert ? "bitwise_not" : "positive", [tensor])
      )
    case .float(let number):
      if op == .minus { return .float(SymFloat(value: -number.value, origin: number.origin)) }
      if op == .plus { return value }
    case .integer, .boolean:
      guard let number = value.asInt else { break }
      switch op {
      case .minus:
        if number.value == Int.min { throw refuse("an integer past 64 bits") }
        return .integer(number.negated)
      case .plus: return .integer(number)
      case .invert: return .integer(SymInt(-1) - number)
      case .not: break
      }
    case .instance(let object):
      let name = op == .minus ? "__neg__" : op == .plus ? "__pos__" : "__invert__"
      if let method = object.type.lookup(name) { return try call(method, [value]) }
    case .opaque(let opaque): throw refuse(opaque)
    default: break
    }
    throw raise("TypeError", "bad operand type for unary \(op.rawValue): '\(value.typeName)'")
  }

  func inPlace(_ op: BinaryOperator, _ left: Value, _ right: Value) throws -> Value {
    switch (left, op) {
    case (.list(let list), .add):
      list.items.append(contentsOf: try items(right))
      try checkSize(list.items.count)
      return left
    case (.set(let set), .bitOr):
      for value in try items(right) { set.insert(try hashKey(value), value) }
      return left
    case (.dict(let dict), .bitOr):
      guard case .dict(let other) = right else { break }
      for entry in other.items { dict[try hashKey(entry.key)] = entry }
      return left
    case (.tensor(let tensor), _):
      return try tensorBinary(op, left, right, into: tensor)
    default: break
    }
    return try binary(op, left, right)
  }

  func binary(_ op: BinaryOperator, _ left: Value, _ right: Value) throws -> Value {
    switch (left, right) {
    case (.integer, .integer), (.integer, .boolean), (.boolean, .integer), (.boolean, .boolean):
      guard let first = left.asInt, let second = right.asInt else { break }
      if case .boolean = left, case .boolean = right,
        op == .bitAnd || op == .bitOr || op == .bitXor
      {
        let value =
          op == .bitAnd
          ? first.value & second.value
          : op == .bitOr
            ? first.value | second.value : first.value ^ second.value
        return .boolean(SymBool(value: value != 0, origin: max(first.origin, second.origin)))
      }
      return try integerBinary(op, first, second)
    case (.tensor, _), (_, .tensor): return try tensorBinary(op, left, right)
    case (.float, _), (_, .float):
      if let first = left.asDouble, let second = right.asDouble {
        return try floatBinary(op, first, second, max(left.origin, right.origin))
      }
    case (.string(let first), .string(let second)) where op == .add:
      try checkSize(first.utf8.count + second.utf8.count)
      return .string(first + second)
    case (.string(let text), _) where op == .mod: return .string(try percentFormat(text, right))
    case (.string(let text), _) where op == .mul:
      guard let count = right.asInt else { break }
      try checkSize(text.utf8.count.multipliedSaturating(by: max(0, count.value)))
      return .string(String(repeating: text, count: max(0, count.value)))
    case (_, .string) where op == .mul && left.asInt != nil: return try binary(op, right, left)
    case (.list(let first), .list(let second)) where op == .add:
      try checkSize(first.items.count + second.items.count)
      return .makeList(first.items + second.items)
    case (.tuple(let first), .tuple(let second)) where op == .add:
      try checkSize(first.items.count + second.items.count)
      return .tuple(
        TupleObject(first.items + second.items, kind: first.kind == .size ? .size : second.kind))
    case (.list(let list), _) where op == .mul && right.asInt != nil:
      return .makeList(try repeated(list.items, right))
    case (.tuple(let tuple), _) where op == .mul && right.asInt != nil:
      return .tuple(TupleObject(try repeated(tuple.items, right), kind: tuple.kind))
    case (_, .list), (_, .tuple):
      if op == .mul, left.asInt != nil { return try binary(op, right, left) }
    case (.set(let first), .set(let second)): return .set(try setBinary(op, first, second))
    case (.dict(let first), .dict(let second)) where op == .bitOr:
      let merged = first.copy()
      for entry in second.items { merged[try hashKey(entry.key)] = entry }
      return .dict(merged)
    default: break
    }
    if case .opaque(let object) = left {
      if op == .bitOr { return left }  // a union of types in an annotation
      throw refuse(object)
    }
    if case .opaque(let object) = right {
      if op == .bitOr { return right }
      throw refuse(object)
    }
    if let result = try overloaded(op, left, right) { return result }
    if op == .bitOr, isTypeLike(left), isTypeLike(right) {
      return .opaque(OpaqueObject("a union of types"))
    }
    throw raise(
      "TypeError",
      "unsupported operand type(s) for \(op.rawValue): '\(left.typeName)' and '\(right.typeName)'")
  }

  private func isTypeLike(_ value: Value) -> Bool {
    switch value {
    case .classObject, .none, .native: true
    default: false
    }
  }

  private func repeated(_ items: [Value], _ count: Value) throws -> [Value] {
    let times = max(0, count.asInt?.value ?? 0)
    try checkSize(items.count.multipliedSaturating(by: times))
    return Array((0..<times).map { _ in items }.joined())
  }

  private static let methodNames: [BinaryOperator: String] = [
    .add: "add", .sub: "sub", .mul: "mul", .matMul: "matmul", .div: "truediv", .mod: "mod",
    .pow: "pow", .leftShift: "lshift", .rightShift: "rshift", .bitOr: "or", .bitXor: "xor",
    .bitAnd: "and", .floorDiv: "floordiv",
  ]

  private func overloaded(_ op: BinaryOperator, _ left: Value, _ right: Value) throws -> Value? {
    guard let name = Self.methodNames[op] else { return nil }
    if case .instance(let object) = left, let method = object.type.lookup("__\(name)__") {
      let result = try call(method, [left, right])
      if case .notImplemented = result {} else { return result }
    }
    if case .instance(let object) = right, let method = object.type.lookup("__r\(name)__") {
      let result = try call(method, [right, left])
      if case .notImplemented = result {} else { return result }
    }
    return nil
  }

  private func setBinary(_ op: BinaryOperator, _ first: SetObject, _ second: SetObject) throws
    -> SetObject
  {
    let result = SetObject(isFrozen: first.isFrozen)
    for item in first.items {
      let key = try hashKey(item)
      let isShared = second.contains(key)
      if op == .bitOr || (op == .bitAnd && isShared) || (op == .sub && !isShared)
        || (op == .bitXor && !isShared)
      {
        result.insert(key, item)
      }
    }
    if op == .bitOr || op == .bitXor {
      for item in second.items {
        let key = try hashKey(item)
        if op == .bitOr || !first.contains(key) { result.insert(key, item) }
      }
    }
    return result
  }

  // MARK: Numbers

  private func integerBinary(_ op: BinaryOperator, _ first: SymInt, _ second: SymInt) throws
    -> Value
  {
    func checked(_ result: SymInt) throws -> Value {
      if result.origin == .unknown, max(first.origin, second.origin) != .unknown {
        throw refuse("the result of '\(op.rawValue)' does not fit in 64 bits", id: "host-limit")
      }
      return .integer(result)
    }
    let origin = max(first.origin, second.origin)
    switch op {
    case .add: return try checked(first + second)
    case .sub: return try checked(first - second)
    case .mul: return try checked(first * second)
    case .floorDiv:
      guard let result = first.floorDivided(by: second) else {
        throw raise("ZeroDivisionError", "integer division or modulo by zero")
      }
      return .integer(result)
    case .mod:
      guard let result = first.modulo(second) else {
        throw raise("ZeroDivisionError", "integer division or modulo by zero")
      }
      return .integer(result)
    case .div:
      if second.value == 0 { throw raise("ZeroDivisionError", "division by zero") }
      return .float(
        SymFloat(
          value: Double(first.value) / Double(second.value), origin: origin,
          ratio: SymFloat.Ratio(first, second)))
    case .pow: return try power(first, second)
    case .leftShift:
      guard second.value >= 0 else { throw raise("ValueError", "negative shift count") }
      guard second.value < 63, first.value.magnitude <= UInt(Int.max) >> UInt(second.value) else {
        if first.value == 0 { return .int(0) }
        throw refuse("the result of '<<' does not fit in 64 bits", id: "host-limit")
      }
      if second.formula == nil, second.origin <= .module {
        return .integer(first * SymInt(1 << second.value, origin: second.origin))
      }
      return .integer(SymInt(first.value << second.value, origin: origin))
    case .rightShift:
      guard second.value >= 0 else { throw raise("ValueError", "negative shift count") }
      if second.value < 63, let result = first.floorDivided(by: SymInt(1 << second.value)) {
        return .integer(result.raised(to: origin))
      }
      return .integer(SymInt(first.value < 0 ? -1 : 0, origin: origin))
    case .bitAnd: return .integer(bitAnd(first, second))
    case .bitOr: return .integer(SymInt(first.value | second.value, origin: origin))
    case .bitXor: return .integer(SymInt(first.value ^ second.value, origin: origin))
    case .matMul: throw raise("TypeError", "unsupported operand type(s) for @: 'int' and 'int'")
    }
  }

  /// `x & (2^k - 1)` is `x % 2^k`; anything else has no formula.
  private func bitAnd(_ first: SymInt, _ second: SymInt) -> SymInt {
    let value = first.value & second.value
    for (number, mask) in [(first, second), (second, first)] {
      if mask.formula == nil, mask.origin <= .module, mask.value > 0, mask.value < Int.max,
        mask.value & (mask.value + 1) == 0,
        let result = number.modulo(SymInt(mask.value + 1))
      {
        return result
      }
    }
    return SymInt(value, origin: max(first.origin, second.origin))
  }

  private func power(_ base: SymInt, _ exponent: SymInt) throws -> Value {
    let origin = max(base.origin, exponent.origin)
    if exponent.value < 0 {
      if base.value == 0 {
        throw raise("ZeroDivisionError", "0.0 cannot be raised to a negative power")
      }
      return .double(pow(Double(base.value), Double(exponent.value)), origin: origin)
    }
    if base.value == 0 || base.value == 1 || base.value == -1 {
      let value =
        exponent.value == 0 ? 1 : base.value == -1 && exponent.value % 2 == 0 ? 1 : base.value
      return .integer(SymInt(value, origin: origin))
    }
    guard exponent.value < 64 else {
      throw refuse("the result of '**' does not fit in 64 bits", id: "host-limit")
    }
    var result = SymInt(1)
    for _ in 0..<exponent.value { result = result * base }
    if result.origin == .unknown, origin != .unknown {
      throw refuse("the result of '**' does not fit in 64 bits", id: "host-limit")
    }
    return .integer(exponent.formula == nil ? result : SymInt(result.value, origin: origin))
  }

  func floatBinary(_ op: BinaryOperator, _ x: Double, _ y: Double, _ origin: ValueOrigin) throws
    -> Value
  {
    func made(_ value: Double) -> Value { .double(value, origin: origin) }
    switch op {
    case .add: return made(x + y)
    case .sub: return made(x - y)
    case .mul: return made(x * y)
    case .div:
      if y == 0 { throw raise("ZeroDivisionError", "float division by zero") }
      return made(x / y)
    case .floorDiv:
      if y == 0 { throw raise("ZeroDivisionError", "float floor division by zero") }
      return made((x / y).rounded(.down))
    case .mod:
      if y == 0 { throw raise("ZeroDivisionError", "float modulo") }
      let remainder = fmod(x, y)
      return made(remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder)
    case .pow:
      if x == 0, y < 0 {
        throw raise("ZeroDivisionError", "0.0 cannot be raised to a negative power")
      }
      return made(pow(x, y))
    default:
      throw raise("TypeError", "unsupported operand type(s) for \(op.rawValue): 'float'")
    }
  }
}
