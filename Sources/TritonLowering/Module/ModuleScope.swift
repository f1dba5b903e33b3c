import Diagnostics
import PythonSyntax
import TileIR

/// The names of one module, as its `@triton.jit` functions see them.
final class ModuleScope: Sendable {
  enum Binding: Sendable {
    case function(FunctionDef)
    case classDef(ClassDef)
    case module(String)
    case member(module: String, name: String)
    case assignment(Expr)
    /// One element of an unpacked assignment.
    case element(Expr, Int)
    case unknown
  }

  /// What a global name holds and whether a kernel may read it.
  struct Global {
    var value: PyValue
    /// Triton lets kernels read modules, functions, dtypes and `constexpr` globals only.
    var isReadableInKernels: Bool
  }

  let source: SourceText
  let bindings: [String: [Binding]]
  /// The modules this one may import, by dotted name.
  let imports: [String: TritonModule]
  /// The file itself, for its diagnostics.
  let tree: ModuleTree

  init(_ tree: ModuleTree, imports: [String: TritonModule] = [:]) {
    self.tree = tree
    source = tree.source
    self.imports = imports
    var collector = BindingCollector()
    collector.visit(tree.body, depth: 0)
    bindings = collector.bindings
  }

  /// The compile-time value of a global name; nil where it is unbound or cannot be evaluated.
  func lookUp(_ name: String) -> PyValue? { global(name)?.value }

  /// - Parameter budget: shared by everything evaluated on the way; a global that is defined by
  ///   itself is unbound.
  func global(
    _ name: String, _ budget: CompileTimeEvaluator.Budget = CompileTimeEvaluator.Budget()
  ) -> Global? {
    guard let candidates = bindings[name] else { return starImported(name, budget) }
    let key = CompileTimeEvaluator.Global(scope: ObjectIdentifier(self), name: name)
    guard budget.active.count < 100, budget.active.insert(key).inserted else { return nil }
    defer { budget.active.remove(key) }
    // Imports under try/except: the first that Triton 3.6 has. Assignments: the last counts.
    var fallback: Global?
    for (index, binding) in candidates.enumerated() {
      switch binding {
      case .module(let path):
        if let known = TritonNames.module(path) {
          return Global(value: known, isReadableInKernels: true)
        }
        if let file = file(path) {
          return Global(value: .importedModule(file), isReadableInKernels: true)
        }
        fallback = fallback ?? Global(value: .foreign(path), isReadableInKernels: true)
      case .member(let module, let member):
        guard let found = imported(member, from: module, budget) else { continue }
        // Under try/except a later import may be the one whose source is at hand.
        guard case .foreign = found.value else { return found }
        fallback = fallback ?? found
      case .function(let definition):
        return Global(
          value: value(of: definition, budget),
          isReadableInKernels: isCallable(definition, budget))
      case .classDef(let definition):
        return Global(value: .foreign(definition.name), isReadableInKernels: false)
      case .assignment, .element:
        guard index == candidates.count - 1 || candidates[(index + 1)...].allSatisfy(\.isUnknown)
        else { continue }
        return assigned(binding, budget) ?? fallback
      case .unknown: continue
      }
    }
    return fallback
  }

  private func imported(
    _ name: String, from written: String, _ budget: CompileTimeEvaluator.Budget
  ) -> Global? {
    let module = canonical(written, importing: name)
    if let path = TritonNames.module("\(module).\(name)") {
      return Global(value: path, isReadableInKernels: true)
    }
    if let known = TritonNames.attribute(name, of: module) {
      return Global(value: known, isReadableInKernels: true)
    }
    if let other = imports[module] { return other.scope.global(name, budget) }
    if let other = imports["\(module).\(name)"] {
      return Global(value: .foreign(other.tree.source.name), isReadableInKernels: true)
    }
    if TritonNames.module(module) != nil { return nil }
    if let found = file(module)?.member(name, budget) { return found }
    let separator = module.hasSuffix(".") ? "" : "."
    if let file = file("\(module)\(separator)\(name)") {
      return Global(value: .importedModule(file), isReadableInKernels: true)
    }
    let path = "\(module).\(name)"
    return Global(
      value: TritonNames.foreignConstant(path) ?? .foreign(path), isReadableInKernels: false)
  }

