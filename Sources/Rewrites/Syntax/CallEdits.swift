import Diagnostics
import PythonSyntax

/// Edits of the arguments of one call that leave the layout of the others alone.
struct CallEdits {
  let tree: ModuleTree
  let call: Expr
  private let callee: Expr
  private let arguments: [Expr]
  private let keywords: [Keyword]
  /// Ranges of all arguments in source order.
  private let ranges: [SourceRange]

  private var source: SourceText { tree.source }

  init?(_ call: Expr, in tree: ModuleTree) {
    guard case .call(let callee, let arguments, let keywords) = call.kind else { return nil }
    self.tree = tree
    self.call = call
    self.callee = callee
    self.arguments = arguments
    self.keywords = keywords
    self.ranges = (arguments.map(\.range) + keywords.map(\.range)).sorted { $0.lower < $1.lower }
  }

  /// Replaces the value of a keyword, or adds the keyword after the last argument.
  func set(_ name: String, to value: String, in edits: inout SourceEditor) {
    if let keyword = keywords.first(where: { $0.name == name }) {
      edits.replace(keyword.value.range, with: value)
    } else {
      add(["\(name)=\(value)"], in: &edits)
    }
  }

  /// Adds arguments after the last one, on lines of their own where the last one has one.
  func add(_ texts: [String], in edits: inout SourceEditor) {
    guard !texts.isEmpty else { return }
    guard let last = ranges.last else {
      edits.insert(texts.joined(separator: ", "), at: call.range.upper - 1)
      return
    }
    let separator: String
    if tree.isFirstOnLine(last.lower) {
      separator = "," + tree.lineEnd + tree.indentation(at: last.lower)
    } else {
      separator = ", "
    }
    // Parentheses around the argument's value lie outside its range.
    edits.insert(texts.map { separator + $0 }.joined(), at: closing(after: last))
  }

  /// Removes keywords by name with their commas, and with their lines where nothing else stands there.
  func remove(_ names: Set<String>, in edits: inout SourceEditor) {
    let doomed = Set(
      keywords.filter { $0.name.map(names.contains) ?? false }.map(\.range))
    var index = 0
    while index < ranges.count {
      guard doomed.contains(ranges[index]) else {
        index += 1
        continue
      }
      var end = index
      while end + 1 < ranges.count, doomed.contains(ranges[end + 1]) { end += 1 }
      edits.delete(removal(from: index, through: end))
      index = end + 1
    }
  }

  private func removal(from first: Int, through last: Int) -> SourceRange {
    let lower = ranges[first].lower
    let upper = closing(after: ranges[last])
    let next = tree.tokens.firstIndex(after: upper)
    let isComma = next.map { tree.text(of: $0) == "," } ?? false
    let afterComma = isComma ? Int(tree.tokens[next ?? 0].upper) : upper
    let following = tree.tokens.firstIndex(after: afterComma).map { Int(tree.tokens[$0].lower) }
    let followingOffset = following ?? call.range.upper - 1
    if tree.isFirstOnLine(lower),
      source.lineIndex(at: followingOffset) > source.lineIndex(at: afterComma)
    {
      // The arguments have their lines to themselves: take the lines, comments at their end included.
      let start = source.lineStarts[source.lineIndex(at: lower)]
      let line = source.lineIndex(at: max(lower, afterComma - 1)) + 1
      return SourceRange(start, source.lineStarts[min(line, source.lineStarts.count - 1)])
    }
    if last + 1 < ranges.count { return SourceRange(lower, ranges[last + 1].lower) }
    if first > 0 { return SourceRange(closing(after: ranges[first - 1]), upper) }
    return SourceRange(lower, afterComma)
  }

  /// The end of an argument with the parentheses around it.
  private func closing(after range: SourceRange) -> Int {
    var upper = range.upper
    while let next = tree.tokens.firstIndex(after: upper), tree.text(of: next) == ")",
      Int(tree.tokens[next].upper) < call.range.upper
    {
      upper = Int(tree.tokens[next].upper)
    }
    return upper
  }
}

extension ModuleTree {
  func text(of index: Int) -> String { source.text(in: tokens[index].range) }
}

extension [Token] {
  /// The first token with text that starts at or after an offset.
  /// - Complexity: O(log tokens).
  func firstIndex(after offset: Int) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if Int(self[middle].lower) < offset { low = middle + 1 } else { high = middle }
    }
    while low < count, self[low].lower == self[low].upper || self[low].kind == .newline { low += 1 }
    return low < count ? low : nil
  }
}
