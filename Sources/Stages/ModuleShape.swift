import Diagnostics
import PythonSyntax

/// One config of a kernel: BLOCK and other meta-parameters with the launch parameters.
public struct KernelConfig: Sendable {
  /// Meta-parameters by name (`BLOCK_M`).
  public var parameters: [String: ConfigValue]
  /// Nil where the source gives none; Triton's default then holds.
  public var numWarps: ConfigValue?
  public var numStages: ConfigValue?
  public var range: SourceRange

  public init(
    parameters: [String: ConfigValue], numWarps: ConfigValue? = nil,
    numStages: ConfigValue? = nil, range: SourceRange
  ) {
    self.parameters = parameters
    self.numWarps = numWarps
    self.numStages = numStages
    self.range = range
  }

  /// The value of a knob, with Triton's default where the source gives none.
  public subscript(knob: Knob) -> ConfigValue {
    (knob == .numWarps ? numWarps : numStages) ?? .int(knob.tritonDefault)
  }

  /// Equal in everything that a launch sees.
  public func isSame(as other: KernelConfig) -> Bool {
    parameters == other.parameters && self[.numWarps] == other[.numWarps]
      && self[.numStages] == other[.numStages]
  }

  /// `BLOCK_M=32 BLOCK_N=64 num_warps=4 num_stages=2`
  public var summary: String {
    let blocks = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let knobs = Knob.allCases.map { "\($0.rawValue)=\(self[$0])" }
    return (blocks + knobs).joined(separator: " ")
  }
}

/// One launch `kernel[grid](…)`.
public struct LaunchSite: Sendable {
  public var kernel: String
  /// The grid as canonical text, its own parameter renamed.
  public var grid: String
  /// The number of axes, where the grid is written as a tuple.
  public var gridRank: Int?
  public var isGridLambda: Bool
  public var gridRange: SourceRange
  /// Constexpr arguments and launch parameters by name.
  public var arguments: [String: ConfigValue]
  public var range: SourceRange
}

/// One kernel with its configs and launches, as far as they can be read without running the module.
public struct KernelShape: Sendable {
  public var name: String
  public var function: FunctionDef
  public var constexprs: Set<String>
  /// Constexpr parameters that size a tile: set by configs, or used as an extent in the body.
  public var blockNames: Set<String>
  /// Parameters that the autotuned configs set.
  public var tunedNames: Set<String>
  public var isAutotuned: Bool
  /// The autotuned configs, or one for each launch; nil if they cannot be read.
  public var configs: [KernelConfig]?
  /// Where the configs stand (the decorator or the launch).
  public var configRange: SourceRange
  public var launches: [LaunchSite]
  /// The axes given to `tl.program_id`, in canonical text, sorted.
  public var programIDs: [String]
  /// The number of `tl.store` calls in the body.
  public var stores: Int
}

/// The kernels of a module with their configs and launches.
public struct ModuleShape: Sendable {
  public var tree: ModuleTree
  public var kernels: [KernelShape]

  public init(_ tree: ModuleTree) {
    self.tree = tree
    let functions = StageRules.kernels(in: tree)
    let launches = LaunchFinder.launches(in: tree, kernels: functions)
    self.kernels = functions.map { KernelReader(tree, $0, launches[$0.name] ?? []).shape() }
  }

  public subscript(kernel name: String) -> KernelShape? { kernels.first { $0.name == name } }

}

/// Reads one kernel's shape.
private struct KernelReader {
  let tree: ModuleTree
  let function: FunctionDef
  let launches: [LaunchSite]

  init(_ tree: ModuleTree, _ function: FunctionDef, _ launches: [LaunchSite]) {
    self.tree = tree
    self.function = function
    self.launches = launches
  }

  func shape() -> KernelShape {
    let constexprs = Self.constexprs(of: function)
    let extents = extentNames()
    let autotune = AutotuneDecorator.find(function)
    var configs: [KernelConfig]?
    var tuned: Set<String> = []
    if let autotune {
      configs = ConfigList.read(autotune.configs, in: ConstantScope(tree))
      tuned = Set(configs?.flatMap { $0.parameters.keys } ?? [])
    }
    let blocks = tuned.union(constexprs.intersection(extents))
    if autotune == nil {
      configs = launches.map { launch in
        KernelConfig(
          parameters: launch.arguments.filter { blocks.contains($0.key) },
          numWarps: launch.arguments["num_warps"], numStages: launch.arguments["num_stages"],
          range: launch.range)
      }
    } else if let read = configs {
      // Meta-parameters that the launch gives belong to every config.
      let fixed = launches.first.map { launch in
        launch.arguments.filter { blocks.contains($0.key) }
      }
      configs = read.map { config in
        var config = config
        config.parameters.merge(fixed ?? [:]) { own, _ in own }
        return config
      }
    }
    return KernelShape(
      name: function.name, function: function, constexprs: constexprs, blockNames: blocks,
      tunedNames: tuned,
      isAutotuned: autotune != nil, configs: configs,
      configRange: autotune?.range ?? launches.first?.range ?? function.nameRange,
      launches: launches, programIDs: programIDs(), stores: calls(to: "store").count)
  }

