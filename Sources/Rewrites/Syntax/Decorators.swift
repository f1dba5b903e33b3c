import Diagnostics
import PythonSyntax

/// The decorators of a `@triton.jit` function, by what they are.
struct Decorators {
  /// One decorator that is a call, or a bare name.
  struct Entry {
    let expression: Expr
    let arguments: [Expr]
    let keywords: [Keyword]

    func argument(_ name: String, at position: Int? = nil) -> Expr? {
      if let keyword = keywords.first(where: { $0.name == name }) { return keyword.value }
      if let position, position < arguments.count { return arguments[position] }
      return nil
    }
  }

  private(set) var autotune: Entry?
  private(set) var heuristics: [Entry] = []
  private(set) var jit: Entry?
  private(set) var others: [Expr] = []

  init(of function: FunctionDef, names: LanguageNames) {
    for decorator in function.decorators {
      var callee = decorator
      var arguments: [Expr] = []
      var keywords: [Keyword] = []
      if case .call(let called, let positional, let named) = decorator.kind {
        (callee, arguments, keywords) = (called, positional, named)
      }
      let entry = Entry(expression: decorator, arguments: arguments, keywords: keywords)
      switch names.tritonPath(of: callee) {
      case "autotune", "runtime.autotune", "runtime.autotuner.autotune": autotune = entry
      case "heuristics", "runtime.heuristics", "runtime.autotuner.heuristics":
        heuristics.append(entry)
      case "jit", "runtime.jit", "runtime.jit.jit": jit = entry
      default: others.append(decorator)
      }
    }
  }

  /// The names a heuristic sets, with the place; nil where the dictionary is not a literal.
  var heuristicNames: [(name: String, range: SourceRange)]? {
    var found: [(String, SourceRange)] = []
    for entry in heuristics {
      guard case .dict(let keys, _)? = entry.argument("values", at: 0)?.kind else { return nil }
      for key in keys {
        guard let key, let name = key.stringValue else { return nil }
        found.append((name, key.range))
      }
    }
    return found
  }

  /// Parameters the launcher must not specialise, by name or index.
  func unspecialized(_ function: FunctionDef) -> Set<String> {
    guard let jit else { return [] }
    var found: Set<String> = []
    for list in ["do_not_specialize", "do_not_specialize_on_alignment"] {
      guard let value = jit.argument(list) else { continue }
      switch value.kind {
      case .list(let elements), .tuple(let elements), .set(let elements):
        for element in elements {
          if let name = element.stringValue { found.insert(name) }
          if let index = element.integerValue, function.parameters.all.indices.contains(index) {
            found.insert(function.parameters.all[index].name)
          }
        }
      default: found.formUnion(function.parameters.all.map(\.name))  // unknown: all of them
      }
    }
    return found
  }
}
