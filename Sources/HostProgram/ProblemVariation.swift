/// The problem with other arguments for the constructor, or other layouts of the inputs: what
/// other callers of the same module may do.
public struct ProblemVariation: Sendable, Hashable {
  /// Instead of what `get_init_inputs` gives, by position in its list.
  public var arguments: [Int: ConstructorArgument] = [:]
  /// Whether floating inputs of rank 2 and more are views with the last two axes swapped in memory:
  /// same shape, same contents, not contiguous.
  public var transposesInputs = false
  /// Whether `Model.eval()` is called before `forward`.
  public var isInference = false

  public init(arguments: [Int: ConstructorArgument] = [:], transposesInputs: Bool = false) {
    self.arguments = arguments
    self.transposesInputs = transposesInputs
  }
}

/// A constructor's argument that can be varied.
public enum ConstructorArgument: Sendable, Hashable, CustomStringConvertible {
  case int(Int)
  case bool(Bool)
  /// A tuple or list of integers.
  case ints([Int])

  public var description: String {
    switch self {
    case .int(let value): "\(value)"
    case .bool(let value): value ? "True" : "False"
    case .ints(let values): "(\(values.map(String.init).joined(separator: ", ")))"
    }
  }

  /// nil for what is neither an integer, a truth value nor a short sequence of integers.
  init?(_ value: Value) {
    func integers(_ items: [Value]) -> [Int]? {
      var numbers: [Int] = []
      for item in items {
        guard case .integer(let number) = item else { return nil }
        numbers.append(number.value)
      }
      return numbers.isEmpty || numbers.count > 8 ? nil : numbers
    }
    switch value {
    case .integer(let number): self = .int(number.value)
    case .boolean(let flag): self = .bool(flag.value)
    case .tuple(let tuple):
      guard let numbers = integers(tuple.items) else { return nil }
      self = .ints(numbers)
    case .list(let list):
      guard let numbers = integers(list.items) else { return nil }
      self = .ints(numbers)
    default: return nil
    }
  }

  /// As the host program gets it in place of `old`.
  func value(like old: Value) -> Value {
    switch self {
    case .int(let value): return .int(value)
    case .bool(let value): return .boolean(SymBool(value: value, origin: .module))
    case .ints(let values):
      if case .list = old { return .makeList(values.map(Value.int)) }
      return .makeTuple(values.map(Value.int))
    }
  }
}

extension HostSession {
  /// `get_init_inputs()`' list with the variation's arguments in it; remembers what can be varied.
  func varied(_ arguments: [Value]) -> [Value] {
    constructorArguments = arguments.map { ConstructorArgument($0) }
    return arguments.enumerated().map { index, value in
      variation.arguments[index].map { $0.value(like: value) } ?? value
    }
  }

  /// An input as another caller may hold it: a view whose last two axes are swapped in memory.
  func transposed(_ tensor: TensorObject) throws -> TensorObject {
    let dims = tensor.dims
    guard variation.transposesInputs, tensor.element.isFloat, tensor.isContiguous,
      dims.count >= 2, dims.suffix(2).allSatisfy({ $0.value > 1 })
    else { return tensor }
    var order = Array(dims.indices)
    order.swapAt(dims.count - 1, dims.count - 2)
    let view = try evaluator.makeTensor(
      tensor.element, dims, strides: TensorObject.strides(dims, order: order))
    evaluator.trace("clone", ["input": .tensor(tensor)], [view])
    return view
  }
}
