import Diagnostics
import PythonSyntax

extension Evaluator {
  func call(_ callee: Value, _ arguments: Arguments) throws -> Value {
    try step()
    switch callee {
    case .function(let function): return try invoke(function, arguments)
    case .native(let function):
      callDepth += 1
      defer { callDepth -= 1 }
      try checkDepth()
      return try function.body(self, arguments)
    case .bound(let method): return try call(method.callee, arguments.prepending(method.receiver))
    case .classObject(let type): return try instantiate(type, arguments)
    case .instance(let object):
      if let method = object.type.lookup("__call__") {
        return try call(method, arguments.prepending(callee))
      }
      throw raise("TypeError", "'\(object.type.name)' object is not callable")
    case .boundKernel(let kernel, let grid): return try launch(kernel, grid, arguments)
    case .kernel(let kernel): return try callKernelDirectly(kernel, arguments)
    case .descriptor(let descriptor): return try call(descriptor.getter, arguments)
    case .dtype(let dtype):
      // tl.float32(x) and the like.
      guard let value = arguments.positional.first else { return .int(0) }
      return dtype.element.isFloat ? try toFloat(value) : try toInt(value)
    case .opaque(let object): throw refuse(object)
    default: throw raise("TypeError", "'\(callee.typeName)' object is not callable")
    }
  }

  func call(_ callee: Value, _ positional: [Value]) throws -> Value {
    try call(callee, Arguments(positional, range: here))
  }

  private func checkDepth() throws {
    if callDepth > limits.calls {
      throw raise("RecursionError", "maximum recursion depth exceeded")
    }
  }

  /// Runs a Python function.
  func invoke(_ function: FunctionObject, _ arguments: Arguments) throws -> Value {
    callDepth += 1
    let savedUnit = unit
    let savedSite = importSite
    if unit?.isImported != true, function.unit.isImported { importSite = arguments.range }
    defer {
      callDepth -= 1
      unit = savedUnit
      importSite = savedSite
    }
    try checkDepth()
    let scope = Scope(.function, parent: function.closure, function: function)
    try bind(function, arguments, scope)
    unit = function.unit
    if let expression = function.expression { return try evaluate(expression, scope) }
    let flow = try execute(function.body, scope)
    if function.isGenerator { return .iterator(IteratorObject(scope.yielded)) }
    if case .returned(let value) = flow { return value }
    return .none
  }

  private func bind(_ function: FunctionObject, _ arguments: Arguments, _ scope: Scope) throws {
    var position = 0
    var used: Set<String> = []
    var keywordRest: String?
    let given = arguments.positional
    for parameter in function.parameters {
      switch parameter.kind {
      case .positional, .positionalOnly:
        if position < given.count {
          scope.variables[parameter.name] = given[position]
          position += 1
          if parameter.kind == .positional, arguments.keyword(parameter.name) != nil {
            throw raise(
              "TypeError",
              "\(function.name)() got multiple values for argument '\(parameter.name)'")
          }
        } else {
          try bindKeyword(parameter, function, arguments, scope, &used)
        }
      case .variadic:
        scope.variables[parameter.name] = .makeTuple(
          position < given.count ? Array(given[position...]) : [])
        position = given.count
      case .keywordOnly: try bindKeyword(parameter, function, arguments, scope, &used)
      case .keywordVariadic: keywordRest = parameter.name
      }
    }
    if position < given.count {
      throw raise(
        "TypeError",
        "\(function.name)() takes \(position) positional arguments but \(given.count) were given")
    }
    guard used.count < arguments.keywords.count || keywordRest != nil else { return }
    let rest = DictObject()
    for (name, value) in arguments.keywords where !used.contains(name) {
      guard keywordRest != nil else {
        throw raise("TypeError", "\(function.name)() got an unexpected keyword argument '\(name)'")
      }
      rest[string: name] = value
    }
    if let keywordRest { scope.variables[keywordRest] = .dict(rest) }
  }

  private func bindKeyword(
    _ parameter: Parameter, _ function: FunctionObject, _ arguments: Arguments, _ scope: Scope,
    _ used: inout Set<String>
  ) throws {
    if let value = arguments.keyword(parameter.name) {
      scope.variables[parameter.name] = value
      used.insert(parameter.name)
    } else if let value = function.defaults[parameter.name] {
      scope.variables[parameter.name] = value
    } else {
      throw raise(
        "TypeError",
        "\(function.name)() missing a required argument: '\(parameter.name)'")
    }
  }

  // MARK: Definitions

  func makeFunction(
    _ name: String, _ parameters: Parameters, _ body: [Stmt], _ expression: Expr?,
    _ scope: Scope, _ range: SourceRange, isGenerator: Bool
  ) throws -> FunctionObject {
    guard let unit else { throw refuse("no source is being evaluated", at: range) }
    var defaults: [String: Value] = [:]
    for parameter in parameters.all {
      if let value = parameter.defaultValue {
        defaults[parameter.name] = try evaluate(value, scope)
      }
    }
    var closure = scope
    while closure.kind == .classBody, let parent = closure.parent { closure = parent }
    return FunctionObject(
      name: name, parameters: parameters.all, body: body, expression: expression,
      defaults: defaults, closure: closure, unit: unit, range: range, isGenerator: isGenerator)
  }

