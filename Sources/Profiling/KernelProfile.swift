import Diagnostics

/// What a profiler saw of one kernel, under Nsight Compute's own metric names.
public struct KernelProfile: Sendable {
  /// One value with where it was read.
  public struct Metric: Sendable, Hashable {
    /// In the metric's base unit: percent as 0…100, bytes, seconds, hertz, or a plain count.
    public var value: Double
    /// The unit as written, or nil.
    public var unit: String?
    public var range: SourceRange?

    public init(value: Double, unit: String? = nil, range: SourceRange? = nil) {
      self.value = value
      self.unit = unit
      self.range = range
    }
  }

  /// As written in the profile; Triton's argument suffixes may follow the function's name.
  public var kernel: String
  /// Which of several launches of this kernel this is: 0, 1, …
  public var launch: Int
  /// By Nsight's metric name. Metrics without a value are in `absent`.
  public var metrics: [String: Metric]
  /// Metrics that the profile names without a value (`N/A`, `null`).
  public var absent: [String]
  /// The profiler's own number of the launch (the `ID` column of ncu), counted over all kernels.
  public var launchID: Int?
  public var range: SourceRange?
  /// As the profile's columns write them: `(1024, 1, 1)`.
  var gridSize: String?
  var blockSize: String?

  public init(
    kernel: String, launch: Int = 0, metrics: [String: Metric] = [:], absent: [String] = [],
    range: SourceRange? = nil
  ) {
    self.kernel = kernel
    self.launch = launch
    self.metrics = metrics
    self.absent = absent
    self.range = range
  }

  /// Drops the metrics that a test does not pick.
  public mutating func keep(_ isWanted: (String) -> Bool) {
    metrics = metrics.filter { isWanted($0.key) }
    absent = absent.filter(isWanted)
  }

  /// What ncu's raw page holds beside metrics: attributes of the device, its links and the profiler.
  private static let attributePrefixes = [
    "device__", "nvlink__", "numa__", "c2clink__", "profiler__",
  ]

  /// Drops what is not about the kernel.
  public mutating func dropAttributes() {
    keep { name in !Self.attributePrefixes.contains { name.hasPrefix($0) } }
  }

  /// The value of a metric by Nsight's name, in base units.
  public subscript(metric: String) -> Double? { metrics[metric]?.value }
}

/// Nsight Compute's names of the metrics that Hone itself looks at.
public enum NsightMetric {
  public static let gridSize = "launch__grid_size"
  public static let blockSize = "launch__block_size"
  public static let registersPerThread = "launch__registers_per_thread"
  public static let dynamicSharedBytes = "launch__shared_mem_per_block_dynamic"
  public static let staticSharedBytes = "launch__shared_mem_per_block_static"
  public static let wavesPerSM = "launch__waves_per_multiprocessor"
  public static let occupancyLimitRegisters = "launch__occupancy_limit_registers"
  public static let occupancyLimitSharedMemory = "launch__occupancy_limit_shared_mem"
  public static let occupancyLimitWarps = "launch__occupancy_limit_warps"
  public static let occupancyLimitBlocks = "launch__occupancy_limit_blocks"
  public static let durationSeconds = "gpu__time_duration.sum"
  public static let smThroughput = "sm__throughput.avg.pct_of_peak_sustained_elapsed"
  public static let warpsActive = "sm__warps_active.avg.pct_of_peak_sustained_active"
  public static let dramThroughput = "dram__throughput.avg.pct_of_peak_sustained_elapsed"
  public static let dramReadBytes = "dram__bytes_read.sum"
  public static let dramWrittenBytes = "dram__bytes_write.sum"
  public static let l2HitRate = "lts__t_sector_hit_rate.pct"
  public static let l1HitRate = "l1tex__t_sector_hit_rate.pct"
  public static let instructionsExecuted = "smsp__inst_executed.sum"
  public static let memoryStalls = "smsp__warp_issue_stalled_memory_dependency_per_warp_active.pct"
  public static let l2Bytes = "lts__t_bytes.sum"
  public static let loadBytesPerSector =
    "smsp__sass_average_data_bytes_per_sector_mem_global_op_ld.pct"
  public static let storeBytesPerSector =
    "smsp__sass_average_data_bytes_per_sector_mem_global_op_st.pct"
  public static let shortScoreboardStalls =
    "smsp__warp_issue_stalled_short_scoreboard_per_warp_active.pct"
  public static let longScoreboardStalls =
    "smsp__warp_issue_stalled_long_scoreboard_per_warp_active.pct"
  public static let barrierStalls = "smsp__warp_issue_stalled_barrier_per_warp_active.pct"
  public static let tensorInstructions = "sm__inst_executed_pipe_tensor.sum"

  /// What a profile of Hone holds: all of the above but `memoryStalls`, which ncu has for no GPU from
  /// sm_80 on (`ncu --query-metrics`, 2025.3); `longScoreboardStalls` says it there.
  public static let all: [String] = [
    gridSize, blockSize, registersPerThread, dynamicSharedBytes, staticSharedBytes, wavesPerSM,
    occupancyLimitRegisters, occupancyLimitSharedMemory, occupancyLimitWarps,
    occupancyLimitBlocks, durationSeconds, smThroughput, warpsActive, dramThroughput,
    dramReadBytes, dramWrittenBytes, l2HitRate, l1HitRate, instructionsExecuted, l2Bytes,
    loadBytesPerSector, storeBytesPerSector, shortScoreboardStalls, longScoreboardStalls,
    barrierStalls, tensorInstructions,
  ]
}
