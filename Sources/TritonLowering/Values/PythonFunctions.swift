import Foundation
import PythonSyntax
import TileIR

/// Python's built-in functions on compile-time values.
enum PythonFunctions {
  static func call(
    _ name: String, _ arguments: [PyValue], _ named: [(String, PyValue)],
    evaluator: inout CompileTimeEvaluator
  ) throws -> PyValue {
    func failure(_ message: String) -> EvaluationError {
      EvaluationError("triton-type-error", message)
    }
    func single() throws -> PyValue {
      guard let value = arguments.first else { throw failure("'\(name)' needs an argument") }
      return value
    }
    switch name {
    case "len": return .int(Int128(try evaluator.items(try single()).count))
    case "int":
      switch try single() {
      case .float(let value):
        guard let whole = Int128(exactly: value.rounded(.towardZero)) else {
          throw failure("cannot convert \(value) to an integer")
        }
        return .int(whole)
      case .string(let text):
        guard let value = Int128(text.trimmingCharacters(in: .whitespaces)) else {
          throw failure("invalid literal for int(): '\(text)'")
        }
        return .int(value)
      case let value:
        guard let number = value.integer else {
          throw failure("int() argument must be a number, not '\(value.typeName)'")
        }
        return .int(number)
      }
    case "float":
      switch try single() {
      case .string(let text):
        switch text.lowercased().trimmingCharacters(in: .whitespaces) {
        case "inf", "+inf", "infinity": return .float(.infinity)
        case "-inf", "-infinity": return .float(-.infinity)
        case "nan": return .float(.nan)
        case let text:
          guard let value = Double(text) else { throw failure("invalid literal for float()") }
          return .float(value)
        }
      case let value:
        guard let number = PyOperators.number(value) else {
          throw failure("float() argument must be a number, not '\(value.typeName)'")
        }
        return .float(number)
      }
    case "bool": return .bool(try evaluator.truth(try single()))
    case "str": return .string(try single().display)
    case "abs":
      let value = try single()
      if let number = value.integer { return .int(number < 0 ? 0 &- number : number) }
      guard let number = PyOperators.number(value) else { throw failure("abs() needs a number") }
      return .float(abs(number))
    case "min", "max":
      let candidates = arguments.count == 1 ? try evaluator.items(arguments[0]) : arguments
      guard var best = candidates.first else { throw failure("\(name)() of nothing") }
      for candidate in candidates.dropFirst() {
        let op: CompareOperator = name == "min" ? .less : .greater
        if try PyOperators.compare(op, candidate, best).truth == true { best = candidate }
      }
      return best
    case "sum":
      var total = PyValue.int(0)
      for item in try evaluator.items(try single()) {
        total = try PyOperators.binary(.add, total, item)
      }
      return total
    case "any", "all":
      for item in try evaluator.items(try single())
      where try evaluator.truth(item) == (name == "any") {
        return .bool(name == "any")
      }
      return .bool(name == "all")
    case "range":
      let bounds = arguments.compactMap(\.int64)
      guard bounds.count == arguments.count, (1...3).contains(bounds.count) else {
        throw failure("range() needs constant integers")
      }
      let step = bounds.count == 3 ? bounds[2] : 1
      guard step != 0 else { throw failure("range() step must not be zero") }
      let lower = bounds.count > 1 ? bounds[0] : 0
      let upper = bounds.count > 1 ? bounds[1] : bounds[0]
      var values: [PyValue] = []
      for value in stride(from: lower, to: upper, by: step) {
        guard values.count < Limits.tupleElements else {
          throw EvaluationError("unsupported-compile-time-value", "range() is too long")
        }
        values.append(.int(Int128(value)))
      }
      return .tuple(TupleValue(values))
    case "tuple", "list", "reversed":
      let items = arguments.isEmpty ? [] : try evaluator.items(arguments[0])
      return .tuple(TupleValue(name == "reversed" ? items.reversed() : items))
    case "dict": return .dict(Dictionary(named, uniquingKeysWith: { $1 }))
    case "enumerate":
      return .tuple(
        TupleValue(
          try evaluator.items(try single()).enumerated().map {
            .tuple(TupleValue([.int(Int128($0.offset)), $0.element]))
          }))
    case "zip":
      let lists = try arguments.map { try evaluator.items($0) }
      let count = lists.map(\.count).min() ?? 0
      return .tuple(
        TupleValue((0..<count).map { index in .tuple(TupleValue(lists.map { $0[index] })) }))
    case "round":
      guard let value = PyOperators.number(try single()), arguments.count == 1,
        let whole = Int128(exactly: value.rounded(.toNearestOrEven))
      else { throw failure("round() is not evaluated for this") }
      return .int(whole)
    case "pow":
      guard arguments.count == 2 else { throw failure("pow() needs two arguments") }
      return try PyOperators.binary(.pow, arguments[0], arguments[1])
    case "isinstance":
      guard arguments.count == 2 else { throw failure("isinstance() needs two arguments") }
      return .bool(isInstance(arguments[0], arguments[1]))
    case "getattr":
      guard arguments.count >= 2, case .string(let attribute) = arguments[1] else {
        throw failure("getattr() needs a name")
      }
      do {
        return try evaluator.attribute(arguments[0], attribute)
      } catch {
        guard arguments.count == 3 else { throw error }
        return arguments[2]
      }
    case "hasattr":
      guard arguments.count == 2, case .string(let attribute) = arguments[1] else {
        throw failure("hasattr() needs a name")
      }
      return .bool((try? evaluator.attribute(arguments[0], attribute)) != nil)
    case "print": return .none
    default: throw failure("'\(name)' is not evaluated at compile time")
    }
  }

