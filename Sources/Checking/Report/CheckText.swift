import Foundation

/// The report for people.
public enum CheckText {
  public static func text(_ report: CheckReport, name: String) -> String {
    var lines: [String] = []
    switch report.verdict {
    case .passed: lines.append("\(name): passed")
    case .failed: lines.append("\(name): FAILED")
    case .shapeSpecific: lines.append("\(name): right at the given sizes only")
    case .unsupported: lines.append("\(name): not checked")
    }
    if let obstacle = report.obstacle { lines.append(obstacle.rendered()) }
    for finding in report.findings {
      lines.append("")
      lines.append("\(finding.reason.rawValue) at \(finding.problem)")
      lines.append(finding.diagnostic.rendered())
    }
    if !report.runs.isEmpty {
      lines.append("")
      lines.append("errors (relative L2; worst element), simulated on the tile machine:")
      for run in report.runs.prefix(40) {
        var line = "  \(run.problem)"
        if run.output > 0 { line += ", output \(run.output)" }
        line += ": candidate \(short(run.candidate))"
        if let original = run.original { line += ", original \(short(original))" }
        line += ", against \(run.reference.rawValue)"
        lines.append(line)
      }
      if report.runs.count > 40 { lines.append("  … \(report.runs.count - 40) more") }
    }
    for note in report.notes { lines.append("note: \(note)") }
    lines.append(
      "\(report.problems.count) runs, \(report.programs) programs, "
        + String(format: "%.1f s", report.seconds))
    return lines.joined(separator: "\n") + "\n"
  }

  private static func short(_ figures: ErrorFigures) -> String {
    String(format: "%.2g; %.2g", figures.relativeL2, figures.worstRelative)
  }
}

/// The report for programs.
public struct CheckRecord: Encodable {
  let module: String
  let verdict: String
  let findings: [Finding]
  let runs: [Run]
  let problems: [String]
  let notes: [String]
  let obstacle: String?
  let programs: Int
  let seconds: Double

  struct Finding: Encodable {
    let reason: String
    let id: String
    let message: String
    let problem: String
    let file: String?
    let line: Int?
    let column: Int?
  }

  struct Run: Encodable {
    let problem: String
    let output: Int
    let reference: String
    let relativeL2: Double?
    let worstRelative: Double?
    let worstAbsolute: Double?
    let worstIndex: [Int]
    let originalRelativeL2: Double?
    let originalWorstRelative: Double?
  }

  public init(_ report: CheckReport, name: String) {
    module = name
    verdict = report.verdict.rawValue
    findings = report.findings.map {
      Finding(
        reason: $0.reason.rawValue, id: $0.diagnostic.id, message: $0.diagnostic.message,
        problem: $0.problem, file: $0.diagnostic.source?.name,
        line: $0.diagnostic.location?.line, column: $0.diagnostic.location?.column)
    }
    func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
    runs = report.runs.map {
      Run(
        problem: $0.problem, output: $0.output, reference: $0.reference.rawValue,
        relativeL2: finite($0.candidate.relativeL2),
        worstRelative: finite($0.candidate.worstRelative),
        worstAbsolute: finite($0.candidate.worstAbsolute), worstIndex: $0.candidate.index,
        originalRelativeL2: finite($0.original?.relativeL2),
        originalWorstRelative: finite($0.original?.worstRelative))
    }
    problems = report.problems
    notes = report.notes
    obstacle = report.obstacle?.headline
    programs = report.programs
    seconds = report.seconds
  }

  /// Pretty-printed with sorted keys and a final newline.
  public func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [0x0A]
  }
}
