import Diagnostics
import PythonSyntax

/// A module as the operators see it: its kernels, and the host functions that lead to them.
struct Subject {
  let tree: ModuleTree
  let names: TritonNames
  /// The `@triton.jit` functions, in source order.
  let kernels: [KernelView]
  /// The host functions that `ModelNew` uses and `Model` and the inputs do not, in source order.
  let wrappers: [HostView]

  init(_ tree: ModuleTree) {
    self.tree = tree
    let names = TritonNames(tree)
    self.names = names
    var kernels: [KernelView] = []
    var functions: [FunctionDef] = []
    for function in tree.functions {
      if function.decorators.contains(where: { names.isJit($0) }) {
        kernels.append(KernelView(function, tree, names))
      } else {
        functions.append(function)
      }
    }
    self.kernels = kernels
    wrappers = Self.wrapperFunctions(functions, tree.classes).map {
      HostView($0, tree, names, kernels)
    }
  }

  private static func wrapperFunctions(
    _ functions: [FunctionDef], _ classes: [ClassDef]
  ) -> [FunctionDef] {
    let byName = Dictionary(functions.map { ($0.name, $0) }) { first, _ in first }
    let problem = ["get_inputs", "get_init_inputs"]
    var kept = Set(problem)
    for definition in classes where definition.name == "Model" {
      for member in definition.body { kept.formUnion(reachable(member.namesUsed, byName)) }
    }
    kept.formUnion(
      reachable(Set(problem.flatMap { byName[$0]?.namesUsed ?? [] }), byName))
    guard let model = classes.first(where: { $0.name == "ModelNew" }) else {
      return functions.filter { !kept.contains($0.name) }
    }
    var used: Set<String> = []
    var forward: [FunctionDef] = []
    for member in model.body {
      used.formUnion(reachable(member.namesUsed, byName))
      if case .function(let method) = member.kind, method.name == "forward" {
        forward.append(method)
      }
    }
    return functions.filter { used.contains($0.name) && !kept.contains($0.name) } + forward
  }

  /// The functions of the module that the given names lead to.
  private static func reachable(
    _ names: Set<String>, _ functions: [String: FunctionDef]
  ) -> Set<String> {
    var found: Set<String> = []
    var work = Array(names)
    while let name = work.popLast() {
      guard let function = functions[name], found.insert(name).inserted else { continue }
      work += function.namesUsed
    }
    return found
  }

  func text(_ range: SourceRange) -> String { tree.source.text(in: range) }
  func text(_ expression: Expr) -> String { text(expression.range) }

  /// The text of an expression that can stand anywhere in another.
  func wrapped(_ expression: Expr) -> String {
    switch expression.kind {
    case .name, .constant, .attribute, .call, .subscripted, .list, .joinedString:
      return text(expression)
    case .tuple where tree.source.bytes[expression.range.lower] == 0x28: return text(expression)
    default: return "(\(text(expression)))"
    }
  }

  /// The token of an operator between two operands.
  func operatorRange(_ spelling: String, between left: Expr, _ right: Expr) -> SourceRange? {
    var index = tree.tokenIndex(at: left.range.upper)
    while index < tree.tokens.count, tree.tokens[index].range.lower < right.range.lower {
      if tree.tokens[index].kind == .op, text(tree.tokens[index].range) == spelling {
        return tree.tokens[index].range
      }
      index += 1
    }
    return nil
  }

  /// The name of the function around a place: the wrapper's or the kernel's.
  func functionName(at offset: Int) -> String {
    let functions = kernels.map(\.function) + wrappers.map(\.function)
    return functions.first { $0.fullRange.lower <= offset && offset < $0.fullRange.upper }?.name
      ?? ""
  }

  /// Whether a place is in a branch of an `if` whose test is known at compile time, so that it may
  /// never be compiled.
  func isInChosenBranch(_ offset: Int) -> Bool {
    kernels.contains { kernel in
      kernel.sites.contains { site in
        guard case .if(let test, let body, let orElse) = site.statement.kind,
          kernel.isConstant(test)
        else { return false }
        return (body + orElse).contains {
          $0.fullRange.lower <= offset && offset < $0.fullRange.upper
        }
      }
    }
  }

  /// How a member of `triton.language` is written here.
  func language(_ member: String) -> String { "\(names.languageAlias ?? "tl").\(member)" }
}

extension TritonNames {
  func isJit(_ decorator: Expr) -> Bool {
    if case .call(let callee, _, _) = decorator.kind { return path(of: callee) == "jit" }
    return path(of: decorator) == "jit"
  }
}

extension Stmt {
  /// The bare names in this statement and in those inside it.
  var namesUsed: Set<String> {
    var found: Set<String> = []
    forEachExpression { if case .name(let name) = $0.kind { found.insert(name) } }
    return found
  }
}

extension FunctionDef {
  var namesUsed: Set<String> { body.reduce(into: []) { $0.formUnion($1.namesUsed) } }
}
