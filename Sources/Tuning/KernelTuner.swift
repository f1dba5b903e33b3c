import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import Profiling
import PythonSyntax
import Rewrites
import Stages

/// Works on one kernel of a module: costs its configs, tries body rewrites, chooses its knobs.
struct KernelTuner {
  var kernel: String
  var policy: StagePolicy
  var inputs: ModuleInputs
  var profile: KernelProfile?
  /// Indices of the original configs that the profile's metrics allow; empty if unknown.
  var profiledConfigs: [Int]
  var model: CostModel
  /// The configs under which body rewrites are compared: the reference and the fastest.
  var representatives: [LaunchConfig] = []
  var trials: [Trial] = []
  var vetoes = Vetoes()
  /// Every state that the body went through on predictions, in order.
  var visited: [ModuleState] = []
  /// The module before anything was changed, where a stage's rules are to be held against it.
  var original: ModuleTree?
  /// What an earlier run found for this kernel, to be tried first.
  var stored: Winner?

  /// Runs a state against the original: nil when it passed, else what spoke against it. Without it
  /// no rewrite that needs a proof is taken on a prediction.
  var prove: (@Sendable (ModuleState) -> Diagnostic?)?
  /// Predicted microseconds of the host's own operators that accepted rewrites spare.
  var hostMicrosecondsSpared = 0.0

  /// What is tried on the body, in this order.
  var rewrites: [any Rewrite] = Rewrites.catalog.filter { !Self.isKnobRewrite($0) }

  var threshold: Double { policy.worthwhileSpeedup }

  init(
    kernel: String, policy: StagePolicy, inputs: ModuleInputs, profile: KernelProfile?,
    profiledConfigs: [Int], gpu: GPU
  ) {
    self.kernel = kernel
    self.policy = policy
    self.inputs = inputs
    self.profile = profile
    self.profiledConfigs = profiledConfigs
    self.model = CostModel(gpu: gpu)
  }

  /// The cost of a set of configs: every launch takes its best.
  struct SetCost {
    var microseconds: Double
    var perConfig: [ConfigKey: ConfigCost]
    var best: LaunchConfig
  }

  func launches(in state: ModuleState) -> [Launch] {
    state.subject.run?.launches.filter { $0.kernel == kernel } ?? []
  }

  /// The kernel's configs: of its decorator, or of its launch sites.
  func originals(in state: ModuleState) -> [LaunchConfig] {
    var seen: Set<ConfigKey> = []
    var configs: [LaunchConfig] = []
    for launch in launches(in: state) {
      for (config, _) in launch.configs {
        var config = config
        if !launch.isAutotuned {
          config.constants = [:]
        } else if let names = decoratorNames(in: state) {
          // A launch also carries constants of heuristics and of its own keywords.
          config.constants = config.constants.filter { names.contains($0.key) }
        }
        if seen.insert(ConfigKey(config)).inserted { configs.append(config) }
      }
    }
    return configs.isEmpty && state.subject.run == nil ? statedConfigs(in: state) : configs
  }

  /// The configs as far as the text tells them, for modules whose host program was not followed.
  private func statedConfigs(in state: ModuleState) -> [LaunchConfig] {
    guard let shape = ModuleShape(state.tree)[kernel: kernel], let stated = shape.configs else {
      return []
    }
    var configs: [LaunchConfig] = []
    for entry in stated {
      guard let warps = entry[.numWarps].int, let stages = entry[.numStages].int else { return [] }
      var config = LaunchConfig(
        numWarps: warps, numStages: stages, statesNumWarps: entry.numWarps != nil,
        statesNumStages: entry.numStages != nil)
      for name in shape.isAutotuned ? shape.tunedNames : [] {
        switch entry.parameters[name] {
        case .int(let value): config.constants[name] = .int(value)
        case .bool(let value): config.constants[name] = .bool(value)
        case .string(let value): config.constants[name] = .string(value)
        default: return []
        }
      }
      if !configs.contains(where: { ConfigKey($0) == ConfigKey(config) }) { configs.append(config) }
    }
    return configs
  }

