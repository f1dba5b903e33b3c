import Analysis
import Diagnostics
import HostProgram
import Profiling
import Rewrites
import Stages

/// What the choice of knobs came to.
struct KnobChoice {
  var state: ModuleState
  var configs: [LaunchConfig]
  var reference: LaunchConfig?
  var cost: KernelTuner.SetCost?
}

extension KernelTuner {
  /// Below this predicted time the launch itself dominates: an autotuner's extra host time per
  /// call (a dictionary look-up and a key) is no longer small against the kernel. Microseconds.
  private static let tooShortToAutotune = 10.0
  /// The share of a multiprocessor's warps below which the stages' rules call occupancy low
  /// (`sm__warps_active` > 50 % is wanted).
  private static let lowOccupancy = 0.5

  /// Lists the configs that Triton's autotuner shall choose among on the target.
  ///
  /// - Parameter cost: of the original configs with the current body; nil where the kernel could
  ///   not be lowered, which leaves the knobs to the policy alone.
  mutating func tuneKnobs(_ state: ModuleState, cost: SetCost?) -> KnobChoice {
    let originals = originals(in: state)
    let reference = referenceConfig(originals, cost)
    var choice = KnobChoice(state: state, configs: originals, reference: reference, cost: cost)
    guard policy.allows(.numWarps) || policy.allows(.numStages), !originals.isEmpty else {
      return choice
    }
    let launches = launches(in: state)
    let isAutotuned = launches.contains { $0.isAutotuned }
    if !isAutotuned, let cost, state.subject.run?.inputsAreKnown == true,
      cost.microseconds / Double(max(1, launches.count)) < Self.tooShortToAutotune
    {
      note(
        "leave the launch's knobs as they are",
        .reverted(
          "predicted to run for \(cost.microseconds.rounded()) µs in all: an autotuner's host time "
            + "per call would not pay"), state)
      return choice
    }

    let analyses = reference.flatMap { cost?.perConfig[ConfigKey($0)]?.analyses } ?? []
    let stagesMatter = cost == nil || analyses.contains { $0.hasPipelinableLoop }
    let warps = warpsReason(analyses)
    let pool = ConfigPool(
      policy: policy, stagesMatter: stagesMatter, warpsMayMove: warps != nil
    ).configs(around: originals).filter { item in
      item.isOriginal || !vetoes.forbids(item.config, of: kernel)
    }

    let distinct = pool.count(where: \.isOriginal)
    if let limit = policy.configCount?.upperBound, distinct > limit {
      note(
        "shorten the list of \(distinct) configs to the stage's \(limit)",
        .reverted("leaving out an original config could leave out the fastest: none was measured"),
        state)
      return choice
    }

    var microseconds: [ConfigKey: Double] = [:]
    // Fails only where no config can be analysed: then the choice is made without predictions.
    if cost != nil, let all = try? evaluate(pool.map(\.config), in: state) {
      microseconds = all.perConfig.mapValues(\.microseconds)
      choice.cost = all
    }
    let kept = reference.map { [ConfigKey($0)] } ?? originals.map(ConfigKey.init)
    let chosen = ConfigChoice(
      policy: policy, kept: kept, isReferenceProfiled: !profiledConfigs.isEmpty,
      microseconds: microseconds
    ).choose(from: pool)
    let configs = chosen.map(\.config)
    guard configs.count > 1 || configs.count != originals.count else { return choice }
    guard Set(configs.map(ConfigKey.init)) != Set(originals.map(ConfigKey.init)) else {
      return choice
    }

    let list = configs.map { text(of: $0, in: state) }.joined(separator: ", ")
    let what = "let the autotuner choose among \(configs.count) configs: \(list)"
    var why = warps ?? "num_warps stays as it is: nothing suggests a change"
    if !stagesMatter {
      why += "; num_stages stays as it is: no loop can be pipelined, so it changes nothing"
    }
    let before = reference.flatMap { cost?.perConfig[ConfigKey($0)]?.microseconds }
    let after = configs.compactMap { microseconds[ConfigKey($0)] }.min()
    var basis = Trial.Basis.nothing
    if let before, let after {
      if before / after >= threshold {
        basis = .prediction
      } else if policy.asksForConfigs {
        basis = .stage
        why +=
          "; \(belowThreshold(before, after)), but the stage asks for a list of configs, the original "
          + "among them, and Triton's autotuner measures it"
      } else {
        let reason = belowThreshold(before, after) + ", and the stage asks for no list of configs"
        trials.append(
          Trial(
            rewrite: "tune-configs", kernel: kernel, what: what, why: why,
            outcome: .reverted(reason), microsecondsBefore: before, microsecondsAfter: after,
            location: launches.first.map { state.source.location(at: $0.callRange.lower) }))
        return choice
      }
    }
    do throws(Diagnostic) {
      let rewritten = try TuneConfigs.apply(
        kernel: kernel, configs: configs, to: state.subject)
      let next = try ModuleState(rewritten, after: state, inputs: inputs)
      trials.append(
        Trial(
          rewrite: "tune-configs", kernel: kernel, what: what, why: why, outcome: .accepted,
          basis: basis, microsecondsBefore: before, microsecondsAfter: after,
          location: launches.first.map { state.source.location(at: $0.callRange.lower) }))
      choice.state = next
      choice.configs = configs
    } catch {
      note(what, .refused(error), state, why: why)
    }
    return choice
  }

