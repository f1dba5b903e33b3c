import Diagnostics
import PythonSyntax

extension MutationOperator {
  /// Sums that forget, start wrong or lack a term.
  static let accumulation: [MutationOperator] = [
    MutationOperator("accumulation-overwritten", .accumulation) { subject, planter in
      for kernel in subject.kernels {
        let counters = kernel.whileCounters
        for site in kernel.sites where !site.loops.isEmpty {
          guard case .augAssign(let target, let operation, let value) = site.statement.kind,
            let name = target.bareName, !counters.contains(name), !kernel.pointers.contains(name)
          else { continue }
          planter.replace(
            site.statement.range, with: "\(name) = \(subject.text(value))",
            "`\(operation.rawValue)=` keeps only the last of the loop's terms", .changesResult)
        }
        kernel.forEachExpression { node, site in
          guard let call = kernel.builtinCall(node, "dot"),
            call.argument("acc", at: 2) != nil,
            let text = call.text(subject, dotParameters, required: 2, dropping: ["acc"])
          else { return }
          planter.replace(
            node, with: text, "the product is not added to what was there", .changesResult)
        }
      }
    },
    MutationOperator("accumulator-start-wrong", .accumulation) { subject, planter in
      for kernel in subject.kernels {
        for (name, definitions) in kernel.definitions.sorted(by: { $0.key < $1.key }) {
          guard definitions.contains(where: { !$0.site.loops.isEmpty }),
            !kernel.whileCounters.contains(name),
            let start = definitions.first(where: { $0.site.loops.isEmpty && !$0.isAugmented })
          else { continue }
          if case .constant(.float(0)) = start.value.kind {
            planter.replace(start.value, with: "1.0", "`\(name)` starts at 1", .changesResult)
          }
          if let call = kernel.builtinCall(start.value, "zeros"),
            let shape = call.argument("shape", at: 0), let type = call.argument("dtype", at: 1)
          {
            planter.replace(
              start.value,
              with:
                "\(subject.language("full"))(\(subject.text(shape)), 1, dtype=\(subject.text(type)))",
              "`\(name)` starts at 1", .changesResult)
          }
        }
      }
    },
    MutationOperator("accumulator-stale", .accumulation) { subject, planter in
      for kernel in subject.kernels {
        for site in kernel.sites {
          guard let loop = site.loops.last,
            case .assign(let targets, let value) = site.statement.kind, targets.count == 1,
            let name = targets[0].bareName,
            kernel.builtinCall(value).map({ ["zeros", "full"].contains($0.name) }) ?? false,
            kernel.definitions[name]?.contains(where: { $0.site.loops.count > site.loops.count })
              == true
          else { continue }
          let tree = subject.tree
          let from = loop.range.lower
          let start = tree.lineStart(at: site.statement.range.lower)
          guard tree.isFirstOnLine(from), tree.isFirstOnLine(site.statement.range.lower),
            start > from
          else { continue }
          let before = subject.text(SourceRange(from, start))
          let indent = subject.text(SourceRange(start, site.statement.range.lower))
          planter.replace(
            SourceRange(from, site.statement.range.upper),
            with: subject.text(site.statement.range) + tree.lineEnd + tree.indentation(at: from)
              + before + indent + "pass",
            "`\(name)` is set once, before the loop, and keeps what the last round left",
            .changesResult)
        }
      }
    },
    MutationOperator("term-dropped", .accumulation) { subject, planter in
      for kernel in subject.kernels {
        for site in kernel.sites where site.loops.isEmpty {
          guard case .augAssign(let target, .add, let value) = site.statement.kind,
            let name = target.bareName, !kernel.pointers.contains(name), !kernel.isIndex(value)
          else { continue }
          planter.replace(
            site.statement.range, with: "pass", "`\(subject.text(value))` is never added",
            .changesResult)
        }
      }
    },
  ]

  static let dotParameters = [
    "input", "other", "acc", "input_precision", "allow_tf32", "max_num_imprecise_acc", "out_dtype",
  ]
}
