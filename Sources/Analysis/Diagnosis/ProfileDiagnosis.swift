import DeviceModel
import HostProgram
import Profiling

/// What a profile's metrics say in words, and whether they fit the model.
public struct ProfileDiagnosis: Sendable {
  /// One metric read out.
  public struct Reading: Sendable {
    /// Nsight's name.
    public var metric: String
    /// In base units.
    public var value: Double
    public var says: String
  }

  public var readings: [Reading] = []
  /// Conclusions that rest on several metrics.
  public var conclusions: [String] = []
  /// Where profile and model disagree.
  public var contradictions: [String] = []
  /// Blocks per SM that `sm__warps_active` points to.
  public private(set) var residentBlocks: Int?

  private let profile: KernelProfile
  private let cost: CostEstimate
  private let gpu: GPU

  init(
    _ profile: KernelProfile, cost: CostEstimate, work: WorkReport, divisions: DivisionReport,
    config: LaunchConfig, grid: [Int], gpu: GPU
  ) {
    self.profile = profile
    self.cost = cost
    self.gpu = gpu
    readLaunch(config, grid)
    readOccupancy(config)
    readMemory(work)
    readThroughput()
    conclude(work, divisions)
  }

  private mutating func add(_ metric: String, _ says: (Double) -> String) {
    guard let value = profile[metric], value.isFinite else { return }
    readings.append(Reading(metric: metric, value: value, says: says(value)))
  }

  private mutating func readLaunch(_ config: LaunchConfig, _ grid: [Int]) {
    let programs = grid.reduce(1.0) { $0 * Double(max(1, $1)) }
    add(NsightMetric.gridSize) { value in
      let same = value == programs
      return "\(Number.short(value)) blocks"
        + (same
          ? ", as this config's grid \(grid) has"
          : "; this config's grid has \(Number.short(programs))")
    }
    if let size = profile[NsightMetric.gridSize], size != programs {
      contradictions.append(
        "\(NsightMetric.gridSize) is \(Number.short(size)), this config's grid \(grid) has "
          + "\(Number.short(programs)): the profile is of another config or problem")
    }
    add(NsightMetric.blockSize) {
      "\(Number.short($0)) threads a block: \(Number.short($0 / 32)) warps"
    }
    if let size = profile[NsightMetric.blockSize], size != Double(config.numWarps * 32) {
      contradictions.append(
        "\(NsightMetric.blockSize) is \(Number.short(size)), this config has "
          + "\(config.numWarps) warps: the profile is of another config")
    }
    add(NsightMetric.wavesPerSM) { "\(Number.short($0)) waves of blocks" }
    add(NsightMetric.durationSeconds) { "\(Number.short($0 * 1e6)) µs a launch" }
    if let seconds = profile[NsightMetric.durationSeconds], seconds > 0 {
      let ratio = cost.predictedMicroseconds / (seconds * 1e6)
      if ratio > 1.5 || ratio < 0.67 {
        contradictions.append(
          "the model predicts \(Number.short(cost.predictedMicroseconds)) µs, the profile has "
            + "\(Number.short(seconds * 1e6)) µs")
      }
    }
    let counted = cost.warpInstructions.total
    add(NsightMetric.instructionsExecuted) { value in
      "\(Number.scaled(value, "warp instructions")); the model counts "
        + Number.scaled(counted, "")
    }
  }

  private mutating func readOccupancy(_ config: LaunchConfig) {
    add(NsightMetric.registersPerThread) { "\(Number.short($0)) registers a thread" }
    add(NsightMetric.dynamicSharedBytes) { "\(Number.short($0 / 1024)) KiB shared memory a block" }
    guard let active = profile[NsightMetric.warpsActive] else { return }
    if active > 100.5 || active < 0 {
      contradictions.append("\(NsightMetric.warpsActive) is \(Number.short(active)) %: impossible")
      return
    }
    let blocks = Occupancy.residentBlocks(
      warpsActivePercent: active, warpsPerBlock: config.numWarps, on: gpu)
    residentBlocks = blocks
    let (gpu, cost) = (gpu, cost)
    add(NsightMetric.warpsActive) { value in
      guard let blocks else { return "\(Number.short(value)) % of the warps an SM can hold" }
      let warps = blocks * config.numWarps
      let registers = Occupancy.registerRange(
        blocksPerSM: blocks, sharedBytesPerBlock: cost.sharedBytesPerBlock,
        warpsPerBlock: config.numWarps, on: gpu)
      return
        "\(warps) of \(gpu.limits.maxWarps) warps: \(blocks) blocks of \(config.numWarps) warps"
        + (registers.map {
          ", so a thread has \($0.lowerBound) to \($0.upperBound) registers if registers limit it"
        } ?? "")
    }
    if let blocks, blocks != cost.occupancy.blocksPerSM {
      contradictions.append(
        "occupancy points to \(blocks) blocks per SM, the model expects "
          + "\(cost.occupancy.blocksPerSM) (\(cost.registersPerThread) registers a thread)")
    }
  }

