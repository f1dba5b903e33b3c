import Diagnostics
import PythonSyntax
import TritonLowering

/// Hands the accumulator to `tl.dot` instead of adding its result, and back.
///
/// Before: `acc += tl.dot(a, b)`
/// After: `acc = tl.dot(a, b, acc)`
///
/// Triton 3.6 combines the sum itself: both forms gave the same code for sm_89 with fp32 and fp16
/// operands. The rewrite is for readers and for compilers that do not; no gain may be claimed.
///
/// Requires: the statement adds one `tl.dot` without an accumulator to a plain name.
/// Refuses when: the call has an accumulator or an `out_dtype` of its own, or
/// `max_num_imprecise_acc`, with which the two forms round differently.
/// Numerics: bit-exact, as Triton makes the same operation of both.
public struct FuseAccumulator: Rewrite {
  public let id = "fuse-accumulator"
  public let summary = "Hands the accumulator to tl.dot."
  public let mayGain = false

  public init() {}

  private struct Match {
    let statement: Stmt
    let target: Expr
    let call: Expr
  }

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    let names = LanguageNames(subject.module)
    return subject.triton.functions.flatMap { function in
      matches(in: function, names).map { match in
        let source = subject.module.source
        return RewriteSite(
          rewrite: id, kernel: function.name, range: match.statement.range,
          names: match.target.bareName.map { [$0] } ?? [],
          what: "hand '\(source.text(in: match.target.range))' to tl.dot",
          why:
            "the sum becomes part of the product; Triton 3.6 does so itself, so no gain is expected"
        )
      }
    }
  }

  private func matches(in function: JITFunction, _ names: LanguageNames) -> [Match] {
    var found: [Match] = []
    function.definition.body.forEachStatement { statement in
      let target: Expr
      let value: Expr
      switch statement.kind {
      case .augAssign(let name, .add, let added): (target, value) = (name, added)
      case .assign(let targets, let sum) where targets.count == 1:
        guard case .binary(let left, .add, let right) = sum.kind, let name = targets[0].bareName
        else { return }
        target = targets[0]
        if left.bareName == name {
          value = right
        } else if right.bareName == name {
          value = left
        } else {
          return
        }
      default: return
      }
      guard target.bareName != nil, case .call(let callee, _, _) = value.kind,
        names.member(of: callee) == "dot"
      else { return }
      found.append(Match(statement: statement, target: target, call: value))
    }
    return found
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let source = subject.module.source
    let names = LanguageNames(subject.module)
    guard let function = subject.triton.function(named: site.kernel),
      let match = matches(in: function, names).first(where: { $0.statement.range == site.range }),
      case .call(_, let arguments, let keywords) = match.call.kind,
      let name = match.target.bareName
    else {
      throw Diagnostic(
        id: "no-such-site", "no sum of tl.dot stands here", source: source, range: site.range)
    }
    let own: Set<String> = ["acc", "out_dtype", "max_num_imprecise_acc"]
    if let keyword = keywords.first(where: { $0.name.map(own.contains) ?? true }) {
      throw Diagnostic(
        id: "accumulator-differs",
        "with '\(source.text(in: keyword.range))' the two forms may differ",
        source: source, range: keyword.range)
    }
    guard arguments.count == 2, !match.call.hasStarredArgument else {
      throw Diagnostic(
        id: "accumulator-differs", "this tl.dot has an accumulator of its own", source: source,
        range: match.call.range)
    }
    var editor = SourceEditor(subject.module)
    editor.replace(
      SourceRange(match.target.range.upper, match.call.range.lower), with: " = ")
    editor.delete(SourceRange(match.call.range.upper, match.statement.range.upper))
    if keywords.isEmpty {
      CallEdits(match.call, in: subject.module)?.add([name], in: &editor)
    } else {
      CallEdits(match.call, in: subject.module)?.add(["acc=\(name)"], in: &editor)
    }
    return Rewritten(source: try editor.rewritten(), site: site, numerics: .bitExact)
  }
}
