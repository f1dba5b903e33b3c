import Diagnostics

/// Nsight Compute's CSV: one metric a line (`ncu --csv`, `--page details --csv`) or one launch a line
/// (`--page raw --csv`).
enum CSVProfile {
  /// Nil if the text holds no table with a `Kernel Name` column.
  static func read(_ source: SourceText, in range: SourceRange) throws(Diagnostic)
    -> ProfileReading?
  {
    let (before, tables) = CSVTable.read(source, range)
    guard let first = tables.first else { return nil }
    var reader = CSVProfileReader(source: source, reading: ProfileReading(end: range.upper))
    for row in before {
      reader.note("unread-line", "line before the table is not read", row.range)
    }
    for table in tables { try reader.read(table) }
    var reading = reader.finished()
    guard !reading.profiles.isEmpty else {
      if let cut = reader.cutRow {
        throw Diagnostic(
          id: "bad-metrics", "the table is cut off in its first row", source: source, range: cut,
          nextStep: "give the whole output of 'ncu --csv'")
      }
      throw Diagnostic(
        id: "empty-profile", "the table holds no launches", source: source,
        range: first.header.first?.range ?? range, nextStep: "check what ncu was asked to profile")
    }
    for index in reading.profiles.indices { reading.profiles[index].addSizesOfLaunch() }
    return reading
  }
}

private struct CSVProfileReader {
  let source: SourceText
  var reading: ProfileReading
  /// The last row, where the text ends inside it.
  private(set) var cutRow: SourceRange?
  /// Launches by kernel so far, over all tables.
  private var launches: [String: Int] = [:]
  /// Labels of Nsight's pages whose metric is not known, with the place of the first.
  private var unknownLabels: [(text: String, range: SourceRange)] = []

  init(source: SourceText, reading: ProfileReading) {
    self.source = source
    self.reading = reading
  }

  mutating func note(
    _ id: String, _ message: String, _ range: SourceRange?,
    severity: Diagnostic.Severity = .note, next: String? = nil
  ) {
    reading.notes.append(
      Diagnostic(
        id: id, severity: severity, message, source: source, range: range, nextStep: next))
  }

  mutating func finished() -> ProfileReading {
    if let first = unknownLabels.first {
      let count = unknownLabels.count
      note(
        "unnamed-metric",
        count == 1
          ? "'\(first.text)' is a label whose metric is not known, and is left out"
          : "'\(first.text)' and \(count - 1) more labels whose metrics are not known are left out",
        first.range, next: "use 'ncu --page raw --csv' for metrics by name")
      unknownLabels = []
    }
    if let cutRow, !reading.profiles.isEmpty {
      note(
        "cut-off-table", "the table is cut off in this row, which is left out", cutRow,
        severity: .warning, next: "give the whole output of 'ncu --csv'")
    }
    return reading
  }

  mutating func read(_ table: CSVTable) throws(Diagnostic) {
    guard let kernel = table.columns["Kernel Name"] else { return }
    if let name = table.columns["Metric Name"], let value = table.columns["Metric Value"] {
      // The details page leaves out the columns of rules at the end of rows without one.
      let rows = try complete(table, columns: max(kernel, name, value) + 1)
      readLong(rows, table, kernel: kernel, name: name, value: value)
    } else {
      let rows = try complete(table, columns: table.header.count)
      readWide(rows, table, kernel: kernel)
    }
  }

  /// The rows that have so many columns. The last may end early, where a file was cut off.
  private mutating func complete(_ table: CSVTable, columns: Int) throws(Diagnostic)
    -> [CSVTable.Row]
  {
    var rows: [CSVTable.Row] = []
    for (index, row) in table.rows.enumerated() {
      if !row.isCut, row.cells.count >= columns {
        rows.append(row)
      } else if index == table.rows.count - 1 {
        cutRow = row.range
      } else {
        throw Diagnostic(
          id: "bad-metrics",
          "this row has \(row.cells.count) columns, and \(columns) are needed",
          source: source, range: row.range, nextStep: "give the whole output of 'ncu --csv'")
      }
    }
    return rows
  }

