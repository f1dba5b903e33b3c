import Diagnostics
import PythonSyntax
import TritonLowering

/// Drops `.to(T)` from a value that has the type T whatever the kernel is called with.
///
/// Before: `acc = tl.zeros((M, N), dtype=tl.float32).to(tl.float32)`
/// After: `acc = tl.zeros((M, N), dtype=tl.float32)`
///
/// Triton makes no code for such a cast, so this is for readers; no gain may be claimed.
///
/// Requires: the type follows from the text: another cast, `tl.zeros`, `tl.full`, `tl.arange`,
/// `tl.program_id`, `tl.num_programs`, or a name assigned one of them once.
/// Refuses when: the type follows from the arguments (a load's cast is needed for other tensors), or
/// the cast says more than a type (`bitcast=`, `fp_downcast_rounding=`).
/// Numerics: bit-exact.
public struct DropRedundantCast: Rewrite {
  public let id = "drop-redundant-cast"
  public let summary = "Drops casts to the type a value has."
  public let mayGain = false

  public init() {}

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    let names = LanguageNames(subject.module)
    let source = subject.module.source
    return subject.triton.functions.flatMap { function in
      redundant(in: function, names).map { call, base, type in
        RewriteSite(
          rewrite: id, kernel: function.name, range: call.range, names: [],
          what: "drop the cast to \(type)",
          why:
            "'\(source.text(in: base.range))' is \(type) already; Triton makes no code for the cast"
        )
      }
    }
  }

  private func redundant(in function: JITFunction, _ names: LanguageNames) -> [(
    call: Expr, base: Expr, type: String
  )] {
    guard NestingLimit.holds(for: function.definition) else { return [] }
    let types = TextualTypes(of: function, names: names)
    var found: [(Expr, Expr, String)] = []
    function.definition.body.forEachExpression { expression in
      guard let (base, type) = types.cast(expression), types.type(of: base) == type else { return }
      found.append((expression, base, type))
    }
    return found
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let names = LanguageNames(subject.module)
    guard let function = subject.triton.function(named: site.kernel),
      let match = redundant(in: function, names).first(where: { $0.call.range == site.range })
    else {
      throw Diagnostic(
        id: "no-such-site", "no cast stands here that changes nothing",
        source: subject.module.source, range: site.range)
    }
    var editor = SourceEditor(subject.module)
    // From the dot on, so that parentheses around the value stay.
    guard case .call(let callee, _, _) = match.call.kind,
      case .attribute(_, _, let name) = callee.kind,
      let dot = subject.module.tokens.lastIndex(where: {
        $0.range.upper <= name.lower && subject.module.source.text(in: $0.range) == "."
      })
    else {
      throw Diagnostic(
        id: "no-such-site", "this cast is not written as a method", source: subject.module.source,
        range: site.range)
    }
    editor.delete(SourceRange(subject.module.tokens[dot].range.lower, match.call.range.upper))
    return Rewritten(source: try editor.rewritten(), site: site, numerics: .bitExact)
  }
}

/// Element types that follow from the text of a kernel alone.
struct TextualTypes {
  private let names: LanguageNames
  private let definitions: [String: Expr]

  init(of function: JITFunction, names: LanguageNames) {
    self.names = names
    definitions = SingleAssignments(of: function).values
  }

  /// The operand and type of `x.to(tl.float32)`, if it says no more.
  func cast(_ expression: Expr) -> (base: Expr, type: String)? {
    guard case .call(let callee, let arguments, let keywords) = expression.kind,
      case .attribute(let base, "to", _) = callee.kind, names.tritonPath(of: callee) == nil,
      arguments.count == 1, keywords.isEmpty, let type = element(arguments[0])
    else { return nil }
    return (base, type)
  }

  private func element(_ expression: Expr) -> String? {
    guard let member = names.member(of: expression), !member.contains(".") else { return nil }
    return ["int", "uint", "float", "bfloat"].contains(where: member.hasPrefix) ? member : nil
  }

  func type(of expression: Expr, depth: Int = 0) -> String? {
    guard depth < 16 else { return nil }
    if let (_, type) = cast(expression) { return type }
    switch expression.kind {
    case .name(let name): return definitions[name].flatMap { type(of: $0, depth: depth + 1) }
    case .subscripted(let base, _): return type(of: base, depth: depth + 1)
    case .call(let callee, let arguments, let keywords):
      func argument(_ name: String, _ position: Int) -> Expr? {
        keywords.first { $0.name == name }?.value
          ?? (position < arguments.count ? arguments[position] : nil)
      }
      switch names.member(of: callee) {
      case "zeros": return argument("dtype", 1).flatMap(element)
      case "full": return argument("dtype", 2).flatMap(element)
      case "arange", "program_id", "num_programs": return "int32"
      default: return nil
      }
    default: return nil
    }
  }
}

/// The names a function assigns exactly once, plainly, and what it assigns.
struct SingleAssignments {
  let values: [String: Expr]

  init(of function: JITFunction) {
    var counts: [String: Int] = [:]
    for parameter in function.parameters { counts[parameter.name] = 1 }
    var values: [String: Expr] = [:]
    function.definition.body.forEachStatement { statement in
      for (name, _) in statement.boundNames { counts[name, default: 0] += 1 }
      if case .assign(let targets, let value) = statement.kind, targets.count == 1,
        let name = targets[0].bareName
      {
        values[name] = value
      }
    }
    function.definition.body.forEachExpression { expression in
      if case .named(let target, _) = expression.kind, let name = target.bareName {
        counts[name, default: 0] += 2
      }
    }
    self.values = values.filter { counts[$0.key] == 1 }
  }
}