  static func constexprs(of function: FunctionDef) -> Set<String> {
    Set(
      function.parameters.all.compactMap { parameter in
        guard let annotation = parameter.annotation else { return nil }
        var isConstexpr = false
        annotation.forEach { expression in
          switch expression.kind {
          case .attribute(_, "constexpr", _), .name("constexpr"): isConstexpr = true
          default: break
          }
        }
        return isConstexpr ? parameter.name : nil
      })
  }

  /// Calls of `tl.NAME` (by the attribute's name) in the body.
  private func calls(to name: String) -> [[Expr]] {
    var found: [[Expr]] = []
    for statement in function.body {
      statement.forEachExpression { expression in
        guard case .call(let callee, let arguments, _) = expression.kind,
          case .attribute(_, name, _) = callee.kind
        else { return }
        found.append(arguments)
      }
    }
    return found
  }

  /// Names used as the extent of a tile.
  private func extentNames() -> Set<String> {
    var names: Set<String> = []
    for call in ["arange", "zeros", "full", "make_block_ptr", "make_tensor_descriptor"] {
      for arguments in calls(to: call) {
        for argument in arguments {
          argument.forEach { if case .name(let name) = $0.kind { names.insert(name) } }
        }
      }
    }
    return names
  }

  private func programIDs() -> [String] {
    calls(to: "program_id").map { arguments in
      arguments.first.map { CanonicalText.of($0.range, in: tree) } ?? "axis"
    }.sorted()
  }
}

/// `@triton.autotune(configs=[…], key=[…])`
struct AutotuneDecorator {
  var configs: Expr
  var range: SourceRange

  static func find(_ function: FunctionDef) -> AutotuneDecorator? {
    for decorator in function.decorators {
      guard case .call(let callee, let arguments, let keywords) = decorator.kind,
        isAutotune(callee)
      else { continue }
      if let configs = keywords.first(where: { $0.name == "configs" })?.value ?? arguments.first {
        return AutotuneDecorator(configs: configs, range: decorator.range)
      }
    }
    return nil
  }

  static func isAutotune(_ callee: Expr) -> Bool {
    switch callee.kind {
    case .name(let name): name == "autotune"
    case .attribute(_, let name, _): name == "autotune"
    default: false
    }
  }

  /// Whether any decorator of the function is `autotune`.
  static func isOn(_ function: FunctionDef) -> Bool {
    function.decorators.contains { decorator in
      if case .call(let callee, _, _) = decorator.kind { return isAutotune(callee) }
      return isAutotune(decorator)
    }
  }
}

/// Evaluates the list of configs.
enum ConfigList {
  private static let maxConfigs = 4096

  /// Nil if the list cannot be read without running the module.
  static func read(_ expression: Expr, in scope: ConstantScope, depth: Int = 0) -> [KernelConfig]? {
    guard depth < 16 else { return nil }
    switch expression.kind {
    case .list(let elements), .tuple(let elements):
      var configs: [KernelConfig] = []
      for element in elements {
        if case .starred(let inner) = element.kind {
          guard let more = read(inner, in: scope, depth: depth + 1) else { return nil }
          configs += more
        } else if let config = config(element, in: scope) {
          configs.append(config)
        } else {
          return nil
        }
        guard configs.count <= maxConfigs else { return nil }
      }
      return configs
    case .binary(let left, .add, let right):
      guard let first = read(left, in: scope, depth: depth + 1),
        let second = read(right, in: scope, depth: depth + 1)
      else { return nil }
      return first + second
    case .name(let name):
      return scope.binding(of: name).flatMap { read($0, in: scope, depth: depth + 1) }
    case .listComprehension(let element, let clauses):
      return scopes(scope, clauses)?.reduce([KernelConfig]?.some([])) { found, scope in
        guard let found, let config = config(element, in: scope) else { return nil }
        return found + [config]
      }
    case .call(let callee, let arguments, let keywords):
      // `get_configs()`: a function of the module that only returns a list.
      guard arguments.isEmpty, keywords.isEmpty, case .name(let name) = callee.kind,
        let function = scope.tree.functions.first(where: { $0.name == name }),
        case .return(let value?)? = function.body.last?.kind
      else { return nil }
      return read(value, in: scope.inside(function), depth: depth + 1)
    default: return nil
    }
  }

