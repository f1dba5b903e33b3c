import Diagnostics

/// Folds the rules of a section over a stage's built-in policy, and reports contradictions.
enum PolicyBuilder {
  static func build(_ stage: Stage, rules: [StageRule], advice: [Advice]) -> StagePolicy {
    let isFused = says("fus", rules, advice)
    var policy = StagePolicy.builtIn(stage, isFused: isFused)
    policy.rules = rules
    policy.advice = advice
    forgetWhatTheSectionStates(&policy, rules)
    for rule in rules { apply(rule, to: &policy) }
    for rule in rules { applyBound(rule, to: &policy) }
    restrictToStatedParts(&policy, rules)
    policy.diagnostics = contradictions(rules, policy)
    return policy
  }

  private static func says(_ word: String, _ rules: [StageRule], _ advice: [Advice]) -> Bool {
    rules.contains { $0.text.lowercased().contains(word) }
      || advice.contains { $0.text.lowercased().contains(word) }
  }

  /// Where a section states rules of its own kind, the built-in ones of that kind do not hold.
  private static func forgetWhatTheSectionStates(_ policy: inout StagePolicy, _ rules: [StageRule])
  {
    let names = Set(rules.map(\.kind.name))
    let isSpecific = !names.subtracting([.focus, .stageTitle]).isEmpty
    if isSpecific {
      policy.conditionals = []
      policy.baseline = nil
      if names.contains(.baseline), !names.contains(.includeOriginal) {
        policy.includesOriginal = false
      }
    }
    if names.contains(.blockCandidates) { policy.blockCandidates = [] }
    if names.contains(.blockMultiple) { policy.blockMultiples = [] }
    if names.contains(.metric) { policy.metrics = [] }
    if names.contains(.allowedWarps) { policy.numWarps = KnobPolicy(mayChange: true) }
    if names.contains(.allowedStages) { policy.numStages = KnobPolicy(mayChange: true) }
    if names.contains(.revert) {
      policy.revertBelowPercent = nil
      policy.revertsIfUnstable = false
    }
    if names.contains(.configCount) { policy.configCount = nil }
  }

  private static func permit(_ part: Part, _ policy: inout StagePolicy) {
    policy.mayChange.insert(part)
    if part == .numWarps { policy.numWarps.mayChange = true }
    if part == .numStages { policy.numStages.mayChange = true }
  }

  /// Narrows the values of a knob, once all lists of values are known.
  private static func applyBound(_ rule: StageRule, to policy: inout StagePolicy) {
    guard case .knobBound(let knob, let bound) = rule.kind else { return }
    let all = knob == .numWarps ? [1, 2, 4, 8, 16, 32] : Array(1...8)
    policy[knob].allowed = (policy[knob].allowed ?? all).filter { bound.holds(for: Double($0)) }
  }

  /// "Only X may be changed", "everything else is fixed".
  private static func restrictToStatedParts(_ policy: inout StagePolicy, _ rules: [StageRule]) {
    guard rules.contains(where: { $0.kind.name == .othersFixed }) else { return }
    let stated = rules.reduce(into: Set<Part>()) { parts, rule in
      switch rule.kind {
      case .mayChange(let part), .changeOnlyIf(let part, _): parts.insert(part)
      case .allowedValues(let knob, _), .maxStep(let knob, _), .knobBound(let knob, _):
        parts.insert(Part(knob))
      default: break
      }
    }
    for part in stated { permit(part, &policy) }
    policy.mayChange.formIntersection(stated)
    policy.numWarps.mayChange = policy.allows(.numWarps)
    policy.numStages.mayChange = policy.allows(.numStages)
  }

  private static func apply(_ rule: StageRule, to policy: inout StagePolicy) {
    switch rule.kind {
    case .stageTitle(let title):
      if policy.focus.isEmpty { policy.focus = title }
    case .focus(let text): policy.focus = text
    case .allowedValues(let knob, let values):
      permit(Part(knob), &policy)
      policy[knob].allowed = values
    case .maxStep(let knob, let step):
      permit(Part(knob), &policy)
      policy[knob].maxStep = step
    case .startAt(let knob, let value):
      policy[knob].startAt = value
    case .fixed(let part):
      policy.mayChange.remove(part)
      if part == .numWarps { policy.numWarps.mayChange = false }
      if part == .numStages { policy.numStages.mayChange = false }
    case .mayChange(let part): permit(part, &policy)
    case .changeOnlyIf(let part, let condition):
      permit(part, &policy)
      policy.conditionals.append(
        ConditionalRule(condition: condition, effects: [.allowChange(part)], text: rule.text))
    case .configCount(let least, let most):
      guard least <= most, most >= 1 else { break }
      let new = max(1, least)...most
      if let old = policy.configCount, old.overlaps(new) {
        policy.configCount = old.clamped(to: new)
      } else {
        policy.configCount = new
      }
    case .includeOriginal: policy.includesOriginal = true
    case .includeFallback: break
    case .baseline(let values): policy.baseline = values
    case .revert(let percent, let ifUnstable):
      if let percent {
        policy.revertBelowPercent =
          policy.revertBelowPercent.map {
            PercentRange(min($0.lower, percent.lower), max($0.upper, percent.upper))
          } ?? percent
      }
      if ifUnstable { policy.revertsIfUnstable = true }
    case .metric(let target): policy.metrics.append(target)
    case .blockCandidates(let candidates): policy.blockCandidates.append(candidates)
    case .blocksPowersOfTwo: policy.blocksArePowersOfTwo = true
    case .blockMultiple(let multiple): policy.blockMultiples.append(multiple)
    case .halveTilesAbove(let registers): policy.halveTilesAboveRegisters = registers
    case .maxGridRank(let rank): policy.maxGridRank = min(rank, 3)
    case .tuneOneGroupOnly:
      for part in [Part.blockSizes, .numWarps, .numStages] { permit(part, &policy) }
    case .singleStorePerOutput, .noIntermediateStores: policy.isSingleStorePerOutput = true
    case .conditional(let conditional): policy.conditionals.append(conditional)
    case .knobBound, .othersFixed, .gridForm, .gridRankIsStatic, .gridMatchesProgramIDs,
      .autotuneOnKernelOnly,
      .gridIsLambdaIfBlocksTuned,
      .blocksDefinedOnce, .sharedOffsetsAndMask:
      break
    }
  }

