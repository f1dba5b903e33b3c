import Diagnostics

/// One rule read from one clause of a stage section.
public struct StageRule: Sendable {
  public var kind: Kind
  /// The clause in the request's words.
  public var text: String
  /// Where it stands.
  public var source: SourceText
  public var range: SourceRange

  public init(kind: Kind, text: String, source: SourceText, range: SourceRange) {
    self.kind = kind
    self.text = text
    self.source = source
    self.range = range
  }

  /// `request.md:31`
  public var place: String { "\(source.name):\(source.location(at: range.lower).line)" }

  public indirect enum Kind: Sendable, Hashable {
    case stageTitle(String)
    case focus(String)
    /// `num_warps ∈ {2,4}`
    case allowedValues(Knob, [Int])
    /// `num_warps <= 8`
    case knobBound(Knob, Bound)
    /// `num_stages by ±1 only`
    case maxStep(Knob, Int)
    /// `start with 2`
    case startAt(Knob, Int)
    /// "Do NOT modify grid"
    case fixed(Part)
    /// An outright permission: "grid may change"
    case mayChange(Part)
    /// "Only … may be changed", "everything else is fixed": what no other rule allows is fixed.
    case othersFixed
    /// "Change num_warps only if occupancy suggests it"
    case changeOnlyIf(Part, Condition)
    /// As written; `least` above `most` is an error of the request.
    case configCount(least: Int, most: Int)
    case includeOriginal
    /// A smaller (or otherwise cautious) config must stay among them.
    case includeFallback
    case baseline([Knob: Int])
    case revert(PercentRange?, ifUnstable: Bool)
    case metric(MetricTarget)
    case blockCandidates(BlockCandidates)
    case blocksPowersOfTwo
    case blockMultiple(BlockMultiple)
    /// Halve BLOCK sizes above so many registers per thread.
    case halveTilesAbove(registers: Int)
    case maxGridRank(Int)
    /// The number of grid axes does not depend on values.
    case gridRankIsStatic
    /// The grid for a rank, in the request's words.
    case gridForm(rank: Int, String)
    case gridMatchesProgramIDs
    /// BLOCK sizes or (num_warps, num_stages) are tuned, not both.
    case tuneOneGroupOnly
    case autotuneOnKernelOnly
    /// A grid that follows tuned BLOCK sizes is a lambda.
    case gridIsLambdaIfBlocksTuned
    case blocksDefinedOnce
    case singleStorePerOutput
    case noIntermediateStores
    case sharedOffsetsAndMask
    case conditional(ConditionalRule)

    /// The case without its values.
    public enum Name: String, Sendable {
      case stageTitle, focus, allowedWarps, allowedStages, stepWarps, stepStages, startAt
      case fixedGrid, fixedMapping, fixedBlocks, fixedAccess, fixedWarps, fixedStages, fixedBody
      case knobBound, mayChange, othersFixed, changeOnlyIf, configCount, includeOriginal,
        includeFallback, baseline, revert
      case metric, blockCandidates, blocksPowersOfTwo, blockMultiple, halveTilesAbove
      case maxGridRank, gridRankIsStatic, gridForm, gridMatchesProgramIDs, tuneOneGroupOnly,
        autotuneOnKernelOnly
      case gridIsLambdaIfBlocksTuned, blocksDefinedOnce, singleStorePerOutput
      case noIntermediateStores, sharedOffsetsAndMask, conditional
    }

    public var name: Name {
      switch self {
      case .stageTitle: .stageTitle
      case .focus: .focus
      case .allowedValues(let knob, _): knob == .numWarps ? .allowedWarps : .allowedStages
      case .maxStep(let knob, _): knob == .numWarps ? .stepWarps : .stepStages
      case .startAt: .startAt
      case .fixed(let part): Self.fixedName(part)
      case .knobBound: .knobBound
      case .mayChange: .mayChange
      case .othersFixed: .othersFixed
      case .changeOnlyIf: .changeOnlyIf
      case .configCount: .configCount
      case .includeOriginal: .includeOriginal
      case .includeFallback: .includeFallback
      case .baseline: .baseline
      case .revert: .revert
      case .metric: .metric
      case .blockCandidates: .blockCandidates
      case .blocksPowersOfTwo: .blocksPowersOfTwo
      case .blockMultiple: .blockMultiple
      case .halveTilesAbove: .halveTilesAbove
      case .maxGridRank: .maxGridRank
      case .gridRankIsStatic: .gridRankIsStatic
      case .gridForm: .gridForm
      case .gridMatchesProgramIDs: .gridMatchesProgramIDs
      case .tuneOneGroupOnly: .tuneOneGroupOnly
      case .autotuneOnKernelOnly: .autotuneOnKernelOnly
      case .gridIsLambdaIfBlocksTuned: .gridIsLambdaIfBlocksTuned
      case .blocksDefinedOnce: .blocksDefinedOnce
      case .singleStorePerOutput: .singleStorePerOutput
      case .noIntermediateStores: .noIntermediateStores
      case .sharedOffsetsAndMask: .sharedOffsetsAndMask
      case .conditional: .conditional
      }
    }

    static func fixedName(_ part: Part) -> Name {
      switch part {
      case .grid: .fixedGrid
      case .programMapping: .fixedMapping
      case .blockSizes: .fixedBlocks
      case .accessPatterns: .fixedAccess
      case .numWarps: .fixedWarps
      case .numStages: .fixedStages
      case .body: .fixedBody
      }
    }
  }
}
