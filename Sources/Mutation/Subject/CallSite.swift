import Diagnostics
import PythonSyntax

/// A call taken apart.
struct CallSite {
  let expression: Expr
  let callee: Expr
  let arguments: [Expr]
  let keywords: [Keyword]

  init?(_ expression: Expr) {
    guard case .call(let callee, let arguments, let keywords) = expression.kind else { return nil }
    self.expression = expression
    self.callee = callee
    self.arguments = arguments
    self.keywords = keywords
  }

  /// The value bound to a parameter.
  func argument(_ name: String, at position: Int? = nil) -> Expr? {
    if let keyword = keywords.first(where: { $0.name == name }) { return keyword.value }
    guard let position, position < arguments.count else { return nil }
    return arguments[position]
  }

  /// `receiver.name(…)`
  var method: (receiver: Expr, name: String)? {
    guard case .attribute(let receiver, let name, _) = callee.kind else { return nil }
    return (receiver, name)
  }

  /// The call written anew with other values for some parameters and without others; the first
  /// `required` parameters stay positional, the others become keywords.
  func text(
    _ subject: Subject, _ parameters: [String], required: Int, changing: [String: String] = [:],
    dropping: Set<String> = []
  ) -> String? {
    guard arguments.count <= parameters.count,
      !arguments.contains(where: { if case .starred = $0.kind { true } else { false } })
    else { return nil }
    var values = zip(parameters, arguments).map { ($0, subject.text($1)) }
    for keyword in keywords {
      guard let name = keyword.name else { return nil }
      values.append((name, subject.text(keyword.value)))
    }
    values.removeAll { dropping.contains($0.0) }
    for (name, change) in changing.sorted(by: { $0.key < $1.key }) {
      if let index = values.firstIndex(where: { $0.0 == name }) {
        values[index].1 = change
      } else {
        values.append((name, change))
      }
    }
    let texts = values.map { name, value in
      parameters.prefix(required).contains(name) ? value : "\(name)=\(value)"
    }
    return "\(subject.text(callee))(\(texts.joined(separator: ", ")))"
  }
}

/// A `tl.load`, `tl.store` or `tl.atomic_…` of a kernel.
struct MemoryCall {
  enum Kind: Equatable {
    case load, store
    case atomic(String)
  }
  let kind: Kind
  let call: CallSite
  let pointer: Expr
  /// What is stored or combined.
  let value: Expr?
  let mask: Expr?
  let other: Expr?
  /// The statement around the call.
  let site: StatementSite

  init?(_ call: CallSite, builtin: String, _ site: StatementSite) {
    let value: Expr?
    switch builtin {
    case "load":
      kind = .load
      value = nil
      mask = call.argument("mask", at: 1)
      other = call.argument("other", at: 2)
    case "store":
      kind = .store
      value = call.argument("value", at: 1)
      mask = call.argument("mask", at: 2)
      other = nil
    case let name where name.hasPrefix("atomic_"):
      kind = .atomic(name)
      value = call.argument("val", at: name == "atomic_cas" ? 2 : 1)
      mask = name == "atomic_cas" ? nil : call.argument("mask", at: 2)
      other = nil
    default: return nil
    }
    guard let pointer = call.argument("pointer", at: 0) else { return nil }
    self.call = call
    self.pointer = pointer
    self.value = value
    self.site = site
  }

  /// The call without some of its arguments.
  func text(_ subject: Subject, dropping: Set<String>) -> String? {
    switch kind {
    case .load:
      return call.text(
        subject,
        [
          "pointer", "mask", "other", "boundary_check", "padding_option", "cache_modifier",
          "eviction_policy", "volatile",
        ], required: 1, dropping: dropping)
    case .store:
      return call.text(
        subject,
        ["pointer", "value", "mask", "boundary_check", "cache_modifier", "eviction_policy"],
        required: 2, dropping: dropping)
    case .atomic("atomic_cas"):
      return call.text(
        subject, ["pointer", "cmp", "val", "sem", "scope"], required: 3, dropping: dropping)
    case .atomic:
      return call.text(
        subject, ["pointer", "val", "mask", "sem", "scope"], required: 2, dropping: dropping)
    }
  }
}

/// A statement of a function and the loops around it.
struct StatementSite {
  let statement: Stmt
  /// Outermost first.
  let loops: [Stmt]

  /// The statements of a body and those inside them, in source order.
  static func all(in body: [Stmt]) -> [StatementSite] {
    var result: [StatementSite] = []
    var work = body.reversed().map { StatementSite(statement: $0, loops: []) }
    while let site = work.popLast() {
      result.append(site)
      var loops = site.loops
      switch site.statement.kind {
      case .for, .while: loops.append(site.statement)
      default: break
      }
      work += site.statement.childStatements.reversed().map {
        StatementSite(statement: $0, loops: loops)
      }
    }
    return result
  }
}
