import HostProgram

/// How far each storage of a run reaches, as far as the run names tensors in it.
struct StorageSpans {
  /// First and one past the last element, by storage.
  private var spans: [Int: (lower: Int, upper: Int)] = [:]

  init(of run: HostRun?) {
    guard let run else { return }
    for tensor in run.trace.tensors { include(tensor.shape) }
    for step in run.trace.setup + run.trace.forward {
      if case .operation(let operation) = step {
        for result in operation.results { include(result) }
        for value in operation.arguments.values { include(value) }
      }
    }
    for launch in run.launches {
      for argument in launch.arguments { include(argument.value) }
    }
    for value in run.trace.launchArguments.values.joined() { include(value) }
  }

  /// Whether a tensor covers every element of its storage.
  func isWhole(_ tensor: TensorShape) -> Bool {
    guard let span = Self.span(of: tensor) else { return false }
    let count = tensor.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard count == span.upper - span.lower else { return false }
    guard let whole = spans[tensor.storage] else { return true }
    return span.lower <= whole.lower && span.upper >= whole.upper
  }

  /// Whether `outer` covers every element of `inner`; false where that cannot be told.
  static func covers(_ outer: TensorShape, _ inner: TensorShape) -> Bool {
    guard let large = span(of: outer), let small = span(of: inner) else { return false }
    let count = outer.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    return outer.storage == inner.storage && count == large.upper - large.lower
      && large.lower <= small.lower && large.upper >= small.upper
  }

  /// The elements between the first and the last of a tensor; nil where they cannot be counted.
  private static func span(of tensor: TensorShape) -> (lower: Int, upper: Int)? {
    guard !tensor.shape.contains(0) else { return (tensor.offset, tensor.offset) }
    var upper = tensor.offset
    var lower = tensor.offset
    for (size, stride) in zip(tensor.shape, tensor.strides) {
      let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      guard !overflow else { return nil }
      let (sum, overflowed) = (reach < 0 ? lower : upper).addingReportingOverflow(reach)
      guard !overflowed else { return nil }
      if reach < 0 { lower = sum } else { upper = sum }
    }
    let (end, overflow) = upper.addingReportingOverflow(1)
    return overflow ? nil : (lower, end)
  }

  private mutating func include(_ tensor: TensorShape) {
    guard tensor.storage >= 0, let span = Self.span(of: tensor) else { return }
    let known = spans[tensor.storage] ?? span
    spans[tensor.storage] = (min(known.lower, span.lower), max(known.upper, span.upper))
  }

  private mutating func include(_ value: ArgumentValue) {
    switch value {
    case .tensor(let tensor), .tensorDescriptor(let tensor, _): include(tensor)
    case .tuple(let parts): for part in parts { include(part) }
    default: break
    }
  }

  private mutating func include(_ value: TraceValue) {
    switch value {
    case .tensor(let tensor): include(tensor)
    case .list(let parts): for part in parts { include(part) }
    default: break
    }
  }
}
