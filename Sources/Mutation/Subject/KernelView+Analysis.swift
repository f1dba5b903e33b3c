import PythonSyntax

/// How a kernel's names depend on each other.
extension KernelView {
  static func definitions(_ sites: [StatementSite]) -> [String: [Definition]] {
    var result: [String: [Definition]] = [:]
    func define(_ target: Expr, _ value: Expr, _ isAugmented: Bool, _ site: StatementSite) {
      switch target.kind {
      case .name(let name):
        result[name, default: []].append(
          Definition(value: value, isAugmented: isAugmented, site: site))
      case .tuple(let targets), .list(let targets):
        var values = [Expr](repeating: value, count: targets.count)
        if case .tuple(let parts) = value.kind, parts.count == targets.count { values = parts }
        for (target, value) in zip(targets, values) where target.bareName != nil {
          define(target, value, isAugmented, site)
        }
      default: break
      }
    }
    for site in sites {
      switch site.statement.kind {
      case .assign(let targets, let value):
        for target in targets { define(target, value, false, site) }
      case .augAssign(let target, _, let value): define(target, value, true, site)
      case .annAssign(let target, _, let value?, _): define(target, value, false, site)
      default: break
      }
    }
    return result
  }

  static func traits(
    _ sites: [StatementSite], _ definitions: [String: [Definition]], _ names: TritonNames
  ) -> [String: Traits] {
    var traits: [String: Traits] = [:]
    for site in sites {
      guard case .for(let loop) = site.statement.kind else { continue }
      for name in loop.target.nameSet { traits[name] = .loop }
    }
    for site in sites {
      guard case .while(let test, _, _) = site.statement.kind else { continue }
      for name in test.nameSet where definitions[name] != nil { traits[name] = .loop }
    }
    let order = definitions.keys.sorted()
    var changed = true
    while changed {  // ends: traits only grow
      changed = false
      for name in order {
        let old = traits[name] ?? []
        var new = old
        for definition in definitions[name] ?? [] {
          new.formUnion(self.traits(of: definition.value, traits, names))
        }
        if new != old {
          traits[name] = new
          changed = true
        }
      }
    }
    return traits
  }

  static func traits(
    of expression: Expr, _ known: [String: Traits], _ names: TritonNames
  ) -> Traits {
    var result: Traits = []
    expression.visitAll { node in
      switch node.kind {
      case .name(let name): result.formUnion(known[name] ?? [])
      case .constant(.float): result.insert(.float)
      case .attribute:
        if let member = names.builtin(node), member.contains("float") { result.insert(.float) }
      case .call(let callee, _, _):
        switch names.builtin(callee) {
        case "program_id": result.insert(.program)
        case "arange": result.insert(.lane)
        case "load": result.insert(.data)
        case let name? where name.hasPrefix("atomic_"): result.insert(.data)
        case nil where callee.bareName == "float": result.insert(.float)
        default: break
        }
      default: break
      }
    }
    return result
  }

  /// Where a pointer comes from: the first term of a sum, the base of a block pointer.
  private static func base(_ expression: Expr, _ names: TritonNames) -> String? {
    var current = expression
    while true {
      switch current.kind {
      case .name(let name): return name
      case .binary(let left, .add, _), .binary(let left, .sub, _): current = left
      case .call(let callee, let arguments, let keywords):
        guard let name = names.builtin(callee), ["make_block_ptr", "advance"].contains(name) else {
          return nil
        }
        guard let next = keywords.first(where: { $0.name == "base" })?.value ?? arguments.first
        else { return nil }
        current = next
      default: return nil
      }
    }
  }

  static func pointers(
    _ calls: [MemoryCall], _ definitions: [String: [Definition]], _ names: TritonNames
  ) -> Set<String> {
    var found = Set(calls.compactMap { base($0.pointer, names) })
    var work = Array(found)
    while let name = work.popLast() {
      for definition in definitions[name] ?? [] where !definition.isAugmented {
        if let source = base(definition.value, names), found.insert(source).inserted {
          work.append(source)
        }
      }
    }
    return found
  }

  /// The expressions that masks consist of, names replaced by what they hold.
  static func masks(
    _ calls: [MemoryCall], _ definitions: [String: [Definition]]
  ) -> [Expr] {
    var result: [Expr] = []
    var seen: Set<String> = []
    var work = Array(calls.compactMap(\.mask).reversed())
    while let expression = work.popLast() {
      if !result.contains(where: { $0 === expression }) { result.append(expression) }
      expression.visitAll { node in
        guard let name = node.bareName, let values = definitions[name],
          values.allSatisfy({ $0.value.isLogical }), seen.insert(name).inserted
        else { return }
        work += values.map(\.value)
      }
    }
    return result
  }

  /// The text of an index without the parts that have a trait; nil if nothing is left of it. Names
  /// are followed to their only definition, so the rest of the kernel keeps the whole index; names of
  /// pointers stay.
  func text(_ expression: Expr, without trait: Traits, _ subject: Subject, depth: Int = 0)
    -> String?
  {
    guard !indexTraits(of: expression).isDisjoint(with: trait) else {
      return subject.text(expression)
    }
    guard depth < 40 else { return nil }
    func rest(_ part: Expr) -> String? {
      indexTraits(of: part).isDisjoint(with: trait)
        ? subject.wrapped(part) : text(part, without: trait, subject, depth: depth + 1)
    }
    switch expression.kind {
    case .binary(_, .add, _):
      let parts = expression.terms.compactMap(rest)
      return parts.isEmpty ? nil : "(\(parts.joined(separator: " + ")))"
    case .binary(let left, .mul, let right):
      guard let first = rest(left), let second = rest(right) else { return nil }
      return "\(first) * \(second)"
    case .name(let name):
      guard let values = definitions[name], values.count == 1, !values[0].isAugmented else {
        return nil
      }
      return rest(values[0].value)
    case .subscripted(let value, let index):
      return rest(value).map { "(\($0))[\(subject.text(index))]" }
    case .call(let callee, let arguments, _):
      guard case .attribute(let receiver, "to", _) = callee.kind, arguments.count == 1 else {
        return nil
      }
      return rest(receiver).map { "(\($0)).to(\(subject.text(arguments[0])))" }
    default: return nil
    }
  }
}

extension Expr {
  /// Whether a comparison decides the value: one itself, or combined by `&`, `|` and `~`.
  var isLogical: Bool {
    var work = [self]
    while let current = work.popLast() {
      switch current.kind {
      case .compare, .boolOp, .unary(.not, _): return true
      case .binary(let left, .bitAnd, let right), .binary(let left, .bitOr, let right):
        work += [left, right]
      case .unary(.invert, let operand): work.append(operand)
      case .subscripted(let value, _): work.append(value)
      default: break
      }
    }
    return false
  }
}
