import PythonSyntax

extension MutationOperator {
  /// Reductions of the wrong kind, along the wrong axis or from the wrong start.
  static let reduction: [MutationOperator] = [
    MutationOperator("reduction-kind-changed", .reduction) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let (call, name) = kernel.builtinCall(node), let other = otherReduction[name],
            case .attribute(_, _, let range) = call.callee.kind
          else { return }
          planter.replace(range, with: other, "`\(name)` becomes `\(other)`", .changesResult)
        }
      }
    },
    MutationOperator("minimum-maximum-swapped", .reduction) { subject, planter in
      let pairs = ["minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min"]
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let call = CallSite(node), call.arguments.count == 2 else { return }
          if let name = call.callee.bareName, let other = pairs[name] {
            planter.replace(
              call.callee, with: other, "`\(name)` becomes `\(other)`", .changesResult)
          } else if let name = subject.names.builtin(call.callee), name.hasSuffix("imum"),
            let other = pairs[name], case .attribute(_, _, let range) = call.callee.kind
          {
            planter.replace(range, with: other, "`\(name)` becomes `\(other)`", .changesResult)
          }
        }
      }
    },
    MutationOperator("reduction-axis-changed", .reduction) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let (call, name) = kernel.builtinCall(node),
            otherReduction[name] != nil || name == "associative_scan" || name == "cumsum",
            let axis = call.argument("axis", at: 1), axis.integer == 1
          else { return }
          planter.replace(axis, with: "0", "`\(name)` runs along axis 0", .changesResult)
        }
      }
    },
    MutationOperator("scan-reversed", .reduction) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let (call, name) = kernel.builtinCall(node),
            ["associative_scan", "cumsum", "cumprod"].contains(name),
            call.argument("reverse") == nil
          else { return }
          let text = subject.text(node)
          planter.replace(
            node, with: text.dropLast() + ", reverse=True)", "the scan runs backwards",
            .changesResult)
        }
      }
    },
    MutationOperator("shift-dropped", .reduction) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let (call, name) = kernel.builtinCall(node), name == "exp" || name == "exp2",
            let value = call.arguments.first,
            case .binary(let left, .sub, let right) = value.kind
          else { return }
          planter.replace(
            value, with: subject.text(left),
            "the exponent is not shifted by `\(subject.text(right))` and overflows for large values",
            .changesResult)
        }
      }
    },
    MutationOperator("identity-wrong", .reduction) { subject, planter in
      for kernel in subject.kernels {
        let others = kernel.memoryCalls.compactMap(\.other)
        kernel.forEachExpression { node, _ in
          guard isNegativeInfinity(node),
            !others.contains(where: {
              $0.range.lower <= node.range.lower && node.range.upper <= $0.range.upper
            })
          else { return }
          planter.replace(
            node, with: "0.0", "0 stands for the smallest value", .changesResult)
        }
        kernel.forEachExpression { node, _ in
          guard let call = kernel.builtinCall(node, "where"), call.arguments.count == 3,
            case .constant(.float(0)) = call.arguments[2].kind
          else { return }
          planter.replace(
            call.arguments[2], with: "1.0", "lanes that must not count add 1", .changesResult)
        }
      }
    },
  ]

  private static let otherReduction = [
    "max": "min", "min": "max", "sum": "max", "argmax": "argmin", "argmin": "argmax",
    "xor_sum": "sum", "cumsum": "cumprod", "cumprod": "cumsum",
  ]

  private static func isNegativeInfinity(_ expression: Expr) -> Bool {
    if case .unary(.minus, let operand) = expression.kind, let call = CallSite(operand) {
      return call.callee.bareName == "float" && call.arguments.first?.string == "inf"
    }
    guard let call = CallSite(expression), call.callee.bareName == "float" else { return false }
    return call.arguments.first?.string == "-inf"
  }
}
