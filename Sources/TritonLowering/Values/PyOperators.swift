import Foundation
import PythonSyntax
import TileIR

/// What went wrong while a compile-time value was computed; the caller adds the place.
struct EvaluationError: Error {
  var id: String
  var message: String
  init(_ id: String, _ message: String) {
    self.id = id
    self.message = message
  }
}

/// Python's operators on compile-time values.
enum PyOperators {
  static func binary(_ op: BinaryOperator, _ left: PyValue, _ right: PyValue) throws -> PyValue {
    switch (left, right) {
    case (.tuple(let a), .tuple(let b)) where op == .add:
      guard a.elements.count + b.elements.count <= Limits.tupleElements else { throw tooLong }
      return .tuple(TupleValue(a.elements + b.elements))
    case (.tuple(let a), let count) where op == .mul && count.integer != nil:
      return .tuple(TupleValue(try repeated(a.elements, count)))
    case (let count, .tuple(let a)) where op == .mul && count.integer != nil:
      return .tuple(TupleValue(try repeated(a.elements, count)))
    case (.string(let a), .string(let b)) where op == .add:
      guard a.utf8.count + b.utf8.count <= 1 << 20 else { throw tooLong }
      return .string(a + b)
    case (.string(let text), let count) where op == .mul && count.integer != nil:
      guard let times = count.int64, times <= 0 || text.utf8.count <= (1 << 20) / times else {
        throw tooLong
      }
      return .string(String(repeating: text, count: max(0, times)))
    default: break
    }
    if case .bool(let a) = left, case .bool(let b) = right {
      switch op {
      case .bitAnd: return .bool(a && b)
      case .bitOr: return .bool(a || b)
      case .bitXor: return .bool(a != b)
      default: break
      }
    }
    if let a = left.integer, let b = right.integer { return try integers(op, a, b) }
    if let a = number(left), let b = number(right) { return try floats(op, a, b) }
    throw EvaluationError(
      "triton-type-error",
      "unsupported operand types for '\(op.rawValue)': '\(left.typeName)' and '\(right.typeName)'")
  }

  private static let tooLong = EvaluationError(
    "unsupported-compile-time-value", "a compile-time sequence grows too long")

  private static func repeated(_ elements: [PyValue], _ count: PyValue) throws -> [PyValue] {
    guard let times = count.int64, times <= 0 || elements.count <= Limits.tupleElements / times
    else { throw tooLong }
    return Array((0..<max(0, times)).map { _ in elements }.joined())
  }

  static func number(_ value: PyValue) -> Double? {
    if case .float(let number) = value { return number }
    return value.integer.map { Double($0) }
  }

  private static let overflow = EvaluationError(
    "unsupported-integer-size", "a compile-time integer exceeds 127 bits")
  private static let zeroDivision = EvaluationError("triton-zero-division", "division by zero")

  private static func integers(_ op: BinaryOperator, _ a: Int128, _ b: Int128) throws -> PyValue {
    func checked(_ result: (partialValue: Int128, overflow: Bool)) throws -> PyValue {
      if result.overflow { throw overflow }
      return .int(result.partialValue)
    }
    switch op {
    case .add: return try checked(a.addingReportingOverflow(b))
    case .sub: return try checked(a.subtractingReportingOverflow(b))
    case .mul: return try checked(a.multipliedReportingOverflow(by: b))
    case .div:
      if b == 0 { throw zeroDivision }
      return .float(Double(a) / Double(b))
    case .floorDiv:
      if b == 0 { throw zeroDivision }
      if b == -1 { return try checked(Int128(0).subtractingReportingOverflow(a)) }
      let quotient = a / b
      return .int(a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient)
    case .mod:
      if b == 0 { throw zeroDivision }
      if b == -1 { return .int(0) }
      let remainder = a % b
      return .int(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder)
    case .pow:
      if b < 0 {
        if a == 0 { throw zeroDivision }
        return .float(Foundation.pow(Double(a), Double(b)))
      }
      var result: Int128 = 1
      var base = a
      var exponent = b
      while exponent > 0 {
        if exponent & 1 == 1 {
          let product = result.multipliedReportingOverflow(by: base)
          if product.overflow { throw overflow }
          result = product.partialValue
        }
        exponent >>= 1
        if exponent > 0 {
          let square = base.multipliedReportingOverflow(by: base)
          if square.overflow { throw overflow }
          base = square.partialValue
        }
      }
      return .int(result)
    case .leftShift:
      if b < 0 { throw EvaluationError("triton-value-error", "negative shift count") }
      if a == 0 { return .int(0) }
      guard b < 127, (a << b) >> b == a else { throw overflow }
      return .int(a << b)
    case .rightShift:
      if b < 0 { throw EvaluationError("triton-value-error", "negative shift count") }
      return .int(b > 127 ? (a < 0 ? -1 : 0) : a >> b)
    case .bitOr: return .int(a | b)
    case .bitXor: return .int(a ^ b)
    case .bitAnd: return .int(a & b)
    case .matMul:
      throw EvaluationError("triton-unsupported-syntax", "operator '@' is not supported")
    }
  }

