import Foundation
import HostProgram
import TileMachine

/// What a check runs, and in which order.
extension CheckSession {
  /// One run of both modules.
  struct Plan {
    var problem: CheckProblem
    var input: InputSetting
    var config = 0
    var order = TileMachine.Order.ascending
    var poison: UInt8 = 0xFF
    /// How often `forward` is called on one instance.
    var calls = 1
    /// How much such a run tells, next to others.
    var worth = 1.0
    var label: String {
      var text = "\(problem.label); \(input)"
      if calls > 1 { text += "; forward called \(calls) times" }
      if config > 0 { text += "; config \(config + 1)" }
      switch order {
      case .ascending: break
      case .descending: text += "; programs in reverse"
      case .shuffled: text += "; programs shuffled"
      }
      return text
    }

    /// What the run costs, in seconds by counted work.
    private var cost: Double { (problem.price ?? 0.1) * Double(calls) + Self.overhead }
    /// What a run costs at any size: host programs, kernels compiled for the launch.
    private static let overhead = 0.03

    var worthPerSecond: Double { worth / cost }
  }

  /// The first problem as it is comes first, then one with tails; of the others what tells most per
  /// second: the time may be up before the end.
  static func plans(
    _ problems: [CheckProblem], configs: Int, _ isQuick: Bool, marks: [String: [Int]] = [:]
  ) -> [Plan] {
    guard let first = problems.first else { return [] }
    let variations = problems.filter(\.isUnpromised)
    let problems = problems.filter { !$0.isUnpromised }
    var leading = [Plan(problem: first, input: .asGiven(seed: 1))]
    for problem in problems.dropFirst().prefix(1) {
      leading.append(Plan(problem: problem, input: .asGiven(seed: 2)))
    }
    var plans: [Plan] = []
    for config in 1..<max(2, configs) where config < configs {
      // A problem with tails where there is one.
      let problem = problems.count > 1 && !isQuick ? problems[1] : first
      plans.append(
        Plan(problem: problem, input: .asGiven(seed: 3), config: config, poison: 0x7F, worth: 4))
    }
    if isQuick { return leading + plans }
    if !marks.isEmpty {
      plans.append(Plan(problem: first, input: .marked(marks, seed: 1), worth: 12))
    }
    for problem in problems.dropFirst(2) {
      let input: InputSetting =
        problem.isStretched && !marks.isEmpty ? .marked(marks, seed: 2) : .asGiven(seed: 2)
      plans.append(Plan(problem: problem, input: input, worth: 6))
    }
    for problem in variations {
      plans.append(Plan(problem: problem, input: .asGiven(seed: 3), worth: 4))
    }
    for (input, worth) in [
      (InputSetting.special, 6.0), (.scaled(exponent: 18), 5), (.scaled(exponent: -20), 3),
      (.shifted, 3), (.cancelling, 3), (.zeros, 2), (.asGiven(seed: 7), 2),
    ] {
      plans.append(Plan(problem: first, input: input, worth: worth))
    }
    plans.append(Plan(problem: first, input: .asGiven(seed: 5), calls: 2, worth: 8))
    for long in problems.filter(\.isStretched).suffix(6) {
      // Long sums of numbers of both signs, and sums that grow before they shrink.
      plans.append(Plan(problem: long, input: .cancelling, worth: 2))
      plans.append(Plan(problem: long, input: .waves, worth: 2))
    }
    plans.append(Plan(problem: first, input: .asGiven(seed: 1), order: .descending, worth: 3))
    plans.append(
      Plan(
        problem: leading.last?.problem ?? first, input: .asGiven(seed: 2), order: .shuffled(5),
        worth: 3))
    if let odd = leading.dropFirst().first?.problem {
      plans.append(Plan(problem: odd, input: .special, worth: 3))
    }
    return leading + merged([], plans)
  }

  /// Both lists as one, what tells most per second first.
  static func merged(_ some: [Plan], _ others: [Plan]) -> [Plan] {
    (some + others).enumerated().sorted {
      let (a, b) = ($0.element.worthPerSecond, $1.element.worthPerSecond)
      return a == b ? $0.offset < $1.offset : a > b
    }.map(\.element)
  }

  /// Runs with numbers of both signs where the problem gives numbers of one: what a maximum or a
  /// sum does with them shows in loops of several rounds.
  static func mirrored(_ problems: [CheckProblem], _ first: CheckProblem) -> [Plan] {
    var chosen = [first]
    for problem in problems where !problem.isUnpromised {
      if !chosen.contains(where: { $0.isSame(as: problem) }) { chosen.append(problem) }
    }
    return chosen.prefix(8).map { Plan(problem: $0, input: .mirrored(seed: 2), worth: 5) }
  }

  // MARK: Originals that are wrong at small sizes

  /// Sizes at which the original is right, where it is not at the first problem of a choice or at
  /// the one with tails; nil where it is, and where none was found.
  mutating func soundSizes(
    _ choice: ProblemChooser.Choice, _ chooser: ProblemChooser
  ) -> [ProblemChooser.Size]? {
    guard let first = choice.problems.first else { return nil }
    var wrong = gap(first, seed: 1).map { (first, $0) }
    if wrong == nil, let odd = choice.problems.dropFirst().first, !odd.isUnpromised {
      wrong = gap(odd, seed: 2, isCrude: true).map { (odd, $0) }
    }
    guard let (problem, gap) = wrong else { return nil }
    var chooser = chooser
    let end = min(deadline, Date().addingTimeInterval(checker.options.budget / 4))
    chooser.deadline = end
    // One tile alone may be right: what there is of several programs along an axis shall be there.
    let several = chooser.traits(choice.given).filter(\.isSeveralPrograms)
    var found: (sizes: [ProblemChooser.Size], shown: Int)?
    for sizes in chooser.larger(than: choice) where Date() < end {
      let next = chooser.problem(sizes)
      let shown = several.intersection(chooser.traits(next)).count
      guard found.map({ shown > $0.shown }) ?? true, self.gap(next, seed: 1) == nil else {
        continue
      }
      found = (sizes, shown)
      if shown == several.count { break }
    }
    guard let found else { return nil }
    if self.gap(first, seed: 1) == nil,
      found.shown <= several.intersection(chooser.traits(first)).count
    {
      return nil
    }
    note(
      "the original is wrong at \(problem.label): \(gap); checked at \(chooser.problem(found.sizes).label) and more"
    )
    isSmallestSound = true
    return found.sizes
  }

  /// What is wrong with the original itself at a problem.
  /// - Parameter isCrude: memory alone is looked at, not numbers.
  private mutating func gap(_ problem: CheckProblem, seed: UInt64, isCrude: Bool = false) -> String?
  {
    let plan = Plan(problem: problem, input: .asGiven(seed: seed))
    let notes = report.notes
    defer { report.notes = notes }
    guard let baseline = try? baseline(plan) else { return nil }
    if let finding = baseline.run.finding { return finding.diagnostic.headline }
    for output in baseline.run.outputs where output.unwritten > 0 {
      return "\(output.unwritten) elements are never written"
    }
    return isCrude ? nil : Self.mistake(baseline)
  }
}
