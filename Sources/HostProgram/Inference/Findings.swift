import Diagnostics
import PythonSyntax

/// What a finished evaluation says about its unknowns: their names, their fixed values, and what was
/// decided on the strength of their current values.
struct Findings {
  private let evaluator: Evaluator
  private let knowledge: InputKnowledge
  /// The formula that stands for each symbol in what is handed out.
  private var replacements: [String: SymbolicInt] = [:]
  /// Values that the module itself insists on.
  private var fixed: [String: Int] = [:]

  init(_ evaluator: Evaluator, _ knowledge: InputKnowledge) {
    self.evaluator = evaluator
    self.knowledge = knowledge
    var equal: [(String, String)] = []
    for decision in evaluator.decisions where decision.isKeptRequirement {
      collect(decision.condition, decision.outcome, &equal)
    }
    for symbol in evaluator.unknowns.keys {
      if let value = fixed[symbol] {
        replacements[symbol] = .constant(value)
      } else {
        replacements[symbol] = .dim(evaluator.dimensionNames[symbol] ?? symbol)
      }
    }
    for (kept, merged) in equal where fixed[merged] == nil {
      if let value = fixed[kept] {
        fixed[merged] = value
        replacements[merged] = .constant(value)
      } else if let target = replacements[kept], target != replacements[merged] {
        replacements[merged] = target
      }
    }
  }

  /// Equalities in a condition that is known to hold (or not to).
  private mutating func collect(
    _ condition: Condition, _ holds: Bool, _ equal: inout [(String, String)]
  ) {
    switch condition {
    case .element, .sequence: return
    case .not(let inner): collect(inner, !holds, &equal)
    case .all(let parts): if holds { for part in parts { collect(part, true, &equal) } }
    case .compare(let left, let comparison, let right):
      guard (comparison == .equal && holds) || (comparison == .notEqual && !holds) else { return }
      switch (left, right) {
      case (.dim(let name), .constant(let value)), (.constant(let value), .dim(let name)):
        if evaluator.unknowns[name] == value, !name.hasSuffix(".dim()") { fixed[name] = value }
      case (.dim(let a), .dim(let b)):
        guard a != b, evaluator.unknowns[a] != nil, evaluator.unknowns[b] != nil else { return }
        equal.append(a < b ? (a, b) : (b, a))
      default: break
      }
    }
  }

  func rewritten(_ launch: Launch) -> Launch {
    var result = launch
    result.arguments = launch.arguments.map { argument in
      var copy = argument
      guard let formula = argument.formula else { return copy }
      let simple = formula.substituting(replacements).simplified()
      if case .constant = simple {
        copy.formula = nil
        if copy.origin == .inputShape { copy.origin = .module }
      } else {
        copy.formula = simple
      }
      return copy
    }
    result.gridFormulas = launch.gridFormulas.map { formulas in
      formulas.map { $0.substituting(replacements).simplified() }
    }
    return result
  }

  func rewritten(_ dimension: InputDimension) -> InputDimension {
    var copy = dimension
    if fixed[dimension.name] != nil, dimension.basis != .given { copy.basis = .required }
    if case .dim(let name)? = replacements[dimension.name] {
      copy.name = name
    } else if let name = evaluator.dimensionNames[dimension.name] {
      copy.name = name
    }
    return copy
  }

  func notes(_ dimensions: [InputDimension]) -> [Diagnostic] {
    var notes: [Diagnostic] = []
    var seen: Set<String> = []
    for decision in evaluator.decisions where decision.expected == nil {
      guard let text = describe(decision.condition, decision.outcome) else { continue }
      guard seen.insert("\(decision.range.lower) \(text)").inserted, notes.count < 200 else {
        continue
      }
      notes.append(
        Diagnostic(
          id: "assumed-shape", severity: .note, "evaluated with \(text)",
          source: decision.unit?.source, range: decision.range))
    }
    for dimension in dimensions where dimension.basis == .standIn {
      guard case .axis(let input, let axis) = dimension.source else { continue }
      notes.append(
        Diagnostic(
          id: "stand-in", severity: .note,
          "nothing gives the size of axis \(axis) of '\(input)'; \(dimension.name) = \(dimension.value) stands in"
        ))
    }
    return notes
  }

  /// The condition in words, if an open dimension takes part in it.
  private func describe(_ condition: Condition, _ holds: Bool) -> String? {
    switch condition {
    case .element, .sequence: return nil
    case .not(let inner): return describe(inner, !holds)
    case .all(let parts):
      let texts = parts.compactMap { describe($0, true) }
      if texts.isEmpty { return nil }
      return (holds ? "" : "not all of ") + texts.joined(separator: ", ")
    case .compare(let left, let comparison, let right):
      let a = left.substituting(replacements).simplified()
      let b = right.substituting(replacements).simplified()
      let open = a.dimensions.union(b.dimensions)
      let names = Set(
        replacements.values.compactMap { if case .dim(let name) = $0 { name } else { nil } })
      guard !open.isEmpty, open.isSubset(of: names),
        !open.contains(where: { $0.hasSuffix(".dim()") })
      else { return nil }
      return "\(a) \(holds ? comparison.rawValue : comparison.negated) \(b)"
    }
  }
}

extension Condition.Comparison {
  var negated: String {
    switch self {
    case .equal: "!="
    case .notEqual: "=="
    case .less: ">="
    case .lessEqual: ">"
    case .greater: "<="
    case .greaterEqual: "<"
    }
  }
}

extension Evaluator {
  /// Remembers that the module calls a dimension by this name: the first name wins.
  func nameDimension(_ value: Value, _ name: String) {
    guard isRecording, case .integer(let number) = value, case .dim(let symbol)? = number.formula,
      unknowns[symbol] != nil, symbol.hasSuffix("]"), dimensionNames[symbol] == nil,
      unknowns[name] == nil, takenNames.insert(name).inserted
    else { return }
    dimensionNames[symbol] = name
  }
}
