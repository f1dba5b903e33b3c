import Analysis
import Checking
import Diagnostics
import HostProgram

/// What an optimization run returns: the module to print, and everything that says why it is so.
public struct Optimization: Sendable {
  public enum Status: String, Sendable {
    /// Kernel bodies changed (and possibly knobs).
    case improved
    /// Only launch knobs (autotune configs) changed.
    case tuned
    /// The original is the answer.
    case unchanged
  }

  public var status: Status
  public var original: SourceText
  /// The module to print, in the strict form.
  public var module: SourceText
  /// What the host program of `module` launches; nil where it could not be followed.
  public var run: HostRun?
  public var kernels: [KernelOutcome]
  /// In the order they were made; refused and reverted ones included.
  public var trials: [Trial]
  /// How the problem's shapes were found where the request gives none.
  public var deduction: ProblemDeduction?
  /// What was assumed, and what could not be understood.
  public var notes: [Diagnostic]
  /// The run of `module` against the original on the tile machine; nil where the original is the
  /// answer.
  public var check: CheckReport?
  /// What was measured, where a GPU was at hand.
  public var measurement: MeasuredOutcome?
  /// What Triton made of the configs for the target, where a compiler was at hand.
  public var compilation: Compilation?

  public init(
    status: Status, original: SourceText, module: SourceText, run: HostRun? = nil,
    kernels: [KernelOutcome] = [], trials: [Trial] = [], deduction: ProblemDeduction? = nil,
    notes: [Diagnostic] = [], check: CheckReport? = nil, measurement: MeasuredOutcome? = nil
  ) {
    self.status = status
    self.original = original
    self.module = module
    self.run = run
    self.kernels = kernels
    self.trials = trials
    self.deduction = deduction
    self.notes = notes
    self.check = check
    self.measurement = measurement
  }

  /// Whether something was done that is predicted to gain what the stage asks for, or that gained on
  /// other kernels where it was measured. False for the original, and for a list of configs that is
  /// there because the stage asks for one.
  public var expectsGain: Bool {
    if let measurement { return measurement.confirmation?.verdict == .accepted }
    return status != .unchanged
      && trials.contains {
        $0.isAccepted && [.prediction, .measuredPrior, .winner].contains($0.basis)
      }
  }

  /// Predicted time of all understood launches before and after, in microseconds.
  public var predictedMicroseconds: (before: Double, after: Double)? {
    let known = kernels.compactMap { kernel -> (Double, Double)? in
      guard let before = kernel.microsecondsBefore, let after = kernel.microsecondsAfter else {
        return nil
      }
      return (before, after)
    }
    guard !known.isEmpty else { return nil }
    return known.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
  }
}

/// The measured part of a run: on which device, and what the printed module gained there.
public struct MeasuredOutcome: Sendable {
  public var backend: BackendIdentity
  /// The original against itself: what the machine's noise is.
  public var baseline: TrialRecord?
  /// The record that the printed module rests on; nil where the original is printed.
  public var confirmation: TrialRecord?
  /// Every trial of this run, in the order of the search.
  public var records: [TrialRecord]
  /// Compile and device time that the trials took, including those read from the log.
  public var seconds: Double
  /// Whether the budget ended the search before everything planned was tried.
  public var endedByBudget: Bool
  /// A module of somebody else's, checked and timed beside the result.
  public var beside: TrialRecord?

  public init(
    backend: BackendIdentity, baseline: TrialRecord? = nil, confirmation: TrialRecord? = nil,
    records: [TrialRecord] = [], seconds: Double = 0, endedByBudget: Bool = false,
    beside: TrialRecord? = nil
  ) {
    self.backend = backend
    self.baseline = baseline
    self.confirmation = confirmation
    self.records = records
    self.seconds = seconds
    self.endedByBudget = endedByBudget
    self.beside = beside
  }
}

/// What Triton's compiler made of a module for the target: figures of the compiler, never times.
public struct Compilation: Sendable {
  public struct Row: Codable, Sendable {
    public var kernel: String
    public var config: String
    public var registers: Int
    public var spillBytes: Int
    public var sharedBytes: Int
    /// Of the original module's kernel; else of the printed one's.
    public var isOriginal: Bool
    public init(
      kernel: String, config: String, registers: Int, spillBytes: Int, sharedBytes: Int,
      isOriginal: Bool
    ) {
      self.kernel = kernel
      self.config = config
      self.registers = registers
      self.spillBytes = spillBytes
      self.sharedBytes = sharedBytes
      self.isOriginal = isOriginal
    }
  }
  public var backend: BackendIdentity
  public var rows: [Row]
  /// Candidates that were left out for what the compiler said, in words.
  public var dropped: [String]
  /// Why nothing was compiled.
  public var failure: String?

  public init(
    backend: BackendIdentity, rows: [Row] = [], dropped: [String] = [], failure: String? = nil
  ) {
    self.backend = backend
    self.rows = rows
    self.dropped = dropped
    self.failure = failure
  }
}

/// What became of one kernel.
public struct KernelOutcome: Sendable {
  public var name: String
  /// How many launches `forward` makes of it.
  public var launches: Int
  public var originalConfigs: [LaunchConfig]
  /// The original config that the profile belongs to, or that the model holds for the fastest.
  public var referenceConfig: LaunchConfig?
  /// Whether `referenceConfig` follows from the profile.
  public var isReferenceProfiled: Bool
  public var configs: [LaunchConfig]
  /// The kernel's parameters, for naming its configs' values in their order.
  public var parameterNames: [String] = []
  /// Predicted, over all its launches, with the best config of each.
  public var microsecondsBefore: Double?
  public var microsecondsAfter: Double?
  /// Why the kernel was left alone, if it was not understood.
  public var refusal: Diagnostic?

  public init(
    name: String, launches: Int, originalConfigs: [LaunchConfig] = [],
    referenceConfig: LaunchConfig? = nil, isReferenceProfiled: Bool = false,
    configs: [LaunchConfig] = [], microsecondsBefore: Double? = nil,
    microsecondsAfter: Double? = nil, refusal: Diagnostic? = nil
  ) {
    self.name = name
    self.launches = launches
    self.originalConfigs = originalConfigs
    self.referenceConfig = referenceConfig
    self.isReferenceProfiled = isReferenceProfiled
    self.configs = configs
    self.microsecondsBefore = microsecondsBefore
    self.microsecondsAfter = microsecondsAfter
    self.refusal = refusal
  }
}
