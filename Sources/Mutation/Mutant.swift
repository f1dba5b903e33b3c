import Diagnostics

/// A module with one planted bug.
public struct Mutant: Sendable {
  /// The name of the operator that planted it, for example `mask-dropped`.
  public let operatorName: String
  public let family: MutationFamily
  /// What is wrong now, in words.
  public let words: String
  /// The changed bytes of the original.
  public let range: SourceRange
  /// The line of the change in the original, as its user counts.
  public let line: Int
  /// The name of the function in which the bug was planted.
  public let function: String
  /// The text that stood in `range`.
  public let original: String
  /// The text that stands there now.
  public let replacement: String
  /// What a checker may be expected to find.
  public let expectation: Expectation
  /// The whole mutated module.
  public let source: SourceText

  /// What the bug does when the module runs.
  public enum Expectation: Sendable, Hashable {
    /// Results differ, by values or by their type or shape.
    case changesResult
    /// An address outside a tensor, or a read of memory that nothing wrote.
    case memoryError
    /// Two programs or lanes meet at one address without atomics.
    case race
    /// A hint to the compiler that does not hold.
    case wrongHint
    /// A part of the output is never written.
    case uninitialised
    /// Wrong only where 32-bit offsets overflow, that is on tensors of 2³¹ elements and more.
    case overflowsAtScale
    /// Perhaps no bug at all, for the reason given.
    case maybeEquivalent(String)
  }

  /// Names the mutant among those of one module: operator, line and the changed text.
  public var label: String {
    func quoted(_ text: String) -> String {
      let words = Self.oneLine(text)
      return "`\(words.count > 90 ? words.prefix(87) + "…" : words[...])`"
    }
    return "\(operatorName) at line \(line): \(quoted(original)) → \(quoted(replacement))"
  }

  static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

/// Which part of a kernel an operator spoils.
public enum MutationFamily: String, Sendable, CaseIterable {
  case mask, index, accumulation, race, dtype, loop, hint, output, reduction, constant, comparison
  case arithmetic, wrapper
}
