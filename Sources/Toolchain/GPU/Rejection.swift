/// Why a candidate is not accepted, by a name that stays.
public enum Rejection: String, Sendable, Hashable, Codable, CaseIterable {
  /// The file that was imported is not the text that was sent.
  case wrongFile = "wrong-file"
  /// It changed its own file after it was imported.
  case rewritesItself = "rewrites-itself"
  case raises
  case doesNotCompile = "does-not-compile"
  case outOfResources = "out-of-resources"
  case outOfMemory = "out-of-memory"
  case illegalAddress = "illegal-address"
  /// The device failed in another way.
  case deviceError = "device-error"
  case crashed
  case timedOut = "timed-out"
  /// The worker's answer contradicts itself or is not one.
  case lied

  case wrongResult = "wrong-result"
  /// Infinities or NaN where the original has numbers, or the reverse.
  case nonFinite = "non-finite"
  case unwrittenOutput = "unwritten-output"
  case outOfBoundsWrite = "out-of-bounds-write"
  case mutatesInput = "mutates-input"
  case mutatesState = "mutates-state"
  case aliasesInput = "aliases-input"
  /// Not a plain tensor on the GPU, or of another shape or type.
  case wrongType = "wrong-type"
  case reusesOutput = "reuses-output"
  /// An earlier result for new numbers in old tensors.
  case replaysResult = "replays-result"
  case nondeterministic
  /// The first call, which tunes, returns another result than later ones.
  case firstCallWrong = "first-call-wrong"
  /// One of its autotune configs is wrong by itself.
  case configWrong = "config-wrong"
  /// Right at the given sizes and not at others.
  case shapeSpecific = "shape-specific"

  /// The original does not compute what `Model` does, so nothing can be held to it.
  case originalWrong = "original-wrong"
  /// No run would have told it from a constant.
  case unproven

  case patchesFunctions = "patches-functions"
  case changesSettings = "changes-settings"
  case startsThreads = "starts-threads"
  case persistingL2 = "persisting-l2"

  /// The device works on after the events say it is done.
  case escapesTheEvents = "escapes-the-events"
  case sideStream = "side-stream"
  /// The worker's clock and Hone's own disagree.
  case clockLies = "clock-lies"
  case belowTheFloor = "below-the-floor"
  case wrongWhileTimed = "wrong-while-timed"
  /// None of the module's own kernels ran.
  case noOwnKernel = "no-own-kernel"
  /// A library's kernel does the work, which the original does not call.
  case libraryCall = "library-call"
}

/// One reason against a candidate, and where it showed.
public struct GPUFinding: Sendable, Hashable, Codable {
  public var reason: Rejection
  /// One sentence with the figures.
  public var message: String
  /// The setting's label; nil where it concerns the module as a whole.
  public var setting: String?

  public init(_ reason: Rejection, _ message: String, setting: String? = nil) {
    self.reason = reason
    self.message = message
    self.setting = setting
  }
}
