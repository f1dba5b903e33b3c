import Diagnostics
import Foundation
import Mutation
import PythonSyntax

/// The mutants that the checker has to reject.
enum MutationSuite {
  /// All mutants of an example.
  static func mutants(_ example: String) throws -> [Mutant] {
    Mutator().mutants(of: try CheckedExamples.tree(example))
  }

  /// At least one mutant of every operator that applies anywhere, spread over the examples: small
  /// enough to run with every build. Operators take turns in which example they begin with.
  static func sample(perOperator count: Int = 1) throws -> [(example: String, mutant: Mutant)] {
    var byOperator: [String: [(example: String, mutant: Mutant)]] = [:]
    for example in CheckedExamples.names {
      for mutant in try mutants(example) where isSurelyWrong(mutant) {
        guard Survivor.of(mutant, example) == nil else { continue }
        byOperator[mutant.operatorName, default: []].append((example, mutant))
      }
    }
    var result: [(example: String, mutant: Mutant)] = []
    for (turn, mutation) in MutationOperator.all.enumerated() {
      let all = byOperator[mutation.name] ?? []
      // In a debug build a check of these takes half a minute and more.
      let quick = all.filter { !["conv2d_alexnet"].contains($0.example) }
      let found = quick.isEmpty ? all : quick
      guard !found.isEmpty else { continue }
      for index in 0..<min(count, found.count) {
        result.append(found[(turn * 7 + index * 11) % found.count])
      }
    }
    return result
  }

  /// Operators whose mutants show only where 2³¹ elements and more are addressed, or may be no bugs.
  static let neverSampled: Set = [
    "index-cast-dropped", "other-changed", "other-dropped", "contiguous-dropped",
    "stride-of-other-axis", "dot-result-narrowed",
  ]

  /// Why a sampled mutant may be accepted although it is wrong: what the checker lacks.
  static func gap(_ mutant: Mutant, _ example: String) -> String? {
    switch mutant.family {
    case .loop, .accumulation, .dtype, .reduction:
      "the sizes that are small enough may leave a loop one round"
    case .hint: "a hint on a size or a program may hold at the sizes that are small enough"
    case .index, .output: "the sizes that are small enough may have one program along an axis"
    default: nil
    }
  }

  private static func isSurelyWrong(_ mutant: Mutant) -> Bool {
    if case .maybeEquivalent = mutant.expectation { return false }
    return mutant.expectation != .overflowsAtScale
  }
}

/// A mutant that is no bug, and why.
struct Survivor: Sendable {
  let example: String
  let operatorName: String
  /// What the mutant's label contains beside the operator's name.
  let place: String
  /// Why results and memory are the same for every problem of the module.
  let reason: String

  static func of(_ mutant: Mutant, _ example: String) -> Survivor? {
    all.first {
      $0.example == example && $0.operatorName == mutant.operatorName
        && mutant.label.contains($0.place)
    }
  }
}
