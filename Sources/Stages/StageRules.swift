import Diagnostics
import PythonSyntax

/// A rule that a candidate breaks.
public struct RuleViolation: Sendable {
  /// Kebab-case: `grid-changed`.
  public var id: String
  public var severity: Diagnostic.Severity
  public var message: String
  /// Where in the candidate.
  public var source: SourceText
  public var range: SourceRange
  /// The request's rule, if the rule came from there.
  public var rule: StageRule?

  /// As a diagnostic; the next step quotes the rule.
  public var diagnostic: Diagnostic {
    Diagnostic(
      id: id, severity: severity, message, source: source, range: range,
      nextStep: rule.map { "the rule is at \($0.place): '\($0.text.prefix(100))'" })
  }
}

/// Checks of a stage's rules on the emitted text.
public enum StageRules {
  /// The functions with a `jit` decorator, in source order.
  public static func kernels(in tree: ModuleTree) -> [FunctionDef] {
    tree.functions.filter(isKernel)
  }

  /// Whether a decorator of the function is `jit`: `@triton.jit`, `@jit`, `@triton.jit(…)`.
  public static func isKernel(_ function: FunctionDef) -> Bool {
    function.decorators.contains { decorator in
      switch decorator.kind {
      case .name(let name): name == "jit"
      case .attribute(_, let name, _): name == "jit"
      case .call(let callee, _, _):
        switch callee.kind {
        case .name(let name): name == "jit"
        case .attribute(_, let name, _): name == "jit"
        default: false
        }
      default: false
      }
    }
  }

  /// Every rule of the policy that the candidate's text breaks, against the original's text.
  ///
  /// - Parameters:
  ///   - requiredConfigs: by kernel, the config that must stay (the profiled one), where the policy
  ///     asks for the original; without one, any of the original's configs will do.
  public static func check(
    candidate: ModuleTree, original: ModuleTree, policy: StagePolicy,
    requiredConfigs: [String: KernelConfig] = [:]
  ) -> [RuleViolation] {
    var checker = RuleChecker(
      candidate: ModuleShape(candidate), original: ModuleShape(original), policy: policy,
      required: requiredConfigs)
    return checker.check()
  }
}

/// Compares two modules under a policy.
private struct RuleChecker {
  let candidate: ModuleShape
  let original: ModuleShape
  let policy: StagePolicy
  let required: [String: KernelConfig]
  private var found: [RuleViolation] = []

  init(
    candidate: ModuleShape, original: ModuleShape, policy: StagePolicy,
    required: [String: KernelConfig]
  ) {
    self.candidate = candidate
    self.original = original
    self.policy = policy
    self.required = required
  }

  private mutating func report(
    _ id: String, _ message: String, at range: SourceRange, rule: StageRule.Kind.Name? = nil,
    severity: Diagnostic.Severity = .error
  ) {
    found.append(
      RuleViolation(
        id: id, severity: severity, message: message, source: candidate.tree.source, range: range,
        rule: rule.flatMap { policy.source(of: $0) }))
  }

  mutating func check() -> [RuleViolation] {
    for violation in PublicNames.check(candidate: candidate.tree, original: original.tree) {
      report(violation.id, violation.message, at: violation.range)
    }
    checkAutotunePlacement()
    for kernel in candidate.kernels {
      guard let before = original[kernel: kernel.name] else {
        if !policy.allows(.accessPatterns) {
          report(
            "kernel-added", "kernel '\(kernel.name)' is not in the original",
            at: kernel.function.nameRange, severity: .warning)
        }
        continue
      }
      checkGrid(kernel, before)
      checkBody(kernel, before)
      checkConfigs(kernel, before)
      checkBlocksOnce(kernel)
      if kernel.configs?.count ?? 2 > 1 {
        for name in TuningSafety.removed(kernel.function, from: before.function) {
          report(
            "restored-argument-removed",
            "the original restores '\(name)' of '\(kernel.name)' around the trial runs of its configs",
            at: kernel.configRange)
        }
      }
      if policy.isSingleStorePerOutput, kernel.stores > before.stores {
        report(
          "store-added",
          "kernel '\(kernel.name)' has \(kernel.stores) stores; the original has \(before.stores)",
          at: kernel.function.nameRange, rule: .noIntermediateStores, severity: .warning)
      }
    }
    return found.sorted { ($0.range.lower, $0.id) < ($1.range.lower, $1.id) }
  }

