import PythonSyntax

extension MutationOperator {
  /// Addresses made from the wrong indices and strides.
  static let index: [MutationOperator] = [
    MutationOperator("stride-off-by-one", .index) { subject, planter in
      for kernel in subject.kernels {
        for (_, stride) in kernel.strides {
          planter.replace(
            stride, with: "(\(subject.text(stride)) + 1)",
            "the stride `\(subject.text(stride))` is one too large", .changesResult)
        }
      }
    },
    MutationOperator("stride-of-other-axis", .index) { subject, planter in
      for kernel in subject.kernels {
        let strides = kernel.strides
        var order: [String] = []
        for (_, stride) in strides {
          if let name = stride.bareName, !order.contains(name) { order.append(name) }
        }
        guard order.count > 1 else { continue }
        for (_, stride) in strides {
          guard let name = stride.bareName, let index = order.firstIndex(of: name) else { continue }
          let other = order[(index + 1) % order.count]
          planter.replace(
            stride, with: other, "the stride is `\(other)` in place of `\(name)`",
            .maybeEquivalent("the two may be equal"))
        }
      }
    },
    MutationOperator("indices-swapped", .index) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, site in
          guard case .binary(_, .add, _) = node.kind,
            case .some = kernel.sumRoots(site).firstIndex(where: { $0 === node })
          else { return }
          guard let (rows, cols) = crossedIndices(node) else { return }
          let text = subject.text(node)
          let shift = node.range.lower
          let (first, second) = rows.range.lower < cols.range.lower ? (rows, cols) : (cols, rows)
          let bytes = Array(text.utf8)
          let parts = [
            bytes[..<(first.range.lower - shift)], Array(subject.text(second).utf8)[...],
            bytes[(first.range.upper - shift)..<(second.range.lower - shift)],
            Array(subject.text(first).utf8)[...], bytes[(second.range.upper - shift)...],
          ]
          planter.replace(
            node, with: String(decoding: parts.joined(), as: UTF8.self),
            "`\(subject.text(rows))` and `\(subject.text(cols))` stand in each other's place",
            .changesResult)
        }
      }
    },
    MutationOperator("program-axis-changed", .index) { subject, planter in
      for kernel in subject.kernels {
        let calls = kernel.programCalls("program_id")
        let axes = Set(calls.compactMap { $0.argument("axis", at: 0)?.integer }).sorted()
        for call in calls {
          guard let axis = call.argument("axis", at: 0), let value = axis.integer else { continue }
          let others = axes.count > 1 ? axes : [0, 1]
          guard let index = others.firstIndex(of: value) else { continue }
          let other = others[(index + 1) % others.count]
          planter.replace(
            axis, with: "\(other)", "programs are counted along axis \(other) in place of \(value)",
            .changesResult)
        }
      }
    },
    MutationOperator("program-count-ignored", .index) { subject, planter in
      for kernel in subject.kernels {
        for call in kernel.programCalls("num_programs") {
          planter.replace(
            call.expression, with: "1", "the number of programs is taken to be 1", .changesResult)
        }
      }
    },
    MutationOperator("load-program-term-dropped", .index) { subject, planter in
      for kernel in subject.kernels {
        kernel.plantTermDrops(.program, subject, &planter, .changesResult) { $0.kind == .load }
      }
    },
    MutationOperator("tile-offset-wrong", .index) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard case .binary(let left, .mul, let right) = node.kind,
            kernel.traits(of: left).contains(.program), kernel.isIndex(left),
            let name = right.bareName, kernel.constexprs.contains(name)
          else { return }
          planter.replace(
            right, with: "(\(name) + 1)", "tiles start \(name) + 1 elements apart", .uninitialised)
        }
      }
    },
    MutationOperator("lanes-shifted", .index) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let call = kernel.builtinCall(node, "arange"), call.arguments.count == 2,
            call.arguments[0].integer == 0
          else { return }
          let end = subject.wrapped(call.arguments[1])
          planter.replace(
            node, with: "\(subject.text(call.callee))(1, \(end) + 1)",
            "the lanes start at 1 in place of 0", .changesResult)
        }
      }
    },
    MutationOperator("division-remainder-swapped", .index) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard case .binary(let left, let operation, let right) = node.kind,
            operation == .floorDiv || operation == .mod, kernel.isIndex(node),
            !kernel.isConstant(node),
            let range = subject.operatorRange(operation.rawValue, between: left, right)
          else { return }
          planter.replace(
            range, with: operation == .mod ? "//" : "%",
            "`\(subject.text(node))` divides where it needs the remainder, or the reverse",
            .changesResult)
        }
      }
    },
    MutationOperator("index-operator-swapped", .index) { subject, planter in
      for kernel in subject.kernels {
        let counters = kernel.whileCounters
        kernel.forEachExpression { node, site in
          guard case .binary(let left, let operation, let right) = node.kind,
            kernel.isIndex(node), !kernel.isConstant(node),
            let swapped = [.add: "-", .sub: "+", .mul: "+"][operation],
            let range = subject.operatorRange(operation.rawValue, between: left, right)
          else { return }
          if case .assign(let targets, _) = site.statement.kind,
            targets.contains(where: { counters.contains($0.bareName ?? "") })
          {
            return
          }
          planter.replace(
            range, with: swapped,
            "`\(subject.text(node))` is made with `\(swapped)`", .changesResult)
        }
      }
    },
    MutationOperator("offset-subtraction-off", .index) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard case .binary(_, .sub, let right) = node.kind, kernel.isIndex(node),
            let name = right.bareName, kernel.parameters.contains(name)
          else { return }
          planter.replace(
            right, with: "(\(name) - 1)", "one too few is taken off: `\(name) - 1`", .changesResult)
          planter.replace(
            node, with: subject.wrapped(leftOperand(node)), "`\(name)` is not taken off",
            .changesResult)
        }
      }
    },
  ]

  private static func leftOperand(_ node: Expr) -> Expr {
    if case .binary(let left, _, _) = node.kind { left } else { node }
  }

  /// `a[:, None]` and `b[None, :]` in different terms of a sum that is not the same for both.
  private static func crossedIndices(_ sum: Expr) -> (rows: Expr, cols: Expr)? {
    var rows: (Expr, Int)?
    var cols: (Expr, Int)?
    var products: Set<Int> = []
    for (index, term) in sum.terms.enumerated() {
      if case .binary = term.kind { products.insert(index) }
      term.walk { node in
        guard case .subscripted(_, let key) = node.kind, case .tuple(let parts) = key.kind,
          parts.count == 2
        else { return CallSite(node) == nil ? .visitChildren : .skipChildren }
        if case .constant(.none) = parts[1].kind, rows == nil { rows = (node, index) }
        if case .constant(.none) = parts[0].kind, cols == nil { cols = (node, index) }
        return .skipChildren
      }
    }
    guard let rows, let cols, rows.1 != cols.1,
      products.contains(rows.1) || products.contains(cols.1)
    else { return nil }
    return (rows.0, cols.0)
  }
}