  func makeFunction(_ definition: FunctionDef, _ scope: Scope) throws -> Value {
    // Decorators are evaluated before the function is made, and applied last to first.
    var decorators: [(Value, SourceRange)] = []
    for decorator in definition.decorators {
      do {
        decorators.append((try evaluate(decorator, scope), decorator.range))
      } catch Unwind.refused(let diagnostic) where diagnostic.id == "not-modelled" {
        // Whoever needs the function says so; a benchmark beside the module need not be understood.
        note(diagnostic.id, diagnostic.message, at: decorator.range)
        return .opaque(OpaqueObject("the decorator of '\(definition.name)'"))
      }
    }
    if definition.isAsync {
      return .opaque(OpaqueObject("the coroutine '\(definition.name)'"))
    }
    let function = try makeFunction(
      definition.name, definition.parameters, definition.body, nil, scope,
      definition.nameRange, isGenerator: YieldFinder.contains(definition.body))
    function.attributes["__name__"] = .string(definition.name)
    var value = Value.function(function)
    for (decorator, range) in decorators.reversed() {
      here = range
      value = try call(decorator, Arguments([value], range: range))
    }
    return value
  }

  // MARK: Classes

  func makeClass(_ definition: ClassDef, _ scope: Scope) throws -> Value {
    var bases: [ClassObject] = []
    for base in definition.bases {
      let value = try evaluate(base, scope)
      here = base.range
      switch value {
      case .classObject(let type): bases.append(type)
      case .opaque(let object):
        return .opaque(OpaqueObject("the class '\(definition.name)' (its base is \(object.what))"))
      default:
        if case .native(let function) = value, let type = classForFactory(function.name) {
          bases.append(type)
        } else {
          throw refuse("this base class is not modelled", at: base.range)
        }
      }
    }
    let body = Scope(.classBody, parent: scope)
    body.variables["__module__"] = .string("__main__")
    _ = try execute(definition.body, body)
    if bases.isEmpty { bases = [nativeClass("object")] }
    let annotated: [String] = {
      guard case .list(let list)? = body.variables["__annotated__"] else { return [] }
      return list.items.compactMap { if case .string(let name) = $0 { name } else { nil } }
    }()
    body.variables["__annotated__"] = nil
    let type = ClassObject(
      name: definition.name, bases: bases, namespace: body.variables, unit: unit)
    type.annotatedFields = annotated
    for value in body.variables.values { adopt(value, type) }
    if type.isSubclass(ofNamed: "NamedTuple") { type.isDataclass = false }
    var result = Value.classObject(type)
    for decorator in definition.decorators.reversed() {
      let function = try evaluate(decorator, scope)
      here = decorator.range
      result = try call(function, Arguments([result], range: decorator.range))
    }
    return result
  }

  /// Tells a class's functions which class defines them.
  private func adopt(_ value: Value, _ type: ClassObject) {
    switch value {
    case .function(let function): if function.owner == nil { function.owner = type }
    case .descriptor(let descriptor):
      adopt(descriptor.getter, type)
      if let setter = descriptor.setter { adopt(setter, type) }
    case .bound(let method): adopt(method.callee, type)
    default: break
    }
  }

  func makeSuper(_ scope: Scope) throws -> Value {
    var current: Scope? = scope
    while let candidate = current {
      if candidate.kind == .function, let function = candidate.function, let owner = function.owner,
        let name = function.parameters.first?.name, let receiver = candidate.variables[name]
      {
        return try makeSuper(owner, receiver)
      }
      current = candidate.parent
    }
    throw raise("RuntimeError", "super(): no arguments")
  }

  func makeSuper(_ owner: ClassObject, _ receiver: Value) throws -> Value {
    switch receiver {
    case .instance(let object):
      return .superObject(SuperObject(receiver: receiver, receiverType: object.type, after: owner))
    case .classObject(let type):
      return .superObject(SuperObject(receiver: receiver, receiverType: type, after: owner))
    default: throw raise("TypeError", "super(): the receiver is no instance of the class")
    }
  }

  /// `Type(…)`.
  func instantiate(_ type: ClassObject, _ arguments: Arguments) throws -> Value {
    callDepth += 1
    defer { callDepth -= 1 }
    try checkDepth()
    if let constructor = type.lookup("__new__") {
      let made = try call(constructor, arguments.prepending(.classObject(type)))
      guard case .instance(let object) = made, object.type.isSubclass(of: type) else { return made }
      if let initializer = type.lookup("__init__") {
        _ = try call(initializer, arguments.prepending(made))
      }
      return made
    }
    let object = InstanceObject(type)
    if let initializer = type.lookup("__init__") {
      let savedHere = here
      _ = try call(initializer, arguments.prepending(.instance(object)))
      here = savedHere
    } else if type.isSubclass(ofNamed: "BaseException") {
      object["args"] = .makeTuple(arguments.positional)
    } else if !arguments.positional.isEmpty || !arguments.keywords.isEmpty {
      throw raise("TypeError", "\(type.name)() takes no arguments")
    }
    return .instance(object)
  }
}

/// Whether a function's own body yields (nested functions do not count).
enum YieldFinder {
  static func contains(_ body: [Stmt]) -> Bool { body.contains { contains($0) } }

  private static func contains(_ statement: Stmt) -> Bool {
    switch statement.kind {
    case .expression(let value): return isYield(value)
    case .assign(_, let value): return isYield(value)
    case .annAssign(_, _, let value, _): return value.map(isYield) ?? false
    case .return(let value): return value.map(isYield) ?? false
    case .for(let loop): return contains(loop.body) || contains(loop.orElse)
    case .while(_, let body, let orElse), .if(_, let body, let orElse):
      return contains(body) || contains(orElse)
    case .with(_, let body, _): return contains(body)
    case .try(let body, let handlers, let orElse, let finally, _):
      return contains(body) || handlers.contains { contains($0.body) } || contains(orElse)
        || contains(finally)
    case .match(_, let cases): return cases.contains { contains($0.body) }
    default: return false
    }
  }

  private static func isYield(_ expression: Expr) -> Bool {
    switch expression.kind {
    case .yield, .yieldFrom: true
    default: false
    }
  }
}
