import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import Profiling
import PythonSyntax
import Requests
import TileIR
import TritonLowering

/// Puts an ``Explanation`` together; what cannot be followed or lowered becomes a note and the rest
/// goes on.
public struct ExplanationBuilder {
  private let request: Request
  private let triton: TritonModule
  private var notes: [Diagnostic] = []
  private var deduction: ProblemDeduction?

  /// Launches that are explained at most; a model with more repeats itself.
  static let launchLimit = 24
  /// Configs of one launch whose time is predicted.
  static let configLimit = 16

  public static func explain(_ request: Request) -> Explanation {
    var builder = ExplanationBuilder(request)
    return builder.build()
  }

  private init(_ request: Request) {
    self.request = request
    triton = TritonModule(request.tree)
  }

  private mutating func build() -> Explanation {
    let run = hostRun()
    var kernels: [Explanation.Kernel] = []
    var seen: [LaunchKey: Int] = [:]
    var repeated: [Int: Int] = [:]
    for launch in run?.launches ?? [] {
      let key = LaunchKey(launch)
      if let known = seen[key] {
        repeated[known, default: 1] += 1
        continue
      }
      guard kernels.count < Self.launchLimit else { break }
      seen[key] = kernels.count
      kernels.append(explain(launch))
    }
    let launched = Set(kernels.map(\.name))
    for function in triton.functions where !launched.contains(function.name) {
      guard run == nil || kernels.isEmpty, kernels.count < Self.launchLimit else { break }
      kernels.append(explainUnlaunched(function))
    }
    let source = request.tree.source
    return Explanation(
      sections: [
        RequestSections.request(request),
        RequestSections.launches(run, kernels: kernels, repeated: repeated, source: source),
        RequestSections.problem(run, deduction),
      ].compactMap { section in section.flatMap { $0.statements.isEmpty ? nil : $0 } },
      deduction: deduction, kernels: kernels, notes: notes)
  }

  /// Launches that differ in nothing a reader cares about.
  private struct LaunchKey: Hashable {
    var kernel: String
    var values: [ArgumentValue]
    var grids: [[Int]]

    init(_ launch: Launch) {
      kernel = launch.kernel
      values = launch.arguments.map { argument in
        switch argument.value {
        case .tensor(let tensor):
          .tensor(
            TensorShape(element: tensor.element, shape: tensor.shape, strides: tensor.strides))
        default: argument.value
        }
      }
      grids = launch.configs.map(\.grid)
    }
  }

  // MARK: The host program

  private mutating func hostRun() -> HostRun? {
    let own = request.tree.functions.contains { $0.name == "get_inputs" } ? request.tree : nil
    let problem = request.problem?.tree ?? own
    let host = HostProgram(module: request.tree, problem: problem)
    notes += host.unknownInputs(request.inputs.map(\.name))
    var tensors: [String: TensorShape] = [:]
    for spec in request.inputs {
      if case .tensor(let type, let shape) = spec.value {
        tensors[spec.name] = TensorShape(element: ElementType(type), shape: shape)
      }
    }
    let inputs: HostProgram.Inputs =
      !tensors.isEmpty ? .tensors(tensors) : problem != nil ? .fromProblem : .unknown
    do throws(Diagnostic) {
      let run = try host.run(inputs)
      notes += run.notes
      if !run.inputsAreKnown, !request.profiles.isEmpty { return deduced(host) ?? run }
      return run
    } catch {
      notes.append(error)
      if case .unknown = inputs { return nil }
      return try? host.run(.unknown)
    }
  }

  private mutating func deduced(_ host: HostProgram) -> HostRun? {
    let found = ProblemInference(host: host, profiles: request.profiles, gpu: request.gpu)
      .deduction()
    deduction = found
    guard let best = found.best else { return nil }
    let shapes = Dictionary(best.inputs.map { ($0.name, $0.shape) }) { first, _ in first }
    return try? host.run(.tensors(shapes))
  }

  // MARK: Kernels

  private func profile(of launch: Launch) -> KernelProfile? {
    request.profiles.first { $0.kernel == launch.kernel }
      ?? request.profiles.first { $0.kernel.hasPrefix(launch.kernel) }
  }

