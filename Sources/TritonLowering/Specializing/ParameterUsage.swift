import PythonSyntax
import TileIR

/// What the body of a function tells of one parameter.
struct ParameterFacts {
  var isPointer = false
  var pointee: ElementType?
  var isInteger = false
  var isFloat = false
  var isShape = false
  var isFlag = false
  var isDtype = false
  var isCalled = false
  var isUnrolled = false
  var isComparedWithNone = false
  var comparedStrings: [String] = []
  var comparedIntegers: [Int] = []
  var isPowerOfTwoHint = false
  /// Indexed, or asked for its shape: a tile where it is not an address.
  var isTile = false
  /// For a tensor descriptor: per axis the constexpr parameter its offsets are multiples of.
  var descriptorBlock: [String?]?
}

/// How a function uses its parameters, found from its syntax and that of the functions it calls.
struct ParameterUsage {
  private(set) var table: [String: ParameterFacts] = [:]
  /// The largest rank of a tile made in the function.
  var tileRank = 0

  func facts(_ name: String) -> ParameterFacts {
    var facts = table[name] ?? ParameterFacts()
    let upper = name.uppercased()
    facts.isPowerOfTwoHint =
      upper.hasPrefix("BLOCK") || upper.hasPrefix("TILE") || upper.hasPrefix("GROUP")
    return facts
  }

  mutating func update(_ name: String, _ change: (inout ParameterFacts) -> Void) {
    change(&table[name, default: ParameterFacts()])
  }

  static func analyze(_ function: JITFunction, in scope: ModuleScope) -> ParameterUsage {
    var analyzer = UsageAnalyzer(function: function, scope: scope, active: [function.name])
    return analyzer.run()
  }
}

struct UsageAnalyzer {
  let function: JITFunction
  let scope: ModuleScope
  /// Functions being analysed, to end recursion.
  let active: Set<String>
  let parameters: Set<String>
  /// What each local name is assigned, in source order.
  var definitions: [String: [Expr]] = [:]
  var usage = ParameterUsage()
  private var budget = 60_000

  init(function: JITFunction, scope: ModuleScope, active: Set<String>) {
    self.function = function
    self.scope = scope
    self.active = active
    parameters = Set(function.parameters.map(\.name))
  }

  mutating func run() -> ParameterUsage {
    collect(function.definition.body, depth: 0)
    // Twice: what the first walk learns of pointers decides ties in the second.
    for _ in 0..<2 { visit(function.definition.body, depth: 0) }
    return usage
  }

  mutating func spend() -> Bool {
    budget -= 1
    return budget > 0
  }

  private mutating func collect(_ body: [Stmt], depth: Int) {
    guard depth < 30 else { return }
    for statement in body {
      switch statement.kind {
      case .assign(let targets, let value):
        for item in targets { define(item, value) }
      case .annAssign(let target, _, let value?, _): define(target, value)
      case .augAssign(let target, let op, let value):
        define(target, Expr(.binary(target, op, value), statement.range))
      case .for(let loop):
        // The variable of `range(a, b, STEP)` is made of multiples of STEP.
        if case .call(_, let bounds, _) = loop.iterable.kind, bounds.count == 3 {
          define(loop.target, bounds[2])
        }
        collect(loop.body, depth: depth + 1)
      case .while(_, let body, _): collect(body, depth: depth + 1)
      case .if(_, let then, let orElse):
        collect(then, depth: depth + 1)
        collect(orElse, depth: depth + 1)
      default: break
      }
    }
  }

  private mutating func define(_ target: Expr, _ value: Expr) {
    switch target.kind {
    case .name(let name): definitions[name, default: []].append(value)
    case .tuple(let targets):
      guard case .tuple(let values) = value.kind, values.count == targets.count else { return }
      for (target, value) in zip(targets, values) { define(target, value) }
    default: break
    }
  }

  // MARK: Statements

  private mutating func visit(_ body: [Stmt], depth: Int) {
    guard depth < 30 else { return }
    for statement in body {
      switch statement.kind {
      case .assign(_, let value), .annAssign(_, _, let value?, _): visit(value)
      case .augAssign(let target, let op, let value):
        visit(Expr(.binary(target, op, value), statement.range))
      case .return(let value?), .expression(let value): visit(value)
      case .for(let loop):
        visit(loop.iterable)
        if case .call(let callee, let arguments, _) = loop.iterable.kind {
          let isStatic = name(of: callee).hasSuffix("static_range")
          for argument in arguments {
            markInteger(argument)
            if isStatic {
              for name in parameterNames(in: argument) {
                usage.update(name) { $0.isUnrolled = true }
              }
            }
          }
        }
        visit(loop.body, depth: depth + 1)
      case .while(let test, let body, _):
        visit(test)
        visit(body, depth: depth + 1)
      case .if(let test, let then, let orElse):
        visit(test)
        markCondition(test)
        visit(then, depth: depth + 1)
        visit(orElse, depth: depth + 1)
      case .assert(let test, _): visit(test)
      default: break
      }
    }
  }

