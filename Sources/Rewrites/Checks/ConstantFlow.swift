import Diagnostics
import PythonSyntax
import TritonLowering

/// What becomes of a kernel's code when some of its integer parameters turn into `tl.constexpr`.
///
/// Triton evaluates an operation on two compile-time values with Python's rules (floor division,
/// unbounded integers, double floats) and adapts a compile-time operand to the other operand's
/// type; a compile-time value has no methods and cannot be indexed. This walk follows the values
/// through the kernel and the `@triton.jit` functions it calls and records each place where the
/// meaning would differ. Assignment to a plain name ends the walk: it makes a tensor again
/// (`CodeGenerator.visit_Assign` of Triton 3.6).
struct ConstantFlow {
  /// What is known of one expression.
  struct Fact {
    /// Known at compile time after the rewrite.
    var isConstant = false
    /// The specialised parameters it depends on; empty for what was known before.
    var names: Set<String> = []
    var isFloat = false
    /// Its integer value in each environment.
    var values: [Interval?] = []
    /// A tuple's or list's elements.
    var elements: [Fact] = []
    /// May hold an element type that an untyped constant would adapt to: bf16, fp8, small and
    /// unsigned integers.
    var mayAdapt = false
    /// A tensor whose value the compiler now knows, because it is computed from new constants.
    var folds = false

    static let runtime = Fact()
    /// Compile-time only because of the rewrite.
    var isNew: Bool { isConstant && !names.isEmpty }
    var anyNew: Bool { isNew || elements.contains(where: \.anyNew) }
    var allNames: Set<String> { elements.reduce(names) { $0.union($1.allNames) } }
  }

  struct Problem {
    var names: Set<String>
    var diagnostic: Diagnostic
  }

  let triton: TritonModule
  let names: LanguageNames
  let environmentCount: Int
  /// Whether the kernel handles an element type that a constant would adapt to.
  let hasAdaptingTypes: Bool
  /// Whether loaded values may have such a type.
  let loadsMayAdapt: Bool
  /// Whether the constants tell the compiler more about alignment than the launcher does (which
  /// marks multiples of 16), so that it may choose another layout.
  let mayReorder: Bool
  var problems: [Problem] = []
  /// Where rounding may change, in words.
  var roundings: [String] = []
  var locals: [String: Fact] = [:]
  var globals: [String: Fact]
  var visited: Set<String> = []
  /// Loop variables that an unrolled loop turns into constants, and the values they may take.
  var unrolled: Set<String> = []
  var unrolledValues = Interval(0)
  /// Loops are followed twice, so that what an iteration leaves reaches the next; only outermost ones,
  /// as each round of theirs goes through those inside.
  var loopDepth = 0
  /// Counted against `NestingLimit` for calls between `@triton.jit` functions.
  var callDepth = 0

  var source: SourceText { triton.tree.source }

  init(
    triton: TritonModule, names: LanguageNames, environmentCount: Int, hasAdaptingTypes: Bool,
    loadsMayAdapt: Bool, mayReorder: Bool
  ) {
    self.triton = triton
    self.names = names
    self.environmentCount = environmentCount
    self.hasAdaptingTypes = hasAdaptingTypes
    self.loadsMayAdapt = loadsMayAdapt
    self.mayReorder = mayReorder
    var globals: [String: Fact] = [:]
    for statement in triton.tree.body {
      let (target, value): (Expr, Expr)
      switch statement.kind {
      case .assign(let targets, let assigned) where targets.count == 1:
        (target, value) = (targets[0], assigned)
      case .annAssign(let annotated, _, let assigned?, _): (target, value) = (annotated, assigned)
      default: continue
      }
      guard let name = target.bareName else { continue }
      var fact = Fact(isConstant: true, values: Array(repeating: nil, count: environmentCount))
      var literal = value
      if case .call(let callee, let arguments, _) = value.kind, arguments.count == 1,
        names.member(of: callee) == "constexpr"
      {
        literal = arguments[0]
      }
      if let integer = literal.integerValue {
        fact.values = Array(repeating: Interval(integer), count: environmentCount)
      } else if case .constant(.float) = literal.kind {
        fact.isFloat = true
      }
      globals[name] = fact
    }
    self.globals = globals
  }

