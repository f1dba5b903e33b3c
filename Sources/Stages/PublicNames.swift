import Diagnostics
import PythonSyntax

/// The names and signatures that a module's users rely on.
enum PublicNames {
  struct Change {
    var id: String
    var message: String
    var range: SourceRange
  }

  /// What the candidate dropped or changed of the original's functions and classes.
  static func check(candidate: ModuleTree, original: ModuleTree) -> [Change] {
    var changes: [Change] = []
    let functions = Dictionary(
      candidate.functions.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    // What makes inputs for a test is no part of the module: the strict form leaves it out.
    let testing: Set = ["get_inputs", "get_init_inputs"]
    for function in original.functions
    where !function.name.hasPrefix("_") && !testing.contains(function.name) {
      guard let now = functions[function.name] else {
        changes.append(missing("function", function.name))
        continue
      }
      if let change = signature(now, function, name: function.name) { changes.append(change) }
      if StageRules.isKernel(function) != StageRules.isKernel(now) {
        changes.append(
          Change(
            id: "kernel-decorator",
            message:
              "'\(function.name)' is \(StageRules.isKernel(now) ? "now" : "no longer") a kernel",
            range: now.nameRange))
      }
    }
    let classes = Dictionary(
      candidate.classes.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    for definition in original.classes where !definition.name.hasPrefix("_") {
      guard let now = classes[definition.name] else {
        changes.append(missing("class", definition.name))
        continue
      }
      changes += methods(now, definition)
    }
    return changes
  }

  private static func missing(_ kind: String, _ name: String) -> Change {
    Change(
      id: "name-removed", message: "the original's \(kind) '\(name)' is missing",
      range: SourceRange(0, 0))
  }

  private static func methods(_ now: ClassDef, _ before: ClassDef) -> [Change] {
    func functions(_ definition: ClassDef) -> [FunctionDef] {
      definition.body.compactMap {
        if case .function(let function) = $0.kind { function } else { nil }
      }
    }
    let own = Dictionary(
      functions(now).map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    return functions(before).compactMap { method in
      guard !method.name.hasPrefix("_") || method.name == "__init__" else { return nil }
      guard let new = own[method.name] else {
        return Change(
          id: "name-removed",
          message: "the original's method '\(before.name).\(method.name)' is missing",
          range: now.nameRange)
      }
      return signature(new, method, name: "\(before.name).\(method.name)")
    }
  }

  /// Old parameters keep name, order and kind; new ones come after them and have defaults.
  private static func signature(_ now: FunctionDef, _ before: FunctionDef, name: String) -> Change?
  {
    let old = before.parameters.all
    let new = now.parameters.all
    func change(_ what: String) -> Change {
      Change(
        id: "signature-changed", message: "the signature of '\(name)' \(what)", range: now.nameRange
      )
    }
    for (index, parameter) in old.enumerated() {
      guard index < new.count, new[index].name == parameter.name else {
        let isMoved = new.contains { $0.name == parameter.name }
        return change(
          isMoved ? "has '\(parameter.name)' in another place" : "lacks '\(parameter.name)'")
      }
      if new[index].kind != parameter.kind {
        return change("takes '\(parameter.name)' in another way")
      }
      if parameter.defaultValue != nil, new[index].defaultValue == nil {
        return change("has no default for '\(parameter.name)'")
      }
    }
    for parameter in new.dropFirst(old.count) {
      let needsValue = parameter.kind != .variadic && parameter.kind != .keywordVariadic
      if needsValue, parameter.defaultValue == nil, !StageRules.isKernel(now) {
        return change("has a new parameter '\(parameter.name)' without a default")
      }
    }
    return nil
  }
}
