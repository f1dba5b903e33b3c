import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import PythonSyntax
import Requests
import Stages
import Toolchain

/// What Triton makes of a request's modules for its GPU, on a machine without that GPU: no times.
public struct CompiledTarget: Sendable {
  private let request: Request
  private let compiler: KernelCompiler
  private let pool: WorkerPool
  private let identity: BackendIdentity

  /// - Parameters:
  ///   - workers: how many kernels are compiled at once.
  public init(
    request: Request, python: PythonEnvironment, report: PythonReport, scratch: ScratchFolder,
    environment: [String: String], workers: Int
  ) {
    self.request = request
    pool = WorkerPool(
      python: python, scratch: scratch, environment: environment, count: max(1, workers))
    compiler = KernelCompiler(pool: pool, cache: nil, environment: environment)
    identity = BackendIdentity(
      name: "compiler", level: .compiled, device: request.gpu.name, python: report.python,
      triton: report.packages["triton"]?.version)
  }

  /// The most times that the predicted search is repeated without what the compiler spoke against.
  private static let rounds = 6

  /// The predicted search, and what it chose compiled: a config or a rewrite that does not compile
  /// for the target, needs more shared memory than it has, or spills more than the original does is
  /// dropped, and the search repeated without it.
  ///
  /// - Throws: what `Optimizer.run` throws.
  ///
  /// - Parameter predictor: the search to repeat, with its options; nil for a plain one.
  public func optimize(_ predictor: Optimizer? = nil) async throws(Diagnostic) -> Optimization {
    var optimizer = predictor ?? Optimizer(request)
    var result = try optimizer.run()
    let original = await compiled(request.tree, label: "original")
    var dropped: [String] = []
    var rows: [Compilation.Row] = []
    for _ in 0..<Self.rounds {
      guard result.status != .unchanged else {
        rows = []
        break
      }
      let printed = await compiled(PythonParser.parse(result.module), label: "printed")
      rows = printed.compactMap { row($0, result, isOriginal: false) }
      let objections = objections(to: printed, original, result)
      guard !objections.isEmpty else { break }
      dropped += objections.map(\.text)
      let before = optimizer.vetoes
      for objection in objections { objection.add(to: &optimizer.vetoes, result) }
      guard optimizer.vetoes != before else { break }
      result = try optimizer.run()
    }
    await pool.stop()
    result.compilation = Compilation(
      backend: identity,
      rows: original.compactMap { row($0, result, isOriginal: true) } + rows, dropped: dropped,
      failure: original.isEmpty ? "the launches are not known, so nothing was compiled" : nil)
    return result
  }

  /// The original and the printed module as compiled, beside measurements on another device.
  public func compilation(of result: Optimization) async -> Compilation {
    let original = await compiled(request.tree, label: "original")
    let printed =
      result.status == .unchanged
      ? [] : await compiled(PythonParser.parse(result.module), label: "printed")
    await pool.stop()
    return Compilation(
      backend: identity,
      rows: original.compactMap { row($0, result, isOriginal: true) }
        + printed.compactMap { row($0, result, isOriginal: false) },
      failure: original.isEmpty || (printed.isEmpty && result.status != .unchanged)
        ? "the launches are not known, so nothing was compiled" : nil)
  }

  // MARK: Compiling

  private func compiled(_ tree: ModuleTree, label: String) async -> [ModuleCompiler.Outcome] {
    let known = KnownProblem.find(for: request)
    // An empty answer is told as launches that are not known.
    guard let run = try? known.inputs.host(for: tree).run(known.inputs.inputs) else { return [] }
    return await ModuleCompiler(
      module: tree, launches: run.launches, target: request.gpu.computeCapability
    ).compile(with: compiler)
  }

  private func text(_ variant: ModuleCompiler.Variant, _ result: Optimization) -> String {
    let names = result.kernels.first { $0.name == variant.kernel }?.parameterNames ?? []
    return variant.config.knobText(order: names)
  }

