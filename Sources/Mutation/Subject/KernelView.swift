import Diagnostics
import PythonSyntax

/// What an expression's value depends on.
struct Traits: OptionSet, Sendable {
  let rawValue: Int
  /// `tl.program_id`.
  static let program = Traits(rawValue: 1)
  /// `tl.arange`.
  static let lane = Traits(rawValue: 2)
  /// The counter of a loop.
  static let loop = Traits(rawValue: 4)
  /// Loaded values.
  static let data = Traits(rawValue: 8)
  /// Floating-point constants or types.
  static let float = Traits(rawValue: 16)
}

/// One `@triton.jit` function, with what its names hold.
struct KernelView {
  let function: FunctionDef
  let tree: ModuleTree
  let names: TritonNames
  let sites: [StatementSite]
  /// The parameters that are known at compile time.
  let constexprs: Set<String>
  /// The other parameters.
  let parameters: Set<String>
  /// Every value that is assigned to a name, in source order; `+=` gives its right side.
  let definitions: [String: [Definition]]
  let memoryCalls: [MemoryCall]
  /// The names that hold pointers.
  let pointers: Set<String>
  /// What the masks of loads, stores and atomics consist of.
  let masks: [Expr]
  private let traits: [String: Traits]

  struct Definition {
    let value: Expr
    let isAugmented: Bool
    let site: StatementSite
  }

  init(_ function: FunctionDef, _ tree: ModuleTree, _ names: TritonNames) {
    self.function = function
    self.tree = tree
    self.names = names
    let sites = StatementSite.all(in: function.body)
    self.sites = sites
    var constexprs: Set<String> = []
    for parameter in function.parameters.all {
      if let annotation = parameter.annotation, names.builtin(annotation) == "constexpr" {
        constexprs.insert(parameter.name)
      }
    }
    self.constexprs = constexprs
    parameters = Set(function.parameters.all.map(\.name)).subtracting(constexprs)
    let definitions = Self.definitions(sites)
    self.definitions = definitions
    var memoryCalls: [MemoryCall] = []
    for site in sites {
      for expression in site.statement.childExpressions {
        expression.visitAll {
          guard let call = CallSite($0), let builtin = names.builtin(call.callee),
            let memory = MemoryCall(call, builtin: builtin, site)
          else { return }
          memoryCalls.append(memory)
        }
      }
    }
    self.memoryCalls = memoryCalls
    traits = Self.traits(sites, definitions, names)
    pointers = Self.pointers(memoryCalls, definitions, names)
    masks = Self.masks(memoryCalls, definitions)
  }

  /// Visits every expression that is evaluated at run time, with its statement; what only states
  /// or prints something is left out.
  func forEachExpression(_ visit: (Expr, StatementSite) -> Void) {
    for site in sites {
      if case .expression(let value) = site.statement.kind, let call = CallSite(value),
        let name = names.builtin(call.callee), Self.statements.contains(name)
      {
        continue
      }
      if case .annAssign(let target, _, let value, _) = site.statement.kind {
        visit(target, site)
        value?.visitAll { visit($0, site) }
        continue
      }
      for expression in site.statement.childExpressions {
        expression.visitAll { visit($0, site) }
      }
    }
  }

  private static let statements: Set<String> = [
    "static_assert", "static_print", "device_assert", "device_print", "assume", "debug_barrier",
  ]

  func traits(of expression: Expr) -> Traits { Self.traits(of: expression, traits, names) }

  /// What an address depends on beside the pointers it starts from.
  func indexTraits(of expression: Expr) -> Traits {
    Self.traits(of: expression, traits.filter { !pointers.contains($0.key) }, names)
  }

  /// Whether an expression is made of indices only: no loaded values, nothing floating.
  func isIndex(_ expression: Expr) -> Bool {
    traits(of: expression).isDisjoint(with: [.data, .float])
  }

  /// Whether an expression is known at compile time.
  func isConstant(_ expression: Expr) -> Bool {
    var result = true
    expression.visitAll {
      if case .name(let name) = $0.kind, !constexprs.contains(name), names.path(of: $0) == nil {
        result = false
      }
    }
    return result
  }

  /// The call of a member of `triton.language`, with its name.
  func builtinCall(_ expression: Expr) -> (call: CallSite, name: String)? {
    guard let call = CallSite(expression), let name = names.builtin(call.callee) else { return nil }
    return (call, name)
  }

  /// The call of this member of `triton.language`.
  func builtinCall(_ expression: Expr, _ name: String) -> CallSite? {
    guard let (call, found) = builtinCall(expression), found == name else { return nil }
    return call
  }

  /// The names that the tests of `while` loops read: to change them may mean to loop for ever.
  var whileCounters: Set<String> {
    var found: Set<String> = []
    for site in sites {
      guard case .while(let test, _, _) = site.statement.kind else { continue }
      found.formUnion(test.nameSet)
    }
    return found
  }
}

extension Expr {
  /// Calls `visit` for this expression and everything inside, outer before inner.
  func visitAll(_ visit: (Expr) -> Void) {
    walk {
      visit($0)
      return .visitChildren
    }
  }

  var bareName: String? { if case .name(let name) = kind { name } else { nil } }

  var integer: Int? {
    if case .constant(.int(let literal)) = kind { literal.value } else { nil }
  }

  var string: String? {
    if case .constant(.string(let literal)) = kind { literal.value } else { nil }
  }

  var nameSet: Set<String> {
    var found: Set<String> = []
    visitAll { if let name = $0.bareName { found.insert(name) } }
    return found
  }

  /// The terms of a sum, from left to right.
  var terms: [Expr] {
    var result: [Expr] = []
    var current = self
    while case .binary(let left, .add, let right) = current.kind {
      result.append(right)
      current = left
    }
    result.append(current)
    return result.reversed()
  }
}
