/// One finding about an input: what is wrong, where, and what to do next.
///
/// Rendered as
/// ```
/// request.md:12:9: error: unknown GPU '4O90'; did you mean '4090'?
///    12 | GPU Name: 4O90
///       |           ^~~~
///   next: run 'hone gpus' for the list
/// ```
public struct Diagnostic: Error, Sendable, CustomStringConvertible {
  public enum Severity: String, Sendable, Comparable {
    case note, warning, error
    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
  }

  /// Stable and kebab-case, for programs: `unknown-gpu`.
  public var id: String
  public var severity: Severity
  /// Lower-case sentence without a full stop; quotes the offending token.
  public var message: String
  public var source: SourceText?
  public var range: SourceRange?
  /// What the user can do about it; nil where the message says it all.
  public var nextStep: String?

  public init(
    id: String, severity: Severity = .error, _ message: String, source: SourceText? = nil,
    range: SourceRange? = nil, nextStep: String? = nil
  ) {
    self.id = id
    self.severity = severity
    self.message = message
    self.source = source
    self.range = range
    self.nextStep = nextStep
  }

  /// Where the finding starts, if it has a place.
  public var location: SourceLocation? {
    guard let source, let range else { return nil }
    return source.location(at: range.lower)
  }

  /// `name:line:column: severity: message`, without the quoted line.
  public var headline: String {
    var place = ""
    if let source {
      place = source.name + ":"
      if let location { place += "\(location):" }
      place += " "
    }
    return place + "\(severity.rawValue): \(message)"
  }

  public var description: String { rendered() }

  /// The headline, the source line with a caret, and the next step.
  public func rendered() -> String {
    var lines = [headline]
    if let source, let range { lines += Self.quote(source, range) }
    if let nextStep { lines.append("  next: \(nextStep)") }
    return lines.joined(separator: "\n")
  }

  /// The longest piece of a source line that is quoted, in Unicode scalars.
  private static let quotedWidth = 160

  private static func quote(_ source: SourceText, _ range: SourceRange) -> [String] {
    let index = source.lineIndex(at: range.lower)
    let location = source.location(at: range.lower)
    var scalars = Array(source.lineText(index).unicodeScalars)
    var column = min(location.column - 1, scalars.count)
    var prefix = ""
    if column > quotedWidth - 20 {  // a very long line: quote the part around the caret
      let cut = column - quotedWidth / 2
      scalars.removeFirst(cut)
      column -= cut
      prefix = "…"
    }
    if scalars.count > quotedWidth { scalars.removeLast(scalars.count - quotedWidth) }
    let start = source.lineStarts[index]
    let lineEnd = start + source.lineText(index).utf8.count
    let covered = source.text(
      in: SourceRange(range.lower, min(range.upper, max(range.lower, lineEnd))))
    let width = max(1, min(covered.unicodeScalars.count, quotedWidth - column))
    // Control characters would move the caret (or the terminal); each shows as one space or mark.
    let shown = String(
      String.UnicodeScalarView(
        scalars.map { scalar -> Unicode.Scalar in
          if scalar == "\t" { return " " }
          return scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar
        }))
    let number = String(location.line)
    let gutter = String(repeating: " ", count: max(5, number.count + 1) - number.count) + number
    let blank = String(repeating: " ", count: gutter.count)
    let pad = String(repeating: " ", count: column + (prefix.isEmpty ? 0 : 1))
    return [
      "\(gutter) | \(prefix)\(shown)",
      "\(blank) | \(pad)^" + String(repeating: "~", count: width - 1),
    ]
  }
}
