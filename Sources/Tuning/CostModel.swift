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
/// Each specialisation is lowered once, each (specialisation, warps) pair analysed once, in
/// parallel over the cores. `num_stages` is part of the analysis only where some loop can be
/// pipelined, so configs that differ in dead stages share one analysis.
struct CostModel: Sendable {
  var gpu: GPU

  /// The costs of configs for all launches of a kernel; a refusal where one cannot be lowered.
  ///
  /// For a kernel without autotune the configs give only the knobs; the constants are the launch's.
  func costs(of configs: [LaunchConfig], launches: [Launch], in triton: TritonModule)
    -> [Result<ConfigCost, Diagnostic>]
  {
    let lowered = lowerAll(configs, launches, triton)
    var jobs: [Job] = []
    var jobIndex: [JobKey: Int] = [:]
    var plan: [[Int]] = []
    for config in configs {
      plan.append(
        launches.indices.map { launchIndex in
          let place = Place(config: config, launch: launches[launchIndex])
          let key = JobKey(
            launch: launchIndex, specialization: place?.constants ?? [:],
            numWarps: config.numWarps, numStages: config.numStages)
          let reduced = lowered[LoweringKey(launchIndex, place)]?.reduced(key) ?? key
          if let known = jobIndex[reduced] { return known }
          jobs.append(Job(launch: launchIndex, config: config, place: place))
          jobIndex[reduced] = jobs.count - 1
          return jobs.count - 1
        })
    }
    let analyses = parallelMap(jobs) { job in
      analyse(job, launches[job.launch], lowered, triton)
    }
    return plan.map { indices in
      var cost = ConfigCost(microseconds: 0, analyses: [])
      for (launchIndex, index) in indices.enumerated() {
        switch analyses[index] {
        case .failure(let refusal): return .failure(refusal)
        case .success(let analysis):
          cost.analyses.append(analysis)
          cost.microseconds +=
            analysis.cost.predictedMicroseconds * Double(launches[launchIndex].repetitions)
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
    var function: Result<Function, Diagnostic>
    /// No `for` loop is left in the kernel: `num_stages` has nothing to pipeline.
    var hasLoop: Bool

    /// The job without the knobs that change nothing.
    func reduced(_ key: JobKey) -> JobKey {
      var key = key
      if !hasLoop { key.numStages = 0 }
      return key
    }
  }

  private struct JobKey: Hashable {
    var launch: Int
    var specialization: [String: ConstexprValue]
    var numWarps: Int
    var numStages: Int
  }

  private struct Job: Sendable {
    var launch: Int
    var config: LaunchConfig
    var place: Place?
  }

  private func lowerAll(
    _ configs: [LaunchConfig], _ launches: [Launch], _ triton: TritonModule
  ) -> [LoweringKey: Lowered] {
    var wanted: [(key: LoweringKey, config: LaunchConfig)] = []
    var seen: Set<LoweringKey> = []
    for config in configs {
      for (index, launch) in launches.enumerated() {
        guard let place = Place(config: config, launch: launch) else { continue }
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
      return Lowered(function: function, hasLoop: hasLoop)
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

  private func analyse(
    _ job: Job, _ launch: Launch, _ lowered: [LoweringKey: Lowered], _ triton: TritonModule
  ) -> Result<KernelAnalysis, Diagnostic> {
    guard let place = job.place, let lowered = lowered[LoweringKey(job.launch, place)] else {
      return .failure(
        Diagnostic(
          id: "no-such-config", "no config of '\(launch.kernel)' has these constants",
          source: triton.tree.source, range: launch.callRange))
    }
    return lowered.function.map { function in
      // The analysis reads the config from the launch: hand it this one, with its grid.
      var single = launch
      var config = job.config
      config.constants = place.constants
      single.configs = [(config, place.grid)]
      return KernelAnalysis(
        function: function, launch: single, configIndex: 0, grid: place.grid, gpu: gpu)
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
