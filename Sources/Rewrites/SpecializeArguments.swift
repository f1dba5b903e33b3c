import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Makes integer parameters compile-time constants, so that divisions by them become multiplications.
///
/// Before:
/// ```python
/// def kernel(x_ptr, OW, BLOCK: tl.constexpr):
///     oh = offs // OW
/// ```
/// After:
/// ```python
/// def kernel(x_ptr, OW: tl.constexpr, BLOCK: tl.constexpr):
///     oh = offs // OW
/// ```
/// Requires: every launch passes an int32 whose value the module fixes or the input shapes imply;
/// the kernel only reads the parameter.
/// Refuses when: the parameter is assigned, has a method called on it, is indexed, takes a hint, is
/// named in `do_not_specialize`, adapts to a narrower operand, leaves int32 in a product of
/// constants, is divided as a negative constant, may change from call to call, or reaches a function
/// that is not followed.
/// Numerics: bit-exact, except where two constants are divided as floats (double precision instead
/// of fp32) and where the alignment of a constant lets the compiler sum in another order.
public struct SpecializeArguments: Rewrite {
  public let id = "specialize-arguments"
  public let summary = "Makes arguments that do not change compile-time constants."
  public let effects = EffectChange.deadBranches

  public init() {}

  /// Up to three nested sets for each kernel: what the module fixes; with it what divisions depend
  /// on; every argument that the input shapes imply.
  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    subject.triton.functions.flatMap { function -> [RewriteSite] in
      guard let check = SpecializationCheck(kernel: function.name, in: subject) else { return [] }
      let candidates = check.candidates()
      guard !candidates.isEmpty else { return [] }
      let divisions = DivisionUse(
        of: function, names: check.names, source: subject.module.source)
      let fixed = Set(candidates.filter { $0.origin <= .module }.map(\.parameter.name))
      let dividing = Set(candidates.map(\.parameter.name)).intersection(divisions.parameters)
      let everything = Set(candidates.map(\.parameter.name))
      var sites: [RewriteSite] = []
      var seen: Set<Set<String>> = [[]]
      for wanted in [fixed, fixed.union(dividing), everything] {
        let safe = check.largestSafeSubset(of: wanted)
        guard seen.insert(safe).inserted else { continue }
        sites.append(site(for: safe, candidates, divisions, function))
      }
      return sites
    }
  }

  private func site(
    for chosen: Set<String>, _ candidates: [SpecializationCheck.Candidate],
    _ divisions: DivisionUse, _ function: JITFunction
  ) -> RewriteSite {
    let kept = candidates.filter { chosen.contains($0.parameter.name) }
    let names = kept.map(\.parameter.name)
    let shapes = kept.filter { $0.origin == .inputShape }.map(\.parameter.name)
    var what = "make \(names.joined(separator: ", ")) compile-time "
    what += names.count == 1 ? "constant" : "constants"
    if shapes.isEmpty {
      what += " (the module fixes them)"
    } else {
      what +=
        " (a new value of \(shapes.joined(separator: ", ")) compiles the kernel again)"
    }
    let source = divisions.source
    let uses = divisions.uses.filter { !$0.parameters.isDisjoint(with: chosen) }
    var lines: [Int] = []
    for use in uses {
      let line = source.line(at: use.range.lower)
      if lines.last != line { lines.append(line) }
    }
    let why: String
    if let first = uses.first {
      let places = lines.prefix(6).map(String.init).joined(separator: ", ")
      why =
        "\(uses.count) integer divisions and remainders by values known only at run time "
        + "(line\(lines.count == 1 ? "" : "s") \(places)\(lines.count > 6 ? ", …" : "")), such as "
        + "'\(source.text(in: first.range))'; a constant divisor needs a multiplication and a shift"
    } else {
      why = "constant sizes and strides fold into addresses and masks and need no registers"
    }
    return RewriteSite(
      rewrite: id, kernel: function.name,
      range: kept.first?.parameter.syntax.range
        ?? function.definition.nameRange, names: names, what: what, why: why)
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    guard let function = subject.triton.function(named: site.kernel) else {
      throw Diagnostic(
        id: "no-such-kernel", "there is no kernel '\(site.kernel)'", source: subject.module.source)
    }
    guard let check = SpecializationCheck(kernel: site.kernel, in: subject) else {
      throw Diagnostic(
        id: "launches-not-known",
        "the launches of '\(site.kernel)' are not known, so neither are its arguments",
        source: subject.module.source, range: function.definition.nameRange)
    }
    guard let constexpr = spelling(in: function, check.names, subject) else {
      throw Diagnostic(
        id: "no-constexpr-name", "the module does not import triton.language",
        source: subject.module.source, range: function.definition.nameRange)
    }
    var edits = SourceEditor(subject.module)
    for name in site.names {
      guard let parameter = function.parameter(named: name) else {
        throw Diagnostic(
          id: "no-such-parameter", "kernel '\(site.kernel)' has no parameter '\(name)'",
          source: subject.module.source, range: function.definition.nameRange)
      }
      try check.requireSpecializable(parameter)
      if let annotation = parameter.syntax.annotation {
        edits.replace(annotation.range, with: constexpr)
      } else {
        edits.insert(": \(constexpr)", at: parameter.syntax.nameRange.upper)
      }
    }
    let chosen = Set(site.names)
    let flow = check.flow(of: chosen)
    if let problem = flow.problems.first { throw problem.diagnostic }
    let compilations = check.compilations(of: chosen)
    guard compilations <= SpecializationCheck.compilationLimit else {
      throw Diagnostic(
        id: "too-many-compilations",
        "one launch passes \(compilations) different sets of values; each would compile the kernel "
          + "again (limit: \(SpecializationCheck.compilationLimit))",
        source: subject.module.source, range: check.launches.first?.callRange)
    }
    let source = try edits.rewritten()
    return Rewritten(
      source: source, site: site,
      numerics: flow.roundings.isEmpty
        ? .bitExact : .changesRounding(flow.roundings.joined(separator: "; ")))
  }

  /// As the kernel's other parameters spell it, else as the module's imports allow.
  private func spelling(
    in function: JITFunction, _ names: LanguageNames, _ subject: RewriteSubject
  ) -> String? {
    for other in [function] + subject.triton.functions {
      for parameter in other.parameters {
        if let annotation = parameter.syntax.annotation, names.isConstexpr(annotation),
          annotation.stringValue == nil
        {
          return subject.module.source.text(in: annotation.range)
        }
      }
    }
    return names.spelling(ofLanguage: "constexpr")
  }
}
