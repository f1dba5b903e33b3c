import Diagnostics
import PythonSyntax

/// Which top-level names a class reaches, through functions, helper classes and constants.
enum Reachability {
  static func names(from model: ClassDef, in tree: ModuleTree) -> Set<String> {
    var bodies: [String: [Stmt]] = [:]
    for statement in tree.body {
      switch statement.kind {
      case .function(let function): bodies[function.name, default: []].append(statement)
      case .classDef(let definition): bodies[definition.name, default: []].append(statement)
      case .assign(let targets, _):
        for target in targets {
          if case .name(let name) = target.kind { bodies[name, default: []].append(statement) }
        }
      default: break
      }
    }
    var reached: Set<String> = [model.name]
    var work = [model.name]
    while let name = work.popLast() {
      for statement in bodies[name] ?? [] {
        statement.forEachExpression { expression in
          guard case .name(let used) = expression.kind, bodies[used] != nil,
            reached.insert(used).inserted
          else { return }
          work.append(used)
        }
      }
    }
    return reached
  }
}

/// Names that are used without being bound, and names that the rules say do not exist.
enum NameUse {
  static func check(_ tree: ModuleTree, _ rules: OutputRules) -> [Diagnostic] {
    var found: [Diagnostic] = []
    let bound = boundNames(tree)
    var missing: Set<String> = []
    let unavailable = Set(rules.unavailableNames)
    tree.forEachExpression { expression in
      guard case .attribute(let owner, let name, _) = expression.kind,
        case .name(let root) = owner.kind
      else { return }
      // Only `module.name`: what is likely a module, so that odd scoping is never misjudged.
      if modules.contains(root), !bound.contains(root), missing.insert(root).inserted {
        found.append(
          Diagnostic(
            id: "missing-import", "'\(root)' is used but never imported", source: tree.source,
            range: owner.range, nextStep: "add the import at the top"))
      }
      if unavailable.contains("\(root).\(name)") {
        found.append(
          Diagnostic(
            id: "unavailable-name", "the request says that Triton has no '\(root).\(name)'",
            source: tree.source, range: expression.range,
            nextStep: "write it with operations that exist"))
      }
    }
    return found
  }

  private static let modules: Set<String> = [
    "torch", "nn", "triton", "tl", "math", "F", "np", "numpy", "os", "sys", "time", "functools",
    "itertools", "random", "typing", "libdevice", "einops",
  ]

  /// Every name that anything in the module binds.
  static func boundNames(_ tree: ModuleTree) -> Set<String> {
    var names: Set<String> = []
    func bind(_ target: Expr) {
      names.formUnion(target.names)
    }
    func bind(_ parameters: Parameters) {
      for parameter in parameters.all { names.insert(parameter.name) }
    }
    tree.walk { statement in
      switch statement.kind {
      case .import(let aliases):
        for alias in aliases {
          names.insert(
            alias.asName ?? alias.name.split(separator: ".").first.map(String.init) ?? alias.name)
        }
      case .importFrom(_, let aliases, _):
        for alias in aliases { names.insert(alias.asName ?? alias.name) }
      case .function(let function):
        names.insert(function.name)
        bind(function.parameters)
      case .classDef(let definition): names.insert(definition.name)
      case .assign(let targets, _): targets.forEach(bind)
      case .annAssign(let target, _, _, _): bind(target)
      case .for(let loop): bind(loop.target)
      case .with(let items, _, _): items.compactMap(\.target).forEach(bind)
      case .try(_, let handlers, _, _, _):
        for handler in handlers { if let name = handler.name { names.insert(name) } }
      default: break
      }
      return .visitChildren
    }
    tree.forEachExpression { expression in
      switch expression.kind {
      case .named(let target, _): bind(target)
      case .lambda(let parameters, _): bind(parameters)
      case .listComprehension(_, let clauses), .setComprehension(_, let clauses),
        .generator(_, let clauses):
        for clause in clauses { bind(clause.target) }
      case .dictComprehension(_, _, let clauses): for clause in clauses { bind(clause.target) }
      default: break
      }
    }
    return names
  }
}
