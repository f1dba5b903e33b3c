import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import TensorMath
import TileMachine

/// Whether a candidate module computes what the original computes, and touches only memory it may.
///
/// ```swift
/// let report = Checker(candidate: candidate, original: original).check()
/// print(report.verdict)
/// ```
/// Both run on the tile machine with the same numbers, at several sizes, seeds and magnitudes, with
/// outputs poisoned, each config by itself and in several orders of programs; errors are measured
/// against `Model.forward` in fp64 where the problem has one.
public struct Checker: Sendable {
  public var candidate: ModuleTree
  public var original: ModuleTree
  /// A file with `Model`, `get_inputs`, `get_init_inputs`; nil: the original's own.
  public var problem: ModuleTree?
  /// `forward`'s inputs where no problem file gives them: shapes that were told or deduced.
  public var inputs: [String: TensorShape] = [:]
  public var gpu = HostGPU()
  public var options = Options()

  public struct Options: Sendable {
    /// Seconds for the whole check.
    public var budget = 30.0
    public var policy = AccuracyPolicy()
    public var threads = 1
    /// Seconds one run shall take at most, by which sizes are chosen (as counted work, not by the
    /// clock); nil: a part of the budget.
    public var secondsPerRun: Double?
    /// Runs one small problem, one with tails and every config once; no corners of the given sizes.
    public var isQuick = false
    public init() {}
  }

  public init(candidate: ModuleTree, original: ModuleTree, problem: ModuleTree? = nil) {
    self.candidate = candidate
    self.original = original
    self.problem = problem
  }

  /// Runs the check; what cannot be run is a verdict too, never an error.
  /// - Parameter progress: told the share done (0…1) and what is being run.
  public func check(progress: @escaping (Double, String) -> Void = { _, _ in }) -> CheckReport {
    let start = Date()
    var session = CheckSession(self, progress: progress)
    var report = session.run()
    report.seconds = Date().timeIntervalSince(start)
    return report
  }

  /// The file that gives sizes and `Model`.
  var problemTree: ModuleTree? {
    if let problem { return problem }
    return Self.defines("get_inputs", original) ? original : nil
  }

  static func defines(_ name: String, _ tree: ModuleTree) -> Bool {
    for statement in tree.body {
      switch statement.kind {
      case .function(let function) where function.name == name: return true
      case .classDef(let definition) where definition.name == name: return true
      default: break
      }
    }
    return false
  }
}