  /// Triton's own library imports its parts relatively: without files around it, those names mean
  /// Triton's. Others keep their dots.
  private func canonical(_ written: String, importing name: String) -> String {
    guard written.hasPrefix(".") else { return written }
    let tail = written.drop { $0 == "." }
    switch written.count - tail.count {
    case 1 where ["", "core", "math", "standard", "random", "semantic"].contains(tail):
      let isFile = file(written) != nil || (tail.isEmpty && file(".\(name)") != nil)
      if isFile { return written }
      return tail.isEmpty ? "triton.language" : "triton.language.\(tail)"
    case 2 where tail == "runtime.jit": return "triton.runtime.jit"
    default: return written
    }
  }

  /// The scope of a file that this one imports, by the name as written, dots in front included.
  func file(_ written: String) -> ModuleScope? {
    guard let tree = tree.importer?.module(written: written) else { return nil }
    return tree.importer?.part { ModuleScope(tree) }
  }

  /// What another file gets when it asks this one for a name: a global, or a file of the package.
  func member(_ name: String, _ budget: CompileTimeEvaluator.Budget) -> Global? {
    if let found = global(name, budget) { return found }
    guard tree.importer?.isPackage == true, let file = file(".\(name)") else { return nil }
    return Global(value: .importedModule(file), isReadableInKernels: true)
  }

  /// A name that `from … import *` brings, from files at hand.
  private func starImported(_ name: String, _ budget: CompileTimeEvaluator.Budget) -> Global? {
    guard !name.hasPrefix("_"), let stars = bindings["*"] else { return nil }
    let key = CompileTimeEvaluator.Global(scope: ObjectIdentifier(self), name: name)
    guard budget.active.count < 100, budget.active.insert(key).inserted else { return nil }
    defer { budget.active.remove(key) }
    for case .member(let module, "*") in stars.reversed() {
      if let known = TritonNames.attribute(name, of: module) {
        return Global(value: known, isReadableInKernels: true)
      }
      if let found = file(module)?.global(name, budget) { return found }
    }
    return nil
  }

  /// A `@triton.jit` function of the files that this one imports, directly or not.
  func importedFunction(named name: String) -> JITReference? {
    guard tree.importer != nil else { return nil }
    for scope in importedScopes {
      guard case .function(let definition)? = scope.bindings[name]?.last,
        case .function(let reference) = scope.value(
          of: definition, CompileTimeEvaluator.Budget())
      else { continue }
      return reference
    }
    return nil
  }

  /// The files that this one imports, nearest first.
  private var importedScopes: [ModuleScope] {
    var found: [ModuleScope] = []
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(self)]
    var queue = [self]
    while !queue.isEmpty, found.count < Self.maximumImportedScopes {
      let scope = queue.removeFirst()
      for written in scope.importedNames {
        guard let next = scope.file(written), seen.insert(ObjectIdentifier(next)).inserted else {
          continue
        }
        found.append(next)
        queue.append(next)
      }
    }
    return found
  }

  private static let maximumImportedScopes = 60

  /// What may be a file, as written in imports, sorted.
  private var importedNames: [String] {
    var names: Set<String> = []
    for case .member(let module, let name) in bindings.values.joined() {
      names.insert(module)
      if name != "*" { names.insert(module + (module.hasSuffix(".") ? "" : ".") + name) }
    }
    for case .module(let path) in bindings.values.joined() { names.insert(path) }
    return names.filter { TritonNames.module($0) == nil }.sorted()
  }

  private func value(of definition: FunctionDef, _ budget: CompileTimeEvaluator.Budget)
    -> PyValue
  {
    let decorators = FunctionDecorators(definition, scope: self, budget: budget)
    if decorators.isJIT {
      return .function(JITReference(function: JITFunction(definition, decorators), scope: self))
    }
    return .constexprFunction(self, definition)
  }

  private func isCallable(_ definition: FunctionDef, _ budget: CompileTimeEvaluator.Budget) -> Bool
  {
    let decorators = FunctionDecorators(definition, scope: self, budget: budget)
    return decorators.isJIT || decorators.isConstexprFunction
  }

  private func assigned(_ binding: Binding, _ budget: CompileTimeEvaluator.Budget) -> Global? {
    let expression: Expr
    switch binding {
    case .assignment(let value), .element(let value, _): expression = value
    default: return nil
    }
    var evaluator = CompileTimeEvaluator(scope: self, budget: budget)
    guard var value = try? evaluator.evaluate(expression) else { return nil }
    if case .element(_, let index) = binding {
      guard case .tuple(let tuple) = value, tuple.elements.indices.contains(index) else {
        return nil
      }
      value = tuple.elements[index]
    }
    return Global(value: value, isReadableInKernels: isReadable(value, from: expression, budget))
  }

  private func isReadable(
    _ value: PyValue, from expression: Expr, _ budget: CompileTimeEvaluator.Budget, depth: Int = 0
  ) -> Bool {
    guard depth < 100 else { return false }
    switch value {
    case .none, .type, .function, .builtin, .module, .importedModule, .symbol: return true
    case .constexprFunction(let scope, let definition): return scope.isCallable(definition, budget)
    default: break
    }
    switch expression.kind {
    case .call(let callee, _, _):
      var evaluator = CompileTimeEvaluator(scope: self, budget: budget)
      if case .builtin("triton.constexpr_function")? = try? evaluator.evaluate(callee) {
        return true
      }
      if case .type(.python("tl.constexpr"))? = try? evaluator.evaluate(callee) { return true }
      return false
    case .name(let name): return global(name, budget)?.isReadableInKernels ?? false
    case .binary(let left, _, let right):
      // An operation with a constexpr on one side is a constexpr.
      return isReadable(value, from: left, budget, depth: depth + 1)
        || isReadable(value, from: right, budget, depth: depth + 1)
    default: return false
    }
  }
}

