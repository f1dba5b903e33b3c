import PythonSyntax

/// The names under which a module knows `triton` and `triton.language`.
struct TritonNames {
  private var triton: Set<String> = []
  private var language: Set<String> = []
  /// Names bound to one member, as the path below `triton`.
  private var members: [String: String] = [:]
  /// How `triton.language` is written in this module, `tl` as a rule.
  private(set) var languageAlias: String?

  init(_ tree: ModuleTree) {
    tree.walk { statement in
      switch statement.kind {
      case .import(let aliases):
        for alias in aliases {
          if alias.name == "triton" { triton.insert(alias.asName ?? "triton") }
          if alias.name == "triton.language", let name = alias.asName { bindLanguage(name) }
        }
      case .importFrom(let module?, let aliases, 0)
      where module == "triton" || module.hasPrefix("triton."):
        for alias in aliases {
          let path = "\(module).\(alias.name)".dropFirst("triton.".count)
          let name = alias.asName ?? alias.name
          if path == "language" { bindLanguage(name) } else { members[name] = String(path) }
        }
      default: break
      }
      return .visitChildren
    }
    if languageAlias == nil, let name = triton.sorted().first { languageAlias = name + ".language" }
  }

  private mutating func bindLanguage(_ name: String) {
    language.insert(name)
    if languageAlias == nil { languageAlias = name }
  }

  /// The path below `triton` that an expression names: `jit`, `cdiv`, `language.load`.
  func path(of expression: Expr) -> String? {
    var parts: [String] = []
    var current = expression
    while case .attribute(let base, let name, _) = current.kind {
      parts.append(name)
      current = base
      if parts.count > 6 { return nil }
    }
    guard case .name(let root) = current.kind else { return nil }
    if let member = members[root] { return ([member] + parts.reversed()).joined(separator: ".") }
    if language.contains(root) {
      return (["language"] + parts.reversed()).joined(separator: ".")
    }
    return triton.contains(root) ? parts.reversed().joined(separator: ".") : nil
  }

  /// The last part of a member of `triton.language`: `load`, `exp` for `tl.math.exp` too.
  func builtin(_ expression: Expr) -> String? {
    guard let path = path(of: expression), path.hasPrefix("language.") else { return nil }
    return path.split(separator: ".").last.map(String.init)
  }
}
