import Analysis
import Diagnostics

extension Explanation {
  /// For people: sections with one statement a line, `file:line` and the level of its figures behind.
  public func text(width: Int = 100) -> String {
    var lines: [String] = []
    for section in sections { lines += Self.lines(section, width: width) }
    for kernel in kernels {
      let place = kernel.place.map { " (\($0))" } ?? ""
      lines.append("Kernel \(kernel.name)\(place)")
      lines.append(String(repeating: "=", count: lines[lines.count - 1].count))
      for section in kernel.sections { lines += Self.lines(section, width: width) }
    }
    if !notes.isEmpty {
      lines.append("Not followed or assumed")
      for note in notes.prefix(20) { lines += Self.wrap("- \(note.headline)", indent: 4, width) }
      lines.append("")
    }
    while lines.last == "" { lines.removeLast() }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ section: Section, width: Int) -> [String] {
    var lines = [section.title]
    for statement in section.statements {
      var text = "- \(statement.text)"
      if statement.text.first?.isNumber ?? false, statement.text.contains(". ") {
        text = statement.text
      }
      var tail: [String] = []
      if let level = statement.level { tail.append(level.rawValue) }
      if let place = statement.place { tail.append("\(place)") }
      if !tail.isEmpty { text += " [\(tail.joined(separator: ", "))]" }
      lines += wrap(text, indent: 4, width)
    }
    return lines + [""]
  }

  /// Breaks at spaces; continuation lines are indented further.
  static func wrap(_ text: String, indent: Int, _ width: Int) -> [String] {
    var lines: [String] = []
    var line = "  "
    var isEmpty = true
    for word in text.split(separator: " ", omittingEmptySubsequences: true) {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = String(repeating: " ", count: indent) + word
      } else {
        line += (isEmpty ? "" : " ") + word
      }
      isEmpty = false
    }
    lines.append(line)
    return lines
  }
}
