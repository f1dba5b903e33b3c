import Diagnostics
import TileIR

/// The arguments of one call as the caller wrote them.
struct Arguments {
  var positional: [Value] = []
  var keywords: [(name: String, value: Value)] = []
  /// Where each positional argument and each keyword's value stands; shorter where unknown.
  var positionalRanges: [SourceRange] = []
  var keywordRanges: [SourceRange] = []
  /// The whole call.
  var range: SourceRange
  /// The sequence whose length is a guess, where `*sequence` makes up the arguments.
  var spreadSource: String?

  init(
    _ positional: [Value] = [], keywords: [(name: String, value: Value)] = [],
    range: SourceRange = SourceRange(0, 0)
  ) {
    self.positional = positional
    self.keywords = keywords
    self.range = range
  }

  func keyword(_ name: String) -> Value? {
    for entry in keywords where entry.name == name { return entry.value }
    return nil
  }

  /// The same call with a receiver in front.
  func prepending(_ receiver: Value) -> Arguments {
    var copy = self
    copy.positional.insert(receiver, at: 0)
    if !positionalRanges.isEmpty { copy.positionalRanges.insert(range, at: 0) }
    return copy
  }

  func droppingFirst() -> Arguments {
    var copy = self
    copy.positional.removeFirst()
    if !positionalRanges.isEmpty { copy.positionalRanges.removeFirst() }
    return copy
  }
}

/// Arguments bound to the parameter names of a native function.
struct Bound {
  let evaluator: Evaluator
  let function: String
  let names: [String]
  private(set) var values: [Value?]
  /// Positional arguments past the named ones, for functions that take `*args`.
  private(set) var rest: [Value] = []
  private let spreadSource: String?

  /// Binds a call. A name that starts with `*` takes the remaining positional arguments.
  /// Keywords that the signature lacks are a `TypeError`, except those every torch function takes.
  init(
    _ evaluator: Evaluator, _ function: String, _ names: [String], _ arguments: Arguments
  ) throws {
    self.evaluator = evaluator
    self.function = function
    self.names = names
    spreadSource = arguments.spreadSource
    values = Array(repeating: nil, count: names.count)
    var position = 0
    let variadic = names.firstIndex { $0.hasPrefix("*") }
    for value in arguments.positional {
      if let variadic, position >= variadic {
        rest.append(value)
      } else if position < names.count {
        values[position] = value
        position += 1
      } else {
        throw evaluator.raise(
          "TypeError",
          "\(function)() takes \(names.count) positional arguments but \(arguments.positional.count) were given"
        )
      }
    }
    for (name, value) in arguments.keywords {
      if let index = names.firstIndex(of: name) ?? names.firstIndex(of: "*" + name) {
        if values[index] != nil {
          throw evaluator.raise(
            "TypeError", "\(function)() got multiple values for argument '\(name)'")
        }
        values[index] = value
      } else if let alias = Self.aliases[name], let index = names.firstIndex(of: alias) {
        values[index] = value
      } else if !Self.ignorable.contains(name) {
        throw evaluator.raise(
          "TypeError", "\(function)() got an unexpected keyword argument '\(name)'")
      }
    }
  }

  /// NumPy's spellings, which torch takes too.
  private static let aliases = [
    "axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other",
    "axes": "dim",
  ]
  private static let ignorable: Set<String> = [
    "device", "layout", "pin_memory", "non_blocking", "requires_grad", "generator", "inplace",
    "out", "dtype", "memory_format", "copy", "_stacklevel", "names",
  ]

  subscript(name: String) -> Value? {
    guard let index = names.firstIndex(of: name) else { return nil }
    return values[index]
  }

  /// The argument unless it is absent or `None`.
  func given(_ name: String) -> Value? {
    guard let value = self[name], !value.isNone else { return nil }
    return value
  }

  func require(_ name: String) throws -> Value {
    guard let value = self[name] else {
      throw evaluator.raise(
        "TypeError", "\(function)() missing 1 required positional argument: '\(name)'")
    }
    return value
  }

  func tensor(_ name: String) throws -> TensorObject {
    let value = try require(name)
    guard case .tensor(let tensor) = value else {
      if case .opaque(let object) = value { throw evaluator.refuse(object) }
      throw evaluator.raise(
        "TypeError",
        "\(function)(): argument '\(name)' must be Tensor, not \(value.typeName)")
    }
    return tensor
  }

  func optionalTensor(_ name: String) throws -> TensorObject? {
    given(name) == nil ? nil : try tensor(name)
  }

  func int(_ name: String) throws -> SymInt {
    try evaluator.integer(try require(name), "\(function)(): argument '\(name)'")
  }

  func int(_ name: String, default fallback: Int) throws -> SymInt {
    guard let value = given(name) else { return SymInt(fallback) }
    return try evaluator.integer(value, "\(function)(): argument '\(name)'")
  }

  func optionalInt(_ name: String) throws -> SymInt? {
    guard let value = given(name) else { return nil }
    return try evaluator.integer(value, "\(function)(): argument '\(name)'")
  }

  func bool(_ name: String, default fallback: Bool) throws -> Bool {
    guard let value = given(name) else { return fallback }
    return try evaluator.truth(value)
  }

  func string(_ name: String) -> String? {
    if case .string(let text)? = self[name] { text } else { nil }
  }

  func dtype(_ name: String = "dtype") throws -> ElementType? {
    guard let value = given(name) else { return nil }
    return try evaluator.elementType(value)
  }

  /// An int or a sequence of ints as `count` values (one value is repeated).
  func ints(_ name: String, count: Int, default fallback: Int? = nil) throws -> [SymInt] {
    guard let value = given(name) else {
      guard let fallback else {
        _ = try require(name)
        return []
      }
      return Array(repeating: SymInt(fallback), count: count)
    }
    return try evaluator.integers(value, count: count, "\(function)(): argument '\(name)'")
  }

  /// The sequence whose length a `*size` parameter has, where that length is a guess.
  var sizesSource: String? {
    if let spreadSource { return spreadSource }
    let whole = rest.count == 1 ? rest[0] : given("size")
    if case .tuple(let tuple)? = whole { return tuple.rankSource }
    return nil
  }

  /// The dimensions of a `*size` parameter: ints, or one sequence of ints.
  func sizes(_ name: String = "*size") throws -> [SymInt] {
    let bare = String(name.drop { $0 == "*" })
    var items = rest
    if items.isEmpty, let value = self[bare] ?? self[name] { items = [value] }
    if items.count == 1, items[0].asInt == nil { items = try evaluator.items(items[0]) }
    return try items.map { try evaluator.integer($0, "\(function)(): a size") }
  }
}
