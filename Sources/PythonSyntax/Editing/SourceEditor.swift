import Diagnostics

/// Collects edits of one file and applies them at once, touching only the bytes they name.
///
/// ```swift
/// var editor = SourceEditor(tree)        // x = 1  # one
/// editor.replace(SourceRange(4, 5), with: "2")
/// try editor.applied()                   // x = 2  # one
/// ```
/// Offsets are always those of the unedited source. Edits must not overlap; insertions at one
/// place stand in the order in which they were made, and an insertion at either end of a replaced
/// range stands outside it.
public struct SourceEditor: Sendable {
  public let tree: ModuleTree
  public var source: SourceText { tree.source }

  /// One edit: the bytes of `range` become `text`.
  public struct Edit: Sendable, Hashable {
    public let range: SourceRange
    public let text: String
  }
  /// The edits so far, in the order in which they were made.
  public private(set) var edits: [Edit] = []

  public init(_ tree: ModuleTree) { self.tree = tree }

  public mutating func replace(_ range: SourceRange, with text: String) {
    edits.append(Edit(range: range, text: text))
  }

  public mutating func insert(_ text: String, at offset: Int) {
    edits.append(Edit(range: SourceRange(offset, offset), text: text))
  }

  public mutating func delete(_ range: SourceRange) {
    edits.append(Edit(range: range, text: ""))
  }

  /// The bytes after all edits.
  /// - Throws: a `Diagnostic` if two edits overlap or one lies outside the source.
  /// - Complexity: O(n + e log e) for n bytes and e edits.
  public func applied() throws -> [UInt8] {
    let bytes = source.bytes
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 256)
    var position = 0
    for edit in try orderedEdits() {
      result += bytes[position..<edit.range.lower]
      result += edit.text.utf8
      position = edit.range.upper
    }
    result += bytes[position...]
    return result
  }

  /// The edited file as a source of the same name and first line.
  public func appliedSource() throws -> SourceText {
    SourceText(
      name: source.name, bytes: try applied(), firstLine: source.firstLine,
      surroundings: source.surroundings)
  }

  /// Where a byte of the source stands after the edits; nil if an edit removes it.
  public func mapped(_ offset: Int) throws -> Int? {
    var shift = 0
    for edit in try orderedEdits() {
      if edit.range.lower > offset { break }
      if offset < edit.range.upper { return nil }
      shift += edit.text.utf8.count - edit.range.count
    }
    return offset + shift
  }

  /// Edits in source order, checked.
  private func orderedEdits() throws -> [Edit] {
    let ordered = edits.enumerated().sorted { left, right in
      let (a, b) = (left.element.range, right.element.range)
      if a.lower != b.lower { return a.lower < b.lower }
      // An insertion at the start of a replaced range stands before it.
      if (a.count == 0) != (b.count == 0) { return a.count == 0 }
      return left.offset < right.offset
    }.map(\.element)
    var end = 0
    for edit in ordered {
      guard edit.range.lower >= 0, edit.range.lower <= edit.range.upper,
        edit.range.upper <= source.bytes.count
      else {
        throw Diagnostic(
          id: "edit-out-of-range", "edit of \(edit.range) lies outside the source", source: source)
      }
      guard edit.range.lower >= end else {
        throw Diagnostic(
          id: "edit-overlap", "two edits change the same text", source: source, range: edit.range)
      }
      end = edit.range.upper
    }
    return ordered
  }
}
