import Analysis
import Diagnostics
import HostProgram
import Rewrites
import Stages
import TritonLowering

/// The measured search on one kernel of a module.
struct KernelSearch {
  var tuner: KernelTuner
  var start: MeasuredSearch.Variant
  private var kernel: String { tuner.kernel }
  private var originals: [LaunchConfig] = []
  /// What was measured of configs on the body in hand.
  private var ratios: [ConfigKey: Double] = [:]

  /// The most bodies tried at once, first and when the best is built upon, by how much budget there
  /// is; and how often that is.
  private static func bodyLimit(_ round: Int, _ budget: Double) -> Int {
    budget < ampleBudget ? (round == 0 ? 7 : 4) : 12
  }
  /// Bodies may take so much of a kernel's time.
  private static let bodyShare = 0.6
  /// Seconds from which a search need not be choosy: some forty trials at two to three seconds.
  private static let ampleBudget = 100.0
  private static let rounds = 3
  /// Block shapes whose warps and stages are tried.
  private static let shapesForWarps = 3
  private static let shapesForStages = 2
  private static let shapeLimit = 6
  /// A shape this much slower than the best is not tuned further.
  private static let hopeless = 1.6

  init(tuner: KernelTuner, start: MeasuredSearch.Variant) {
    self.tuner = tuner
    self.start = start
  }

  /// The configs of the kernel in a state.
  func configs(of state: ModuleState) -> [LaunchConfig] { tuner.originals(in: state) }

  private var mayTryKnobs: Bool {
    (tuner.policy.allows(.numWarps) || tuner.policy.allows(.numStages)) && !originals.isEmpty
  }

  private func isAutotuned(_ state: ModuleState) -> Bool {
    ModuleShape(state.tree)[kernel: kernel]?.isAutotuned ?? false
  }

  /// Everything that could be printed for this kernel, measured.
  mutating func run(_ search: inout MeasuredSearch) async throws -> [MeasuredSearch.Variant] {
    originals = tuner.originals(in: start.state)
    let stored = try await storedWinner(&search)
    if let winner = stored.first, isConfirmed(winner, search) { return stored }
    let anchor = try await anchor(&search)
    // Configs are tried on the best body, and need time of their own.
    let ceiling = search.ceiling
    if mayTryKnobs {
      search.ceiling = search.spent + search.exploringLeft * Self.bodyShare
    }
    let body = try await bestBody(&search, anchor)
    search.ceiling = ceiling
    let pool = try await knobs(&search, body, anchor)
    return try await stored + emissions(&search, body, pool)
  }

  // MARK: Winners of earlier runs

  /// The stored winner, made again and measured like anything else; empty where there is none.
  private mutating func storedWinner(_ search: inout MeasuredSearch) async throws
    -> [MeasuredSearch.Variant]
  {
    guard let winner = tuner.stored else { return [] }
    let state: ModuleState
    do throws(Diagnostic) {
      state = tuner.protectTuning(
        try WinnerReplay(kernel: kernel, inputs: tuner.inputs).replay(winner, on: start.state))
    } catch {
      var note = error
      note.severity = .warning
      note.message = "the stored winner of '\(kernel)' is not used: \(error.message)"
      search.notes.append(note)
      return []
    }
    guard state.applied.count > start.state.applied.count else { return [] }
    let label = "\(kernel) from the store of winners (\(winner.date.prefix(10)))"
    return try await search.measure(
      [(state, label, nil)], of: kernel, .emission, effort: .normal)
  }

  /// Whether a stored winner does here what it did then: the search for a better one is spared.
  private func isConfirmed(_ variant: MeasuredSearch.Variant, _ search: MeasuredSearch) -> Bool {
    guard let then = tuner.stored?.lower, search.emission == .list else { return false }
    return variant.ratio > search.runner.rule.threshold
      && variant.ratio >= start.ratio * then * Self.confirmedShare
  }

  /// How near to the lower end of its old interval a stored winner has to come.
  private static let confirmedShare = 0.98

  // MARK: Configs

