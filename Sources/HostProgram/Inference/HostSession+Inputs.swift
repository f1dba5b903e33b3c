import Diagnostics
import PythonSyntax
import TileIR

/// What `forward` is called with.
extension HostSession {
  func makeInputs(_ model: ClassObject) throws -> Arguments {
    guard case .function(let forward)? = model.lookup("forward") else {
      throw evaluator.refuse("'\(model.name)' has no 'forward'")
    }
    switch inputs {
    case .fromProblem: return try problemInputs(forward, [:])
    case .resized(let shapes): return try problemInputs(forward, shapes)
    case .tensors, .unknown, .assumed: break
    }
    var arguments = Arguments(range: forward.range)
    for parameter in forward.parameters.dropFirst() {
      guard parameter.kind != .variadic, parameter.kind != .keywordVariadic else { continue }
      let isGiven = knowledge.ranks[parameter.name] != nil
      if forward.defaults[parameter.name] != nil, !isGiven { continue }
      arguments.keywords.append((parameter.name, try unknownInput(parameter, forward.unit)))
    }
    return arguments
  }

  private func unknownInput(_ parameter: Parameter, _ unit: SourceUnit) throws -> Value {
    let name = parameter.name
    let annotation = parameter.annotation.map { unit.source.text(in: $0.range) } ?? ""
    evaluator.unit = unit
    switch annotation {
    case "int":
      let symbol = knowledge.representative(name)
      let value = knowledge.values[symbol] ?? 1
      evaluator.unknowns[symbol] = value
      allGiven = false
      evaluator.note("stand-in", "nothing gives '\(name)'; \(value) stands in", at: parameter.range)
      dimensions.append(
        InputDimension(
          name: symbol, source: .parameter(name), value: value,
          basis: knowledge.values[symbol] == nil ? .standIn : .deduced))
      return .integer(.dimension(symbol, value))
    case "float": return .double(1, origin: .inputShape)
    case "bool": return .boolean(SymBool(value: false, origin: .inputShape))
    default: break
    }
    let rankSymbol = Evaluator.rankName(name)
    let isRankGiven = knowledge.isPinned(rankSymbol)
    let rank = knowledge.ranks[name] ?? StandIns.rank
    var dims: [SymInt] = []
    for axis in 0..<rank {
      let own = InputKnowledge.axisSymbol(name, axis)
      let symbol = knowledge.representative(own)
      let known = knowledge.values[symbol]
      let size = known ?? evaluator.unknowns[symbol] ?? StandIns.size(rank: rank, axis: axis)
      evaluator.unknowns[symbol] = size
      dims.append(.dimension(symbol, size))
      let basis: InputDimension.Basis =
        knowledge.isPinned(symbol) ? .given : known == nil ? .standIn : .deduced
      if basis == .standIn { allGiven = false }
      if symbol == own {
        dimensions.append(
          InputDimension(name: symbol, source: .axis(input: name, axis), value: size, basis: basis))
      }
    }
    var element =
      Self.indexNames.contains { name.lowercased().contains($0) } ? ElementType.int64 : .fp32
    if let asked = knowledge.elements[name] { element = asked }
    var strides: [SymInt]?
    if case .tensors(let shapes) = inputs, let shape = shapes[name] {
      element = shape.element
      if shape.strides != TensorShape.contiguousStrides(shape.shape) {
        strides = shape.strides.map { SymInt($0, origin: .inputShape) }
      }
    } else if case .assumed = inputs {
    } else {
      allGiven = false
    }
    let tensor = try evaluator.makeTensor(element, dims, strides: strides)
    traceStandIn(tensor)
    tensor.inputName = name
    if !isRankGiven {
      tensor.rankSource = name
      evaluator.unknowns[rankSymbol] = rank
      if knowledge.ranks[name] == nil { evaluator.guessedRanks.insert(name) }
      tensor.elementSource = name
    }
    usedInputs.append((name, tensor))
    return .tensor(tensor)
  }

  /// Parameters that hold indices or class labels rather than numbers.
  private static let indexNames = ["target", "label", "indices", "index", "_ids"]

  private func problemInputs(_ forward: FunctionObject, _ shapes: [String: [Int]]) throws
    -> Arguments
  {
    let source = problemUnit ?? moduleUnit
    guard
      let maker = source.globals.variables["get_inputs"]
        ?? moduleUnit.globals.variables["get_inputs"]
    else {
      throw Unwind.refused(
        Diagnostic(
          id: "no-inputs", "there is no 'get_inputs' to take the inputs from",
          source: program.module.source, nextStep: "give the shapes with '--input'"))
    }
    let values = try evaluator.items(evaluator.call(maker, []))
    let parameters = forward.parameters.dropFirst()
    var names: [String] = []
    for parameter in parameters where parameter.kind != .keywordVariadic {
      names.append(parameter.name)
    }
    names.replaceSubrange(
      ..<min(names.count, program.inputNames.count), with: program.inputNames)
    var arguments = Arguments(range: forward.range)
    for (index, value) in values.enumerated() {
      let name = index < names.count ? names[index] : "inputs[\(index)]"
      arguments.positional.append(try namedInput(value, name, shapes))
    }
    for name in shapes.keys.sorted() where !usedInputs.contains(where: { $0.name == name }) {
      throw Unwind.refused(
        Diagnostic(
          id: "no-input", "'get_inputs' gives no tensor '\(name)'",
          source: (problemUnit ?? moduleUnit).source,
          nextStep: "name one of \(usedInputs.map(\.name).joined(separator: ", "))"))
    }
    // What does not fit the call is said of `forward`, not of where the inputs were made.
    evaluator.unit = forward.unit
    evaluator.here = forward.range
    return arguments
  }

  /// The same value with its sizes named after the parameter.
  private func namedInput(_ value: Value, _ name: String, _ shapes: [String: [Int]]) throws
    -> Value
  {
    switch value {
    case .tensor(let made):
      let tensor = try transposed(try shapes[name].map { try resized(made, $0) } ?? made)
      let dims = tensor.dims.enumerated().map { axis, dim in
        let symbol = InputKnowledge.axisSymbol(name, axis)
        evaluator.unknowns[symbol] = dim.value
        dimensions.append(
          InputDimension(
            name: symbol, source: .axis(input: name, axis), value: dim.value, basis: .given))
        return SymInt.dimension(symbol, dim.value)
      }
      var strides: [SymInt]?
      if !tensor.isContiguous {
        strides =
          tensor.isDense
          ? TensorObject.strides(dims, order: tensor.strideOrder)
          : tensor.strides.map { SymInt($0.value, origin: .inputShape) }
      }
      let copy = TensorObject(
        tensor.element, dims, strides: strides, storage: tensor.storage, offset: tensor.offset)
      copy.inputName = name
      usedInputs.append((name, copy))
      return .tensor(copy)
    case .integer(let number):
      evaluator.unknowns[name] = number.value
      dimensions.append(
        InputDimension(name: name, source: .parameter(name), value: number.value, basis: .given))
      return .integer(.dimension(name, number.value))
    case .list(let list):
      return .makeList(
        try list.items.enumerated().map { try namedInput($1, "\(name)[\($0)]", shapes) })
    case .tuple(let tuple):
      return .makeTuple(
        try tuple.items.enumerated().map { try namedInput($1, "\(name)[\($0)]", shapes) })
    default: return value.raised(to: .inputShape)
    }
  }
}
