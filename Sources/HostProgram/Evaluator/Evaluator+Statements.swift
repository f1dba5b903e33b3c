import Diagnostics
import PythonSyntax

/// How a statement ended.
enum Flow {
  case normal
  case breakLoop
  case continueLoop
  case returned(Value)
}

extension Evaluator {
  func execute(_ body: [Stmt], _ scope: Scope) throws -> Flow {
    for statement in body {
      let flow = try execute(statement, scope)
      if case .normal = flow { continue }
      return flow
    }
    return .normal
  }

  func execute(_ statement: Stmt, _ scope: Scope) throws -> Flow {
    try step()
    nesting += 1
    defer { nesting -= 1 }
    if nesting > limits.nesting {
      throw refuse("the code nests too deeply", at: statement.range, id: "host-limit")
    }
    here = statement.range
    switch statement.kind {
    case .expression(let expression):
      if case .constant = expression.kind { return .normal }
      _ = try evaluate(expression, scope)
    case .assign(let targets, let value):
      let result = try evaluate(value, scope)
      for target in targets { try assign(result, to: target, scope) }
    case .annAssign(let target, let annotation, let value, _):
      if case .name(let name) = target.kind, scope.kind == .classBody {
        noteField(name, annotation, scope)
      }
      if let value { try assign(try evaluate(value, scope), to: target, scope) }
    case .augAssign(let target, let op, let value):
      try augment(target, op, value, scope)
    case .return(let value):
      return .returned(try value.map { try evaluate($0, scope) } ?? Value.none)
    case .if(let test, let body, let orElse):
      let value = try evaluate(test, scope)
      here = test.range
      let insists = Self.onlyRaises(body)
      if try truth(value, expecting: insists ? false : nil) { return try execute(body, scope) }
      return try execute(orElse, scope)
    case .for(let loop): return try executeFor(loop, scope)
    case .while(let test, let body, let orElse):
      return try executeWhile(test, body, orElse, scope)
    case .function(let definition):
      store(try makeFunction(definition, scope), definition.name, scope)
    case .classDef(let definition):
      store(try makeClass(definition, scope), definition.name, scope)
    case .import(let aliases): try importModules(aliases, scope)
    case .importFrom(let module, let names, let level):
      try importNames(module, names, level, scope)
    case .global(let names): scope.globalNames.formUnion(names)
    case .nonlocal(let names): scope.nonlocalNames.formUnion(names)
    case .assert(let test, let message): try executeAssert(test, message, scope)
    case .raise(let exception, _): try executeRaise(exception, scope)
    case .try(let body, let handlers, let orElse, let finally, _):
      return try executeTry(body, handlers, orElse, finally, scope)
    case .with(let items, let body, _): return try executeWith(items, body, scope)
    case .match(let subject, let cases): return try executeMatch(subject, cases, scope)
    case .delete(let targets): for target in targets { try delete(target, scope) }
    case .typeAlias(let name, _, let value):
      if case .name(let text) = name.kind {
        store(.opaque(OpaqueObject("a type alias")), text, scope)
      }
      _ = value
    case .pass: break
    case .break: return .breakLoop
    case .continue: return .continueLoop
    case .error: throw refuse("this line does not parse", id: "syntax-error")
    }
    return .normal
  }

  /// A branch whose body ends in `raise`: the module insists on the opposite of its test.
  private static func onlyRaises(_ body: [Stmt]) -> Bool {
    if case .raise? = body.last?.kind { true } else { false }
  }

  // MARK: Loops

  private func executeFor(_ loop: ForStmt, _ scope: Scope) throws -> Flow {
    let iterator = try iterate(try evaluate(loop.iterable, scope))
    while let value = try iterator.next() {
      try step()
      try assign(value, to: loop.target, scope)
      switch try execute(loop.body, scope) {
      case .normal, .continueLoop: continue
      case .breakLoop: return .normal
      case .returned(let result): return .returned(result)
      }
    }
    return try execute(loop.orElse, scope)
  }

  private func executeWhile(_ test: Expr, _ body: [Stmt], _ orElse: [Stmt], _ scope: Scope) throws
    -> Flow
  {
    while true {
      try step()
      let value = try evaluate(test, scope)
      here = test.range
      guard try truth(value) else { return try execute(orElse, scope) }
      switch try execute(body, scope) {
      case .normal, .continueLoop: continue
      case .breakLoop: return .normal
      case .returned(let result): return .returned(result)
      }
    }
  }

