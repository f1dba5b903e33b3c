import Foundation
import HostProgram

/// Other arguments of the constructor and other layouts of the inputs, where all modules take them.
extension ProblemChooser {
  /// Without a `Model` nothing tells whether the original is right there: none then.
  func variations(of problem: CheckProblem) -> [CheckProblem] {
    guard hasReference, given.isEmpty, let run = try? original.run(problem) else { return [] }
    var found: [CheckProblem] = []
    let known = run.constructorArguments.prefix(12).map { $0 }
    for group in Group.allCases {
      if let next = changed(known, of: problem, group) { found.append(next) }
    }
    for (index, argument) in known.enumerated() {
      guard case .bool(let flag)? = argument else { continue }
      let other = ConstructorArgument.bool(!flag)
      let next = problem.varied(
        ProblemVariation(arguments: [index: other]), "argument \(index + 1) = \(other)")
      if isUsable(next) { found.append(next) }
    }
    let hasMatrix = run.trace.tensors.contains {
      $0.role == .input && $0.shape.element.isFloat
        && $0.shape.shape.suffix(2).filter { $0 > 1 }.count == 2
    }
    let transposed = problem.varied(
      ProblemVariation(transposesInputs: true), "inputs transposed in memory")
    if hasMatrix, isUsable(transposed) { found.append(transposed) }
    return found
  }

  /// Numbers that are sizes, and those that say what is computed: windows, strides, axes. What fails
  /// for one group leaves the other.
  private enum Group: CaseIterable { case sizes, structure }

  /// As many of the group's arguments changed as the modules take together, no two alike.
  private func changed(
    _ arguments: [ConstructorArgument?], of problem: CheckProblem, _ group: Group
  ) -> CheckProblem? {
    var result: CheckProblem?
    var chosen: [Int: ConstructorArgument] = [:]
    for (index, argument) in arguments.enumerated() {
      guard let argument, Self.group(of: argument) == group else { continue }
      for other in Self.others(argument, not: chosen.values) where Date() < deadline {
        let all = chosen.merging([index: other]) { _, new in new }
        let words = all.sorted { $0.key < $1.key }.map { "argument \($0.key + 1) = \($0.value)" }
        let next = problem.varied(
          ProblemVariation(arguments: all), words.joined(separator: ", "))
        guard isUsable(next) else { continue }
        (result, chosen) = (next, all)
        break
      }
    }
    return result
  }

  private func isUsable(_ problem: CheckProblem) -> Bool {
    Date() < deadline && accepts(problem, candidateToo: true) && isAffordable(problem)
  }

  private static func group(of argument: ConstructorArgument) -> Group? {
    switch argument {
    case .int(let value) where value >= 8: .sizes
    case .int(let value) where value >= -1: .structure
    case .ints(let values) where (values.max() ?? 0) < 8 && (values.min() ?? -1) >= 0: .structure
    default: nil
    }
  }

  /// What to try instead, the likeliest first.
  private static func others(
    _ argument: ConstructorArgument, not taken: some Collection<ConstructorArgument>
  ) -> [ConstructorArgument] {
    let all: [ConstructorArgument]
    switch argument {
    case .int(-1): all = [.int(-2), .int(0)]
    case .int(let value) where value >= 8: all = [.int(withTail(value))]
    case .int(let value): all = [value + 1, value - 1].filter { $0 >= 0 }.map { .int($0) }
    case .ints(let values):
      // Numbers that are alike hide which is which.
      var longer = values
      longer[0] += 1
      all = [.ints(Set(values).count > 1 ? values.reversed() : longer)]
    case .bool: all = []
    }
    return all.filter { !taken.contains($0) }
  }
}
