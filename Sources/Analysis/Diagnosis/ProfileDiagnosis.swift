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

  public var readings: [Reading]
  /// Conclusions that rest on several metrics.
  public var conclusions: [String]
  /// Where profile and model disagree.
  public var contradictions: [String]

  init(
    _ profile: KernelProfile, cost: CostEstimate, work: WorkReport, divisions: DivisionReport,
    config: LaunchConfig, grid: [Int], gpu: GPU
  ) {
    readings = []
    conclusions = []
    contradictions = []
  }
}
