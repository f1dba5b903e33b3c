import Diagnostics
import PythonSyntax
import TritonLowering

/// The integer divisions and remainders of a kernel and the parameters their divisors depend on.
struct DivisionUse {
  struct Use {
    let range: SourceRange
    let divisor: Expr
    /// Parameters that the divisor is computed from.
    let parameters: Set<String>
  }

  let source: SourceText
  private(set) var uses: [Use] = []

  /// Every parameter some divisor depends on.
  var parameters: Set<String> { uses.reduce(into: []) { $0.formUnion($1.parameters) } }

  init(of function: JITFunction, names: LanguageNames, source: SourceText) {
    self.source = source
    let runtime = Set(function.parameters.filter { !$0.isConstexpr }.map(\.name))
    let origins = LocalOrigins(of: function, names: names)
    var found: [Use] = []
    func add(_ divisor: Expr, _ range: SourceRange) {
      let parameters = origins.parameters(of: divisor).intersection(runtime)
      if !parameters.isEmpty {
        found.append(Use(range: range, divisor: divisor, parameters: parameters))
      }
    }
    function.definition.body.forEachStatement { statement in
      if case .augAssign(_, let op, let value) = statement.kind, op == .floorDiv || op == .mod {
        add(value, statement.range)
      }
    }
    function.definition.body.forEachExpression { expression in
      switch expression.kind {
      case .binary(_, let op, let right) where op == .floorDiv || op == .mod:
        add(right, expression.range)
      case .call(let callee, let arguments, _)
      where names.member(of: callee) == "cdiv" && arguments.count == 2:
        add(arguments[1], expression.range)
      default: break
      }
    }
    uses = found
  }
}

/// Which parameters each local name of a kernel is computed from, directly or through other names.
///
/// Loads end a chain: what is read from memory is not computed from its address.
struct LocalOrigins {
  private var sources: [String: Set<String>] = [:]
  private let parameterNames: Set<String>
  private let language: LanguageNames

  init(of function: JITFunction, names: LanguageNames) {
    parameterNames = Set(function.parameters.map(\.name))
    language = names
    var direct: [String: Set<String>] = [:]
    func bind(_ target: Expr, _ value: Expr) {
      let read = Self.namesRead(by: value, names)
      for (name, _) in target.targetNames { direct[name, default: []].formUnion(read) }
    }
    function.definition.body.forEachStatement { statement in
      switch statement.kind {
      case .assign(let targets, let value): for target in targets { bind(target, value) }
      case .annAssign(let target, _, let value?, _): bind(target, value)
      case .augAssign(let target, _, let value):
        bind(target, value)
        bind(target, target)
      case .for(let loop): bind(loop.target, loop.iterable)
      default: break
      }
    }
    // Close the relation; each round adds at least one edge, so it ends.
    for name in direct.keys {
      var reached: Set<String> = []
      var frontier = [name]
      while let next = frontier.popLast() {
        for read in direct[next] ?? [] where reached.insert(read).inserted { frontier.append(read) }
      }
      sources[name] = reached
    }
  }

  /// The parameters an expression depends on.
  func parameters(of expression: Expr) -> Set<String> {
    var found: Set<String> = []
    for name in Self.namesRead(by: expression, language) {
      if parameterNames.contains(name) { found.insert(name) }
      found.formUnion((sources[name] ?? []).intersection(parameterNames))
    }
    return found
  }

  private static func namesRead(by expression: Expr, _ names: LanguageNames) -> Set<String> {
    var found: Set<String> = []
    var stack = [expression]
    while let next = stack.popLast() {
      if let name = next.bareName { found.insert(name) }
      if case .call(let callee, _, _) = next.kind {
        if names.member(of: callee) == "load" { continue }
        if case .attribute(_, "load", _) = callee.kind { continue }
      }
      stack.append(contentsOf: next.children)
    }
    return found
  }
}
