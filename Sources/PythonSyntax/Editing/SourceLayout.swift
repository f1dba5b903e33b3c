import Diagnostics

/// Lines, indentation and comments: what rewrites need to keep a file's look.
extension ModuleTree {
  /// The line end that the file uses (that of its first line): `\n`, `\r\n` or `\r`.
  public var lineEnd: String {
    guard source.lineStarts.count > 1 else { return "\n" }
    let end = source.lineStarts[1]
    if source.bytes[end - 1] == 0x0D { return "\r" }
    return end >= 2 && source.bytes[end - 2] == 0x0D ? "\r\n" : "\n"
  }

  /// Where the line that holds `offset` starts.
  public func lineStart(at offset: Int) -> Int {
    source.lineStarts[source.lineIndex(at: offset)]
  }

  /// Where the line that holds `offset` ends: the offset of its line end, or of the end of file.
  public func lineContentEnd(at offset: Int) -> Int {
    var end = nextLineStart(at: offset)
    let start = lineStart(at: offset)
    while end > start, source.bytes[end - 1] == 0x0A || source.bytes[end - 1] == 0x0D { end -= 1 }
    return end
  }

  /// Where the line after the one that holds `offset` starts, or the end of the file.
  public func nextLineStart(at offset: Int) -> Int {
    let index = source.lineIndex(at: offset) + 1
    return index < source.lineStarts.count ? source.lineStarts[index] : source.bytes.count
  }

  /// The white space at the start of the line that holds `offset`.
  public func indentation(at offset: Int) -> String {
    let start = lineStart(at: offset)
    return source.text(in: SourceRange(start, firstText(from: start)))
  }

  /// Whether nothing but white space stands before `offset` on its line.
  public func isFirstOnLine(_ offset: Int) -> Bool {
    firstText(from: lineStart(at: offset)) >= offset
  }

  /// The first offset from `start` on that holds no blank.
  func firstText(from start: Int) -> Int {
    var index = start
    while index < source.bytes.count, isBlank(source.bytes[index]) { index += 1 }
    return index
  }

  func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0C }

  /// The comment behind `offset` on its line, with nothing but white space between; its range
  /// starts at `#` and ends before the line end.
  public func trailingComment(after offset: Int) -> SourceRange? {
    let start = firstText(from: offset)
    guard start < source.bytes.count, source.bytes[start] == 0x23 else { return nil }
    return SourceRange(start, lineContentEnd(at: start))
  }

  /// The block of whole-line comments directly above the line that holds `offset`: from the start
  /// of its first line to the start of the line of `offset`.
  public func leadingComments(before offset: Int) -> SourceRange? {
    let last = source.lineIndex(at: offset)
    var first = last
    while first > 0 {
      let start = source.lineStarts[first - 1]
      let text = firstText(from: start)
      guard text < source.lineStarts[first], source.bytes[text] == 0x23, isTrivia(text) else {
        break
      }
      first -= 1
    }
    guard first < last else { return nil }
    return SourceRange(source.lineStarts[first], source.lineStarts[last])
  }

  /// Whether the byte at `offset` belongs to no token.
  public func isTrivia(_ offset: Int) -> Bool {
    guard !tokens.isEmpty else { return true }
    return tokens[tokenIndex(at: offset)].range.lower > offset
  }

  /// The index of the token that starts at `offset`, without zero-width layout tokens.
  func tokenStarting(at offset: Int) -> Int? {
    guard !tokens.isEmpty else { return nil }
    let index = tokenIndex(at: offset)
    return tokens[index].range.lower == offset && tokens[index].range.count > 0 ? index : nil
  }

  /// The index of the token that ends at `offset`, without zero-width layout tokens.
  func tokenEnding(at offset: Int) -> Int? {
    guard offset > 0, !tokens.isEmpty else { return nil }
    let index = tokenIndex(at: offset - 1)
    return tokens[index].range.upper == offset ? index : nil
  }

  func notFound(_ what: String, _ range: SourceRange) -> Diagnostic {
    Diagnostic(
      id: "edit-not-possible", "cannot edit here: \(what)", source: source, range: range)
  }
}