  private mutating func readMemory(_ work: WorkReport) {
    let peak = gpu.dramGBPerSecond
    add(NsightMetric.dramThroughput) { value in
      let rate = "\(Number.short(value / 100 * peak)) of \(Number.short(peak)) GB/s"
      return value >= 75
        ? "\(rate): DRAM bandwidth is nearly used up"
        : value >= 45 ? "\(rate): DRAM is busy but not the limit" : "\(rate): DRAM is not the limit"
    }
    add(NsightMetric.dramReadBytes) { "\(Number.scaled($0, "B")) read from DRAM" }
    add(NsightMetric.dramWrittenBytes) { "\(Number.scaled($0, "B")) written to DRAM" }
    add(NsightMetric.l2HitRate) { value in
      value >= 80
        ? "L2 serves nearly all of what L1 asks for: data is re-read, but not from DRAM"
        : value >= 50
          ? "L2 serves part of what L1 asks for" : "most of what L1 asks for comes from DRAM"
    }
    add(NsightMetric.l1HitRate) { value in
      value >= 70 ? "L1 serves most sectors" : value >= 30 ? "L1 serves part" : "little reuse in L1"
    }
    if let percent = profile[NsightMetric.dramThroughput], percent > 0.5,
      profile[NsightMetric.durationSeconds] == nil, work.compulsoryBytes > 0
    {
      let rate = percent / 100 * peak * 1e3
      conclusions.append(
        "at that DRAM rate the compulsory \(Number.scaled(work.compulsoryBytes, "B")) take at least "
          + "\(Number.short(work.compulsoryBytes / rate)) µs, the predicted "
          + "\(Number.scaled(cost.dramBytes, "B")) take \(Number.short(cost.dramBytes / rate)) µs: "
          + "about what the profiled launch took")
    }
  }

  private mutating func readThroughput() {
    add(NsightMetric.smThroughput) { value in
      "the busiest unit of the SMs runs at \(Number.short(value)) % of its peak"
        + (value >= 80
          ? ": compute (or issue) is the limit" : value >= 50 ? ": busy" : ": the SMs mostly wait")
    }
    add(NsightMetric.memoryStalls) { value in
      "\(Number.short(value)) % of warp stalls wait for memory"
        + (value >= 20 ? ": latency is not hidden" : "")
    }
  }

  private mutating func conclude(_ work: WorkReport, _ divisions: DivisionReport) {
    let sm = profile[NsightMetric.smThroughput]
    let dram = profile[NsightMetric.dramThroughput]
    let l2 = profile[NsightMetric.l2HitRate]
    let warps = profile[NsightMetric.warpsActive]
    let model = cost.bottleneck
    let isCompute: Bool = [.issue, .alu, .fma, .special, .tensor].contains(model)
    if let dram, dram >= 75 {
      conclusions.append("the kernel is bound by DRAM bandwidth")
      if model != .dram {
        contradictions.append("the model expects \(model.title) to be the limit, not DRAM")
      }
    } else if let sm, sm >= 50, dram ?? 0 < 60 {
      var parts = ["the SMs are busy (\(Number.short(sm)) %)"]
      if let dram { parts.append("DRAM is not (\(Number.short(dram)) %)") }
      if let l2, l2 >= 70 { parts.append("L2 answers \(Number.short(l2)) % of the sectors") }
      if let warps, warps < 50 {
        parts.append("and only \(Number.short(warps)) % of the warps are there to hide waiting")
      }
      var text = parts.joined(separator: ", ") + ": the kernel is bound by what the SMs execute"
      if isCompute || model == .lsu || model == .latency {
        text += "; the model agrees and names \(model.title)"
      }
      conclusions.append(text)
      if model == .dram || model == .l2 {
        contradictions.append(
          "the model expects \(model.title) to be the limit, the profile points at the SMs")
      }
    } else if let sm, sm < 50, dram ?? 0 < 50 {
      conclusions.append(
        "neither the SMs (\(Number.short(sm)) %) nor DRAM\(dram.map { " (\(Number.short($0)) %)" } ?? "") "
          + "is busy: the kernel waits, for memory latency, barriers or too few blocks")
    }
    if divisions.share >= 0.25, dram ?? 0 < 60, sm == nil || (sm ?? 0) >= 40 {
      conclusions.append(
        "integer division and remainder are \(Number.short(divisions.share * 100)) % of the "
          + "predicted instructions: that is what the SMs are busy with")
    }
  }
}
