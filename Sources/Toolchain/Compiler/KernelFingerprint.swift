import Diagnostics
import PythonSyntax

/// Names what a kernel's code depends on within its module, so that an edit elsewhere (the autotune
/// configs, a wrapper) does not compile it anew.
///
/// It covers the kernel and the functions and classes it names, directly or not, without their
/// autotune and heuristics decorators; the assignments of names that those texts hold; and every
/// other statement of the top level. Words are compared, not meanings: it covers too much rather
/// than too little.
public struct KernelFingerprint: Sendable {
  private struct Item {
    var names: Set<String>
    var text: String
    var words: Set<String>
    /// Part of every fingerprint.
    var isAlwaysIn: Bool
  }
  private let items: [Item]
  private let whole: String

  public init(_ tree: ModuleTree) {
    let source = tree.source
    whole = source.text
    items = tree.body.map { statement in
      var names: Set<String> = []
      var isAlwaysIn = false
      var text = source.text(in: statement.range)
      switch statement.kind {
      case .function(let function):
        names = [function.name]
        let decorators = function.decorators.map { source.text(in: $0.range) }
          .filter { !Self.isTuning($0) }
        let body = SourceRange(function.nameRange.lower, function.fullRange.upper)
        text = (decorators + [source.text(in: body)]).joined(separator: "\n")
      case .classDef(let definition):
        names = [definition.name]
        text = source.text(in: definition.fullRange)
      case .assign(let targets, _):
        for target in targets {
          if case .name(let name) = target.kind { names.insert(name) } else { isAlwaysIn = true }
        }
      default: isAlwaysIn = true
      }
      return Item(names: names, text: text, words: Self.words(text), isAlwaysIn: isAlwaysIn)
    }
  }

  /// The fingerprint of a kernel; one that is not defined at the top level stands for the whole text.
  public func text(of kernel: String) -> String {
    guard items.contains(where: { $0.names.contains(kernel) }) else {
      return ContentHash(of: whole).hex
    }
    var words: Set<String> = [kernel]
    var taken = Set<Int>()
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for (index, item) in items.enumerated() where !taken.contains(index) {
        guard item.isAlwaysIn || !item.names.isDisjoint(with: words) else { continue }
        taken.insert(index)
        words.formUnion(item.words)
        isGrowing = true
      }
    }
    let parts = taken.sorted().map { items[$0].text }
    return ContentHash(of: parts.joined(separator: "\u{0}")).hex
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
}
