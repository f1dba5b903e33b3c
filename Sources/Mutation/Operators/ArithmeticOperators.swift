import PythonSyntax

extension MutationOperator {
  /// Constants and small terms.
  static let constant: [MutationOperator] = [
    MutationOperator("constant-changed", .constant) { subject, planter in
      for kernel in subject.kernels {
        let others = kernel.memoryCalls.compactMap(\.other)
        kernel.forEachExpression { node, _ in
          guard case .constant(.float(let value)) = node.kind, value != 0, value.isFinite,
            !others.contains(where: { $0 === node })
          else { return }
          planter.replace(
            node, with: "(\(subject.text(node)) * 1.01)",
            "the constant \(subject.text(node)) is one percent off", .changesResult)
        }
      }
      for host in subject.wrappers {
        host.forEachExpression { node in
          guard case .constant(.float(let value)) = node.kind, value != 0, value.isFinite else {
            return
          }
          planter.replace(
            node, with: "(\(subject.text(node)) * 1.01)",
            "the constant \(subject.text(node)) is one percent off", .changesResult)
        }
      }
    },
    MutationOperator("epsilon-dropped", .constant) { subject, planter in
      for (kernel, node, left, right) in values(subject, [.add]) {
        guard let name = right.bareName, kernel.parameters.contains(name),
          !kernel.pointers.contains(name), !kernel.pointers.isEmpty
        else { continue }
        planter.replace(
          node, with: subject.wrapped(left), "`\(name)` is not added", .changesResult)
        planter.replace(
          right, with: "(\(name) * 2)", "`\(name)` is added twice", .changesResult)
      }
    },
  ]

  /// Arithmetic on values.
  static let arithmetic: [MutationOperator] = [
    MutationOperator("operator-swapped", .arithmetic) { subject, planter in
      let swaps: [BinaryOperator: String] = [.add: "-", .sub: "+", .mul: "/", .div: "*"]
      for (_, node, left, right) in values(subject, [.add, .sub, .mul, .div]) {
        guard case .binary(_, let operation, _) = node.kind, let swapped = swaps[operation],
          let range = subject.operatorRange(operation.rawValue, between: left, right)
        else { continue }
        planter.replace(
          range, with: swapped, "`\(subject.text(node))` is made with `\(swapped)`",
          .changesResult)
      }
    },
    MutationOperator("addend-dropped", .arithmetic) { subject, planter in
      for (_, node, left, right) in values(subject, [.add, .sub]) {
        planter.replace(
          node, with: subject.wrapped(left), "`\(subject.text(right))` is left out",
          .changesResult)
      }
    },
    MutationOperator("factor-dropped", .arithmetic) { subject, planter in
      for (_, node, left, right) in values(subject, [.mul, .div]) {
        planter.replace(
          node, with: subject.wrapped(left), "`\(subject.text(right))` is left out",
          .changesResult)
      }
    },
    MutationOperator("result-negated", .arithmetic) { subject, planter in
      for kernel in subject.kernels {
        for memory in kernel.memoryCalls {
          guard let value = memory.value, !kernel.isConstant(value) else { continue }
          planter.replace(
            value, with: "-\(subject.wrapped(value))", "the result has the wrong sign",
            .changesResult)
        }
      }
    },
    MutationOperator("function-dropped", .arithmetic) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let (call, name) = kernel.builtinCall(node), functions.contains(name),
            call.arguments.count == 1
          else { return }
          planter.replace(
            node, with: "(\(subject.text(call.arguments[0])))", "`\(name)` is left out",
            name == "floor" || name == "ceil" || name == "abs"
              ? .maybeEquivalent("a cast or a test behind it may do the same") : .changesResult)
        }
      }
    },
  ]

  private static let functions: Set<String> = [
    "sqrt", "rsqrt", "exp", "exp2", "log", "log2", "sigmoid", "floor", "ceil", "abs", "tanh", "erf",
    "sin", "cos",
  ]

  /// The operations on values, as against indices.
  private static func values(
    _ subject: Subject, _ operations: Set<BinaryOperator>
  ) -> [(KernelView, node: Expr, left: Expr, right: Expr)] {
    var result: [(KernelView, node: Expr, left: Expr, right: Expr)] = []
    for kernel in subject.kernels {
      let isHelper = kernel.memoryCalls.isEmpty && kernel.pointers.isEmpty
      let pointers = kernel.pointers
      kernel.forEachExpression { node, _ in
        guard case .binary(let left, let operation, let right) = node.kind,
          operations.contains(operation), !kernel.isConstant(node),
          pointers.isDisjoint(with: node.terms.first?.nameSet ?? []),
          !kernel.isIndex(node) || (isHelper && kernel.returnsFloat)
        else { return }
        result.append((kernel, node, left, right))
      }
    }
    return result
  }
}

extension KernelView {
  /// A helper without memory accesses is taken to work on values where floating-point constants
  /// occur in it, or where it is too short to say.
  var returnsFloat: Bool {
    var result = sites.count == 1
    forEachExpression { node, _ in if case .constant(.float) = node.kind { result = true } }
    return result
  }
}
