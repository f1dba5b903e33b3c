import Analysis
import Diagnostics
import HostProgram

/// What `hone explain` has to say about a request: statements, each with its line and how it is known.
public struct Explanation: Sendable {
  /// One sentence about the module or its profile.
  public struct Statement: Sendable {
    public var text: String
    /// The source line it rests on.
    public var place: SourcePlace?
    /// How its figures are known; nil for facts of the text itself.
    public var level: EvidenceLevel?

    public init(_ text: String, at place: SourcePlace? = nil, _ level: EvidenceLevel? = nil) {
      self.text = text
      self.place = place
      self.level = level
    }
  }

  public struct Section: Sendable {
    public var title: String
    public var statements: [Statement]

    public init(_ title: String, _ statements: [Statement]) {
      self.title = title
      self.statements = statements
    }
  }

  /// One launch of a kernel under the config that is explained.
  public struct Kernel: Sendable {
    public var name: String
    /// The launch, or the definition of a kernel that is not launched.
    public var place: SourcePlace?
    public var launch: Launch?
    public var configIndex: Int
    /// nil where the kernel could not be lowered; `refusal` says why.
    public var analysis: KernelAnalysis?
    public var refusal: Diagnostic?
    /// The predicted time of each config of the launch, microseconds, by index.
    public var configMicroseconds: [Int: Double]
    /// Arguments that could be constants, and the predicted time if they were.
    public var specialized: SpecializedPrediction?
    /// Values were guessed from use: figures are for one program.
    public var isGuessed: Bool
    public var sections: [Section]
  }

  /// What making arguments compile-time constants is predicted to do.
  public struct SpecializedPrediction: Sendable {
    /// Parameters fixed by the module's own construction.
    public var byModule: [String]
    public var byModuleMicroseconds: Double?
    /// The same with those that follow from the input shapes.
    public var byShapes: [String]
    public var byShapesMicroseconds: Double?
  }

  /// Request, launches, problem: what comes before the kernels.
  public var sections: [Section]
  public var deduction: ProblemDeduction?
  public var kernels: [Kernel]
  /// What could not be followed, each with its line.
  public var notes: [Diagnostic]
}
