import Diagnostics
import PythonSyntax
import Rewrites

/// One text that is tried: a value made of the source, its hash and the rewrites that led to it.
public struct Candidate: Sendable {
  /// What sets it apart, in words: "make KH, KW compile-time constants; 32/64/32 w4 s2".
  public var label: String
  public var text: SourceText
  /// Of the text's bytes; a backend must report the hash of what it ran, and the two must agree.
  public let hash: ContentHash
  /// The rewrites' ids in the order they were made.
  public var steps: [String]
  /// The kernel whose variant this is; nil for a whole module.
  public var kernel: String?
  /// The launch config that it is pinned to, in short; nil where the module's own list stands.
  public var config: String?

  public init(
    label: String, text: SourceText, steps: [String] = [], kernel: String? = nil,
    config: String? = nil
  ) {
    self.label = label
    self.text = text
    self.hash = ContentHash(of: text.bytes)
    self.steps = steps
    self.kernel = kernel
    self.config = config
  }
}

/// Why a text is tried, which decides what it may be used for.
public enum TrialPhase: String, Codable, Sendable {
  /// The original against itself: what the machine's noise is.
  case baseline
  /// One variant of a kernel's body under a pinned config.
  case body
  /// One launch config on one body.
  case knobs
  /// A module as it could be printed, with its list of configs.
  case emission
  /// The module that is about to be printed, checked in full and timed once more.
  case confirmation
  /// A module of somebody else's, for comparison only.
  case beside
}
