import Diagnostics
import PythonSyntax

extension MutationOperator {
  /// The host side: what the kernel is launched with, and what becomes of its output.
  static let wrapper: [MutationOperator] = [
    MutationOperator("arguments-swapped", .wrapper) { subject, planter in
      for launch in subject.wrappers.flatMap(\.launches) {
        let parameters = launch.kernel.function.parameters.all
        let arguments = launch.call.arguments
        for index in arguments.indices.dropLast() where index + 1 < parameters.count {
          let (first, second) = (arguments[index], arguments[index + 1])
          if case .starred = first.kind { break }
          if case .starred = second.kind { break }
          let kinds = [parameters[index], parameters[index + 1]].map {
            launch.kernel.pointers.contains($0.name)
          }
          guard kinds[0] == kinds[1], subject.text(first) != subject.text(second) else { continue }
          let between = subject.text(SourceRange(first.range.upper, second.range.lower))
          guard between.allSatisfy({ $0 == "," || $0.isWhitespace }) else { continue }
          planter.replace(
            SourceRange(first.range.lower, second.range.upper),
            with: subject.text(second) + between + subject.text(first),
            "`\(subject.text(first))` and `\(subject.text(second))` are passed in each other's place",
            kinds[0] ? .changesResult : .maybeEquivalent("the two may be equal"))
        }
      }
    },
    MutationOperator("argument-off-by-one", .wrapper) { subject, planter in
      for launch in subject.wrappers.flatMap(\.launches) {
        let parameters = launch.kernel.function.parameters.all
        for (parameter, argument) in zip(parameters, launch.call.arguments) {
          guard argument.bareName != nil, !launch.kernel.pointers.contains(parameter.name) else {
            continue
          }
          planter.replace(
            argument, with: "\(subject.text(argument)) - 1",
            "`\(parameter.name)` is one too small", .changesResult)
        }
      }
    },
    MutationOperator("shape-off-by-one", .wrapper) { subject, planter in
      for host in subject.wrappers {
        host.forEachExpression { node in
          guard case .binary(let left, let operation, let right) = node.kind, right.integer == 1,
            operation == .add || operation == .sub
          else { return }
          planter.replace(
            node, with: subject.wrapped(left),
            "the last `\(operation.rawValue) 1` of a size is missing", .changesResult)
        }
      }
    },
    MutationOperator("shape-factor-dropped", .wrapper) { subject, planter in
      for host in subject.wrappers {
        host.forEachExpression { node in
          guard case .binary(let left, .mul, let right) = node.kind, left.integer != nil else {
            return
          }
          planter.replace(
            node, with: subject.wrapped(right),
            "the factor \(subject.text(left)) of a size is missing", .changesResult)
        }
      }
    },
    MutationOperator("stride-axis-changed", .wrapper) { subject, planter in
      for host in subject.wrappers {
        host.forEachExpression { node in
          guard let call = CallSite(node), let method = call.method,
            ["stride", "size"].contains(method.name), call.arguments.count == 1,
            let axis = call.arguments[0].integer
          else { return }
          planter.replace(
            call.arguments[0], with: "\(axis == 0 ? 1 : axis - 1)",
            "`\(subject.text(node))` is taken along another axis", .changesResult)
        }
      }
    },
    MutationOperator("sizes-swapped", .wrapper) { subject, planter in
      for host in subject.wrappers {
        for site in host.sites {
          guard case .assign(let targets, let value) = site.statement.kind, targets.count == 1,
            case .tuple(let names) = targets[0].kind, names.count > 1,
            case .attribute(_, "shape", _) = value.kind
          else { continue }
          let first = names[names.count - 2]
          let second = names[names.count - 1]
          planter.replace(
            SourceRange(first.range.lower, second.range.upper),
            with: "\(subject.text(second)), \(subject.text(first))",
            "the last two sizes of `\(subject.text(value))` are swapped", .changesResult)
        }
      }
    },
    MutationOperator("contiguous-dropped", .wrapper) { subject, planter in
      for host in subject.wrappers {
        host.forEachExpression { node in
          guard let call = CallSite(node), let method = call.method,
            method.name == "contiguous", call.arguments.isEmpty
          else { return }
          planter.replace(
            node, with: subject.text(method.receiver),
            "`\(subject.text(method.receiver))` may have other strides",
            .maybeEquivalent("the tensor may be contiguous already"))
        }
      }
    },
    MutationOperator("output-dtype-changed", .wrapper) { subject, planter in
      for host in subject.wrappers {
        host.forEachExpression { node in
          guard let call = CallSite(node), let method = call.method,
            method.receiver.bareName == "torch",
            ["empty", "zeros", "full", "ones"].contains(method.name),
            let type = call.argument("dtype")
          else { return }
          let isHalf = subject.text(type).hasSuffix("float16")
          planter.replace(
            type, with: isHalf ? "torch.float32" : "torch.float16",
            "the output has another element type", .changesResult)
        }
      }
    },
    MutationOperator("result-cast-dropped", .wrapper) { subject, planter in
      for host in subject.wrappers {
        for site in host.sites {
          guard case .return(let value?) = site.statement.kind, let call = CallSite(value),
            let method = call.method,
            ["to", "view", "reshape", "transpose", "permute", "float", "half"].contains(
              method.name),
            method.receiver.bareName != "torch"
          else { continue }
          planter.replace(
            value, with: subject.text(method.receiver),
            "the result is returned without its `\(method.name)`",
            method.name == "to" || method.name == "view"
              ? .changesResult : .maybeEquivalent("the axes may be the same"))
        }
      }
    },
    MutationOperator("outputs-swapped", .wrapper) { subject, planter in
      for host in subject.wrappers {
        for site in host.sites {
          guard case .return(let value?) = site.statement.kind,
            case .tuple(let parts) = value.kind, parts.count == 2,
            host.launches.isEmpty || parts.allSatisfy({ $0.bareName != nil })
          else { continue }
          planter.replace(
            value, with: "\(subject.text(parts[1])), \(subject.text(parts[0]))",
            "the two results are returned in the wrong order", .changesResult)
        }
      }
    },
  ]
}
