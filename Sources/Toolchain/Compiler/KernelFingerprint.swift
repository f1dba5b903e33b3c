import Diagnostics
import PythonSyntax

/// Names what a kernel's code depends on within its module, so that an edit elsewhere (the autotune
/// configs, a wrapper) leaves the name as it is.
///
/// What belongs to a kernel is found by words, not by meaning: the kernel, and the definitions and
/// assignments of names that its text or theirs holds. Two questions are answered with it.
/// ``text(of:)``: is it surely the same code, so that it need not be compiled again? It covers too much
/// rather than too little. ``content(of:)``: is it the kernel that was tuned, in another module too?
public struct KernelFingerprint: Sendable {
  private enum Kind { case function, assignment, definition, other }

  private struct Item {
    var kind: Kind
    var names: Set<String> = []
    /// With the decorators that do not tune.
    var text: String
    /// The tokens; of a function from its name on.
    var tokens: String
    var words: Set<String>
    var tokenWords: Set<String>
  }
  private let items: [Item]
  private let whole: String

  public init(_ tree: ModuleTree) {
    let source = tree.source
    whole = source.text
    items = tree.body.map { statement in
      var kind = Kind.other
      var names: Set<String> = []
      var text = source.text(in: statement.range)
      var core = statement.range
      switch statement.kind {
      case .function(let function):
        kind = .function
        names = [function.name]
        let decorators = function.decorators.map { source.text(in: $0.range) }
          .filter { !Self.isTuning($0) }
        core = SourceRange(function.nameRange.lower, function.fullRange.upper)
        text = (decorators + [source.text(in: core)]).joined(separator: "\n")
      case .classDef(let definition):
        kind = .definition
        names = [definition.name]
        core = definition.fullRange
        text = source.text(in: core)
      case .assign(let targets, _):
        kind = .assignment
        for target in targets {
          // What is assigned through something else (a table's entry) may matter to anything.
          if case .name(let name) = target.kind { names.insert(name) } else { kind = .other }
        }
      default: break
      }
      let tokens = Self.tokens(of: core, in: tree)
      return Item(
        kind: kind, names: names, text: text, tokens: tokens, words: Self.words(text),
        tokenWords: Self.words(tokens))
    }
  }

  /// The kernel with all that its code may depend on, letter by letter: also the functions' other
  /// decorators, and every statement of the top level that is no definition. For a kernel that is not
  /// defined at the top level, of the whole text.
  public func text(of kernel: String) -> String {
    guard items.contains(where: { $0.names.contains(kernel) }) else {
      return ContentHash(of: whole).hex
    }
    let taken = items(of: kernel, words: \.words) { $0.kind == .other ? true : nil }
    return ContentHash(of: taken.map { items[$0].text }.joined(separator: "\u{0}")).hex
  }

  /// The kernel with the functions that it calls and the module's values that it reads, whatever else
  /// the module holds, in whatever order: comments, space and decorators do not count. nil where
  /// the module has no function of that name.
  public func content(of kernel: String) -> String? {
    guard items.contains(where: { $0.kind == .function && $0.names.contains(kernel) }) else {
      return nil
    }
    let taken = items(of: kernel, words: \.tokenWords) {
      $0.kind == .function || $0.kind == .assignment ? nil : false
    }
    return ContentHash(
      of: taken.map { items[$0].tokens }.sorted().joined(separator: "\u{1}")
    ).hex
  }

  /// The items that a kernel's words lead to, in their order.
  ///
  /// - Parameter rule: whether an item is always or never one; nil leaves it to the words.
  private func items(
    of kernel: String, words: (Item) -> Set<String>, rule: (Item) -> Bool?
  ) -> [Int] {
    var known: Set<String> = [kernel]
    var taken = Set<Int>()
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for (index, item) in items.enumerated() where !taken.contains(index) {
        guard rule(item) ?? !item.names.isDisjoint(with: known) else { continue }
        taken.insert(index)
        known.formUnion(words(item))
        isGrowing = true
      }
    }
    return taken.sorted()
  }

  private static func isTuning(_ decorator: String) -> Bool {
    let callee = decorator.prefix { $0 != "(" }
    return callee.hasSuffix("autotune") || callee.hasSuffix("heuristics")
  }

  private static func words(_ text: String) -> Set<String> {
    Set(
      text.utf8.split { byte in
        !(byte == UInt8(ascii: "_") || byte >= 0x80
          || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
          || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z"))
          || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")))
      }.map { String(Substring($0)) })
  }

  /// The tokens of a range without what lies between them.
  private static func tokens(of range: SourceRange, in tree: ModuleTree) -> String {
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
