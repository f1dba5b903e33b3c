/// The least time that a GPU's peak rates allow for some work.
public struct Roofline: Sendable, Hashable {
  public let gpu: GPU

  public init(_ gpu: GPU) { self.gpu = gpu }

  /// Seconds to move this many bytes to or from DRAM at peak bandwidth.
  public func floorSeconds(dramBytes bytes: Double) -> Double {
    gpu.dramGBPerSecond > 0 ? bytes / (gpu.dramGBPerSecond * 1e9) : .infinity
  }

  /// Seconds for this many operations (a multiply-add is two) at the peak rate of an operand type;
  /// nil if the GPU has no such pipe.
  public func floorSeconds(operations: Double, _ type: OperandType) -> Double? {
    guard let rate = gpu.teraOps[type], rate > 0 else { return nil }
    return operations / (rate * 1e12)
  }

  /// The larger of both floors; nil if the GPU has no such pipe.
  public func floorSeconds(operations: Double, _ type: OperandType, dramBytes: Double) -> Double? {
    floorSeconds(operations: operations, type).map {
      max($0, floorSeconds(dramBytes: dramBytes))
    }
  }

  /// The intensity, in operations per DRAM byte, at which both floors are equal.
  public func ridgePoint(_ type: OperandType) -> Double? {
    guard let rate = gpu.teraOps[type], gpu.dramGBPerSecond > 0 else { return nil }
    return rate * 1e12 / (gpu.dramGBPerSecond * 1e9)
  }

  /// The best rate, in 10¹² operations per second, at an intensity of so many operations per byte.
  public func attainableTeraOps(intensity: Double, _ type: OperandType) -> Double? {
    gpu.teraOps[type].map { min($0, intensity * gpu.dramGBPerSecond / 1000) }
  }
}

extension GPU {
  /// This GPU's roofline.
  public var roofline: Roofline { Roofline(self) }

  /// Blocks needed to fill every multiprocessor once with `blocksPerSM` resident blocks.
  public func blocksPerWave(blocksPerSM: Int) -> Int {
    let (product, overflow) = multiprocessors.multipliedReportingOverflow(by: max(0, blocksPerSM))
    return overflow ? Int.max : product
  }

  /// Waves that a grid of so many blocks takes; nil if no block is resident.
  public func waves(gridBlocks: Int, blocksPerSM: Int) -> Double? {
    let wave = blocksPerWave(blocksPerSM: blocksPerSM)
    return wave > 0 && gridBlocks >= 0 ? Double(gridBlocks) / Double(wave) : nil
  }
}
