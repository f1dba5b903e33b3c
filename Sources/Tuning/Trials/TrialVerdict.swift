import Analysis

/// How a trial ended.
public enum TrialVerdict: String, Codable, Sendable {
  case accepted
  /// Right, but not surely faster by the stage's threshold, or unstable.
  case reverted
  /// Not allowed, not right, or not proven.
  case refused
  /// Begun and never ended, more often than it is tried again.
  case interrupted
}

/// One piece of evidence: what was asked of which text on which device, and what came of it.
public struct Evidence: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Sendable {
    case rules
    case tileMachine = "tile-machine"
    case compile, check, timing
  }
  /// Names it in reports: derived from text, kind, device and attempt.
  public var id: String
  public var kind: Kind
  public var level: EvidenceLevel
  public var device: String
  /// Hash of the text that was used.
  public var hash: String
  public var passed: Bool
  public var detail: String?
  /// What the step took, waiting for the device left out.
  public var seconds: Double?
  public var compiled: CompileFigures?
  public var checked: CheckFigures?
  public var timed: TimingFigures?

  public init(
    id: String, kind: Kind, level: EvidenceLevel, device: String, hash: String, passed: Bool,
    detail: String? = nil, compiled: CompileFigures? = nil, checked: CheckFigures? = nil,
    timed: TimingFigures? = nil
  ) {
    self.id = id
    self.kind = kind
    self.level = level
    self.device = device
    self.hash = hash
    self.passed = passed
    self.detail = detail
    self.compiled = compiled
    self.checked = checked
    self.timed = timed
  }
}

/// The revert rule of a stage, applied to the interval of the ratio, not to its middle.
public struct VerdictRule: Sendable {
  /// Original over candidate from which a change is worth making: 1.02.
  public var threshold: Double
  public var revertsIfUnstable: Bool
  /// An interval wider than this share of the ratio says that nothing was measured.
  public static let widestInterval = 0.10

  public init(threshold: Double, revertsIfUnstable: Bool = true) {
    self.threshold = threshold
    self.revertsIfUnstable = revertsIfUnstable
  }

  /// - Parameters:
  ///   - hash: of the text that would be printed; evidence of another text proves nothing.
  ///   - evidence: all that the trial gathered.
  public func judge(hash: String, _ evidence: [Evidence]) -> (
    verdict: TrialVerdict, reason: String?
  ) {
    if let other = evidence.first(where: { $0.hash != hash }) {
      return (
        .refused,
        "not proven: \(other.kind.rawValue) evidence \(other.id) is of another text "
          + "(\(other.hash.prefix(12)) instead of \(hash.prefix(12)))"
      )
    }
    if let failed = evidence.first(where: { !$0.passed }) {
      return (.refused, failed.detail ?? "the \(failed.kind.rawValue) step failed")
    }
    guard evidence.contains(where: { $0.kind == .check }) else {
      return (.refused, "not proven: there is no check of this text")
    }
    guard let timing = evidence.last(where: { $0.kind == .timing })?.timed else {
      return (.refused, "not proven: there is no timing of this text")
    }
    return judge(timing)
  }

  /// The part of the rule that looks at times.
  public func judge(_ timing: TimingFigures) -> (verdict: TrialVerdict, reason: String?) {
    let figures = [timing.ratio, timing.lower, timing.upper, timing.microseconds]
    guard figures.allSatisfy({ $0.isFinite && $0 > 0 }), timing.lower <= timing.upper else {
      return (.refused, "not proven: the times are no times")
    }
    if revertsIfUnstable,
      timing.isUnstable || timing.upper - timing.lower > Self.widestInterval * timing.ratio
    {
      return (
        .reverted,
        "unstable: the ratio lies between \(timing.lower.ratioText) and \(timing.upper.ratioText)"
      )
    }
    if let upper = timing.forwardUpper, upper < 1 {
      return (
        .reverted,
        "measured \(timing.ratio.ratioText) on the device, but the host's part makes the whole call "
          + "slower: at most \(upper.ratioText)"
      )
    }
    if timing.lower <= threshold {
      return (
        .reverted,
        "measured \(timing.ratio.ratioText), surely only \(timing.lower.ratioText): not above "
          + threshold.ratioText
      )
    }
    return (.accepted, nil)
  }
}

extension Double {
  /// "1.053×".
  var ratioText: String {
    guard isFinite, abs(self) < 1e9 else { return "\(self)×" }
    let thousandths = Int((self * 1000).rounded())
    let rest = String(abs(thousandths % 1000))
    return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)×"
  }
}
