import Diagnostics
import PythonSyntax
import TileIR

/// One evaluation from module level to `forward`'s result.
final class HostSession {
  let evaluator: Evaluator
  private let program: HostProgram
  private let target: HostRunner.Target
  private let inputs: HostProgram.Inputs
  private let knowledge: InputKnowledge
  private let moduleUnit: SourceUnit
  private var problemUnit: SourceUnit?
  private var usedInputs: [(name: String, tensor: TensorObject)] = []
  private var dimensions: [InputDimension] = []
  private var allGiven = true

  init(
    _ program: HostProgram, _ target: HostRunner.Target, _ inputs: HostProgram.Inputs,
    _ knowledge: InputKnowledge
  ) {
    self.program = program
    self.target = target
    self.inputs = inputs
    self.knowledge = knowledge
    evaluator = Evaluator(gpu: program.gpu)
    moduleUnit = SourceUnit(
      source: program.module.source, globals: Scope(.module, parent: nil), isModule: true)
    if let problem = program.problem {
      problemUnit = SourceUnit(
        source: problem.source, globals: Scope(.module, parent: nil),
        isModule: target == .reference)
    }
  }

  func describe(_ exception: RaisedException) -> Diagnostic {
    let text = evaluator.exceptionText(exception.value)
    let type = exception.value.type.name
    return Diagnostic(
      id: "host-raises", text.isEmpty ? "this raises \(type)" : "this raises \(type): \(text)",
      source: exception.unit?.source ?? program.module.source, range: exception.range)
  }

  /// - Parameter isTraining: what `self.training` says, as `model.train()` or `model.eval()` set it.
  func run(isTraining: Bool = true) throws -> HostRun {
    if case .modelNew = target { try execute(program.module, moduleUnit) }
    if let problem = program.problem, let problemUnit { try execute(problem, problemUnit) }
    let model = try findModel()
    evaluator.unit = moduleUnit
    guard case .instance(let instance) = try construct(model) else {
      throw evaluator.refuse("'\(model.name)' does not make an instance")
    }
    if !isTraining {
      try ModuleMethods.walk(evaluator, instance) { $0["training"] = .bool(false) }
      evaluator.unit = model.unit
      evaluator.note(
        "inference-mode", "no kernel runs in training mode; evaluated after 'model.eval()'",
        at: SourceRange(0, 0))
    }
    let arguments = try makeInputs(model)
    evaluator.isRecording = true
    evaluator.decisions = evaluator.decisions.filter(\.isKeptRequirement)
    let result = try evaluator.call(.instance(instance), arguments)
    evaluator.isRecording = false
    var outputs: [TensorShape] = []
    try collect(result, &outputs, 0)
    return finish(outputs)
  }

  // MARK: Module level

  private func execute(_ tree: ModuleTree, _ unit: SourceUnit) throws {
    if let error = tree.diagnostics.first(where: { $0.severity == .error }) {
      throw Unwind.refused(error)
    }
    evaluator.unit = unit
    for statement in tree.body {
      do {
        _ = try evaluator.execute(statement, unit.globals)
      } catch Unwind.refused(let diagnostic) where Self.isDispensable(statement) {
        var note = diagnostic
        note.severity = .note
        evaluator.notes.append(note)
      } catch Unwind.raised(let exception) where Self.isDispensable(statement) {
        var note = describe(exception)
        note.severity = .note
        evaluator.notes.append(note)
      }
      evaluator.unit = unit
      evaluator.callDepth = 0
      evaluator.nesting = 0
      evaluator.operatorDepth = 0
    }
  }

  /// Module-level code other than definitions may fail (a test at the end, a setting) without
  /// making the module useless; what misses its result says so later.
  private static func isDispensable(_ statement: Stmt) -> Bool {
    switch statement.kind {
    case .function, .classDef, .import, .importFrom: false
    default: true
    }
  }

  private func findModel() throws -> ClassObject {
    let (name, unit) =
      target == .modelNew ? ("ModelNew", moduleUnit) : ("Model", problemUnit ?? moduleUnit)
    switch unit.globals.variables[name] {
    case .classObject(let type)?: return type
    case .opaque(let object)?:
      throw evaluator.refuse("'\(name)' cannot be evaluated: \(object.what) is not modelled")
    default:
      throw Unwind.refused(
        Diagnostic(
          id: "no-model", "the module has no class '\(name)'", source: unit.source,
          nextStep: "name the class that calls the kernels '\(name)'"))
    }
  }

  // MARK: Construction

  private func construct(_ model: ClassObject) throws -> Value {
    var arguments = Arguments()
    let source = problemUnit ?? moduleUnit
    if let maker = source.globals.variables["get_init_inputs"]
      ?? moduleUnit.globals.variables["get_init_inputs"]
    {
      let made = try evaluator.call(maker, [])
      if case .dict(let dict) = made {
        for entry in dict.items {
          if case .string(let name) = entry.key {
            arguments.keywords.append((name, entry.value.raised(to: .module)))
          }
        }
      } else {
        arguments.positional = try evaluator.items(made).map { $0.raised(to: .module) }
      }
      // KernelBench also allows [args, kwargs].
    } else if case .function(let initializer)? = model.lookup("__init__") {
      for parameter in initializer.parameters.dropFirst() {
        guard parameter.kind != .variadic, parameter.kind != .keywordVariadic,
          initializer.defaults[parameter.name] == nil
        else { continue }
        arguments.keywords.append((parameter.name, try standIn(parameter, initializer.unit)))
      }
    }
    evaluator.unit = model.unit
    return try evaluator.call(.classObject(model), arguments)
  }

