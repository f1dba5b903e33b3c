import Diagnostics
import PythonSyntax

extension SourceEditor {
  /// The edited source.
  /// - Throws: where two edits overlap.
  func rewritten() throws(Diagnostic) -> SourceText {
    do {
      return try appliedSource()
    } catch let error as Diagnostic {
      throw error
    } catch {
      throw Diagnostic(id: "overlapping-edits", "two changes touch the same text", source: source)
    }
  }

  /// The text of one range after edits that all lie in it; nil where they overlap.
  func text(of range: SourceRange) -> String? {
    guard let edited = try? appliedSource() else { return nil }
    let growth = edited.bytes.count - source.bytes.count
    return edited.text(in: SourceRange(range.lower, range.upper + growth))
  }
}

extension SourceText {
  /// The 1-based line of an offset, as the user counts.
  func line(at offset: Int) -> Int { location(at: offset).line }
}
