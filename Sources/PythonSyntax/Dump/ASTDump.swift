import Diagnostics

/// Prints a tree the way CPython's `ast` sees it, one node or field per line, for comparison with
/// CPython itself (`Scripts/judge-python-syntax`).
///
/// A node is `field=Class` with its place as `line:column-line:column` (columns in UTF-8 bytes
/// from 0, as CPython counts); a value is `field: value`. Empty lists and absent values are left out.
public struct ASTDump {
  /// Which nodes are printed with their places. CPython before 3.12 has no reliable places inside
  /// f-strings.
  public enum Positions: String, Sendable {
    case none, outsideFStrings, all
  }

  let source: SourceText
  let positions: Positions
  var output: [UInt8] = []
  var depth = 0
  var fStringDepth = 0
  /// Columns of a source in another encoding count the bytes of its UTF-8 form.
  let recodes: Bool
  let markBytes: Int

  private init(_ tree: ModuleTree, _ positions: Positions) {
    source = tree.source
    self.positions = positions
    let bytes = tree.source.bytes
    markBytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    recodes = bytes.withUnsafeBufferPointer {
      SourceEncoding.detect(SourceBytes($0)).encoding != .utf8
    }
  }

  /// The dump of a tree; nil where the tree is too high to walk (it then carries a diagnostic).
  public static func dump(_ tree: ModuleTree, positions: Positions = .all) -> [UInt8]? {
    guard tree.body.allSatisfy({ $0.height <= PythonParser.maximumTreeHeight }) else { return nil }
    var dump = ASTDump(tree, positions)
    dump.line("Module")
    dump.depth = 1
    for statement in tree.body { dump.write("body", statement) }
    return dump.output
  }

  // MARK: - Lines

  mutating func indent() {
    for _ in 0..<depth { output.append(0x20) }
  }

  mutating func line(_ text: String) {
    indent()
    output += text.utf8
    output.append(0x0A)
  }

  mutating func open(_ field: String, _ name: String, _ range: SourceRange? = nil) {
    indent()
    output += field.utf8
    output.append(0x3D)
    output += name.utf8
    let isShown =
      positions == .all || (positions == .outsideFStrings && fStringDepth == 0)
    if isShown, let range {
      output.append(0x20)
      writePlace(range.lower)
      output.append(0x2D)
      writePlace(range.upper)
    }
    output.append(0x0A)
    depth += 1
  }

  mutating func close() { depth -= 1 }

  private mutating func writePlace(_ offset: Int) {
    let index = source.lineIndex(at: offset)
    let start = source.lineStarts[index]
    var column = offset - start
    if recodes {
      column = source.bytes[start..<offset].reduce(0) { $0 + ($1 < 0x80 ? 1 : 2) }
    } else if index == 0 {
      column -= markBytes
    }
    output += String(index + 1).utf8
    output.append(0x3A)
    output += String(column).utf8
  }

  mutating func value(_ field: String, _ text: String) {
    indent()
    output += field.utf8
    output += ": ".utf8
    output += text.utf8
    output.append(0x0A)
  }

  mutating func text(_ field: String, _ scalars: some Sequence<UInt32>) {
    indent()
    output += field.utf8
    output += ": '".utf8
    for scalar in scalars { writeScalar(scalar) }
    output += "'\n".utf8
  }

  mutating func text(_ field: String, _ string: String) {
    text(field, string.unicodeScalars.lazy.map(\.value))
  }

  private mutating func writeScalar(_ value: UInt32) {
    if value >= 0x20, value < 0x7F, value != 0x5C {
      output.append(UInt8(value))
    } else {
      output += "\\".utf8
      output += String(value, radix: 16).utf8
      output += ";".utf8
    }
  }
}
