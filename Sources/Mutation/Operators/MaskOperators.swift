import PythonSyntax

extension MutationOperator {
  /// Masks that let the wrong lanes pass, and what masked lanes read.
  static let mask: [MutationOperator] = [
    MutationOperator("mask-bound-loosened", .mask) { subject, planter in
      for kernel in subject.kernels {
        for node in kernel.maskComparisons {
          guard let bound = Bound(node), !kernel.isConstant(node) else { continue }
          planter.replace(
            node, with: bound.loosened(subject),
            "the mask `\(subject.text(node))` lets one lane too many pass", .memoryError)
        }
      }
    },
    MutationOperator("mask-bound-tightened", .mask) { subject, planter in
      for kernel in subject.kernels {
        for node in kernel.maskComparisons {
          guard let bound = Bound(node), !kernel.isConstant(node) else { continue }
          planter.replace(
            node, with: bound.tightened(subject),
            "the mask `\(subject.text(node))` leaves out one lane too many", .changesResult)
        }
      }
    },
    MutationOperator("mask-conjunct-dropped", .mask) { subject, planter in
      for (_, node, left, right) in conjunctions(subject) {
        for (kept, lost) in [(left, right), (right, left)] {
          planter.replace(
            node, with: subject.wrapped(kept), "the mask no longer tests `\(subject.text(lost))`",
            .memoryError)
        }
      }
    },
    MutationOperator("mask-and-to-or", .mask) { subject, planter in
      for (_, node, left, right) in conjunctions(subject) {
        guard let range = subject.operatorRange("&", between: left, right) else { continue }
        planter.replace(
          range, with: "|", "the mask `\(subject.text(node))` asks for one of two conditions only",
          .memoryError)
      }
    },
    MutationOperator("mask-dropped", .mask) { subject, planter in
      for kernel in subject.kernels {
        for memory in kernel.memoryCalls where memory.mask != nil {
          guard let text = memory.text(subject, dropping: ["mask", "other"]) else {
            continue
          }
          planter.replace(
            memory.call.expression, with: text,
            "the access to `\(subject.text(memory.pointer))` has no mask", .memoryError)
        }
      }
    },
    MutationOperator("other-changed", .mask) { subject, planter in
      for kernel in subject.kernels {
        for memory in kernel.memoryCalls {
          guard let other = memory.other, kernel.crossesLanes(memory) else { continue }
          let text = otherValue(other) == 0 ? "1" : "0"
          planter.replace(
            other, with: subject.text(other).contains(".") ? text + ".0" : text,
            "lanes past the end read \(text) in place of `\(subject.text(other))`",
            kernel.otherExpectation(memory))
        }
      }
    },
    MutationOperator("other-dropped", .mask) { subject, planter in
      for kernel in subject.kernels {
        for memory in kernel.memoryCalls where memory.other != nil {
          guard kernel.crossesLanes(memory),
            let text = memory.text(subject, dropping: ["other"])
          else { continue }
          planter.replace(
            memory.call.expression, with: text,
            "lanes past the end read whatever is there",
            otherValue(memory.other) == 0
              ? .maybeEquivalent("masked lanes without a value read 0 on NVIDIA GPUs")
              : kernel.otherExpectation(memory))
        }
      }
    },
  ]

  /// Every `a & b` in a mask.
  private static func conjunctions(
    _ subject: Subject
  ) -> [(KernelView, node: Expr, left: Expr, right: Expr)] {
    var result: [(KernelView, node: Expr, left: Expr, right: Expr)] = []
    for kernel in subject.kernels {
      for mask in kernel.masks {
        mask.walk { node in
          if case .binary(let left, .bitAnd, let right) = node.kind,
            !result.contains(where: { $0.node === node })
          {
            result.append((kernel, node, left, right))
          }
          return CallSite(node) == nil ? .visitChildren : .skipChildren
        }
      }
    }
    return result
  }

  private static func otherValue(_ expression: Expr?) -> Double? {
    switch expression?.kind {
    case .constant(.float(let value)): value
    case .constant(.int(let literal)): literal.value.map(Double.init)
    default: nil
    }
  }
}

extension KernelView {
  /// Whether a loaded value meets those of other lanes, in a reduction or a product: only then does
  /// it matter what masked lanes read.
  func crossesLanes(_ memory: MemoryCall) -> Bool {
    var reached: Set<String> = []
    func isReached(_ expression: Expr) -> Bool {
      var result = false
      expression.walk { node in
        if node === memory.call.expression { result = true }
        if let name = node.bareName, reached.contains(name) { result = true }
        return result ? .skipChildren : .visitChildren
      }
      return result
    }
    let order = definitions.keys.sorted()
    var changed = true
    while changed {
      changed = false
      for name in order where !reached.contains(name) {
        guard definitions[name]?.contains(where: { isReached($0.value) }) == true else { continue }
        reached.insert(name)
        changed = true
      }
    }
    var result = false
    forEachExpression { node, _ in
      guard !result, let (call, name) = builtinCall(node), Self.crossing.contains(name) else {
        return
      }
      result = (call.arguments + call.keywords.map(\.value)).contains(where: isReached)
    }
    return result
  }

  private static let crossing: Set<String> = [
    "dot", "dot_scaled", "sum", "max", "min", "argmax", "argmin", "xor_sum", "reduce",
    "associative_scan", "cumsum", "cumprod", "sort", "topk", "histogram", "gather",
  ]

  /// A factor that is zero, or a test for the same mask, may hide what masked lanes read.
  func otherExpectation(_ memory: MemoryCall) -> Mutant.Expectation {
    var isFactor = false
    forEachExpression { node, _ in
      if let (_, name) = builtinCall(node), name == "dot" || name == "where" || name == "histogram"
      {
        isFactor = true
      }
    }
    return isFactor || isProduct(of: memory)
      ? .maybeEquivalent("the other factor may be zero, or a test may hide the lane")
      : .changesResult
  }

  private func isProduct(of memory: MemoryCall) -> Bool {
    guard case .assign(let targets, _) = memory.site.statement.kind,
      let name = targets.first?.bareName
    else { return false }
    var result = false
    forEachExpression { node, _ in
      guard case .binary(let left, let operation, let right) = node.kind,
        operation == .mul || operation == .bitAnd
      else { return }
      if left.nameSet.contains(name) != right.nameSet.contains(name) { result = true }
    }
    return result
  }
}
