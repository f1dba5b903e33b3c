import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Moves loads that do not change out of a loop that stores.
///
/// Before:
/// ```python
/// for i in range(n):
///     scale = tl.load(w_ptr + cols)
///     tl.store(y_ptr + i * N + cols, tl.load(x_ptr + i * N + cols) * scale)
/// ```
/// After:
/// ```python
/// scale = tl.load(w_ptr + cols)
/// for i in range(n):
///     tl.store(y_ptr + i * N + cols, tl.load(x_ptr + i * N + cols) * scale)
/// ```
/// Triton 3.6 hoists such loads itself where the loop stores nothing, and the assembler hoists
/// arithmetic; a store in the loop stops it, as it cannot know that the tensors are apart.
///
/// Requires: the host program ran, so that the tensors are known to be apart and the loop is known
/// to run at least once at every launch.
/// Refuses when: the kernel writes the tensor or one that may share its memory, the name is assigned
/// elsewhere in the loop or read before, or an operand changes in the loop.
/// Numerics: bit-exact.
public struct HoistLoopInvariant: Rewrite {
  public let id = "hoist-loop-invariant"
  public let summary = "Moves loads that do not change out of loops."

  public init() {}

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    subject.triton.functions.flatMap { function -> [RewriteSite] in
      guard let invariants = LoopInvariants(of: function, in: subject) else { return [] }
      let source = subject.module.source
      return invariants.candidates.filter { (try? invariants.require($0)) != nil }.map {
        RewriteSite(
          rewrite: id, kernel: function.name, range: $0.load.range, names: $0.names,
          what: "load \($0.names.last.map { "'\($0)'" } ?? "") before the loop on line "
            + "\(source.line(at: $0.loop.range.lower))",
          why:
            "the loop loads the same values each time, and its stores keep the compiler from seeing it"
        )
      }
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let source = subject.module.source
    guard let function = subject.triton.function(named: site.kernel),
      let invariants = LoopInvariants(of: function, in: subject),
      let candidate = invariants.candidates.first(where: { $0.load.range == site.range })
    else {
      throw Diagnostic(
        id: "no-such-site", "no load that could leave its loop stands here", source: source,
        range: site.range)
    }
    try invariants.require(candidate)
    var editor = SourceEditor(subject.module)
    let tree = subject.module
    let inner = tree.indentation(at: candidate.load.range.lower)
    let outer = tree.indentation(at: candidate.loop.range.lower)
    for statement in candidate.moved {
      let text = source.text(in: statement.range)
        .replacing(tree.lineEnd + inner, with: tree.lineEnd + outer)
      editor.insertLines([text], before: candidate.loop)
      do {
        try editor.deleteStatement(statement)
      } catch let error as Diagnostic {
        throw error
      } catch {
        throw Diagnostic(
          id: "no-such-site", "the statement cannot be moved", source: source,
          range: statement.range)
      }
    }
    return Rewritten(source: try editor.rewritten(), site: site, numerics: .bitExact)
  }
}
