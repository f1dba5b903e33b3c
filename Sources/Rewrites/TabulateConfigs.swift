import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Lets a table choose an autotuned kernel's config for the shapes that it knows.
///
/// Before:
/// ```python
/// @triton.autotune(configs=[A, B], key=['n'])
/// @triton.jit
/// def scale(x_ptr, n, BLOCK: tl.constexpr): …
/// ```
/// After:
/// ```python
/// # The config of 'scale' by n; other values try all configs.
/// SCALE_TABLE = {
///     (4096,): 1,
/// }
///
///
/// def scale_choice(configs, named_args, **kwargs):
///     arguments = {**named_args, **kwargs}
///     index = SCALE_TABLE.get((arguments.get('n'),))
///     return configs if index is None else [configs[index]]
///
///
/// @triton.autotune(configs=[A, B], key=['n'], prune_configs_by={'early_config_prune': scale_choice})
/// ```
/// The list stays whole, so a stage's rules about it hold as before, and a value that is not in the
/// table is tuned as before.
/// Requires: `@triton.autotune` with a list of several configs and a key of integer arguments.
/// Refuses when: the list or the key is computed, the key is empty, the decorator prunes its configs
/// already, the key has an argument without a value in the table, or a name is taken.
/// Numerics: bit-exact; it chooses among configs that may be chosen anyway.
public struct TabulateConfigs: Rewrite {
  public let id = "tabulate-configs"
  public let summary = "Chooses an autotuned kernel's config by a table of shapes."
  /// Of itself it chooses nothing new: it spares the trial runs.
  public var mayGain: Bool { false }

  /// One line of the table: the values of the key's arguments, and the config's place in the list.
  public struct Row: Hashable, Sendable {
    public var values: [String: Int]
    public var config: Int

    public init(values: [String: Int], config: Int) {
      self.values = values
      self.config = config
    }
  }
  public var rows: [Row]
  /// What the rows rest on, for the comment above the table: "measured on NVIDIA H200".
  public var evidence: String

  public init(rows: [Row] = [], evidence: String = "") {
    self.rows = rows
    self.evidence = evidence
  }

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    guard !rows.isEmpty else { return [] }
    let names = LanguageNames(subject.module)
    return subject.triton.functions.compactMap { function in
      guard let autotune = Decorators(of: function.definition, names: names).autotune,
        autotune.argument("prune_configs_by") == nil
      else { return nil }
      return RewriteSite(
        rewrite: id, kernel: function.name, range: autotune.expression.range,
        names: keyNames(of: autotune) ?? [],
        what: "choose the config of '\(function.name)' by a table of \(rows.count) shapes",
        why: "shapes of the table need no trial runs")
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let tree = subject.module
    func refusal(_ id: String, _ message: String, _ range: SourceRange?) -> Diagnostic {
      Diagnostic(id: id, message, source: tree.source, range: range)
    }
    guard let function = subject.triton.function(named: site.kernel) else {
      throw refusal("no-such-kernel", "there is no kernel '\(site.kernel)'", nil)
    }
    let names = LanguageNames(tree)
    guard let autotune = Decorators(of: function.definition, names: names).autotune else {
      throw refusal(
        "not-autotuned", "'\(site.kernel)' is not autotuned, so there is no list to choose from",
        function.definition.nameRange)
    }
    if let pruning = autotune.argument("prune_configs_by") {
      throw refusal(
        "configs-pruned", "this decorator prunes its configs in a way of its own", pruning.range)
    }
    guard let list = autotune.argument("configs", at: 0), case .list(let configs) = list.kind,
      configs.count > 1,
      !configs.contains(where: { if case .starred = $0.kind { true } else { false } })
    else {
      throw refusal(
        "configs-not-literal", "the configs are not written out as a list of several",
        autotune.expression.range)
    }
    guard let key = keyNames(of: autotune), !key.isEmpty else {
      throw refusal(
        "no-key", "no key tells the shapes apart",
        (autotune.argument("key", at: 1) ?? autotune.expression).range)
    }
    guard !rows.isEmpty else {
      throw refusal("no-rows", "the table is empty", autotune.expression.range)
    }
    for row in rows {
      guard configs.indices.contains(row.config) else {
        throw refusal(
          "no-such-config", "the list has no config \(row.config)", list.range)
      }
      if let missing = key.first(where: { row.values[$0] == nil }) {
        throw refusal(
          "key-not-an-integer", "a row of the table has no value of '\(missing)'",
          autotune.argument("key", at: 1)?.range)
      }
    }
    let table = site.kernel.uppercased() + "_TABLE"
    let choice = site.kernel + "_choice"
    for name in [table, choice] {
      if let taken = Self.use(of: name, in: tree) {
        throw refusal("name-taken", "the module uses the name '\(name)' itself", taken)
      }
    }
    var edits = SourceEditor(tree)
    let start = Self.start(of: function.definition, in: tree)
    edits.insert(text(table, choice, key, site.kernel, tree), at: start)
    CallEdits(autotune.expression, in: tree)?.add(
      ["prune_configs_by={'early_config_prune': \(choice)}"], in: &edits)
    return Rewritten(
      source: try edits.rewritten(), site: site, numerics: .bitExact, addedNames: [table, choice])
  }

  private func text(
    _ table: String, _ choice: String, _ key: [String], _ kernel: String, _ tree: ModuleTree
  ) -> String {
    func tuple(_ parts: [String]) -> String {
      "(" + parts.joined(separator: ", ") + (parts.count == 1 ? ",)" : ")")
    }
    let basis = evidence.isEmpty ? "" : " (\(evidence))"
    var lines = [
      "# The config of '\(kernel)' by \(key.joined(separator: ", "))\(basis); other values try all "
        + "configs.", "\(table) = {",
    ]
    var seen: Set<[Int]> = []
    for row in rows {
      let values = key.compactMap { row.values[$0] }
      guard seen.insert(values).inserted else { continue }
      lines.append("    \(tuple(values.map(String.init))): \(row.config),")
    }
    lines += [
      "}", "", "", "def \(choice)(configs, named_args, **kwargs):",
      "    arguments = {**named_args, **kwargs}",
      "    index = \(table).get(\(tuple(key.map { "arguments.get('\($0)')" })))",
      "    return configs if index is None else [configs[index]]", "", "", "",
    ]
    return lines.joined(separator: tree.lineEnd)
  }

  /// The names of `key=[…]`; nil where they are computed.
  private func keyNames(of autotune: Decorators.Entry) -> [String]? {
    switch autotune.argument("key", at: 1)?.kind {
    case .list(let elements)?, .tuple(let elements)?:
      let names = elements.compactMap(\.stringValue)
      return names.count == elements.count ? names : nil
    default: return nil
    }
  }

  private static func use(of name: String, in tree: ModuleTree) -> SourceRange? {
    var found: SourceRange?
    tree.body.forEachStatement { statement in
      if let bound = statement.boundNames.first(where: { $0.name == name }), found == nil {
        found = bound.range
      }
    }
    tree.body.forEachExpression { if $0.bareName == name, found == nil { found = $0.range } }
    return found
  }

  /// The first line that belongs to a definition: of the comments right above it.
  private static func start(of definition: FunctionDef, in tree: ModuleTree) -> Int {
    var line = tree.source.lineIndex(at: definition.fullRange.lower)
    while line > 0, tree.source.lineText(line - 1).hasPrefix("#") { line -= 1 }
    return tree.source.lineStarts[line]
  }
}
