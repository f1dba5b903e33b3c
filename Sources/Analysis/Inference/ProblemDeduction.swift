import HostProgram

/// What the profile and the module's constants say about input shapes that nobody gave.
public struct ProblemDeduction: Sendable {
  /// One reading of the problem.
  public struct Reading: Sendable {
    /// `forward`'s tensor inputs, in order.
    public var inputs: [(name: String, shape: TensorShape)]
    /// Which config each profiled kernel ran with, by kernel.
    public var configs: [String: Int]
    /// Why it is natural, in words: "batch 256, 224 × 224 images".
    public var reasons: [String]
    /// Higher is more natural; only for ranking.
    public var score: Double
  }

  /// Numbered statements from the metrics to the reading.
  public var steps: [String]
  /// Best first; empty if nothing fits.
  public var readings: [Reading]
  /// Several readings are about as natural as the first.
  public var isAmbiguous: Bool

  public var best: Reading? { readings.first }

  public init(steps: [String], readings: [Reading], isAmbiguous: Bool) {
    self.steps = steps
    self.readings = readings
    self.isAmbiguous = isAmbiguous
  }
}