  /// The config that stands for the original: the profiled one, else the fastest by the model.
  func referenceConfig(_ originals: [LaunchConfig], _ cost: SetCost?) -> LaunchConfig? {
    let profiled = profiledConfigs.filter(originals.indices.contains).map { originals[$0] }
    let candidates = profiled.isEmpty ? originals : profiled
    guard let cost else { return candidates.first }
    return candidates.min {
      let left = cost.perConfig[ConfigKey($0)]?.microseconds ?? .infinity
      let right = cost.perConfig[ConfigKey($1)]?.microseconds ?? .infinity
      return left < right
    }
  }

  /// Why `num_warps` may move, or nil if the policy asks for a reason and there is none.
  ///
  /// "Only if occupancy suggests it" is read as: few warps are active, or registers or shared
  /// memory bound them, so that another CTA size packs a multiprocessor differently.
  func warpsReason(_ analyses: [KernelAnalysis]) -> String? {
    let rule = policy.source(of: .changeOnlyIf)
    let asksForReason =
      if case .changeOnlyIf(.numWarps, _)? = rule?.kind { true } else { false }
    if let measured = profile?[NsightMetric.warpsActive] {
      let percent = (measured * 10).rounded() / 10
      if measured < Self.lowOccupancy * 100 {
        return "the profile shows \(percent) % of the warps active (measured): CTAs of another "
          + "size may fill the multiprocessors better"
      }
      return "the profile shows \(percent) % of the warps active (measured): occupancy does not "
        + "speak against other CTA sizes, and the autotuner compares them"
    }
    if let analysis = analyses.min(by: { $0.cost.occupancy.fraction < $1.cost.occupancy.fraction })
    {
      let percent = (analysis.cost.occupancy.fraction * 100).rounded()
      if analysis.cost.occupancy.fraction < Self.lowOccupancy
        || analysis.isOccupancyBoundByResources
      {
        return "\(percent) % of the warps fit (predicted), limited by "
          + "\(analysis.cost.occupancy.limiter.rawValue): CTAs of another size may fit better"
      }
      if asksForReason {
        // Full occupancy at several CTA sizes: the choice among them is free of occupancy.
        return "occupancy stays at \(percent) % (predicted) with other CTA sizes: measuring decides"
      }
    }
    return asksForReason ? nil : "the stage allows other values"
  }

  private mutating func note(
    _ what: String, _ outcome: Trial.Outcome, _ state: ModuleState, why: String = ""
  ) {
    trials.append(
      Trial(
        rewrite: "tune-configs", kernel: kernel, what: what, why: why, outcome: outcome,
        location: state.triton.function(named: kernel).map {
          state.source.location(at: $0.definition.nameRange.lower)
        }))
  }
}

extension KernelAnalysis {
  var isOccupancyBoundByResources: Bool {
    cost.occupancy.limiter == .registers || cost.occupancy.limiter == .sharedMemory
  }

  /// Whether `num_stages` changes the compiled code of some loop.
  var hasPipelinableLoop: Bool { loops.contains { !$0.numStagesIsDead } }
}

extension LaunchConfig {
  /// "32/64/32 w4 s2": BLOCK sizes in the given order of names, warps, stages.
  public func knobText(order: [String]) -> String {
    let blocks = constants.sorted {
      let (left, right) = (order.firstIndex(of: $0.key), order.firstIndex(of: $1.key))
      return (left ?? .max, $0.key) < (right ?? .max, $1.key)
    }.compactMap { entry -> String? in
      if case .int(let value) = entry.value { "\(value)" } else { nil }
    }
    let prefix = blocks.isEmpty ? "" : blocks.joined(separator: "/") + " "
    return prefix + "w\(numWarps) s\(numStages)"
  }
}
