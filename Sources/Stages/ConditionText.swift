import Diagnostics

/// Reads conditions: `regs < 96, no spill`, `memory stalls high AND registers OK`.
enum ConditionText {
  static func read(_ text: String) -> Condition {
    let lower = ClauseText.trimmed(ClauseText.normalized(text))
    // "register pressure LOW (regs < 96, no spill)": the parenthesis says it exactly.
    if let open = lower.firstIndex(of: "("), let close = lower.lastIndex(of: ")"), open < close {
      let inner = read(String(lower[lower.index(after: open)..<close]))
      if !isOnlyStated(inner) { return inner }
    }
    if let parts = split(lower, at: " or ") { return .any(parts.map(read)) }
    if let parts = split(lower, at: " and ") { return .all(parts.map(read)) }
    if let parts = split(lower, at: ", ") { return .all(parts.map(read)) }
    return atom(lower)
  }

  private static func isOnlyStated(_ condition: Condition) -> Bool {
    switch condition {
    case .stated: true
    case .all(let parts), .any(let parts): parts.allSatisfy(isOnlyStated)
    default: false
    }
  }

  private static func split(_ text: String, at mark: String) -> [String]? {
    let parts = text.split(separator: mark).map(String.init)
    return parts.count > 1 && parts.count <= 8 ? parts : nil
  }

  private static func atom(_ lower: String) -> Condition {
    if lower.contains("no spill") || lower.contains("without spill") { return .noSpills }
    if lower.contains("occupancy_limit_registers") { return .limitedByRegisters }
    if lower.contains("load"), lower.contains("distinct") || lower.contains("input") {
      var scanner = ClauseScanner(lower)
      while !scanner.isAtEnd {
        if let count = scanner.integer() { return .distinctLoads(count) }
        _ = scanner.advance()
      }
    }
    if let bound = bound(afterAny: ["registers", "regs", "register"], in: lower) {
      return .registersPerThread(bound)
    }
    if let name = metricName(in: lower) {
      return .metric(MetricTarget(metric: name, bound: bound(afterAny: [name], in: lower)))
    }
    if lower.contains("memory stall"), lower.contains("high") {
      return .metric(
        MetricTarget(
          metric: "smsp__warp_issue_stalled_memory_dependency_per_warp_active.pct",
          bound: Bound(.greater, 20)))
    }
    if lower.contains("utilization") || lower.contains("utilisation"), lower.contains("low") {
      return .metric(
        MetricTarget(
          metric: "sm__throughput.avg.pct_of_peak_sustained_elapsed", bound: Bound(.less, 60)))
    }
    return .stated(lower)
  }

  /// The first word that looks like one of Nsight's metrics: `unit__counter.rollup`.
  static func metricName(in lower: String) -> String? {
    lower.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
      .map { word in String(word.reversed().drop { $0 == "." }.reversed()) }
      .first { word in
        guard let mark = word.firstRange(of: "__") else { return false }
        return mark.lowerBound > word.startIndex && mark.upperBound < word.endIndex
      }
  }

  /// A relation and a number after one of these words: `regs < 96`.
  static func bound(afterAny words: [String], in lower: String) -> Bound? {
    for word in words {
      guard let found = lower.firstRange(of: word) else { continue }
      if let bound = bound(in: lower[found.upperBound...]) { return bound }
    }
    return nil
  }

  /// The first relation with a number: `(>60%)`, `(target: <20%)`.
  static func bound(in text: some StringProtocol) -> Bound? {
    var scanner = ClauseScanner(text)
    while !scanner.isAtEnd {
      let relation: Bound.Relation? =
        scanner.take("<=")
        ? .lessOrEqual
        : scanner.take(">=")
          ? .greaterOrEqual : scanner.take("<") ? .less : scanner.take(">") ? .greater : nil
      if let relation {
        scanner.skipSpace()
        if let value = scanner.decimal() { return Bound(relation, value) }
      } else {
        _ = scanner.advance()
      }
    }
    return nil
  }
}
