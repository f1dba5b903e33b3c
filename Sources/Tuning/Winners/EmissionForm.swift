import Analysis
import Diagnostics
import HostProgram
import PythonSyntax
import Rewrites
import Stages

/// How an autotuned kernel's configs are written.
public enum EmissionForm: String, Sendable, CaseIterable {
  /// A list for Triton's autotuner to try at each new shape.
  case list
  /// The best config of each shape that is known, and no others.
  case perShape = "per-shape"
  /// The list with a table that chooses from it at the shapes that are known.
  case table
}

/// What is best at one shape, and how that is known.
struct ShapeChoice {
  /// The autotune key's integer arguments.
  var values: [String: Int]
  var config: LaunchConfig
  var level: EvidenceLevel
}

extension KernelTuner {
  /// The best of some configs at each shape of the launches, as the model sees it.
  mutating func predictedChoices(_ configs: [LaunchConfig], in state: ModuleState) -> [ShapeChoice]
  {
    var choices: [ShapeChoice] = []
    var seen: Set<LaunchSignature> = []
    for launch in launches(in: state) where seen.insert(LaunchSignature(launch)).inserted {
      let costs = model.costs(of: configs, launches: [launch], in: state.triton)
      var best: (config: LaunchConfig, microseconds: Double)?
      for (config, cost) in zip(configs, costs) {
        guard case .success(let cost) = cost, cost.microseconds < best?.microseconds ?? .infinity
        else { continue }
        best = (config, cost.microseconds)
      }
      guard let best else { continue }
      choices.append(
        ShapeChoice(
          values: ShapeClass.keyArguments(of: [launch]).first ?? [:], config: best.config,
          level: .predicted))
    }
    return choices
  }

  /// Writes the configs in another form than a list.
  ///
  /// - Parameter choices: by shape; of several for one shape the best known counts.
  /// - Returns: the state as it was where the form is refused; a trial says why.
  mutating func emit(_ form: EmissionForm, _ choices: [ShapeChoice], on state: ModuleState)
    -> ModuleState
  {
    guard form != .list else { return state }
    let what = "write the configs in the form '\(form.rawValue)'"
    do throws(Diagnostic) {
      let ranked = Self.best(of: choices)
      guard !ranked.isEmpty else {
        throw Diagnostic(
          id: "emission-without-shapes",
          "--emit \(form.rawValue) needs a shape, and no launch of '\(kernel)' is known",
          source: state.source)
      }
      let levels = Set(ranked.map(\.level)).sorted { $0.rank > $1.rank }.map(\.rawValue)
      let evidence = levels.joined(separator: " and ")
      let next: ModuleState
      switch form {
      case .list: return state
      case .perShape: next = try onePerShape(ranked, on: state)
      case .table: next = try tabulated(ranked, evidence, on: state)
      }
      try requireLawful(next, form)
      guard next.applied.count > state.applied.count, let site = next.applied.last else {
        return state
      }
      trials.append(
        emissionTrial(
          site.rewrite, what,
          "the best config at \(ranked.count) shape\(ranked.count == 1 ? "" : "s") is \(evidence)",
          .accepted, state))
      return next
    } catch {
      trials.append(emissionTrial("tune-configs", what, "", .refused(error), state))
      return state
    }
  }

  /// Says that stored winners of other shapes are not among the choices, and why.
  mutating func refuseStoredShapes(_ reason: Diagnostic, in state: ModuleState) {
    trials.append(
      emissionTrial(
        "tune-configs", "take stored winners of other shapes as well", "", .refused(reason), state))
  }

  /// One choice a shape: the best evidence first.
  private static func best(of choices: [ShapeChoice]) -> [ShapeChoice] {
    var order: [[String: Int]] = []
    var best: [[String: Int]: ShapeChoice] = [:]
    for choice in choices {
      if let known = best[choice.values] {
        if choice.level.rank > known.level.rank { best[choice.values] = choice }
      } else {
        order.append(choice.values)
        best[choice.values] = choice
      }
    }
    return order.compactMap { best[$0] }
  }

  private func onePerShape(_ choices: [ShapeChoice], on state: ModuleState) throws(Diagnostic)
    -> ModuleState
  {
    var seen: Set<ConfigKey> = []
    let configs = choices.map(\.config).filter { seen.insert(ConfigKey($0)).inserted }
    let rewritten: Rewritten
    if ModuleShape(state.tree)[kernel: kernel]?.isAutotuned == true || configs.count > 1 {
      rewritten = try TuneConfigs.apply(kernel: kernel, configs: configs, to: state.subject)
    } else {
      let knobs = SetLaunchKnobs(
        numWarps: configs.first?.numWarps, numStages: configs.first?.numStages)
      guard let site = knobs.sites(in: state.subject).first(where: { $0.kernel == kernel }) else {
        return state
      }
      rewritten = try knobs.apply(site, to: state.subject)
    }
    guard rewritten.source.bytes != state.source.bytes else { return state }
    return try ModuleState(rewritten, after: state, inputs: inputs)
  }

  private func tabulated(
    _ choices: [ShapeChoice], _ evidence: String, on state: ModuleState
  ) throws(Diagnostic) -> ModuleState {
    let listed = originals(in: state)
    var rows: [TabulateConfigs.Row] = []
    for choice in choices {
      guard let index = listed.firstIndex(where: { ConfigKey($0) == ConfigKey(choice.config) })
      else { continue }
      rows.append(TabulateConfigs.Row(values: choice.values, config: index))
    }
    let rewrite = TabulateConfigs(rows: rows, evidence: "\(evidence) for \(model.gpu.name)")
    let site = RewriteSite(
      rewrite: rewrite.id, kernel: kernel, range: SourceRange(0, 0), names: [],
      what: "choose the config of '\(kernel)' by a table of \(rows.count) shapes",
      why: "shapes of the table need no trial runs")
    return try ModuleState(
      try rewrite.apply(site, to: state.subject), after: state, inputs: inputs)
  }

  /// - Throws: the first rule of the stage, or of the strict form, that the form breaks.
  private func requireLawful(_ state: ModuleState, _ form: EmissionForm) throws(Diagnostic) {
    guard let original else { return }
    func ids(_ tree: ModuleTree) -> [Diagnostic] {
      StageRules.check(candidate: tree, original: original, policy: policy).map(\.diagnostic)
        .filter { $0.severity == .error }
    }
    let before = Set(ids(original).map { $0.id + $0.message })
    guard let problem = ids(state.tree).first(where: { !before.contains($0.id + $0.message) })
    else { return }
    throw Diagnostic(
      id: "emission-forbidden",
      "the stage forbids --emit \(form.rawValue) here: \(problem.message)",
      source: problem.source, range: problem.range, nextStep: problem.nextStep)
  }

  private func emissionTrial(
    _ rewrite: String, _ what: String, _ why: String, _ outcome: Trial.Outcome,
    _ state: ModuleState
  ) -> Trial {
    Trial(
      rewrite: rewrite, kernel: kernel, what: what, why: why, outcome: outcome, basis: .emission,
      location: state.triton.function(named: kernel).map {
        state.source.location(at: $0.definition.nameRange.lower)
      })
  }
}
