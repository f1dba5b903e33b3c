import Foundation
import HostProgram

/// What a problem costs, in seconds by counted work: never by the clock.
extension ProblemChooser {
  func isAffordable(_ problem: CheckProblem) -> Bool { price(problem) <= 2 * target }

  /// Seconds for one run of the dearer of both modules and the reference; infinite where it cannot
  /// be had. What the inputs alone make too dear is not looked into.
  func price(_ problem: CheckProblem) -> Double {
    guard let run = try? original.run(problem), let inputs = inputCost(run) else {
      return .infinity
    }
    guard inputs <= 10 * target else { return inputs }
    var total = cost(run) ?? .infinity
    if hasReference, let reference = try? original.run(problem, isReference: true) {
      total += Self.operatorSeconds(reference)
    }
    if let other = try? candidate.run(problem) {
      total = max(
        total,
        (try? LaunchProbe(module: candidate, run: other).seconds(
          config: 0, deadline: Date().addingTimeInterval(1))) ?? 0)
    }
    return total
  }

  /// Seconds for one run; nil where the inputs alone are too large.
  func cost(_ run: HostRun) -> Double? {
    guard let inputs = inputCost(run) else { return nil }
    let launches =
      (try? LaunchProbe(module: original, run: run).seconds(
        config: 0, deadline: Date().addingTimeInterval(1))) ?? 0
    return launches + Self.operatorSeconds(run) + inputs
  }

  /// Seconds for inputs and parameters; nil where they are too large.
  private func inputCost(_ run: HostRun) -> Double? {
    var bytes = 0
    var elements = 0.0
    for tensor in run.trace.tensors {
      let count = tensor.shape.shape.reduce(1, &*)
      bytes = bytes &+ count &* tensor.shape.element.bytes
      elements += Double(count)
    }
    for output in run.trace.outputs { elements += Double(output.shape.reduce(1, &*)) }
    return bytes <= byteLimit ? elements * Self.secondsPerElement : nil
  }

  /// What it costs to make, hand over, compare and look through an element of an input, a parameter
  /// or a result in every module. The order of magnitude will do.
  #if DEBUG
    private static let secondsPerElement = 4e-6
    private static let operatorWorkPerSecond = 1e7
  #else
    private static let secondsPerElement = 2e-7
    private static let operatorWorkPerSecond = 3e8
  #endif

  /// A rough price of torch operators: results times the length of what each sums over.
  static func operatorSeconds(_ run: HostRun) -> Double {
    var work = 0.0
    for case .operation(let operation) in run.trace.forward {
      let size = operation.results.reduce(0.0) { $0 + Double($1.shape.reduce(1, &*)) }
      var inner = 4.0
      if case .tensor(let weight)? = operation.arguments["weight"], weight.shape.count > 1 {
        inner = Double(weight.shape.dropFirst().reduce(1, &*))
      } else if operation.name.contains("attention"),
        case .tensor(let key)? = operation.arguments["key"], key.shape.count > 1
      {
        inner = 2 * Double(key.shape[key.shape.count - 2]) + 16
      } else if case .tensor(let other)? = operation.arguments["other"]
        ?? operation.arguments["mat2"],
        operation.name.contains("m"), let last = other.shape.dropLast().last
      {
        inner = Double(last)
      }
      work += size * inner
    }
    return work / operatorWorkPerSecond
  }
}