  /// The config in short, BLOCK sizes in the order of the kernel's signature: "32/64/32 w4 s2".
  func text(of config: LaunchConfig, in state: ModuleState) -> String {
    config.knobText(order: state.triton.function(named: kernel)?.parameters.map(\.name) ?? [])
  }

  /// The names that the kernel's `triton.Config`s set; nil where they cannot be read from the text.
  private func decoratorNames(in state: ModuleState) -> Set<String>? {
    let configs = state.triton.function(named: kernel)?.autotuneConfigs ?? []
    guard !configs.isEmpty else { return nil }
    return configs.reduce(into: []) { $0.formUnion($1.constants.keys) }
  }

  /// Predicts all `configs`.
  /// - Throws: the first refusal if none of them can be predicted.
  mutating func evaluate(_ configs: [LaunchConfig], in state: ModuleState) throws(Diagnostic)
    -> SetCost
  {
    let launches = launches(in: state)
    guard !launches.isEmpty else {
      throw Diagnostic(
        id: "no-launch", "the launches of '\(kernel)' are not known, so nothing is predicted",
        source: state.source,
        range: state.triton.function(named: kernel)?.definition.nameRange)
    }
    let costs = model.costs(of: configs, launches: launches, in: state.triton)
    var perConfig: [ConfigKey: ConfigCost] = [:]
    var firstRefusal: Diagnostic?
    var best: (config: LaunchConfig, microseconds: Double)?
    for (config, cost) in zip(configs, costs) {
      switch cost {
      case .success(let cost):
        perConfig[ConfigKey(config)] = cost
        if cost.microseconds < best?.microseconds ?? .infinity {
          best = (config, cost.microseconds)
        }
      case .failure(let refusal):
        firstRefusal = firstRefusal ?? refusal
      }
    }
    guard let best else {
      throw firstRefusal
        ?? Diagnostic(
          id: "no-launch", "no launch of '\(kernel)' was found", source: state.source)
    }
    return SetCost(microseconds: best.microseconds, perConfig: perConfig, best: best.config)
  }

  // MARK: Body

  /// Tries the body rewrites one after another and keeps what gains more than the threshold.
  mutating func rewriteBody(_ start: ModuleState, baseline: SetCost) -> (ModuleState, SetCost) {
    var state = start
    var cost = baseline
    representatives = representatives(of: baseline, in: start)
    // Of configs that the baseline is made of: what it could analyse.
    if let narrowed = try? evaluate(representatives, in: start) { cost = narrowed }
    guard policy.allows(.body) else { return (state, cost) }
    for rewrite in rewrites {
      let sites = rewrite.sites(in: state.subject).filter {
        $0.kernel == kernel && !vetoes.rewrites.contains("\(kernel) \($0.rewrite) \($0.what)")
      }
      guard !sites.isEmpty else { continue }
      guard rewrite.mayGain else {
        for site in sites {
          record(
            site, .reverted("Triton makes the same code of both forms: nothing to gain"), state,
            before: nil, after: nil)
        }
        continue
      }
      // Its sites are alternatives, the larger holding the smaller.
      if rewrite is SpecializeArguments {
        (state, cost) = takeBest(of: sites, by: rewrite, state, cost)
        if state.applied.count > (visited.last ?? start).applied.count { visited.append(state) }
      } else {
        for index in sites.indices {
          // Earlier edits move the later sites: look them up again in the current text.
          let now = rewrite.sites(in: state.subject).filter {
            $0.kernel == kernel && !vetoes.rewrites.contains("\(kernel) \($0.rewrite) \($0.what)")
          }
          guard
            let site = now.count == sites.count
              ? now[index] : now.first(where: { $0.what == sites[index].what })
          else { continue }
          if let (next, nextCost) = tryOne(site, by: rewrite, state, cost) {
            (state, cost) = (next, nextCost)
            visited.append(next)
          }
        }
      }
    }
    return (state, cost)
  }

