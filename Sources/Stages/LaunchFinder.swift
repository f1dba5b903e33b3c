import Diagnostics
import PythonSyntax

/// Finds `kernel[grid](…)` anywhere in a module.
enum LaunchFinder {
  static func launches(in tree: ModuleTree, kernels: [FunctionDef]) -> [String: [LaunchSite]] {
    let byName = Dictionary(kernels.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var found: [String: [LaunchSite]] = [:]
    func visit(_ statement: Stmt, _ scope: ConstantScope) {
      for expression in statement.childExpressions {
        expression.walk { inner in
          guard case .call(let callee, let arguments, let keywords) = inner.kind,
            case .subscripted(let target, let grid) = callee.kind,
            case .name(let name) = target.kind
          else { return .visitChildren }
          for kernel in launched(as: name, scope) {
            found[kernel.name, default: []].append(
              site(kernel, grid, arguments, keywords, inner.range, scope))
          }
          return .visitChildren
        }
      }
    }
    /// A kernel by its own name, or those that a local name is bound to (`k = a if c else b`).
    func launched(as name: String, _ scope: ConstantScope) -> [FunctionDef] {
      if let kernel = byName[name] { return [kernel] }
      var meant: [FunctionDef] = []
      for used in scope.binding(of: name)?.names ?? [] {
        guard let kernel = byName[used], !meant.contains(where: { $0 === kernel }) else { continue }
        meant.append(kernel)
      }
      return meant
    }
    let module = ConstantScope(tree)
    for statement in tree.body { walk(statement, module, visit) }
    return found
  }

  /// Visits each statement with the scope of the function it stands in.
  private static func walk(
    _ root: Stmt, _ scope: ConstantScope, _ visit: (Stmt, ConstantScope) -> Void
  ) {
    var work: [(Stmt, ConstantScope)] = [(root, scope)]
    while let (statement, scope) = work.popLast() {
      visit(statement, scope)
      var inner = scope
      if case .function(let function) = statement.kind {
        if StageRules.isKernel(function) { continue }
        inner = scope.inside(function)
      }
      for child in statement.childStatements.reversed() { work.append((child, inner)) }
    }
  }

  private static func site(
    _ kernel: FunctionDef, _ grid: Expr, _ arguments: [Expr], _ keywords: [Keyword],
    _ range: SourceRange, _ scope: ConstantScope
  ) -> LaunchSite {
    var values: [String: ConfigValue] = [:]
    let parameters = kernel.parameters.all
    for (index, argument) in arguments.enumerated() where index < parameters.count {
      if case .starred = argument.kind { break }
      values[parameters[index].name] = scope.value(argument)
    }
    for keyword in keywords {
      if let name = keyword.name { values[name] = scope.value(keyword.value) }
    }
    let reading = GridText.read(grid, scope)
    return LaunchSite(
      kernel: kernel.name, grid: reading.text, gridRank: reading.rank,
      isGridLambda: reading.isLambda, gridRange: grid.range, arguments: values, range: range)
  }
}

/// A grid expression as text that can be compared.
enum GridText {
  static func read(
    _ grid: Expr, _ scope: ConstantScope, depth: Int = 0
  ) -> (text: String, rank: Int?, isLambda: Bool) {
    func text(_ value: Expr, _ parameter: String?) -> String {
      CanonicalText.of(
        value.range, in: scope.tree, renaming: parameter.map { [$0: "META"] } ?? [:])
    }
    switch grid.kind {
    case .lambda(let parameters, let body):
      return (text(body, parameters.all.first?.name), rank(of: body), true)
    case .name(let name) where depth < 8:
      if let function = scope.functions[name]
        ?? scope.tree.functions.first(where: { $0.name == name })
      {
        let parameter = function.parameters.all.first?.name
        if function.body.count == 1, case .return(let value?)? = function.body.first?.kind {
          return (text(value, parameter), rank(of: value), true)
        }
        let body = function.body.map {
          CanonicalText.of(
            $0.fullRange, in: scope.tree, renaming: parameter.map { [$0: "META"] } ?? [:])
        }
        var last: Int?
        if case .return(let value?)? = function.body.last?.kind { last = rank(of: value) }
        return (body.joined(separator: "; "), last, true)
      }
      if let bound = scope.binding(of: name) { return read(bound, scope, depth: depth + 1) }
      return (name, nil, false)
    default:
      return (text(grid, nil), rank(of: grid), false)
    }
  }

  private static func rank(of grid: Expr) -> Int? {
    if case .tuple(let axes) = grid.kind { return axes.count }
    return nil
  }
}
