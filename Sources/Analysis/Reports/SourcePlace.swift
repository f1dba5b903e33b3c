import Diagnostics

/// A place in the kernel's module that a statement rests on.
public struct SourcePlace: Hashable, Sendable, CustomStringConvertible {
  /// The file as its user knows it.
  public var file: String
  /// 1-based.
  public var line: Int
  public var range: SourceRange

  public init(_ range: SourceRange, in source: SourceText) {
    self.file = source.name
    self.line = source.location(at: range.lower).line
    self.range = range
  }

  /// `kernel.py:12`
  public var description: String { "\(file):\(line)" }
}

/// How a figure is known. Predicted, compiled and measured figures are never mixed.
public enum EvidenceLevel: String, Sendable, Hashable, Codable, CaseIterable {
  case predicted, compiled, measured
}
