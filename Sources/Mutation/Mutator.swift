import Diagnostics
import PythonSyntax

/// Plants bugs in a module's `@triton.jit` functions and in the wrapper that launches them.
///
/// ```swift
/// for mutant in Mutator().mutants(of: tree) { print(mutant.label) }
/// // mask-bound-loosened at line 41: `cols < n_cols` → `cols <= n_cols`
/// ```
/// `Model`, `get_inputs`, `get_init_inputs` and what they use stay as they are, so a mutant is still
/// judged by its original's problem. The same module gives the same mutants in the same order.
public struct Mutator: Sendable {
  /// The operators that are applied, in this order.
  public let operators: [MutationOperator]

  public init(operators: [MutationOperator] = MutationOperator.all) {
    self.operators = operators
  }

  /// Every mutant of a module, operator by operator and in source order within one; texts that
  /// were made before, or that do not parse, are left out. A module with errors has none.
  /// - Complexity: O(m n) for m mutants of n bytes.
  public func mutants(of tree: ModuleTree) -> [Mutant] {
    guard !tree.hasErrors else { return [] }
    let subject = Subject(tree)
    var seen: Set<[UInt8]> = [tree.source.bytes]
    var result: [Mutant] = []
    for mutation in operators {
      var planter = Planter(subject)
      mutation.plant(subject, &planter)
      let plans = planter.plans.enumerated().sorted {
        ($0.element.range.lower, $0.offset) < ($1.element.range.lower, $1.offset)
      }
      for (_, plan) in plans {
        guard let mutant = mutant(of: subject, plan, by: mutation),
          seen.insert(mutant.source.bytes).inserted
        else { continue }
        result.append(mutant)
      }
    }
    return result
  }

  private func mutant(
    of subject: Subject, _ plan: Planter.Plan, by mutation: MutationOperator
  ) -> Mutant? {
    let original = subject.text(plan.range)
    guard original != plan.text else { return nil }
    var editor = SourceEditor(subject.tree)
    editor.replace(plan.range, with: plan.text)
    guard let source = try? editor.appliedSource(), !PythonParser.parse(source).hasErrors else {
      return nil
    }
    return Mutant(
      operatorName: mutation.name, family: mutation.family, words: Mutant.oneLine(plan.words),
      range: plan.range,
      line: source.location(at: plan.range.lower).line,
      function: subject.functionName(at: plan.range.lower), original: original,
      replacement: plan.text,
      expectation: subject.isInChosenBranch(plan.range.lower)
        ? .maybeEquivalent("it is in a branch that is chosen at compile time") : plan.expectation,
      source: source)
  }
}

/// One way to spoil a module.
public struct MutationOperator: Sendable {
  /// In lower case with hyphens.
  public let name: String
  public let family: MutationFamily
  let plant: @Sendable (Subject, inout Planter) -> Void

  init(
    _ name: String, _ family: MutationFamily,
    _ plant: @escaping @Sendable (Subject, inout Planter) -> Void
  ) {
    self.name = name
    self.family = family
    self.plant = plant
  }

  /// Every operator, family by family.
  public static let all: [MutationOperator] =
    mask + blockPointers + index + accumulation + race + dtype + loop + hint + output + reduction
    + constant + comparison + arithmetic + wrapper
}

/// Collects what one operator wants to change.
struct Planter {
  struct Plan {
    var range: SourceRange
    var text: String
    var words: String
    var expectation: Mutant.Expectation
  }
  private(set) var plans: [Plan] = []
  private let subject: Subject

  init(_ subject: Subject) { self.subject = subject }

  /// One mutant: the bytes of `range` become `text`.
  mutating func replace(
    _ range: SourceRange, with text: String, _ words: String, _ expectation: Mutant.Expectation
  ) {
    plans.append(Plan(range: range, text: text, words: words, expectation: expectation))
  }

  mutating func replace(
    _ expression: Expr, with text: String, _ words: String, _ expectation: Mutant.Expectation
  ) {
    replace(expression.range, with: text, words, expectation)
  }
}
