/// A profile as a table for terminals: one line a launch, kernels of others below.
public struct ProfileTable: Sendable {
  public var match: ProfileMatch
  /// Which GPU it was measured on, where that is known.
  public var device: String?

  public init(match: ProfileMatch, device: String? = nil) {
    self.match = match
    self.device = device
  }

  private static let columns: [(title: String, metric: String, scale: Double)] = [
    ("grid", NsightMetric.gridSize, 1), ("block", NsightMetric.blockSize, 1),
    ("regs", NsightMetric.registersPerThread, 1),
    ("smem KiB", NsightMetric.dynamicSharedBytes, 1.0 / 1024),
    ("time µs", NsightMetric.durationSeconds, 1e6), ("SM %", NsightMetric.smThroughput, 1),
    ("warps %", NsightMetric.warpsActive, 1), ("DRAM %", NsightMetric.dramThroughput, 1),
    ("L2 hit %", NsightMetric.l2HitRate, 1), ("L1 hit %", NsightMetric.l1HitRate, 1),
  ]

  public var text: String {
    var lines = ["measured by Nsight Compute\(device.map { " on \($0)" } ?? "")"]
    let columns = Self.columns.filter { column in
      match.entries.contains { $0.profile[column.metric] != nil }
    }
    let hasConfigs = match.entries.contains { !($0.record?.configText ?? "").isEmpty }
    var rows = [["kernel", "launch"] + columns.map(\.title) + (hasConfigs ? ["config"] : [])]
    for entry in match.entries {
      rows.append(
        [entry.profile.kernel, String(entry.profile.launch)]
          + columns.map { column in
            entry.profile[column.metric].map { Self.short($0 * column.scale) } ?? "-"
          } + (hasConfigs ? [entry.record?.configText ?? ""] : []))
    }
    if !match.entries.isEmpty { lines += Self.aligned(rows) }
    lines += others("not the module's", match.others)
    return lines.joined(separator: "\n") + "\n"
  }

  private func others(_ title: String, _ profiles: [KernelProfile]) -> [String] {
    guard !profiles.isEmpty else { return [] }
    var order: [String] = []
    var counts: [String: (launches: Int, seconds: Double?)] = [:]
    for profile in profiles {
      if counts[profile.kernel] == nil { order.append(profile.kernel) }
      var entry = counts[profile.kernel] ?? (0, nil)
      entry.launches += 1
      if let seconds = profile[NsightMetric.durationSeconds] {
        entry.seconds = (entry.seconds ?? 0) + seconds
      }
      counts[profile.kernel] = entry
    }
    return ["\(title):"]
      + order.map { name in
        let entry = counts[name] ?? (0, nil)
        let time = entry.seconds.map { ", \(Self.short($0 * 1e6)) µs in all" } ?? ""
        let launches = "\(entry.launches) launch\(entry.launches == 1 ? "" : "es")"
        return "  \(Self.shortName(name)): \(launches)\(time)"
      }
  }

  /// The name of a template without its arguments, cut where it is still long.
  private static func shortName(_ name: String) -> String {
    var depth = 0
    var kept = ""
    for character in name {
      if character == "<" { depth += 1 }
      if depth == 0 { kept.append(character) }
      if character == ">", depth > 0 { depth -= 1 }
    }
    let text = depth == 0 && !kept.isEmpty ? kept : name
    return text.count > 72 ? text.prefix(71) + "…" : text
  }

  /// Words to the left, numbers to the right.
  private static func aligned(_ rows: [[String]]) -> [String] {
    guard let head = rows.first else { return [] }
    let widths = head.indices.map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        let isWord = column == 0 || head[column] == "config"
        line += (column == 0 ? "" : "  ") + (isWord ? cell + padding : padding + cell)
      }
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Three or four digits that count.
  private static func short(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e9 { return String(Int(value)) }
    let magnitude = abs(value)
    if magnitude >= 1000 { return magnitude < 1e15 ? String(Int(value.rounded())) : "\(value)" }
    let factor: Double = magnitude >= 100 ? 10 : magnitude >= 1 ? 100 : 1000
    return "\((value * factor).rounded() / factor)"
  }
}