  /// Follows the constants through one function.
  mutating func analyse(_ function: JITFunction, parameters: [String: Fact]) {
    guard NestingLimit.holds(for: function.definition) else {
      problem(
        Set(parameters.values.flatMap(\.names)), "nesting-too-deep",
        "function '\(function.name)' is nested too deeply to follow", function.definition.nameRange)
      return
    }
    let outer = locals
    locals = parameters
    refuseReassignment(in: function)
    visit(function.definition.body)
    locals = outer
  }

  mutating func problem(
    _ names: Set<String>, _ id: String, _ message: String, _ range: SourceRange,
    next: String? = nil
  ) {
    problems.append(
      Problem(
        names: names,
        diagnostic: Diagnostic(id: id, message, source: source, range: range, nextStep: next)))
  }

  /// `'KH'`, `'KH' and 'KW'`: for messages.
  func quoted(_ names: Set<String>) -> String {
    names.sorted().map { "'\($0)'" }.joined(separator: " and ")
  }

  private mutating func refuseReassignment(in function: JITFunction) {
    let new = locals.filter { $0.value.anyNew }
    guard !new.isEmpty else { return }
    var found: [(String, SourceRange)] = []
    function.definition.body.forEachStatement { statement in
      for (name, range) in statement.boundNames where new[name] != nil {
        found.append((name, range))
      }
      for expression in statement.childExpressions {
        expression.visitEach { inner in
          if case .named(let target, _) = inner.kind, let name = target.bareName, new[name] != nil {
            found.append((name, target.range))
          }
        }
      }
    }
    for (name, range) in found {
      problem(
        new[name]?.allNames ?? [], "parameter-reassigned",
        "'\(name)' is assigned in the kernel; a compile-time constant cannot be", range)
    }
  }

  // MARK: Statements

  private mutating func visit(_ body: [Stmt]) {
    for statement in body { visit(statement) }
  }

  private mutating func visit(_ statement: Stmt) {
    switch statement.kind {
    case .assign(let targets, let value):
      let fact = visit(value)
      for target in targets { assign(fact, to: target) }
    case .augAssign(let target, let op, let value):
      let result = combine(
        visit(target), op, visit(value), at: SourceRange(target.range.lower, value.range.upper))
      assign(result, to: target)
    case .annAssign(let target, let annotation, let value?, _):
      let fact = visit(value)
      if names.isConstexpr(annotation), let name = target.bareName {
        if fact.anyNew {
          problem(
            fact.allNames, "constexpr-from-argument",
            "'\(name)' is declared tl.constexpr from a run-time value here", value.range)
        }
        var constant = fact
        constant.isConstant = true
        locals[name] = constant
      } else {
        assign(fact, to: target)
      }
    case .for(let loop): visit(loop)
    case .while(let test, let body, let orElse):
      // Two rounds: what the body assigns reaches the test and the body again.
      let rounds = loopDepth == 0 ? 2 : 1
      loopDepth += 1
      defer { loopDepth -= 1 }
      for _ in 0..<rounds {
        let fact = visit(test)
        if fact.isNew {
          problem(
            fact.names, "constant-loop-condition",
            "the condition of 'while' would be known at compile time, which Triton refuses",
            test.range)
        }
        visit(body)
      }
      visit(orElse)
    case .if(let test, let body, let orElse):
      _ = visit(test)
      let before = locals
      visit(body)
      let afterBody = locals
      locals = before
      visit(orElse)
      merge(afterBody)
    case .return(let value?): _ = visit(value)
    case .expression(let value): _ = visit(value)
    case .assert(let test, let message):
      _ = visit(test)
      if let message { _ = visit(message) }
    case .pass, .break, .continue, .import, .importFrom, .global, .nonlocal, .return(nil),
      .annAssign(_, _, nil, _):
      break
    default:
      var mentioned: Set<String> = []
      [statement].forEachExpression { expression in
        if let name = expression.bareName, let fact = locals[name], fact.anyNew {
          mentioned.formUnion(fact.allNames)
        }
      }
      if !mentioned.isEmpty {
        problem(
          mentioned, "statement-not-followed",
          "this statement uses \(quoted(mentioned)) in a way that is not followed", statement.range)
      }
    }
  }