  static func isInstance(_ value: PyValue, _ type: PyValue) -> Bool {
    if case .tuple(let types) = type { return types.elements.contains { isInstance(value, $0) } }
    let name: String
    switch type {
    case .type(.python(let python)): name = python
    case .builtin(let builtin): name = builtin
    default: return false
    }
    switch (name, value) {
    case ("python.int", .int), ("python.int", .bool), ("python.bool", .bool),
      ("python.float", .float), ("python.str", .string), ("python.tuple", .tuple),
      ("tl.tuple", .tuple), ("tl.tensor", .tensor), ("tl.tensor", .blockPointer),
      ("tl.dtype", .type(.scalar)), ("tl.block_type", .type(.block)),
      ("tl.tensor_descriptor", .descriptor):
      return true
    default: return false
    }
  }
}

/// Attributes and methods of Triton's type objects (`x.dtype`, `x.type`).
enum TypeAttributes {
  static func value(of name: String, on type: TypeObject) -> PyValue? {
    switch (name, type) {
    case ("scalar", .block(let tile)): return .type(.scalar(tile.element))
    case ("scalar", .scalar): return .type(type)
    case ("element_ty", .block(let tile)): return .type(.scalar(tile.element))
    case ("element_ty", .scalar(.pointer(let pointee))): return .type(.scalar(pointee))
    case ("element_ty", .blockPointer(let element, let block)):
      return .type(.block(TileType(element, block)))
    case ("shape", .block(let tile)): return .shape(tile.shape)
    case ("numel", .block(let tile)): return .int(Int128(tile.count))
    case ("name", _): return .string(type.name)
    case ("primitive_bitwidth", .scalar(let element)) where !element.isPointer:
      return .int(Int128(element.bits))
    case ("itemsize", .scalar(let element)) where !element.isPointer:
      return .int(Int128(element.bits / 8))
    case ("int_bitwidth", .scalar(let element)) where element.isInteger:
      return .int(Int128(element.bits))
    case ("fp_mantissa_width", .scalar(let element)) where element.isFloat:
      return .int(Int128(element.mantissaBits))
    default: return nil
    }
  }

  static func call(_ name: String, on type: TypeObject) -> PyValue? {
    if name == "is_block" {
      if case .block = type { return .bool(true) } else { return .bool(false) }
    }
    if name == "is_ptr" {
      if case .scalar(.pointer) = type { return .bool(true) }
      if case .blockPointer = type { return .bool(true) }
      return .bool(false)
    }
    if name == "get_block_shapes", case .block(let tile) = type { return .shape(tile.shape) }
    if name == "is_const" { return .bool(false) }
    guard case .scalar(let element) = type else { return nil }
    switch name {
    case "is_floating": return .bool(element.isFloat)
    case "is_standard_floating": return .bool([.fp16, .bf16, .fp32, .fp64].contains(element))
    case "is_int": return .bool(element.isInteger)
    case "is_int_signed": return .bool(element.isSignedInteger)
    case "is_int_unsigned": return .bool(element.isInteger && !element.isSignedInteger)
    case "is_bool": return .bool(element == .int1)
    case "is_fp8": return .bool(element.isFloat && element.bits == 8)
    case let name where name.hasPrefix("is_"):
      let wanted = String(name.dropFirst(3))
      guard ElementType.scalars.contains(where: { "\($0)" == wanted }) else { return nil }
      return .bool("\(element)" == wanted)
    default: return nil
    }
  }
}

extension ElementType {
  var mantissaBits: Int {
    switch self {
    case .fp8e4nv, .fp8e4b15, .fp8e4b8: 3
    case .fp8e5, .fp8e5b16: 2
    case .fp16: 10
    case .bf16: 7
    case .fp32: 23
    case .fp64: 52
    default: 0
    }
  }
}
