import Diagnostics
import PythonSyntax
import TileIR

/// The Triton side of a Python module: its `@triton.jit` functions and the names they may use.
public struct TritonModule: Sendable {
  public let tree: ModuleTree
  /// The `@triton.jit` functions (autotuned and heuristic ones included), in source order.
  public let functions: [JITFunction]
  let scope: ModuleScope

  /// - Parameter imports: other modules whose `@triton.jit` functions this one imports, by dotted
  ///   name as written in the `import` (relative ones with their dots).
  /// - Complexity: O(statements at module level).
  public init(_ tree: ModuleTree, imports: [String: TritonModule] = [:]) {
    self.tree = tree
    let scope = ModuleScope(tree, imports: imports)
    self.scope = scope
    functions = LargeStack.run { Self.jitFunctions(of: tree, scope: scope) }
  }

  private static func jitFunctions(of tree: ModuleTree, scope: ModuleScope) -> [JITFunction] {
    var functions: [JITFunction] = []
    // Kernels inside host functions, where one of the name is all there is.
    var nested: [JITFunction] = []
    var owners: [FunctionDef] = []
    func visit(_ body: [Stmt], _ depth: Int, isNested: Bool = false) {
      guard depth < 8 else { return }
      for statement in body {
        switch statement.kind {
        case .function(let definition):
          let decorators = FunctionDecorators(definition, scope: scope)
          if decorators.isJIT {
            let function = JITFunction(definition, decorators)
            if isNested { nested.append(function) } else { functions.append(function) }
          } else {
            owners.append(definition)
          }
        case .if(_, let body, let orElse):
          visit(body, depth + 1, isNested: isNested)
          visit(orElse, depth + 1, isNested: isNested)
        case .try(let body, let handlers, let orElse, let finally, _):
          visit(body, depth + 1, isNested: isNested)
          for item in handlers { visit(item.body, depth + 1, isNested: isNested) }
          visit(orElse, depth + 1, isNested: isNested)
          visit(finally, depth + 1, isNested: isNested)
        default: break
        }
      }
    }
    visit(tree.body, 0)
    for owner in owners { visit(owner.body, 1, isNested: true) }
    let taken = Set(functions.map(\.name))
    let counts = Dictionary(grouping: nested, by: \.name).mapValues(\.count)
    return functions + nested.filter { counts[$0.name] == 1 && !taken.contains($0.name) }
  }

  /// A `@triton.jit` function of this file, or else of the files that it imports.
  public func function(named name: String) -> JITFunction? { reference(named: name)?.function }

  func reference(named name: String) -> JITReference? {
    if let own = functions.last(where: { $0.name == name }) {
      return JITReference(function: own, scope: scope)
    }
    return scope.importedFunction(named: name)
  }

  /// Lowers a kernel for one specialisation.
  ///
  /// Calls are inlined, compile-time control flow is resolved, and what Triton 3.6 would reject is
  /// rejected with its reason.
  /// - Throws: a `Diagnostic` at the first line that is wrong (id `triton-…`: Triton refuses it
  ///   too) or not supported here (id `unsupported-…`).
  /// - Parameter keepsDeadOperations: leaves pure operations nobody uses in place, as Triton's
  ///   front end does before its passes run.
  /// - Parameter keepsAssertions: lowers `tl.device_assert` and `assert`, as Triton does where
  ///   `TRITON_DEBUG` is set; otherwise they leave nothing behind.
  public func lower(
    _ kernel: String, for specialization: Specialization, keepsDeadOperations: Bool = false,
    keepsAssertions: Bool = false
  ) throws(Diagnostic) -> Function {
    guard let reference = reference(named: kernel) else {
      let nearest = Spelling.nearest(to: kernel, in: functions.map(\.name))
      throw Diagnostic(
        id: "unknown-kernel",
        "no @triton.jit function '\(kernel)'\(nearest.map { "; did you mean '\($0)'?" } ?? "")",
        source: tree.source)
    }
    let file = reference.scope.tree
    if let error = file.diagnostics.first(where: { $0.severity == .error }) { throw error }
    let result = LargeStack.run {
      Lowerer.lower(
        reference, for: specialization, source: file.source, keepsAssertions: keepsAssertions)
    }
    var lowered = try result.get()
    if !keepsDeadOperations { lowered.removeDeadOperations() }
    return lowered
  }
}

/// One `@triton.jit` function.
public struct JITFunction: Sendable {
  public let name: String
  public let definition: FunctionDef
  public let parameters: [JITParameter]
  /// The configs of `@triton.autotune`, as far as they can be evaluated.
  public let autotuneConfigs: [AutotuneConfig]
  /// `@triton.heuristics`: parameter and the function that computes it.
  public let heuristics: [(name: String, function: Expr)]

  public init(
    name: String, definition: FunctionDef, parameters: [JITParameter],
    autotuneConfigs: [AutotuneConfig] = [], heuristics: [(name: String, function: Expr)] = []
  ) {
    self.name = name
    self.definition = definition
    self.parameters = parameters
    self.autotuneConfigs = autotuneConfigs
    self.heuristics = heuristics
  }

  init(_ definition: FunctionDef, _ decorators: FunctionDecorators) {
    let parameters = definition.parameters.all.enumerated().map { index, parameter in
      JITParameter(
        name: parameter.name, isConstexpr: JITParameter.isConstexpr(parameter.annotation),
        isNotSpecialized: decorators.notSpecialized.contains(parameter.name)
          || decorators.notSpecialized.contains(String(index)),
        syntax: parameter)
    }
    self.init(
      name: definition.name, definition: definition, parameters: parameters,
      autotuneConfigs: decorators.configs, heuristics: decorators.heuristics)
  }

  public func parameter(named name: String) -> JITParameter? {
    parameters.first { $0.name == name }
  }
}

/// One parameter of a `@triton.jit` function.
public struct JITParameter: Sendable {
  public let name: String
  public let isConstexpr: Bool
  /// Named in `do_not_specialize` (by name or index).
  public let isNotSpecialized: Bool
  public let syntax: Parameter

  public init(name: String, isConstexpr: Bool, isNotSpecialized: Bool, syntax: Parameter) {
    self.name = name
    self.isConstexpr = isConstexpr
    self.isNotSpecialized = isNotSpecialized
    self.syntax = syntax
  }

  /// Triton asks whether the annotation's text contains "constexpr".
  static func isConstexpr(_ annotation: Expr?) -> Bool {
    switch annotation?.kind {
    case .name(let name): name.contains("constexpr")
    case .attribute(_, let name, _): name.contains("constexpr")
    case .constant(.string(let text)): text.value.contains("constexpr")
    case .subscripted(let base, _): isConstexpr(base)
    default: false
    }
  }
}