  private mutating func explain(_ launch: Launch) -> Explanation.Kernel {
    let profile = profile(of: launch)
    let place = SourcePlace(launch.callRange, in: request.tree.source)
    var times: [Int: Double] = [:]
    var analyses: [Int: KernelAnalysis] = [:]
    var refusal: Diagnostic?
    for index in launch.configs.indices.prefix(Self.configLimit) {
      do throws(Diagnostic) {
        let analysis = try LaunchLowering.analysis(
          of: launch, configIndex: index, in: triton, gpu: request.gpu)
        times[index] = analysis.cost.predictedMicroseconds
        analyses[index] = analysis
      } catch { if refusal == nil { refusal = error } }
    }
    let index = chosenConfig(launch, profile, times)
    let analysis =
      profile == nil && analyses[index] != nil
      ? analyses[index]
      : try? LaunchLowering.analysis(
        of: launch, configIndex: index, in: triton, gpu: request.gpu, profile: profile)
    if analysis == nil, let refusal { notes.append(refusal) }
    var kernel = Explanation.Kernel(
      name: launch.kernel, place: place, launch: launch, configIndex: index, analysis: analysis,
      refusal: analysis == nil ? refusal : nil, configMicroseconds: times, specialized: nil,
      isGuessed: false, sections: [])
    if let analysis, analysis.divisions.share >= 0.05 {
      kernel.specialized = specialized(launch, index, analysis)
    }
    kernel.sections = KernelSections(kernel, request: request).sections
    return kernel
  }

  /// The profiled config where it is known, else the one predicted fastest.
  private func chosenConfig(
    _ launch: Launch, _ profile: KernelProfile?, _ times: [Int: Double]
  ) -> Int {
    if let index = deduction?.best?.configs[launch.kernel],
      launch.configs.indices.contains(index)
    {
      return index
    }
    if let size = profile?[NsightMetric.gridSize] {
      let matching = launch.configs.indices.filter {
        launch.configs[$0].grid.reduce(1.0) { $0 * Double($1) } == size
      }
      if let best = matching.min(by: { times[$0] ?? .infinity < times[$1] ?? .infinity }) {
        return best
      }
    }
    return times.min { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 0
  }

  /// Predicts the launch with integer arguments folded in, first those the module fixes.
  private func specialized(
    _ launch: Launch, _ index: Int, _ analysis: KernelAnalysis
  ) -> Explanation.SpecializedPrediction {
    func names(_ limit: ValueOrigin) -> [String] {
      launch.arguments.filter { argument in
        guard case .int = argument.value, argument.origin <= limit else { return false }
        return triton.function(named: launch.kernel)?.parameter(named: argument.name)?.isConstexpr
          == false
      }.map(\.name)
    }
    func predict(_ names: [String]) -> Double? {
      guard !names.isEmpty, let kernel = triton.function(named: launch.kernel) else { return nil }
      let (config, grid) = launch.configs[index]
      var specialization = LaunchLowering.specialization(
        of: launch, config: config, kernel: kernel, gpu: request.gpu)
      for name in names {
        if case .int(let value)? = launch.arguments.first(where: { $0.name == name })?.value {
          specialization.arguments[name] = .constexpr(.int(value))
        }
      }
      guard let function = try? triton.lower(launch.kernel, for: specialization) else { return nil }
      return KernelAnalysis(
        function: function, launch: launch, configIndex: index, grid: grid, gpu: request.gpu
      ).cost.predictedMicroseconds
    }
    let byModule = names(.module)
    let byShapes = names(.inputShape)
    return Explanation.SpecializedPrediction(
      byModule: byModule, byModuleMicroseconds: predict(byModule), byShapes: byShapes,
      byShapesMicroseconds: byShapes.count > byModule.count ? predict(byShapes) : nil)
  }

  /// A kernel without a launch: argument types guessed from use, figures for one program.
  private mutating func explainUnlaunched(_ function: JITFunction) -> Explanation.Kernel {
    let place = SourcePlace(function.definition.nameRange, in: request.tree.source)
    var kernel = Explanation.Kernel(
      name: function.name, place: place, launch: nil, configIndex: 0, analysis: nil, refusal: nil,
      configMicroseconds: [:], specialized: nil, isGuessed: true, sections: [])
    do throws(Diagnostic) {
      let guess = try triton.inferredSpecialization(for: function.name)
      let lowered = try triton.lower(function.name, for: guess.specialization)
      let launch = Launch(
        kernel: function.name, arguments: [], configs: [(LaunchConfig(), [1])],
        callRange: function.definition.nameRange, gridRange: function.definition.nameRange)
      kernel.analysis = KernelAnalysis(
        function: lowered, launch: launch, configIndex: 0, grid: [1], gpu: request.gpu)
      kernel.sections = KernelSections(kernel, request: request).sections
    } catch {
      kernel.refusal = error
      notes.append(error)
      kernel.sections = KernelSections(kernel, request: request).sections
    }
    return kernel
  }
}
