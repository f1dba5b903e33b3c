import Diagnostics

/// A reader of clauses: gives the rules it finds in one, none if the clause is not its kind.
typealias ClauseReader = @Sendable (Clause) -> [StageRule.Kind]

extension ClauseReaders {
  /// `num_warps ∈ {2,4}`, `num_stages: 2, 3`, `num_warps in 2–8`.
  static let knobValues: ClauseReader = { clause in
    guard clause.condition == nil else { return [] }
    return Knob.allCases.flatMap { knob -> [StageRule.Kind] in
      guard let tail = text(after: knob, in: clause.lower),
        let values = values(in: tail, powersOfTwo: knob == .numWarps)
      else { return [] }
      return [.allowedValues(knob, Array(Set(values)).sorted())]
    }
  }

  /// What follows the knob's name, up to the other knob's.
  static func text(after knob: Knob, in lower: String) -> Substring? {
    let names = knob == .numWarps ? ["num_warps", "num warps"] : ["num_stages", "num stages"]
    // Bare words count at the start only: "warps: 4 or 8".
    let bare = knob == .numWarps ? ["number of warps", "warps"] : ["number of stages", "stages"]
    var found = names.lazy.compactMap { lower.firstRange(of: $0) }.first
    if found == nil, let word = bare.first(where: lower.hasPrefix) {
      found = lower.firstRange(of: word)
    }
    guard let found else { return nil }
    var tail = lower[found.upperBound...]
    let others = knob == .numWarps ? "num_stages" : "num_warps"
    if let other = tail.firstRange(of: others) { tail = tail[..<other.lowerBound] }
    return tail
  }

  /// A list of values that is bound to a name by `in`, `:`, `from` and the like, or in braces.
  private static func values(in tail: Substring, powersOfTwo: Bool) -> [Int]? {
    var scanner = ClauseScanner(tail)
    let connectors: Set<String> = [
      "in", "from", "among", "of", "values", "value", "one", "must", "be", "should", "can", "may",
      "are", "is", "options", "allowed", "choose", "candidates", "only", "range", "the", "set",
      "to",
      "within", "between",
    ]
    var isBound = false
    while let current = scanner.current {
      if current.isWhitespace {
        scanner.skipSpace()
      } else if scanner.take(":") {
        isBound = true
      } else if current == "{" || current == "[" {
        return scanner.valueSet(powersOfTwo: powersOfTwo)
      } else if current.isNumber {
        guard isBound else { return nil }
        return scanner.valueSet(powersOfTwo: powersOfTwo)
      } else if current == "(", let values = scanner.valueSet(powersOfTwo: powersOfTwo) {
        return values
      } else if scanner.take("(e.g.,") || scanner.take("(e.g.") || scanner.take("options (e.g.,") {
        continue
      } else {
        let word = scanner.word()
        guard connectors.contains(word) else { return nil }
        if ["in", "from", "among", "of", "be", "are", "is", "between", "within"].contains(word) {
          isBound = true
        }
      }
    }
    return nil
  }

  /// `num_stages by ±1`
  static let knobStep: ClauseReader = { clause in
    let marks = ["+-", "by at most ", "by no more than ", "by more than ", "by up to "]
    let mark = marks.lazy.compactMap { clause.lower.firstRange(of: $0) }.first
    guard mark != nil || clause.hasAny("by one", "one step", "by 1 ") else { return [] }
    var step = 1
    if let mark {
      var scanner = ClauseScanner(clause.lower[mark.upperBound...])
      scanner.skipSpace()
      step = scanner.integer() ?? 1
    }
    return knobs(in: clause).map { .maxStep($0, step) }
  }

  /// `num_warps <= 8`, "num_stages: at most 3", "never raise num_warps beyond 8".
  static let knobBound: ClauseReader = { clause in
    guard clause.condition == nil, !clause.has("by more than"), !clause.has("by at most"),
      !clause.has("->")
    else { return [] }
    let most = [
      "<=", "at most ", "up to ", "beyond ", "above ", "no more than ", "not exceed ", "more than ",
      "max ", "maximum of ",
    ]
    let least = [">=", "at least ", "below ", "no less than ", "fewer than ", "less than "]
    return Knob.allCases.compactMap { knob -> StageRule.Kind? in
      guard let tail = text(after: knob, in: clause.lower),
        !tail.contains(where: { "{[%".contains($0) })
      else { return nil }
      for (words, relation) in [(most, Bound.Relation.lessOrEqual), (least, .greaterOrEqual)] {
        for word in words {
          guard let mark = tail.firstRange(of: word) else { continue }
          var scanner = ClauseScanner(tail[mark.upperBound...])
          scanner.skipSpace()
          if let value = scanner.integer() {
            return .knobBound(knob, Bound(relation, Double(value)))
          }
        }
      }
      return nil
    }
  }

  /// `num_stages: start with 2`
  static let knobStart: ClauseReader = { clause in
    guard
      let mark = clause.lower.firstRange(of: "start with ")
        ?? clause.lower.firstRange(of: "start at ")
    else { return [] }
    var scanner = ClauseScanner(clause.lower[mark.upperBound...])
    guard let value = scanner.integer() else { return [] }
    return knobs(in: clause).prefix(1).map { .startAt($0, value) }
  }

  static func knobs(in clause: Clause) -> [Knob] {
    Knob.allCases.filter {
      clause.has($0.rawValue) || clause.has($0.rawValue.replacing("_", with: " "))
    }
  }

