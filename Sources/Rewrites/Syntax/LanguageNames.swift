import PythonSyntax

/// The names under which a module knows `triton`, `triton.language` and their members.
struct LanguageNames {
  /// Names bound to the module `triton`.
  private(set) var triton: Set<String> = []
  /// Names bound to the module `triton.language`.
  private(set) var language: [String] = []
  /// Names bound to a member of `triton` or, with the prefix `language.`, of `triton.language`.
  private var members: [String: String] = [:]

  init(_ tree: ModuleTree) {
    tree.body.forEachStatement { statement in
      switch statement.kind {
      case .import(let aliases):
        for alias in aliases { bind(alias.name, as: alias.asName) }
      case .importFrom(let module?, let aliases, 0)
      where module == "triton" || module.hasPrefix("triton."):
        for alias in aliases { bind("\(module).\(alias.name)", as: alias.asName ?? alias.name) }
      default: break
      }
    }
  }

  private mutating func bind(_ dotted: String, as name: String?) {
    guard let name else {
      if dotted == "triton" || dotted.hasPrefix("triton.") { triton.insert("triton") }
      return
    }
    if dotted == "triton" {
      triton.insert(name)
    } else if dotted == "triton.language" {
      if !language.contains(name) { language.append(name) }
    } else if dotted.hasPrefix("triton.") {
      members[name] = String(dotted.dropFirst("triton.".count))
    }
  }

  /// The dotted path after `triton.` that an expression names: `autotune`, `language.load`.
  func tritonPath(of expression: Expr) -> String? {
    var parts: [String] = []
    var current = expression
    while case .attribute(let base, let name, _) = current.kind {
      parts.append(name)
      current = base
      if parts.count > 8 { return nil }
    }
    guard let root = current.bareName else { return nil }
    let tail = parts.reversed()
    if triton.contains(root) { return tail.isEmpty ? nil : tail.joined(separator: ".") }
    if language.contains(root) { return (["language"] + tail).joined(separator: ".") }
    if let member = members[root] { return ([member] + tail).joined(separator: ".") }
    return nil
  }

  /// The dotted path after `triton.language.`: `load`, `math.exp`.
  func member(of expression: Expr) -> String? {
    guard let path = tritonPath(of: expression), path.hasPrefix("language.") else { return nil }
    return String(path.dropFirst("language.".count))
  }

  /// Whether an annotation says `tl.constexpr`.
  func isConstexpr(_ annotation: Expr?) -> Bool {
    guard let annotation else { return false }
    if let text = annotation.stringValue {
      return text == "constexpr" || text.hasSuffix(".constexpr")
    }
    return member(of: annotation) == "constexpr" || annotation.bareName == "constexpr"
  }

  /// How the module may spell a member of `triton.language`; nil if it imports neither.
  func spelling(ofLanguage member: String) -> String? {
    if let bound = members.first(where: { $0.value == "language.\(member)" }) { return bound.key }
    if let alias = language.first { return "\(alias).\(member)" }
    if let alias = triton.sorted().first { return "\(alias).language.\(member)" }
    return nil
  }

  /// How the module may spell a member of `triton`; nil if it does not import it.
  func spelling(ofTriton member: String) -> String? {
    if let bound = members.first(where: { $0.value == member }) { return bound.key }
    if let alias = triton.sorted().first { return "\(alias).\(member)" }
    return nil
  }
}
