import Diagnostics

extension Parser {
  /// The targets of `for`, up to its `in`.
  mutating func parseTargetList() throws(SyntaxFailure) -> Expr {
    let lower = start
    let first = try parseTarget()
    guard code == .comma else {
      try checkTarget(first, .assign, isOuter: true)
      return first
    }
    var elements = [first]
    while accept(.comma) {
      guard startsExpression else { break }
      elements.append(try parseTarget())
    }
    let tuple = Expr(.tuple(elements), span(lower))
    try checkTarget(tuple, .assign, isOuter: true)
    return tuple
  }

  private mutating func parseTarget() throws(SyntaxFailure) -> Expr {
    guard code == .star else { return try parseBinary(1) }
    let lower = start
    advance()
    let value = try parseBinary(1)
    return Expr(.starred(value), span(lower))
  }

  enum TargetUse { case assign, delete, augment, annotate, with }

  /// Fails unless the expression can be assigned to (or deleted).
  mutating func checkTarget(
    _ target: Expr, _ use: TargetUse, isOuter: Bool = false
  ) throws(SyntaxFailure) {
    switch target.kind {
    case .name, .attribute, .subscripted:
      return
    case .tuple(let elements), .list(let elements):
      if use == .augment || use == .annotate { break }
      for element in elements { try checkTarget(element, use) }
      return
    case .starred(let value):
      if use == .assign || use == .with, !isOuter {
        if case .starred = value.kind { break }
        try checkTarget(value, use)
        return
      }
      if use == .assign {
        throw fail(
          "assignment-target", "starred assignment target must be in a list or tuple",
          target.range)
      }
    default: break
    }
    switch use {
    case .assign, .with:
      throw fail("assignment-target", "cannot assign to \(describe(target))", target.range)
    case .delete:
      throw fail("assignment-target", "cannot delete \(describe(target))", target.range)
    case .augment:
      throw fail(
        "assignment-target",
        "\(describe(target)) is an illegal expression for augmented assignment", target.range)
    case .annotate:
      throw fail(
        "assignment-target", "only a single target (not \(describe(target))) can be annotated",
        target.range)
    }
  }

  /// What an expression is, in CPython's words.
  func describe(_ expr: Expr) -> String {
    switch expr.kind {
    case .boolOp, .binary, .unary: "expression"
    case .named: "named expression"
    case .lambda: "lambda"
    case .conditional: "conditional expression"
    case .dict: "dict literal"
    case .set: "set display"
    case .listComprehension: "list comprehension"
    case .setComprehension: "set comprehension"
    case .dictComprehension: "dict comprehension"
    case .generator: "generator expression"
    case .await: "await expression"
    case .yield, .yieldFrom: "yield expression"
    case .compare: "comparison"
    case .call: "function call"
    case .joinedString, .formattedValue: "f-string expression"
    case .constant(let value):
      switch value {
      case .none: "None"
      case .bool(let flag): flag ? "True" : "False"
      case .ellipsis: "ellipsis"
      default: "literal"
      }
    case .attribute: "attribute"
    case .subscripted: "subscript"
    case .starred: "starred"
    case .name: "name"
    case .list: "list"
    case .tuple: "tuple"
    case .slice: "slice"
    case .error: "expression"
    }
  }
}