  /// `3–6 nearby configs`, `at most 4 configs`, `2-3 BLOCK_SIZE configs`.
  static let configCount: ClauseReader = { clause in
    let isLimit = clause.hasAny("more than", "exceed")
    guard clause.has("config"), !clause.isNegative || isLimit else { return [] }
    let lower = clause.lower
    var scanner = ClauseScanner(lower)
    while !scanner.isAtEnd {
      let isWordStart = scanner.current?.isNumber == true
      guard isWordStart else {
        if scanner.current?.isLetter == true || scanner.current == "_" {
          _ = scanner.word()
        } else {
          _ = scanner.advance()
        }
        continue
      }
      let before = String(lower.prefix(scanner.index))
      guard let first = scanner.integer() else { break }
      var last: Int?
      scanner.skipSpace()
      let isBetween = before.hasSuffixWord("between")
      if scanner.take("-") || scanner.take("to ") || scanner.take("or ")
        || (isBetween && scanner.take("and "))
      {
        scanner.skipSpace()
        last = scanner.integer()
      }
      let rest = ClauseScanner(lower, at: scanner.index).remaining
      let nextWords = rest.split { !($0.isLetter || $0 == "_" || $0 == "*") }.prefix(4)
      guard nextWords.contains(where: { $0.hasPrefix("config") }),
        !rest.prefix(while: { $0 != "c" }).contains("=")
      else { continue }
      let isMost =
        before.hasSuffixWord("max") || before.hasSuffixWord("most") || before.hasSuffixWord("to")
        || before.hasSuffixWord("maximum") || before.hasSuffixWord("than")
        || before.hasSuffixWord("max.") || before.hasSuffixWord("exceed")
      let isLeast = before.hasSuffixWord("least") || before.hasSuffixWord("min")
      if let last {
        return [.configCount(least: isMost ? 1 : first, most: last)]
      }
      if isMost { return [.configCount(least: 1, most: first)] }
      if isLeast { return [.configCount(least: first, most: max(first, 64))] }
      return [.configCount(least: first, most: first)]
    }
    return []
  }

  /// "Always include original config", "(include current one)".
  static let includeOriginal: ClauseReader = { clause in
    guard
      clause.hasAny(
        "include", "keep", "retain", "remain", "preserve", "must be one", "among", "present"),
      !clause.isNegative,
      !clause.has("otherwise"), !clause.has("num_warps=")
    else { return [] }
    if clause.hasAny("fallback") { return [.includeFallback] }
    guard clause.hasAny("original", "current", "existing", "baseline") else { return [] }
    guard clause.hasAny("config", "current one", "setting", "candidate") else { return [] }
    return [.includeOriginal]
  }

  /// "Always include conservative baseline (num_warps=4, num_stages=2)".
  static let baseline: ClauseReader = { clause in
    guard clause.hasAny("include", "keep", "baseline"), clause.condition == nil,
      clause.has("baseline") || clause.has("include")
    else { return [] }
    let values = assignments(in: clause)
    guard !values.isEmpty else { return [] }
    return [.baseline(Dictionary(values, uniquingKeysWith: { first, _ in first }))]
  }

  /// `num_warps=4` pairs.
  static func assignments(in clause: Clause) -> [(Knob, Int)] {
    Knob.allCases.compactMap { knob in
      guard let tail = text(after: knob, in: clause.lower) else { return nil }
      var scanner = ClauseScanner(tail)
      scanner.skipSpace()
      guard scanner.take("=") else { return nil }
      _ = scanner.take("=")
      scanner.skipSpace()
      return scanner.integer().map { (knob, $0) }
    }
  }

  /// "Revert if gain <1–2% or unstable".
  static let revert: ClauseReader = { clause in
    let reverts = clause.hasAny("revert", "roll back", "fall back to the original")
    let rejects =
      clause.hasAny("discard", "reject", "drop ", "ignore", "accept", "adopt", "keep a change")
      && clause.hasAny("gain", "speedup", "speed-up", "improve", "faster", "unstable", "noisy")
    guard reverts || rejects else { return [] }
    let isUnstable = clause.hasAny("unstable", "noisy", "instab")
    var range: PercentRange?
    var scanner = ClauseScanner(clause.lower)
    while !scanner.isAtEnd {
      guard scanner.current?.isNumber == true, let first = scanner.decimal() else {
        _ = scanner.advance()
        continue
      }
      scanner.skipSpace()
      _ = scanner.take("%")
      scanner.skipSpace()
      if scanner.take("-") || scanner.take("to ") {
        scanner.skipSpace()
        range = PercentRange(first, scanner.decimal() ?? first)
      } else {
        range = PercentRange(first, first)
      }
      break
    }
    return range != nil || isUnstable ? [.revert(range, ifUnstable: isUnstable)] : []
  }
}

extension ClauseScanner {
  mutating func advance() -> Bool {
    guard !isAtEnd else { return false }
    _ = take(String(current ?? " "))
    return true
  }

  /// What is left.
  var remaining: String {
    var copy = self
    var text = ""
    while let current = copy.current {
      text.append(current)
      _ = copy.advance()
    }
    return text
  }
}

extension String {
  /// Whether the last word is this one.
  func hasSuffixWord(_ word: String) -> Bool {
    let trimmed = ClauseText.trimmed(self).reversed().drop { "~≈(:".contains($0) }.reversed()
    return String(trimmed).hasSuffix(word)
  }
}