  // MARK: - Contradictions

  private static func contradictions(_ rules: [StageRule], _ policy: StagePolicy) -> [Diagnostic] {
    var found: [Diagnostic] = []
    // Sections of people have some tens of rules; the bound keeps odd input from taking long.
    for (index, rule) in rules.prefix(400).enumerated() {
      if let problem = alone(rule) { found.append(error(problem, at: rule, against: nil)) }
      for earlier in rules[..<index] {
        guard let problem = between(earlier.kind, rule.kind) else { continue }
        let isKnown = found.contains {  // one line can give several rules of one kind
          $0.range == rule.range && $0.message.hasSuffix(mention(of: earlier))
        }
        if !isKnown { found.append(error(problem, at: rule, against: earlier)) }
        break
      }
    }
    return found
  }

  private static func error(_ message: String, at rule: StageRule, against: StageRule?)
    -> Diagnostic
  {
    Diagnostic(
      id: "contradictory-rules", message + (against.map(mention) ?? ""), source: rule.source,
      range: rule.range,
      nextStep: against == nil ? "correct the rule" : "keep one of the two rules")
  }

  private static func mention(of rule: StageRule) -> String {
    let line = rule.source.location(at: rule.range.lower).line
    return " (line \(line): '\(rule.text.prefix(80))')"
  }

  /// A rule that no result can obey.
  private static func alone(_ rule: StageRule) -> String? {
    switch rule.kind {
    case .allowedValues(let knob, let values):
      if values.isEmpty { return "no value of \(knob.rawValue) is allowed" }
      if let bad = values.first(where: { $0 < 1 }) { return "\(knob.rawValue) cannot be \(bad)" }
      if knob == .numWarps, let bad = values.first(where: { $0.nonzeroBitCount != 1 || $0 > 32 }) {
        return "num_warps cannot be \(bad): it is a power of two up to 32"
      }
      return nil
    case .configCount(let least, let most):
      if least > most { return "\(least)–\(most) configs is an empty range" }
      return most < 1 ? "a kernel has at least one config" : nil
    case .knobBound(let knob, let bound):
      let isPossible = (1...32).contains { bound.holds(for: Double($0)) }
      return isPossible ? nil : "no value of \(knob.rawValue) is allowed"
    case .blockCandidates(let candidates):
      return candidates.values.isEmpty ? "no value of \(candidates.pattern) is allowed" : nil
    default: return nil
    }
  }

  private static func between(_ first: StageRule.Kind, _ second: StageRule.Kind) -> String? {
    switch (first, second) {
    case (.allowedValues(let a, let x), .allowedValues(let b, let y)):
      a == b && Set(x) != Set(y) ? "\(a.rawValue) is given two different sets of values" : nil
    case (.fixed(let part), let other), (let other, .fixed(let part)):
      changes(other, part) ? "\(part.rawValue) is both fixed and allowed to change" : nil
    case (.configCount(let a, let b), .configCount(let c, let d)):
      max(a, c) > min(b, d) ? "two different numbers of configs are asked for" : nil
    case (.allowedValues(let knob, let values), .baseline(let baseline)),
      (.baseline(let baseline), .allowedValues(let knob, let values)):
      baseline[knob].flatMap {
        values.contains($0)
          ? nil : "the baseline's \(knob.rawValue)=\($0) is not among the allowed values"
      }
    case (.allowedValues(let a, let values), .knobBound(let b, let bound)),
      (.knobBound(let b, let bound), .allowedValues(let a, let values)):
      a == b && !values.contains { bound.holds(for: Double($0)) }
        ? "no value of \(a.rawValue) satisfies both rules" : nil
    case (.maxStep(let a, let x), .maxStep(let b, let y)):
      a == b && x != y ? "\(a.rawValue) is given two different steps" : nil
    default: nil
    }
  }

  /// Whether a rule lets a part change.
  private static func changes(_ kind: StageRule.Kind, _ part: Part) -> Bool {
    switch kind {
    case .mayChange(let other), .changeOnlyIf(let other, _): other == part
    case .allowedValues(let knob, let values): Part(knob) == part && values.count > 1
    case .maxStep(let knob, let step): Part(knob) == part && step > 0
    case .blockCandidates: part == .blockSizes
    case .tuneOneGroupOnly: [.blockSizes, .numWarps, .numStages].contains(part)
    default: false
    }
  }
}
