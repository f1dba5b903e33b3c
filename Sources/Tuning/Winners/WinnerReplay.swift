import Diagnostics
import HostProgram
import Rewrites

/// Makes a stored winner of the module at hand: its rewrites in their order, then its configs.
///
/// Nothing of it is believed: each rewrite makes its own checks again, and the result is a candidate
/// like any other.
struct WinnerReplay {
  var kernel: String
  var inputs: ModuleInputs
  /// The rewrites that steps may name.
  var rewrites: [any Rewrite] = Rewrites.catalog

  /// - Throws: where a rewrite no longer finds its place, or refuses.
  func replay(_ winner: Winner, on start: ModuleState) throws(Diagnostic) -> ModuleState {
    var state = start
    for step in winner.steps { state = try replay(step, on: state) }
    let configs = winner.configs.map(\.launchConfig)
    guard !configs.isEmpty else { return state }
    let rewritten = try TuneConfigs.apply(kernel: kernel, configs: configs, to: state.subject)
    guard rewritten.source.bytes != state.source.bytes else { return state }
    return try ModuleState(rewritten, after: state, inputs: inputs)
  }

  private func replay(_ step: Winner.Step, on state: ModuleState) throws(Diagnostic) -> ModuleState
  {
    guard let rewrite = rewrites.first(where: { $0.id == step.rewrite }) else {
      throw Diagnostic(
        id: "winner-unknown-rewrite", "this hone has no rewrite '\(step.rewrite)'",
        source: state.source)
    }
    let sites = rewrite.sites(in: state.subject).filter { $0.kernel == kernel }
    let site =
      sites.first { $0.what == step.what }
      ?? sites.first { !step.names.isEmpty && $0.names == step.names }
    guard let site else {
      throw Diagnostic(
        id: "winner-out-of-place", "'\(step.rewrite)' finds no place for: \(step.what)",
        source: state.source)
    }
    return try ModuleState(
      try rewrite.apply(site, to: state.subject), after: state, inputs: inputs)
  }
}

extension Winner {
  /// What led from one state to another on one kernel, as steps and configs of a winner.
  static func steps(of kernel: String, in state: ModuleState, after start: ModuleState) -> [Step] {
    state.applied.dropFirst(start.applied.count)
      .filter { $0.kernel == kernel && !$0.isKnobs }
      .map { Step(rewrite: $0.rewrite, what: $0.what, names: $0.names) }
  }
}
