import Diagnostics
import PythonSyntax

extension Expr {
  /// The name, if the expression is a bare name.
  var bareName: String? { if case .name(let name) = kind { name } else { nil } }

  /// The value of an integer literal, with its sign.
  var integerValue: Int? {
    switch kind {
    case .constant(.int(let literal)): return literal.value
    case .unary(.minus, let operand):
      guard let value = operand.integerValue, value != Int.min else { return nil }
      return -value
    default: return nil
    }
  }

  /// The text of a string literal.
  var stringValue: String? {
    if case .constant(.string(let literal)) = kind { literal.value } else { nil }
  }

  /// Calls `body` for this expression and everything inside, outer before inner.
  func visitEach(_ body: (Expr) -> Void) {
    walk {
      body($0)
      return .visitChildren
    }
  }

  /// The bare names read anywhere inside, targets of walrus assignments included.
  var names: Set<String> {
    var found: Set<String> = []
    forEach { if let name = $0.bareName { found.insert(name) } }
    return found
  }
}

extension Stmt {
  /// The blocks of statements inside, in source order; bodies of definitions included.
  var blocks: [[Stmt]] {
    switch kind {
    case .function(let function): return [function.body]
    case .classDef(let definition): return [definition.body]
    case .for(let loop): return [loop.body, loop.orElse]
    case .while(_, let body, let orElse), .if(_, let body, let orElse): return [body, orElse]
    case .with(_, let body, _): return [body]
    case .match(_, let cases): return cases.map(\.body)
    case .try(let body, let handlers, let orElse, let finally, _):
      return [body] + handlers.map(\.body) + [orElse, finally]
    default: return []
    }
  }

  /// The names this statement itself binds (nested statements left out).
  var boundNames: [(name: String, range: SourceRange)] {
    switch kind {
    case .assign(let targets, _): return targets.flatMap(\.targetNames)
    case .augAssign(let target, _, _), .annAssign(let target, _, _, _): return target.targetNames
    case .for(let loop): return loop.target.targetNames
    case .with(let items, _, _): return items.compactMap(\.target).flatMap(\.targetNames)
    case .function(let function): return [(function.name, function.nameRange)]
    case .classDef(let definition): return [(definition.name, definition.nameRange)]
    case .delete(let targets): return targets.flatMap(\.targetNames)
    case .import(let aliases), .importFrom(_, let aliases, _):
      return aliases.map { ($0.asName ?? $0.name, $0.range) }
    default: return []
    }
  }
}

extension Expr {
  /// The names an assignment target binds: `a`, `(a, b)`, `*a`.
  var targetNames: [(name: String, range: SourceRange)] {
    switch kind {
    case .name(let name): return [(name, range)]
    case .tuple(let elements), .list(let elements): return elements.flatMap(\.targetNames)
    case .starred(let inner): return inner.targetNames
    default: return []
    }
  }
}

extension [Stmt] {
  /// Calls `body` for every statement, outer before inner, in source order.
  func forEachStatement(_ body: (Stmt) -> Void) {
    for statement in self {
      statement.walk {
        body($0)
        return .visitChildren
      }
    }
  }

  /// Calls `body` for every expression of every statement, in source order.
  func forEachExpression(_ body: (Expr) -> Void) {
    for statement in self { statement.forEachExpression(body) }
  }
}

/// The deepest nesting of statements and expressions that the analyses of this target recurse into.
enum NestingLimit {
  static let levels = 200

  /// Whether every node of the function is within the limit.
  /// - Complexity: O(nodes), without recursion.
  static func holds(for function: FunctionDef) -> Bool {
    var statements = function.body.map { ($0, 1) }
    while let (statement, depth) = statements.popLast() {
      guard depth <= levels else { return false }
      var expressions = statement.childExpressions.map { ($0, 1) }
      while let (expression, level) = expressions.popLast() {
        guard level <= levels else { return false }
        expressions.append(contentsOf: expression.children.map { ($0, level + 1) })
      }
      for block in statement.blocks { statements.append(contentsOf: block.map { ($0, depth + 1) }) }
    }
    return true
  }
}