  /// The state with the kernel held to one config.
  private func pinned(_ state: ModuleState, to config: LaunchConfig) throws(Diagnostic)
    -> ModuleState
  {
    if isAutotuned(state) {
      let rewritten = try TuneConfigs.apply(kernel: kernel, configs: [config], to: state.subject)
      return try ModuleState(rewritten, after: state, inputs: tuner.inputs)
    }
    let now = tuner.originals(in: state)
    if now.count == 1, now.first.map(ConfigKey.init) == ConfigKey(config) { return state }
    let knobs = SetLaunchKnobs(numWarps: config.numWarps, numStages: config.numStages)
    guard let site = knobs.sites(in: state.subject).first(where: { $0.kernel == kernel }) else {
      throw Diagnostic(id: "no-launch", "no launch of '\(kernel)' can be changed")
    }
    return try ModuleState(
      try knobs.apply(site, to: state.subject), after: state, inputs: tuner.inputs)
  }

  /// The config under which bodies are compared: the fastest original, as measured where there are
  /// several.
  private mutating func anchor(_ search: inout MeasuredSearch) async throws -> LaunchConfig? {
    guard originals.count > 1 else { return originals.first }
    // Predictions only order what is measured: without them the given order stands.
    let cost = try? tuner.evaluate(originals, in: start.state)
    let reference = tuner.referenceConfig(originals, cost)
    let ranked = originals.enumerated().sorted { left, right in
      let a = cost?.perConfig[ConfigKey(left.element)]?.microseconds ?? .infinity
      let b = cost?.perConfig[ConfigKey(right.element)]?.microseconds ?? .infinity
      return (a, left.offset) < (b, right.offset)
    }.map(\.element)
    var tried: [LaunchConfig] = []
    let analyses = cost?.perConfig.values.flatMap(\.analyses) ?? []
    let stagesMatter = cost == nil || analyses.contains { $0.hasPipelinableLoop }
    func key(_ config: LaunchConfig) -> ConfigKey {
      var config = config
      if !stagesMatter { config.numStages = 0 }
      return ConfigKey(config)
    }
    for config in [reference].compactMap(\.self) + ranked
    where tried.count < Self.shapeLimit && !tried.contains(where: { key($0) == key(config) }) {
      tried.append(config)
    }
    let found = try await measure(&search, tried, on: start.state, phase: .knobs)
    return found.max { $0.ratio < $1.ratio }?.config ?? reference ?? originals.first
  }

  private mutating func measure(
    _ search: inout MeasuredSearch, _ configs: [LaunchConfig], on state: ModuleState,
    phase: TrialPhase, effort: TimingEffort = .quick
  ) async throws -> [(config: LaunchConfig, ratio: Double)] {
    var items: [(state: ModuleState, label: String, config: String?)] = []
    var byText: [String: LaunchConfig] = [:]
    for config in configs {
      let one: ModuleState
      do throws(Diagnostic) {
        one = try pinned(state, to: config)
      } catch {
        search.leftOut("\(kernel) at \(tuner.text(of: config, in: state))", error)
        continue
      }
      let text = tuner.text(of: config, in: state)
      byText[search.candidate(one, label: "", nil).hash.hex] = config
      items.append((one, "\(kernel) at \(text)", text))
    }
    return try await search.measure(items, of: kernel, phase, effort: effort).compactMap {
      variant in
      guard let hash = variant.record?.hash, let config = byText[hash] else { return nil }
      return (config, variant.ratio)
    }
  }

  // MARK: Bodies

  /// A body with the ratio it had under the anchor.
  struct Body {
    var state: ModuleState
    var ratio: Double
  }

  private mutating func bestBody(_ search: inout MeasuredSearch, _ anchor: LaunchConfig?)
    async throws -> Body
  {
    // A body that cannot be held to the anchor is compared with the configs that it has.
    func hold(_ state: ModuleState) -> ModuleState {
      anchor.flatMap { try? pinned(state, to: $0) } ?? state
    }
    let text = anchor.map { tuner.text(of: $0, in: start.state) }
    let first = try await search.measure(
      [(hold(start.state), "\(kernel) as it is", text)], of: kernel, .body)
    var best = Body(state: start.state, ratio: first.first?.ratio ?? start.ratio)
    guard tuner.policy.allows(.body) else { return best }
    for round in 0..<Self.rounds {
      guard !search.isExhausted(MeasuredSearch.exploringShare) else { break }
      var bodies = neighbours(of: best.state)
      if round == 0 { bodies = predicted() + bodies }
      var texts: Set<[UInt8]> = [best.state.source.bytes]
      bodies = bodies.filter { texts.insert($0.source.bytes).inserted }
      var byText: [String: ModuleState] = [:]
      var items: [(state: ModuleState, label: String, config: String?)] = []
      for body in bodies.prefix(Self.bodyLimit(round, search.budget)) {
        let held = hold(body)
        byText[search.candidate(held, label: "", nil).hash.hex] = body
        let made = body.applied.dropFirst(start.state.applied.count).map(\.what)
        items.append((held, made.joined(separator: "; "), text))
      }
      let found = try await search.measure(items, of: kernel, .body)
      guard
        let top = found.max(by: { $0.ratio < $1.ratio }), top.ratio > best.ratio * Self.step,
        let hash = top.record?.hash, let state = byText[hash]
      else { break }
      best = Body(state: state, ratio: top.ratio)
    }
    return best
  }

