/// A half-open range of UTF-8 byte offsets into a ``SourceText``.
public struct SourceRange: Hashable, Sendable, CustomStringConvertible {
  public var lower: Int
  public var upper: Int

  @inlinable public init(_ lower: Int, _ upper: Int) {
    self.lower = lower
    self.upper = upper
  }

  @inlinable public var count: Int { upper - lower }
  public var description: String { "\(lower)..<\(upper)" }

  /// The smallest range that covers both.
  public func union(_ other: SourceRange) -> SourceRange {
    SourceRange(min(lower, other.lower), max(upper, other.upper))
  }
}

/// A place in a source as people count it: line and column start at 1; a column is one Unicode scalar.
public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
  public var line: Int
  public var column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  public var description: String { "\(line):\(column)" }
}

/// What is known of the files around a source, carried by it and by what is made of it.
///
/// `PythonSyntax` has the one implementation: where a module's imports are looked up.
public protocol SourceSurroundings: AnyObject, Sendable {}

/// The bytes of one source with the name under which its user knows it.
///
/// A module cut out of a request document is a source of its own whose `firstLine` is its line in
/// the document, so that every diagnostic names the line which the user sees in an editor.
public final class SourceText: Sendable {
  /// The path or name to print, for example `request.md` or `<stdin>`.
  public let name: String
  /// The bytes exactly as read.
  public let bytes: [UInt8]
  /// The 1-based line number of the first byte in the file that the user gave.
  public let firstLine: Int
  /// The byte offset at which each line starts.
  public let lineStarts: [Int]
  /// The files around it; nil where they are not known.
  public let surroundings: (any SourceSurroundings)?

  /// - Complexity: O(n) in the number of bytes.
  public init(
    name: String, bytes: [UInt8], firstLine: Int = 1,
    surroundings: (any SourceSurroundings)? = nil
  ) {
    self.surroundings = surroundings
    self.name = name
    self.bytes = bytes
    self.firstLine = firstLine
    var starts = [0]
    bytes.withUnsafeBufferPointer { buffer in
      var index = 0
      while index < buffer.count {
        let byte = buffer[index]
        index += 1
        if byte == 0x0A {
          starts.append(index)
        } else if byte == 0x0D {  // a lone CR ends a line too, as in CPython's universal newlines
          if index < buffer.count, buffer[index] == 0x0A { index += 1 }
          starts.append(index)
        }
      }
    }
    self.lineStarts = starts
  }

  public convenience init(
    name: String, text: String, firstLine: Int = 1, surroundings: (any SourceSurroundings)? = nil
  ) {
    self.init(
      name: name, bytes: Array(text.utf8), firstLine: firstLine, surroundings: surroundings)
  }

  /// The whole text; bytes that are not UTF-8 are replaced.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The text of a range, clamped to the source.
  public func text(in range: SourceRange) -> String {
    let lower = max(0, min(range.lower, bytes.count))
    let upper = max(lower, min(range.upper, bytes.count))
    return String(decoding: bytes[lower..<upper], as: UTF8.self)
  }

  /// The index into `lineStarts` of the line that holds `offset`.
  /// - Complexity: O(log lines).
  public func lineIndex(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while low + 1 < high {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// The line and column of a byte offset, in the file that the user gave.
  public func location(at offset: Int) -> SourceLocation {
    let index = lineIndex(at: offset)
    let start = lineStarts[index]
    let end = max(start, min(offset, bytes.count))
    let scalars = bytes[start..<end].reduce(0) { $0 + (($1 & 0xC0) == 0x80 ? 0 : 1) }
    return SourceLocation(line: firstLine + index, column: scalars + 1)
  }

  /// The line with this index into `lineStarts`, without its line end.
  public func lineText(_ index: Int) -> String {
    let start = lineStarts[index]
    var end = index + 1 < lineStarts.count ? lineStarts[index + 1] : bytes.count
    while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}