  private func row(
    _ outcome: ModuleCompiler.Outcome, _ result: Optimization, isOriginal: Bool
  ) -> Compilation.Row? {
    guard let kernel = outcome.kernel else { return nil }
    return Compilation.Row(
      kernel: outcome.variant.kernel, config: text(outcome.variant, result),
      registers: kernel.registers, spillBytes: Self.spilled(kernel),
      sharedBytes: kernel.sharedBytes, isOriginal: isOriginal)
  }

  private static func spilled(_ kernel: CompiledKernel) -> Int {
    kernel.spillStoreBytes &+ kernel.spillLoadBytes
  }

  // MARK: Objections

  /// One thing that speaks against what was printed.
  private struct Objection {
    var kernel: String
    var config: LaunchConfig
    /// Whether the original has this config too: then the body is at fault.
    var isBody: Bool
    var text: String

    func add(to vetoes: inout Vetoes, _ result: Optimization) {
      guard isBody else {
        vetoes.configs.append(Vetoes.Config(kernel: kernel, config: config))
        return
      }
      let last = result.trials.last { trial in
        trial.isAccepted && trial.kernel == kernel && trial.basis != .safety
          && trial.rewrite != "tune-configs"
      }
      if let last { vetoes.rewrites.insert("\(kernel) \(last.rewrite) \(last.what)") }
    }
  }

  private func objections(
    to printed: [ModuleCompiler.Outcome], _ original: [ModuleCompiler.Outcome],
    _ result: Optimization
  ) -> [Objection] {
    var found: [Objection] = []
    for outcome in printed {
      let variant = outcome.variant
      let own = original.filter { $0.variant.kernel == variant.kernel }
      let twin = own.first { Vetoes.isSame($0.variant.config, variant.config) }
      // What the original does not manage either is not the candidate's fault.
      if let twin, twin.kernel == nil { continue }
      let name = "\(variant.kernel) at \(text(variant, result))"
      let reason: String
      switch outcome.result {
      case .failure(let failure):
        guard failure.kind == .compile || failure.kind == .outOfResources else { continue }
        reason = "does not compile: \(failure.message.prefix(120))"
      case .success(let kernel):
        let limit = request.gpu.limits.maxSharedBytesPerBlock
        let allowed =
          (twin?.kernel).map(Self.spilled) ?? own.compactMap(\.kernel).map(Self.spilled).max() ?? 0
        if kernel.sharedBytes > limit {
          reason = "needs \(kernel.sharedBytes) B of shared memory, a block has \(limit)"
        } else if Self.spilled(kernel) > allowed {
          reason = "spills \(Self.spilled(kernel)) B, the original \(allowed)"
        } else {
          continue
        }
      }
      found.append(
        Objection(
          kernel: variant.kernel, config: variant.config, isBody: twin != nil,
          text: "\(name): \(reason)"))
    }
    return found
  }
}

/// What a later look at the result spoke against: the search does without.
struct Vetoes: Hashable, Sendable {
  struct Config: Hashable, Sendable {
    var kernel: String
    var config: LaunchConfig
  }
  var configs: [Config] = []
  /// "kernel rewrite what"
  var rewrites: Set<String> = []

  func forbids(_ config: LaunchConfig, of kernel: String) -> Bool {
    configs.contains { $0.kernel == kernel && Self.isSame(config, $0.config) }
  }

  /// Whether two configs differ in nothing that both name; a launch's may hold more constants, of
  /// heuristics and of its own keywords.
  static func isSame(_ left: LaunchConfig, _ right: LaunchConfig) -> Bool {
    left.numWarps == right.numWarps && left.numStages == right.numStages
      && left.numCTAs == right.numCTAs && left.maxRegisters == right.maxRegisters
      && left.constants.allSatisfy { name, value in
        right.constants[name].map { $0 == value } ?? true
      }
  }
}
