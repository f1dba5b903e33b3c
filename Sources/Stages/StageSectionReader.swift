import Diagnostics

/// What was made of one line of a stage section.
public struct StageLine: Sendable {
  public enum Outcome: Sendable {
    case blank
    /// A heading of the section or of a group of lines.
    case heading
    /// At least one rule came from it, and nothing on it was left over.
    case rules(Int)
    case advice(Advice.Kind)
  }
  /// Index into the source's lines.
  public var index: Int
  public var outcome: Outcome
}

/// The result of reading a stage section.
public struct StageReading: Sendable {
  /// Nil if the section does not say which stage it is; `diagnostics` then has the error.
  public var policy: StagePolicy?
  /// Notes, warnings and errors (contradictions), in source order.
  public var diagnostics: [Diagnostic]
  /// One entry for each line of the section.
  public var lines: [StageLine]
}

/// Turns the stage section of a request into a policy.
///
/// Each line becomes rules or advice; what fits neither is kept as advice and reported with its line.
public struct StageSectionReader {
  private let source: SourceText
  private var rules: [StageRule] = []
  private var advice: [Advice] = []
  private var diagnostics: [Diagnostic] = []
  private var lines: [StageLine] = []
  private var heading = ""
  private var condition: (condition: Condition, text: String)?
  private var fence: Character?

  private static let longestLine = 2000
  private static let mostStatements = 2000

  private init(_ source: SourceText) { self.source = source }

  /// Reads the lines with these indices; `stage` decides where the text does not.
  public static func read(
    _ source: SourceText, lines: Range<Int>, stage: Stage? = nil
  ) -> StageReading {
    var reader = StageSectionReader(source)
    for index in lines where index < source.lineStarts.count { reader.readLine(index) }
    guard let stage = stage ?? StageFinder.find(reader.rules, reader.advice) else {
      let first =
        lines.lowerBound < source.lineStarts.count ? source.lineStarts[lines.lowerBound] : 0
      let list = Stage.allCases.map(\.rawValue).joined(separator: ", ")
      let error = Diagnostic(
        id: "unknown-stage", "this section does not say which stage it is", source: source,
        range: SourceRange(first, first + source.lineText(source.lineIndex(at: first)).utf8.count),
        nextStep: "add a 'Focus:' line, or give --stage (\(list))")
      return StageReading(
        policy: nil, diagnostics: reader.diagnostics + [error], lines: reader.lines)
    }
    var policy = PolicyBuilder.build(stage, rules: reader.rules, advice: reader.advice)
    policy.diagnostics = reader.diagnostics + policy.diagnostics
    return StageReading(policy: policy, diagnostics: policy.diagnostics, lines: reader.lines)
  }

  /// Reads a whole text as a stage section.
  public static func read(_ source: SourceText, stage: Stage? = nil) -> StageReading {
    read(source, lines: 0..<source.lineStarts.count, stage: stage)
  }

  private mutating func note(_ index: Int, _ outcome: StageLine.Outcome) {
    lines.append(StageLine(index: index, outcome: outcome))
  }

  private mutating func readLine(_ index: Int) {
    let raw = source.lineText(index)
    let trimmed = ClauseText.trimmed(raw)
    let lead = raw.utf8.prefix { $0 == 0x20 || $0 == 0x09 }.count
    let start = source.lineStarts[index] + lead
    let range = SourceRange(start, start + trimmed.utf8.count)
    if let open = fence {
      if trimmed.hasPrefix(String(repeating: open, count: 3)) { fence = nil }
      add(.example, trimmed, range, index)
      return
    }
    if trimmed.isEmpty {
      condition = nil
      note(index, .blank)
      return
    }
    if trimmed.hasPrefix("```") || trimmed.hasPrefix("~~~") {
      fence = trimmed.first
      add(.example, trimmed, range, index)
      return
    }
    if trimmed.hasPrefix("#")
      || (trimmed.hasPrefix("[") && trimmed.contains("]") && isCapital(trimmed))
    {
      heading = ClauseText.normalized(trimmed)
      condition = nil
      note(index, .heading)
      return
    }
    if trimmed.allSatisfy({ "-=*_".contains($0) }) {  // a rule drawn between groups
      note(index, .heading)
      return
    }
    guard trimmed.utf8.count <= Self.longestLine, rules.count + advice.count < Self.mostStatements
    else {
      diagnostics.append(
        Diagnostic(
          id: "stage-line-unread", severity: .warning,
          "this line is not read: too long, or too many",
          source: source, range: range))
      add(.unrecognised, String(trimmed.prefix(200)), range, index)
      return
    }
    let text = ClauseText.withoutMarkup(trimmed)
    let lower = ClauseText.normalized(text)
    let isBullet = trimmed.first.map { "•-*+–".contains($0) } ?? false
    if lower.hasSuffix(":") {
      readHeading(lower, text, range, index)
      return
    }
    if !isBullet, lead == 0 { condition = nil }
    if let colon = lower.firstIndex(of: ":"), readTitle(lower[..<colon], text, range, index) {
      return
    }
    readClauses(text, range, index)
  }

