import HostProgram

/// What integer division and remainder cost the launch.
public struct DivisionReport: Sendable {
  /// All divisions of one source line.
  public struct Site: Sendable {
    public var place: SourcePlace
    /// The expression's text.
    public var text: String
    /// Operations at this place that remain after folding.
    public var operations: Int
    /// Warp instructions of the launch spent on them.
    public var warpInstructions: Double
    /// The divisor, as the compiler sees it.
    public var divisor: String
    public var isRunTime: Bool
    public var bits: Int
    /// The parameters the divisor is computed from.
    public var parameters: [String]
  }

  /// A run-time parameter that divisors are made of.
  public struct Parameter: Sendable {
    public var name: String
    /// What the launch passes; nil where it is no integer.
    public var value: Int?
    public var origin: ValueOrigin
    /// Warp instructions of the divisions whose divisor depends on it.
    public var warpInstructions: Double
  }

  public var sites: [Site]
  public var parameters: [Parameter]
  /// Warp instructions of the launch.
  public var warpInstructions: Double
  /// Of all warp instructions of the launch, 0…1.
  public var share: Double
  /// The part of `warpInstructions` whose divisor is known only at run time.
  public var runTimeWarpInstructions: Double

  public init(
    sites: [Site] = [], parameters: [Parameter] = [], warpInstructions: Double = 0,
    share: Double = 0, runTimeWarpInstructions: Double = 0
  ) {
    self.sites = sites
    self.parameters = parameters
    self.warpInstructions = warpInstructions
    self.share = share
    self.runTimeWarpInstructions = runTimeWarpInstructions
  }
}
