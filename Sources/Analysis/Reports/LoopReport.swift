/// One loop of the kernel and whether the compiler can overlap its loads with its work.
public struct LoopReport: Sendable {
  public enum Form: String, Sendable, Codable {
    /// `range` or `tl.range`
    case range
    /// `tl.static_range`, or a loop over constants: no loop is left.
    case unrolled
    case whileLoop
  }

  public enum Pipelining: Hashable, Sendable {
    case pipelined(stages: Int)
    /// The reason, as a clause: "the loop is unrolled, so no loop is left to pipeline".
    case off(String)

    public var isOn: Bool { if case .pipelined = self { true } else { false } }
  }

  public var place: SourcePlace
  public var form: Form
  /// Iterations per program; nil where it depends on data.
  public var tripCount: Double?
  public var pipelining: Pipelining
  /// `num_stages` has no effect on this loop whatever its value.
  public var numStagesIsDead: Bool
  public var loads: Int
  public var stores: Int
  public var dots: Int
  public var divisions: Int
}
