import Diagnostics
import Rewrites

extension KernelTuner {
  /// Sees to it that an autotuned kernel's trial runs restore what the kernel updates in place,
  /// whether Hone wrote the list of configs or found it.
  ///
  /// - Returns: the state as it was where nothing is lacking or nothing can be told; the latter is a
  ///   refused trial.
  mutating func protectTuning(_ state: ModuleState) -> ModuleState {
    let rewrite = RestoreTunedArguments()
    guard let site = rewrite.sites(in: state.subject).first(where: { $0.kernel == kernel }) else {
      if let refusal = rewrite.refusal(of: kernel, in: state.subject) {
        recordSafety("restore what trial runs change", refusal.message, .refused(refusal), state)
      }
      return state
    }
    do throws(Diagnostic) {
      let next = try ModuleState(
        try rewrite.apply(site, to: state.subject), after: state, inputs: inputs)
      recordSafety(site.what, site.why, .accepted, state)
      return next
    } catch {
      recordSafety(site.what, site.why, .refused(error), state)
      return state
    }
  }

  private mutating func recordSafety(
    _ what: String, _ why: String, _ outcome: Trial.Outcome, _ state: ModuleState
  ) {
    trials.append(
      Trial(
        rewrite: RestoreTunedArguments().id, kernel: kernel, what: what, why: why,
        outcome: outcome, basis: .safety,
        location: state.triton.function(named: kernel).map {
          state.source.location(at: $0.definition.nameRange.lower)
        }))
  }
}
