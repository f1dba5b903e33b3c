import Diagnostics

extension StagePolicy {
  /// The rules of a stage where the request does not give its own.
  public static func builtIn(_ stage: Stage, isFused: Bool = false) -> StagePolicy {
    var policy = general(stage)
    guard isFused else { return policy }
    policy.isFused = true
    policy.isSingleStorePerOutput = true
    policy.halveTilesAboveRegisters = 128
    switch stage {
    case .gridAndParallelism:
      policy.focus = "grid and indexing that all fused operators share"
    case .blockTiling:
      policy.focus = "BLOCK sizes that keep intermediates in registers"
      policy.blockCandidates = [
        BlockCandidates(pattern: "BLOCK_SIZE", values: [256, 512], context: "element-wise"),
        BlockCandidates(pattern: "BLOCK_M", values: [32, 64], context: "matmul"),
        BlockCandidates(pattern: "BLOCK_N", values: [32, 64], context: "matmul"),
        BlockCandidates(pattern: "BLOCK_K", values: [32], context: "matmul"),
      ]
      policy.configCount = 2...3
    case .memoryAccess:
      policy.focus = "no stores of intermediates"
      policy.numStages.startAt = 2
    case .microTuning:
      policy.focus = "launch parameters of a fused kernel"
      policy.numWarps.allowed = [4, 8]
      policy.numStages.allowed = [2, 3]
      policy.numStages.maxStep = nil
      policy.configCount = 1...3
      policy.baseline = [.numWarps: 4, .numStages: 2]
      policy.revertBelowPercent = PercentRange(2, 2)
      policy.conditionals = [
        ConditionalRule(
          condition: .all([.registersPerThread(Bound(.less, 96)), .noSpills]),
          effects: [.tryValue(.numWarps, 8), .tryValue(.numStages, 3)],
          text: "fewer than 96 registers a thread and no spills"),
        ConditionalRule(
          condition: .any([.registersPerThread(Bound(.greater, 128)), .limitedByRegisters]),
          effects: [.prefer(.numWarps, 4), .prefer(.numStages, 2)],
          text: "more than 128 registers a thread, or registers limit occupancy"),
      ]
    }
    return policy
  }

  private static func general(_ stage: Stage) -> StagePolicy {
    var policy = StagePolicy(
      stage: stage, isFused: false, focus: "", mayChange: [.body],
      numWarps: KnobPolicy(mayChange: false), numStages: KnobPolicy(mayChange: false),
      blockCandidates: [], blocksArePowersOfTwo: false, blockMultiples: [], configCount: nil,
      includesOriginal: false, baseline: nil, revertBelowPercent: nil, revertsIfUnstable: false,
      maxGridRank: 3, halveTilesAboveRegisters: nil, isSingleStorePerOutput: false,
      conditionals: [], metrics: [], rules: [], advice: [], diagnostics: [])
    switch stage {
    case .gridAndParallelism:
      policy.focus = "grid layout and parallelism"
      policy.mayChange.formUnion([.grid, .programMapping])
      policy.metrics = [
        MetricTarget(
          metric: "sm__throughput.avg.pct_of_peak_sustained_elapsed", bound: Bound(.greater, 60)),
        MetricTarget(metric: "launch__grid_size"), MetricTarget(metric: "launch__block_size"),
        MetricTarget(metric: "launch__waves_per_multiprocessor"),
      ]
    case .blockTiling:
      policy.focus = "BLOCK sizes"
      policy.mayChange.insert(.blockSizes)
      policy.blocksArePowersOfTwo = true
      policy.blockMultiples = [
        BlockMultiple(pattern: "BLOCK_M", multiple: 16),
        BlockMultiple(pattern: "BLOCK_N", multiple: 16),
        BlockMultiple(pattern: "BLOCK_K", multiple: 8),
      ]
      policy.blockCandidates = [
        BlockCandidates(pattern: "BLOCK_M", values: [32, 64, 128, 256], context: "fp32"),
        BlockCandidates(pattern: "BLOCK_N", values: [32, 64, 128, 256], context: "fp32"),
        BlockCandidates(pattern: "BLOCK_K", values: [16, 32, 64], context: "fp32"),
      ]
      policy.configCount = 2...4
      policy.metrics = [
        MetricTarget(
          metric: "sm__warps_active.avg.pct_of_peak_sustained_active", bound: Bound(.greater, 50)),
        MetricTarget(metric: "launch__registers_per_thread"),
      ]
    case .memoryAccess:
      policy.focus = "memory access and latency hiding"
      policy.mayChange.formUnion([.accessPatterns, .numStages])
      policy.numStages = KnobPolicy(mayChange: true)
      policy.metrics = [
        MetricTarget(metric: "dram__throughput.avg.pct_of_peak_sustained_elapsed"),
        MetricTarget(metric: "lts__t_sector_hit_rate.pct"),
        MetricTarget(metric: "l1tex__t_sector_hit_rate.pct"),
        MetricTarget(
          metric: "smsp__warp_issue_stalled_memory_dependency_per_warp_active.pct",
          bound: Bound(.less, 20)),
      ]
    case .microTuning:
      policy.focus = "num_warps and num_stages"
      policy.mayChange.formUnion([.numWarps, .numStages])
      policy.numWarps = KnobPolicy(allowed: [2, 4, 8, 16], mayChange: true)
      policy.numStages = KnobPolicy(allowed: [2, 3, 4], maxStep: 1, mayChange: true)
      policy.configCount = 3...6
      policy.includesOriginal = true
      policy.revertBelowPercent = PercentRange(1, 2)
      policy.revertsIfUnstable = true
      policy.metrics = [
        MetricTarget(metric: "sm__warps_active.avg.pct_of_peak_sustained_active")
      ]
    }
    return policy
  }
}

extension StagePolicy {
  /// No stage: everything may change, names and signatures stay.
  public static var unrestricted: StagePolicy {
    var policy = general(.microTuning)
    policy.focus = "anything"
    policy.mayChange = Set(Part.allCases)
    policy.numWarps = KnobPolicy(mayChange: true)
    policy.numStages = KnobPolicy(mayChange: true)
    policy.configCount = nil
    policy.includesOriginal = false
    policy.revertBelowPercent = nil
    policy.revertsIfUnstable = false
    policy.metrics = []
    return policy
  }
}
