import Foundation

/// What `hone bench` prints: the checks, and only then the times, labelled as measured.
public struct BenchReport: Sendable, Codable {
  public struct Checked: Sendable, Codable {
    public var name: String
    public var check: GPUCheck
    public init(name: String, check: GPUCheck) {
      self.name = name
      self.check = check
    }
  }
  public var opening: GPUSession.Opening
  /// The candidate first, then `--also`.
  public var checks: [Checked]
  public var timing: TimingReport?

  public init(opening: GPUSession.Opening, checks: [Checked], timing: TimingReport? = nil) {
    self.opening = opening
    self.checks = checks
    self.timing = timing
  }

  /// Whether the candidate is right and its times can be believed.
  public var isAccepted: Bool {
    guard let first = checks.first, first.check.verdict == .passed else { return false }
    guard let timing else { return true }
    return timing.candidate(first.name)?.isAccepted == true
  }

  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  // MARK: Text

  public func text() -> String {
    var lines: [String] = []
    for entry in checks { lines += Self.lines(entry) }
    lines += opening.notes.map { "note: \($0)" }
    if let timing { lines += [""] + Self.lines(timing) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ entry: Checked) -> [String] {
    let check = entry.check
    var lines: [String] = []
    let count = check.rows.count
    switch check.verdict {
    case .passed: lines.append("\(entry.name): passed, \(count) settings on the GPU")
    case .failed: lines.append("\(entry.name): FAILED")
    case .shapeSpecific: lines.append("\(entry.name): FAILED at other sizes than the given ones")
    case .unproven: lines.append("\(entry.name): NOT PROVEN")
    }
    for finding in check.findings.prefix(6) {
      let place = finding.setting.map { "\($0): " } ?? ""
      lines.append("  \(finding.reason.rawValue): \(place)\(finding.message)")
    }
    if check.findings.count > 6 { lines.append("  and \(check.findings.count - 6) more") }
    if let worst = check.rows.max(by: { $0.use < $1.use }) {
      lines.append(
        "  closest to the limit: \(worst.setting), relative error \(figure(worst.relativeL2)) "
          + "against \(worst.judge), the original's \(figure(worst.originalRelativeL2)), "
          + "allowed \(figure(worst.allowedL2))")
    }
    lines += check.notes.map { "  note: \($0)" }
    return lines
  }

  private static func lines(_ report: TimingReport) -> [String] {
    var lines = ["measured on \(report.gpu), \(report.rounds) rounds; milliseconds, medians"]
    var rows = [
      ["", "device", "ratio", "95 % interval", "forward", "kernels", "graph", "error"]
    ]
    rows.append(cells(report.original, nil))
    rows += report.candidates.map { cells($0.subject, $0.ratio) }
    rows += report.peers.map { cells($0, nil) }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = row.indices.map { column -> String in
        let pad = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + pad : pad + row[column]
      }
      lines.append(trimmed(cells.joined(separator: "  ")))
    }
    for candidate in report.candidates {
      if let reason = candidate.instability {
        lines.append("\(candidate.subject.name): unstable: \(reason)")
      }
      for finding in candidate.findings {
        lines.append(
          "\(candidate.subject.name): REJECTED: \(finding.reason.rawValue): \(finding.message)")
      }
    }
    for failure in report.failures.sorted(by: { $0.key < $1.key }) {
      lines.append("\(failure.key): \(failure.value.reason.rawValue): \(failure.value.message)")
    }
    if let clock = report.clocksAfter.smMHz, let degrees = report.clocksAfter.temperatureC {
      lines.append("after: SM clock \(Int(clock)) MHz, \(Int(degrees)) °C")
    }
    lines += report.notes.map { "note: \($0)" }
    return lines
  }

  private static func trimmed(_ line: String) -> String {
    var line = Substring(line)
    while line.last == " " { line.removeLast() }
    return String(line)
  }

  private static func cells(_ subject: SubjectTiming, _ ratio: RatioInterval?) -> [String] {
    func time(_ summary: TimeSummary?) -> String {
      summary.map { String(format: "%.4f", $0.median) } ?? "-"
    }
    return [
      subject.name, time(subject.device), ratio.map { String(format: "%.3f", $0.ratio) } ?? "-",
      ratio.map { String(format: "%.3f to %.3f", $0.low, $0.high) } ?? "-", time(subject.forward),
      time(subject.kernels), time(subject.graph), subject.relativeL2.map(figure) ?? "-",
    ]
  }
}
