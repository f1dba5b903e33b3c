import Diagnostics

/// The four optimization stages, in their fixed order.
public enum Stage: String, Sendable, CaseIterable, Hashable {
  case gridAndParallelism = "grid-and-parallelism"
  case blockTiling = "block-tiling"
  case memoryAccess = "memory-access"
  case microTuning = "micro-tuning"

  /// The stage that `name` means: `micro-tuning`, `micro`, `tiling`, `stage 4`, `4`, …
  ///
  /// - Throws: a `Diagnostic` (`unknown-stage`) that offers the nearest name.
  public static func named(_ name: String) throws(Diagnostic) -> Stage {
    let key = name.lowercased().filter { $0.isLetter || $0.isNumber }
    if let stage = aliases[key] { return stage }
    let near = Spelling.nearest(to: key, in: aliases.keys.sorted()).flatMap { aliases[$0] }
    let offer = near.map { "; did you mean '\($0.rawValue)'?" } ?? ""
    let list = allCases.map(\.rawValue).joined(separator: ", ")
    throw Diagnostic(
      id: "unknown-stage", "unknown stage '\(name.prefix(60))'\(offer)", nextStep: "stages: \(list)"
    )
  }

  private static let aliases: [String: Stage] = [
    "gridandparallelism": .gridAndParallelism, "gridandparallel": .gridAndParallelism,
    "grid": .gridAndParallelism, "parallelism": .gridAndParallelism, "1": .gridAndParallelism,
    "stage1": .gridAndParallelism, "blocktiling": .blockTiling, "tiling": .blockTiling,
    "block": .blockTiling, "2": .blockTiling, "stage2": .blockTiling,
    "memoryaccess": .memoryAccess, "memory": .memoryAccess, "3": .memoryAccess,
    "stage3": .memoryAccess, "microtuning": .microTuning, "micro": .microTuning,
    "finetuning": .microTuning, "tuning": .microTuning, "4": .microTuning, "stage4": .microTuning,
  ]
}

/// A launch parameter that a stage may tune.
public enum Knob: String, Sendable, CaseIterable, Hashable {
  case numWarps = "num_warps"
  case numStages = "num_stages"

  /// What Triton uses where a config gives no value.
  public var tritonDefault: Int {
    switch self {
    case .numWarps: 4
    case .numStages: 3
    }
  }
}

/// A part of a kernel or its launch that a stage may or may not change.
public enum Part: String, Sendable, CaseIterable, Hashable {
  /// The grid expression of each launch.
  case grid
  /// How programs are mapped to work (`tl.program_id` use, order for reuse).
  case programMapping = "program mapping"
  /// The values of BLOCK sizes.
  case blockSizes = "BLOCK sizes"
  /// Which addresses are read and written, in which layout and width.
  case accessPatterns = "access patterns"
  case numWarps = "num_warps"
  case numStages = "num_stages"
  /// Arithmetic, loop form and specialisation inside the kernel body that leave the rest alone.
  case body = "kernel body"

  public init(_ knob: Knob) { self = knob == .numWarps ? .numWarps : .numStages }
}

/// A range of percent values such as the 1–2 % of "revert if gain < 1–2 %".
public struct PercentRange: Sendable, Hashable {
  public var lower: Double
  public var upper: Double
  public init(_ lower: Double, _ upper: Double) {
    self.lower = min(lower, upper)
    self.upper = max(lower, upper)
  }
}

/// What is allowed for one knob.
public struct KnobPolicy: Sendable, Hashable {
  /// Values that may be chosen; nil allows every value. The original's values are always allowed.
  public var allowed: [Int]?
  /// The most that the value may differ from an original config's with the same BLOCK sizes.
  public var maxStep: Int?
  /// Whether it may be changed at all.
  public var mayChange: Bool
  /// Where to start when nothing else decides ("start with 2").
  public var startAt: Int?

  public init(allowed: [Int]? = nil, maxStep: Int? = nil, mayChange: Bool, startAt: Int? = nil) {
    self.allowed = allowed
    self.maxStep = maxStep
    self.mayChange = mayChange
    self.startAt = startAt
  }
}

