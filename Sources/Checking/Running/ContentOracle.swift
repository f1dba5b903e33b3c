import Diagnostics
import Foundation
import HostProgram
import TensorMath

/// Tells a host program what its tensors hold (`lengths.max().item()`), by running its steps as they
/// come on the numbers of a check.
///
/// Used by the evaluation's thread only, while the caller waits for it.
final class ContentOracle: @unchecked Sendable {
  private let module: ModuleUnderTest
  private let setting: RunSetting
  private let shared: SharedNumbers?
  private var runner: ModuleRunner?
  /// Whether anything was read: the host run then holds for these numbers only.
  private(set) var wasAsked = false
  /// What went wrong on the way to what was read.
  private(set) var failure: ModuleRun?

  init(_ module: ModuleUnderTest, _ setting: RunSetting, _ shared: SharedNumbers?) {
    self.module = module
    self.setting = setting
    self.shared = shared
  }

  /// The module's host program, reading from here.
  var host: HostProgram {
    var host = module.host
    host.contents = { [self] in values($1, after: $0) }
    return host
  }

  private func values(_ shape: TensorShape, after run: HostRun) -> [Double]? {
    wasAsked = true
    guard failure == nil else { return nil }
    // A longer run may need more of a storage than was made: it starts over then.
    for isFresh in [false, true] {
      do {
        let runner = try runner(for: run, isFresh: isFresh)
        try runner.world.reserve(shape)
        failure = try runner.advance(to: run)
        return failure == nil ? try runner.world.values(shape) : nil
      } catch {
        runner = nil
      }
    }
    return nil
  }

  private func runner(for run: HostRun, isFresh: Bool) throws(Diagnostic) -> ModuleRunner {
    if !isFresh, let runner, runner.run.trace.setup.count == run.trace.setup.count,
      runner.run.trace.tensors.count == run.trace.tensors.count,
      runner.run.trace.forward.count <= run.trace.forward.count
    {
      return runner
    }
    let made = ModuleRunner(module, run, setting)
    try made.prepare(shared)
    runner = made
    return made
  }

  // MARK: Without numbers of a check

  /// The elements of a tensor that torch operators alone make, from numbers of their own: enough for
  /// the sizes and branches of a plan. Only the steps that the tensor rests on are run.
  static func estimate(_ shape: TensorShape, after run: HostRun) -> [Double]? {
    var needed: Set<Int> = [shape.storage]
    var steps: [HostStep] = []
    for (index, step) in run.trace.forward.enumerated().reversed() {
      switch step {
      case .launch:
        guard let launch = run.launch(at: index) else { return nil }
        // Whether it writes is not looked into; integer inputs are read as a rule.
        let inputs = Set(run.trace.tensors.map(\.shape.storage))
        for case .tensor(let tensor) in launch.arguments.map(\.value)
        where needed.contains(tensor.storage) && !inputs.contains(tensor.storage) {
          return nil
        }
      case .operation(let operation): keep(operation, &needed, &steps)
      }
    }
    for case .operation(let operation) in run.trace.setup.reversed() {
      keep(operation, &needed, &steps)
    }
    let world = TensorWorld(seed: 1, limitBytes: 64 << 20)
    var trace = HostTrace(forward: steps.reversed())
    trace.outputs = [shape]
    do {
      try world.reserve(trace)
      try world.run(trace.forward)
      return try world.values(shape)
    } catch {
      return nil
    }
  }

  private static func keep(
    _ operation: TensorOperation, _ needed: inout Set<Int>, _ steps: inout [HostStep]
  ) {
    guard operation.results.contains(where: { needed.contains($0.storage) }) else { return }
    steps.append(.operation(operation))
    for value in operation.arguments.values {
      for shape in ModuleRunner.tensors(["": value]) { needed.insert(shape.storage) }
    }
  }
}
