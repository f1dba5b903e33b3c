/// Nsight Compute's labels on its details page, with the metrics behind them.
///
/// The page names metrics by label; the section files that come with Nsight Compute (`*.section`) say
/// which metric each is. Only labels are listed whose metric is the same for every GPU from sm_80 on.
enum NsightLabels {
  /// The metric of a label, or nil. A label that several sections use is told apart by its unit.
  static func metric(_ label: String, section: String?, unit: String?) -> String? {
    if label == "Memory Throughput" {
      // A share of the peak under "Speed Of Light", bytes a second under the memory workload.
      return unit == "%"
        ? "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed"
        : "dram__bytes.sum.per_second"
    }
    return table[label]
  }

  private static let table: [String: String] = [
    "Duration": NsightMetric.durationSeconds,
    "Compute (SM) Throughput": NsightMetric.smThroughput,
    "DRAM Throughput": NsightMetric.dramThroughput,
    "L1/TEX Cache Throughput": "l1tex__throughput.avg.pct_of_peak_sustained_active",
    "L2 Cache Throughput": "lts__throughput.avg.pct_of_peak_sustained_elapsed",
    "L1/TEX Hit Rate": NsightMetric.l1HitRate,
    "L2 Hit Rate": NsightMetric.l2HitRate,
    "Block Size": NsightMetric.blockSize,
    "Grid Size": NsightMetric.gridSize,
    "Registers Per Thread": NsightMetric.registersPerThread,
    "Dynamic Shared Memory Per Block": NsightMetric.dynamicSharedBytes,
    "Static Shared Memory Per Block": NsightMetric.staticSharedBytes,
    "Driver Shared Memory Per Block": "launch__shared_mem_per_block_driver",
    "Shared Memory Configuration Size": "launch__shared_mem_config_size",
    "Threads": "launch__thread_count",
    "Waves Per SM": NsightMetric.wavesPerSM,
    "Block Limit SM": NsightMetric.occupancyLimitBlocks,
    "Block Limit Registers": NsightMetric.occupancyLimitRegisters,
    "Block Limit Shared Mem": NsightMetric.occupancyLimitSharedMemory,
    "Block Limit Warps": NsightMetric.occupancyLimitWarps,
    "Theoretical Active Warps per SM": "sm__maximum_warps_avg_per_active_cycle",
    "Theoretical Occupancy": "sm__maximum_warps_per_active_cycle_pct",
    "Achieved Occupancy": NsightMetric.warpsActive,
    "Achieved Active Warps Per SM": "sm__warps_active.avg.per_cycle_active",
    "Executed Instructions": NsightMetric.instructionsExecuted,
    "Issued Instructions": "smsp__inst_issued.sum",
  ]
}
