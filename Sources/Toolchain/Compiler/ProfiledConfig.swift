import DeviceModel
import Profiling

/// Whether a compiled config can be the one that a profile saw, by what the launch itself fixes.
///
/// The grid and block come from the launch; the registers and shared memory from the compiler; the
/// share of active warps can come near the resident warps and not lie above them.
public struct ProfiledConfig: Sendable, Hashable {
  /// What speaks against it, in words; empty when everything that the profile has agrees.
  public var contradictions: [String]
  /// How many metrics were compared.
  public var comparisons: Int
  /// The measured share of active warps, percent.
  public var warpsActivePercent: Double?

  public var isPossible: Bool { contradictions.isEmpty && comparisons > 0 }

  /// - Parameter grid: nil where the sizes that it follows from are not known.
  public init(
    _ kernel: CompiledKernel, grid: [Int]?, profile: KernelProfile, gpu: GPU
  ) {
    var contradictions: [String] = []
    var comparisons = 0
    func compare(_ name: String, _ own: Int?, _ metric: String) {
      guard let own, let seen = profile[metric] else { return }
      comparisons += 1
      if Double(own) != seen { contradictions.append("\(name) \(own)") }
    }
    let blocks = grid.map { $0.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue } }
    compare("grid", blocks, NsightMetric.gridSize)
    compare("threads", kernel.warps * gpu.limits.warpSize, NsightMetric.blockSize)
    compare("registers", kernel.registers, NsightMetric.registersPerThread)
    compare("shared", kernel.sharedBytes, NsightMetric.dynamicSharedBytes)
    let occupancy = kernel.occupancy(on: gpu)
    let percent = profile[NsightMetric.warpsActive]
    if let percent,
      let resident = Occupancy.residentBlocks(
        warpsActivePercent: percent, warpsPerBlock: kernel.warps, on: gpu)
    {
      comparisons += 1
      if resident != occupancy.blocksPerSM {
        let own = (occupancy.fraction * 1000).rounded() / 10
        contradictions.append("occupancy \(own) %")
      }
    }
    self.contradictions = contradictions
    self.comparisons = comparisons
    warpsActivePercent = percent
  }
}
