import Diagnostics
import PythonSyntax

extension MutationOperator {
  /// Loops that start late, end early or walk wrongly.
  static let loop: [MutationOperator] = [
    MutationOperator("loop-end-short", .loop) { subject, planter in
      for (_, range) in ranges(subject) {
        let end = range.end
        if let (left, right) = ceilingDivision(end, subject) {
          planter.replace(
            end, with: "(\(subject.wrapped(left)) // \(subject.wrapped(right)))",
            "the last, partial round of the loop is missing", .changesResult)
        }
        let less = range.step.map { subject.wrapped($0) } ?? "1"
        planter.replace(
          end, with: "\(subject.wrapped(end)) - \(less)", "the last round of the loop is missing",
          .changesResult)
      }
    },
    MutationOperator("loop-start-late", .loop) { subject, planter in
      for (_, range) in ranges(subject) {
        let more = range.step.map { subject.wrapped($0) } ?? "1"
        if let start = range.start {
          planter.replace(
            start, with: start.integer == 0 ? more : "\(subject.wrapped(start)) + \(more)",
            "the first round of the loop is missing", .changesResult)
        } else {
          planter.replace(
            SourceRange(range.end.range.lower, range.end.range.lower), with: "1, ",
            "the first round of the loop is missing", .changesResult)
        }
      }
    },
    MutationOperator("loop-step-doubled", .loop) { subject, planter in
      for (_, range) in ranges(subject) {
        guard let step = range.step else { continue }
        planter.replace(
          step, with: "\(subject.wrapped(step)) * 2", "every second round of the loop is missing",
          .changesResult)
      }
    },
    MutationOperator("while-bound-tightened", .loop) { subject, planter in
      for kernel in subject.kernels {
        for site in kernel.sites {
          guard case .while(let test, _, _) = site.statement.kind, let bound = Bound(test) else {
            continue
          }
          planter.replace(
            test, with: bound.tightened(subject), "the loop ends one too early", .changesResult)
        }
      }
    },
    MutationOperator("advance-dropped", .loop) { subject, planter in
      for (_, site, _) in advances(subject) {
        planter.replace(
          site.statement.range, with: "pass",
          "`\(subject.text(site.statement.range))` is missing", .changesResult)
      }
    },
    MutationOperator("advance-doubled", .loop) { subject, planter in
      for (kernel, _, value) in advances(subject) {
        if let call = kernel.builtinCall(value, "advance") {
          guard let offsets = call.argument("offsets", at: 1), case .tuple(let parts) = offsets.kind
          else { continue }
          for part in parts where part.integer != 0 {
            planter.replace(
              part, with: "\(subject.wrapped(part)) * 2", "the pointer moves twice as far",
              .changesResult)
          }
        } else {
          planter.replace(
            value, with: "\(subject.wrapped(value)) * 2", "the pointer moves twice as far",
            .changesResult)
        }
      }
    },
    MutationOperator("advance-axis-swapped", .loop) { subject, planter in
      for (kernel, _, value) in advances(subject) {
        guard let call = kernel.builtinCall(value, "advance"),
          let offsets = call.argument("offsets", at: 1), case .tuple(let parts) = offsets.kind,
          parts.count == 2
        else { continue }
        planter.replace(
          offsets, with: "(\(subject.text(parts[1])), \(subject.text(parts[0])))",
          "the pointer moves along the other axis", .changesResult)
      }
    },
    MutationOperator("loop-term-dropped", .loop) { subject, planter in
      for kernel in subject.kernels {
        kernel.plantTermDrops(.loop, subject, &planter, .changesResult) {
          $0.kind == .load && !$0.site.loops.isEmpty
        }
      }
    },
  ]

  private struct LoopRange {
    var start: Expr?
    var end: Expr
    var step: Expr?
  }

  private static func ranges(_ subject: Subject) -> [(KernelView, LoopRange)] {
    var result: [(KernelView, LoopRange)] = []
    for kernel in subject.kernels {
      for site in kernel.sites {
        guard case .for(let loop) = site.statement.kind, let call = CallSite(loop.iterable) else {
          continue
        }
        let name = subject.names.builtin(call.callee) ?? call.callee.bareName
        guard ["range", "static_range"].contains(name) else { continue }
        switch call.arguments.count {
        case 1: result.append((kernel, LoopRange(end: call.arguments[0])))
        case 2...:
          result.append(
            (
              kernel,
              LoopRange(
                start: call.arguments[0], end: call.arguments[1],
                step: call.arguments.count > 2 ? call.arguments[2] : nil)
            ))
        default: break
        }
      }
    }
    return result
  }

  /// Statements in loops that move a pointer, with what they add or assign.
  private static func advances(_ subject: Subject) -> [(KernelView, StatementSite, Expr)] {
    var result: [(KernelView, StatementSite, Expr)] = []
    for kernel in subject.kernels {
      for site in kernel.sites where !site.loops.isEmpty {
        switch site.statement.kind {
        case .augAssign(let target, .add, let value):
          if let name = target.bareName, kernel.pointers.contains(name) {
            result.append((kernel, site, value))
          }
        case .assign(_, let value):
          if kernel.builtinCall(value)?.name == "advance" { result.append((kernel, site, value)) }
        default: break
        }
      }
    }
    return result
  }

  /// The operands of `tl.cdiv(a, b)` or `triton.cdiv(a, b)`.
  static func ceilingDivision(_ expression: Expr, _ subject: Subject) -> (Expr, Expr)? {
    guard let call = CallSite(expression), call.arguments.count == 2, call.keywords.isEmpty,
      let path = subject.names.path(of: call.callee), path == "cdiv" || path == "language.cdiv"
    else { return nil }
    return (call.arguments[0], call.arguments[1])
  }
}
