import Diagnostics

/// The report for programs.
public struct CheckRecord: Encodable, Sendable {
  let module: String
  let verdict: String
  let findings: [Finding]
  let runs: [Run]
  let problems: [String]
  let notes: [String]
  let obstacle: String?
  let programs: Int
  let seconds: Double

  struct Finding: Encodable, Sendable {
    let reason: String
    let problem: String
    let diagnostic: DiagnosticRecord

    enum CodingKeys: CodingKey { case reason, problem }

    /// The diagnostic's fields stand beside the others.
    func encode(to encoder: any Encoder) throws {
      try diagnostic.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(reason, forKey: .reason)
      try container.encode(problem, forKey: .problem)
    }
  }

  struct Run: Encodable, Sendable {
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
        reason: $0.reason.rawValue, problem: $0.problem,
        diagnostic: DiagnosticRecord($0.diagnostic))
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

  public func json() throws -> [UInt8] { try JSONText.bytes(self) }
}
