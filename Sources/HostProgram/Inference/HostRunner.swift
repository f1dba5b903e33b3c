import Diagnostics
import PythonSyntax
import TileIR

/// One call of `HostProgram.run`: evaluates, learns from what fails, evaluates again.
struct HostRunner: Sendable {
  enum Target: Sendable { case modelNew, reference }

  let program: HostProgram
  let target: Target
  let constants: [String: Int]
  let calls: Int
  let variation: ProblemVariation
  /// How many times an evaluation may fail and teach something before it counts as failed.
  private static let attempts = 64

  init(
    _ program: HostProgram, _ target: Target, constants: [String: Int] = [:], calls: Int = 1,
    variation: ProblemVariation = ProblemVariation()
  ) {
    self.program = program
    self.target = target
    self.constants = constants
    self.calls = calls
    self.variation = variation
  }

  func run(_ inputs: HostProgram.Inputs) -> Result<HostRun, Diagnostic> {
    let known = Set(constants.isEmpty ? [] : program.constants.map(\.name))
    if let name = constants.keys.filter({ !known.contains($0) }).min() {
      return .failure(
        Diagnostic(
          id: "no-constant", "there is no integer '\(name)' at module level",
          source: (program.problem ?? program.module).source))
    }
    var knowledge = InputKnowledge()
    switch inputs {
    case .fromProblem, .unknown, .resized: break
    case .tensors(let shapes):
      for (name, shape) in shapes {
        knowledge.ranks[name] = shape.shape.count
        for (axis, size) in shape.shape.enumerated() {
          let symbol = InputKnowledge.axisSymbol(name, axis)
          knowledge.values[symbol] = size
          knowledge.pinned.insert(symbol)
        }
        knowledge.pinned.insert(Evaluator.rankName(name))
      }
    case .assumed(let sizes):
      for (name, axes) in sizes {
        knowledge.ranks[name] = axes.count
        knowledge.pinned.insert(Evaluator.rankName(name))
        for (axis, size) in axes.enumerated() {
          guard let size else { continue }
          let symbol = InputKnowledge.axisSymbol(name, axis)
          knowledge.values[symbol] = size
          knowledge.pinned.insert(symbol)
        }
      }
    }
    return search(inputs, from: knowledge)
  }

  /// Evaluates; where that fails, or launches nothing, with what it teaches: the best guess first,
  /// the others when all that follows from it has failed.
  private func search(_ inputs: HostProgram.Inputs, from start: InputKnowledge)
    -> Result<HostRun, Diagnostic>
  {
    let isOpen =
      switch inputs {
      case .fromProblem, .resized: false
      case .tensors, .unknown, .assumed: true
      }
    var seen: Set<InputKnowledge> = [start]
    var pending = [Guess(knowledge: start)]
    var withoutLaunches: HostRun?
    var failure: Diagnostic?
    var steps = 0
    for _ in 0..<Self.attempts {
      guard let guess = pending.popLast() else { break }
      let session = HostSession(
        program, target, inputs, guess.knowledge, constants: constants, variation: variation)
      let learner = Learner(session.evaluator, guess)
      var next: [Guess] = []
      do {
        let run = try session.run(isTraining: !variation.isInference, calls: calls)
        guard run.launches.isEmpty, target == .modelNew else { return .success(run) }
        // A module may use its kernels in inference only (batch norm with running statistics).
        let other = HostSession(
          program, target, inputs, guess.knowledge, constants: constants, variation: variation)
        if var inference = try? other.run(isTraining: false, calls: calls),
          !inference.launches.isEmpty
        {
          inference.isInference = true
          return .success(inference)
        }
        if withoutLaunches == nil { withoutLaunches = run }
        if isOpen { next = learner.otherBranches() }
      } catch Unwind.refused(let diagnostic) {
        // Other guesses are worth a try only once the best ones have failed.
        guard let failure else { return .failure(diagnostic) }
        if pending.isEmpty { return .failure(failure) }
      } catch Unwind.raised(let exception) {
        if isOpen { next = learner.learn(from: exception) }
        next.removeAll { seen.contains($0.knowledge) }
        if next.isEmpty {
          failure = failure ?? session.describe(exception)
          if isOpen { next = learner.otherInputs() }
        }
      } catch {
        failure =
          failure ?? Diagnostic(id: "host-failed", "\(error)", source: program.module.source)
      }
      steps += session.evaluator.steps
      if steps > Self.steps { break }
      next.removeAll { seen.contains($0.knowledge) }
      seen.formUnion(next.prefix(Self.breadth).map(\.knowledge))
      pending += next.prefix(Self.breadth).reversed()
    }
    if let withoutLaunches { return .success(withoutLaunches) }
    return .failure(
      failure
        ?? Diagnostic(
          id: "shapes-not-found",
          "no input shapes were found that the module accepts; give them with '--input'",
          source: program.module.source))
  }

  /// How many steps all evaluations together may take before no further guess is made.
  private static let steps = 10_000_000
  /// How many guesses are kept of those that one failure suggests.
  private static let breadth = 6
}

/// Inputs to try, and what earlier failures on the way to them demanded.
struct Guess {
  var knowledge: InputKnowledge
  var demands: [Condition] = []
}