extension ModuleScope.Binding {
  var isUnknown: Bool { if case .unknown = self { true } else { false } }
}

/// Collects what a module binds at its top level, `if` and `try` included.
private struct BindingCollector {
  var bindings: [String: [ModuleScope.Binding]] = [:]
  private static let maximumDepth = 20

  mutating func bind(_ name: String, _ binding: ModuleScope.Binding) {
    switch binding {
    case .function, .classDef, .assignment, .element:
      // A later definition replaces an earlier one; imports stay as alternatives.
      bindings[name]?.removeAll { if case .member = $0 { false } else { true } }
      if case .function = binding { bindings[name] = nil }
    default: break
    }
    bindings[name, default: []].append(binding)
  }

  mutating func visit(_ body: [Stmt], depth: Int) {
    guard depth < Self.maximumDepth else { return }
    for statement in body {
      switch statement.kind {
      case .function(let definition): bind(definition.name, .function(definition))
      case .classDef(let definition): bind(definition.name, .classDef(definition))
      case .import(let names):
        for alias in names {
          let root = alias.name.split(separator: ".").first.map(String.init) ?? alias.name
          bind(alias.asName ?? root, .module(alias.asName == nil ? root : alias.name))
        }
      case .importFrom(let module, let names, let level):
        for alias in names {
          bind(
            alias.asName ?? alias.name,
            .member(module: Self.written(module, level), name: alias.name))
        }
      case .assign(let targets, let value):
        for target in targets { assign(target, value) }
      case .annAssign(let target, _, let value?, _): assign(target, value)
      case .augAssign(let target, _, _):
        if case .name(let name) = target.kind { bindings[name] = [.unknown] }
      case .if(_, let body, let orElse):
        visit(body, depth: depth + 1)
        visit(orElse, depth: depth + 1)
      case .try(let body, let handlers, let orElse, let finally, _):
        visit(body, depth: depth + 1)
        let known = bindings
        for handler in handlers { visit(handler.body, depth: depth + 1) }
        // What the body defines wins over what a handler assigns in its stead.
        for (name, values) in known
        where values.contains(where: { if case .function = $0 { true } else { false } }) {
          bindings[name] = values
        }
        visit(orElse, depth: depth + 1)
        visit(finally, depth: depth + 1)
      case .with(_, let body, _): visit(body, depth: depth + 1)
      default: break
      }
    }
  }

  private mutating func assign(_ target: Expr, _ value: Expr) {
    switch target.kind {
    case .name(let name): bind(name, .assignment(value))
    case .tuple(let elements), .list(let elements):
      for (index, element) in elements.enumerated() {
        if case .name(let name) = element.kind { bind(name, .element(value, index)) }
      }
    default: break
    }
  }

  /// The module's name with its dots in front.
  private static func written(_ module: String?, _ level: Int) -> String {
    String(repeating: ".", count: level) + (module ?? "")
  }
}