  // MARK: - Grid

  private mutating func checkGrid(_ kernel: KernelShape, _ before: KernelShape) {
    let known = Set(before.launches.map(\.grid))
    for launch in kernel.launches {
      if !policy.allows(.grid), !known.contains(launch.grid) {
        report(
          "grid-changed", "the grid of '\(kernel.name)' differs from the original's",
          at: launch.gridRange, rule: .fixedGrid)
      }
      if let rank = launch.gridRank, rank > policy.maxGridRank {
        report(
          "grid-rank",
          "the grid of '\(kernel.name)' has \(rank) axes; at most \(policy.maxGridRank) are allowed",
          at: launch.gridRange, rule: .maxGridRank)
      }
      if kernel.isAutotuned, !launch.isGridLambda, launch.gridRank != nil, blocksVary(kernel),
        before.launches.contains(where: \.isGridLambda) || !before.isAutotuned
      {
        report(
          "grid-not-lambda",
          "BLOCK sizes of '\(kernel.name)' are tuned, so its grid must be a function of the config",
          at: launch.gridRange, rule: .gridIsLambdaIfBlocksTuned)
      }
    }
    if !policy.allows(.grid), kernel.launches.count < before.launches.count {
      report(
        "launch-removed",
        "kernel '\(kernel.name)' is launched \(kernel.launches.count) times in the text; the original launches it \(before.launches.count) times",
        at: kernel.function.nameRange, rule: .fixedGrid)
    }
    if !policy.allows(.programMapping), kernel.programIDs != before.programIDs {
      report(
        "mapping-changed",
        "kernel '\(kernel.name)' reads other program ids (\(kernel.programIDs.joined(separator: ", "))) than the original (\(before.programIDs.joined(separator: ", ")))",
        at: kernel.function.nameRange, rule: .fixedMapping)
    }
  }

  private mutating func checkBody(_ kernel: KernelShape, _ before: KernelShape) {
    guard !policy.allows(.body) else { return }
    func text(_ kernel: KernelShape, _ tree: ModuleTree) -> [String] {
      kernel.function.body.map { CanonicalText.of($0.fullRange, in: tree) }
    }
    guard text(kernel, candidate.tree) != text(before, original.tree) else { return }
    report(
      "body-changed", "the body of '\(kernel.name)' differs from the original's",
      at: kernel.function.nameRange, rule: .fixedBody)
  }

  private func blocksVary(_ kernel: KernelShape) -> Bool {
    guard let configs = kernel.configs, let first = configs.first else { return false }
    return configs.contains { $0.parameters != first.parameters }
  }

  // MARK: - Configs

  private mutating func checkConfigs(_ kernel: KernelShape, _ before: KernelShape) {
    guard let configs = kernel.configs else {
      if before.configs != nil {
        report(
          "configs-unreadable",
          "the configs of '\(kernel.name)' cannot be read without running the module",
          at: kernel.configRange)
      }
      return
    }
    guard let originals = before.configs else { return }  // nothing to compare with
    let isUnchanged =
      configs.count == originals.count && zip(configs, originals).allSatisfy { $0.isSame(as: $1) }
    guard !isUnchanged, !configs.isEmpty else { return }
    let names = before.blockNames
    for config in configs {
      checkBlocks(config, kernel, originals, names)
      for knob in Knob.allCases { check(knob, config, kernel, originals, names) }
    }
    if kernel.isAutotuned { checkList(configs, kernel, originals) }
  }

  private func blocks(_ config: KernelConfig, _ names: Set<String>) -> [String: ConfigValue] {
    config.parameters.filter { names.contains($0.key) }
  }

