import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// A literal list of configs in a module's text, taken apart so that it can be put together anew.
///
/// Comments above a config belong to it and to those that follow without one; a comment whose config
/// goes moves to the next of its group that stays.
struct ConfigList {
  struct Element {
    /// Space and comments before the config.
    var leading: String
    var text: ConfigText
    /// The rest of the line after the comma.
    var trailing: String
    /// What the config is; nil where it is not known.
    var config: LaunchConfig?
  }

  let tree: ModuleTree
  let list: Expr
  private(set) var elements: [Element]
  private let endsWithComma: Bool
  private let tail: String

  private var source: SourceText { tree.source }

  /// - Parameter known: configs by the range of their expression, where the host program ran.
  init?(
    _ list: Expr, in tree: ModuleTree, names: LanguageNames, known: [SourceRange: LaunchConfig]
  ) {
    guard case .list(let expressions) = list.kind, !expressions.isEmpty else { return nil }
    self.tree = tree
    self.list = list
    var elements: [Element] = []
    var position = list.range.lower + 1
    var comma = false
    for (index, expression) in expressions.enumerated() {
      guard let text = ConfigText(expression, in: tree, names: names) else { return nil }
      let leading = tree.source.text(in: SourceRange(position, expression.range.lower))
      if leading.hasSuffix("(") { return nil }  // a config in parentheses of its own
      var end = expression.range.upper
      comma = false
      if let next = tree.tokens.firstIndex(after: end), tree.text(of: next) == "," {
        end = Int(tree.tokens[next].upper)
        comma = true
      } else if index + 1 < expressions.count {
        return nil
      }
      let rest = Self.restOfLine(after: end, before: list.range.upper - 1, in: tree)
      position = rest.upper
      elements.append(
        Element(
          leading: leading, text: text, trailing: tree.source.text(in: rest),
          config: text.value ?? known[expression.range]))
    }
    self.elements = elements
    self.endsWithComma = comma
    self.tail = tree.source.text(in: SourceRange(position, list.range.upper - 1))
  }

  /// A comment that ends the line after `offset`, with the space before it.
  private static func restOfLine(after offset: Int, before limit: Int, in tree: ModuleTree)
    -> SourceRange
  {
    let bytes = tree.source.bytes
    var index = offset
    while index < limit, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
    guard index < limit, bytes[index] == UInt8(ascii: "#") else {
      return SourceRange(offset, offset)
    }
    while index < limit, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
    return SourceRange(offset, index)
  }

  /// The list's text with exactly these configs: those that stand there keep their text and place,
  /// new ones follow the one they vary.
  /// - Returns: nil where a new config cannot be written as a variation of one of the list.
  func text(for wanted: [LaunchConfig]) -> String? {
    var remaining = wanted
    var kept = Array(repeating: false, count: elements.count)
    for (index, element) in elements.enumerated() {
      guard let own = element.config else { continue }
      let names = Set(own.constants.keys)
      if let match = remaining.firstIndex(where: { $0.isSame(as: own, constants: names) }) {
        kept[index] = true
        remaining.remove(at: match)
      }
    }
    var variations: [Int: [String]] = [:]
    for config in remaining {
      guard let template = template(for: config), let own = elements[template].config,
        let text = elements[template].text.text(for: config, from: own)
      else { return nil }
      variations[template, default: []].append(text)
    }
    return assemble(kept: kept, variations: variations)
  }

  /// The element a new config varies: the same constants and the fewest changes.
  private func template(for config: LaunchConfig) -> Int? {
    let known = elements.indices.filter { elements[$0].config != nil }
    func distance(_ index: Int) -> Int? {
      guard let own = elements[index].config else { return nil }
      guard Set(own.constants.keys).isSubset(of: Set(config.constants.keys)) else { return nil }
      let constants = own.constants.filter { config.constants[$0.key] != $0.value }.count
      return 100 * constants + (own.numWarps == config.numWarps ? 0 : 2)
        + (own.numStages == config.numStages ? 0 : 1) + (own.numCTAs == config.numCTAs ? 0 : 4)
        + (own.maxRegisters == config.maxRegisters ? 0 : 4)
    }
    return known.compactMap { index in distance(index).map { (index, $0) } }
      .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
  }

  private func assemble(kept: [Bool], variations: [Int: [String]]) -> String {
    var output: [(leading: String, text: String, trailing: String)] = []
    var pending: String?
    for (index, element) in elements.enumerated() {
      let startsGroup = element.leading.contains("#") || Self.hasBlankLine(element.leading)
      if startsGroup || index == 0 { pending = nil }
      var leading = pending ?? element.leading
      if kept[index] {
        output.append(
          (leading, source.text(in: element.text.expression.range), element.trailing))
        pending = nil
        leading = plainLeading(index)
      }
      for text in variations[index] ?? [] {
        output.append((leading, text, ""))
        pending = nil
        leading = plainLeading(index)
      }
      if !kept[index], variations[index] == nil, startsGroup || index == 0 || pending != nil {
        pending = pending ?? element.leading
      }
    }
    let firstHasLine = elements[0].leading.contains { $0.isNewline }
    var text = "["
    for (index, item) in output.enumerated() {
      var leading = item.leading
      if !leading.contains(where: \.isNewline) {
        leading = index == 0 ? (firstHasLine ? " " : elements[0].leading) : separator
      }
      if index == 0, !leading.contains("#"), let line = Self.lastLine(leading) { leading = line }
      text += leading + item.text
      if index + 1 < output.count || endsWithComma { text += "," }
      text += item.trailing
    }
    return text + tail + "]"
  }

  /// The space between two configs on one line.
  private var separator: String {
    elements.count > 1 && !elements[1].leading.isEmpty
      && !elements[1].leading.contains(where: \.isNewline) ? elements[1].leading : " "
  }

  /// Line end and indentation of an element, without comments and blank lines.
  private func plainLeading(_ index: Int) -> String {
    Self.lastLine(elements[index].leading) ?? elements[index].leading
  }

  private static func lastLine(_ leading: String) -> String? {
    guard let last = leading.lastIndex(where: \.isNewline) else { return nil }
    return String(leading[last...])
  }

  private static func hasBlankLine(_ leading: String) -> Bool {
    leading.filter(\.isNewline).count > 1
  }
}
