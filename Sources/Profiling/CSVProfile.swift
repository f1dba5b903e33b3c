import Diagnostics

/// Nsight Compute's CSV: one metric a line (`ncu --csv`) or one launch a line (`--page raw --csv`).
enum CSVProfile {
  /// One cell of a table.
  struct Cell {
    var text: String
    var range: SourceRange
  }

  /// Nil if the text holds no table with a `Kernel Name` column.
  static func read(_ source: SourceText, in range: SourceRange) throws(Diagnostic)
    -> ProfileReading?
  {
    let rows = table(source, range)
    guard
      let headerIndex = rows.firstIndex(where: { row in
        row.count >= 2 && row.contains { $0.text == "Kernel Name" }
      })
    else { return nil }
    let header = rows[headerIndex]
    let body = rows[(headerIndex + 1)...].filter { $0.count > 1 }
    let columns = Dictionary(
      header.enumerated().map { ($0.element.text, $0.offset) },
      uniquingKeysWith: { first, _ in first })
    var reading = ProfileReading(end: range.upper)
    for row in rows[..<headerIndex] where !row.allSatisfy({ $0.text.isEmpty }) {
      // ncu prints its own log lines ("==PROF== …") before the table.
      if let cell = row.first, !cell.text.hasPrefix("==") {
        reading.notes.append(
          Diagnostic(
            id: "unread-line", severity: .note, "line before the table is not read",
            source: source, range: cell.range))
      }
    }
    guard let kernel = columns["Kernel Name"] else { return nil }
    if let name = columns["Metric Name"], let value = columns["Metric Value"] {
      try long(
        body, kernel: kernel, id: columns["ID"], name: name, unit: columns["Metric Unit"],
        value: value, source, &reading)
    } else {
      try wide(body, header: header, kernel: kernel, source, &reading)
    }
    guard !reading.profiles.isEmpty else {
      throw Diagnostic(
        id: "empty-profile", "the table holds no launches", source: source,
        range: header.first?.range ?? range, nextStep: "check what ncu was asked to profile")
    }
    return reading
  }

  /// `ncu --csv`: each row is one metric of one launch.
  private static func long(
    _ rows: [[Cell]], kernel: Int, id: Int?, name: Int, unit: Int?, value: Int,
    _ source: SourceText, _ reading: inout ProfileReading
  ) throws(Diagnostic) {
    var order: [String] = []
    var open: [String: KernelProfile] = [:]
    var launches: [String: Int] = [:]
    for row in rows {
      let kernelName = try cell(row, kernel, source).text
      let key = try id.map { (index) throws(Diagnostic) in try cell(row, index, source).text } ?? ""
      let launchKey = key + "\u{0}" + kernelName
      if open[launchKey] == nil {
        let launch = launches[kernelName, default: 0]
        launches[kernelName] = launch + 1
        open[launchKey] = KernelProfile(
          kernel: kernelName, launch: launch, range: row[kernel].range)
        order.append(launchKey)
      }
      let metric = try cell(row, name, source)
      let text = try cell(row, value, source)
      let unitText = try unit.map { (index) throws(Diagnostic) in try cell(row, index, source).text
      }
      if metric.text.isEmpty { continue }  // rows of rules and advice have no metric
      add(metric.text, text, unit: unitText, to: &open[launchKey], source, &reading.notes)
    }
    reading.profiles = order.compactMap { open[$0] }
  }

  /// `--page raw --csv`: each row is one launch; the row under the header holds units.
  private static func wide(
    _ rows: [[Cell]], header: [Cell], kernel: Int, _ source: SourceText,
    _ reading: inout ProfileReading
  ) throws(Diagnostic) {
    var units: [Cell]?
    var launches: [String: Int] = [:]
    for row in rows {
      let name = try cell(row, kernel, source)
      if name.text.isEmpty {
        if units == nil { units = row }
        continue
      }
      let launch = launches[name.text, default: 0]
      launches[name.text] = launch + 1
      var profile: KernelProfile? = KernelProfile(
        kernel: name.text, launch: launch, range: name.range)
      for (index, column) in header.enumerated() where index < row.count && index != kernel {
        guard column.text.contains("__") else { continue }  // ID, Process, Device, Block Size, …
        let unit = units.flatMap { index < $0.count ? $0[index].text : nil }
        add(column.text, row[index], unit: unit, to: &profile, source, &reading.notes)
      }
      if let profile { reading.profiles.append(profile) }
    }
  }

  private static func add(
    _ name: String, _ cell: Cell, unit: String?, to profile: inout KernelProfile?,
    _ source: SourceText, _ notes: inout [Diagnostic]
  ) {
    switch MetricValue.read(cell.text, unit: unit) {
    case .value(let value):
      profile?.metrics[name] = KernelProfile.Metric(
        value: value.value, unit: value.unit, range: cell.range)
    case .absent:
      profile?.absent.append(name)
      notes.append(
        Diagnostic(
          id: "absent-metric", severity: .note, "metric '\(name)' has no value", source: source,
          range: cell.range))
    case .unreadable:
      notes.append(
        Diagnostic(
          id: "text-metric", severity: .note, "the value of metric '\(name)' is not a number",
          source: source, range: cell.range))
    }
  }

  private static func cell(_ row: [Cell], _ index: Int, _ source: SourceText) throws(Diagnostic)
    -> Cell
  {
    guard index < row.count else {
      throw Diagnostic(
        id: "bad-metrics", "this row has \(row.count) columns, fewer than the header",
        source: source, range: row.first?.range,
        nextStep: "give the whole output of 'ncu --csv'")
    }
    return row[index]
  }

  /// Splits a part of a source in rows and cells (RFC 4180 quoting).
  static func table(_ source: SourceText, _ range: SourceRange) -> [[Cell]] {
    var rows: [[Cell]] = []
    var row: [Cell] = []
    var bytes: [UInt8] = []
    var start = range.lower
    var index = range.lower
    var isQuoted = false
    func trimmed() -> String {
      String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
    }
    func endCell() {
      row.append(Cell(text: trimmed(), range: SourceRange(start, index)))
      bytes.removeAll(keepingCapacity: true)
      start = index + 1
    }
    func endRow() {
      endCell()
      if row.count > 1 || !(row.first?.text.isEmpty ?? true) { rows.append(row) }
      row = []
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
    endRow()
    return rows
  }
}