  private static var step: Double { MeasuredSearch.step }

  /// The states that predictions lead through, the last first, and each chain with one link left
  /// out.
  private mutating func predicted() -> [ModuleState] {
    // What the model cannot analyse has no predicted chain; neighbours are measured all the same.
    guard let baseline = try? tuner.evaluate(originals, in: start.state) else { return [] }
    tuner.visited = []
    _ = tuner.rewriteBody(start.state, baseline: baseline)
    tuner.trials = []
    let chain = tuner.visited
    guard let last = chain.last, chain.count > 1 else { return chain }
    let links = Array(last.applied.dropFirst(start.state.applied.count))
    var states = Array(chain.reversed())
    guard links.count > 2 else { return states }
    for skipped in links.indices {
      var state = start.state
      for (index, link) in links.enumerated() where index != skipped {
        if let next = again(link, on: state) { state = next }
      }
      states.append(state)
    }
    return states
  }

  /// A rewrite that was made elsewhere, made here where it finds its place again.
  private func again(_ link: RewriteSite, on state: ModuleState) -> ModuleState? {
    guard let rewrite = tuner.rewrites.first(where: { $0.id == link.rewrite }) else { return nil }
    let sites = rewrite.sites(in: state.subject).filter { $0.kernel == kernel }
    guard
      let site = sites.first(where: { $0.what == link.what })
        ?? sites.first(where: { $0.names == link.names && !$0.names.isEmpty })
    else { return nil }
    return applied(rewrite, site, to: state)
  }

  /// nil where the rewrite finds on applying that it may not: a place is only where it may be tried.
  private func applied(_ rewrite: any Rewrite, _ site: RewriteSite, to state: ModuleState)
    -> ModuleState?
  {
    guard let rewritten = try? rewrite.apply(site, to: state.subject),
      let next = try? ModuleState(rewritten, after: state, inputs: tuner.inputs),
      tuner.effectsProblem(of: rewrite, from: state, to: next) == nil
    else { return nil }
    return next
  }

  /// The most places of one rewrite that are tried one by one.
  private static let siteLimit = 3

  /// Every body one rewrite away: each rewrite at each of its first places, and at all of them.
  private func neighbours(of state: ModuleState) -> [ModuleState] {
    var found: [ModuleState] = []
    for rewrite in tuner.rewrites where rewrite.mayGain {
      let sites = rewrite.sites(in: state.subject).filter { $0.kernel == kernel }
      guard !sites.isEmpty else { continue }
      if sites.count > 1, !(rewrite is SpecializeArguments),
        let all = everywhere(rewrite, state, sites.count)
      {
        found.append(all)
      }
      // The sites of a specialisation are nested sets: the largest first.
      for site in (rewrite is SpecializeArguments ? sites.reversed() : sites)
        .prefix(Self.siteLimit)
      {
        if let next = applied(rewrite, site, to: state) { found.append(next) }
      }
    }
    return found
  }

  private func everywhere(_ rewrite: any Rewrite, _ state: ModuleState, _ count: Int)
    -> ModuleState?
  {
    var now = state
    var refused: Set<String> = []
    for _ in 0..<min(count, 24) {
      let sites = rewrite.sites(in: now.subject).filter {
        $0.kernel == kernel && !refused.contains($0.what)
      }
      guard let site = sites.first else { break }
      if let next = applied(rewrite, site, to: now), next.source.bytes != now.source.bytes {
        now = next
      }
      refused.insert(site.what)
    }
    return now.applied.count > state.applied.count + 1 ? now : nil
  }

