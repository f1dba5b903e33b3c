import Diagnostics
import PythonSyntax

/// How a kernel makes its addresses.
extension KernelView {
  /// Products of an index and a size parameter: the index and the size.
  var strides: [(index: Expr, stride: Expr)] {
    var result: [(index: Expr, stride: Expr)] = []
    forEachExpression { node, _ in
      guard case .binary(let left, .mul, let right) = node.kind, isIndex(node) else { return }
      for (index, stride) in [(left, right), (right, left)] {
        guard let name = stride.bareName, parameters.contains(name), !pointers.contains(name),
          !traits(of: index).isDisjoint(with: [.lane, .program, .loop])
        else { continue }
        result.append((index, stride))
      }
    }
    return result
  }

  /// The sums of a statement that are no part of a longer sum.
  func sumRoots(_ site: StatementSite) -> [Expr] {
    var result: [Expr] = []
    func collect(_ expression: Expr) {
      expression.walk { node in
        guard case .binary(_, .add, _) = node.kind else { return .visitChildren }
        result.append(node)
        for term in node.terms where term !== node {
          term.walk { inner in
            guard case .binary(_, .add, _) = inner.kind else { return .visitChildren }
            result.append(inner)
            return .skipChildren
          }
        }
        return .skipChildren
      }
    }
    for expression in site.statement.childExpressions { collect(expression) }
    return result
  }

  /// The calls of `tl.program_id` or `tl.num_programs`.
  func programCalls(_ name: String) -> [CallSite] {
    var result: [CallSite] = []
    forEachExpression { node, _ in
      if let (call, found) = builtinCall(node), found == name { result.append(call) }
    }
    return result
  }

  /// Plants accesses whose address lacks the parts that depend on the program, or on the loop.
  /// Where a pointer was prepared in statements before, the part is dropped there, if nothing but
  /// the accesses in question use the pointer.
  func plantTermDrops(
    _ trait: Traits, _ subject: Subject, _ planter: inout Planter,
    _ expectation: Mutant.Expectation, where isMeant: (MemoryCall) -> Bool
  ) {
    let what = trait == .program ? "the program" : "the loop"
    for memory in memoryCalls where isMeant(memory) {
      if !indexTraits(of: memory.pointer).isDisjoint(with: trait),
        let text = text(memory.pointer, without: trait, subject), memory.pointer.bareName == nil
      {
        planter.replace(
          memory.pointer, with: text,
          "the address `\(subject.text(memory.pointer))` no longer depends on \(what)", expectation)
      }
    }
    for name in pointers.sorted() {
      let uses = memoryCalls.filter { sources(of: $0.pointer).contains(name) }
      guard !uses.isEmpty, uses.allSatisfy(isMeant) else { continue }
      for definition in definitions[name] ?? [] {
        guard !indexTraits(of: definition.value).isDisjoint(with: trait) else { continue }
        if definition.isAugmented {
          guard definition.site.loops.isEmpty || trait == .loop else { continue }
          planter.replace(
            definition.site.statement.range, with: "pass",
            "the pointer `\(name)` no longer depends on \(what)", expectation)
        } else {
          plantBlockPointer(definition.value, trait, subject, &planter, expectation)
          if case .binary = definition.value.kind,
            let text = text(definition.value, without: trait, subject)
          {
            planter.replace(
              definition.value, with: text, "the pointer `\(name)` no longer depends on \(what)",
              expectation)
          }
        }
      }
    }
  }

  /// The pointers that an address is made from, directly or through others.
  private func sources(of address: Expr) -> Set<String> {
    var found: Set<String> = []
    var work = Array(address.nameSet.intersection(pointers))
    while let name = work.popLast() {
      guard found.insert(name).inserted else { continue }
      for definition in definitions[name] ?? [] {
        work += definition.value.nameSet.intersection(pointers)
      }
    }
    return found
  }

  private func plantBlockPointer(
    _ value: Expr, _ trait: Traits, _ subject: Subject, _ planter: inout Planter,
    _ expectation: Mutant.Expectation
  ) {
    guard let call = builtinCall(value, "make_block_ptr") else { return }
    if let base = call.argument("base", at: 0), !indexTraits(of: base).isDisjoint(with: trait),
      let text = text(base, without: trait, subject)
    {
      planter.replace(
        base, with: text, "the base no longer depends on the program", expectation)
    }
    guard let offsets = call.argument("offsets", at: 3), case .tuple(let parts) = offsets.kind
    else { return }
    for part in parts where !traits(of: part).isDisjoint(with: trait) {
      planter.replace(
        part, with: text(part, without: trait, subject) ?? "0",
        "the offset `\(subject.text(part))` no longer depends on the program", expectation)
    }
  }
}
