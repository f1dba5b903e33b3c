import Diagnostics
import PythonSyntax

/// Imports of other files: those that lie where Python would look for them.
extension Evaluator {
  /// Files that import files, nested.
  private static let maximumImportDepth = 30

  /// The module that a file at hand makes; nil where no file of that name is at hand.
  func importFile(_ name: String, level: Int = 0) throws -> ModuleObject? {
    guard let tree = unit?.source.importer?.module(name, level: level) else { return nil }
    return try importFile(tree)
  }

  private func importFile(_ tree: ModuleTree) throws -> ModuleObject? {
    let key = ObjectIdentifier(tree.source)
    if let known = importedFiles[key] { return known }
    guard importDepth < Self.maximumImportDepth else { return nil }
    if let error = tree.diagnostics.first(where: { $0.severity == .error }) {
      throw Unwind.refused(error)
    }
    let scope = Scope(.module, parent: nil)
    let module = ModuleObject(tree.source.name)
    module.scope = scope
    // Before its body runs: files may import each other.
    importedFiles[key] = module
    let imported = SourceUnit(
      source: tree.source, globals: scope, isModule: true, isImported: true)
    module.unit = imported
    let saved = (unit, here, callDepth, nesting, operatorDepth, isRecording, importSite)
    importDepth += 1
    defer {
      importDepth -= 1
      (unit, here, callDepth, nesting, operatorDepth, isRecording, importSite) = saved
    }
    isRecording = false
    importSite = recordedHere
    for statement in tree.body {
      unit = imported
      (callDepth, nesting, operatorDepth) = (0, 0, 0)
      do {
        _ = try execute(statement, scope)
      } catch Unwind.refused(let diagnostic) where diagnostic.id != "host-limit" {
        unit = imported
        standIn(for: statement, "(\(diagnostic.message))", scope)
      } catch Unwind.raised(let exception) {
        unit = imported
        standIn(for: statement, "(\(exceptionText(exception.value)))", scope)
      }
    }
    return module
  }

  /// What a failing definition of an imported file leaves behind: a name that says why it is not
  /// known, should anyone need it.
  private func standIn(for statement: Stmt, _ reason: String, _ scope: Scope) {
    func bind(_ name: String) {
      if scope.variables[name] == nil {
        store(.opaque(OpaqueObject("'\(name)' \(reason)")), name, scope)
      }
    }
    switch statement.kind {
    case .function(let definition): bind(definition.name)
    case .classDef(let definition): bind(definition.name)
    case .assign(let targets, _):
      for case .name(let name) in targets.map(\.kind) { bind(name) }
    case .annAssign(let target, _, _, _):
      if case .name(let name) = target.kind { bind(name) }
    default: break
    }
  }

  /// `from file import name`; nil where the file has no such name.
  func fileAttribute(_ module: ModuleObject, _ name: String) throws -> Value? {
    if let value = module.scope?.variables[name] { return value }
    guard let imported = module.unit, let importer = imported.source.importer, importer.isPackage,
      let tree = importer.module(name, level: 1)
    else { return nil }
    return try importFile(tree).map { .module($0) }
  }

  /// `from module import …` where the module's file, or the files of its names, are at hand.
  func importNames(
    fromFile name: String, _ aliases: [ImportAlias], _ level: Int, _ scope: Scope
  ) throws -> Bool {
    guard let importer = unit?.source.importer else { return false }
    let isModuleKnown = importer.module(name, level: level) != nil
    let separator = name.isEmpty ? "" : "."
    let files = aliases.map { importer.module(name + separator + $0.name, level: level) }
    guard isModuleKnown || files.contains(where: { $0 != nil }) else { return false }
    for (alias, file) in zip(aliases, files) {
      here = alias.range
      // A file of the package needs no run of the package's own `__init__.py`.
      if let file, let module = try importFile(file) {
        store(.module(module), alias.asName ?? alias.name, scope)
        continue
      }
      let owner = try importFile(name, level: level)
      if alias.name == "*" {
        for (name, value) in (owner?.scope?.variables ?? [:]).sorted(by: { $0.key < $1.key })
        where !name.hasPrefix("_") {
          store(value, name, scope)
        }
        continue
      }
      let value = try owner.flatMap { try fileAttribute($0, alias.name) }
      if value == nil, isGuardedImport {
        throw raise("ImportError", "cannot import name '\(alias.name)' from '\(name)'")
      }
      let written = String(repeating: ".", count: level) + name
      store(
        value ?? .opaque(OpaqueObject("'\(alias.name)' of '\(written)'")),
        alias.asName ?? alias.name, scope)
    }
    return true
  }

  /// The place in the module itself that stands for `here`: within an imported file, the call or
  /// import that led there.
  var recordedHere: SourceRange { recorded(here) }

  func recorded(_ range: SourceRange) -> SourceRange {
    unit?.isImported == true ? importSite : range
  }
}
