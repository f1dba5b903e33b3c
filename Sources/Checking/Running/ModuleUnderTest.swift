import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import TensorMath
import TileIR
import TileMachine
import TritonLowering

/// A module with what is needed to run it: its host program, kernels, and lowered kernels so far.
///
/// Confined to one task.
public final class ModuleUnderTest {
  let tree: ModuleTree
  private(set) var host: HostProgram
  let kernels: TritonModule
  private var lowered: [Key: Function] = [:]
  private var runs: [RunKey: Result<HostRun, any Error>] = [:]

  private struct Key: Hashable {
    var kernel: String
    var specialization: Specialization
  }

  private struct RunKey: Hashable {
    var problem: CheckProblem
    var calls: Int
    var isReference: Bool
  }
  /// Host runs that are kept.
  private static let runLimit = 160

  public init(_ tree: ModuleTree, problem: ModuleTree?, gpu: HostGPU = HostGPU()) {
    self.tree = tree
    host = HostProgram(module: tree, problem: problem, gpu: gpu)
    host.contents = { ContentOracle.estimate($1, after: $0) }
    kernels = TritonModule(tree)
  }

  /// Has the inputs called as another module calls them: shapes are given by name.
  func nameInputs(_ names: [String]) {
    host.inputNames = names
    runs = [:]
  }

  /// The host run of the module, or of the problem's `Model`; the same question is answered once.
  func run(_ problem: CheckProblem, calls: Int = 1, isReference: Bool = false) throws -> HostRun {
    var plain = isReference ? forReference(problem, calls: calls) : problem
    plain.label = ""
    plain.isStretched = false
    plain.price = nil
    plain.plain = []
    let key = RunKey(problem: plain, calls: calls, isReference: isReference)
    if let known = runs[key] { return try known.get() }
    let result = Result { try plain.run(host, calls: calls, isReference: isReference) }
    if runs.count >= Self.runLimit { runs.removeAll() }
    runs[key] = result
    return try result.get()
  }

  /// A module that uses its kernels in inference only is held to the `Model` in inference.
  func forReference(_ problem: CheckProblem, calls: Int = 1) -> CheckProblem {
    var problem = problem
    if (try? run(problem, calls: calls))?.isInference == true {
      problem.variation.isInference = true
    }
    return problem
  }

  func lower(_ launch: Launch, _ config: LaunchConfig) throws(Diagnostic) -> Function {
    guard let kernel = kernels.function(named: launch.kernel) else {
      throw Diagnostic(
        id: "unknown-kernel",
        "the launched kernel '\(launch.kernel)' is not a function of the module",
        source: tree.source, range: launch.callRange)
    }
    let specialization = launch.specialization(
      config: config, kernel: kernel, computeCapability: 89)
    let key = Key(kernel: launch.kernel, specialization: specialization)
    if let known = lowered[key] { return known }
    let function = try kernels.lower(
      launch.kernel, for: specialization, keepsAssertions: true)
    lowered[key] = function
    return function
  }
}

/// How one run is made.
struct RunSetting {
  var input = InputSetting.asGiven(seed: 1)
  /// Which of each launch's configs; the last one where there are fewer.
  var config = 0
  /// How often `forward` is called; the host run is made with the same number.
  var calls = 1
  var order = TileMachine.Order.ascending
  var poison: UInt8 = 0xFF
  var threads = 1
  var deadline: Date?
  var countsWork = false
}

/// What one run of a module did.
struct ModuleRun {
  struct Output {
    var shape: TensorShape
    var values: [Double]
    /// Elements that nothing wrote.
    var unwritten: Int
  }
  var outputs: [Output] = []
  /// The first thing that went wrong.
  var finding: (reason: CheckReason, diagnostic: Diagnostic)?
  /// Inputs and parameters with other contents after the run.
  var changed: [String] = []
  var programs = 0
  /// Whether each output depends on what a kernel wrote.
  var comesFromKernel: [Bool] = []
  var ranOutOfTime = false
  /// What the tile machine did, as `TileMachine.Run.work` counts.
  var work = 0
}
