/// What a check on the GPU came to.
public struct GPUCheck: Sendable, Hashable, Codable {
  public enum Verdict: String, Sendable, Hashable, Codable {
    case passed
    case failed
    /// Right at the given sizes, wrong or refused at others.
    case shapeSpecific = "shape-specific"
    /// Nothing speaks against it, and too little for it.
    case unproven
  }

  /// Errors at one setting, of the output that uses most of what it may.
  public struct Row: Sendable, Hashable, Codable {
    public var setting: String
    /// `fp64`, or `original` where `Model` does not run in fp64.
    public var judge: String
    public var relativeL2: Double
    public var originalRelativeL2: Double
    public var allowedL2: Double
    public var worstRelative: Double
    public var allowedWorst: Double
  }

  public var verdict: Verdict
  /// Reasons against it, the gravest first.
  public var findings: [GPUFinding] = []
  /// What was left out, and what the reader should know.
  public var notes: [String] = []
  public var rows: [Row] = []
  /// The hash of the file that the worker imported.
  public var sha256: String
  /// Wall-clock seconds of the check, the module's compiling included.
  public var seconds = 0.0
  /// Names of the module's kernels, and how many configs its autotuners try.
  public var kernels: [String] = []
  public var configs = 0

  public init(verdict: Verdict, sha256: String) {
    self.verdict = verdict
    self.sha256 = sha256
  }

  public var reason: GPUFinding? { findings.first }
  public var worstRelativeL2: Double { rows.map(\.relativeL2).max() ?? 0 }

  /// A check that ended before any run.
  static func failed(_ finding: GPUFinding, sha256: String) -> GPUCheck {
    var check = GPUCheck(verdict: .failed, sha256: sha256)
    check.findings = [finding]
    return check
  }
}