  private func representatives(of baseline: SetCost, in state: ModuleState) -> [LaunchConfig] {
    let reference = referenceConfig(originals(in: state), baseline)
    return [reference, baseline.best].compactMap(\.self).reduce(into: []) { kept, config in
      if !kept.contains(where: { ConfigKey($0) == ConfigKey(config) }) { kept.append(config) }
    }
  }

  static func isKnobRewrite(_ rewrite: any Rewrite) -> Bool {
    rewrite is TuneConfigs || rewrite is SetLaunchKnobs || rewrite is RestoreTunedArguments
      || rewrite is TabulateConfigs
  }

  /// Of nested alternatives, the largest that comes within half the threshold of the best: what a
  /// model cannot tell apart is decided by what the compiler knows more of. The price, a
  /// compilation per shape, is one that an autotuned kernel pays already.
  private mutating func takeBest(
    of sites: [RewriteSite], by rewrite: any Rewrite, _ state: ModuleState, _ cost: SetCost
  ) -> (ModuleState, SetCost) {
    var candidates: [(site: RewriteSite, state: ModuleState, cost: SetCost)] = []
    for site in sites {
      do throws(Diagnostic) {
        let (next, nextCost) = try apply(site, by: rewrite, state)
        candidates.append((site, next, nextCost))
      } catch {
        record(site, .refused(error), state, before: cost.microseconds, after: nil)
      }
    }
    guard let best = candidates.map(\.cost.microseconds).min() else { return (state, cost) }
    let slack = 1 + (threshold - 1) / 2
    guard let chosen = candidates.last(where: { $0.cost.microseconds <= best * slack }) else {
      return (state, cost)
    }
    let ratio = cost.microseconds / chosen.cost.microseconds
    let prior = ratio < threshold ? supportingPrior(rewrite, ratio) : nil
    let isWorthIt = ratio >= threshold || prior != nil
    if isWorthIt, let problem = effectsProblem(of: rewrite, from: state, to: chosen.state) {
      record(chosen.site, .refused(problem), state, before: cost.microseconds, after: nil)
      return (state, cost)
    }
    for candidate in candidates {
      let after = candidate.cost.microseconds
      if candidate.site.what == chosen.site.what, isWorthIt {
        var site = candidate.site
        if let prior {
          site.why += "; the model sees no gain above the threshold here, but \(prior.text)"
        }
        record(
          site, .accepted, basis: prior == nil ? .prediction : .measuredPrior, state,
          before: cost.microseconds, after: after)
      } else if isWorthIt {
        record(
          candidate.site, .reverted("another set of arguments does as well or better"), state,
          before: cost.microseconds, after: after)
      } else {
        record(
          candidate.site, .reverted(belowThreshold(cost.microseconds, after)), state,
          before: cost.microseconds, after: after)
      }
    }
    return isWorthIt ? (chosen.state, chosen.cost) : (state, cost)
  }

  /// The measured prior that speaks for a rewrite whose predicted gain is below the threshold.
  func supportingPrior(_ rewrite: any Rewrite, _ ratio: Double) -> MeasuredPrior? {
    guard let prior = MeasuredPrior.table[rewrite.id], prior.geomean >= threshold,
      ratio >= MeasuredPrior.contradiction
    else { return nil }
    return prior
  }

  private mutating func tryOne(
    _ site: RewriteSite, by rewrite: any Rewrite, _ state: ModuleState, _ cost: SetCost
  ) -> (ModuleState, SetCost)? {
    do throws(Diagnostic) {
      let (next, nextCost) = try apply(site, by: rewrite, state)
      let spared = model.gpu.roofline.floorSeconds(dramBytes: Double(site.hostBytes)) * 1e6
      let before = cost.microseconds + spared
      let gain = before / nextCost.microseconds
      if gain >= threshold, let contrary = MeasuredPrior.contrary[rewrite.id] {
        record(
          site,
          .reverted(
            "predicted gain \(((gain - 1) * 100).percentText), not taken on a prediction alone: "
              + contrary), state, before: before, after: nextCost.microseconds)
        return nil
      }
      if gain >= threshold {
        if let problem = effectsProblem(of: rewrite, from: state, to: next) { throw problem }
        if rewrite.needsProof {
          guard let prove else {
            throw Diagnostic(
              id: "not-proven", "nothing here shows that '\(kernel)' computes the same with it",
              source: state.source, range: site.range)
          }
          if let problem = prove(next) { throw problem }
        }
        hostMicrosecondsSpared += spared
        record(
          site, .accepted, state, before: before, after: nextCost.microseconds)
        return (next, nextCost)
      }
      record(
        site, .reverted(belowThreshold(before, nextCost.microseconds)), state,
        before: before, after: nextCost.microseconds)
    } catch {
      record(site, .refused(error), state, before: cost.microseconds, after: nil)
    }
    return nil
  }

