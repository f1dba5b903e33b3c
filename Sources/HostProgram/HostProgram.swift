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
  /// What `torch.cuda` and `triton.runtime` say about the GPU.
  public let gpu: HostGPU
  /// What the inputs are called, in order; default: as `forward` names its parameters. For a module
  /// whose inputs' shapes are given by the names of another's.
  public var inputNames: [String] = []
  /// Gives the elements, row by row, of a tensor that the host program looks into (`x.item()`), by
  /// running the steps so far on real numbers. Without it, or where it gives nil, contents are
  /// assumed, and the trace has a gap.
  public var contents: (@Sendable (_ soFar: HostRun, _ tensor: TensorShape) -> [Double]?)?

  public init(module: ModuleTree, problem: ModuleTree? = nil, gpu: HostGPU = HostGPU()) {
    self.module = module
    self.problem = problem
    self.gpu = gpu
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
    /// Sizes to try, by parameter name of `forward`, one entry per axis; nil where not chosen.
    /// A chosen size is not changed to please an assertion.
    case assumed([String: [Int?]])
    /// `get_inputs()` with other shapes for some of its tensors, by parameter name of `forward`;
    /// element types and the way of filling stay.
    case resized([String: [Int]])
  }

  /// The parameters that `ModelNew.forward` takes its inputs by, in order; nil where the module has
  /// no such method.
  public var inputParameters: [String]? {
    forward?.parameters.all.dropFirst().prefix {
      $0.kind == .positionalOnly || $0.kind == .positional
    }.map(\.name)
  }

  private var forward: FunctionDef? {
    for case .classDef(let model) in module.body.map(\.kind) where model.name == "ModelNew" {
      for case .function(let forward) in model.body.map(\.kind) where forward.name == "forward" {
        return forward
      }
    }
    return nil
  }

  /// A warning for each name that is no parameter of `ModelNew.forward`: shapes given for it are
  /// not used.
  public func unknownInputs(_ names: [String]) -> [Diagnostic] {
    guard let forward else { return [] }
    let parameters = forward.parameters.all.dropFirst()
    guard parameters.allSatisfy({ $0.kind != .variadic && $0.kind != .keywordVariadic }) else {
      return []
    }
    let known = parameters.map(\.name)
    return names.filter { !known.contains($0) }.map { name in
      Diagnostic(
        id: "unknown-input", severity: .warning,
        "'forward' takes no input '\(name)'; what is given for it is not used",
        source: module.source, range: forward.nameRange,
        nextStep: known.isEmpty ? nil : "its inputs are \(known.joined(separator: ", "))")
    }
  }

  /// Runs the module and returns its launches.
  /// - Parameters:
  ///   - constants: other values for some of ``constants``, by name: the same problem at another
  ///     size.
  ///   - calls: how often `forward` is called on the one instance. Before each call after the first
  ///     the same input tensors get other contents; the trace's outputs are those of all calls.
  ///   - variation: other arguments of the constructor, other layouts of the inputs.
  /// - Throws: a `Diagnostic` at the first line that cannot be evaluated.
  public func run(
    _ inputs: Inputs, constants: [String: Int] = [:], calls: Int = 1,
    variation: ProblemVariation = ProblemVariation()
  ) throws(Diagnostic) -> HostRun {
    try LargeStack.run {
      HostRunner(
        self, .modelNew, constants: constants, calls: calls, variation: variation
      ).run(inputs)
    }
  }

  /// Runs `Model` of the problem file: shapes and operators of the reference.
  /// - Parameters:
  ///   - inputs: `get_inputs()`, or that with other shapes.
  ///   - constants: as for `run`.
  ///   - calls: as for `run`.
  ///   - variation: as for `run`.
  /// - Throws: a `Diagnostic` at the first line that cannot be evaluated, or if there is no problem.
  public func runReference(
    _ inputs: Inputs = .fromProblem, constants: [String: Int] = [:], calls: Int = 1,
    variation: ProblemVariation = ProblemVariation()
  ) throws(Diagnostic) -> HostRun {
    try LargeStack.run {
      HostRunner(
        self, .reference, constants: constants, calls: calls, variation: variation
      ).run(inputs)
    }
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
  /// The unknowns that formulas name, with their values in this run.
  public var dimensions: [InputDimension] = []
  /// The run as steps over tensors with storages.
  public var trace = HostTrace()
  /// What `get_init_inputs` gives, by position in its list; nil where it cannot be varied.
  public var constructorArguments: [ConstructorArgument?] = []
  /// Whether it ran as after `model.eval()`, for no kernel is launched in training mode.
  public var isInference = false

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

  /// The values of all named dimensions, for `SymbolicInt.evaluate`.
  public var assignment: [String: Int] {
    Dictionary(dimensions.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }
}

/// A named unknown: an axis of an input, an integer parameter, or a constructor's argument.
public struct InputDimension: Hashable, Sendable {
  public enum Source: Hashable, Sendable {
    /// The axis of a tensor parameter of `forward`.
    case axis(input: String, Int)
    /// An integer parameter of `forward`.
    case parameter(String)
    /// An argument of `ModelNew(…)` that nothing gives.
    case constructor(String)
  }
  /// As formulas name it.
  public var name: String
  public var source: Source
  public var value: Int
  /// How the value came about.
  public var basis: Basis

  public enum Basis: String, Hashable, Sendable {
    /// Given by the problem or the caller.
    case given
    /// The module insists on it: an assertion, a layer's channel count.
    case required
    /// Chosen to satisfy a branch or an operator.
    case deduced
    /// Nothing speaks for it.
    case standIn
  }

  public init(name: String, source: Source, value: Int, basis: Basis) {
    self.name = name
    self.source = source
    self.value = value
    self.basis = basis
  }
}
