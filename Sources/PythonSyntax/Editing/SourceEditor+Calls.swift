import Diagnostics

/// Where the arguments of a call or the elements of a bracket stand.
struct BracketLayout {
  /// One argument with the parentheses around it, without its comma.
  struct Item {
    var range: SourceRange
    /// The comma behind it.
    var comma: SourceRange?
  }
  var open: SourceRange
  var close: SourceRange
  var items: [Item]
}

extension ModuleTree {
  /// The layout of a call's arguments, in source order.
  /// - Throws: a `Diagnostic` if the expression is no call of this tree.
  func callLayout(_ call: Expr) throws -> BracketLayout {
    guard case .call(_, let arguments, let keywords) = call.kind else {
      throw notFound("the expression is no call", call.range)
    }
    let ranges = (arguments.map(\.range) + keywords.map(\.range)).sorted { $0.lower < $1.lower }
    return try bracketLayout(endingAt: call.range.upper, ranges, call.range)
  }

  /// The layout of a bracket from its end and the ranges of its elements in source order.
  func bracketLayout(
    endingAt end: Int, _ ranges: [SourceRange], _ whole: SourceRange
  ) throws -> BracketLayout {
    guard let close = tokenEnding(at: end), let open = matchingOpener(of: close) else {
      throw notFound("its brackets are not in this tree", whole)
    }
    var layout = BracketLayout(
      open: tokens[open].range, close: tokens[close].range, items: [])
    for range in ranges {
      var first = tokenIndex(at: range.lower)
      var last = tokenIndex(at: max(range.lower, range.upper - 1))
      if range.lower <= tokens[open].range.lower {  // a generator that uses the call's parentheses
        first = open + 1
        last = close - 1
      }
      guard first > open, last < close, first <= last else {
        throw notFound("its arguments are not in this tree", whole)
      }
      while first - 1 > open, tokens[first - 1].code == .leftParen,
        tokens[last + 1].code == .rightParen,
        last + 1 < close
      {
        first -= 1
        last += 1
      }
      let comma = tokens[last + 1].code == .comma ? tokens[last + 1].range : nil
      layout.items.append(
        BracketLayout.Item(
          range: SourceRange(tokens[first].range.lower, tokens[last].range.upper), comma: comma))
    }
    return layout
  }

  /// The index of the token that opens the bracket which `close` closes.
  private func matchingOpener(of close: Int) -> Int? {
    var depth = 0
    var index = close
    while index >= 0 {
      switch tokens[index].code {
      case .rightParen, .rightBracket, .rightBrace: depth += 1
      case .leftParen, .leftBracket, .leftBrace:
        depth -= 1
        if depth == 0 { return index }
      default: break
      }
      if depth <= 0 { return nil }
      index -= 1
    }
    return nil
  }
}

extension SourceEditor {
  /// Removes the positional argument with this index from a call, with its comma and white space.
  public mutating func removeArgument(_ index: Int, of call: Expr) throws {
    guard case .call(_, let arguments, _) = call.kind, arguments.indices.contains(index) else {
      throw tree.notFound("the call has no argument \(index)", call.range)
    }
    try removeItem(containing: arguments[index].range.lower, of: try tree.callLayout(call))
  }

  /// Removes the keyword argument with this name from a call, with its comma and white space.
  public mutating func removeKeyword(_ name: String, of call: Expr) throws {
    guard case .call(_, _, let keywords) = call.kind,
      let keyword = keywords.first(where: { $0.name == name })
    else { throw tree.notFound("the call has no keyword '\(name)'", call.range) }
    try removeItem(containing: keyword.range.lower, of: try tree.callLayout(call))
  }

  /// Removes an element of a list or tuple display in brackets, with its comma and white space.
  public mutating func removeElement(_ index: Int, of display: Expr) throws {
    let elements: [Expr]
    switch display.kind {
    case .list(let list), .tuple(let list), .set(let list): elements = list
    default: throw tree.notFound("the expression is no display", display.range)
    }
    guard elements.indices.contains(index) else {
      throw tree.notFound("the display has no element \(index)", display.range)
    }
    if case .tuple = display.kind, elements.count <= 2 {
      throw tree.notFound("the tuple would lose its form", display.range)
    }
    let layout = try tree.bracketLayout(
      endingAt: display.range.upper, elements.map(\.range), display.range)
    guard layout.open.lower == display.range.lower else {
      throw tree.notFound("the tuple has no parentheses", display.range)
    }
    try removeItem(containing: elements[index].range.lower, of: layout)
  }

