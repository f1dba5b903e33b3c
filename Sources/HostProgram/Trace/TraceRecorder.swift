import Diagnostics
import TileIR

/// The steps of one evaluation as they come in.
struct TraceRecorder {
  var setup: [HostStep] = []
  var forward: [HostStep] = []
  var gap: Diagnostic?
  var launchArguments: [Int: [ArgumentValue]] = [:]
  var readStorages: Set<Int> = []
  /// Storages that something wrote after their creation: a value known from the creation is stale.
  var writtenStorages: Set<Int> = []

  /// Past this many steps no more are kept, and the trace has a gap.
  static let limit = 200_000

  /// Torch's other names for an operator.
  static let canonicalNames: [String: String] = [
    "negative": "neg", "absolute": "abs", "multiply": "mul", "subtract": "sub", "divide": "div",
    "true_divide": "div", "clip": "clamp", "concat": "cat", "concatenate": "cat", "greater": "gt",
    "less": "lt", "not_equal": "ne", "greater_equal": "ge", "less_equal": "le", "fix": "trunc",
    "arctan2": "atan2", "reshape": "contiguous", "arccos": "acos", "arcsin": "asin",
    "arctan": "atan", "moveaxis": "movedim",
  ]
  /// Parameters that say nothing about a result's contents.
  static let silentParameters: Set<String> = [
    "device", "layout", "pin_memory", "requires_grad", "generator", "inplace", "out",
    "non_blocking", "_stacklevel", "memory_format", "cudnn_enabled", "sparse_grad", "size_average",
    "copy", "names", "sparse", "scale_grad_by_freq", "cls",
  ]
}

extension Evaluator {
  /// How an operator's body wants to be recorded where its call has several forms.
  struct Restatement {
    var name: String?
    /// Arguments to record instead of those bound; `None` leaves one out.
    var arguments: [String: Value]
  }

  /// Replaces the name or some arguments under which the running operator is recorded.
  func restate(_ name: String? = nil, _ arguments: [String: Value] = [:]) {
    restated = Restatement(name: name, arguments: arguments)
  }

  /// The outermost operator is the one to record.
  var isOutermostOperator: Bool { operatorDepth <= 1 }

  /// Records one operator.
  func trace(_ name: String, _ arguments: [String: Value], _ results: [TensorObject]) {
    guard isOutermostOperator else { return }
    var values: [String: TraceValue] = [:]
    for (name, value) in arguments where !value.isNone {
      values[name] = traceValue(value, 0)
    }
    append(
      .operation(
        TensorOperation(
          name: TraceRecorder.canonicalNames[name] ?? name, arguments: values,
          results: results.map(\.publicShape), range: recordedHere)))
  }

  /// Records an operator by its bound arguments.
  func trace(_ name: String, _ bound: Bound, _ results: [TensorObject]) {
    guard isOutermostOperator else { return }
    var arguments: [String: Value] = [:]
    for (parameter, value) in zip(bound.names, bound.values) {
      guard let value, !TraceRecorder.silentParameters.contains(parameter) else { continue }
      arguments[String(parameter.drop { $0 == "*" })] = value
    }
    if let variadic = bound.names.first(where: { $0.hasPrefix("*") }), !bound.rest.isEmpty {
      let isSequence = bound.rest.count == 1 && bound.rest[0].isSequence
      arguments[String(variadic.dropFirst())] = isSequence ? bound.rest[0] : .makeList(bound.rest)
    }
    if let restated { arguments.merge(restated.arguments) { _, new in new } }
    trace(restated?.name ?? name, arguments, results)
  }

  private func append(_ step: HostStep) {
    guard trace.setup.count + trace.forward.count < TraceRecorder.limit else {
      return traceGap("the host program takes over \(TraceRecorder.limit) steps")
    }
    if isRecording { trace.forward.append(step) } else { trace.setup.append(step) }
  }

  /// Records a launch that `launches` holds at `index`; `values` where its tensors are others.
  func traceLaunch(_ index: Int, _ values: [ArgumentValue]?) {
    if let values { trace.launchArguments[trace.forward.count] = values }
    append(.launch(index))
  }

