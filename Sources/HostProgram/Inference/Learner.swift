import Diagnostics
import PythonSyntax
import TileIR

/// Finds what to change about the inputs so that an exception does not come up again.
struct Learner {
  let evaluator: Evaluator
  let guess: Guess
  var knowledge: InputKnowledge { guess.knowledge }

  init(_ evaluator: Evaluator, _ guess: Guess) {
    self.evaluator = evaluator
    self.guess = guess
  }

  /// Changes that may keep this exception from coming up again, best first.
  func learn(from exception: RaisedException) -> [Guess] {
    var guesses: [Guess] = []
    if let condition = exception.condition {
      guesses = changes(condition, true).map {
        Guess(knowledge: $0, demands: guess.demands + [condition])
      }
    }
    return guesses + otherBranches()
  }

  /// What to try when nothing says what is wrong.
  func otherInputs() -> [Guess] { otherRanks() + otherLengths() + otherSizes() }

  /// Other lengths for arguments of the constructor that are sequences.
  private func otherLengths() -> [Guess] {
    let suffix = Evaluator.rankName("")
    let names = evaluator.unknowns.keys.filter(isRank).map { String($0.dropLast(suffix.count)) }
    return names.filter { knowledge.ranks[$0] == nil && !evaluator.guessedRanks.contains($0) }
      .sorted().flatMap { name in
        [1, 2, 4].filter { $0 != evaluator.unknowns[name + suffix] }.map { length in
          var copy = guess
          copy.knowledge.ranks[name] = length
          return copy
        }
      }
  }

  /// Changes that turn a branch the sizes decided, the latest first.
  func otherBranches() -> [Guess] {
    var guesses: [Guess] = []
    for decision in evaluator.decisions.reversed().prefix(400) where !decision.isKeptRequirement {
      guesses += changes(decision.condition, !decision.outcome).map {
        Guess(knowledge: $0, demands: guess.demands)
      }
      if guesses.count > 16 { break }
    }
    return guesses
  }

  private func changes(_ condition: Condition, _ wanted: Bool) -> [InputKnowledge] {
    structural(condition, wanted) + solutions(condition, wanted)
  }

  /// Other ranks for the inputs whose rank nothing has told: all of them, then each.
  private func otherRanks() -> [Guess] {
    let open = evaluator.guessedRanks.filter { knowledge.ranks[$0] == nil }.sorted()
    var groups = [open]
    if open.count > 1 { groups += open.map { [$0] } }
    return groups.filter { !$0.isEmpty }.flatMap { group in
      [4, 3, 5, 1].map { rank in
        var copy = guess
        for name in group { copy.knowledge.ranks[name] = rank }
        return copy
      }
    }
  }

  /// Other sizes for spatial axes about which nothing has spoken: images of the usual sizes.
  private func otherSizes() -> [Guess] {
    let spatial = knowledge.ranks.filter { $0.value >= 4 }.flatMap { name, rank in
      (2..<rank).map { InputKnowledge.axisSymbol(name, $0) }
    }.filter { knowledge.values[$0] == nil && !knowledge.isPinned($0) }
    guard !spatial.isEmpty else { return [] }
    return [224, 32, 256, 16].map { size in
      var copy = guess
      for symbol in spatial { copy.knowledge.values[symbol] = size }
      return copy
    }
  }

  /// Element types and sequences: what no size can mend.
  private func structural(_ condition: Condition, _ wanted: Bool) -> [InputKnowledge] {
    switch condition {
    case .not(let inner): return structural(inner, !wanted)
    case .all(let parts): return parts.flatMap { structural($0, wanted) }
    case .element(let input, let element):
      guard wanted, knowledge.elements[input] != element else { return [] }
      var copy = knowledge
      copy.elements[input] = element
      return [copy]
    case .sequence(let name):
      guard wanted, knowledge.ranks[name] == nil else { return [] }
      var copy = knowledge
      copy.ranks[name] = 2
      return [copy]
    case .compare: return []
    }
  }

