import DeviceModel
import Diagnostics
import HostProgram
import Profiling
import TileIR

/// Everything the model knows of one config of one launch of a lowered kernel. All figures are for one
/// execution; `Launch.repetitions` says how often it runs.
///
/// ```
/// let analysis = KernelAnalysis(
///   function: function, launch: launch, configIndex: 0, grid: launch.configs[0].grid, gpu: gpu)
/// analysis.cost.predictedMicroseconds
/// ```
/// Sampling makes trip counts, masks and sectors those of this launch; nothing is measured.
public struct KernelAnalysis: Sendable {
  public let kernel: String
  public let configIndex: Int
  public let config: LaunchConfig
  /// One to three axes.
  public let grid: [Int]
  public let gpu: GPU
  public let work: WorkReport
  public let accesses: [AccessPattern]
  public let loops: [LoopReport]
  public let divisions: DivisionReport
  public let dots: [DotReport]
  public let cost: CostEstimate
  /// What the profile says, where there is one.
  public let profile: ProfileDiagnosis?
  /// What was assumed: loops whose length depends on data, and the like.
  public let notes: [String]

  /// - Parameters:
  ///   - function: the kernel lowered for this config.
  ///   - grid: the launch's grid under this config.
  ///   - profile: Nsight's metrics of this kernel; its registers and shared memory, where it has them,
  ///     replace the estimates.
  /// - Complexity: O(operations × elements of a tile) for a handful of sampled programs, bounded.
  public init(
    function: Function, launch: Launch, configIndex: Int, grid: [Int], gpu: GPU,
    profile: KernelProfile? = nil
  ) {
    self.init(
      kernel: PreparedKernel(function), launch: launch, configIndex: configIndex, grid: grid,
      gpu: gpu, profile: profile)
  }

  /// The same for a kernel that is analysed under several configs.
  public init(
    kernel: PreparedKernel, launch: Launch, configIndex: Int, grid: [Int], gpu: GPU,
    profile: KernelProfile? = nil
  ) {
    let config = launch.configs[safe: configIndex]?.config ?? LaunchConfig()
    self.kernel = kernel.function.name
    self.configIndex = configIndex
    self.config = config
    self.grid = grid
    self.gpu = gpu
    let model = KernelModel(
      kernel: kernel, launch: launch, config: config, grid: grid, gpu: gpu, profile: profile)
    work = model.work
    accesses = model.patterns
    loops = model.loops
    divisions = model.divisions
    dots = model.dots
    cost = model.cost
    notes = model.notes
    self.profile = profile.map {
      ProfileDiagnosis(
        $0, cost: model.cost, work: model.work, divisions: model.divisions, config: config,
        grid: grid, gpu: gpu)
    }
  }

  /// Blocks of one launch.
  public var programs: Double { grid.reduce(1.0) { $0 * Double(max(1, $1)) } }
}

/// One dot of the source.
public struct DotReport: Sendable {
  public var place: SourcePlace
  public var m: Int
  public var n: Int
  public var k: Int
  /// As loaded or cast: `fp32`.
  public var operands: String
  /// As multiplied: fp32 operands are truncated to TF32 by default.
  public var precision: OperandType
  public var usesTensorCores: Bool
  /// Operations at this place (copies of an unrolled loop).
  public var copies: Int
  public var flops: Double
}
