import Diagnostics
import PythonSyntax
import TritonLowering

/// A kernel's text with all that its compilation depends on, as a hash: the function, the
/// `@triton.jit` functions that it calls, and the module's constants that they read. Comments, space
/// and decorators (the configs) do not count.
enum KernelContent {
  static func hash(of kernel: String, in triton: TritonModule) -> String? {
    guard let function = triton.function(named: kernel) else { return nil }
    let tree = triton.tree
    var constants: [String: SourceRange] = [:]
    for statement in tree.body {
      guard case .assign(let targets, _) = statement.kind else { continue }
      for target in targets {
        if case .name(let name) = target.kind { constants[name] = statement.range }
      }
    }
    var pending = [function.definition]
    var seen: Set<String> = [kernel]
    var parts: [String] = []
    while let next = pending.popLast() {
      parts.append(text(of: definition(next), in: tree))
      var names: Set<String> = []
      for statement in next.body {
        statement.forEachExpression { if case .name(let name) = $0.kind { names.insert(name) } }
      }
      for name in names.subtracting(seen).sorted() {
        seen.insert(name)
        if let called = triton.function(named: name) {
          pending.append(called.definition)
        } else if let range = constants[name] {
          parts.append(text(of: range, in: tree))
        }
      }
    }
    return ContentHash(of: parts.sorted().joined(separator: "\u{1}")).hex
  }

  /// From the name to the end: without decorators.
  private static func definition(_ function: FunctionDef) -> SourceRange {
    SourceRange(function.nameRange.lower, function.fullRange.upper)
  }

  /// The tokens of a range without what lies between them.
  private static func text(of range: SourceRange, in tree: ModuleTree) -> String {
    var low = 0
    var high = tree.tokens.count
    while low < high {
      let middle = (low + high) / 2
      if Int(tree.tokens[middle].lower) < range.lower { low = middle + 1 } else { high = middle }
    }
    var words: [String] = []
    for token in tree.tokens[low...] {
      guard Int(token.upper) <= range.upper else { break }
      switch token.kind {
      case .newline: words.append("\n")
      case .indent: words.append("\u{2}")
      case .dedent: words.append("\u{3}")
      default: words.append(tree.source.text(in: token.range))
      }
    }
    while let last = words.last, last == "\n" || last == "\u{3}" { words.removeLast() }
    return words.joined(separator: "\u{4}")
  }
}
