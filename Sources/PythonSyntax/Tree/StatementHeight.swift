extension Stmt {
  static func height(of kind: Kind) -> UInt32 {
    var height: UInt32 = 0
    forEachChild(of: kind) { if $0.height > height { height = $0.height } }
    forEachExpression(of: kind) { if $0.height > height { height = $0.height } }
    return height + 1
  }

  /// Calls `body` with each direct child statement, in source order.
  @inline(__always)
  static func forEachChild(of kind: Kind, _ body: (Stmt) -> Void) {
    switch kind {
    case .function(let function): for statement in function.body { body(statement) }
    case .classDef(let definition): for statement in definition.body { body(statement) }
    case .for(let loop):
      for statement in loop.body { body(statement) }
      for statement in loop.orElse { body(statement) }
    case .while(_, let block, let orElse), .if(_, let block, let orElse):
      for statement in block { body(statement) }
      for statement in orElse { body(statement) }
    case .with(_, let block, _): for statement in block { body(statement) }
    case .match(_, let cases):
      for matchCase in cases { for statement in matchCase.body { body(statement) } }
    case .try(let block, let handlers, let orElse, let finally, _):
      for statement in block { body(statement) }
      for handler in handlers { for statement in handler.body { body(statement) } }
      for statement in orElse { body(statement) }
      for statement in finally { body(statement) }
    default: break
    }
  }

  /// Calls `body` with each expression that belongs to the statement itself, not to a statement
  /// inside it, in source order.
  @inline(__always)
  static func forEachExpression(of kind: Kind, _ body: (Expr) -> Void) {
    switch kind {
    case .function(let function):
      for decorator in function.decorators { body(decorator) }
      for parameter in function.typeParameters { parameter.forEachExpression(body) }
      function.parameters.forEachExpression(body)
      if let returns = function.returns { body(returns) }
    case .classDef(let definition):
      for decorator in definition.decorators { body(decorator) }
      for parameter in definition.typeParameters { parameter.forEachExpression(body) }
      for base in definition.bases { body(base) }
      for keyword in definition.keywords { body(keyword.value) }
    case .return(let value): if let value { body(value) }
    case .delete(let targets): for target in targets { body(target) }
    case .assign(let targets, let value):
      for target in targets { body(target) }
      body(value)
    case .typeAlias(let name, let parameters, let value):
      body(name)
      for parameter in parameters { parameter.forEachExpression(body) }
      body(value)
    case .augAssign(let target, _, let value):
      body(target)
      body(value)
    case .annAssign(let target, let annotation, let value, _):
      body(target)
      body(annotation)
      if let value { body(value) }
    case .for(let loop):
      body(loop.target)
      body(loop.iterable)
    case .while(let test, _, _), .if(let test, _, _): body(test)
    case .with(let items, _, _):
      for item in items {
        body(item.context)
        if let target = item.target { body(target) }
      }
    case .match(let subject, let cases):
      body(subject)
      for matchCase in cases {
        matchCase.pattern.forEachExpression(body)
        if let test = matchCase.guardTest { body(test) }
      }
    case .raise(let exception, let cause):
      if let exception { body(exception) }
      if let cause { body(cause) }
    case .try(_, let handlers, _, _, _):
      for handler in handlers { if let type = handler.type { body(type) } }
    case .assert(let test, let message):
      body(test)
      if let message { body(message) }
    case .expression(let value): body(value)
    case .import, .importFrom, .global, .nonlocal, .pass, .break, .continue, .error: break
    }
  }
}

extension TypeParameter {
  @inline(__always)
  func forEachExpression(_ body: (Expr) -> Void) {
    if case .typeVar(let bound?) = kind { body(bound) }
    if let defaultValue { body(defaultValue) }
  }
}

extension Pattern {
  /// The expressions in a pattern and the patterns inside it.
  func forEachExpression(_ body: (Expr) -> Void) {
    switch kind {
    case .value(let value): body(value)
    case .mapping(let keys, let patterns, _):
      for key in keys { body(key) }
      for pattern in patterns { pattern.forEachExpression(body) }
    case .classPattern(let value, let patterns, _, let keywordPatterns):
      body(value)
      for pattern in patterns + keywordPatterns { pattern.forEachExpression(body) }
    case .sequence(let patterns), .or(let patterns):
      for pattern in patterns { pattern.forEachExpression(body) }
    case .asPattern(let pattern, _): pattern?.forEachExpression(body)
    case .singleton, .star, .error: break
    }
  }
}