  // MARK: Knobs

  /// Configs measured one at a time on the best body, fastest first.
  private mutating func knobs(
    _ search: inout MeasuredSearch, _ body: Body, _ anchor: LaunchConfig?
  ) async throws -> [(config: LaunchConfig, ratio: Double)] {
    ratios = [:]
    if let anchor { ratios[ConfigKey(anchor)] = body.ratio }
    guard mayTryKnobs else { return [] }
    // Without an analysis stages and warps are taken to matter.
    let cost = try? tuner.evaluate(originals, in: body.state)
    let analyses = cost?.perConfig.values.flatMap(\.analyses) ?? []
    let stagesMatter = cost == nil || analyses.contains { $0.hasPipelinableLoop }
    let pool = ConfigPool(
      policy: tuner.policy, stagesMatter: stagesMatter,
      warpsMayMove: tuner.warpsReason(analyses) != nil
    ).configs(around: originals)
    var known: [ConfigKey: LaunchConfig] = [:]
    for item in pool { known[item.key] = item.config }

    func tryAll(_ configs: [LaunchConfig]) async throws {
      let new = configs.filter { ratios[ConfigKey($0)] == nil }
      for item in try await measure(&search, new, on: body.state, phase: .knobs) {
        ratios[ConfigKey(item.config)] = item.ratio
      }
    }
    func ranked() -> [(config: LaunchConfig, ratio: Double)] {
      pool.compactMap { item in ratios[item.key].map { (item.config, $0) } }
        .enumerated().sorted {
          ($1.element.ratio, $0.offset) < ($0.element.ratio, $1.offset)
        }.map(\.element)
    }
    // Each block shape as the original has it, then warps of the best shapes, then their stages.
    var shapes: Set<[String: ConstexprValue]> = []
    var representatives: [LaunchConfig] = anchor.map { [$0] } ?? []
    shapes.formUnion(representatives.map(\.constants))
    for item in pool where item.isOriginal && representatives.count < Self.shapeLimit {
      if shapes.insert(item.config.constants).inserted { representatives.append(item.config) }
    }
    try await tryAll(representatives)
    func best(_ count: Int) -> [LaunchConfig] {
      let all = ranked()
      guard let top = all.first?.ratio else { return [] }
      var seen: Set<[String: ConstexprValue]> = []
      return all.filter {
        $0.ratio * Self.hopeless >= top && seen.insert($0.config.constants).inserted
      }
      .prefix(count).map(\.config)
    }
    // All at once, so that several devices have enough to do.
    let configs = pool.map(\.config)
    try await tryAll(
      best(Self.shapesForWarps).flatMap { shape in
        configs.filter { $0.constants == shape.constants && $0.numStages == shape.numStages }
      })
    try await tryAll(
      best(Self.shapesForStages).flatMap { shape in
        configs.filter { $0.constants == shape.constants && $0.numWarps == shape.numWarps }
      })
    return ranked()
  }

  // MARK: Emission

  /// The list to print: the fastest measured, the required originals, then other originals while
  /// there is room. Fastest first.
  func list(from ranked: [(config: LaunchConfig, ratio: Double)], _ state: ModuleState)
    -> [LaunchConfig]
  {
    let count = tuner.policy.configCount ?? ConfigChoice.defaultCount
    var chosen: [LaunchConfig] = []
    var taken: Set<ConfigKey> = []
    func take(_ config: LaunchConfig) {
      guard chosen.count < count.upperBound, taken.insert(ConfigKey(config)).inserted else {
        return
      }
      chosen.append(config)
    }
    if let best = ranked.first { take(best.config) }
    let isOriginal = Set(originals.map(ConfigKey.init))
    let profiled = tuner.profiledConfigs.filter(originals.indices.contains)
    if let index = profiled.first { take(originals[index]) }
    if let required = ranked.first(where: { isOriginal.contains(ConfigKey($0.config)) }) {
      take(required.config)
    } else if let first = originals.first {
      take(first)
    }
    if let baseline = tuner.policy.baseline,
      let item = ranked.first(where: { item in
        baseline.allSatisfy { knob, value in
          knob == .numWarps ? item.config.numWarps == value : item.config.numStages == value
        }
      })
    {
      take(item.config)
    }
    // Near the best: another shape of input may want it.
    if let best = ranked.first?.ratio {
      for item in ranked where item.ratio * 1.03 >= best && chosen.count < 4 { take(item.config) }
    }
    for original in originals where chosen.count < max(4, count.lowerBound) { take(original) }
    for item in ranked where chosen.count < count.lowerBound { take(item.config) }
    let order = Dictionary(
      ranked.enumerated().map { (ConfigKey($0.element.config), $0.offset) }
    ) { first, _ in first }
    return chosen.enumerated().sorted { left, right in
      let a = order[ConfigKey(left.element)] ?? .max
      let b = order[ConfigKey(right.element)] ?? .max
      return (a, left.offset) < (b, right.offset)
    }.map(\.element)
  }

