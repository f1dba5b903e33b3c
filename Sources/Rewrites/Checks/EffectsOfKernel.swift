import Diagnostics
import PythonSyntax
import TritonLowering

/// Which parameters of a kernel are read, written and updated atomically through their pointers.
///
/// Found by syntax, through assignments and calls of other `@triton.jit` functions: pointers flow
/// through sums, shape operations, block pointers, descriptors and returns, never through products
/// or loads. The sets are upper bounds; integer parameters that take part in address sums may be
/// among them. What cannot be followed is listed in ``unknown``.
public struct EffectsOfKernel: Sendable {
  public private(set) var reads: Set<String> = []
  public private(set) var writes: Set<String> = []
  public private(set) var atomics: Set<String> = []
  /// Memory accesses whose target is not known; the sets above are complete only if this is empty.
  public private(set) var unknown: [Diagnostic] = []
  /// Parameters whose pointer the function may return.
  private(set) var returned: Set<String> = []

  /// Everything the kernel changes.
  public var modified: Set<String> { writes.union(atomics) }

  public init(of kernel: String, in triton: TritonModule) {
    self.init(
      of: kernel, in: triton, names: LanguageNames(triton.tree), depth: 0, known: KnownEffects())
  }

  init(
    reads: Set<String> = [], writes: Set<String> = [], atomics: Set<String> = [],
    unknown: [Diagnostic] = []
  ) {
    self.reads = reads
    self.writes = writes
    self.atomics = atomics
    self.unknown = unknown
  }

  /// The deepest chain of calls between `@triton.jit` functions that is followed.
  private static let callLimit = 16

  init(
    of kernel: String, in triton: TritonModule, names: LanguageNames, depth: Int,
    known: KnownEffects
  ) {
    guard let function = triton.function(named: kernel) else { return }
    guard depth < Self.callLimit, NestingLimit.holds(for: function.definition) else {
      unknown.append(
        Diagnostic(
          id: "effects-not-followed", "function '\(kernel)' is nested too deeply to follow",
          source: triton.tree.source, range: function.definition.nameRange))
      return
    }
    let walk = PointerWalk(function, triton, names, depth: depth, known: known)
    walk.run()
    (reads, writes, atomics) = (walk.reads, walk.writes, walk.atomics)
    (unknown, returned) = (walk.unknown, walk.returned)
  }
}

/// The effects of functions followed so far, each followed once.
final class KnownEffects {
  var byName: [String: EffectsOfKernel] = [:]
}

/// Follows pointers through one function.
final class PointerWalk {
  let function: JITFunction
  let triton: TritonModule
  let names: LanguageNames
  let depth: Int
  let parameters: Set<String>
  var reads: Set<String> = []
  var writes: Set<String> = []
  var atomics: Set<String> = []
  var returned: Set<String> = []
  var unknown: [Diagnostic] = []
  /// The parameters each local name may point into.
  private var locals: [String: Set<String>] = [:]
  private let known: KnownEffects

  /// Stands for a pointer made from an integer or loaded from memory.
  static let anywhere = "?"

  init(
    _ function: JITFunction, _ triton: TritonModule, _ names: LanguageNames, depth: Int,
    known: KnownEffects = KnownEffects()
  ) {
    self.known = known
    self.function = function
    self.triton = triton
    self.names = names
    self.depth = depth
    parameters = Set(function.parameters.filter { !$0.isConstexpr }.map(\.name))
  }

  func run() {
    // Assignments first, until nothing new is found: at most one round for each name.
    var count = -1
    while count != locals.values.reduce(0, { $0 + $1.count }) {
      count = locals.values.reduce(0) { $0 + $1.count }
      function.definition.body.forEachStatement(bind)
    }
    function.definition.body.forEachStatement { statement in
      if case .return(let value?) = statement.kind { returned.formUnion(roots(of: value)) }
    }
    function.definition.body.forEachExpression { expression in
      if case .call(let callee, let arguments, let keywords) = expression.kind {
        access(expression, callee, arguments, keywords)
      }
    }
  }

  private func bind(_ statement: Stmt) {
    switch statement.kind {
    case .assign(let targets, let value):
      for target in targets { bind(target, value) }
    case .annAssign(let target, _, let value?, _): bind(target, value)
    case .augAssign(let target, let op, let value) where op == .add || op == .sub:
      bind(target, value)
    case .for(let loop): bind(loop.target, loop.iterable)
    default: break
    }
  }

  private func bind(_ target: Expr, _ value: Expr) {
    switch (target.kind, value.kind) {
    case (.tuple(let targets), .tuple(let values)) where targets.count == values.count:
      for (inner, part) in zip(targets, values) { bind(inner, part) }
    default:
      let found = roots(of: value)
      for (name, _) in target.targetNames { locals[name, default: []].formUnion(found) }
    }
  }

  /// The parameters an expression may point into.
  func roots(of expression: Expr) -> Set<String> {
    switch expression.kind {
    case .name(let name):
      return (locals[name] ?? []).union(parameters.contains(name) ? [name] : [])
    case .binary(let left, let op, let right):
      return op == .add || op == .sub ? roots(of: left).union(roots(of: right)) : []
    case .conditional(_, let body, let orElse): return roots(of: body).union(roots(of: orElse))
    case .tuple(let parts), .list(let parts), .boolOp(_, let parts):
      return parts.reduce(into: []) { $0.formUnion(roots(of: $1)) }
    case .subscripted(let base, _), .attribute(let base, _, _), .starred(let base),
      .named(_, let base):
      return roots(of: base)
    case .call(let callee, let arguments, let keywords):
      return roots(ofCall: callee, arguments, keywords)
    default: return []
    }
  }

