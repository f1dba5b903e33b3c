import Diagnostics
import PythonSyntax
import TritonLowering

/// Turns `tl.static_range`, which unrolls, into `range`, which can be pipelined, and back.
///
/// Before: `for k in tl.static_range(0, K, BLOCK_K):`
/// After: `for k in range(0, K, BLOCK_K):`
///
/// Neither form is better as such: unrolling makes indices constants, a loop gives `num_stages`
/// something to do. Only a model that counts instructions, or a measurement, tells.
///
/// Requires: for `range`, that the body never needs the loop variable at compile time, and that no
/// name changes its type in the loop; for `static_range`, compile-time bounds and few iterations.
/// Refuses when: a name bound in the loop is read after it (only unrolling keeps it), the loop has
/// options, or the loop variable gets a method or a hint.
/// Numerics: bit-exact.
public struct ConvertLoopForm: Rewrite {
  public let id = "convert-loop-form"
  public let summary = "Turns unrolled loops into pipelined ones and back."
  public let effects = EffectChange.copies
  /// The most iterations a loop is unrolled for: code size grows with each.
  public static let unrollLimit = 16

  public init() {}

  private struct Match {
    let loop: ForStmt
    let callee: Expr
    let isStatic: Bool
  }

  private func matches(in function: JITFunction, _ names: LanguageNames) -> [Match] {
    var found: [Match] = []
    function.definition.body.forEachStatement { statement in
      guard case .for(let loop) = statement.kind,
        case .call(let callee, _, let keywords) = loop.iterable.kind, keywords.isEmpty
      else { return }
      let member = names.member(of: callee)
      if member == "static_range" {
        found.append(Match(loop: loop, callee: callee, isStatic: true))
      } else if member == "range" || callee.bareName == "range" {
        found.append(Match(loop: loop, callee: callee, isStatic: false))
      }
    }
    return found
  }

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    let names = LanguageNames(subject.module)
    return subject.triton.functions.flatMap { function -> [RewriteSite] in
      guard NestingLimit.holds(for: function.definition) else { return [] }
      return matches(in: function, names).compactMap { match in
        guard (try? require(match, in: function, names, subject)) != nil else { return nil }
        let source = subject.module.source
        let line = source.line(at: match.callee.range.lower)
        return RewriteSite(
          rewrite: id, kernel: function.name, range: match.callee.range,
          names: match.loop.target.targetNames.map(\.name),
          what: match.isStatic
            ? "make the loop on line \(line) a loop again" : "unroll the loop on line \(line)",
          why: match.isStatic
            ? "'\(source.text(in: match.callee.range))' unrolls, so num_stages has no loop to pipeline; "
              + "constants of the unrolled code become arithmetic"
            : "unrolled, the loop variable is a constant and its arithmetic folds away")
      }
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let source = subject.module.source
    let names = LanguageNames(subject.module)
    guard let function = subject.triton.function(named: site.kernel),
      let match = matches(in: function, names).first(where: { $0.callee.range == site.range })
    else {
      throw Diagnostic(
        id: "no-such-site", "no loop stands here that could change its form", source: source,
        range: site.range)
    }
    try require(match, in: function, names, subject)
    var editor = SourceEditor(subject.module)
    if match.isStatic {
      editor.replace(match.callee.range, with: "range")
    } else {
      guard let spelling = names.spelling(ofLanguage: "static_range") else {
        throw Diagnostic(
          id: "no-triton-name", "the module does not import triton.language", source: source,
          range: match.callee.range)
      }
      editor.replace(match.callee.range, with: spelling)
    }
    return Rewritten(source: try editor.rewritten(), site: site, numerics: .bitExact)
  }

