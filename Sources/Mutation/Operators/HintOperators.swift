import Diagnostics
import PythonSyntax

extension MutationOperator {
  /// Hints to the compiler that do not hold.
  static let hint: [MutationOperator] = [
    MutationOperator("hint-program-multiple", .hint) { subject, planter in
      for kernel in subject.kernels {
        for call in kernel.programCalls("program_id") {
          let text = subject.text(call.expression)
          planter.replace(
            call.expression, with: "\(subject.language("multiple_of"))(\(text), 16)",
            "the number of the program is said to be a multiple of 16", .wrongHint)
        }
      }
    },
    MutationOperator("hint-size-multiple", .hint) { subject, planter in
      for (kernel, first) in entries(subject) {
        for name in sizes(kernel) {
          insert(
            "\(name) = \(subject.language("multiple_of"))(\(name), 16)", before: first, subject,
            &planter, "`\(name)` is said to be a multiple of 16")
        }
      }
    },
    MutationOperator("hint-assume-size", .hint) { subject, planter in
      for (kernel, first) in entries(subject) {
        for name in sizes(kernel).prefix(2) {
          insert(
            "\(subject.language("assume"))(\(name) % 16 == 0)", before: first, subject, &planter,
            "`\(name)` is assumed to be a multiple of 16")
        }
      }
    },
    MutationOperator("hint-assume-program", .hint) { subject, planter in
      for (_, first) in entries(subject) {
        insert(
          "\(subject.language("assume"))(\(subject.language("program_id"))(0) == 0)",
          before: first, subject, &planter, "all programs but the first are assumed away")
      }
    },
    MutationOperator("hint-contiguous", .hint) { subject, planter in
      for kernel in subject.kernels {
        kernel.forEachExpression { node, site in
          guard case .binary(let left, let operation, _) = node.kind,
            operation == .floorDiv || operation == .mod, kernel.isIndex(node),
            kernel.isRow(left), !site.statement.childExpressions.isEmpty
          else { return }
          planter.replace(
            node, with: "\(subject.language("max_contiguous"))(\(subject.text(node)), 16)",
            "`\(subject.text(node))` is said to run on without a break", .wrongHint)
        }
      }
    },
  ]

  /// Launched kernels, which alone get their parameters from outside, and their first statements.
  private static func entries(_ subject: Subject) -> [(KernelView, Stmt)] {
    let launched = Set(
      subject.wrappers.flatMap { $0.launches.map(\.kernel.function.name) })
    return subject.kernels.compactMap { kernel in
      guard launched.contains(kernel.function.name),
        let first = kernel.function.body.first(where: {
          if case .expression(let value) = $0.kind { value.string == nil } else { true }
        }), subject.tree.isFirstOnLine(first.range.lower)
      else { return nil }
      return (kernel, first)
    }
  }

  /// The integer parameters: those that bounds and strides are made of.
  private static func sizes(_ kernel: KernelView) -> [String] {
    var used = Set(kernel.strides.compactMap(\.stride.bareName))
    for node in kernel.maskComparisons {
      if let bound = Bound(node) { used.formUnion(bound.right.nameSet) }
    }
    return kernel.function.parameters.all.map(\.name).filter {
      used.contains($0) && kernel.parameters.contains($0)
    }
  }

  private static func insert(
    _ line: String, before statement: Stmt, _ subject: Subject, _ planter: inout Planter,
    _ words: String
  ) {
    let place = statement.range.lower
    planter.replace(
      SourceRange(place, place),
      with: line + subject.tree.lineEnd + subject.tree.indentation(at: place), words, .wrongHint)
  }
}

extension KernelView {
  /// Whether an index is a row of lanes, as far as can be seen: made from `tl.arange` without
  /// broadcasts.
  func isRow(_ expression: Expr) -> Bool {
    guard traits(of: expression).contains(.lane), let name = expression.bareName,
      let values = definitions[name], values.count == 1
    else { return false }
    var result = true
    values[0].value.visitAll { if case .subscripted = $0.kind { result = false } }
    for part in values[0].value.nameSet where part != name {
      for definition in definitions[part] ?? [] {
        definition.value.visitAll { if case .subscripted = $0.kind { result = false } }
      }
    }
    return result
  }
}
