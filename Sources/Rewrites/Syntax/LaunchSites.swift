import Diagnostics
import PythonSyntax

/// The places of a module that launch a kernel, found by syntax: `kernel[grid](…)`.
struct LaunchSites {
  struct Site {
    /// The whole call.
    let call: Expr
    let grid: Expr
    let arguments: [Expr]
    let keywords: [Keyword]

    func keyword(_ name: String) -> Keyword? { keywords.first { $0.name == name } }
    /// `**options`, if the call has one.
    var doubleStarred: Keyword? { keywords.first { $0.name == nil } }
    var starred: Expr? {
      arguments.first { if case .starred = $0.kind { true } else { false } }
    }

    /// The expression bound to a parameter; nil where it is not given or a star hides it.
    func argument(for parameter: String, of function: FunctionDef) -> Expr? {
      if let keyword = keyword(parameter) { return keyword.value }
      guard let index = function.parameters.all.firstIndex(where: { $0.name == parameter }),
        index < arguments.count,
        !arguments[...index].contains(where: {
          if case .starred = $0.kind { true } else { false }
        })
      else { return nil }
      return arguments[index]
    }
  }

  private(set) var sites: [Site] = []
  /// Every other mention of the kernel's name: `kernel.warmup(…)`, an alias, a call inside a kernel.
  private(set) var otherReferences: [SourceRange] = []

  init(of kernel: String, in tree: ModuleTree) {
    var launched: Set<ObjectIdentifier> = []
    var sites: [Site] = []
    var others: [SourceRange] = []
    tree.body.forEachExpression { expression in
      switch expression.kind {
      case .call(let callee, let arguments, let keywords):
        guard case .subscripted(let base, let grid) = callee.kind, base.bareName == kernel else {
          return
        }
        launched.insert(ObjectIdentifier(base))
        sites.append(
          Site(call: expression, grid: grid, arguments: arguments, keywords: keywords))
      case .name(kernel):
        if !launched.contains(ObjectIdentifier(expression)) { others.append(expression.range) }
      default: break
      }
    }
    self.sites = sites
    self.otherReferences = others
  }
}