/// What a stage allows, demands and looks at: a table of `StagePolicy.builtIn`, overridden by the
/// stage section of a request.
public struct StagePolicy: Sendable {
  public var stage: Stage
  /// Several operators in one kernel: the fused variant of the stage's rules.
  public var isFused: Bool
  /// The stage's aim in the request's words, or ours.
  public var focus: String
  public var mayChange: Set<Part>
  public var numWarps: KnobPolicy
  public var numStages: KnobPolicy
  /// Candidate values by BLOCK name pattern (`BLOCK_M`, `BLOCK_K`, `BLOCK_*`).
  public var blockCandidates: [BlockCandidates]
  /// Every BLOCK size must be a power of two.
  public var blocksArePowersOfTwo: Bool
  /// Multiples preferred for tensor cores, by BLOCK name pattern.
  public var blockMultiples: [BlockMultiple]
  /// How many configs an autotuned kernel may hold.
  public var configCount: ClosedRange<Int>?
  /// The original config must be among them.
  public var includesOriginal: Bool
  /// A config that must be among them, by knob ("conservative baseline").
  public var baseline: [Knob: Int]?
  /// A gain below this (in percent) is reverted: surely below `lower`, and by caution below `upper`.
  public var revertBelowPercent: PercentRange?
  /// An unstable gain is reverted.
  public var revertsIfUnstable: Bool
  /// The most grid axes.
  public var maxGridRank: Int
  /// Registers per thread above which tiles are to be halved.
  public var halveTilesAboveRegisters: Int?
  /// At most one store per output, none of intermediates.
  public var isSingleStorePerOutput: Bool
  /// Rules that hold under a condition.
  public var conditionals: [ConditionalRule]
  /// Metrics that the stage looks at, with the wanted value if one is given.
  public var metrics: [MetricTarget]
  /// Every rule that was read from a request, in document order.
  public var rules: [StageRule]
  /// Guidance that was read and carries no rule that a program checks.
  public var advice: [Advice]
  /// Notes and errors of the reading.
  public var diagnostics: [Diagnostic]

  public subscript(knob: Knob) -> KnobPolicy {
    get { knob == .numWarps ? numWarps : numStages }
    set {
      switch knob {
      case .numWarps: numWarps = newValue
      case .numStages: numStages = newValue
      }
    }
  }

  /// Whether a part may be changed.
  public func allows(_ part: Part) -> Bool { mayChange.contains(part) }

  /// The rule of the request that a check rests on, if it came from there.
  public func source(of kind: StageRule.Kind.Name) -> StageRule? {
    rules.first { $0.kind.name == kind }
  }
}

/// Candidate values for the BLOCK sizes whose names match a pattern.
public struct BlockCandidates: Sendable, Hashable {
  /// `BLOCK_M`, `BLOCK_K`, `BLOCK_SIZE`, or `BLOCK_*` for all.
  public var pattern: String
  public var values: [Int]
  /// The kind of kernel this is for ("element-wise", "matmul", "fp32"), or nil for all.
  public var context: String?
  public init(pattern: String, values: [Int], context: String? = nil) {
    self.pattern = pattern
    self.values = values
    self.context = context
  }
}

/// A multiple that a BLOCK size should be.
public struct BlockMultiple: Sendable, Hashable {
  public var pattern: String
  public var multiple: Int
  public init(pattern: String, multiple: Int) {
    self.pattern = pattern
    self.multiple = multiple
  }
}

/// A metric with what the stage wants of it.
public struct MetricTarget: Sendable, Hashable {
  /// Nsight's name.
  public var metric: String
  /// The wanted relation, if one is stated.
  public var bound: Bound?
  public init(metric: String, bound: Bound? = nil) {
    self.metric = metric
    self.bound = bound
  }
}

/// `> 60`, `<= 128`.
public struct Bound: Sendable, Hashable {
  public enum Relation: String, Sendable {
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
  }
  public var relation: Relation
  public var value: Double
  public init(_ relation: Relation, _ value: Double) {
    self.relation = relation
    self.value = value
  }

  public func holds(for observed: Double) -> Bool {
    switch relation {
    case .less: observed < value
    case .lessOrEqual: observed <= value
    case .greater: observed > value
    case .greaterOrEqual: observed >= value
    }
  }
}

/// What can be asked of a kernel before a conditional rule applies.
public enum Condition: Sendable, Hashable {
  /// A metric by Nsight's name.
  case metric(MetricTarget)
  case registersPerThread(Bound)
  /// At least so many distinct loads.
  case distinctLoads(Int)
  case noSpills
  /// `launch__occupancy_limit_registers` is the least of the limits.
  case limitedByRegisters
  /// Named by the request but not computable from what a profile holds ("memory stalls high").
  case stated(String)
  indirect case all([Condition])
  indirect case any([Condition])
}

/// What a conditional rule asks for.
public enum Effect: Sendable, Hashable {
  /// Use, or prefer, this value.
  case prefer(Knob, Int)
  /// A value worth trying.
  case tryValue(Knob, Int)
  case allowChange(Part)
  case halveTiles
}

/// `IF regs < 96: try num_warps=8`
public struct ConditionalRule: Sendable, Hashable {
  public var condition: Condition
  public var effects: [Effect]
  /// The condition in the request's words.
  public var text: String
  public init(condition: Condition, effects: [Effect], text: String) {
    self.condition = condition
    self.effects = effects
    self.text = text
  }
}

/// Guidance without a rule that a program checks.
public struct Advice: Sendable, Hashable {
  public enum Kind: String, Sendable {
    case principle, preference, verification, exclusion, example, explanation, hint
    /// Read as advice because nothing else fitted; a note says so.
    case unrecognised
  }
  public var kind: Kind
  public var text: String
  public var range: SourceRange
  public init(kind: Kind, text: String, range: SourceRange) {
    self.kind = kind
    self.text = text
    self.range = range
  }
}