  private func require(
    _ match: Match, in function: JITFunction, _ names: LanguageNames, _ subject: RewriteSubject
  ) throws(Diagnostic) {
    let source = subject.module.source
    func refuse(_ id: String, _ message: String, _ range: SourceRange) -> Diagnostic {
      Diagnostic(id: id, message, source: source, range: range)
    }
    guard let variable = match.loop.target.bareName, match.loop.orElse.isEmpty else {
      throw refuse("loop-not-plain", "this loop has no plain variable", match.loop.target.range)
    }
    if match.isStatic {
      try RuntimeIndexCheck(
        loop: match.loop, variable: variable, function: function, names: names, subject: subject
      ).require()
      return
    }
    guard case .call(_, let arguments, _) = match.loop.iterable.kind else { return }
    let constants = Set(function.parameters.filter(\.isConstexpr).map(\.name))
    let assigned = Set(function.assignedNames)
    for argument in arguments {
      if let name = argument.names.sorted().first(where: {
        !constants.contains($0) || assigned.contains($0)
      }) {
        throw refuse(
          "bound-not-constant", "'\(name)' is not known at compile time", argument.range)
      }
    }
    let bounds = LoopBounds(of: function, names: names, run: subject.run)
    guard let trips = bounds.trips(of: match.loop), trips.upper <= Self.unrollLimit,
      let indices = bounds.indices(of: match.loop)
    else {
      throw refuse(
        "too-many-iterations",
        "the loop may run more than \(Self.unrollLimit) times, or how often is not known",
        match.loop.iterable.range)
    }
    // The loop variable turns into a constant inside the body.
    let environments = LaunchEnvironments(of: function.name, in: subject.run)
    var flow = ConstantFlow(
      triton: subject.triton, names: names, environmentCount: environments.count,
      hasAdaptingTypes: true, loadsMayAdapt: false, mayReorder: false)
    var facts: [String: ConstantFlow.Fact] = [:]
    for parameter in function.parameters {
      facts[parameter.name] =
        parameter.isConstexpr
        ? ConstantFlow.Fact(isConstant: true, values: environments.values(of: parameter.name))
        : .runtime
    }
    flow.unrolled = [variable]
    flow.unrolledValues = indices
    flow.analyse(function, parameters: facts)
    if let problem = flow.problems.first { throw problem.diagnostic }
  }
}

extension JITFunction {
  /// Every name the body binds.
  var assignedNames: [String] {
    var found: [String] = []
    definition.body.forEachStatement { statement in
      found += statement.boundNames.map(\.name)
    }
    return found
  }
}

/// Whether an unrolled loop may become a loop: its variable is then known at run time only.
struct RuntimeIndexCheck {
  let loop: ForStmt
  let variable: String
  let function: JITFunction
  let names: LanguageNames
  let subject: RewriteSubject

  private var source: SourceText { subject.module.source }

  private func refuse(_ id: String, _ message: String, _ range: SourceRange) -> Diagnostic {
    Diagnostic(id: id, message, source: source, range: range)
  }

  func require() throws(Diagnostic) {
    var bound: [(name: String, range: SourceRange)] = []
    var unsafe: Diagnostic?
    loop.body.forEachStatement { statement in
      bound += statement.boundNames
      switch statement.kind {
      case .annAssign(_, let annotation, _, _) where names.isConstexpr(annotation):
        unsafe =
          unsafe
          ?? refuse(
            "constant-in-loop", "a tl.constexpr is bound in the loop, which only unrolling allows",
            statement.range)
      case .return, .break, .continue:
        unsafe =
          unsafe
          ?? refuse("loop-not-plain", "the loop is left from inside", statement.range)
      default: break
      }
    }
    if let unsafe { throw unsafe }
    if let (_, range) = bound.first(where: { $0.name == variable }) {
      throw refuse("loop-variable-assigned", "the loop variable is assigned in the loop", range)
    }
    // Assignment makes a tensor of the loop variable already, so only its own uses matter.
    try requireRuntimeUses([variable])
    try requireLocal(bound)
  }

  private static let compileTimeMembers: Set<String> = [
    "arange", "zeros", "full", "static_range", "reshape", "view", "broadcast_to", "permute",
    "trans",
    "expand_dims", "sum", "max", "min", "argmax", "argmin", "program_id", "num_programs",
    "constexpr",
    "static_assert", "static_print", "split", "join", "cumsum", "reduce", "associative_scan",
  ]

