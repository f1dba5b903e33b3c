import PythonSyntax

/// A comparison of two values, and its neighbours: the same test with the limit moved by one.
struct Bound {
  let expression: Expr
  let left: Expr
  let comparison: CompareOperator
  let right: Expr

  init?(_ expression: Expr) {
    guard case .compare(let left, let operators, let rights) = expression.kind,
      operators.count == 1, [.less, .lessEqual, .greater, .greaterEqual].contains(operators[0])
    else { return nil }
    self.expression = expression
    self.left = left
    comparison = operators[0]
    right = rights[0]
  }

  /// The test that lets one more value pass.
  func loosened(_ subject: Subject) -> String {
    switch comparison {
    case .less: text(subject, "<=")
    case .greater: text(subject, ">=")
    case .lessEqual: text(subject, "<=", " + 1")
    default: text(subject, ">=", " - 1")
    }
  }

  /// The test that lets one value fewer pass.
  func tightened(_ subject: Subject) -> String {
    switch comparison {
    case .lessEqual: text(subject, "<")
    case .greaterEqual: text(subject, ">")
    case .less: text(subject, "<", " - 1")
    default: text(subject, ">", " + 1")
    }
  }

  private func text(_ subject: Subject, _ comparison: String, _ shift: String = "") -> String {
    let limit = shift.isEmpty ? subject.wrapped(right) : "\(subject.wrapped(right))\(shift)"
    return "\(subject.wrapped(left)) \(comparison) \(limit)"
  }
}

extension KernelView {
  /// The comparisons in masks, each once, in source order.
  var maskComparisons: [Expr] {
    var result: [Expr] = []
    for mask in masks {
      mask.walk { node in
        if case .compare = node.kind, !result.contains(where: { $0 === node }) {
          result.append(node)
        }
        return CallSite(node) == nil ? .visitChildren : .skipChildren
      }
    }
    return result
  }
}

extension MutationOperator {
  static let comparison: [MutationOperator] = [
    MutationOperator("comparison-loosened", .comparison) { subject, planter in
      for (kernel, node) in otherComparisons(subject) {
        guard let bound = Bound(node) else { continue }
        planter.replace(
          node, with: bound.loosened(subject),
          "`\(subject.text(node))` holds for one value too many",
          isMaskAnyway(kernel, node)
            ? .maybeEquivalent("the masks alone may decide") : .changesResult)
      }
    },
    MutationOperator("comparison-tightened", .comparison) { subject, planter in
      for (_, node) in otherComparisons(subject) {
        guard let bound = Bound(node) else { continue }
        planter.replace(
          node, with: bound.tightened(subject),
          "`\(subject.text(node))` fails for one value too many", .changesResult)
      }
    },
    MutationOperator("comparison-negated", .comparison) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard case .compare(let left, let operators, let rights) = node.kind,
            operators.count == 1, !kernel.isConstant(node)
          else { return }
          let negated: String
          switch operators[0] {
          case .equal: negated = "!="
          case .notEqual: negated = "=="
          default: return
          }
          planter.replace(
            node, with: "\(subject.wrapped(left)) \(negated) \(subject.wrapped(rights[0]))",
            "`\(subject.text(node))` is tested the wrong way round", .changesResult)
        }
      }
    },
  ]

  /// The comparisons outside masks that are made at run time.
  private static func otherComparisons(_ subject: Subject) -> [(KernelView, Expr)] {
    var result: [(KernelView, Expr)] = []
    for kernel in subject.kernels {
      let masked = kernel.maskComparisons
      kernel.forEachExpression { node, site in
        if case .while(let test, _, _) = site.statement.kind, test === node { return }
        guard case .compare = node.kind, !kernel.isConstant(node),
          !masked.contains(where: { $0 === node })
        else { return }
        result.append((kernel, node))
      }
    }
    return result
  }

  /// Whether the comparison repeats the one of a mask.
  private static func isMaskAnyway(_ kernel: KernelView, _ node: Expr) -> Bool {
    let text = kernel.tree.source.text(in: node.range)
    return kernel.maskComparisons.contains { kernel.tree.source.text(in: $0.range) == text }
  }
}
