import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Adds `@triton.autotune` to a kernel that is launched with fixed knobs.
struct AutotuneInsertion {
  let function: JITFunction
  let decorators: Decorators
  let names: LanguageNames
  let subject: RewriteSubject

  private var tree: ModuleTree { subject.module }
  private var source: SourceText { tree.source }

  /// The launch options that move from the launches into the configs.
  private static let knobs: Set<String> = ["num_warps", "num_stages", "num_ctas", "maxnreg"]

  func applied(_ configs: [LaunchConfig], key: [String]?) throws(Diagnostic) -> SourceText {
    let sites = try launchSites()
    try requirePlainDecorators()
    let moved = try movedConstants(configs, sites)
    guard let constructor = names.spelling(ofTriton: "Config"),
      let decorator = names.spelling(ofTriton: "autotune")
    else {
      throw Diagnostic(
        id: "no-triton-name", "the module does not import triton", source: source,
        range: function.definition.nameRange)
    }
    let chosenKey = key ?? AutotuneKey(of: function, names: names, subject: subject).names
    let known = Set(function.parameters.map(\.name))
    if let unknown = chosenKey.first(where: { !known.contains($0) }) {
      throw Diagnostic(
        id: "no-such-parameter", "kernel '\(function.name)' has no parameter '\(unknown)'",
        source: source, range: function.definition.nameRange)
    }
    let safety = configs.count > 1 ? try RerunSafety(of: function, in: subject) : nil

    var edits = SourceEditor(tree)
    for site in sites {
      CallEdits(site.call, in: tree)?.remove(Self.knobs.union(moved), in: &edits)
    }
    let offset = function.definition.fullRange.lower
    let indent = tree.indentation(at: offset)
    let ending = tree.lineEnd
    let quote = source.text.contains("'") || !source.text.contains("\"") ? "'" : "\""
    func list(_ names: [String]) -> String {
      "[" + names.map { quote + $0 + quote }.joined(separator: ", ") + "]"
    }
    var text = "@\(decorator)(\(ending)\(indent)    configs=[\(ending)"
    for config in configs {
      guard
        let line = config.pythonText(constructor: constructor, constants: moved, quote: quote)
      else {
        throw Diagnostic(
          id: "config-not-literal", "a constant of these configs has no literal in Python",
          source: source, range: function.definition.nameRange)
      }
      text += "\(indent)        \(line),\(ending)"
    }
    text += "\(indent)    ],\(ending)\(indent)    key=\(list(chosenKey)),\(ending)"
    for (name, values) in [
      ("reset_to_zero", safety?.zeroed ?? []), ("restore_value", safety?.restored ?? []),
    ] where !values.isEmpty {
      text += "\(indent)    \(name)=\(list(values)),\(ending)"
    }
    text += "\(indent))\(ending)\(indent)"
    edits.insert(text, at: offset)
    return try edits.rewritten()
  }

  private func launchSites() throws(Diagnostic) -> [LaunchSites.Site] {
    let found = LaunchSites(of: function.name, in: tree)
    if let other = found.otherReferences.first {
      throw Diagnostic(
        id: "not-a-plain-launch",
        "'\(function.name)' is used other than in a launch, which autotuning may break",
        source: source, range: other)
    }
    guard !found.sites.isEmpty else {
      throw Diagnostic(
        id: "never-launched", "'\(function.name)' is launched nowhere", source: source,
        range: function.definition.nameRange)
    }
    for site in found.sites {
      if let starred = site.doubleStarred {
        throw Diagnostic(
          id: "launch-options-hidden",
          "this launch may pass num_warps or num_stages in a dictionary",
          source: source, range: starred.range)
      }
      if let keyword = site.keywords.first(where: { $0.name == "warmup" || $0.name == "grid" }) {
        throw Diagnostic(
          id: "not-a-plain-launch", "'\(keyword.name ?? "")' is not an argument of a plain launch",
          source: source, range: keyword.range)
      }
    }
    return found.sites
  }

  private func requirePlainDecorators() throws(Diagnostic) {
    if let other = decorators.others.first {
      throw Diagnostic(
        id: "unknown-decorator", "this decorator may not work with @triton.autotune",
        source: source, range: other.range)
    }
    guard !decorators.heuristics.isEmpty else { return }
    guard let set = decorators.heuristicNames else {
      throw Diagnostic(
        id: "heuristics-hidden", "what these heuristics set is not written out here",
        source: source, range: decorators.heuristics[0].expression.range)
    }
    if let knob = set.first(where: { Self.knobs.contains($0.name) }) {
      throw Diagnostic(
        id: "heuristic-sets-knob", "a heuristic sets '\(knob.name)', over any config",
        source: source, range: knob.range)
    }
  }

  /// The constants that differ between the configs, which have to leave the launches.
  private func movedConstants(
    _ configs: [LaunchConfig], _ sites: [LaunchSites.Site]
  ) throws(Diagnostic) -> [String] {
    let moved = function.parameters.map(\.name).filter { name in
      Set(configs.map { $0.constants[name] }).count > 1
    }
    let heuristic = Set(decorators.heuristicNames?.map(\.name) ?? [])
    for name in moved where heuristic.contains(name) {
      throw Diagnostic(
        id: "heuristic-sets-constant", "a heuristic sets '\(name)', over any config",
        source: source, range: decorators.heuristics[0].expression.range)
    }
    for site in sites {
      for name in moved {
        guard site.keyword(name) != nil else {
          throw Diagnostic(
            id: "constant-not-a-keyword",
            "'\(name)' differs between the configs and is not passed "
              + "by name here", source: source, range: site.call.range)
        }
        guard readsFromMeta(name, site.grid) else {
          throw Diagnostic(
            id: "grid-does-not-follow",
            "'\(name)' differs between the configs, and this grid does "
              + "not read it from its argument", source: source, range: site.grid.range)
        }
      }
    }
    return moved
  }

  /// Whether a grid is a function that reads `meta['name']`.
  private func readsFromMeta(_ name: String, _ grid: Expr) -> Bool {
    var found = false
    func scan(_ body: Expr) {
      body.visitEach { inner in
        if case .subscripted(_, let index) = inner.kind, index.stringValue == name { found = true }
      }
    }
    if case .lambda(_, let body) = grid.kind {
      scan(body)
      return found
    }
    guard let gridName = grid.bareName else { return false }
    var definitions = 0
    tree.body.forEachStatement { statement in
      switch statement.kind {
      case .assign(let targets, let value) where targets.contains { $0.bareName == gridName }:
        definitions += 1
        if case .lambda(_, let body) = value.kind { scan(body) } else { definitions += 100 }
      case .function(let definition) where definition.name == gridName:
        definitions += 1
        definition.body.forEachExpression(scan)
      default: break
      }
    }
    return found && definitions == 1
  }
}
