import Diagnostics

/// A table in comma-separated text (RFC 4180 quoting), each cell with its place.
struct CSVTable {
  struct Cell {
    var text: String
    var range: SourceRange
  }

  struct Row {
    var cells: [Cell]
    /// The text ends inside a quoted cell of this row.
    var isCut = false

    var range: SourceRange? { cells.first?.range }
    func text(_ index: Int?) -> String? {
      guard let index, cells.indices.contains(index) else { return nil }
      return cells[index].text
    }
  }

  var header: [Cell]
  var rows: [Row]
  /// Columns by name; the first of several with one name.
  let columns: [String: Int]

  init(header: [Cell], rows: [Row] = []) {
    self.header = header
    self.rows = rows
    columns = Dictionary(
      header.enumerated().map { ($0.element.text, $0.offset) },
      uniquingKeysWith: { first, _ in first })
  }

  /// What a part of a source holds: tables, each from a header with `Kernel Name` to the next one,
  /// and the rows before the first.
  static func read(_ source: SourceText, _ range: SourceRange) -> (
    before: [Row], tables: [CSVTable]
  ) {
    var before: [Row] = []
    var tables: [CSVTable] = []
    for row in rows(source, range) {
      // ncu's own lines ("==PROF== Disconnected …") stand before, between and after tables.
      if row.cells.first?.text.hasPrefix("==") == true { continue }
      if row.cells.count >= 2, row.cells.contains(where: { $0.text == "Kernel Name" }) {
        tables.append(CSVTable(header: row.cells))
      } else if tables.isEmpty {
        if !row.cells.allSatisfy({ $0.text.isEmpty }) { before.append(row) }
      } else if row.cells.count > 1 || row.isCut {
        tables[tables.count - 1].rows.append(row)
      }
    }
    return (before, tables)
  }

  /// Splits text in rows and cells.
  /// - Complexity: O(bytes).
  static func rows(_ source: SourceText, _ range: SourceRange) -> [Row] {
    var rows: [Row] = []
    var cells: [Cell] = []
    var bytes: [UInt8] = []
    var start = range.lower
    var index = range.lower
    var isQuoted = false
    func endCell() {
      let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
      cells.append(Cell(text: text, range: SourceRange(start, index)))
      bytes.removeAll(keepingCapacity: true)
      start = index + 1
    }
    func endRow(isCut: Bool = false) {
      endCell()
      if cells.count > 1 || isCut || !(cells.first?.text.isEmpty ?? true) {
        rows.append(Row(cells: cells, isCut: isCut))
      }
      cells = []
    }
    while index < range.upper {
      let byte = source.bytes[index]
      if isQuoted {
        if byte != UInt8(ascii: "\"") {
          bytes.append(byte)
        } else if index + 1 < range.upper, source.bytes[index + 1] == UInt8(ascii: "\"") {
          bytes.append(byte)
          index += 1
        } else {
          isQuoted = false
        }
      } else if byte == UInt8(ascii: "\"") {
        isQuoted = true
      } else if byte == UInt8(ascii: ",") {
        endCell()
      } else if byte == 0x0A {
        endRow()
      } else if byte != 0x0D {
        bytes.append(byte)
      }
      index += 1
    }
    endRow(isCut: isQuoted)
    return rows
  }
}