  private static func floats(_ op: BinaryOperator, _ a: Double, _ b: Double) throws -> PyValue {
    switch op {
    case .add: return .float(a + b)
    case .sub: return .float(a - b)
    case .mul: return .float(a * b)
    case .div:
      if b == 0 { throw zeroDivision }
      return .float(a / b)
    case .floorDiv:
      if b == 0 { throw zeroDivision }
      return .float((a / b).rounded(.down))
    case .mod:
      if b == 0 { throw zeroDivision }
      let remainder = fmod(a, b)
      return .float(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder)
    case .pow: return .float(Foundation.pow(a, b))
    default:
      throw EvaluationError(
        "triton-type-error", "unsupported operand types for '\(op.rawValue)': float")
    }
  }

  static func unary(_ op: UnaryOperator, _ operand: PyValue) throws -> PyValue {
    switch (op, operand) {
    case (.not, _):
      if let truth = operand.truth { return .bool(!truth) }
    case (.minus, .float(let value)): return .float(-value)
    case (.plus, .float(let value)): return .float(value)
    default:
      guard let value = operand.integer else { break }
      switch op {
      case .minus: return try binary(.sub, .int(0), .int(value))
      case .plus: return .int(value)
      case .invert: return .int(~value)
      case .not: break
      }
    }
    throw EvaluationError(
      "triton-type-error", "operator '\(op.rawValue)' is not defined on '\(operand.typeName)'")
  }

  static func compare(_ op: CompareOperator, _ left: PyValue, _ right: PyValue) throws -> PyValue {
    switch op {
    case .equal: return .bool(equal(left, right))
    case .notEqual: return .bool(!equal(left, right))
    case .is: return .bool(identical(left, right))
    case .isNot: return .bool(!identical(left, right))
    case .in, .notIn:
      let found: Bool
      switch right {
      case .tuple(let tuple): found = tuple.elements.contains { equal(left, $0) }
      case .string(let text):
        guard case .string(let part) = left else { throw unordered(op, left, right) }
        found = part.isEmpty || text.contains(part)
      case .dict(let dict):
        guard case .string(let key) = left else { throw unordered(op, left, right) }
        found = dict[key] != nil
      default: throw unordered(op, left, right)
      }
      return .bool(found == (op == .in))
    case .less, .lessEqual, .greater, .greaterEqual:
      if case .string(let a) = left, case .string(let b) = right { return .bool(order(op, a, b)) }
      if let a = left.integer, let b = right.integer { return .bool(order(op, a, b)) }
      if let a = number(left), let b = number(right) { return .bool(order(op, a, b)) }
      throw unordered(op, left, right)
    }
  }

  private static func unordered(_ op: CompareOperator, _ left: PyValue, _ right: PyValue)
    -> EvaluationError
  {
    EvaluationError(
      "triton-type-error",
      "'\(op.rawValue)' is not defined between '\(left.typeName)' and '\(right.typeName)'")
  }

  private static func order<T: Comparable>(_ op: CompareOperator, _ a: T, _ b: T) -> Bool {
    switch op {
    case .less: a < b
    case .lessEqual: a <= b
    case .greater: a > b
    default: a >= b
    }
  }

  static func equal(_ left: PyValue, _ right: PyValue) -> Bool {
    if let a = left.integer, let b = right.integer { return a == b }
    if let a = number(left), let b = number(right) { return a == b }
    switch (left, right) {
    case (.none, .none): return true
    case (.string(let a), .string(let b)): return a == b
    case (.type(let a), .type(let b)): return a == b
    case (.symbol(let a), .symbol(let b)): return a == b
    case (.builtin(let a), .builtin(let b)): return a == b
    case (.module(let a), .module(let b)): return a == b
    case (.function(let a), .function(let b)): return a.function.name == b.function.name
    case (.tuple(let a), .tuple(let b)):
      return a.elements.count == b.elements.count
        && zip(a.elements, b.elements).allSatisfy { equal($0, $1) }
    default: return false
    }
  }

  private static func identical(_ left: PyValue, _ right: PyValue) -> Bool {
    switch (left, right) {
    case (.bool(let a), .bool(let b)): a == b
    case (.bool, _), (_, .bool), (.float, _), (_, .float), (.tuple, _), (_, .tuple): false
    case (.tensor(let a), .tensor(let b)): a.value == b.value
    default: equal(left, right)
    }
  }
}

/// The limits that keep every input finite. Each is far above what real kernels need.
enum Limits {
  static let operations = 400_000
  /// Expressions and calls nested in each other.
  static let depth = 700
  static let calls = 100
  static let unrolledIterations = 20_000
  /// Statements and expressions evaluated in one lowering.
  static let steps = 6_000_000
  static let tupleElements = 4096
  /// Triton's own: TRITON_MAX_TENSOR_NUMEL.
  static let tileElements = 1_048_576
}