  private mutating func removeItem(containing offset: Int, of layout: BracketLayout) throws {
    let found = layout.items.firstIndex {
      ($0.range.lower <= offset && offset < $0.range.upper) || layout.items.count == 1
    }
    guard let index = found else {
      throw tree.notFound("the argument is not in this tree", layout.open)
    }
    let item = layout.items[index]
    let itemEnd = item.comma?.upper ?? item.range.upper
    if layout.items.count == 1 {
      delete(SourceRange(layout.open.upper, max(itemEnd, blankEnd(itemEnd, layout.close.lower))))
      return
    }
    let lineEnd = tree.lineContentEnd(at: itemEnd)
    let rest = tree.trailingComment(after: itemEnd)?.lower ?? tree.firstText(from: itemEnd)
    let endsLine = rest >= lineEnd || tree.trailingComment(after: itemEnd) != nil
    if tree.isFirstOnLine(item.range.lower), endsLine, layout.close.lower > lineEnd {
      delete(
        SourceRange(
          tree.lineStart(at: item.range.lower), tree.nextLineStart(at: max(0, itemEnd - 1))))
      return
    }
    if index + 1 < layout.items.count {
      delete(SourceRange(item.range.lower, layout.items[index + 1].range.lower))
    } else {
      // Keeps the comma behind the last argument, if there is one.
      delete(SourceRange(layout.items[index - 1].range.upper, item.range.upper))
    }
  }

  /// `close` if only white space lies between, else `offset`.
  private func blankEnd(_ offset: Int, _ close: Int) -> Int {
    for index in offset..<max(offset, close) {
      let byte = source.bytes[index]
      if !tree.isBlank(byte), byte != 0x0A, byte != 0x0D { return offset }
    }
    return close
  }

  /// Adds `name=value` behind the last argument of a call: on a line of its own where the call has
  /// one argument per line, else on the same line. A comma at the end stays at the end.
  public mutating func addKeyword(_ name: String, value: String, to call: Expr) throws {
    let layout = try tree.callLayout(call)
    let text = "\(name)=\(value)"
    guard let last = layout.items.last else {
      insert(text, at: layout.open.upper)
      return
    }
    if case .call(_, let arguments, let keywords) = call.kind, keywords.isEmpty,
      arguments.count == 1, arguments[0].range.lower == layout.open.lower
    {
      insert("(", at: last.range.lower)  // f(x for x in y) needs its own parentheses now
      insert("), \(text)", at: last.range.upper)
      return
    }
    let isOnePerLine =
      tree.isFirstOnLine(last.range.lower)
      && (layout.items.count == 1 || startsLines(layout.items))
    guard isOnePerLine else {
      if let comma = last.comma {
        insert(" \(text),", at: comma.upper)
      } else {
        insert(", \(text)", at: last.range.upper)
      }
      return
    }
    let line = tree.lineEnd + tree.indentation(at: last.range.lower) + text
    if let comma = last.comma {
      insert(line + ",", at: endOfLine(comma.upper, layout))
    } else {
      let end = endOfLine(last.range.upper, layout)
      if end == last.range.upper {
        insert("," + line, at: end)
      } else {
        insert(",", at: last.range.upper)
        insert(line, at: end)
      }
    }
  }

  /// The end of the line of `offset` with its comment, or `offset` if more code follows on it.
  private func endOfLine(_ offset: Int, _ layout: BracketLayout) -> Int {
    if let comment = tree.trailingComment(after: offset) { return comment.upper }
    return offset
  }

  private func startsLines(_ items: [BracketLayout.Item]) -> Bool {
    items.dropFirst().allSatisfy { tree.isFirstOnLine($0.range.lower) }
  }
}
