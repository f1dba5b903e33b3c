import PythonSyntax

extension Expr {
  /// Every name used in this expression, in source order, with repeats.
  var names: [String] {
    var names: [String] = []
    walk { expression in
      if case .name(let name) = expression.kind { names.append(name) }
      return .visitChildren
    }
    return names
  }

  /// Whether this expression or one below it passes the test.
  func contains(_ test: (Expr) -> Bool) -> Bool {
    var isFound = false
    walk { expression in
      isFound = isFound || test(expression)
      return isFound ? .skipChildren : .visitChildren
    }
    return isFound
  }
}
