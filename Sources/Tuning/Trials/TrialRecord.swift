import Diagnostics

/// The first line of a log: what its trials are trials of. A log with another header belongs to
/// another run and is not touched.
public struct TrialHeader: Codable, Hashable, Sendable {
  public var log: String
  public var format: Int
  public var tool: String
  /// Hash of everything that was asked: module, problem, inputs, profile, target.
  public var request: String
  /// Hash of the stage's policy.
  public var policy: String
  public var target: String
  public var backend: BackendIdentity
  public var seed: UInt64

  /// Of the line format described in ``TrialLog``.
  public static let currentFormat = 1

  public init(
    tool: String, request: String, policy: String, target: String, backend: BackendIdentity,
    seed: UInt64
  ) {
    self.log = "hone-trials"
    self.format = Self.currentFormat
    self.tool = tool
    self.request = request
    self.policy = policy
    self.target = target
    self.backend = backend
    self.seed = seed
  }

  /// What differs from another header, in words; empty if nothing does.
  func differences(from other: TrialHeader) -> [String] {
    var found: [String] = []
    func compare(_ name: String, _ mine: String?, _ theirs: String?) {
      if mine != theirs {
        found.append("\(name) '\(theirs ?? "none")' instead of '\(mine ?? "none")'")
      }
    }
    compare("kind", log, other.log)
    compare("format", "\(format)", "\(other.format)")
    compare("tool version", tool, other.tool)
    if request != other.request { found.append("another request") }
    if policy != other.policy { found.append("another stage policy") }
    compare("target", target, other.target)
    compare("backend", backend.name, other.backend.name)
    compare("device", backend.device, other.backend.device)
    compare("Python", backend.python, other.backend.python)
    compare("Triton", backend.triton, other.backend.triton)
    compare("torch", backend.torch, other.backend.torch)
    compare("seed", "\(seed)", "\(other.seed)")
    return found
  }
}

/// Written before a trial starts.
struct TrialBegin: Codable, Sendable {
  var begin: String
  var attempt: Int
  var what: String
}

/// The final record of one trial; written once, synced before the next trial starts.
public struct TrialRecord: Codable, Hashable, Sendable {
  /// The trial's key.
  public var end: String
  public var attempt: Int
  public var phase: TrialPhase
  /// Hash of the candidate's text.
  public var hash: String
  public var label: String
  public var steps: [String]
  public var kernel: String?
  public var config: String?
  public var verdict: TrialVerdict
  public var reason: String?
  public var evidence: [Evidence]
  /// Compile and device time that the trial cost.
  public var seconds: Double

  public init(
    end: String, attempt: Int, phase: TrialPhase, candidate: Candidate, verdict: TrialVerdict,
    reason: String? = nil, evidence: [Evidence] = [], seconds: Double = 0
  ) {
    self.end = end
    self.attempt = attempt
    self.phase = phase
    self.hash = candidate.hash.hex
    self.label = candidate.label
    self.steps = candidate.steps
    self.kernel = candidate.kernel
    self.config = candidate.config
    self.verdict = verdict
    self.reason = reason
    self.evidence = evidence
    self.seconds = seconds
  }

  public var timing: TimingFigures? { evidence.last { $0.kind == .timing && $0.passed }?.timed }
  public var check: CheckFigures? { evidence.last { $0.kind == .check && $0.passed }?.checked }

  /// The measured ratio, where the text passed every check before it was timed.
  public var ratio: Double? {
    verdict == .accepted || verdict == .reverted ? timing?.ratio : nil
  }
}