  private func requireRuntimeUses(_ tainted: Set<String>) throws(Diagnostic) {
    var problem: Diagnostic?
    func found(_ expression: Expr, _ message: String) {
      problem = problem ?? refuse("needed-at-compile-time", message, expression.range)
    }
    func mentions(_ expression: Expr) -> Bool { directlyMentions(expression, tainted) }
    loop.body.forEachStatement { statement in
      switch statement.kind {
      case .if(let test, _, _), .while(let test, _, _):
        if mentions(test) { found(test, "this condition chooses at compile time") }
      default: break
      }
    }
    loop.body.forEachExpression { expression in
      switch expression.kind {
      case .conditional(let test, _, _):
        if mentions(test) { found(test, "this condition chooses at compile time") }
      case .boolOp(_, let values):
        if values.contains(where: mentions) {
          found(expression, "'and' and 'or' decide at compile time here")
        }
      case .subscripted(_, let index):
        if mentions(index) { found(index, "an index into a tuple is needed at compile time") }
      case .binary(let left, let op, let right) where [.floorDiv, .mod, .div, .pow].contains(op):
        if mentions(left), !mentions(right), op == .floorDiv || op == .mod { return }
        if mentions(left) || mentions(right) {
          found(expression, "'\(op.rawValue)' means something else at run time")
        }
      case .call(let callee, let arguments, let keywords):
        let values = arguments + keywords.map(\.value)
        guard values.contains(where: mentions) else { return }
        if let member = names.member(of: callee) {
          if Self.compileTimeMembers.contains(member) {
            found(expression, "'\(member)' needs the loop variable at compile time")
          }
        } else if callee.bareName == "range" || callee.bareName == "min"
          || callee.bareName == "max"
        {
          return
        } else {
          found(expression, "this call may need the loop variable at compile time")
        }
      default: break
      }
    }
    if let problem { throw problem }
  }

  /// Whether a name occurs outside of calls, whose results are tensors.
  private func directlyMentions(_ expression: Expr, _ wanted: Set<String>) -> Bool {
    var stack = [expression]
    while let next = stack.popLast() {
      if let name = next.bareName, wanted.contains(name) { return true }
      if case .call = next.kind, next !== expression { continue }
      stack.append(contentsOf: next.children)
    }
    return false
  }

  /// Names bound in the loop must be bound before it too, with one type, or stay inside.
  private func requireLocal(_ bound: [(name: String, range: SourceRange)]) throws(Diagnostic) {
    var before: Set<String> = Set(function.parameters.map(\.name))
    var readAfter: Set<String> = []
    let end = loop.body.last?.range.upper ?? loop.iterable.range.upper
    function.definition.body.forEachStatement { statement in
      if statement.range.lower < loop.target.range.lower {
        before.formUnion(statement.boundNames.map(\.name))
      }
      if statement.range.lower >= end {
        for expression in statement.childExpressions { readAfter.formUnion(expression.names) }
      }
    }
    for (name, range) in bound where !before.contains(name) && readAfter.contains(name) {
      throw refuse(
        "read-after-loop", "'\(name)' is bound in the loop and read after it", range)
    }
    if readAfter.contains(variable) {
      throw refuse(
        "read-after-loop", "the loop variable is read after the loop", loop.target.range)
    }
    // A carried value must keep its type; plain numbers often start one that ends as a tile.
    var initial: [String: Expr] = [:]
    function.definition.body.forEachStatement { statement in
      if statement.range.lower < loop.target.range.lower,
        case .assign(let targets, let value) = statement.kind, targets.count == 1,
        let name = targets[0].bareName
      {
        initial[name] = value
      }
    }
    for (name, range) in bound {
      if let value = initial[name], value.literalConstant != nil {
        throw refuse(
          "type-changes-in-loop", "'\(name)' starts as a plain number and may change its type here",
          range)
      }
    }
  }
}
