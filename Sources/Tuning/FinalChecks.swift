import Checking
import Diagnostics
import HostProgram
import PythonSyntax
import Requests
import Stages

/// Looks at the text that is about to be printed: the strict form, the stage's rules, and that the
/// host program still makes the original's launches; then the module runs against the original on
/// the tile machine.
///
/// The checks see only text. A candidate that fails is dropped and the one before it is looked at,
/// down to the original.
struct FinalChecks {
  var request: Request
  var original: ModuleState
  var inputs: ModuleInputs
  /// Seconds for one check; what does not fit is left to `hone check`.
  var checkSeconds = Self.checkSeconds
  /// Seconds for a check that a rewrite rests on.
  var proofSeconds = 10.0

  struct Verified {
    var text: SourceText
    /// The index of the state that passed; 0 is the original.
    var index: Int
    var notes: [Diagnostic]
    /// What the tile machine found for the text; nil for the original.
    var check: CheckReport?
  }

  /// The last of `states` (the original first) whose text passes.
  func lastSound(of states: [ModuleState]) -> Verified {
    var notes: [Diagnostic] = []
    for (index, state) in states.enumerated().reversed() {
      let arranged = StrictForm.arranged(state.tree)
      let problems = self.problems(of: arranged)
      if problems.isEmpty {
        guard index > 0 else { return Verified(text: arranged, index: index, notes: notes) }
        let check = self.check(
          arranged, seconds: checkSeconds, secondsPerRun: Self.checkSeconds / 60)
        switch check.verdict {
        case .passed, .unsupported:
          return Verified(text: arranged, index: index, notes: notes, check: check)
        case .failed, .shapeSpecific:
          notes += check.findings.map { Self.note($0) }
          continue
        }
      }
      if index == 0 {
        // What the original itself breaks is the user's to know; it is printed all the same.
        notes += problems.map { problem in
          var note = problem
          note.severity = .warning
          return note
        }
        let text = Self.parses(arranged) ? arranged : state.source
        return Verified(text: text, index: 0, notes: notes)
      }
      notes += problems
    }
    return Verified(text: original.source, index: 0, notes: notes)
  }

  /// Runs a text against the original on the tile machine, at sizes that take a moment.
  func check(
    _ text: SourceText, seconds: Double, secondsPerRun: Double? = nil
  ) -> CheckReport {
    var checker = Checker(
      candidate: PythonParser.parse(text), original: original.tree, problem: inputs.problem)
    if inputs.problem == nil || !request.inputs.isEmpty, let run = original.subject.run,
      run.inputsAreKnown
    {
      checker.inputs = Dictionary(run.inputs.map { ($0.name, $0.shape) }) { first, _ in first }
    }
    checker.gpu = inputs.gpu
    checker.options.isQuick = true
    checker.options.budget = seconds
    checker.options.secondsPerRun = secondsPerRun
    return checker.check()
  }

  /// Why a run of both does not show that the text computes what the original does; nil: it does.
  func problem(provenBy text: SourceText) -> Diagnostic? {
    let report = check(text, seconds: proofSeconds, secondsPerRun: Self.proofRunSeconds)
    switch report.verdict {
    case .passed: return nil
    case .failed, .shapeSpecific:
      return report.findings.first?.diagnostic
        ?? Diagnostic(id: "check-failed", "the tile machine rejects it", source: text)
    case .unsupported:
      return report.obstacle
        ?? Diagnostic(id: "not-checked", "the tile machine could not run it", source: text)
    }
  }

  /// Seconds one run of such a check shall take, by which its sizes are chosen: the same sizes
  /// however much time there is.
  static let proofRunSeconds = 10.0 / 60
  /// Seconds for one check, unless said otherwise, by which its sizes are chosen as well.
  static let checkSeconds = 2.0

  static func note(_ finding: CheckFinding) -> Diagnostic {
    var note = finding.diagnostic
    note.severity = .warning
    note.message =
      "a candidate was dropped: on the tile machine, at \(finding.problem): \(note.message)"
    return note
  }

  /// What is wrong with a text that the original is free of.
  func problems(of text: SourceText) -> [Diagnostic] {
    let tree = PythonParser.parse(text)
    if let error = tree.diagnostics.first(where: { $0.severity == .error }) { return [error] }
    var problems = StrictForm.check(tree, rules: request.outputRules)
      .filter { $0.severity == .error && !isOriginals($0) }
    problems += StageRules.check(
      candidate: tree, original: original.tree, policy: request.policy
    ).map(\.diagnostic).filter { $0.severity == .error && !isOriginals($0) }
    if let run = original.subject.run { problems += launchProblems(of: tree, against: run) }
    return problems
  }

  private func isOriginals(_ problem: Diagnostic) -> Bool {
    originalProblems.contains(problem.id + problem.message)
  }

  /// Findings the original has already, by id and message: not ours to answer for.
  private var originalProblems: Set<String> {
    let form = StrictForm.check(original.tree, rules: request.outputRules)
    let rules = StageRules.check(
      candidate: original.tree, original: original.tree, policy: request.policy
    ).map(\.diagnostic)
    return Set((form + rules).map { $0.id + $0.message })
  }

  /// The candidate must launch the same kernels in the same order with the original's grids.
  private func launchProblems(of tree: ModuleTree, against run: HostRun) -> [Diagnostic] {
    let now: HostRun
    do throws(Diagnostic) {
      now = try inputs.host(for: tree).run(inputs.inputs)
    } catch {
      return [error]
    }
    guard now.launches.map(\.kernel) == run.launches.map(\.kernel) else {
      return [
        Diagnostic(
          id: "launches-changed", "the module no longer makes the original's launches",
          source: tree.source)
      ]
    }
    guard !request.policy.allows(.grid) else { return [] }
    for (new, old) in zip(now.launches, run.launches) {
      let known = Set(old.configs.map { $0.grid })
      if let (_, grid) = new.configs.first(where: { !known.contains($0.grid) }) {
        return [
          Diagnostic(
            id: "grid-changed",
            "'\(new.kernel)' is launched with grid \(grid), which the original does not have",
            source: tree.source, range: new.gridRange)
        ]
      }
    }
    return []
  }

  private static func parses(_ text: SourceText) -> Bool {
    !PythonParser.parse(text).hasErrors
  }
}
