/// How many blocks of a kernel one multiprocessor holds at once, and what stops it from holding more.
///
/// ```
/// let gpu = try GPU.named("4090")
/// Occupancy.of(registersPerThread: 128, sharedBytesPerBlock: 12_288, warpsPerBlock: 4, on: gpu)
/// // 4 blocks, 16 of 48 warps, limited by registers
/// ```
/// The rules are those of `cuda_occupancy.h` in the CUDA toolkit.
public struct Occupancy: Sendable, Hashable {
  /// What runs out first.
  public enum Limiter: String, Sendable, CaseIterable {
    case registers
    case sharedMemory = "shared memory"
    case warps
    case blocks
  }

  /// Blocks resident on one multiprocessor; 0 means that the kernel cannot be launched.
  public var blocksPerSM: Int
  /// Warps resident on one multiprocessor.
  public var activeWarps: Int
  /// The most warps that a multiprocessor can hold.
  public var maxWarps: Int
  /// What stops one more block from fitting.
  public var limiter: Limiter
  /// The number of blocks that each resource alone would allow.
  public var limits: [Limiter: Int]

  /// `activeWarps` over the most that fit, 0…1.
  public var fraction: Double { maxWarps > 0 ? Double(activeWarps) / Double(maxWarps) : 0 }

  /// The occupancy of a kernel with these needs on a GPU. Needs that are out of range give 0 blocks.
  ///
  /// - Parameters:
  ///   - registersPerThread: as the compiler reports them.
  ///   - sharedBytesPerBlock: static and dynamic, without the driver's reserve.
  ///   - warpsPerBlock: `num_warps`.
  public static func of(
    registersPerThread: Int, sharedBytesPerBlock: Int, warpsPerBlock: Int, on gpu: GPU
  ) -> Occupancy {
    of(
      registersPerThread: registersPerThread, sharedBytesPerBlock: sharedBytesPerBlock,
      warpsPerBlock: warpsPerBlock, limits: gpu.limits)
  }

  /// The same for the limits of one multiprocessor.
  public static func of(
    registersPerThread: Int, sharedBytesPerBlock: Int, warpsPerBlock: Int,
    limits sm: MultiprocessorLimits
  ) -> Occupancy {
    let warps = max(1, warpsPerBlock)
    let fitsBlock =
      warpsPerBlock >= 1 && warps <= sm.maxThreadsPerBlock / max(1, sm.warpSize)
      && warps <= sm.maxWarps
    let allowed: [Limiter: Int] = [
      .registers: blocksByRegisters(registersPerThread, warps: warps, sm),
      .sharedMemory: blocksBySharedMemory(sharedBytesPerBlock, sm),
      .warps: fitsBlock ? sm.maxWarps / warps : 0,
      .blocks: sm.maxBlocks,
    ]
    let blocks = allowed.values.min() ?? 0
    let limiter = Limiter.allCases.first { allowed[$0] == blocks } ?? .blocks
    return Occupancy(
      blocksPerSM: blocks, activeWarps: blocks * warps, maxWarps: sm.maxWarps, limiter: limiter,
      limits: allowed)
  }

  /// Registers that one warp is given.
  static func registersPerWarp(_ registersPerThread: Int, _ sm: MultiprocessorLimits) -> Int {
    roundUp(registersPerThread * sm.warpSize, to: sm.registerUnit)
  }

  private static func blocksByRegisters(
    _ registersPerThread: Int, warps: Int, _ sm: MultiprocessorLimits
  ) -> Int {
    guard registersPerThread > 0 else { return registersPerThread < 0 ? 0 : sm.maxBlocks }
    guard registersPerThread <= sm.maxRegistersPerThread else { return 0 }
    guard warps <= sm.registers else { return 0 }
    let perWarp = registersPerWarp(registersPerThread, sm)
    // The launch check assumes that warps are spread evenly over the sub-partitions.
    guard perWarp * roundUp(warps, to: sm.subPartitions) <= sm.registers else { return 0 }
    let warpsPerPartition = sm.registers / sm.subPartitions / perWarp
    return warpsPerPartition * sm.subPartitions / warps
  }

  private static func blocksBySharedMemory(_ bytes: Int, _ sm: MultiprocessorLimits) -> Int {
    guard bytes >= 0, bytes <= sm.maxSharedBytesPerBlock else { return 0 }
    let perBlock = roundUp(bytes + sm.reservedSharedBytesPerBlock, to: sm.sharedUnit)
    return perBlock > 0 ? sm.sharedBytes / perBlock : sm.maxBlocks
  }

  /// `unit` is positive.
  static func roundUp(_ value: Int, to unit: Int) -> Int { (value + unit - 1) / unit * unit }
}

extension Occupancy {
  /// The registers per thread with which exactly `blocks` blocks are resident, given the other
  /// needs; nil if no number of registers gives that many.
  ///
  /// The answer to "occupancy was seen; what can the compiler have used?".
  public static func registerRange(
    blocksPerSM blocks: Int, sharedBytesPerBlock: Int, warpsPerBlock: Int, on gpu: GPU
  ) -> ClosedRange<Int>? {
    guard gpu.limits.maxRegistersPerThread >= 1 else { return nil }
    let matching = (1...gpu.limits.maxRegistersPerThread).filter {
      of(
        registersPerThread: $0, sharedBytesPerBlock: sharedBytesPerBlock,
        warpsPerBlock: warpsPerBlock, on: gpu
      ).blocksPerSM == blocks
    }
    // Blocks never rise with registers, so the matching numbers are contiguous.
    guard let first = matching.first, let last = matching.last else { return nil }
    return first...last
  }

  /// The shared memory per block, bytes, with which exactly `blocks` blocks are resident, given the
  /// other needs; nil if no amount gives that many.
  public static func sharedRange(
    blocksPerSM blocks: Int, registersPerThread: Int, warpsPerBlock: Int, on gpu: GPU
  ) -> ClosedRange<Int>? {
    func resident(_ bytes: Int) -> Int {
      of(
        registersPerThread: registersPerThread, sharedBytesPerBlock: bytes,
        warpsPerBlock: warpsPerBlock, on: gpu
      ).blocksPerSM
    }
    /// The least number of bytes for which fewer than `count` blocks fit.
    func firstBelow(_ count: Int) -> Int {
      var low = 0
      var high = gpu.limits.maxSharedBytesPerBlock + 1
      while low < high {
        let middle = (low + high) / 2
        if resident(middle) < count { high = middle } else { low = middle + 1 }
      }
      return low
    }
    guard blocks >= 1 else { return nil }
    let lower = firstBelow(blocks + 1)
    let upper = firstBelow(blocks) - 1
    return lower <= upper ? lower...upper : nil
  }

  /// The number of resident blocks that an observed `sm__warps_active` percentage points to: the
  /// nearest count not below the observation (an average over the run is at most the resident
  /// count), allowing `slackPercent` points of noise.
  public static func residentBlocks(
    warpsActivePercent percent: Double, warpsPerBlock: Int, on gpu: GPU, slackPercent: Double = 0.5
  ) -> Int? {
    guard percent.isFinite, percent > 0, percent <= 100 + slackPercent, warpsPerBlock >= 1,
      warpsPerBlock <= gpu.limits.maxWarps
    else { return nil }
    let step = 100 * Double(warpsPerBlock) / Double(gpu.limits.maxWarps)
    let most = min(gpu.limits.maxBlocks, gpu.limits.maxWarps / warpsPerBlock)
    return (1...most).first { Double($0) * step >= percent - slackPercent }
  }
}
