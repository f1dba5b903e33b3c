import Diagnostics
import PythonSyntax
import TritonLowering

/// Takes an index apart with one division for each axis instead of up to two.
///
/// Before:
/// ```python
/// n = i // (C * W)
/// c = (i // W) % C
/// w = i % W
/// ```
/// After:
/// ```python
/// n = i // W // C
/// c = i // W % C
/// w = i % W
/// ```
/// The compiler merges equal quotients and takes a remainder from the quotient of the same operands
/// (seen in the code Triton 3.6 makes for sm_89), so writing `a - q * b` gains nothing; it does not
/// see that `i // (C * W)` is `i // W // C`, which this rewrite writes out.
///
/// Requires: divisors that are products of parameters and constants; a dividend assigned once.
/// Refuses when: the divisions do not get fewer, or a product of divisors leaves int32 at a launch.
/// Numerics: bit-exact (Triton's integer division truncates, for which both forms are equal).
public struct StrengthReduceDivision: Rewrite {
  public let id = "strength-reduce-division"
  public let summary = "Takes indices apart with fewer divisions."

  public init() {}

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    subject.triton.functions.compactMap { function in
      guard let chains = DivisionChains(of: function),
        let (_, changed) = try? edits(chains, subject), let first = changed.first
      else { return nil }
      let source = subject.module.source
      let lines = changed.prefix(6).map { String(source.line(at: $0.expression.range.lower)) }
      return RewriteSite(
        rewrite: id, kernel: function.name, range: first.expression.range,
        names: Array(Set(changed.map(\.digit.root))).sorted(),
        what:
          "share quotients on line\(lines.count == 1 ? "" : "s") \(lines.joined(separator: ", "))",
        why:
          "'\(source.text(in: first.expression.range))' divides again what other lines divide already"
      )
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let source = subject.module.source
    guard let function = subject.triton.function(named: site.kernel) else {
      throw Diagnostic(
        id: "no-such-kernel", "there is no kernel '\(site.kernel)'", source: source)
    }
    guard let chains = DivisionChains(of: function) else {
      throw Diagnostic(
        id: "nesting-too-deep", "function '\(function.name)' is nested too deeply to follow",
        source: source, range: function.definition.nameRange)
    }
    let (editor, changed) = try edits(chains, subject)
    guard !changed.isEmpty else {
      throw Diagnostic(
        id: "no-fewer-divisions",
        "the divisions of '\(function.name)' share their quotients already",
        source: source, range: function.definition.nameRange)
    }
    return Rewritten(source: try editor.rewritten(), site: site, numerics: .bitExact)
  }

  /// The edits, if they leave fewer divisions.
  private func edits(_ chains: DivisionChains, _ subject: RewriteSubject) throws(Diagnostic) -> (
    SourceEditor, [DivisionChains.Occurrence]
  ) {
    var editor = SourceEditor(subject.module)
    var changed: [DivisionChains.Occurrence] = []
    let places = chains.places()
    for occurrence in chains.occurrences {
      guard let chain = places[occurrence.digit.root], chain.count > 1,
        let form = chains.form(of: occurrence.digit, places: chain),
        form.key != chains.key(occurrence.expression)
      else { continue }
      editor.replace(occurrence.expression.range, with: form.text)
      changed.append(occurrence)
    }
    guard !changed.isEmpty else { return (editor, []) }
    deleteUnused(chains.function, changed.map(\.expression.range), &editor)
    let rewritten = PythonParser.parse(try editor.rewritten())
    guard !rewritten.hasErrors,
      let function = TritonModule(rewritten).function(named: chains.function.name),
      let after = DivisionChains(of: function), after.cost < chains.cost
    else { return (editor, []) }
    try requireInt32(places, chains.function, subject)
    return (editor, changed)
  }

  /// Deletes quotients and remainders with a name that only rewritten expressions read.
  private func deleteUnused(
    _ function: JITFunction, _ rewritten: [SourceRange], _ editor: inout SourceEditor
  ) {
    var read: Set<String> = []
    var replaced: Set<String> = []
    var assigned: [String: [Stmt]] = [:]
    func isRewritten(_ range: SourceRange) -> Bool {
      rewritten.contains { $0.lower <= range.lower && range.upper <= $0.upper }
    }
    function.definition.body.forEachStatement { statement in
      var targets: Set<Int> = []
      if case .assign(let names, _) = statement.kind, names.count == 1, let name = names[0].bareName
      {
        assigned[name, default: []].append(statement)
        targets.insert(names[0].range.lower)
      }
      for expression in statement.childExpressions {
        expression.visitEach { inner in
          guard let name = inner.bareName, !targets.contains(inner.range.lower) else { return }
          if isRewritten(inner.range) { replaced.insert(name) } else { read.insert(name) }
        }
      }
    }
    for (name, statements) in assigned where statements.count == 1 {
      guard replaced.contains(name), !read.contains(name),
        case .assign(_, let value) = statements[0].kind, !isRewritten(value.range),
        case .binary(_, let op, _) = value.kind, op == .floorDiv || op == .mod
      else { continue }
      try? editor.deleteStatement(statements[0])
    }
  }

  /// A product of divisors that wraps around means something else than its factors one by one.
  private func requireInt32(
    _ places: [String: [Monomial]], _ function: JITFunction, _ subject: RewriteSubject
  ) throws(Diagnostic) {
    for environment in LaunchEnvironments(of: function.name, in: subject.run).all {
      for place in places.values.joined() {
        var product: Interval? = Interval(place.coefficient)
        for (name, power) in place.powers {
          for _ in 0..<power {
            guard let value = environment[name] else { continue }
            product = product.flatMap { Interval.apply(.mul, $0, value) }
          }
        }
        guard let product, product.fitsInt32, product.lower >= 1 else {
          throw Diagnostic(
            id: "divisor-leaves-int32",
            "the divisor \(place.text) is zero or leaves int32 at a launch of '\(function.name)'",
            source: subject.module.source, range: function.definition.nameRange)
        }
      }
    }
  }
}