  private func standIn(_ parameter: Parameter, _ unit: SourceUnit) throws -> Value {
    let name = parameter.name
    let annotation = parameter.annotation.map { unit.source.text(in: $0.range) } ?? ""
    var choice = StandIns.argument(name)
    if annotation == "float", case .int(let number)? = choice { choice = .float(Double(number)) }
    if annotation == "int", case .float? = choice { choice = .int(1) }
    if annotation == "bool" { choice = .bool(true) }
    if choice == nil { choice = annotation == "float" ? .float(1) : .int(64) }
    allGiven = false
    let text: String
    let value: Value
    if let length = knowledge.ranks[name] ?? choice?.length {
      (value, text) = standInSequence(name, length, choice)
    } else {
      switch choice ?? .int(64) {
      case .float(let number):
        value = .double(number, origin: .inputShape)
        text = "\(number)"
      case .bool(let flag):
        value = .boolean(SymBool(value: flag, origin: .inputShape))
        text = flag ? "True" : "False"
      case .int(let number):
        let size = unknownArgument(name, name, number)
        value = .integer(size)
        text = "\(size.value)"
      case .sizes: (value, text) = (.none, "None")
      }
    }
    evaluator.unit = unit
    evaluator.note(
      "stand-in", "nothing gives the constructor's argument '\(name)'; \(text) stands in",
      at: parameter.range)
    return value
  }

  /// An integer that an argument of the constructor holds.
  private func unknownArgument(_ symbol: String, _ argument: String, _ fallback: Int) -> SymInt {
    let symbol = knowledge.representative(symbol)
    let size = knowledge.values[symbol] ?? evaluator.unknowns[symbol] ?? fallback
    evaluator.unknowns[symbol] = size
    dimensions.append(
      InputDimension(
        name: symbol, source: .constructor(argument), value: size,
        basis: knowledge.values[symbol] == nil ? .standIn : .deduced))
    return .dimension(symbol, size)
  }

  private func standInSequence(_ name: String, _ length: Int, _ choice: StandIns.StandIn?)
    -> (Value, String)
  {
    var items: [SymInt] = []
    for index in 0..<max(0, min(length, 16)) {
      let fallback: Int
      switch choice {
      case .sizes(let sizes): fallback = sizes.indices.contains(index) ? sizes[index] : 1
      case .int(let number): fallback = number
      default: fallback = 64
      }
      items.append(unknownArgument("\(name)[\(index)]", name, fallback))
    }
    let tuple = TupleObject(items.map(Value.integer))
    tuple.rankSource = name
    evaluator.unknowns[Evaluator.rankName(name)] = items.count
    return (.tuple(tuple), "\(items.map(\.value))")
  }

  // MARK: Inputs

  private func makeInputs(_ model: ClassObject) throws -> Arguments {
    guard case .function(let forward)? = model.lookup("forward") else {
      throw evaluator.refuse("'\(model.name)' has no 'forward'")
    }
    if case .fromProblem = inputs { return try problemInputs(forward) }
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

  private func problemInputs(_ forward: FunctionObject) throws -> Arguments {
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
    var arguments = Arguments(range: forward.range)
    for (index, value) in values.enumerated() {
      let name = index < names.count ? names[index] : "inputs[\(index)]"
      arguments.positional.append(try namedInput(value, name))
    }
    evaluator.unit = forward.unit
    return arguments
  }

  /// The same value with its sizes named after the parameter.
  private func namedInput(_ value: Value, _ name: String) throws -> Value {
    switch value {
    case .tensor(let tensor):
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
        try list.items.enumerated().map { try namedInput($1, "\(name)[\($0)]") })
    case .tuple(let tuple):
      return .makeTuple(
        try tuple.items.enumerated().map { try namedInput($1, "\(name)[\($0)]") })
    default: return value.raised(to: .inputShape)
    }
  }

  // MARK: Results

  private func collect(_ value: Value, _ outputs: inout [TensorShape], _ depth: Int) throws {
    guard depth < 20 else { return }
    switch value {
    case .tensor(let tensor): outputs.append(tensor.publicShape)
    case .tuple(let tuple): for item in tuple.items { try collect(item, &outputs, depth + 1) }
    case .list(let list): for item in list.items { try collect(item, &outputs, depth + 1) }
    case .dict(let dict): for entry in dict.items { try collect(entry.value, &outputs, depth + 1) }
    default: break
    }
  }

  private func finish(_ outputs: [TensorShape]) -> HostRun {
    let findings = Findings(evaluator, knowledge)
    var run = HostRun(
      launches: evaluator.launches.map(findings.rewritten),
      inputs: usedInputs.map { ($0.name, $0.tensor.publicShape) },
      inputsAreKnown: allGiven, outputs: outputs, torchOperators: evaluator.operators,
      notes: evaluator.notes)
    run.dimensions = dimensions.map(findings.rewritten)
    run.notes += findings.notes(run.dimensions)
    return run
  }
}