  /// One scope for each round of a comprehension.
  private static func scopes(_ base: ConstantScope, _ clauses: [Comprehension]) -> [ConstantScope]?
  {
    var scopes = [base]
    for clause in clauses {
      guard clause.conditions.isEmpty, !clause.isAsync else { return nil }
      var next: [ConstantScope] = []
      for scope in scopes {
        var iterable = clause.iterable
        if case .name(let name) = iterable.kind, let bound = scope.binding(of: name) {
          iterable = bound
        }
        let elements: [Expr]
        switch iterable.kind {
        case .list(let items), .tuple(let items), .set(let items): elements = items
        default: return nil
        }
        for element in elements {
          var inner = scope
          guard bind(clause.target, element, &inner) else { return nil }
          next.append(inner)
          guard next.count <= maxConfigs else { return nil }
        }
      }
      scopes = next
    }
    return scopes
  }

  private static func bind(_ target: Expr, _ value: Expr, _ scope: inout ConstantScope) -> Bool {
    switch (target.kind, value.kind) {
    case (.name(let name), _):
      guard let constant = scope.constant(value) else { return false }
      scope.values[name] = constant
      return true
    case (.tuple(let targets), .tuple(let values)), (.tuple(let targets), .list(let values)):
      guard targets.count == values.count else { return false }
      return zip(targets, values).allSatisfy { bind($0, $1, &scope) }
    default: return false
    }
  }

  /// `triton.Config({'BLOCK_M': 32}, num_warps=4)`
  private static func config(_ expression: Expr, in scope: ConstantScope) -> KernelConfig? {
    guard case .call(let callee, let arguments, let keywords) = expression.kind else { return nil }
    switch callee.kind {
    case .attribute(_, "Config", _), .name("Config"): break
    default: return nil
    }
    let positional: [String] = ["kwargs", "num_warps", "num_stages"]
    var given: [String: Expr] = [:]
    for (index, argument) in arguments.enumerated() where index < positional.count {
      given[positional[index]] = argument
    }
    for keyword in keywords {
      guard let name = keyword.name else { return nil }
      given[name] = keyword.value
    }
    var parameters: [String: ConfigValue] = [:]
    if let kwargs = given["kwargs"] {
      switch kwargs.kind {
      case .dict(let keys, let values):
        for (key, value) in zip(keys, values) {
          guard let key, case .string(let name)? = scope.constant(key) else { return nil }
          parameters[name] = scope.value(value)
        }
      case .call(let callee, let arguments, let keywords):
        guard case .name("dict") = callee.kind, arguments.isEmpty else { return nil }
        for keyword in keywords {
          guard let name = keyword.name else { return nil }
          parameters[name] = scope.value(keyword.value)
        }
      default: return nil
      }
    }
    return KernelConfig(
      parameters: parameters, numWarps: given["num_warps"].map { scope.value($0) },
      numStages: given["num_stages"].map { scope.value($0) }, range: expression.range)
  }
}

/// Finds `kernel[grid](…)` anywhere in a module.
enum LaunchFinder {
  static func launches(in tree: ModuleTree, kernels: [FunctionDef]) -> [String: [LaunchSite]] {
    let byName = Dictionary(kernels.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var found: [String: [LaunchSite]] = [:]
    func visit(_ statement: Stmt, _ scope: ConstantScope) {
      for expression in statement.childExpressions {
        expression.forEach { inner in
          guard case .call(let callee, let arguments, let keywords) = inner.kind,
            case .subscripted(let target, let grid) = callee.kind,
            case .name(let name) = target.kind
          else { return }
          for kernel in launched(as: name, scope) {
            found[kernel.name, default: []].append(
              site(kernel, grid, arguments, keywords, inner.range, scope))
          }
        }
      }
    }
    /// A kernel by its own name, or those that a local name is bound to (`k = a if c else b`).
    func launched(as name: String, _ scope: ConstantScope) -> [FunctionDef] {
      if let kernel = byName[name] { return [kernel] }
      var meant: [FunctionDef] = []
      scope.binding(of: name)?.forEach { expression in
        guard case .name(let used) = expression.kind, let kernel = byName[used],
          !meant.contains(where: { $0 === kernel })
        else { return }
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
