import Analysis
import Diagnostics

/// One thing that was tried on a kernel, with how it ended.
public struct Trial: Sendable {
  public enum Outcome: Sendable {
    case accepted
    /// Legal, but the gain stays below the stage's threshold (or is a loss).
    case reverted(String)
    /// A requirement does not hold or a check failed.
    case refused(Diagnostic)
  }

  /// What an accepted trial rests on.
  public enum Basis: String, Sendable {
    /// The predicted gain reaches the threshold.
    case prediction
    /// The prediction shows no such gain; measurements of the rewrite on other kernels do.
    case measuredPrior = "measured prior"
    /// The stage asks for it whatever is predicted: a list of configs for the autotuner to measure.
    case stage = "stage"
    /// It makes the autotuner's trial runs leave the arguments as they were; no gain is meant.
    case safety
    /// An earlier run measured it on this device, and the store of winners kept it.
    case winner = "stored winner"
    /// The user asks for this form of the configs; no gain is meant.
    case emission
    /// No time could be predicted.
    case nothing = "no prediction"
    /// Checked and timed on a GPU: the interval's lower end is above the threshold.
    case measurement = "measurement"
  }

  /// The rewrite's id, or `tune-configs`.
  public var rewrite: String
  public var kernel: String
  /// What was tried, in words.
  public var what: String
  /// Why it should help, in words.
  public var why: String
  public var outcome: Outcome
  /// Counts only where the trial is accepted.
  public var basis: Basis
  /// Time of the kernel's launches before and after, in microseconds, where it was estimated.
  public var microsecondsBefore: Double?
  public var microsecondsAfter: Double?
  public var evidence: EvidenceLevel
  /// Where it applies, in the original module.
  public var location: SourceLocation?
  /// The log's record, with every piece of evidence, where the trial was measured.
  public var record: TrialRecord?

  public init(
    rewrite: String, kernel: String, what: String, why: String, outcome: Outcome,
    basis: Basis = .prediction, microsecondsBefore: Double? = nil, microsecondsAfter: Double? = nil,
    evidence: EvidenceLevel = .predicted, location: SourceLocation? = nil
  ) {
    self.rewrite = rewrite
    self.kernel = kernel
    self.what = what
    self.why = why
    self.outcome = outcome
    self.basis = basis
    self.microsecondsBefore = microsecondsBefore
    self.microsecondsAfter = microsecondsAfter
    self.evidence = evidence
    self.location = location
  }

  public var isAccepted: Bool { if case .accepted = outcome { true } else { false } }

  /// Before over after; above 1 is faster.
  public var speedup: Double? {
    guard let before = microsecondsBefore, let after = microsecondsAfter, after > 0 else {
      return nil
    }
    return before / after
  }
}
