import Diagnostics
import PythonSyntax
import TileIR

/// Evaluates a module's host Python: module level, `ModelNew(…)`, `forward(…)`, wrappers and grids.
///
/// Nothing but the evaluator runs: no Python, no torch. Tensors have shapes and no contents.
public struct HostProgram: Sendable {
  public let module: ModuleTree
  /// A KernelBench-style file with `Model`, `get_inputs`, `get_init_inputs`; may be nil.
  public let problem: ModuleTree?

  public init(module: ModuleTree, problem: ModuleTree? = nil) {
    self.module = module
    self.problem = problem
  }

  /// What `forward` is called with.
  public enum Inputs: Sendable {
    /// `get_inputs()` of the problem (or of the module, if it has one).
    case fromProblem
    /// By parameter name of `forward`, from `--input x=f32[…]`.
    case tensors([String: TensorShape])
    /// No shapes known: ranks are found from use, unknown sizes get stand-in values; every figure
    /// that follows from them carries `ValueOrigin.inputShape` and a formula.
    case unknown
  }

  /// Runs the module and returns its launches.
  /// - Throws: a `Diagnostic` at the first line that cannot be evaluated.
  public func run(_ inputs: Inputs) throws(Diagnostic) -> HostRun {
    throw Diagnostic(id: "not-evaluated", "the module is not evaluated", source: module.source)
  }
}

/// What one evaluation of the module did.
public struct HostRun: Sendable {
  public var launches: [Launch]
  /// `forward`'s tensor inputs by parameter name, as used (stand-ins where unknown).
  public var inputs: [(name: String, shape: TensorShape)]
  /// Whether the input shapes were given or are stand-ins.
  public var inputsAreKnown: Bool
  /// `forward`'s tensor results.
  public var outputs: [TensorShape]
  /// Torch operators `forward` runs beside the kernels, in order, by name.
  public var torchOperators: [(name: String, range: SourceRange)]
  /// What was assumed on the way, and what could not be followed.
  public var notes: [Diagnostic]

  public init(
    launches: [Launch] = [], inputs: [(name: String, shape: TensorShape)] = [],
    inputsAreKnown: Bool = false, outputs: [TensorShape] = [],
    torchOperators: [(name: String, range: SourceRange)] = [], notes: [Diagnostic] = []
  ) {
    self.launches = launches
    self.inputs = inputs
    self.inputsAreKnown = inputsAreKnown
    self.outputs = outputs
    self.torchOperators = torchOperators
    self.notes = notes
  }
}
