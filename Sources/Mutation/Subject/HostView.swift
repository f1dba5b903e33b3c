import PythonSyntax

/// One host function on the way from `ModelNew` to the launches.
struct HostView {
  let function: FunctionDef
  let sites: [StatementSite]
  let launches: [Launch]
  private let names: TritonNames

  /// `kernel[grid](…)`
  struct Launch {
    let call: CallSite
    let grid: Expr
    let kernel: KernelView
  }

  init(
    _ function: FunctionDef, _ tree: ModuleTree, _ names: TritonNames, _ kernels: [KernelView]
  ) {
    self.function = function
    self.names = names
    let sites = StatementSite.all(in: function.body)
    self.sites = sites
    var launches: [Launch] = []
    for site in sites {
      for expression in site.statement.childExpressions {
        expression.visitAll {
          guard let call = CallSite($0), case .subscripted(let base, let grid) = call.callee.kind,
            let kernel = kernels.first(where: { $0.function.name == base.bareName })
          else { return }
          launches.append(Launch(call: call, grid: grid, kernel: kernel))
        }
      }
    }
    self.launches = launches
  }

  func forEachExpression(_ visit: (Expr) -> Void) {
    for site in sites {
      switch site.statement.kind {
      case .assert, .raise: continue
      case .function: continue  // defaults and annotations; its body is visited by itself
      default: break
      }
      for expression in site.statement.childExpressions { expression.visitAll(visit) }
    }
  }

  /// The tuples that give the sizes of a launch's grid.
  func gridTuples(_ launch: Launch) -> [Expr] {
    switch launch.grid.kind {
    case .tuple: return [launch.grid]
    case .lambda(_, let body): if case .tuple = body.kind { return [body] }
    case .name(let name):
      for site in sites {
        switch site.statement.kind {
        case .assign(let targets, let value) where targets.contains { $0.bareName == name }:
          if case .tuple = value.kind { return [value] }
          if case .lambda(_, let body) = value.kind, case .tuple = body.kind { return [body] }
        case .function(let inner) where inner.name == name:
          return StatementSite.all(in: inner.body).compactMap {
            guard case .return(let value?) = $0.statement.kind, case .tuple = value.kind else {
              return nil
            }
            return value
          }
        default: break
        }
      }
    default: break
    }
    return []
  }
}
