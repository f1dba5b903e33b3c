import PythonSyntax

extension MutationOperator {
  /// Block pointers: boundary checks, padding, shapes, strides and offsets.
  static let blockPointers: [MutationOperator] = [
    MutationOperator("boundary-check-dropped", .mask) { subject, planter in
      for kernel in subject.kernels {
        for memory in kernel.memoryCalls {
          guard let check = memory.call.argument("boundary_check"),
            case .tuple(let axes) = check.kind
          else { continue }
          for index in axes.indices {
            let kept = axes.indices.filter { $0 != index }.map { subject.text(axes[$0]) + "," }
            planter.replace(
              check, with: "(\(kept.joined(separator: " ")))",
              "axis \(subject.text(axes[index])) is no longer checked", .memoryError)
          }
        }
      }
    },
    MutationOperator("padding-dropped", .mask) { subject, planter in
      for kernel in subject.kernels {
        for memory in kernel.memoryCalls {
          guard let padding = memory.call.argument("padding_option") else { continue }
          planter.replace(
            padding, with: "\"nan\"", "elements past the edge read as NaN",
            .changesResult)
          guard let text = memory.text(subject, dropping: ["padding_option"]) else { continue }
          planter.replace(
            memory.call.expression, with: text, "elements past the edge read whatever is there",
            .maybeEquivalent("some back ends pad with zero anyway"))
        }
      }
    },
    MutationOperator("block-strides-swapped", .index) { subject, planter in
      swapPairs("strides", "the strides of the two axes are swapped", subject, &planter)
    },
    MutationOperator("block-shape-swapped", .index) { subject, planter in
      swapPairs("shape", "the sizes of the two axes are swapped", subject, &planter)
    },
    MutationOperator("block-offsets-swapped", .index) { subject, planter in
      swapPairs("offsets", "the offsets along the two axes are swapped", subject, &planter)
    },
    MutationOperator("block-size-off-by-one", .mask) { subject, planter in
      for (_, call) in blockPointerCalls(subject) {
        guard let shape = call.argument("shape", at: 1), case .tuple(let sizes) = shape.kind else {
          continue
        }
        for size in sizes {
          planter.replace(
            size, with: "\(subject.wrapped(size)) + 1",
            "the tensor is said to be one element longer than `\(subject.text(size))`",
            .memoryError)
          planter.replace(
            size, with: "\(subject.wrapped(size)) - 1",
            "the tensor is said to be one element shorter than `\(subject.text(size))`",
            .changesResult)
        }
      }
    },
  ]

  static func blockPointerCalls(_ subject: Subject) -> [(KernelView, CallSite)] {
    var result: [(KernelView, CallSite)] = []
    for kernel in subject.kernels {
      kernel.forEachExpression { node, _ in
        if let call = kernel.builtinCall(node, "make_block_ptr") { result.append((kernel, call)) }
      }
    }
    return result
  }

  private static func swapPairs(
    _ parameter: String, _ words: String, _ subject: Subject, _ planter: inout Planter
  ) {
    let position = ["base": 0, "shape": 1, "strides": 2, "offsets": 3][parameter]
    for (_, call) in blockPointerCalls(subject) {
      guard let value = call.argument(parameter, at: position),
        case .tuple(let parts) = value.kind, parts.count == 2
      else { continue }
      planter.replace(
        value, with: "(\(subject.text(parts[1])), \(subject.text(parts[0])))", words, .changesResult
      )
    }
  }
}
