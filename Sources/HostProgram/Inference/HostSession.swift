import Diagnostics
import PythonSyntax
import TileIR

/// One evaluation from module level to `forward`'s result.
final class HostSession {
  let evaluator: Evaluator
  let program: HostProgram
  let target: HostRunner.Target
  let inputs: HostProgram.Inputs
  let knowledge: InputKnowledge
  /// Integers of the problem's module level to replace, by name.
  let constants: [String: Int]
  let variation: ProblemVariation
  /// What `get_init_inputs` gives, by position; nil where it cannot be varied.
  var constructorArguments: [ConstructorArgument?] = []
  let moduleUnit: SourceUnit
  var problemUnit: SourceUnit?
  var usedInputs: [(name: String, tensor: TensorObject)] = []
  var dimensions: [InputDimension] = []
  var allGiven = true
  var namedTensors: [NamedTensor] = []

  init(
    _ program: HostProgram, _ target: HostRunner.Target, _ inputs: HostProgram.Inputs,
    _ knowledge: InputKnowledge, constants: [String: Int] = [:],
    variation: ProblemVariation = ProblemVariation()
  ) {
    self.constants = constants
    self.variation = variation
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
    guard let contents = program.contents else { return }
    evaluator.computesContents = { [weak self] shape in
      guard let self else { return nil }
      return contents(stepsSoFar(), shape)
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
  /// - Parameter calls: as for `HostProgram.run`.
  func run(isTraining: Bool = true, calls: Int = 1) throws -> HostRun {
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
    let refills = try (1..<max(1, calls)).map { try makeRefill(model, call: $0 + 1) }
    nameTensors(instance, refills)
    evaluator.isRecording = true
    evaluator.decisions = evaluator.decisions.filter(\.isKeptRequirement)
    var outputs: [TensorShape] = []
    try collect(try evaluator.call(.instance(instance), arguments), &outputs, 0)
    for refill in refills {
      self.refill(from: refill)
      try collect(try evaluator.call(.instance(instance), arguments), &outputs, 0)
    }
    evaluator.isRecording = false
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
      overrideConstants(in: statement, unit)
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
        arguments.positional = varied(try evaluator.items(made)).map {
          $0.raised(to: .module)
        }
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
    for index in 0..<max(0, min(length, 32)) {
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
    run.trace = makeTrace(outputs)
    run.constructorArguments = constructorArguments
    return run
  }
}
