import Diagnostics

/// The strict output form as a request states it: which parts in which order, what is left out.
public struct OutputRules: Sendable {
  /// The parts of a module in the strict form, in order.
  public enum Section: String, Sendable, CaseIterable {
    case imports
    case kernels = "@triton.jit kernels"
    case wrappers = "wrapper functions"
    case model = "class ModelNew(nn.Module)"
  }

  /// What a module must not hold.
  public enum Forbidden: String, Sendable, CaseIterable, Hashable {
    case testingCode = "testing code"
    case mainGuard = "if __name__"
    case getInputs = "get_inputs"
    case getInitInputs = "get_init_inputs"
  }

  public var order: [Section]
  public var forbidden: Set<Forbidden>
  /// Modules that must be imported, if the rules name them.
  public var requiredImports: [String]
  /// Names that the module must not use (`tl.tanh`).
  public var unavailableNames: [String]
  /// `continue`, `break` and `return` inside a kernel's loops are forbidden.
  public var forbidsLoopExits: Bool
  /// Lines that were read as advice.
  public var advice: [Advice]
  /// Notes on lines that were not understood.
  public var diagnostics: [Diagnostic]
  /// What became of each line that was read: true if a rule came from it.
  public var lines: [Int: Bool]

  /// The form that holds where a request states none.
  public static let standard = OutputRules(
    order: Section.allCases, forbidden: Set(Forbidden.allCases), requiredImports: [],
    unavailableNames: [], forbidsLoopExits: false, advice: [], diagnostics: [], lines: [:])

  /// Reads lines (indices) of an output-rules or constraints section over the standard form.
  public mutating func read(_ source: SourceText, lines indices: [Int]) {
    for index in indices where index < source.lineStarts.count {
      let raw = source.lineText(index)
      let lead = raw.utf8.prefix { $0 == 0x20 || $0 == 0x09 }.count
      let start = source.lineStarts[index] + lead
      let text = ClauseText.withoutMarkup(raw)
      let range = SourceRange(start, start + ClauseText.trimmed(raw).utf8.count)
      guard !text.isEmpty else { continue }
      lines[index] = readLine(text, ClauseText.normalized(text), range, source)
    }
  }

  private mutating func readLine(
    _ text: String, _ lower: String, _ range: SourceRange, _ source: SourceText
  ) -> Bool {
    var isRule = false
    if lower.contains("exact order") || lower.contains("this order") { return true }
    if lower.hasPrefix("import") {
      let names = ["torch.nn", "triton.language", "triton", "torch"]
      requiredImports = names.filter { lower.contains($0) }.sorted()
      isRule = true
    } else if lower.contains("@triton.jit"), lower.contains("kernel") {
      isRule = true
    } else if lower.hasPrefix("wrapper") {
      isRule = true
    } else if lower.contains("class modelnew") || lower.contains("modelnew(") {
      isRule = true
    }
    if lower.contains("continue/break/return")
      || (lower.contains("continue") && lower.contains("break"))
    {
      forbidsLoopExits = true
      isRule = true
    }
    let isNegative = ["do not", "don't", "never", "no ", "must not"].contains { lower.contains($0) }
    if isNegative, lower.contains("include") || lower.contains("output") {
      let before = forbidden.count
      for part in Forbidden.allCases where lower.contains(part.rawValue) { forbidden.insert(part) }
      isRule =
        isRule || before != forbidden.count
        || Forbidden.allCases.contains { lower.contains($0.rawValue) }
    }
    if lower.contains("has no:") || lower.contains("does not have")
      || lower.contains("not available")
    {
      let names = text.split { " ,:;()".contains($0) }.map(String.init)
        .filter { $0.hasPrefix("tl.") && $0.count > 3 }
      unavailableNames += names.filter { !unavailableNames.contains($0) }
      isRule = isRule || !names.isEmpty
    }
    if lower.contains("all imports") || lower.contains("import all") {
      isRule = true  // names without an import are found by the checks of the strict form
    }
    if isRule { return true }
    let words = ["learn", "prefer", "try", "keep", "use ", "ensure", "note", "preserve", "fuse"]
    let isAdvice = words.contains { lower.hasPrefix($0) }
    advice.append(Advice(kind: isAdvice ? .hint : .unrecognised, text: text, range: range))
    if !isAdvice {
      diagnostics.append(
        Diagnostic(
          id: "output-rule-unread", severity: .note, "this output rule is not understood",
          source: source,
          range: range, nextStep: "check the result against it by hand"))
    }
    return false
  }
}
