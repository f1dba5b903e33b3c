import Analysis
import DeviceModel
import Diagnostics
import Dispatch
import HostProgram
import Profiling
import Synchronization
import TileIR
import TritonLowering

/// What the model says of one config of one kernel, over all its launches.
struct ConfigCost: Sendable {
  /// All launches, repetitions counted.
  var microseconds: Double
  /// The analyses per launch, in launch order.
  var analyses: [KernelAnalysis]
}

/// Predicts what configs of a module's kernels cost.
///
/// Launches that nothing in the analysis can tell apart (``LaunchSignature``) count as one: a
/// recurrent model launches one kernel hundreds of times on other tensors of the same shape. Each
/// specialisation is lowered once, each (specialisation, warps) pair analysed once, in parallel over
/// the cores. `num_stages` is part of the analysis only where some loop can be pipelined, so configs
/// that differ in dead stages share one analysis. What was analysed of one text is kept.
struct CostModel: Sendable {
  var gpu: GPU
  /// Analyses of the texts seen last; see ``Memory``.
  private var memory = Memory()

  init(gpu: GPU) { self.gpu = gpu }

  /// How many analyses were made so far; those found in memory do not count.
  var analysesMade: Int { memory.made }

  /// The analyses of the last few texts: a state is costed under its originals, under the
  /// representatives of a rewrite and again under the whole pool.
  private struct Memory: Sendable {
    var byText: [[UInt8]: [JobKey: Result<KernelAnalysis, Diagnostic>]] = [:]
    var order: [[UInt8]] = []
    var made = 0
    private static let texts = 4

    mutating func keep(_ found: [JobKey: Result<KernelAnalysis, Diagnostic>], for text: [UInt8]) {
      if byText[text] == nil { order.append(text) }
      byText[text, default: [:]].merge(found) { _, new in new }
      made += found.count
      if order.count > Self.texts { byText[order.removeFirst()] = nil }
    }
  }

  /// The costs of configs for all launches of a kernel; a refusal where one cannot be lowered.
  ///
  /// For a kernel without autotune the configs give only the knobs; the constants are the launch's.
  mutating func costs(of configs: [LaunchConfig], launches: [Launch], in triton: TritonModule)
    -> [Result<ConfigCost, Diagnostic>]
  {
    let signatures = launches.map(LaunchSignature.init)
    var first: [LaunchSignature: Int] = [:]
    /// The launch that stands for each.
    let standIn = launches.indices.map { index in
      if let known = first[signatures[index]] { return known }
      first[signatures[index]] = index
      return index
    }
    let distinct = launches.indices.filter { standIn[$0] == $0 }
    let lowered = lowerAll(configs, launches, distinct, triton)
    let text = triton.tree.source.bytes
    let known = memory.byText[text] ?? [:]
    var jobs: [(key: JobKey, job: Job)] = []
    var planned: Set<JobKey> = []
    var plan: [[JobKey]] = []
    for config in configs {
      var keys: [Int: JobKey] = [:]
      for index in distinct {
        let place = Place(config: config, launch: launches[index])
        var key = JobKey(
          launch: signatures[index], specialization: place?.constants ?? [:],
          grid: place?.grid ?? [], numWarps: config.numWarps, numStages: config.numStages,
          maxRegisters: config.maxRegisters)
        if let lowered = lowered[LoweringKey(index, place)] { key = lowered.reduced(key) }
        keys[index] = key
        if known[key] == nil, planned.insert(key).inserted {
          jobs.append((key, Job(launch: index, config: config, place: place)))
        }
      }
      plan.append(standIn.compactMap { keys[$0] })
    }
    let gpu = gpu
    let made = parallelMap(jobs) { item in
      Self.analyse(item.job, launches[item.job.launch], lowered, triton, gpu)
    }
    let new = Dictionary(zip(jobs.map(\.key), made)) { first, _ in first }
    memory.keep(new, for: text)
    return plan.map { keys in
      var cost = ConfigCost(microseconds: 0, analyses: [])
      for (launch, key) in zip(launches, keys) {
        switch new[key] ?? known[key] {
        case .failure(let refusal)?: return .failure(refusal)
        case .success(let analysis)?:
          cost.analyses.append(analysis)
          cost.microseconds +=
            analysis.cost.predictedMicroseconds * Double(launch.repetitions)
        case nil: continue
        }
      }
      return .success(cost)
    }
  }

  // MARK: Lowering

  /// The constants and grid that a config has at a launch.
  private struct Place: Sendable {
    var constants: [String: ConstexprValue]
    var grid: [Int]