  private mutating func visit(_ loop: ForStmt) {
    var isStatic = false
    var range: [Interval?] = Array(repeating: nil, count: environmentCount)
    if case .call(let callee, let arguments, let keywords) = loop.iterable.kind {
      isStatic = names.member(of: callee) == "static_range"
      let facts = arguments.map { visit($0) }
      for keyword in keywords { _ = visit(keyword.value) }
      let step = facts.count > 2 ? facts[2] : nil
      if let step, step.isNew, !step.values.allSatisfy({ ($0?.lower ?? 0) >= 1 }) {
        problem(
          step.names, "step-not-positive",
          "the loop's step would be known at compile time and may be below 1", arguments[2].range)
      }
      let last = facts.count > 1 ? facts[1] : facts.first
      for index in 0..<environmentCount {
        let first = facts.count > 1 ? facts[0].values[safe: index] : Interval(0)
        guard let first, let end = last?.values[safe: index] else { continue }
        range[index] = Interval(first.lower, Swift.max(first.lower, end.upper))
      }
    } else {
      _ = visit(loop.iterable)
    }
    let rounds = loopDepth == 0 ? 2 : 1
    loopDepth += 1
    defer { loopDepth -= 1 }
    for _ in 0..<rounds {
      if let name = loop.target.bareName {
        locals[name] = Fact(isConstant: isStatic, values: range)
        if unrolled.contains(name) {
          locals[name] = Fact(
            isConstant: true, names: [name],
            values: Array(repeating: unrolledValues, count: environmentCount))
        }
      }
      let before = locals
      visit(loop.body)
      merge(before)
    }
    visit(loop.orElse)
  }

  /// Joins what two paths know of the local names.
  private mutating func merge(_ other: [String: Fact]) {
    for (name, fact) in other {
      guard let here = locals[name] else {
        locals[name] = fact
        continue
      }
      if here.isConstant != fact.isConstant { locals[name] = .runtime }
      if here.mayAdapt || fact.mayAdapt { locals[name]?.mayAdapt = true }
      if here.folds || fact.folds { locals[name]?.folds = true }
    }
  }

  private mutating func assign(_ fact: Fact, to target: Expr) {
    switch target.kind {
    case .name(let name):
      // `_sanitize_value` of Triton turns every constant but dtypes and functions into a tensor.
      var assigned = Fact.runtime
      assigned.mayAdapt = fact.mayAdapt
      assigned.folds = fact.isNew || fact.folds
      if assigned.folds { assigned.values = fact.values }
      assigned.elements = fact.elements.map { element in
        var tensor = Fact.runtime
        tensor.mayAdapt = element.mayAdapt
        tensor.folds = element.isNew || element.folds
        if tensor.folds { tensor.values = element.values }
        return tensor
      }
      locals[name] = assigned
    case .tuple(let targets), .list(let targets):
      for (index, inner) in targets.enumerated() {
        var part = index < fact.elements.count ? fact.elements[index] : fact
        part.elements = []
        assign(part, to: inner)
      }
    case .starred(let inner): assign(fact, to: inner)
    default: break
    }
  }
}

extension Array {
  /// The element at an index, or nil outside.
  subscript<Wrapped>(safe index: Int) -> Wrapped? where Element == Wrapped? {
    indices.contains(index) ? self[index] : nil
  }
}
