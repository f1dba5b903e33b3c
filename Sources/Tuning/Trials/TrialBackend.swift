import Analysis
import Diagnostics

/// Who answers: the level of evidence it gives, the device it speaks of, and the versions behind it.
public struct BackendIdentity: Codable, Hashable, Sendable {
  /// `model`, `compiler` or `gpu`.
  public var name: String
  public var level: EvidenceLevel
  /// What the figures hold for: "NVIDIA H200"; for compiled figures the target.
  public var device: String
  public var python: String?
  public var triton: String?
  public var torch: String?

  public init(
    name: String, level: EvidenceLevel, device: String, python: String? = nil,
    triton: String? = nil, torch: String? = nil
  ) {
    self.name = name
    self.level = level
    self.device = device
    self.python = python
    self.triton = triton
    self.torch = torch
  }
}

/// How much is checked.
public enum CheckDepth: String, Codable, Sendable {
  /// One run: for another launch config of a body that was checked already.
  case glance
  /// The original's inputs with fresh numbers: enough before a text may be timed in the search.
  case quick
  /// Everything the backend knows: for the text that is printed.
  case full
}

/// How long is timed.
public enum TimingEffort: String, Codable, Sendable {
  case quick, normal, long
}

/// Why a step failed.
public struct StepFailure: Error, Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// The candidate is at fault: it does not compile, is wrong, needs too much.
    case compile, wrong, resources, python, memory
    /// The worker broke down over it; one trial is lost.
    case crashed
    case timedOut = "timed-out"
    /// What came back cannot be trusted: another text was run, a time below the roofline floor.
    case untrusted
    /// The lane's device is of no use any more, whoever asks: another lane has to do it.
    case device
    /// Nothing can be run at all: the search ends here.
    case environment
  }
  public var kind: Kind
  public var message: String

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}

/// What compiling gave, per config: figures of the compiler, never times.
public struct CompileFigures: Codable, Hashable, Sendable {
  public struct Kernel: Codable, Hashable, Sendable {
    public var kernel: String
    public var config: String
    public var registers: Int
    public var spillBytes: Int
    public var sharedBytes: Int
    public init(
      kernel: String, config: String, registers: Int, spillBytes: Int, sharedBytes: Int
    ) {
      self.kernel = kernel
      self.config = config
      self.registers = registers
      self.spillBytes = spillBytes
      self.sharedBytes = sharedBytes
    }
  }
  public var kernels: [Kernel]
  public init(kernels: [Kernel] = []) { self.kernels = kernels }
}

/// What a passed check says.
public struct CheckFigures: Codable, Hashable, Sendable {
  public var runs: Int
  /// Worst relative L2 error against the reference.
  public var worstError: Double?
  /// What it was held to: "fp64", "original".
  public var reference: String?
  public init(runs: Int, worstError: Double? = nil, reference: String? = nil) {
    self.runs = runs
    self.worstError = worstError
    self.reference = reference
  }
}

/// Interleaved times of original and candidate: one whole forward by the device's clock.
public struct TimingFigures: Codable, Hashable, Sendable {
  public var originalMicroseconds: Double
  public var microseconds: Double
  /// Original over candidate with its 95 % interval; above 1 is faster.
  public var ratio: Double
  public var lower: Double
  public var upper: Double
  public var isUnstable: Bool
  public var samples: Int
  /// Clocks, temperature, what else the backend saw.
  public var conditions: String?
  /// Original over candidate by the clock, the host's part included, where that was timed too.
  public var forwardRatio: Double?
  public var forwardLower: Double?
  public var forwardUpper: Double?

  public init(
    originalMicroseconds: Double, microseconds: Double, ratio: Double, lower: Double,
    upper: Double, isUnstable: Bool = false, samples: Int = 0, conditions: String? = nil
  ) {
    self.originalMicroseconds = originalMicroseconds
    self.microseconds = microseconds
    self.ratio = ratio
    self.lower = lower
    self.upper = upper
    self.isUnstable = isUnstable
    self.samples = samples
    self.conditions = conditions
  }
}

/// The answer of one step: figures or a failure, of which text, and what it cost.
public struct StepAnswer<Figures: Sendable>: Sendable {
  public var outcome: Result<Figures, StepFailure>
  /// Hash of the text that the backend really used, as the backend reports it.
  public var hash: String
  /// Compile and device time, without waiting for a device; what the budget is charged.
  public var seconds: Double

  public init(_ outcome: Result<Figures, StepFailure>, hash: String, seconds: Double) {
    self.outcome = outcome
    self.hash = hash
    self.seconds = seconds
  }
}

/// Model, compiler and GPU behind one interface.
///
/// A lane is one device (one worker): steps of one lane are never asked for at the same time, and a
/// backend that times holds its device for itself while it does.
public protocol TrialBackend: Sendable {
  var identity: BackendIdentity { get }
  /// How many trials may run at once; at least 1. A lane that is lost on the way still counts.
  var lanes: Int { get }
  /// Whether a lane failed with `device`, which nothing mends.
  func isLost(lane: Int) -> Bool
  func compile(_ candidate: Candidate, lane: Int) async -> StepAnswer<CompileFigures>
  func check(_ candidate: Candidate, depth: CheckDepth, lane: Int) async
    -> StepAnswer<CheckFigures>
  func time(
    _ candidate: Candidate, against original: Candidate, effort: TimingEffort, lane: Int
  ) async -> StepAnswer<TimingFigures>
}

extension TrialBackend {
  public func isLost(lane: Int) -> Bool { false }
}
