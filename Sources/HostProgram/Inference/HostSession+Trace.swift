import Diagnostics
import TileIR

/// The trace of an evaluation: what a caller may set, and whether every step has what it reads.
extension HostSession {
  /// Before `forward`: its inputs, and the parameters and buffers of the module.
  func nameTensors(_ instance: InstanceObject, _ refills: [UsedInputs] = []) {
    namedTensors = (usedInputs + refills.joined()).map {
      NamedTensor(name: $0.name, role: .input, shape: $0.tensor.publicShape)
    }
    for (wantsBuffers, role) in [(false, NamedTensor.Role.parameter), (true, .buffer)] {
      let all = (try? ModuleMethods.named(evaluator, instance, wantsBuffers: wantsBuffers)) ?? []
      namedTensors += all.map {
        NamedTensor(name: $0.name, role: role, shape: $0.tensor.publicShape)
      }
    }
  }

  func makeTrace(_ outputs: [TensorShape]) -> HostTrace {
    var trace = HostTrace(
      setup: evaluator.trace.setup, forward: evaluator.trace.forward, tensors: namedTensors,
      outputs: outputs, gap: evaluator.trace.gap)
    trace.launchArguments = evaluator.trace.launchArguments
    trace.readStorages = evaluator.trace.readStorages
    if case .resized = inputs { trace.dropUnusedSetup(evaluator.launches) }
    if trace.gap == nil { trace.gap = trace.firstUnfilled(evaluator.launches) }
    return trace
  }

  /// What was done up to now, for whoever computes contents.
  func stepsSoFar() -> HostRun {
    var run = HostRun(launches: evaluator.launches)
    run.trace = HostTrace(
      setup: evaluator.trace.setup, forward: evaluator.trace.forward, tensors: namedTensors)
    run.trace.launchArguments = evaluator.trace.launchArguments
    run.trace.readStorages = evaluator.trace.readStorages
    return run
  }

  // MARK: Further calls

  /// `forward`'s tensors by name.
  typealias UsedInputs = [(name: String, tensor: TensorObject)]

  /// Tensors like the inputs, for what these hold in a later call.
  func makeRefill(_ model: ClassObject, call: Int) throws -> UsedInputs {
    let kept = (usedInputs, dimensions)
    defer { (usedInputs, dimensions) = kept }
    usedInputs = []
    _ = try makeInputs(model)
    return usedInputs.map { ("\($0.name), call \(call)", $0.tensor) }
  }

  /// Copies a refill into the inputs: same tensors, same addresses, other contents.
  func refill(from refill: UsedInputs) {
    evaluator.operatorDepth = 0
    for (input, source) in zip(usedInputs, refill)
    where input.tensor.sizes == source.tensor.sizes {
      evaluator.noteWrite(input.tensor)
      evaluator.trace(
        "copy", ["input": .tensor(input.tensor), "src": .tensor(source.tensor)], [input.tensor])
    }
  }

  // MARK: Filling inputs

  /// An input that nothing gives: normal numbers, or zeros and ones for integer types.
  func traceStandIn(_ tensor: TensorObject) {
    let size = Value.makeList(tensor.dims.map(Value.integer))
    if tensor.element.isFloat {
      evaluator.trace("randn", ["size": size], [tensor])
    } else {
      evaluator.trace("randint", ["low": .int(0), "high": .int(2), "size": size], [tensor])
    }
  }

  private static let generators: Set<String> = [
    "rand", "randn", "randint", "zeros", "ones", "empty", "full", "normal",
  ]

  /// A tensor of another shape, filled as `get_inputs` fills this one.
  func resized(_ tensor: TensorObject, _ shape: [Int]) throws -> TensorObject {
    // Numbers that are written out (lengths of sequences) stay where their count stays.
    if tensor.sizes == shape { return tensor }
    let result = try evaluator.makeTensor(
      tensor.element, shape.map { SymInt($0, origin: .inputShape) })
    for case .operation(var operation) in evaluator.trace.setup.reversed()
    where operation.results.contains(where: { $0.storage == tensor.storage }) {
      guard Self.generators.contains(operation.name), operation.arguments["size"] != nil else {
        break
      }
      operation.arguments["size"] = .list(shape.map(TraceValue.int))
      operation.results = [result.publicShape]
      evaluator.trace.setup.append(.operation(operation))
      return result
    }
    traceStandIn(result)
    return result
  }
}

extension TraceValue {
  /// Calls `visit` for each tensor in the value.
  func forEachTensor(_ visit: (TensorShape) -> Void) {
    switch self {
    case .tensor(let shape): visit(shape)
    case .list(let values): for value in values { value.forEachTensor(visit) }
    default: break
    }
  }
}

extension ArgumentValue {
  /// Calls `visit` for each tensor in the value.
  func forEachTensor(_ visit: (TensorShape) -> Void) {
    switch self {
    case .tensor(let shape), .tensorDescriptor(let shape, _): visit(shape)
    case .tuple(let values): for value in values { value.forEachTensor(visit) }
    default: break
    }
  }
}

extension HostTrace {
  /// Drops what fills tensors that nothing uses, as the inputs that a resized run replaces.
  fileprivate mutating func dropUnusedSetup(_ launches: [Launch]) {
    var needed = Set(tensors.map(\.shape.storage) + outputs.map(\.storage))
    for (index, step) in forward.enumerated() {
      forEachRead(step, index, launches) { needed.insert($0.storage) }
    }
    var kept: [HostStep] = []
    for step in setup.reversed() {
      if case .operation(let operation) = step {
        guard operation.results.contains(where: { needed.contains($0.storage) }) else { continue }
        for value in operation.arguments.values {
          value.forEachTensor { needed.insert($0.storage) }
        }
      }
      kept.append(step)
    }
    setup = kept.reversed()
  }

  private func forEachRead(
    _ step: HostStep, _ index: Int, _ launches: [Launch], _ visit: (TensorShape) -> Void
  ) {
    switch step {
    case .operation(let operation):
      for value in operation.arguments.values { value.forEachTensor(visit) }
    case .launch(let launch):
      guard launches.indices.contains(launch) else { return }
      let values = launchArguments[index] ?? launches[launch].arguments.map(\.value)
      for value in values { value.forEachTensor(visit) }
    }
  }

  /// The first step that reads a storage which no step before it made.
  fileprivate func firstUnfilled(_ launches: [Launch]) -> Diagnostic? {
    var made: Set<Int> = []
    var missing = false
    func check(_ shape: TensorShape) { if !made.contains(shape.storage) { missing = true } }
    func gap(_ range: SourceRange?) -> Diagnostic {
      Diagnostic(
        id: "trace-gap", severity: .note, "no step fills a tensor that is read here",
        range: range)
    }
    for (isForward, steps) in [(false, setup), (true, forward)] {
      for (index, step) in steps.enumerated() {
        forEachRead(step, isForward ? index : -1, launches, check)
        switch step {
        case .operation(let operation):
          if missing { return gap(operation.range) }
          made.formUnion(operation.results.map(\.storage))
        case .launch(let launch):
          if missing { return gap(launches[launch].callRange) }
        }
      }
    }
    for tensor in tensors { check(tensor.shape) }
    outputs.forEach(check)
    return missing ? gap(nil) : nil
  }
}
