import Diagnostics

/// Why a candidate is not accepted.
public enum CheckReason: String, Sendable, Hashable, CaseIterable {
  /// Values differ from the original's beyond what its own error allows.
  case wrongResult = "wrong-result"
  /// Another element type, shape or number of results.
  case wrongKind = "wrong-kind"
  /// The original's precision is not kept.
  case lessAccurate = "less-accurate"
  /// Infinite or NaN where the original is finite, or the reverse.
  case nonFinite = "non-finite"
  /// Memory that nothing wrote is read or returned.
  case uninitialized = "uninitialized"
  case outOfBounds = "out-of-bounds"
  /// Programs or lanes meet without atomics, or the result depends on their order.
  case race
  /// A hint or an assumption that does not hold.
  case wrongHint = "wrong-hint"
  /// Another fault of the machine: division by zero, misaligned, endless, overflow, ….
  case fault
  /// An input or a parameter has other contents afterwards.
  case inputChanged = "input-changed"
  /// No kernel runs, or what is returned does not come from one.
  case noKernel = "no-kernel"
  /// Results of one call turn up in another.
  case stateKept = "state-kept"
  /// One config alone does not do the whole work.
  case configFails = "config-fails"
  /// It runs only at some of the problems at which the original runs.
  case shapeSpecific = "shape-specific"
  /// What the module does is refused before anything runs.
  case refused
}

/// One thing found wrong, with the problem at which it shows.
public struct CheckFinding: Sendable {
  public var reason: CheckReason
  /// What happened, where, and the values involved.
  public var diagnostic: Diagnostic
  /// Label of the problem, input setting and config.
  public var problem: String
  /// True if the same run is right at the first problem, whose sizes are the given ones divided.
  public var isRightElsewhere = false

  public init(reason: CheckReason, diagnostic: Diagnostic, problem: String) {
    self.reason = reason
    self.diagnostic = diagnostic
    self.problem = problem
  }
}

/// The error of one module's results at one problem.
public struct ErrorFigures: Sendable, Hashable {
  /// ‖result − reference‖₂ / ‖reference‖₂.
  public var relativeL2: Double
  /// The largest |result − reference|, and where it is.
  public var worstAbsolute: Double
  /// The largest |result − reference| / (|reference| + typical |reference|).
  public var worstRelative: Double
  /// Index of the worst relative error in the output, one number per axis.
  public var index: [Int]
}

/// One comparison that was made.
public struct CheckedRun: Sendable {
  public var problem: String
  /// Index of the output.
  public var output: Int
  public var original: ErrorFigures?
  public var candidate: ErrorFigures
  /// What both were measured against.
  public var reference: Reference

  public enum Reference: String, Sendable {
    /// `Model.forward` in fp64.
    case model = "Model in fp64"
    /// The original's result.
    case original = "original module"
  }
}

/// What a check found.
public struct CheckReport: Sendable {
  public enum Verdict: String, Sendable {
    /// Every run agreed.
    case passed
    /// Something is wrong with the candidate.
    case failed
    /// Right at the given sizes only.
    case shapeSpecific = "shape-specific"
    /// The check could not be made: the reason stands in `obstacle`.
    case unsupported
  }
  public var verdict: Verdict
  public var findings: [CheckFinding] = []
  public var runs: [CheckedRun] = []
  /// Problems that were run, in words.
  public var problems: [String] = []
  /// What was left out, and why.
  public var notes: [String] = []
  /// Why there is no verdict.
  public var obstacle: Diagnostic?
  /// Programs executed, original and candidate together.
  public var programs = 0
  public var seconds = 0.0

  public init(verdict: Verdict) { self.verdict = verdict }
}
