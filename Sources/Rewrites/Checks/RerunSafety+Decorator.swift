import Diagnostics
import PythonSyntax
import TritonLowering

/// What `@triton.autotune` has to name so that its trial runs leave the arguments as they were.
extension RerunSafety {
  /// The parameters that a decorator does not name yet.
  struct Missing {
    var restored: [String]
    var zeroed: [String]

    var isEmpty: Bool { restored.isEmpty && zeroed.isEmpty }
    /// Both, for messages.
    var names: String { (restored + zeroed).map { "'\($0)'" }.joined(separator: ", ") }
  }

  private static let restoreValue = "restore_value"
  private static let resetToZero = "reset_to_zero"

  /// - Throws: where the decorator's own hooks or lists hide what it does.
  func missing(from autotune: Decorators.Entry, in source: SourceText) throws(Diagnostic) -> Missing
  {
    let none = Missing(restored: [], zeroed: [])
    guard !isSafe else { return none }
    // A config's own pre_hook runs before every trial and before the run that counts.
    if let configs = autotune.argument("configs", at: 0), configs.namesKeyword("pre_hook") {
      return none
    }
    let names = (restored + zeroed).joined(separator: ", ")
    for hook in ["pre_hook", "post_hook"] where autotune.argument(hook) != nil {
      throw Diagnostic(
        id: "rerun-unproven",
        "the kernel updates \(names) in place, and hooks of its own replace restore_value",
        source: source, range: autotune.expression.range)
    }
    var covered: Set<String> = []
    for (list, position) in [(Self.resetToZero, 3), (Self.restoreValue, 4)] {
      guard let value = autotune.argument(list, at: position) else { continue }
      guard let texts = value.stringElements else {
        throw Diagnostic(
          id: "rerun-unproven",
          "the kernel updates \(names) in place, and what this restores is not written out here",
          source: source, range: value.range)
      }
      covered.formUnion(texts)
    }
    return Missing(
      restored: restored.filter { !covered.contains($0) },
      zeroed: zeroed.filter { !covered.contains($0) })
  }

  /// Adds to a decorator what it lacks.
  /// - Throws: as ``missing(from:in:)``.
  func complete(
    _ autotune: Decorators.Entry, in tree: ModuleTree, _ edits: inout SourceEditor
  ) throws(Diagnostic) {
    let missing = try missing(from: autotune, in: tree.source)
    var added: [String] = []
    for (list, position, names) in [
      (Self.resetToZero, 3, missing.zeroed), (Self.restoreValue, 4, missing.restored),
    ] where !names.isEmpty {
      let quote = tree.source.text(in: autotune.expression.range).contains("'") ? "'" : "\""
      let texts = names.map { quote + $0 + quote }.joined(separator: ", ")
      guard let value = autotune.argument(list, at: position) else {
        added.append("\(list)=[\(texts)]")
        continue
      }
      switch value.kind {
      case .list(let elements), .tuple(let elements):
        if let last = elements.last {
          edits.insert(", \(texts)", at: last.range.upper)
        } else {
          edits.replace(value.range, with: "[\(texts)]")
        }
      default: edits.replace(value.range, with: "[\(texts)]")  // None
      }
    }
    CallEdits(autotune.expression, in: tree)?.add(added, in: &edits)
  }
}

extension Expr {
  /// The texts of a list or tuple of string literals, none for `None`; nil for anything else.
  fileprivate var stringElements: [String]? {
    switch kind {
    case .constant(.none): return []
    case .list(let elements), .tuple(let elements):
      let texts = elements.compactMap(\.stringValue)
      return texts.count == elements.count ? texts : nil
    default: return nil
    }
  }

  /// Whether a call inside passes a keyword of this name other than `None`.
  fileprivate func namesKeyword(_ name: String) -> Bool {
    var found = false
    visitEach { inner in
      guard case .call(_, _, let keywords) = inner.kind,
        let value = keywords.first(where: { $0.name == name })?.value
      else { return }
      if case .constant(.none) = value.kind { return }
      found = true
    }
    return found
  }
}
