import PythonSyntax

extension MutationOperator {
  /// Element types that are too narrow.
  static let dtype: [MutationOperator] = [
    MutationOperator("cast-narrowed", .dtype) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let call = CallSite(node), let method = call.method, method.name == "to",
            let type = call.arguments.first, let name = subject.names.builtin(type),
            let narrow = narrower[name]
          else { return }
          planter.replace(
            type, with: subject.language(narrow),
            "`\(subject.text(method.receiver))` becomes \(narrow) in place of \(name)",
            isLoad(kernel, method.receiver)
              ? .maybeEquivalent("the loaded type may be no wider") : .changesResult)
        }
      }
    },
    MutationOperator("index-cast-dropped", .dtype) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let call = CallSite(node), let method = call.method, method.name == "to",
            let type = call.arguments.first, subject.names.builtin(type) == "int64"
          else { return }
          planter.replace(
            node, with: subject.text(method.receiver),
            "`\(subject.text(method.receiver))` stays 32 bits wide", .overflowsAtScale)
        }
      }
    },
    MutationOperator("accumulator-narrowed", .dtype) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let (call, name) = kernel.builtinCall(node), name == "zeros" || name == "full",
            let type = call.argument("dtype", at: name == "zeros" ? 1 : 2),
            let old = subject.names.builtin(type),
            let narrow = [
              "float32": "float16",
              "int32": "int16",
            ][old]
          else { return }
          planter.replace(
            type, with: subject.language(narrow), "the accumulator is \(narrow)", .changesResult)
        }
      }
    },
    MutationOperator("accumulation-rounded", .dtype) { subject, planter in
      for kernel in subject.kernels {
        for site in kernel.sites where !site.loops.isEmpty {
          guard case .augAssign(let target, .add, let value) = site.statement.kind,
            let name = target.bareName, kernel.isFloating(name)
          else { continue }
          planter.replace(
            site.statement.range,
            with:
              "\(name) = (\(name) + \(subject.wrapped(value))).to(\(subject.language("float16")))"
              + ".to(\(subject.language("float32")))",
            "the running sum is rounded to float16 in every round", .changesResult)
        }
        kernel.forEachExpression { node, _ in
          guard let call = kernel.builtinCall(node, "dot"), call.argument("acc", at: 2) != nil
          else { return }
          planter.replace(
            node,
            with: "\(subject.text(node)).to(\(subject.language("float16")))"
              + ".to(\(subject.language("float32")))",
            "the running sum is rounded to float16 in every round", .changesResult)
        }
      }
    },
    MutationOperator("dot-operands-narrowed", .dtype) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let call = kernel.builtinCall(node, "dot"),
            let left = call.argument("input", at: 0), let right = call.argument("other", at: 1)
          else { return }
          for narrow in ["float16", "bfloat16"] {
            let cast = ".to(\(subject.language(narrow)))"
            guard
              let text = call.text(
                subject, dotParameters, required: 2,
                changing: [
                  "input": subject.wrapped(left) + cast, "other": subject.wrapped(right) + cast,
                ])
            else { continue }
            planter.replace(
              node, with: text, "the operands of the product become \(narrow)",
              narrow == "float16"
                ? .maybeEquivalent("operands that are float16 stay as they are") : .changesResult)
          }
        }
      }
    },
    MutationOperator("dot-result-narrowed", .dtype) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let call = kernel.builtinCall(node, "dot"), call.argument("acc", at: 2) == nil
          else { return }
          planter.replace(
            node,
            with: "\(subject.text(node)).to(\(subject.language("float16")))"
              + ".to(\(subject.language("float32")))",
            "each product is rounded to float16", .changesResult)
        }
      }
    },
    MutationOperator("dot-precision-lowered", .dtype) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, _ in
          guard let call = kernel.builtinCall(node, "dot") else { return }
          if let precision = call.argument("input_precision", at: 3),
            let text = precision.string, text != "tf32"
          {
            planter.replace(
              precision, with: "\"tf32\"", "the operands are rounded to TF32", .changesResult)
          }
          if let allow = call.argument("allow_tf32", at: 4),
            case .constant(.bool(false)) = allow.kind
          {
            planter.replace(allow, with: "True", "the operands are rounded to TF32", .changesResult)
          }
        }
      }
    },
    MutationOperator("result-narrowed", .dtype) { subject, planter in
      for kernel in subject.kernels {
        for memory in kernel.memoryCalls {
          guard let value = memory.value,
            !kernel.traits(of: value).isDisjoint(with: [.data, .float]),
            !kernel.isConstant(value), !subject.text(value).contains("bfloat16")
          else { continue }
          planter.replace(
            value, with: "\(subject.wrapped(value)).to(\(subject.language("bfloat16")))",
            "the result is rounded to bfloat16", .changesResult)
        }
      }
    },
  ]

  private static let narrower = [
    "float64": "float32", "float32": "float16", "float16": "bfloat16", "bfloat16": "float8e5",
    "int32": "int8", "int16": "int8",
  ]

  private static func isLoad(_ kernel: KernelView, _ expression: Expr) -> Bool {
    if kernel.builtinCall(expression)?.name == "load" { return true }
    guard let name = expression.bareName, let values = kernel.definitions[name] else {
      return false
    }
    return values.contains { kernel.builtinCall($0.value)?.name == "load" }
  }
}

extension KernelView {
  /// Whether a name starts as a floating-point value.
  func isFloating(_ name: String) -> Bool {
    guard let start = definitions[name]?.first(where: { !$0.isAugmented }) else { return false }
    return traits(of: start.value).contains(.float)
  }
}
