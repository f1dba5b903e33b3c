import Diagnostics
import Foundation
import PythonSyntax

/// Compiles kernels with the Triton of a Python, several at a time; needs no GPU and no torch.
///
/// ```
/// let compiler = KernelCompiler(pool: pool, cache: nil, environment: environment)
/// let results = await compiler.compile(jobs, of: module, detail: [.mix])
/// ```
public actor KernelCompiler {
  private let pool: WorkerPool
  private let cache: CompileCache?
  private let environment: [String: String]
  private var version: String?

  /// - Parameters:
  ///   - pool: as many workers as should compile at once.
  ///   - environment: the variables that the workers get, of which some change the code.
  public init(pool: WorkerPool, cache: CompileCache?, environment: [String: String]) {
    self.pool = pool
    self.cache = cache
    self.environment = environment
  }

  /// The version of Triton, `3.6.0`; found without importing it.
  ///
  /// - Throws: `WorkerFailure` of kind `refused` where there is none.
  public func tritonVersion() async throws(WorkerFailure) -> String {
    if let version { return version }
    let report = try await pool.call(
      "hello", [String: String](), deadline: .seconds(60), as: PythonReport.self)
    guard let found = report.packages["triton"] else {
      throw WorkerFailure(
        .refused, operation: "compile", "'\(report.executable)' has no triton package")
    }
    let known = found.version ?? "unknown"
    version = known
    return known
  }

  private struct PrepareRequest: Encodable {
    var module: String?
    var name: String?
  }
  private struct PrepareReply: Decodable {
    var triton: String
  }

  /// Has every worker import Triton and load the module, while the caller does other things.
  public func prepare(_ module: SourceText? = nil) async {
    let request = PrepareRequest(module: module?.text, name: module?.name)
    await withTaskGroup(of: Void.self) { group in
      for worker in pool.workers {
        group.addTask {
          // What fails here fails again, and is told, when a kernel is compiled.
          _ = try? await worker.call(
            "prepare", request, deadline: .seconds(300), as: PrepareReply.self)
        }
      }
    }
  }

  /// Compiles all jobs and returns the answers in their order; equal jobs are compiled once.
  ///
  /// - Parameters:
  ///   - deadline: for one kernel; a compiler that takes longer is killed.
  ///   - progress: is told how many of how many are done.
  public func compile(
    _ jobs: [CompileJob], of module: ModuleTree, detail: CompileDetail = [],
    deadline: Duration = .seconds(300),
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async -> [Result<CompiledKernel, WorkerFailure>] {
    let triton: String
    do {
      triton = try await tritonVersion()
    } catch {
      return jobs.map { _ in .failure(error) }
    }
    let fingerprint = KernelFingerprint(module)
    let whole = ContentHash(of: module.source.bytes).hex
    var planned: Set<CompileJob> = []
    var keys: [CompileJob: CompileCache.Key] = [:]
    var known: [CompileJob: Result<CompiledKernel, WorkerFailure>] = [:]
    var missing: [CompileJob] = []
    for job in jobs where planned.insert(job).inserted {
      var code = fingerprint.text(of: job.kernel)
      // Listings carry line numbers: they belong to one text of the module.
      if !detail.isDisjoint(with: [.ptx, .sass, .ttgir]) {
        code += whole
      }
      let key = CompileCache.Key(
        fingerprint: code, job: job, detail: detail, triton: triton, variables: environment)
      keys[job] = key
      if let key, let result = cache?.read(key, module: whole) {
        known[job] = result
      } else {
        missing.append(job)
      }
    }
    let total = planned.count
    progress(known.count, total)
    let source = module.source
    await withTaskGroup(of: (CompileJob, Result<CompiledKernel, WorkerFailure>).self) { group in
      for job in missing {
        group.addTask { [self] in
          (job, await compile(job, of: source, detail: detail, deadline: deadline))
        }
      }
      for await (job, result) in group {
        known[job] = result
        if let key = keys[job] { cache?.write(result, for: key, module: whole) }
        progress(known.count, total)
      }
    }
    return jobs.map { job in
      known[job]
        ?? .failure(WorkerFailure(.cancelled, operation: "compile", "was not compiled"))
    }
  }

  // MARK: - One job

  private struct Request: Encodable {
    var module: String
    var name: String
    var kernel: String
    var arguments: [String: CompileArgument]
    var options: CompileOptions
    var capability: Int
    var want: [String]
  }

  private nonisolated func compile(
    _ job: CompileJob, of source: SourceText, detail: CompileDetail, deadline: Duration
  ) async -> Result<CompiledKernel, WorkerFailure> {
    let request = Request(
      module: source.text, name: source.name, kernel: job.kernel, arguments: job.arguments,
      options: job.options, capability: job.target.major * 10 + job.target.minor,
      want: detail.words)
    do throws(WorkerFailure) {
      var kernel = try await pool.call(
        "compile", request, deadline: deadline, as: CompiledKernel.self)
      if detail.contains(.mix) { kernel.mix = kernel.sass.map { InstructionMix(sass: $0) } }
      if !detail.contains(.sass) { kernel.sass = nil }
      return .success(kernel)
    } catch {
      return .failure(error)
    }
  }
}
