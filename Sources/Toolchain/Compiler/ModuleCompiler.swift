import DeviceModel
import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// All kernels of a module as its host program launches them, each config a job for the compiler.
public struct ModuleCompiler: Sendable {
  /// One launch under one config.
  public struct Variant: Sendable {
    /// Index into the launches given.
    public var launch: Int
    public var kernel: String
    /// Index into the launch's configs.
    public var index: Int
    public var config: LaunchConfig
    public var grid: [Int]
    public var job: CompileJob
  }

  /// A variant and what became of it.
  public struct Outcome: Sendable {
    public var variant: Variant
    public var result: Result<CompiledKernel, WorkerFailure>

    public var kernel: CompiledKernel? { try? result.get() }
  }

  public let module: ModuleTree
  /// In the order of the launches; equal launches of one kernel appear once.
  public let variants: [Variant]
  /// Launches of kernels whose source is not in the module.
  public let notes: [Diagnostic]

  public init(module: ModuleTree, launches: [Launch], target: ComputeCapability) {
    self.module = module
    let triton = TritonModule(module)
    var variants: [Variant] = []
    var notes: [Diagnostic] = []
    var seen: Set<CompileJob> = []
    var missing: Set<String> = []
    for (number, launch) in launches.enumerated() {
      guard let kernel = triton.function(named: launch.kernel) else {
        if missing.insert(launch.kernel).inserted {
          notes.append(
            Diagnostic(
              id: "kernel-not-compiled", severity: .warning,
              "'\(launch.kernel)' is not compiled: its source is not in this module",
              source: module.source, range: launch.callRange))
        }
        continue
      }
      let jobs = launch.configs.map {
        CompileJob(launch: launch, config: $0.config, kernel: kernel, target: target)
      }
      // A layer that is launched again with the same types is the same code.
      guard !jobs.allSatisfy({ seen.contains($0) }) else { continue }
      seen.formUnion(jobs)
      for (index, job) in jobs.enumerated() {
        variants.append(
          Variant(
            launch: number, kernel: launch.kernel, index: index,
            config: launch.configs[index].config, grid: launch.configs[index].grid, job: job))
      }
    }
    self.variants = variants
    self.notes = notes
  }

  private init(module: ModuleTree, variants: [Variant], notes: [Diagnostic]) {
    self.module = module
    self.variants = variants
    self.notes = notes
  }

  /// The same with the variants that `isWanted` names alone.
  public func filtered(_ isWanted: (Variant) -> Bool) -> ModuleCompiler {
    ModuleCompiler(module: module, variants: variants.filter(isWanted), notes: notes)
  }

  /// Compiles every variant, in parallel as far as the compiler has workers.
  public func compile(
    with compiler: KernelCompiler, detail: CompileDetail = [],
    deadline: Duration = .seconds(300),
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async -> [Outcome] {
    let results = await compiler.compile(
      variants.map(\.job), of: module, detail: detail, deadline: deadline, progress: progress)
    return zip(variants, results).map { Outcome(variant: $0, result: $1) }
  }
}
