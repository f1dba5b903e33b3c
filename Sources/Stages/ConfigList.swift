import Diagnostics
import PythonSyntax

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