  // MARK: Assignment

  func store(_ value: Value, _ name: String, _ scope: Scope) {
    if scope.globalNames.contains(name) {
      unit?.globals.variables[name] = value
      return
    }
    if scope.nonlocalNames.contains(name) {
      var outer = scope.parent
      while let candidate = outer {
        if candidate.kind == .function, candidate.variables[name] != nil {
          candidate.variables[name] = value
          return
        }
        outer = candidate.parent
      }
    }
    scope.variables[name] = value
  }

  func assign(_ value: Value, to target: Expr, _ scope: Scope) throws {
    switch target.kind {
    case .name(let name):
      nameDimension(value, name)
      store(value, name, scope)
    case .tuple(let targets), .list(let targets):
      try unpack(value, into: targets, scope, at: target.range)
    case .starred(let inner): try assign(value, to: inner, scope)
    case .attribute(let object, let name, _):
      let owner = try evaluate(object, scope)
      here = target.range
      try setAttribute(owner, name, value)
    case .subscripted(let object, let index):
      let owner = try evaluate(object, scope)
      let key = try evaluate(index, scope)
      here = target.range
      try setItem(owner, key, value)
    default: throw refuse("this assignment target is not modelled", at: target.range)
    }
  }

  private func unpack(_ value: Value, into targets: [Expr], _ scope: Scope, at range: SourceRange)
    throws
  {
    here = range
    let values = try items(value)
    let star = targets.firstIndex { if case .starred = $0.kind { true } else { false } }
    guard let star else {
      guard values.count == targets.count else {
        var condition: Condition?
        if case .tuple(let tuple) = value, let source = tuple.rankSource {
          condition = .compare(.dim(Self.rankName(source)), .equal, .constant(targets.count))
        }
        let message =
          values.count > targets.count
          ? "too many values to unpack (expected \(targets.count))"
          : "not enough values to unpack (expected \(targets.count), got \(values.count))"
        throw raise("ValueError", message, condition: condition)
      }
      for (target, item) in zip(targets, values) { try assign(item, to: target, scope) }
      return
    }
    let after = targets.count - star - 1
    guard values.count >= star + after else {
      throw raise(
        "ValueError",
        "not enough values to unpack (expected at least \(targets.count - 1), got \(values.count))"
      )
    }
    for index in 0..<star { try assign(values[index], to: targets[index], scope) }
    let middle = Array(values[star..<(values.count - after)])
    try assign(.makeList(middle), to: targets[star], scope)
    for index in 0..<after {
      try assign(values[values.count - after + index], to: targets[star + 1 + index], scope)
    }
  }

  private func augment(_ target: Expr, _ op: BinaryOperator, _ value: Expr, _ scope: Scope) throws {
    switch target.kind {
    case .name(let name):
      let old = try lookup(name, scope, target.range)
      let operand = try evaluate(value, scope)
      here = target.range
      store(try inPlace(op, old, operand), name, scope)
    case .attribute(let object, let name, _):
      let owner = try evaluate(object, scope)
      let old = try attribute(owner, name)
      let operand = try evaluate(value, scope)
      here = target.range
      try setAttribute(owner, name, try inPlace(op, old, operand))
    case .subscripted(let object, let index):
      let owner = try evaluate(object, scope)
      let key = try evaluate(index, scope)
      let old = try item(owner, key)
      let operand = try evaluate(value, scope)
      here = target.range
      try setItem(owner, key, try inPlace(op, old, operand))
    default: throw refuse("this assignment target is not modelled", at: target.range)
    }
  }

  private func delete(_ target: Expr, _ scope: Scope) throws {
    switch target.kind {
    case .name(let name): scope.variables[name] = nil
    case .tuple(let targets), .list(let targets):
      for inner in targets { try delete(inner, scope) }
    case .attribute(let object, let name, _):
      if case .instance(let instance) = try evaluate(object, scope) { instance[name] = nil }
    case .subscripted(let object, let index):
      try deleteItem(try evaluate(object, scope), try evaluate(index, scope))
    default: throw refuse("this 'del' is not modelled", at: target.range)
    }
  }

