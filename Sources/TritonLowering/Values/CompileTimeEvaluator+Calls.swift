import Foundation
import PythonSyntax
import TileIR

extension CompileTimeEvaluator {
  mutating func call(
    _ expression: Expr, _ callee: Expr, _ arguments: [Expr], _ keywords: [Keyword], depth: Int
  ) throws -> PyValue {
    let function = try evaluate(callee, depth: depth)
    var positional: [PyValue] = []
    for argument in arguments {
      if case .starred(let inner) = argument.kind {
        positional += try items(try evaluate(inner, depth: depth))
      } else {
        positional.append(try evaluate(argument, depth: depth))
      }
    }
    var named: [(String, PyValue)] = []
    for keyword in keywords {
      let value = try evaluate(keyword.value, depth: depth)
      if let name = keyword.name {
        named.append((name, value))
      } else if case .dict(let dict) = value {
        named += dict.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      }
    }
    if case .builtin("triton.Config") = function {
      return config(expression, positional, named)
    }
    return try apply(function, positional, named)
  }

  private func config(
    _ expression: Expr, _ positional: [PyValue], _ named: [(String, PyValue)]
  ) -> PyValue {
    var fields = Dictionary(named, uniquingKeysWith: { $1 })
    let order = ["kwargs", "num_warps", "num_stages", "num_ctas", "maxnreg", "pre_hook"]
    for (name, value) in zip(order, positional) { fields[name] = value }
    if fields["kwargs"] == nil { fields["kwargs"] = .dict([:]) }
    fields["range.lower"] = .int(Int128(expression.range.lower))
    fields["range.upper"] = .int(Int128(expression.range.upper))
    return .dict(fields)
  }

  /// Calls a compile-time function with evaluated arguments.
  mutating func apply(
    _ function: PyValue, _ positional: [PyValue], _ named: [(String, PyValue)]
  ) throws -> PyValue {
    try step()
    switch function {
    case .constexprFunction(let scope, let definition):
      return try run(definition, in: scope, positional, named)
    case .lambda(let scope, let expression, let captured):
      guard case .lambda(let parameters, let body) = expression.kind, callDepth < Self.maximumDepth
      else { throw error("call nests too deeply", "unsupported-nesting") }
      var inner = CompileTimeEvaluator(scope: scope, budget: budget, locals: captured)
      inner.callDepth = callDepth + 1
      try inner.bind(parameters, positional, named)
      return try inner.evaluate(body)
    case .builtin(let name): return try builtin(name, positional, named)
    case .method(let receiver, let name): return try method(receiver, name, positional)
    case .foreign(let path) where NumberLimits.functions.contains(path):
      guard case .foreign(let type)? = positional.first ?? named.first?.1,
        let limits = NumberLimits.of(type, isFloat: path.hasSuffix("finfo"))
      else { throw error("\(path)() needs a dtype of its kind") }
      return .dict(limits)
    case .foreign(let path) where path.hasPrefix("math."):
      return try mathFunction(String(path.dropFirst(5)), positional)
    case .type(.python("tl.constexpr")):
      guard let value = positional.first else { throw error("constexpr() needs a value") }
      return value
    case .type(.python("tl.tuple")): return positional.first ?? .tuple(TupleValue([]))
    case .type(.python("tl.pointer_type")):
      if case .type(.scalar(let element))? = positional.first {
        return .type(.scalar(.pointer(to: element)))
      }
      throw error("pointer_type() needs a scalar type")
    case .type(.python("tl.dtype")):
      if case .string(let name)? = positional.first,
        let element = ElementType.scalars.first(where: { "\($0)" == name })
      {
        return .type(.scalar(element))
      }
      throw error("unknown dtype")
    default: throw error("'\(function.display)' cannot be called at compile time")
    }
  }

  mutating func run(
    _ definition: FunctionDef, in scope: ModuleScope, _ positional: [PyValue],
    _ named: [(String, PyValue)]
  ) throws -> PyValue {
    guard callDepth < Self.maximumDepth else {
      throw error("'\(definition.name)' recurses too deeply", "unsupported-nesting")
    }
    var inner = CompileTimeEvaluator(scope: scope, budget: budget)
    inner.callDepth = callDepth + 1
    try inner.bind(definition.parameters, positional, named)
    if case .returned(let value) = try inner.execute(definition.body, depth: 0) { return value }
    return .none
  }

  private mutating func bind(
    _ parameters: Parameters, _ positional: [PyValue], _ named: [(String, PyValue)]
  ) throws {
    var rest = positional[...]
    var keywords = Dictionary(named, uniquingKeysWith: { $1 })
    for parameter in parameters.all {
      switch parameter.kind {
      case .variadic:
        locals[parameter.name] = .tuple(TupleValue(Array(rest)))
        rest = []
      case .keywordVariadic:
        locals[parameter.name] = .dict(keywords)
        keywords = [:]
      default:
        if parameter.kind != .keywordOnly, let value = rest.popFirst() {
          locals[parameter.name] = value
        } else if let value = keywords.removeValue(forKey: parameter.name) {
          locals[parameter.name] = value
        } else if let initial = parameter.defaultValue {
          locals[parameter.name] = try evaluate(initial)
        } else {
          throw error("argument '\(parameter.name)' is missing")
        }
      }
    }
    guard rest.isEmpty, keywords.isEmpty else { throw error("too many arguments") }
  }

