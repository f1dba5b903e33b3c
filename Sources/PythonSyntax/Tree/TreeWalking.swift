import Diagnostics

/// Whether a walk goes on below a node.
public enum WalkStep: Sendable {
  case visitChildren, skipChildren
}

extension Expr {
  /// The direct children, in source order (a conditional's body stands before its test).
  public var children: [Expr] {
    var result: [Expr] = []
    Self.forEachChild(of: kind) { result.append($0) }
    return result
  }

  /// Visits this expression and all below it in pre-order, without recursion.
  /// - Complexity: O(n) in the number of nodes.
  public func walk(_ visit: (Expr) throws -> WalkStep) rethrows {
    var work = [self]
    while let node = work.popLast() {
      guard try visit(node) == .visitChildren else { continue }
      let mark = work.count
      Self.forEachChild(of: node.kind) { work.append($0) }
      work[mark...].reverse()
    }
  }

  /// Visits this expression and all below it in pre-order.
  public func forEach(_ visit: (Expr) throws -> Void) rethrows {
    try walk {
      try visit($0)
      return .visitChildren
    }
  }
}

extension Stmt {
  /// The statements directly inside this one, in source order.
  public var childStatements: [Stmt] {
    var result: [Stmt] = []
    Self.forEachChild(of: kind) { result.append($0) }
    return result
  }

  /// The expressions that belong to this statement itself (not to statements inside it): header,
  /// targets, values, decorators, annotations, defaults, patterns.
  public var childExpressions: [Expr] {
    var result: [Expr] = []
    Self.forEachExpression(of: kind) { result.append($0) }
    return result
  }

  /// Where a whole statement starts and ends: with its decorators, if it has them.
  public var fullRange: SourceRange {
    switch kind {
    case .function(let function): function.fullRange
    case .classDef(let definition): definition.fullRange
    default: range
    }
  }

  /// Visits this statement and all inside it in pre-order, without recursion.
  public func walk(_ visit: (Stmt) throws -> WalkStep) rethrows {
    var work = [self]
    while let node = work.popLast() {
      guard try visit(node) == .visitChildren else { continue }
      let mark = work.count
      Self.forEachChild(of: node.kind) { work.append($0) }
      work[mark...].reverse()
    }
  }

  /// Visits every expression of this statement and of those inside it, outer ones first.
  public func forEachExpression(_ visit: (Expr) throws -> Void) rethrows {
    try walk { statement in
      for expression in statement.childExpressions { try expression.forEach(visit) }
      return .visitChildren
    }
  }
}

extension ModuleTree {
  /// Visits every statement of the file in pre-order.
  public func walk(_ visit: (Stmt) throws -> WalkStep) rethrows {
    for statement in body { try statement.walk(visit) }
  }

  /// Visits every expression of the file, statement by statement.
  public func forEachExpression(_ visit: (Expr) throws -> Void) rethrows {
    for statement in body { try statement.forEachExpression(visit) }
  }
}