  private func noteField(_ name: String, _ annotation: Expr, _ scope: Scope) {
    var fields: [Value] = []
    if case .list(let list)? = scope.variables["__annotated__"] { fields = list.items }
    scope.variables["__annotated__"] = .makeList(fields + [.string(name)])
  }

  // MARK: Exceptions

  private func executeAssert(_ test: Expr, _ message: Expr?, _ scope: Scope) throws {
    let value = try evaluate(test, scope)
    here = test.range
    if try truth(value, expecting: true) { return }
    var condition: Condition?
    if case .boolean(let flag) = value { condition = flag.condition }
    let text = try message.map { try toString(try evaluate($0, scope)) } ?? ""
    here = test.range
    throw raise("AssertionError", text, condition: condition)
  }

  private func executeRaise(_ exception: Expr?, _ scope: Scope) throws {
    guard let exception else {
      if let current = exceptionStack.last { throw Unwind.raised(current) }
      throw raise("RuntimeError", "No active exception to reraise")
    }
    let value = try evaluate(exception, scope)
    here = exception.range
    switch value {
    case .instance(let object):
      throw Unwind.raised(RaisedException(object, range: here, unit: unit, condition: nil))
    case .classObject(let type):
      let made = try call(.classObject(type), Arguments(range: here))
      guard case .instance(let object) = made else {
        throw raise("TypeError", "exceptions must derive from BaseException")
      }
      throw Unwind.raised(RaisedException(object, range: here, unit: unit, condition: nil))
    default: throw raise("TypeError", "exceptions must derive from BaseException")
    }
  }

  private func executeTry(
    _ body: [Stmt], _ handlers: [ExceptHandler], _ orElse: [Stmt], _ finally: [Stmt],
    _ scope: Scope
  ) throws -> Flow {
    var flow = Flow.normal
    var pending: (any Error)?
    let depths = (callDepth, nesting, operatorDepth, unit)
    let isGuard = handlers.contains { Self.handlesImports($0.type) }
    if isGuard { guardedImports += 1 }
    defer { if isGuard { guardedImports -= 1 } }
    do {
      flow = try execute(body, scope)
      if case .normal = flow { flow = try execute(orElse, scope) }
    } catch Unwind.raised(let exception) {
      (callDepth, nesting, operatorDepth, unit) = depths
      do {
        flow = try handle(exception, handlers, scope)
      } catch {
        pending = error
      }
    } catch {
      throw error
    }
    if !finally.isEmpty {
      let last = try execute(finally, scope)
      if case .normal = last {} else { return last }
    }
    if let pending { throw pending }
    return flow
  }

  private static func handlesImports(_ type: Expr?) -> Bool {
    guard let type else { return true }
    switch type.kind {
    case .name(let name): return ["ImportError", "ModuleNotFoundError", "Exception"].contains(name)
    case .tuple(let types): return types.contains { handlesImports($0) }
    default: return false
    }
  }

  private func handle(_ exception: RaisedException, _ handlers: [ExceptHandler], _ scope: Scope)
    throws -> Flow
  {
    for handler in handlers {
      if let type = handler.type {
        let filter = try evaluate(type, scope)
        guard try isInstance(.instance(exception.value), filter) else { continue }
      }
      note(
        "caught-exception",
        "\(exception.value.type.name) is caught: \(exceptionText(exception.value))",
        at: handler.range)
      if let name = handler.name { scope.variables[name] = .instance(exception.value) }
      exceptionStack.append(exception)
      defer { exceptionStack.removeLast() }
      return try execute(handler.body, scope)
    }
    throw Unwind.raised(exception)
  }

  private func executeWith(_ items: [WithItem], _ body: [Stmt], _ scope: Scope) throws -> Flow {
    var managers: [Value] = []
    for item in items {
      let manager = try evaluate(item.context, scope)
      here = item.context.range
      var entered = manager
      if case .instance(let object) = manager, let enter = object.type.lookup("__enter__") {
        entered = try call(enter, Arguments([manager], range: here))
      }
      managers.append(manager)
      if let target = item.target { try assign(entered, to: target, scope) }
    }
    let flow = try execute(body, scope)
    for manager in managers.reversed() {
      if case .instance(let object) = manager, let exit = object.type.lookup("__exit__") {
        _ = try call(exit, Arguments([manager, .none, .none, .none], range: here))
      }
    }
    return flow
  }
}