  // MARK: Expressions

  mutating func visit(_ expression: Expr, depth: Int = 0) {
    guard depth < 100, spend() else { return }
    switch expression.kind {
    case .call(let callee, let arguments, let keywords):
      visitCall(callee, arguments, keywords)
      if case .attribute(let base, _, _) = callee.kind { visit(base, depth: depth + 1) }
      for item in arguments { visit(item, depth: depth + 1) }
      for item in keywords { visit(item.value, depth: depth + 1) }
    case .binary(let left, let op, let right):
      visitBinary(left, op, right)
      visit(left, depth: depth + 1)
      visit(right, depth: depth + 1)
    case .unary(let op, let operand):
      if op == .not { markCondition(operand) }
      visit(operand, depth: depth + 1)
    case .boolOp(_, let values):
      for item in values { markCondition(item) }
      for item in values { visit(item, depth: depth + 1) }
    case .conditional(let test, let body, let orElse):
      markCondition(test)
      visit(test, depth: depth + 1)
      visit(body, depth: depth + 1)
      visit(orElse, depth: depth + 1)
    case .compare(let left, _, let others):
      visitCompare(left, others)
      visit(left, depth: depth + 1)
      for item in others { visit(item, depth: depth + 1) }
    case .subscripted(let base, let index):
      if case .name(let name) = base.kind { usage.update(name) { $0.isTile = true } }
      visit(base, depth: depth + 1)
      visit(index, depth: depth + 1)
    case .tuple(let elements), .list(let elements):
      for item in elements { visit(item, depth: depth + 1) }
    case .attribute(let base, let attribute, _):
      if case .name(let name) = base.kind, ["shape", "numel", "T"].contains(attribute) {
        usage.update(name) { $0.isTile = true }
      }
      visit(base, depth: depth + 1)
    case .starred(let base): visit(base, depth: depth + 1)
    default: break
    }
  }

  private mutating func visitCompare(_ left: Expr, _ others: [Expr]) {
    for (a, b) in others.flatMap({ [(left, $0), ($0, left)] }) {
      guard case .name(let name) = a.kind, parameters.contains(name) else {
        if isIndexLike(a) { markInteger(b) }
        continue
      }
      switch b.kind {
      case .constant(.string(let text)):
        usage.update(name) { $0.comparedStrings.append(text.value) }
      case .constant(.none): usage.update(name) { $0.isComparedWithNone = true }
      case .constant(.bool): usage.update(name) { $0.isFlag = true }
      case .constant(.int(let literal)):
        if let value = literal.value { usage.update(name) { $0.comparedIntegers.append(value) } }
      default: if isDtype(b) { usage.update(name) { $0.isDtype = true } }
      }
    }
  }

  func isDtype(_ expression: Expr) -> Bool {
    guard case .attribute(_, let name, _) = expression.kind else { return false }
    return TritonNames.dtypes[name] != nil
  }

  mutating func markCondition(_ expression: Expr) {
    switch expression.kind {
    case .name(let name) where parameters.contains(name): usage.update(name) { $0.isFlag = true }
    case .unary(.not, let operand): markCondition(operand)
    case .boolOp(_, let values):
      for item in values { markCondition(item) }
    default: break
    }
  }

  private mutating func visitBinary(_ left: Expr, _ op: BinaryOperator, _ right: Expr) {
    switch op {
    case .mod, .floorDiv:
      markInteger(left)
      markInteger(right)
    case .bitAnd, .bitOr, .bitXor, .leftShift, .rightShift:
      markLoads(left, .int32)
      markLoads(right, .int32)
    default:
      for (own, other) in [(left, right), (right, left)] {
        guard case .name(let name) = own.kind, parameters.contains(name) else { continue }
        if isIndexLike(other) {
          if op == .mul { usage.update(name) { $0.isInteger = true } }
        } else if isValueLike(other) {
          usage.update(name) { $0.isFloat = true }
        }
      }
    }
  }

  func name(of callee: Expr) -> String {
    switch callee.kind {
    case .name(let name): name
    case .attribute(_, let name, _): name
    default: ""
    }
  }

  func parameterNames(in expression: Expr, depth: Int = 0) -> [String] {
    guard depth < 20 else { return [] }
    switch expression.kind {
    case .name(let name): return parameters.contains(name) ? [name] : []
    case .binary(let left, _, let right):
      return parameterNames(in: left, depth: depth + 1)
        + parameterNames(in: right, depth: depth + 1)
    case .unary(_, let operand): return parameterNames(in: operand, depth: depth + 1)
    case .tuple(let elements), .list(let elements):
      return elements.flatMap { parameterNames(in: $0, depth: depth + 1) }
    default: return []
    }
  }
}