  /// Says why the steps do not determine the result; the first reason stays.
  func traceGap(_ message: String, at range: SourceRange? = nil) {
    guard trace.gap == nil else { return }
    trace.gap = Diagnostic(
      id: "trace-gap", severity: .note, message, source: unit?.source, range: range ?? here)
  }

  func traceValue(_ value: Value, _ depth: Int) -> TraceValue {
    if value.origin == .unknown, depth < 20 {
      traceGap("this value depends on tensor contents")
    }
    switch value {
    case .tensor(let tensor): return .tensor(tensor.publicShape)
    case .integer(let number): return .int(number.value)
    case .float(let number): return .float(number.value)
    case .boolean(let flag): return .bool(flag.value)
    case .string(let text), .device(let text): return .string(text)
    case .dtype(let dtype): return .dtype(dtype.element)
    case .tuple(let tuple) where depth < 20:
      return .list(tuple.items.map { traceValue($0, depth + 1) })
    case .list(let list) where depth < 20:
      return .list(list.items.map { traceValue($0, depth + 1) })
    case .range(let range) where range.count < 1 << 20:
      return .list((0..<range.count).map { traceValue(range.item($0), depth + 1) })
    case .native:
      if let element = try? elementType(value) { return .dtype(element) }
      return .none
    case .none: return .none
    default:
      traceGap("an operator's argument of type '\(value.typeName)' is not modelled")
      return .none
    }
  }

  /// The tensors of an operator's result, nested ones in order.
  func tensors(in value: Value, _ depth: Int = 0) -> [TensorObject] {
    switch value {
    case .tensor(let tensor): return [tensor]
    case .tuple(let tuple) where depth < 20:
      return tuple.items.flatMap { tensors(in: $0, depth + 1) }
    case .list(let list) where depth < 20:
      return list.items.flatMap { tensors(in: $0, depth + 1) }
    default: return []
    }
  }

  // MARK: Known contents

  /// The one value of all elements, where it is known and nothing has written since.
  func knownFill(_ tensor: TensorObject) -> Value? {
    guard let fill = tensor.fill, !trace.writtenStorages.contains(tensor.storage) else {
      return nil
    }
    return fill
  }

  func knownContents(_ tensor: TensorObject) -> [Value]? {
    guard let contents = tensor.contents, !trace.writtenStorages.contains(tensor.storage) else {
      return nil
    }
    return contents
  }

  /// `knownFill` for the host program's own use: the steps then rest on this value.
  func readFill(_ tensor: TensorObject) -> Value? {
    guard let fill = knownFill(tensor) else { return nil }
    trace.readStorages.insert(tensor.storage)
    return fill
  }

  /// How many elements the host program may look into at once.
  private static let contentLimit = 1 << 16

  /// A tensor's elements, row by row, where they are known or the steps so far can be run. What
  /// follows from them holds for these contents only.
  func readContents(_ tensor: TensorObject) -> [Value]? {
    guard tensor.count <= Self.contentLimit, trace.gap == nil,
      let numbers = computesContents?(tensor.publicShape), numbers.count == tensor.count
    else { return nil }
    return numbers.map { number in
      if tensor.element == .int1 {
        return .boolean(SymBool(value: number != 0, origin: .inputShape))
      }
      guard !tensor.element.isFloat, let integer = Int(exactly: number) else {
        return .double(number, origin: .inputShape)
      }
      return .integer(SymInt(integer, origin: .inputShape))
    }
  }

  /// Elements as nested lists, as `tolist()` gives them.
  func nested(_ values: ArraySlice<Value>, _ sizes: ArraySlice<Int>) -> Value {
    guard let size = sizes.first else { return values.first ?? .none }
    let step = size == 0 ? 0 : values.count / size
    return .makeList(
      (0..<size).map { index in
        let start = values.startIndex + index * step
        return nested(values[start..<start + step], sizes.dropFirst())
      })
  }

  /// Something writes to the tensor: what was known of its contents is known no more.
  func noteWrite(_ tensor: TensorObject) {
    tensor.fill = nil
    tensor.contents = nil
    trace.writtenStorages.insert(tensor.storage)
  }
}

extension Value {
  /// A list, a tuple or a range.
  var isSequence: Bool {
    switch self {
    case .list, .tuple, .range: true
    default: false
    }
  }
}
