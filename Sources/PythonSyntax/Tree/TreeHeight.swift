extension Expr {
  /// The height below which a tree may be released by recursion.
  static let safeHeight: UInt32 = 200

  /// One more than the greatest height among the children.
  @inline(__always)
  static func height(of kind: Kind) -> UInt32 {
    var height: UInt32 = 0
    forEachChild(of: kind) { if $0.height > height { height = $0.height } }
    return height + 1
  }

  /// Calls `body` with each direct child, in source order where the tree has it.
  @inline(__always)
  static func forEachChild(of kind: Kind, _ body: (Expr) -> Void) {
    switch kind {
    case .name, .constant, .error: break
    case .attribute(let value, _, _): body(value)
    case .boolOp(_, let values): for value in values { body(value) }
    case .named(let target, let value):
      body(target)
      body(value)
    case .binary(let left, _, let right):
      body(left)
      body(right)
    case .unary(_, let operand): body(operand)
    case .lambda(let parameters, let result):
      parameters.forEachExpression(body)
      body(result)
    case .conditional(let test, let value, let orElse):
      body(value)
      body(test)
      body(orElse)
    case .dict(let keys, let values):
      for (key, value) in zip(keys, values) {
        if let key { body(key) }
        body(value)
      }
    case .set(let elements), .list(let elements), .tuple(let elements):
      for element in elements { body(element) }
    case .listComprehension(let element, let clauses),
      .setComprehension(let element, let clauses), .generator(let element, let clauses):
      body(element)
      for clause in clauses { clause.forEachExpression(body) }
    case .dictComprehension(let key, let value, let clauses):
      body(key)
      body(value)
      for clause in clauses { clause.forEachExpression(body) }
    case .await(let value), .yieldFrom(let value), .starred(let value): body(value)
    case .yield(let value): if let value { body(value) }
    case .compare(let left, _, let comparators):
      body(left)
      for comparator in comparators { body(comparator) }
    case .call(let function, let arguments, let keywords):
      body(function)
      for argument in arguments { body(argument) }
      for keyword in keywords { body(keyword.value) }
    case .joinedString(let parts): for part in parts { body(part) }
    case .formattedValue(let value, _, let formatSpec):
      body(value)
      if let formatSpec { body(formatSpec) }
    case .subscripted(let value, let index):
      body(value)
      body(index)
    case .slice(let lower, let upper, let step):
      if let lower { body(lower) }
      if let upper { body(upper) }
      if let step { body(step) }
    }
  }
}

extension Parameters {
  /// Annotations and default values, in source order.
  @inline(__always)
  func forEachExpression(_ body: (Expr) -> Void) {
    for parameter in all {
      if let annotation = parameter.annotation { body(annotation) }
      if let value = parameter.defaultValue { body(value) }
    }
  }
}

extension Comprehension {
  @inline(__always)
  func forEachExpression(_ body: (Expr) -> Void) {
    body(target)
    body(iterable)
    for condition in conditions { body(condition) }
  }
}
