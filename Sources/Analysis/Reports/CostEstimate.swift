import DeviceModel

/// What the model predicts for one config of one launch. Nothing here was measured.
public struct CostEstimate: Sendable {
  /// What the time goes to.
  public enum Term: String, Sendable, CaseIterable, Hashable, Codable {
    /// Issuing warp instructions at the rate the resident warps allow.
    case issue
    /// The integer (ALU) pipe.
    case alu
    /// The multiply-add pipes, fp32 and IMAD.
    case fma
    /// The special-function and conversion unit.
    case special
    case tensor
    /// Load/store unit, shared memory and L1 wavefronts.
    case lsu
    case l2
    case dram
    /// Waiting for memory and barriers with too few resident warps.
    case latency

    /// For people.
    public var title: String {
      switch self {
      case .issue: "instruction issue"
      case .alu: "integer pipe"
      case .fma: "multiply-add pipe"
      case .special: "special-function unit"
      case .tensor: "tensor cores"
      case .lsu: "load/store unit"
      case .l2: "L2 bandwidth"
      case .dram: "DRAM bandwidth"
      case .latency: "memory latency"
      }
    }
  }

  /// The time of one launch, microseconds.
  public var predictedMicroseconds: Double
  /// The time each resource alone would take, microseconds.
  public var terms: [Term: Double]
  /// The largest term.
  public var bottleneck: Term
  /// Warp instructions of the whole launch.
  public var warpInstructions: InstructionMix
  /// Registers the compiler is expected to give a thread.
  public var registersPerThread: Int
  /// The estimate passes what a thread can have: expect spills.
  public var mayReachRegisterLimit: Bool
  public var sharedBytesPerBlock: Int
  public var occupancy: Occupancy
  /// Grid over what the GPU holds at once.
  public var waves: Double
  public var dramBytes: Double
  public var l2Bytes: Double

  /// Terms by falling time.
  public var rankedTerms: [(term: Term, microseconds: Double)] {
    terms.map { (term: $0.key, microseconds: $0.value) }.sorted {
      ($0.microseconds, $1.term.rawValue) > ($1.microseconds, $0.term.rawValue)
    }
  }
}
