import Diagnostics

/// PTX or SASS with the module's lines above the instructions that come from them.
public enum SourceListing {
  /// Instructions grouped under `// 12: the source line`, as often as the line changes.
  public static func sass(_ text: String, source: SourceText) -> String {
    var out: [String] = []
    var current: Int?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if let place = SassReader.lineNumber(line.utf8) {
        if let number = place, number != current {
          out.append(heading(number, source))
          current = number
        }
        continue
      }
      out.append(String(line))
    }
    return out.joined(separator: "\n")
  }

  /// The same for PTX: `.loc` lines give way to the source they point at.
  public static func ptx(_ text: String, source: SourceText) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let module = moduleFile(lines)
    var out: [String] = []
    var current: Int?
    for line in lines {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.first == ".loc", words.count >= 3 else {
        out.append(String(line))
        continue
      }
      // An inlined function of another file says where it was called.
      guard words[1] == module, let number = Int(words[2]) else { continue }
      if number != current {
        out.append(heading(number, source))
        current = number
      }
    }
    return out.joined(separator: "\n")
  }

  /// The number that `.file` gives the module.
  private static func moduleFile(_ lines: [Substring]) -> Substring? {
    for line in lines {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.first == ".file", words.count >= 3, words.last?.hasSuffix("module.py\"") == true {
        return words[1]
      }
    }
    return nil
  }

  private static func heading(_ number: Int, _ source: SourceText) -> String {
    // The compiler counts from the module's first line, which may stand further down in a document.
    let index = number - 1
    guard source.lineStarts.indices.contains(index) else { return "// line \(number)" }
    return "// \(source.firstLine + index): \(source.lineText(index))"
  }
}
