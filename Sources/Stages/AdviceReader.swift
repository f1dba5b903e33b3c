import Diagnostics

/// Tells what kind of advice a clause is that states no rule a program checks.
enum AdviceReader {
  static func kind(of clause: Clause) -> Advice.Kind {
    let lower = clause.lower
    let heading = clause.heading
    if heading.contains("exclusion") { return .exclusion }
    if heading.contains("principle") { return .principle }
    if heading.contains("verification") || heading.contains("check") { return .verification }
    if heading.contains("recompute") || heading.hasPrefix("for ") { return .preference }
    if lower.hasPrefix("example") || lower.hasPrefix("e.g") { return .example }
    if clause.condition != nil { return .hint }
    let first = clause.words.first.map(String.init) ?? ""
    if let kind = byFirstWord[first] { return kind }
    if lower.hasPrefix("if unsure") || lower.hasPrefix("if uncertain")
      || lower.hasPrefix("if in doubt")
      || lower.hasPrefix("if using")
    {
      return .hint
    }
    if lower.hasPrefix("for "), clause.has("group") { return .verification }
    if clause.hasAny("may help", "is ok", "are ok", " - ok", "preferred", "if available") {
      return .preference
    }
    if lower.hasPrefix("if "), clause.has("->") || clause.has("different") { return .hint }
    // A short bare noun phrase under a heading ("Atomic operations") explains the heading.
    if heading.contains("signal") || heading.contains("pattern") { return .explanation }
    return .unrecognised
  }

  private static let byFirstWord: [String: Advice.Kind] = [
    "prefer": .preference, "avoid": .preference, "try": .hint, "consider": .hint,
    "larger": .explanation, "smaller": .explanation, "higher": .explanation, "trade": .explanation,
    "tradeoff": .explanation, "note": .explanation, "tip": .hint, "hint": .hint,
    "recommended": .preference, "otherwise": .preference, "improve": .preference,
    "reduce": .preference, "verify": .verification, "ensure": .verification,
    "check": .verification, "count": .verification, "use": .preference,
    "keep": .preference, "recompute": .preference, "start": .preference, "each": .principle,
    "test": .hint, "autotune": .hint,
    "adjust": .preference,
  ]

  /// Words with which a clause demands something.
  private static let binding = [
    "must", "never", "only", "always", "do not", "don't", "required", "forbidden", "at most",
    "at least", "no more",
  ]

  /// The note for a clause that nothing recognised: louder if it sounds like a rule.
  static func report(_ clause: Clause) -> Diagnostic {
    let isBinding = binding.contains { clause.has($0) }
    return Diagnostic(
      id: "stage-line-unread", severity: isBinding ? .warning : .note,
      isBinding
        ? "this rule is not understood and will not be checked"
        : "this line is read as advice; no rule was found in it",
      source: clause.source, range: clause.range,
      nextStep: isBinding ? "check the result against it by hand" : nil)
  }
}