  private func isCapital(_ text: String) -> Bool {
    let letters = text.prefix { $0 != "]" }.filter(\.isLetter)
    return !letters.isEmpty && letters.allSatisfy(\.isUppercase)
  }

  /// `Rules:`, `**Guidelines**:`, `IF register pressure LOW (…):`.
  private mutating func readHeading(
    _ lower: String, _ text: String, _ range: SourceRange, _ index: Int
  ) {
    if let word = ["if ", "when "].first(where: { lower.hasPrefix($0) }),
      !lower.hasPrefix("when to")
    {
      let stated = String(lower.dropFirst(word.count).dropLast())
      condition = (ConditionText.read(stated), stated)
      note(index, .heading)
      return
    }
    condition = nil
    heading = lower
    note(index, .heading)
  }

  /// `Focus: …`, `**Stage**: …`
  private mutating func readTitle(
    _ key: Substring, _ text: String, _ range: SourceRange, _ index: Int
  ) -> Bool {
    guard ["focus", "stage", "goal", "objective", "title"].contains(String(key)),
      let colon = text.firstIndex(of: ":")
    else { return false }
    let value = ClauseText.trimmed(String(text[text.index(after: colon)...]))
    let kind: StageRule.Kind = key == "stage" ? .stageTitle(value) : .focus(value)
    rules.append(StageRule(kind: kind, text: text, source: source, range: range))
    note(index, .rules(1))
    return true
  }

  private mutating func readClauses(_ text: String, _ range: SourceRange, _ index: Int) {
    var found = 0
    var worst: Advice.Kind?
    var antecedents: [Part] = []
    let headingIsRule = heading.contains("metrics") && !heading.contains("rule")
    for piece in ClauseText.split(text) {
      let clause = Clause(
        text: piece, lower: ClauseText.normalized(piece), heading: heading, condition: condition,
        antecedents: antecedents, source: source, range: range)
      antecedents += ClauseReaders.parts(in: clause.lower).filter { !antecedents.contains($0) }
      let isExclusion = heading.contains("exclusion")
      let kinds = isExclusion ? [] : ClauseReaders.all.flatMap { $0(clause) }
      if kinds.isEmpty {
        let kind = headingIsRule ? Advice.Kind.explanation : AdviceReader.kind(of: clause)
        advice.append(Advice(kind: kind, text: piece, range: range))
        if kind == .unrecognised {
          diagnostics.append(AdviceReader.report(clause))
          worst = .unrecognised
        } else if worst == nil {
          worst = kind
        }
      } else {
        for kind in kinds {
          rules.append(StageRule(kind: kind, text: piece, source: source, range: range))
        }
        found += kinds.count
      }
    }
    if let worst, found == 0 || worst == .unrecognised {
      note(index, .advice(worst))
    } else {
      note(index, .rules(found))
    }
  }

  private mutating func add(_ kind: Advice.Kind, _ text: String, _ range: SourceRange, _ index: Int)
  {
    advice.append(Advice(kind: kind, text: text, range: range))
    note(index, .advice(kind))
  }
}

/// Which stage a section is about.
enum StageFinder {
  /// Words of each stage; earlier entries win over later ones in the same text.
  private static let words: [(Stage, [String])] = [
    (
      .microTuning,
      ["micro", "fine-tun", "fine tun", "num_warps", "num_stages", "launch parameter"]
    ),
    (.gridAndParallelism, ["grid", "parallel", "program mapping"]),
    (.blockTiling, ["block", "tiling", "tile"]),
    (.memoryAccess, ["memory", "latency", "cache", "access", "bandwidth"]),
  ]

  static func find(_ rules: [StageRule], _ advice: [Advice]) -> Stage? {
    var titles: [String] = []
    var text = ""
    for rule in rules {
      switch rule.kind {
      case .focus(let title): titles.insert(title, at: 0)
      case .stageTitle(let title): titles.append(title)
      default: text += rule.text + "\n"
      }
    }
    for title in titles {
      if let stage = find(in: ClauseText.normalized(title)) { return stage }
      if let stage = try? Stage.named(title) { return stage }
    }
    // No title decides: the stage whose knobs the rules are about.
    let kinds = Set(rules.map(\.kind.name))
    if kinds.contains(.allowedWarps) { return .microTuning }
    if kinds.contains(.blockCandidates) { return .blockTiling }
    if kinds.contains(.gridForm) || kinds.contains(.maxGridRank) { return .gridAndParallelism }
    return nil
  }

  private static func find(in lower: String) -> Stage? {
    words.first { $0.1.contains { lower.contains($0) } }?.0
  }
}
