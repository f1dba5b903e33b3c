import Diagnostics

extension ClauseReaders {
  /// The parts that a text names.
  static func parts(in lower: String) -> [Part] {
    var found: [Part] = []
    if lower.contains("grid") { found += [.grid, .programMapping] }
    if lower.contains("program mapping") || lower.contains("program_id")
      || lower.contains("program order")
    {
      found.append(.programMapping)
    }
    if lower.contains("block_") || lower.contains("block size") || lower.contains("block/")
      || lower.contains("blocks sizes") || lower.contains("tile size") || lower.contains("tiling")
      || lower.hasSuffix("block") || lower.contains("tiles") || lower.contains("block dim")
    {
      found.append(.blockSizes)
    }
    if lower.contains("access pattern") || lower.contains("memory layout") {
      found.append(.accessPatterns)
    }
    if lower.contains("kernel body") || lower.contains("kernel logic")
      || lower.contains("kernel code") || lower.contains("kernel's body")
    {
      found.append(.body)
    }
    if lower.contains("num_warps") || lower.contains("num warps") { found.append(.numWarps) }
    if lower.contains("num_stages") || lower.contains("num stages") { found.append(.numStages) }
    return found.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  private static let changeVerbs = [
    "change", "modify", "adjust", "touch", "alter", "increase", "rewrite", "tune", "edit",
  ]

  private static func hasChangeVerb(_ text: some StringProtocol) -> Bool {
    changeVerbs.contains { text.contains($0) }
  }

  /// "Change X only if C", "Only adjust X when C", "Increase X only when C".
  static let changeOnlyIf: ClauseReader = { clause in
    let lower = clause.lower
    guard hasChangeVerb(lower), !clause.isNegative else { return [] }
    let marks = ["only if", "only when", "unless"]
    var split = marks.lazy.compactMap { lower.firstRange(of: $0) }.first
    var head = lower
    if let mark = split {
      head = String(lower[..<mark.lowerBound])
    } else if clause.hasWord("only") {  // "only increase if", "only change grid if"
      guard
        let mark = [" if ", " when "].lazy.compactMap({ lower.firstRange(of: $0) }).first
      else { return [] }
      split = mark
      head = String(lower[..<mark.lowerBound])
    }
    guard let split else { return [] }
    let condition = ConditionText.read(String(lower[split.upperBound...]))
    let named = parts(in: head)
    let targets = named.isEmpty ? clause.antecedents : named
    return targets.map { .changeOnlyIf($0, condition) }
  }

  /// "Do NOT modify grid or BLOCK sizes", "keep the grid fixed", "grid: fixed".
  static let fixed: ClauseReader = { clause in
    let lower = clause.lower
    guard clause.condition == nil else { return [] }
    if clause.isNegative, hasChangeVerb(lower) {
      // "do not raise num_warps beyond 8" bounds a value; it does not fix the part.
      guard !lower.contains("redefine"), !isBound(clause) else { return [] }
      let named = parts(in: lower)
      let targets = named.isEmpty ? clause.antecedents : named
      if ["if unsure", "if in doubt", "if unclear", "if uncertain"].contains(where: lower.hasPrefix)
      {
        return targets.map { .changeOnlyIf($0, .stated("the change is surely correct")) }
      }
      for word in ["without ", "unless "] {
        guard let mark = lower.firstRange(of: word) else { continue }
        let condition = ConditionText.read(String(lower[mark.upperBound...]))
        return parts(in: String(lower[..<mark.lowerBound])).map { .changeOnlyIf($0, condition) }
      }
      for word in [" if ", " when "] {
        guard let mark = lower.firstRange(of: word) else { continue }
        let stated = "not: " + ClauseText.trimmed(String(lower[mark.upperBound...]))
        return parts(in: String(lower[..<mark.lowerBound]))
          .map { .changeOnlyIf($0, .stated(stated)) }
      }
      return targets.map { .fixed($0) }
    }
    guard !clause.has("otherwise"), !clause.has("config") else { return [] }
    let saysFixed =
      ["fixed", "unchanged", "frozen", "untouched"].contains(where: clause.hasWord)
      || clause.hasAny(
        "as is", "as-is", "as they are", "as it is", "stay the same", "stays the same",
        "remain the same", "remains the same", "no change", "not change",
        "not be changed", "not be modified", "off limits", "off-limits")
    if saysFixed, clause.hasAny("everything else", "all else", "nothing else", "the rest") {
      return [.othersFixed]
    }
    // "Keep the current grid and block sizes"
    let keeps =
      lower.hasPrefix("keep") && clause.hasAny(" current ", " existing ", " original ", " the ")
      && !clause.hasAny("=", " if ", "small", "large", "low", "high", "multiple")
    guard saysFixed && !clause.has("not fixed") || keeps else { return [] }
    return parts(in: lower).map { .fixed($0) }
  }

  /// "beyond 8", "by more than 1": a bound, not a ban.
  static func isBound(_ clause: Clause) -> Bool {
    clause.hasAny("beyond", "above", "below", "more than", "less than", "over ", "under ", "exceed")
      && clause.lower.contains(where: \.isNumber)
  }

  /// "grid may change", "you are free to change num_warps".
  static let mayChange: ClauseReader = { clause in
    guard clause.condition == nil, !clause.isNegative,
      clause.hasAny(
        "may change", "may be changed", "can change", "can be changed", "free to change",
        "allowed to change", "may be tuned", "may vary", "can vary", "may modify", "can be tuned")
    else { return [] }
    let allowed = parts(in: clause.lower).map { StageRule.Kind.mayChange($0) }
    return clause.hasWord("only") && !allowed.isEmpty ? allowed + [.othersFixed] : allowed
  }

  /// `BLOCK_M/N ∈ {32, 64}, BLOCK_K ∈ {32}`, `FP32: M/N ∈ {…}, K ∈ {…}`.
  static let blockCandidates: ClauseReader = { clause in
    let context: String? =
      clause.hasAny("element-wise", "elementwise")
      ? "element-wise" : clause.has("matmul") ? "matmul" : clause.has("fp32") ? "fp32" : nil
    return assignedNames(in: clause) { scanner in
      scanner.skipSpace()
      guard scanner.take("in ") || scanner.take("in{") || scanner.take(":") || scanner.take("=")
      else { return nil }
      scanner.skipSpace()
      guard scanner.current == "{" || scanner.current == "[" else { return nil }
      return scanner.valueSet(powersOfTwo: true)
    }.map { name, values in
      .blockCandidates(BlockCandidates(pattern: name, values: values.sorted(), context: context))
    }
  }

  /// `BLOCK_M/N multiple of 16`
  static let blockMultiples: ClauseReader = { clause in
    assignedNames(in: clause) { scanner in
      scanner.skipSpace()
      for words in ["must be a multiple of", "must be multiples of", "multiples of", "multiple of"]
      {
        if scanner.take(words) {
          scanner.skipSpace()
          return scanner.integer().map { [$0] }
        }
      }
      return nil
    }.flatMap { name, values in
      values.map { .blockMultiple(BlockMultiple(pattern: name, multiple: $0)) }
    }
  }

  /// Finds `BLOCK_M/N` and `M/N` names in a clause and reads what follows each.
  private static func assignedNames(
    in clause: Clause, _ read: (inout ClauseScanner) -> [Int]?
  ) -> [(String, [Int])] {
    var found: [(String, [Int])] = []
    var scanner = ClauseScanner(clause.lower)
    while !scanner.isAtEnd {
      guard scanner.current?.isLetter == true else {
        _ = scanner.advance()
        continue
      }
      var names = [scanner.word()]
      while scanner.current == "/" {
        _ = scanner.advance()
        names.append(scanner.word())
      }
      if names == ["block_"], scanner.take("*") { names = ["block_*"] }
      let isBlock = names[0].hasPrefix("block_")
      guard isBlock || names.allSatisfy({ ["m", "n", "k"].contains($0) }) else { continue }
      var probe = scanner
      guard let values = read(&probe) else { continue }
      scanner = probe
      for name in names where !name.isEmpty {
        let full = name.hasPrefix("block_") ? name : "block_" + name
        found.append((full.uppercased(), values))
      }
    }
    return found
  }

  static let powersOfTwo: ClauseReader = { clause in
    clause.hasAny("powers of 2", "power of 2", "powers of two", "power of two", "power-of-2")
      ? [.blocksPowersOfTwo] : []
  }

  /// "If registers > 128: reduce BLOCK_* by half".
  static let halveTiles: ClauseReader = { clause in
    guard clause.hasAny("half", "halve"), clause.hasAny("register", "regs"),
      let bound = ConditionText.bound(afterAny: ["registers", "regs"], in: clause.lower)
    else { return [] }
    return [.halveTilesAbove(registers: Int(min(max(bound.value, 0), 1e6)))]
  }
}
