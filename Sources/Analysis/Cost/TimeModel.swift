import DeviceModel
import TileIR

/// Turns instruction counts and memory traffic into microseconds.
///
/// Each resource alone would take its term. Waiting for memory adds to issuing instructions; the
/// launch takes a little more than the largest of that sum and the other terms (a power mean with
/// exponent 4, as they overlap but not wholly). The constants are stated where they
/// stand; they come from published pipe widths and, where marked, from fitting the times of one
/// kernel family measured on an H200. Rankings are what the model is for, not absolute times.
struct TimeModel {
  var gpu: GPU
  var occupancy: Occupancy
  /// Blocks of one launch.
  var programs: Double
  var warps: Int
  /// Of the launch.
  var instructions: InstructionMix
  /// Instructions of the compiled code.
  var codeSize: Double
  var dotFlops: [OperandType: Double]
  var patterns: [AccessPattern]
  var compulsoryBytes: Double
  /// Dependent memory round trips of one program that nothing inside it hides.
  var exposedRounds: Double
  /// Grid extents, axis 0 first.
  var grid: [Int]

  /// Issue slots a scheduler fills with w resident warps, and what is left of them once straight-line
  /// code outgrows the instruction caches.
  ///
  /// Fitted, with `latencyClocks`, to the H200 times and SASS counts of one convolution in 11 forms (2 to
  /// 4 warps a scheduler, 50 to 300 KB of code): 9 within 10 %, the worst 17 % off.
  static func issueEfficiency(warpsPerScheduler w: Double, codeBytes: Double) -> Double {
    min(0.23 * w, 0.95) / (1 + max(0, codeBytes - 65_536) / 400_000)
  }
  /// Of the data-sheet bandwidth; streaming kernels reach about so much.
  static let dramEfficiency = 0.92
  /// Bytes per SM and clock between L2 and the SMs (order of published microbenchmarks).
  static let l2BytesPerClock = 40.0
  /// Clocks a block stands still for one dependent round trip to memory with its barriers.
  static let latencyClocks = 950.0
  /// A launch that does nothing, microseconds.
  static let launchMicroseconds = 2.0

  var terms: [CostEstimate.Term: Double] {
    let clock = gpu.boostClockMHz  // per microsecond
    let perSM = max(1, min(Double(gpu.multiprocessors), programs))
    let resident = max(
      1, min(Double(occupancy.blocksPerSM), (programs / Double(gpu.multiprocessors)).rounded(.up)))
    let warpsPerScheduler = max(0.25, resident * Double(warps) / 4)
    let efficiency = Self.issueEfficiency(
      warpsPerScheduler: warpsPerScheduler, codeBytes: codeSize * 16)
    /// Microseconds for warp instructions at so many a clock and scheduler.
    func time(_ count: Double, _ rate: Double) -> Double { count / (perSM * 4 * rate * clock) }
    let cc = gpu.computeCapability
    let fp32Rate = cc.major == 8 && cc.minor == 0 ? 0.5 : 1.0  // 64 or 128 fp32 lanes an SM
    var result: [CostEstimate.Term: Double] = [:]
    let all = instructions
    result[.issue] = time(all.total, efficiency)
    result[.alu] = time(all[.integerALU] + all[.half] / 2, 0.5)
    let fma = all[.fp32] + all[.half]
    result[.fma] = max(
      time(all[.integerMultiply], 0.5), time(all[.integerMultiply] + fma, fp32Rate),
      (gpu.teraOps[.fp64]).map { all[.fp64] * 64 / ($0 * 1e6) } ?? 0)
    result[.special] = time(all[.special] + all[.conversion], 0.125)
    var tensor = 0.0
    for (type, flops) in dotFlops {
      let type = WorkAnalysis.available(type, gpu)
      guard type != .fp32, let rate = gpu.teraOps[type] else { continue }
      tensor += flops / (rate * 1e6) * Double(gpu.multiprocessors) / perSM
    }
    // Tiles smaller than the instruction are padded: the instruction count knows.
    result[.tensor] = tensor
    let shared = all[.sharedLoad] * 2 + all[.sharedStore] + all[.shuffle]
    var wavefronts = shared + all[.atomic] * 4
    for pattern in patterns where pattern.kind != .atomic {
      let bytes = Double(pattern.vectorBytes) * 32 / 128
      // The tag stage resolves four lines a clock.
      wavefronts += pattern.requests * max(1, bytes, (pattern.linesPerRequest ?? 4) / 4)
    }
    result[.lsu] = wavefronts / (perSM * clock)
    result[.l2] = l2Bytes / (Self.l2BytesPerClock * perSM * clock)
    result[.dram] = dramBytes / (gpu.dramGBPerSecond * 1e3 * Self.dramEfficiency)
    let rounds = programs / (Double(gpu.multiprocessors) * resident)
    result[.latency] =
      max(rounds, 1) * (exposedRounds * Self.latencyClocks + 400) / clock
    return result
  }

  /// Traffic between L1 and L2: sectors, less what a warp or its neighbours find in L1.
  var l2Bytes: Double {
    patterns.reduce(0) { sum, pattern in
      let sectors = pattern.sectorBytes
      guard pattern.kind == .load else { return sum + sectors }
      // Bytes asked for over and over by one block stay in its L1; a sector fetched for a part is
      // found there for the rest.
      let useful = pattern.bytesPerSector.map { $0 / 32 } ?? 1
      let isRepeated = !pattern.invariantLoops.isEmpty
      return sum + sectors * max(0.12, useful) * (isRepeated ? 0.3 : 1)
    }
  }

  /// Compulsory bytes, and tensors read again by later programs after leaving L2.
  var dramBytes: Double {
    var extra = 0.0
    var counted: Set<String> = []
    for pattern in patterns where pattern.kind == .load {
      guard let name = pattern.tensor, let bytes = pattern.tensorBytes,
        counted.insert(name).inserted
      else { continue }
      // Axis 0 runs fastest: a tensor that only a later axis re-reads comes round once per step.
      let again = pattern.invariantPrograms.filter { $0 > 0 }.reduce(1.0) {
        $0 * Double(max(1, grid[safe: $1] ?? 1))
      }
      let swept = min(bytes, pattern.bytesRequested / max(1, again))
      let capacity = Double(gpu.l2Bytes) * 0.8
      if again > 1, swept > capacity {
        extra += swept * (again - 1) * (1 - capacity / swept)
      }
    }
    return compulsoryBytes + min(extra, patterns.reduce(0) { $0 + $1.sectorBytes })
  }

  /// The power mean of the terms, and the tail of the last wave.
  func microseconds(_ terms: [CostEstimate.Term: Double]) -> Double {
    let largest = terms.values.max() ?? 0
    guard largest > 0 else { return Self.launchMicroseconds }
    // Waiting adds to issuing: blocks that wait do not issue. The other resources overlap both.
    var combined = terms
    combined[.issue] = (terms[.issue] ?? 0) + (terms[.latency] ?? 0)
    combined[.latency] = nil
    let most = combined.values.max() ?? largest
    let mean = most * pow4(combined.values.reduce(0) { $0 + pow($1 / most) })
    let wave = Double(gpu.multiprocessors * max(1, occupancy.blocksPerSM))
    let waves = programs / max(1, wave)
    let tail = waves > 1 ? 1 + 0.5 * (waves.rounded(.up) / waves - 1) : 1
    return mean * tail + Self.launchMicroseconds
  }

  private func pow(_ x: Double) -> Double { (x * x) * (x * x) }
  private func pow4(_ x: Double) -> Double { x.squareRoot().squareRoot() }
}