  /// The modules that could be printed: the body with the measured list, with the original's
  /// configs, and for a kernel without an autotuner with the best knobs at its launch.
  private mutating func emissions(
    _ search: inout MeasuredSearch, _ body: Body,
    _ ranked: [(config: LaunchConfig, ratio: Double)]
  ) async throws -> [MeasuredSearch.Variant] {
    var items: [(state: ModuleState, label: String, config: String?)] = []
    let expected = max(body.ratio, ranked.first?.ratio ?? 0)
    let changes = body.state.applied.dropFirst(start.state.applied.count).map(\.what)
    let prefix = changes.isEmpty ? "" : changes.joined(separator: "; ") + "; "
    let configs = list(from: ranked, body.state)
    let isOther = Set(configs.map(ConfigKey.init)) != Set(originals.map(ConfigKey.init))
    func add(_ label: String, _ make: () throws(Diagnostic) -> ModuleState) {
      do throws(Diagnostic) {
        items.append((try make(), prefix + label, nil))
      } catch {
        search.leftOut(label, error)
      }
    }
    if isOther, configs.count > 1 || isAutotuned(body.state) {
      let names = configs.map { tuner.text(of: $0, in: body.state) }.joined(separator: ", ")
      add("\(kernel) chooses among \(names)") { () throws(Diagnostic) in
        try ModuleState(
          try TuneConfigs.apply(kernel: kernel, configs: configs, to: body.state.subject),
          after: body.state, inputs: tuner.inputs)
      }
    }
    if !isAutotuned(body.state), let best = ranked.first?.config,
      !originals.contains(where: { ConfigKey($0) == ConfigKey(best) })
    {
      add("\(kernel) launched with \(tuner.text(of: best, in: body.state))") {
        () throws(Diagnostic) in try pinned(body.state, to: best)
      }
    }
    if !changes.isEmpty { items.append((body.state, changes.joined(separator: "; "), nil)) }
    var found: [MeasuredSearch.Variant] = []
    for item in items {
      // The first that holds what its parts promised will do: the others differ in their lists only.
      if found.contains(where: { $0.ratio >= expected * 0.985 }) { break }
      // Trial runs of an autotuner must leave what the kernel updates in place as it was.
      let state = written(tuner.protectTuning(item.state), ranked, &search)
      found += try await search.measure(
        [(state, item.label, item.config)], of: kernel, .emission, effort: .normal, share: 0.95)
    }
    return found
  }

  /// A module with its configs in the form that is asked for; as it is where that is refused, which
  /// a note says.
  private mutating func written(
    _ state: ModuleState, _ ranked: [(config: LaunchConfig, ratio: Double)],
    _ search: inout MeasuredSearch
  ) -> ModuleState {
    guard search.emission != .list else { return state }
    let launches = tuner.launches(in: state)
    let isOneShape = Set(launches.map(LaunchSignature.init)).count == 1
    var choices: [ShapeChoice]
    if isOneShape, let best = ranked.first?.config {
      choices = [
        ShapeChoice(
          values: ShapeClass.keyArguments(of: launches).first ?? [:], config: best,
          level: .measured)
      ]
    } else {
      // Times are of whole forwards: which config is best at which shape only the model says.
      choices = tuner.predictedChoices(tuner.originals(in: state), in: state)
    }
    let next = tuner.emit(search.emission, choices, on: state)
    if case .refused(var note)? = tuner.trials.last?.outcome,
      !search.notes.contains(where: { $0.message == note.message })
    {
      note.severity = .warning
      search.notes.append(note)
    }
    return next
  }
}
