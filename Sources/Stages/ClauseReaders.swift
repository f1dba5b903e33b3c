import Diagnostics

/// The readers of a stage section's clauses, each for one kind of rule. Every reader sees every
/// clause; a clause that none of them reads is advice.
enum ClauseReaders {
  static let all: [ClauseReader] = [
    conditional, signal, metric, knobValues, knobBound, knobStep, knobStart, configCount,
    includeOriginal,
    baseline, revert, changeOnlyIf, fixed, mayChange, blockCandidates, blockMultiples, powersOfTwo,
    halveTiles, gridRank, gridForm, gridMatches, tuneOneGroup, autotuneOnKernel, gridLambda,
    blocksOnce, stores, sharedOffsets,
  ]

  /// Bullets under `IF …:`, and `If …: use num_warps=4` on one line.
  static let conditional: ClauseReader = { clause in
    var condition = clause.condition
    if condition == nil, clause.lower.hasPrefix("if "), let colon = clause.lower.firstIndex(of: ":")
    {
      let text = String(clause.lower[..<colon].dropFirst(3))
      guard !text.hasPrefix("unsure"), !text.hasPrefix("uncertain") else { return [] }
      condition = (ConditionText.read(text), text)
    }
    guard let condition else { return [] }
    let isTrial = clause.hasAny("try", "may help", "consider", "can help")
    var effects: [Effect] = assignments(in: clause).map { knob, value in
      isTrial ? .tryValue(knob, value) : .prefer(knob, value)
    }
    if clause.hasAny("half", "halve") { effects.append(.halveTiles) }
    guard !effects.isEmpty else { return [] }
    return [
      .conditional(
        ConditionalRule(condition: condition.condition, effects: effects, text: condition.text))
    ]
  }

  /// `launch__registers_per_thread > 128 → likely spilling`: what a metric means.
  static let signal: ClauseReader = { clause in
    guard clause.has("->"), ConditionText.metricName(in: clause.lower) != nil,
      let arrow = clause.lower.firstRange(of: "->")
    else { return [] }
    let text = ClauseText.trimmed(String(clause.lower[..<arrow.lowerBound]))
    return [
      .conditional(ConditionalRule(condition: ConditionText.read(text), effects: [], text: text))
    ]
  }

  /// A metric to look at, with its target.
  static let metric: ClauseReader = { clause in
    guard !clause.has("->"), clause.condition == nil,
      let name = ConditionText.metricName(in: clause.lower), clause.lower.hasPrefix(name),
      let found = clause.lower.firstRange(of: name)
    else { return [] }
    let bound = ConditionText.bound(in: clause.lower[found.upperBound...])
    return [.metric(MetricTarget(metric: name, bound: bound))]
  }

  /// "Max 3 grid dims", ">3D: flatten ONLY independent dims", "Never use more than 3 dimensions".
  static let gridRank: ClauseReader = { clause in
    let lower = clause.lower
    if lower.hasPrefix(">3d") || lower.hasPrefix("4d+") { return [.maxGridRank(3)] }
    let isStatic: [StageRule.Kind] =
      clause.has("rank") && clause.has("static") ? [.gridRankIsStatic] : []
    guard clause.hasAny("dim", "axes", "rank"),
      let mark = ["max ", "at most ", "more than ", "maximum "].lazy
        .compactMap({ lower.firstRange(of: $0) }).first
    else { return isStatic }
    var scanner = ClauseScanner(lower[mark.upperBound...])
    guard let rank = scanner.integer(), (1...3).contains(rank) else { return isStatic }
    return [.maxGridRank(rank)] + isStatic
  }

  /// `2D: (cdiv(M, BLOCK_M), cdiv(N, BLOCK_N))`, "Element-wise: 1D grid".
  static let gridForm: ClauseReader = { clause in
    let lower = clause.lower
    let starts = ["1d", "2d", "3d"].firstIndex { lower.hasPrefix($0) }
    if let starts, clause.has("(") || clause.has("grid") {
      return [.gridForm(rank: starts + 1, clause.text)]
    }
    guard
      let rank = [1, 2, 3].first(where: { clause.has("\($0)d grid") || clause.has("\($0)d: grid=") }
      )
    else { return [] }
    return [.gridForm(rank: rank, clause.text)]
  }

  static let gridMatches: ClauseReader = { clause in
    clause.has("grid") && clause.has("match")
      && clause.hasAny("program_id", "indexing", "program id")
      ? [.gridMatchesProgramIDs] : []
  }

  static let tuneOneGroup: ClauseReader = { clause in
    clause.has("either") && clause.has("block") && clause.has("num_warps")
      ? [.tuneOneGroupOnly] : []
  }

  /// "Autotune ONLY on @triton.jit kernel", "autotune must wrap the JIT kernel".
  static let autotuneOnKernel: ClauseReader = { clause in
    let isAutotune = clause.has("autotune") || clause.heading.contains("autotune")
    guard isAutotune, clause.has("kernel") else { return [] }
    let says =
      clause.hasAny(
        "only on", "on kernel", "on the kernel", "kernel function only", "wrap the jit",
        "decorating the @triton.jit", "on @triton.jit", "kernel only", "never the wrapper")
    return says ? [.autotuneOnKernelOnly] : []
  }

  static let gridLambda: ClauseReader = { clause in
    clause.has("grid") && clause.has("lambda") ? [.gridIsLambdaIfBlocksTuned] : []
  }

  static let blocksOnce: ClauseReader = { clause in
    clause.has("never redefine") || clause.has("do not redefine") ? [.blocksDefinedOnce] : []
  }

  static let stores: ClauseReader = { clause in
    guard clause.has("store") else { return [] }
    if clause.has("intermediate"), clause.hasAny("never", "are not", "not allowed") {
      return [.noIntermediateStores]
    }
    if clause.hasAny(
      "single tl.store", "one store per", "exactly one store", "number of output tensors")
    {
      return [.singleStorePerOutput]
    }
    return []
  }

  static let sharedOffsets: ClauseReader = { clause in
    let isSame = clause.hasAny("same ", "identical")
    return isSame && clause.hasAny("offset", "mask", "boundary condition")
      ? [.sharedOffsetsAndMask] : []
  }
}