  private mutating func checkBlocks(
    _ config: KernelConfig, _ kernel: KernelShape, _ originals: [KernelConfig], _ names: Set<String>
  ) {
    let own = blocks(config, names)
    let isOriginal = originals.contains { blocks($0, names) == own }
    if !policy.allows(.blockSizes) {
      if !isOriginal {
        report(
          "block-sizes-changed",
          "no original config of '\(kernel.name)' has \(Self.list(own))",
          at: config.range, rule: .fixedBlocks)
      }
      for name in config.parameters.keys.sorted() where !names.contains(name) && kernel.isAutotuned
      {
        report(
          "config-parameter-added",
          "the original's configs of '\(kernel.name)' do not set '\(name)'", at: config.range,
          rule: .fixedBlocks)
      }
      return
    }
    guard !isOriginal else { return }
    for (name, value) in own.sorted(by: { $0.key < $1.key }) {
      guard let size = value.int else { continue }
      if originals.contains(where: { $0.parameters[name] == value }) { continue }
      if policy.blocksArePowersOfTwo, size < 1 || size.nonzeroBitCount != 1 {
        report(
          "block-not-power-of-two", "\(name)=\(size) is not a power of two", at: config.range,
          rule: .blocksPowersOfTwo)
      }
      let candidates = policy.blockCandidates.filter { Self.matches(name, $0.pattern) }
      if !candidates.isEmpty, !candidates.contains(where: { $0.values.contains(size) }) {
        let allowed = Set(candidates.flatMap(\.values)).sorted().map(String.init)
        report(
          "block-not-candidate",
          "\(name)=\(size) is not among the stage's candidates (\(allowed.joined(separator: ", ")))",
          at: config.range, rule: .blockCandidates, severity: .warning)
      }
      for multiple in policy.blockMultiples
      where Self.matches(name, multiple.pattern) && multiple.multiple > 0
        && size % multiple.multiple != 0
      {
        report(
          "block-not-multiple", "\(name)=\(size) is not a multiple of \(multiple.multiple)",
          at: config.range, rule: .blockMultiple, severity: .warning)
      }
    }
  }

  /// Whether a parameter's name is meant by a pattern: `BLOCK_M`, `BLOCK_*`, `BLOCK_SIZE`.
  private static func matches(_ name: String, _ pattern: String) -> Bool {
    let name = name.uppercased()
    if pattern == "BLOCK_*" { return name.hasPrefix("BLOCK") }
    if pattern == "BLOCK_SIZE" { return name == "BLOCK_SIZE" || name == "BLOCK" }
    return name == pattern || name == pattern.replacing("BLOCK_", with: "BLOCK_SIZE_")
  }

  private static func list(_ values: [String: ConfigValue]) -> String {
    let text = values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return text.isEmpty ? "no BLOCK sizes" : text.joined(separator: " ")
  }

  private mutating func check(
    _ knob: Knob, _ config: KernelConfig, _ kernel: KernelShape, _ originals: [KernelConfig],
    _ names: Set<String>
  ) {
    let value = config[knob]
    let own = blocks(config, names)
    let siblings = originals.filter { blocks($0, names) == own }
    // New BLOCK sizes have no original of their own: any original config will do.
    let neighbours = siblings.isEmpty ? originals : siblings
    if neighbours.contains(where: { $0[knob] == value }) { return }
    let isWarps = knob == .numWarps
    guard policy.allows(Part(knob)), policy[knob].mayChange else {
      report(
        "\(Self.kebab(knob))-changed",
        "\(knob.rawValue)=\(value) is not the original's, and this stage does not change \(knob.rawValue)",
        at: config.range, rule: isWarps ? .fixedWarps : .fixedStages)
      return
    }
    guard let number = value.int else {
      report(
        "\(Self.kebab(knob))-unreadable", "\(knob.rawValue)=\(value) is not a constant",
        at: config.range)
      return
    }
    if knob == .numWarps, number < 1 || number > 32 || number.nonzeroBitCount != 1 {
      report(
        "num-warps-invalid", "num_warps=\(number) is not a power of two up to 32", at: config.range)
      return
    }
    if let allowed = policy[knob].allowed, !allowed.contains(number) {
      let list = allowed.map(String.init).joined(separator: ", ")
      report(
        "\(Self.kebab(knob))-not-allowed",
        "\(knob.rawValue)=\(number) is neither the original's nor among \(list)", at: config.range,
        rule: isWarps ? .allowedWarps : .allowedStages)
    }
    if let step = policy[knob].maxStep {
      let near = neighbours.compactMap { $0[knob].int }
      if !near.isEmpty, !near.contains(where: { abs($0 - number) <= step }) {
        let list = Set(near).sorted().map(String.init).joined(separator: ", ")
        report(
          "\(Self.kebab(knob))-step",
          "\(knob.rawValue)=\(number) is more than \(step) away from the original's (\(list)) for \(Self.list(own))",
          at: config.range, rule: isWarps ? .stepWarps : .stepStages)
      }
    }
  }

