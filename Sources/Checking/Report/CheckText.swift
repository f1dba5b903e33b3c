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
