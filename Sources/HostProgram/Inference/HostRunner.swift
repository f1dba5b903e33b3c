import Diagnostics
import PythonSyntax
import TileIR

/// One call of `HostProgram.run`: evaluates, learns from what fails, evaluates again.
struct HostRunner: Sendable {
  enum Target: Sendable { case modelNew, reference }

  let program: HostProgram
  let target: Target
  let constants: [String: Int]
  /// How many times an evaluation may fail and teach something before it counts as failed.
  private static let attempts = 64

  init(_ program: HostProgram, _ target: Target, constants: [String: Int] = [:]) {
    self.program = program
    self.target = target
    self.constants = constants
  }

  func run(_ inputs: HostProgram.Inputs) -> Result<HostRun, Diagnostic> {
    let known = Set(constants.isEmpty ? [] : program.constants.map(\.name))
    if let name = constants.keys.filter({ !known.contains($0) }).min() {
      return .failure(
        Diagnostic(
          id: "no-constant", "there is no integer '\(name)' at module level",
          source: (program.problem ?? program.module).source))
    }
    var knowledge = InputKnowledge()
    switch inputs {
    case .fromProblem, .unknown, .resized: break
    case .tensors(let shapes):
      for (name, shape) in shapes {
        knowledge.ranks[name] = shape.shape.count
        for (axis, size) in shape.shape.enumerated() {
          let symbol = InputKnowledge.axisSymbol(name, axis)
          knowledge.values[symbol] = size
          knowledge.pinned.insert(symbol)
        }
        knowledge.pinned.insert(Evaluator.rankName(name))
      }
    case .assumed(let sizes):
      for (name, axes) in sizes {
        knowledge.ranks[name] = axes.count
        knowledge.pinned.insert(Evaluator.rankName(name))
        for (axis, size) in axes.enumerated() {
          guard let size else { continue }
          let symbol = InputKnowledge.axisSymbol(name, axis)
          knowledge.values[symbol] = size
          knowledge.pinned.insert(symbol)
        }
      }
    }
    var seen: Set<InputKnowledge> = [knowledge]
    for _ in 0..<Self.attempts {
      let session = HostSession(program, target, inputs, knowledge, constants: constants)
      do {
        let run = try session.run()
        if run.launches.isEmpty, target == .modelNew {
          // A module may use its kernels in inference only (batch norm with running statistics).
          let other = HostSession(program, target, inputs, knowledge, constants: constants)
          if let inference = try? other.run(isTraining: false), !inference.launches.isEmpty {
            return .success(inference)
          }
        }
        return .success(run)
      } catch Unwind.refused(let diagnostic) {
        return .failure(diagnostic)
      } catch Unwind.raised(let exception) {
        switch inputs {
        case .fromProblem, .resized: return .failure(session.describe(exception))
        case .tensors, .unknown, .assumed: break
        }
        guard
          let better = Learner(session.evaluator, knowledge).learn(from: exception, avoiding: seen)
        else { return .failure(session.describe(exception)) }
        knowledge = better
        seen.insert(better)
      } catch {
        return .failure(
          Diagnostic(id: "host-failed", "\(error)", source: program.module.source))
      }
    }
    return .failure(
      Diagnostic(
        id: "shapes-not-found",
        "no input shapes were found that the module accepts; give them with '--input'",
        source: program.module.source))
  }
}

/// Finds what to change about the inputs so that an exception does not come up again.
struct Learner {
  let evaluator: Evaluator
  let knowledge: InputKnowledge

  init(_ evaluator: Evaluator, _ knowledge: InputKnowledge) {
    self.evaluator = evaluator
    self.knowledge = knowledge
  }

  func learn(from exception: RaisedException, avoiding seen: Set<InputKnowledge>)
    -> InputKnowledge?
  {
    var wishes: [(Condition, Bool)] = []
    if let condition = exception.condition { wishes.append((condition, true)) }
    for decision in evaluator.decisions.reversed().prefix(400) where !decision.isKeptRequirement {
      wishes.append((decision.condition, !decision.outcome))
    }
    for (condition, wanted) in wishes {
      for candidate in structural(condition, wanted) + solutions(condition, wanted)
      where !seen.contains(candidate) {
        return candidate
      }
    }
    return nil
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
    var best: (score: Int, value: Int)?
    for value in candidates(symbol, current, condition) {
      for member in group { assignment[member] = value }
      guard condition.holds(assignment) == wanted else { continue }
      if isRank(symbol) { return value }
      let score = Self.unnaturalness(value, current)
      if score < best?.score ?? Int.max { best = (score, value) }
    }
    return best?.value
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