  /// Changes of one unknown, or of an input's spatial axes together, that make `condition` come out
  /// as wanted, best first.
  private func solutions(_ condition: Condition, _ wanted: Bool) -> [InputKnowledge] {
    if case .all(let parts) = condition, wanted {
      // One part after the other: no single size mends several.
      let failing = parts.filter { $0.holds(evaluator.unknowns) == false }
      if failing.count > 1 { return failing.flatMap { solutions($0, true) } }
    }
    var names: Set<String> = []
    condition.collectDimensions(into: &names)
    let symbols = names.filter { evaluator.unknowns[$0] != nil && !knowledge.isPinned($0) }
    guard !symbols.isEmpty, let holds = condition.holds(evaluator.unknowns), holds != wanted else {
      return []
    }
    var results: [InputKnowledge] = []
    if let (kept, merged) = equalUnknowns(condition, wanted) {
      var copy = knowledge
      copy.aliases[merged] = kept
      copy.values[kept] = knowledge.values[kept] ?? knowledge.values[merged]
      copy.values[merged] = nil
      results.append(copy)
    }
    // Ranks first; then sizes that nothing has spoken about; then the others.
    func order(_ symbol: String) -> (Int, String) {
      (isRank(symbol) ? 0 : knowledge.values[symbol] == nil ? 1 : 2, symbol)
    }
    var groups = symbols.sorted { order($0) < order($1) }.map { [$0] }
    let spatial = Dictionary(
      grouping: symbols.filter { !isRank($0) && knowledge.values[$0] == nil },
      by: { symbol in "\(symbol.prefix { $0 != "[" }) \(evaluator.unknowns[symbol] ?? 0)" })
    groups += spatial.values.filter { $0.count > 1 }.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    for group in groups {
      guard let value = value(of: group, condition, wanted) else { continue }
      var copy = knowledge
      for symbol in group {
        if isRank(symbol) {
          copy.ranks[String(symbol.dropLast(".dim()".count))] = value
        } else {
          copy.values[symbol] = value
        }
      }
      results.append(copy)
    }
    return results
  }

  /// The most natural value that all symbols of a group can take together.
  private func value(of group: [String], _ condition: Condition, _ wanted: Bool) -> Int? {
    guard let symbol = group.first, let current = evaluator.unknowns[symbol] else { return nil }
    var assignment = evaluator.unknowns
    let demands = demands(on: group)
    var best: (score: Int, value: Int)?
    for value in candidates(symbol, current, condition) {
      for member in group { assignment[member] = value }
      guard condition.holds(assignment) == wanted else { continue }
      if isRank(symbol) { return value }
      let broken = demands.count { $0.holds(assignment) == false }
      let score = min(broken, 1 << 8) << 48 + Self.unnaturalness(value, current)
      if score < best?.score ?? Int.max { best = (score, value) }
    }
    return best?.value
  }

  /// What the module has demanded of these symbols so far.
  private func demands(on group: [String]) -> [Condition] {
    let kept = evaluator.decisions.filter(\.isKeptRequirement).prefix(400).map { decision in
      decision.outcome ? decision.condition : .not(decision.condition)
    }
    var found: [Condition] = []
    for condition in guess.demands.reversed() + kept.reversed() {
      var names: Set<String> = []
      condition.collectDimensions(into: &names)
      if group.contains(where: names.contains) { found.append(condition) }
      if found.count == 16 { break }
    }
    return found
  }

  /// How odd a size looks beside the current one: powers of two and 224 are natural, then multiples
  /// of 32, 16 and 8; distance counts last.
  private static func unnaturalness(_ value: Int, _ current: Int) -> Int {
    let kind =
      value & (value - 1) == 0 || value == 224
      ? 0 : value % 32 == 0 ? 1 : value % 16 == 0 ? 2 : value % 8 == 0 ? 3 : 4
    let distance = min(abs(value - current), 1 << 40)
    return kind << 44 + distance
  }

  private func isRank(_ symbol: String) -> Bool { symbol.hasSuffix(".dim()") }

  /// `a == b` between two open sizes: from now on they are one.
  private func equalUnknowns(_ condition: Condition, _ wanted: Bool) -> (String, String)? {
    switch condition {
    case .not(let inner): return equalUnknowns(inner, !wanted)
    case .compare(.dim(let a), let comparison, .dim(let b))
    where a != b && !isRank(a) && !isRank(b)
      && ((comparison == .equal && wanted) || (comparison == .notEqual && !wanted)):
      guard evaluator.unknowns[a] != nil, evaluator.unknowns[b] != nil else { return nil }
      if !knowledge.isPinned(b), knowledge.values[b] == nil { return (a, b) }
      if !knowledge.isPinned(a) { return (b, a) }
      return nil
    case .all(let parts) where wanted:
      for part in parts where part.holds(evaluator.unknowns) == false {
        return equalUnknowns(part, true)
      }
      return nil
    default: return nil
    }
  }

  /// Values to try for an unknown, the nearest to the current one first.
  private func candidates(_ symbol: String, _ current: Int, _ condition: Condition) -> [Int] {
    if isRank(symbol) { return (1...6).sorted { abs($0 - current) < abs($1 - current) } }
    var constants: Set<Int> = []
    condition.collectConstants(into: &constants)
    let near = constants.flatMap { [$0, $0 &- 1, $0 &+ 1] }.filter { $0 > 0 && $0 <= 1 << 24 }
    let small = Array(1...2048)
    let large = (5...20).map { 1 << $0 }
    return Set(near + small + large).filter { $0 != current }.sorted {
      (distance($0, current), $0) < (distance($1, current), $1)
    }
  }

  private func distance(_ value: Int, _ current: Int) -> Int { abs(value - current) }
}

extension Condition {
  func collectConstants(into values: inout Set<Int>) {
    switch self {
    case .compare(let left, _, let right):
      left.collectConstants(into: &values)
      right.collectConstants(into: &values)
    case .not(let inner): inner.collectConstants(into: &values)
    case .all(let parts): for part in parts { part.collectConstants(into: &values) }
    case .element, .sequence: break
    }
  }
}

extension SymbolicInt {
  func collectConstants(into values: inout Set<Int>) {
    switch self {
    case .constant(let value): values.insert(value)
    case .dim: break
    case .nextPowerOf2(let a): a.collectConstants(into: &values)
    case .add(let a, let b), .mul(let a, let b), .floorDiv(let a, let b), .mod(let a, let b),
      .ceilDiv(let a, let b), .min(let a, let b), .max(let a, let b):
      a.collectConstants(into: &values)
      b.collectConstants(into: &values)
    }
  }
}
