import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Changes the configs of a kernel that has `@triton.autotune` already.
struct AutotuneEdit {
  let function: JITFunction
  let autotune: Decorators.Entry
  let names: LanguageNames
  let subject: RewriteSubject

  private var tree: ModuleTree { subject.module }
  private var source: SourceText { tree.source }

  func applied(_ configs: [LaunchConfig], key: [String]?) throws(Diagnostic) -> SourceText {
    guard let expression = autotune.argument("configs", at: 0) else {
      throw Diagnostic(
        id: "configs-not-found", "this @triton.autotune names no configs", source: source,
        range: autotune.expression.range)
    }
    var edits = SourceEditor(tree)
    let known = knownConfigs
    let list = literalList(expression)
    let existing = list.flatMap { ConfigList($0, in: tree, names: names, known: known) }
    if let existing { try requireConstants(of: existing, in: configs) }
    if let list, let existing, let text = existing.text(for: configs) {
      edits.replace(list.range, with: text)
    } else {
      edits.replace(expression.range, with: try freshList(configs, replacing: expression))
    }
    let before = existing?.elements.count ?? originalCount
    if configs.count > 1 { try makeRerunSafe(wasSearch: before > 1, &edits) }
    if let key { try setKey(key, &edits) }
    return try edits.rewritten()
  }

  /// A config without a constant that every config of the list sets would leave the kernel without it.
  private func requireConstants(of list: ConfigList, in configs: [LaunchConfig]) throws(Diagnostic)
  {
    let known = list.elements.compactMap(\.config)
    guard let first = known.first, known.count == list.elements.count else { return }
    let parameters = Set(function.parameters.map(\.name))
    let required = known.dropFirst().reduce(Set(first.constants.keys)) { common, config in
      common.intersection(config.constants.keys)
    }.intersection(parameters)
    for config in configs {
      if let missing = required.subtracting(config.constants.keys).sorted().first {
        throw Diagnostic(
          id: "config-lacks-constant", "a config to write does not set '\(missing)'",
          source: source, range: list.list.range)
      }
    }
  }

  /// The list literal to edit: the argument itself, or the value of a variable used only here.
  private func literalList(_ expression: Expr) -> Expr? {
    if case .list = expression.kind { return expression }
    guard let name = expression.bareName else { return nil }
    var bindings: [Expr?] = []
    var mentions = 0
    for statement in tree.body {
      switch statement.kind {
      case .assign(let targets, let value) where targets.contains { $0.bareName == name }:
        bindings.append(targets.count == 1 ? value : nil)
      case .annAssign(let target, _, let value, _) where target.bareName == name:
        bindings.append(value)
      default: break
      }
    }
    tree.body.forEachExpression { if $0.bareName == name { mentions += 1 } }
    guard bindings.count == 1, mentions == 2, let value = bindings[0], case .list = value.kind
    else { return nil }
    return value
  }

  private var knownConfigs: [SourceRange: LaunchConfig] {
    var known: [SourceRange: LaunchConfig] = [:]
    var seen: [SourceRange: Int] = [:]
    guard let launch = subject.run?.launches(of: function.name).first else { return [:] }
    for (config, _) in launch.configs {
      guard let range = config.range else { continue }
      known[range] = config
      seen[range, default: 0] += 1
    }
    return known.filter { seen[$0.key] == 1 }
  }

  private var originalCount: Int {
    subject.run?.launches(of: function.name).map(\.configs.count).max() ?? 2
  }

  /// A literal list in place of an expression that computes one.
  private func freshList(_ configs: [LaunchConfig], replacing expression: Expr) throws(Diagnostic)
    -> String
  {
    // A hook would be lost with the expression that sets it.
    for word in ["pre_hook", "ir_override"] where source.text.contains(word) {
      throw Diagnostic(
        id: "configs-not-literal",
        "these configs are computed, and the module uses '\(word)', which a plain list would lose",
        source: source, range: expression.range)
    }
    guard let constructor = constructor(in: expression) else {
      throw Diagnostic(
        id: "no-triton-name", "the module does not import triton.Config", source: source,
        range: expression.range)
    }
    // What heuristics compute is no constant of a config.
    let computed = Set(
      Decorators(of: function.definition, names: names).heuristicNames?.map(\.name) ?? [])
    let passed = Set(
      LaunchSites(of: function.name, in: tree).sites.flatMap { site in
        function.parameters.map(\.name).filter {
          site.argument(for: $0, of: function.definition) != nil
        }
      })
    let constants = function.parameters.map(\.name).filter { name in
      configs.contains { $0.constants[name] != nil } && !computed.contains(name)
        && !passed.contains(name)
    }
    let quote = source.text.contains("{'") || !source.text.contains("{\"") ? "'" : "\""
    let indent = tree.indentation(at: expression.range.lower)
    let ending = tree.lineEnd
    var lines = "["
    for config in configs {
      guard
        let text = config.pythonText(constructor: constructor, constants: constants, quote: quote)
      else {
        throw Diagnostic(
          id: "config-not-literal", "a constant of these configs has no literal in Python",
          source: source, range: expression.range)
      }
      lines += "\(ending)\(indent)    \(text),"
    }
    return lines + "\(ending)\(indent)]"
  }

  private func constructor(in expression: Expr) -> String? {
    var found: String?
    expression.visitEach { inner in
      if found == nil, case .call(let callee, _, _) = inner.kind,
        let path = names.tritonPath(of: callee), path == "Config" || path.hasSuffix(".Config")
      {
        found = source.text(in: callee.range)
      }
    }
    return found ?? names.spelling(ofTriton: "Config")
  }

  /// A list that becomes a search needs it; one that was a search already gets it where that is clear.
  private func makeRerunSafe(wasSearch: Bool, _ edits: inout SourceEditor) throws(Diagnostic) {
    do throws(Diagnostic) {
      try RerunSafety(of: function, in: subject).complete(autotune, in: tree, &edits)
    } catch {
      if !wasSearch { throw error }
    }
  }

  private func setKey(_ key: [String], _ edits: inout SourceEditor) throws(Diagnostic) {
    let known = Set(function.parameters.map(\.name))
    if let unknown = key.first(where: { !known.contains($0) }) {
      throw Diagnostic(
        id: "no-such-parameter", "kernel '\(function.name)' has no parameter '\(unknown)'",
        source: source, range: function.definition.nameRange)
    }
    let text = "[" + key.map { "'\($0)'" }.joined(separator: ", ") + "]"
    guard let value = autotune.argument("key", at: 1) else {
      CallEdits(autotune.expression, in: tree)?.add(["key=\(text)"], in: &edits)
      return
    }
    if case .list(let elements) = value.kind, elements.compactMap(\.stringValue) == key { return }
    edits.replace(value.range, with: text)
  }
}