  /// Applies a rewrite and predicts the result under the configs the module has then.
  private mutating func apply(
    _ site: RewriteSite, by rewrite: any Rewrite, _ state: ModuleState
  ) throws(Diagnostic) -> (ModuleState, SetCost) {
    let rewritten = try rewrite.apply(site, to: state.subject)
    let next = try ModuleState(rewritten, after: state, inputs: inputs)
    return (next, try evaluate(representatives, in: next))
  }

  /// Distinct launches whose lowered kernels are compared before and after a rewrite.
  private static let comparedLaunches = 8

  /// What an accepted rewrite did to the kernel's memory accesses that it may not do.
  ///
  /// A rewrite works on text; this looks at what the text means, independently of the rewrite.
  func effectsProblem(
    of rewrite: any Rewrite, from old: ModuleState, to new: ModuleState
  ) -> Diagnostic? {
    guard let before = old.triton.function(named: kernel),
      let after = new.triton.function(named: kernel)
    else { return nil }
    var seen: Set<LaunchSignature> = []
    for (launch, rewritten) in zip(launches(in: old), launches(in: new))
    where seen.count < Self.comparedLaunches && seen.insert(LaunchSignature(launch)).inserted {
      guard let config = launch.configs.first?.config, let next = rewritten.configs.first?.config
      else { continue }
      do throws(Diagnostic) {
        try RewriteCheck.compareEffects(
          of: old.triton.lower(
            kernel,
            for: LaunchLowering.specialization(
              of: launch, config: config, kernel: before, gpu: model.gpu)),
          and: new.triton.lower(
            kernel,
            for: LaunchLowering.specialization(
              of: rewritten, config: next, kernel: after, gpu: model.gpu)),
          allowing: rewrite.effects)
      } catch {
        return error
      }
    }
    return nil
  }

  func belowThreshold(_ before: Double, _ after: Double) -> String {
    let gain = (before / after - 1) * 100
    let limit = (threshold - 1) * 100
    return "predicted gain \(gain.percentText) is below \(limit.percentText)"
  }

  private mutating func record(
    _ site: RewriteSite, _ outcome: Trial.Outcome, basis: Trial.Basis = .prediction,
    _ state: ModuleState, before: Double?, after: Double?
  ) {
    trials.append(
      Trial(
        rewrite: site.rewrite, kernel: kernel, what: site.what, why: site.why, outcome: outcome,
        basis: basis, microsecondsBefore: before, microsecondsAfter: after,
        location: state.source.location(at: site.range.lower)))
  }
}

extension StagePolicy {
  /// A gain below this, in percent, is not worth a change where the policy states no threshold.
  private static let defaultThresholdPercent = 2.0

  /// The speed-up, before over after, from which a change is worth making: 1.02.
  public var worthwhileSpeedup: Double {
    1 + (revertBelowPercent?.upper ?? Self.defaultThresholdPercent) / 100
  }

  /// Whether the stage asks for a list of configs to measure, and does not only bound it.
  public var asksForConfigs: Bool { includesOriginal || (configCount?.lowerBound ?? 1) > 1 }
}

extension Double {
  /// "+3.4 %", "-0.5 %".
  var percentText: String {
    let rounded = (self * 10).rounded() / 10
    return "\(rounded == 0 ? 0 : rounded) %"
  }
}