  private static let valueMembers: Set<String> = [
    "load", "arange", "program_id", "num_programs", "zeros", "full", "dot", "sum", "max", "min",
    "cdiv", "range", "static_range", "exp", "log", "sqrt", "rand", "randn", "histogram",
  ]

  private func roots(ofCall callee: Expr, _ arguments: [Expr], _ keywords: [Keyword]) -> Set<String>
  {
    let values = arguments + keywords.map(\.value)
    if values.contains(where: mentionsPointerType) { return [Self.anywhere] }
    func all() -> Set<String> { values.reduce(into: []) { $0.formUnion(roots(of: $1)) } }
    if let member = names.member(of: callee) {
      if Self.valueMembers.contains(member) || member.hasPrefix("math.")
        || member.hasPrefix("atomic")
      {
        return []
      }
      return all()
    }
    if let name = callee.bareName, triton.function(named: name) != nil {
      return mapped(effects(of: name).returned, name, arguments, keywords)
    }
    if case .attribute(let base, let method, _) = callee.kind, names.tritonPath(of: callee) == nil {
      if method == "load" || method.hasPrefix("atomic") { return [] }
      return all().union(roots(of: base))
    }
    return all()
  }

  private func mentionsPointerType(_ expression: Expr) -> Bool {
    var found = false
    expression.visitEach { if names.member(of: $0) == "pointer_type" { found = true } }
    return found
  }

  private func effects(of name: String) -> EffectsOfKernel {
    if let found = known.byName[name] { return found }
    // Stands for the function while it is followed: a recursive call is not.
    known.byName[name] = EffectsOfKernel(unknown: [
      Diagnostic(
        id: "effects-not-followed", "function '\(name)' calls itself", source: triton.tree.source,
        range: triton.function(named: name)?.definition.nameRange)
    ])
    let found = EffectsOfKernel(
      of: name, in: triton, names: names, depth: depth + 1, known: known)
    known.byName[name] = found
    return found
  }

  /// The callee's parameters `wanted`, as roots of the caller.
  private func mapped(
    _ wanted: Set<String>, _ callee: String, _ arguments: [Expr], _ keywords: [Keyword]
  ) -> Set<String> {
    guard let function = triton.function(named: callee), !wanted.isEmpty else { return [] }
    var found: Set<String> = wanted.contains(Self.anywhere) ? [Self.anywhere] : []
    let starred = arguments.contains { if case .starred = $0.kind { true } else { false } }
    for (index, parameter) in function.parameters.enumerated() where wanted.contains(parameter.name)
    {
      if let keyword = keywords.first(where: { $0.name == parameter.name }) {
        found.formUnion(roots(of: keyword.value))
      } else if starred || keywords.contains(where: { $0.name == nil }) {
        for value in arguments + keywords.map(\.value) { found.formUnion(roots(of: value)) }
      } else if index < arguments.count {
        found.formUnion(roots(of: arguments[index]))
      }
    }
    return found
  }

  private func note(
    _ found: Set<String>, _ set: ReferenceWritableKeyPath<PointerWalk, Set<String>>,
    _ range: SourceRange
  ) {
    if found.isEmpty || found.contains(Self.anywhere) { noteUnknown(range) }
    self[keyPath: set].formUnion(found.subtracting([Self.anywhere]))
  }

  private func noteUnknown(_ range: SourceRange) {
    unknown.append(
      Diagnostic(
        id: "effects-not-followed", "what this call accesses is not known",
        source: triton.tree.source, range: range))
  }

  private func access(
    _ call: Expr, _ callee: Expr, _ arguments: [Expr], _ keywords: [Keyword]
  ) {
    func pointer(_ names: String...) -> Set<String> {
      if let first = arguments.first { return roots(of: first) }
      return keywords.first { $0.name.map(names.contains) ?? false }.map { roots(of: $0.value) }
        ?? []
    }
    if let member = names.member(of: callee) {
      switch member {
      case "load": note(pointer("pointer"), \.reads, call.range)
      case "store": note(pointer("pointer"), \.writes, call.range)
      case "load_tensor_descriptor", "_experimental_descriptor_load":
        note(pointer("desc", "desc_ptr"), \.reads, call.range)
      case "store_tensor_descriptor", "_experimental_descriptor_store":
        note(pointer("desc", "desc_ptr"), \.writes, call.range)
      case _ where member.hasPrefix("atomic_"): note(pointer("pointer"), \.atomics, call.range)
      case "inline_asm_elementwise":
        if arguments.contains(where: { !roots(of: $0).isEmpty }) { noteUnknown(call.range) }
      default: break
      }
      return
    }
    if let name = callee.bareName, triton.function(named: name) != nil {
      let inner = effects(of: name)
      reads.formUnion(mapped(inner.reads, name, arguments, keywords))
      writes.formUnion(mapped(inner.writes, name, arguments, keywords))
      atomics.formUnion(mapped(inner.atomics, name, arguments, keywords))
      if !inner.unknown.isEmpty { noteUnknown(call.range) }
      return
    }
    if case .attribute(let base, let method, _) = callee.kind {
      if names.tritonPath(of: callee) != nil { return }
      switch method {
      case "load": note(roots(of: base), \.reads, call.range)
      case "gather" where !roots(of: base).isEmpty: note(roots(of: base), \.reads, call.range)
      case "store", "scatter": note(roots(of: base), \.writes, call.range)
      case _ where method.hasPrefix("atomic_"): note(roots(of: base), \.atomics, call.range)
      default: break
      }
      return
    }
    if let name = callee.bareName,
      ["range", "min", "max", "len", "print", "int", "float", "isinstance"].contains(name)
    {
      return
    }
    let handed = (arguments + keywords.map(\.value)).reduce(into: Set<String>()) {
      $0.formUnion(roots(of: $1))
    }
    if !handed.isEmpty { noteUnknown(call.range) }
  }
}
