import TileIR

/// One function of Triton: its parameters in order and what it does.
struct Builtin: Sendable {
  typealias Body = @Sendable (Lowerer, BoundArguments) throws -> PyValue

  struct Parameter: Sendable {
    var name: String
    /// nil: required. Only constants stand here.
    var initial: Initial?
    var isVariadic = false
  }

  enum Initial: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case string(String)
    case emptyTuple, float32, nan

    var value: PyValue {
      switch self {
      case .none: .none
      case .bool(let value): .bool(value)
      case .int(let value): .int(Int128(value))
      case .string(let value): .string(value)
      case .emptyTuple: .tuple(TupleValue([]))
      case .float32: .type(.scalar(.fp32))
      case .nan: .symbol("PropagateNan.NONE")
      }
    }
  }

  let name: String
  let parameters: [Parameter]
  /// Whether tensors have it as a method.
  let isMethod: Bool
  let body: Body

  /// `parameters` is written as in Python: `"pointer, mask=None, *rest"`.
  init(_ name: String, _ parameters: String, method: Bool = false, _ body: @escaping Body) {
    self.name = name
    isMethod = method
    self.body = body
    self.parameters = parameters.split(separator: ",").map { word in
      let parts = word.split(separator: "=", maxSplits: 1)
      var name = parts[0].filter { $0 != " " }
      let isVariadic = name.hasPrefix("*")
      if isVariadic { name.removeFirst() }
      var parameter = Parameter(name: name, isVariadic: isVariadic)
      if parts.count == 2 { parameter.initial = Builtin.initial(parts[1]) }
      return parameter
    }
  }

  private static func initial(_ text: Substring) -> Initial {
    switch text {
    case "None": .none
    case "True": .bool(true)
    case "False": .bool(false)
    case "\"\"": .string("")
    case "()": .emptyTuple
    case "float32": .float32
    case "NONE": .nan
    case "zero": .string("zero")
    default: .int(Int(text) ?? 0)
    }
  }
}

/// Every function Triton 3.6 exports to kernels, by canonical name.
enum BuiltinTable {
  static let all: [String: Builtin] = Dictionary(
    (BuiltinTable.creation + BuiltinTable.shapes + BuiltinTable.arithmetic + BuiltinTable.math
      + BuiltinTable.memory + BuiltinTable.atomics + BuiltinTable.handles + BuiltinTable.dots
      + BuiltinTable.reductions + BuiltinTable.scans + BuiltinTable.sorting + BuiltinTable.random
      + BuiltinTable.effects + BuiltinTable.queries).map { ($0.name, $0) },
    uniquingKeysWith: { first, _ in first })

  static let languageNames: [String] = all.keys.filter { $0.hasPrefix("tl.") }
    .map { String($0.dropFirst(3)) }.sorted()

  static func isLanguageFunction(_ name: String) -> Bool {
    guard let builtin = all["tl.\(name)"] else { return false }
    return !methodsOnly.contains(builtin.name)
  }

  static func isTensorMethod(_ name: String) -> Bool { all["tl.\(name)"]?.isMethod ?? false }

  /// Methods of tensors that `triton.language` does not export.
  private static let methodsOnly: Set<String> = [
    "tl.to", "tl.item", "tl.logical_and", "tl.logical_or", "tl.__add__", "tl.__sub__",
    "tl.__mul__", "tl.__truediv__",
  ]
}

/// The arguments of a call by parameter name.
struct BoundArguments {
  private var values: [String: PyValue] = [:]
  private(set) var variadic: [PyValue] = []
  let name: String

  init(_ builtin: Builtin, _ positional: [PyValue], _ named: [(String, PyValue)]) throws {
    name = builtin.name
    var rest = positional[...]
    for parameter in builtin.parameters {
      if parameter.isVariadic {
        variadic = Array(rest)
        rest = []
      } else if let value = rest.popFirst() {
        values[parameter.name] = value
      }
    }
    guard rest.isEmpty else {
      throw EvaluationError(
        "triton-type-error",
        "'\(builtin.name)' takes \(builtin.parameters.count) arguments but \(positional.count) were given"
      )
    }
    for (keyword, value) in named {
      guard builtin.parameters.contains(where: { $0.name == keyword && !$0.isVariadic }) else {
        throw EvaluationError(
          "triton-type-error", "'\(builtin.name)' got an unexpected keyword argument '\(keyword)'")
      }
      guard values.updateValue(value, forKey: keyword) == nil else {
        throw EvaluationError(
          "triton-type-error", "'\(builtin.name)' got multiple values for argument '\(keyword)'")
      }
    }
    for parameter in builtin.parameters where values[parameter.name] == nil {
      if parameter.isVariadic { continue }
      guard let initial = parameter.initial else {
        throw EvaluationError(
          "triton-type-error",
          "'\(builtin.name)' missing required argument '\(parameter.name)'")
      }
      values[parameter.name] = initial.value
    }
  }

  subscript(_ name: String) -> PyValue { values[name] ?? .none }

  func bool(_ name: String) throws -> Bool {
    guard let truth = self[name].truth else {
      throw EvaluationError("triton-type-error", "'\(name)' of '\(self.name)' must be constexpr")
    }
    return truth
  }

  func string(_ name: String) throws -> String {
    switch self[name] {
    case .string(let text): return text
    case .none: return ""
    default:
      throw EvaluationError("triton-type-error", "'\(name)' of '\(self.name)' must be a string")
    }
  }

  func integer(_ name: String) throws -> Int {
    guard let value = self[name].int64 else {
      throw EvaluationError(
        "triton-value-error", "'\(name)' of '\(self.name)' must be a constexpr integer")
    }
    return value
  }

  func optionalInteger(_ name: String) throws -> Int? {
    self[name].isNone ? nil : try integer(name)
  }

  /// An operand that must be a run-time value already.
  func tensor(_ name: String) throws -> Tensor {
    guard let tensor = self[name].tensor else {
      throw EvaluationError(
        "triton-type-error",
        "'\(name)' of '\(self.name)' must be a tensor, is '\(self[name].typeName)'")
    }
    return tensor
  }

  func element(_ name: String) throws -> ElementType {
    guard case .type(let type) = self[name], let element = type.element else {
      throw EvaluationError(
        "triton-type-error",
        "'\(name)' of '\(self.name)' must be a dtype, is '\(self[name].display)'")
    }
    return element
  }
}