  private static func kebab(_ knob: Knob) -> String { knob.rawValue.replacing("_", with: "-") }

  private mutating func checkList(
    _ configs: [KernelConfig], _ kernel: KernelShape, _ originals: [KernelConfig]
  ) {
    if let count = policy.configCount, !count.contains(configs.count) {
      let wanted =
        count.lowerBound == count.upperBound
        ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
      report(
        "config-count", "'\(kernel.name)' has \(configs.count) configs; \(wanted) are allowed",
        at: kernel.configRange, rule: .configCount)
    }
    if policy.includesOriginal {
      if let needed = required[kernel.name] {
        if !configs.contains(where: { $0.isSame(as: needed) }) {
          report(
            "original-config-missing",
            "the original config of '\(kernel.name)' is missing: \(needed.summary)",
            at: kernel.configRange, rule: .includeOriginal)
        }
      } else if !configs.contains(where: { own in originals.contains { $0.isSame(as: own) } }) {
        // Knobs that the original computes at run time cannot be compared by text.
        let isComputed = originals.contains { original in
          Knob.allCases.contains { original[$0].int == nil }
        }
        report(
          "original-config-missing", "none of the original configs of '\(kernel.name)' is kept",
          at: kernel.configRange, rule: .includeOriginal,
          severity: isComputed ? .warning : .error)
      }
    }
    if let baseline = policy.baseline,
      !configs.contains(where: { config in baseline.allSatisfy { config[$0.key] == .int($0.value) }
      })
    {
      let text = baseline.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.key.rawValue)=\($0.value)" }.joined(separator: " ")
      report(
        "baseline-missing", "'\(kernel.name)' has no config with \(text)", at: kernel.configRange,
        rule: .baseline)
    }
    for (index, config) in configs.enumerated()
    where configs[..<index].contains(where: { $0.isSame(as: config) }) {
      report(
        "config-twice", "this config of '\(kernel.name)' comes twice", at: config.range,
        severity: .warning)
    }
    if policy.rules.contains(where: { $0.kind == .tuneOneGroupOnly }), let first = configs.first,
      blocksVary(kernel),
      configs.contains(where: { config in Knob.allCases.contains { config[$0] != first[$0] } })
    {
      report(
        "two-groups-tuned",
        "the configs of '\(kernel.name)' vary both BLOCK sizes and launch parameters",
        at: kernel.configRange, rule: .tuneOneGroupOnly)
    }
  }

  /// A parameter that configs set must not be given at the launch too: Triton refuses it.
  private mutating func checkBlocksOnce(_ kernel: KernelShape) {
    for launch in kernel.launches {
      for name in launch.arguments.keys.sorted() where kernel.tunedNames.contains(name) {
        report(
          "block-given-twice",
          "'\(name)' is set by the configs of '\(kernel.name)' and at its launch",
          at: launch.range, rule: .blocksDefinedOnce)
      }
    }
  }

  // MARK: - Autotune

  private mutating func checkAutotunePlacement() {
    for function in candidate.tree.functions
    where AutotuneDecorator.isOn(function) && !StageRules.isKernel(function) {
      report(
        "autotune-on-wrapper", "'\(function.name)' is autotuned but is not a kernel",
        at: function.nameRange, rule: .autotuneOnKernelOnly)
    }
  }
}