  private mutating func profile(_ row: CSVTable.Row, _ table: CSVTable, _ kernel: Int)
    -> KernelProfile
  {
    let name = row.cells[kernel]
    let launch = launches[name.text, default: 0]
    launches[name.text] = launch + 1
    var profile = KernelProfile(kernel: name.text, launch: launch, range: name.range)
    profile.launchID = row.text(table.columns["ID"]).flatMap { Int($0) }
    profile.gridSize = row.text(table.columns["Grid Size"])
    profile.blockSize = row.text(table.columns["Block Size"])
    return profile
  }

  /// Each row is one metric of one launch.
  private mutating func readLong(
    _ rows: [CSVTable.Row], _ table: CSVTable, kernel: Int, name: Int, value: Int
  ) {
    let id = table.columns["ID"]
    let section = table.columns["Section Name"]
    let unit = table.columns["Metric Unit"]
    var order: [String] = []
    var open: [String: KernelProfile] = [:]
    for row in rows {
      let key = (row.text(id) ?? "") + "\u{0}" + row.cells[kernel].text
      if open[key] == nil {
        open[key] = profile(row, table, kernel)
        order.append(key)
      }
      let metric = row.cells[name]
      if metric.text.isEmpty { continue }  // rows of rules and advice have no metric
      let unitText = row.text(unit)
      var named = metric.text
      if !named.contains("__") {
        guard let known = NsightLabels.metric(named, section: row.text(section), unit: unitText)
        else {
          if !unknownLabels.contains(where: { $0.text == named }) {
            unknownLabels.append((named, metric.range))
          }
          continue
        }
        named = known
      }
      add(named, row.cells[value], unit: unitText, to: &open[key])
    }
    reading.profiles += order.compactMap { open[$0] }
  }

  /// Each row is one launch; the row under the header holds units.
  private mutating func readWide(_ rows: [CSVTable.Row], _ table: CSVTable, kernel: Int) {
    var units: CSVTable.Row?
    for row in rows {
      if row.cells[kernel].text.isEmpty {
        if units == nil { units = row }
        continue
      }
      var profile: KernelProfile? = profile(row, table, kernel)
      for (index, column) in table.header.enumerated() where index != kernel {
        guard column.text.contains("__") else { continue }  // ID, Process, Device, Block Size, …
        add(column.text, row.cells[index], unit: units?.text(index), to: &profile)
      }
      if let profile { reading.profiles.append(profile) }
    }
  }

  private mutating func add(
    _ name: String, _ cell: CSVTable.Cell, unit: String?, to profile: inout KernelProfile?
  ) {
    switch MetricValue.read(cell.text, unit: unit) {
    case .value(let value):
      profile?.metrics[name] = KernelProfile.Metric(
        value: value.value, unit: value.unit, range: cell.range)
    case .absent:
      profile?.absent.append(name)
      note("absent-metric", "metric '\(name)' has no value", cell.range)
    case .unreadable:
      note("text-metric", "the value of metric '\(name)' is not a number", cell.range)
    }
  }
}

extension KernelProfile {
  /// Adds the sizes of grid and block from their columns where no metric gives them.
  fileprivate mutating func addSizesOfLaunch() {
    for (metric, text) in [
      (NsightMetric.gridSize, gridSize), (NsightMetric.blockSize, blockSize),
    ] where metrics[metric] == nil {
      guard let text, let count = Self.product(of: text) else { continue }
      metrics[metric] = Metric(value: count, range: range)
      absent.removeAll { $0 == metric }
    }
  }

  /// `(1024, 3, 1)` → 3072.
  private static func product(of text: String) -> Double? {
    let parts = text.split { "(), ".contains($0) }
    guard (1...3).contains(parts.count) else { return nil }
    var product = 1.0
    for part in parts {
      guard let number = UInt32(part) else { return nil }
      product *= Double(number)
    }
    return product
  }
}
