import PythonSyntax

extension MutationOperator {
  /// Outputs that are not written, or not all of them.
  static let output: [MutationOperator] = [
    MutationOperator("store-dropped", .output) { subject, planter in
      for (_, memory) in storeStatements(subject) {
        planter.replace(
          memory.site.statement.range, with: "pass",
          "nothing is written to `\(subject.text(memory.pointer))`", .uninitialised)
      }
    },
    MutationOperator("store-conditional", .output) { subject, planter in
      for (_, memory) in storeStatements(subject)
      where subject.tree.isFirstOnLine(memory.site.statement.range.lower) {
        planter.replace(
          memory.site.statement.range,
          with: "if \(subject.language("program_id"))(0) != 0: "
            + subject.text(memory.site.statement.range),
          "the first program along axis 0 writes nothing", .uninitialised)
      }
    },
    MutationOperator("grid-rounded-down", .output) { subject, planter in
      for host in subject.wrappers {
        host.forEachExpression { node in
          guard let (left, right) = ceilingDivision(node, subject) else { return }
          planter.replace(
            node, with: "(\(subject.wrapped(left)) // \(subject.wrapped(right)))",
            "the last, partial tile has no program", .uninitialised)
        }
      }
    },
    MutationOperator("grid-short", .output) { subject, planter in
      for host in subject.wrappers {
        for launch in host.launches {
          for tuple in host.gridTuples(launch) {
            guard case .tuple(let sizes) = tuple.kind else { continue }
            for size in sizes where size.integer != 1 {
              planter.replace(
                size, with: "\(subject.wrapped(size)) - 1",
                "the grid is one program short", .uninitialised)
            }
          }
        }
      }
    },
    MutationOperator("zeros-to-empty", .output) { subject, planter in
      for host in subject.wrappers {
        host.forEachExpression { node in
          guard let call = CallSite(node),
            case .attribute(let base, let name, let range) = call.callee.kind,
            base.bareName == "torch", name == "zeros" || name == "zeros_like"
          else { return }
          planter.replace(
            range, with: name == "zeros" ? "empty" : "empty_like",
            "the tensor is not set to zero first", .memoryError)
        }
      }
    },
  ]

  /// Stores that are statements of their own.
  private static func storeStatements(_ subject: Subject) -> [(KernelView, MemoryCall)] {
    subject.kernels.flatMap { kernel in
      kernel.memoryCalls.compactMap { memory in
        guard memory.kind != .load, case .expression(let value) = memory.site.statement.kind,
          value === memory.call.expression
        else { return nil }
        return (kernel, memory)
      }
    }
  }
}