    /// nil if the launch has no config with these constants.
    init?(config: LaunchConfig, launch: Launch) {
      // A launch's config may hold more: constants of heuristics and of its own keywords.
      let stated = launch.configs.first { entry in
        config.constants.allSatisfy { entry.config.constants[$0.key] == $0.value }
      }
      guard let entry = stated ?? (launch.isAutotuned ? nil : launch.configs.first) else {
        return nil
      }
      constants = entry.config.constants
      grid = entry.grid
    }
  }

  private struct LoweringKey: Hashable {
    var launch: Int
    var constants: [String: ConstexprValue]
    init(_ launch: Int, _ place: Place?) {
      self.launch = launch
      self.constants = place?.constants ?? [:]
    }
  }

  private struct Lowered: Sendable {
    var kernel: Result<PreparedKernel, Diagnostic>
    /// No `for` loop is left in the kernel: `num_stages` has nothing to pipeline.
    var hasLoop: Bool

    /// The job without the knobs that change nothing.
    func reduced(_ key: JobKey) -> JobKey {
      var key = key
      if !hasLoop { key.numStages = 0 }
      return key
    }
  }

  private struct JobKey: Hashable, Sendable {
    var launch: LaunchSignature
    var specialization: [String: ConstexprValue]
    var grid: [Int]
    var numWarps: Int
    var numStages: Int
    var maxRegisters: Int?
  }

  private struct Job: Sendable {
    var launch: Int
    var config: LaunchConfig
    var place: Place?
  }

  private func lowerAll(
    _ configs: [LaunchConfig], _ launches: [Launch], _ distinct: [Int], _ triton: TritonModule
  ) -> [LoweringKey: Lowered] {
    var wanted: [(key: LoweringKey, config: LaunchConfig)] = []
    var seen: Set<LoweringKey> = []
    for config in configs {
      for index in distinct {
        guard let place = Place(config: config, launch: launches[index]) else { continue }
        let key = LoweringKey(index, place)
        if seen.insert(key).inserted {
          var merged = config
          merged.constants = place.constants
          wanted.append((key, merged))
        }
      }
    }
    let lowered = parallelMap(wanted) { item -> Lowered in
      let function = lower(launches[item.key.launch], item.config, triton)
      var hasLoop = false
      if case .success(let function) = function {
        function.forEachOperation { operation in
          if case .forLoop = operation.kind { hasLoop = true }
        }
      }
      return Lowered(kernel: function.map(PreparedKernel.init), hasLoop: hasLoop)
    }
    return Dictionary(zip(wanted.map(\.key), lowered)) { first, _ in first }
  }

  private func lower(_ launch: Launch, _ config: LaunchConfig, _ triton: TritonModule)
    -> Result<Function, Diagnostic>
  {
    guard let kernel = triton.function(named: launch.kernel) else {
      return .failure(
        Diagnostic(
          id: "no-such-kernel", "'\(launch.kernel)' is not a kernel of the module",
          source: triton.tree.source, range: launch.callRange))
    }
    let specialization = LaunchLowering.specialization(
      of: launch, config: config, kernel: kernel, gpu: gpu)
    return Result { () throws(Diagnostic) in
      try triton.lower(launch.kernel, for: specialization)
    }
  }

  // MARK: Analysis

  private static func analyse(
    _ job: Job, _ launch: Launch, _ lowered: [LoweringKey: Lowered], _ triton: TritonModule,
    _ gpu: GPU
  ) -> Result<KernelAnalysis, Diagnostic> {
    guard let place = job.place, let lowered = lowered[LoweringKey(job.launch, place)] else {
      return .failure(
        Diagnostic(
          id: "no-such-config", "no config of '\(launch.kernel)' has these constants",
          source: triton.tree.source, range: launch.callRange))
    }
    return lowered.kernel.map { kernel in
      // The analysis reads the config from the launch: hand it this one, with its grid.
      var single = launch
      var config = job.config
      config.constants = place.constants
      single.configs = [(config, place.grid)]
      return KernelAnalysis(
        kernel: kernel, launch: single, configIndex: 0, grid: place.grid, gpu: gpu)
    }
  }
}

/// Maps over the cores; results in the order of the items.
func parallelMap<Item: Sendable, Output: Sendable>(
  _ items: [Item], _ transform: @Sendable (Item) -> Output
) -> [Output] {
  let results = Mutex<[Output?]>(Array(repeating: nil, count: items.count))
  DispatchQueue.concurrentPerform(iterations: items.count) { index in
    let output = transform(items[index])
    results.withLock { $0[index] = output }
  }
  return results.withLock { $0.compactMap(\.self) }
}