  private mutating func builtin(
    _ name: String, _ positional: [PyValue], _ named: [(String, PyValue)]
  ) throws -> PyValue {
    if name.hasPrefix("python.") {
      return try PythonFunctions.call(
        String(name.dropFirst(7)), positional, named, evaluator: &self)
    }
    func integer(_ index: Int) throws -> Int128 {
      guard positional.indices.contains(index), let value = positional[index].integer else {
        throw error("'\(name)' needs constant integers")
      }
      return value
    }
    switch name {
    case "triton.cdiv", "tl.cdiv":
      let sum = try PyOperators.binary(.add, .int(try integer(0)), .int(try integer(1)))
      return try PyOperators.binary(
        .floorDiv, try PyOperators.binary(.sub, sum, .int(1)), .int(try integer(1)))
    case "triton.constexpr_function", "triton.jit":
      guard let function = positional.first else { throw error("'\(name)' needs a function") }
      return function
    case "triton.next_power_of_2":
      let value = try integer(0)
      var power: Int128 = 1
      while power < value, power < Int128(1) << 100 { power <<= 1 }
      return .int(value <= 0 ? 0 : power)
    case "standard._log2":
      var value = try integer(0)
      var result: Int128 = 0
      while value > 1 {
        value >>= 1
        result += 1
      }
      return .int(result)
    case "standard._is_power_of_two":
      let value = try integer(0)
      return .bool(value != 0 && value & (value - 1) == 0)
    case "core.get_int_dtype":
      let table = Dictionary(
        zip(["bitwidth", "signed"], positional), uniquingKeysWith: { $1 }
      ).merging(named) { $1 }
      guard let bits = table["bitwidth"]?.int64, let signed = table["signed"]?.truth,
        let element = ElementType.integer(bits: bits, signed: signed)
      else { throw error("unsupported bitwidth", "triton-value-error") }
      return .type(.scalar(element))
    default: throw error("'\(name)' is not evaluated at compile time")
    }
  }

  private func mathFunction(_ name: String, _ arguments: [PyValue]) throws -> PyValue {
    guard let x = arguments.first.flatMap(PyOperators.number) else {
      throw error("math.\(name) needs a number")
    }
    switch name {
    case "sqrt": return x < 0 ? .float(.nan) : .float(x.squareRoot())
    case "log2": return .float(log2(x))
    case "log": return .float(log(x))
    case "exp": return .float(exp(x))
    case "ceil", "floor":
      let rounded = name == "ceil" ? x.rounded(.up) : x.rounded(.down)
      guard let value = Int128(exactly: rounded) else { throw error("math.\(name) overflows") }
      return .int(value)
    default: throw error("math.\(name) is not evaluated at compile time")
    }
  }

  private mutating func method(_ receiver: PyValue, _ name: String, _ arguments: [PyValue]) throws
    -> PyValue
  {
    if case .type(let type) = receiver, let value = TypeAttributes.call(name, on: type) {
      return value
    }
    if case .string(let text) = receiver {
      switch (name, arguments.first) {
      case ("lower", _): return .string(text.lowercased())
      case ("upper", _): return .string(text.uppercased())
      case ("strip", nil): return .string(text.trimmingCharacters(in: .whitespaces))
      case ("startswith", .string(let part)?): return .bool(text.hasPrefix(part))
      case ("endswith", .string(let part)?): return .bool(text.hasSuffix(part))
      default: break
      }
    }
    if case .dict(let dict) = receiver {
      switch name {
      case "get":
        let key = arguments.first?.display ?? ""
        return dict[key] ?? (arguments.count > 1 ? arguments[1] : .none)
      case "keys": return .tuple(TupleValue(dict.keys.sorted().map { .string($0) }))
      case "values": return .tuple(TupleValue(dict.sorted { $0.key < $1.key }.map(\.value)))
      case "items":
        return .tuple(
          TupleValue(
            dict.sorted { $0.key < $1.key }.map { .tuple(TupleValue([.string($0.key), $0.value])) })
        )
      default: break
      }
    }
    throw error("'\(receiver.typeName)' has no method '\(name)' at compile time")
  }
}

extension ElementType {
  static func integer(bits: Int, signed: Bool) -> ElementType? {
    switch (bits, signed) {
    case (1, _): .int1
    case (8, true): .int8
    case (16, true): .int16
    case (32, true): .int32
    case (64, true): .int64
    case (8, false): .uint8
    case (16, false): .uint16
    case (32, false): .uint32
    case (64, false): .uint64
    default: nil
    }
  }
}
