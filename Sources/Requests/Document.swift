import Diagnostics

/// A request document cut into sections and fences, before any section is understood.
struct Document {
  /// What a section is about, told by its heading.
  enum Kind: String {
    case preamble, gpu, stage, code, metrics, task, outputRules, apiConstraints, history, errorLog
    case analysis, problem, inputs, advice, unknown
  }

  /// A fenced block. Lines are indices into the source's lines.
  struct Fence {
    var open: Int
    /// Nil if the document ends inside the block.
    var close: Int?
    /// The word after the opening marks: `python`.
    var info: String
    /// Spaces before the opening marks.
    var indent: Int
    var body: Range<Int>
  }

  struct Section {
    var kind: Kind
    /// The heading's line; nil for the preamble.
    var heading: Int?
    var title: String
    /// Lines after the heading up to the next section.
    var lines: Range<Int>
    var fences: [Fence]
    /// What stands behind the heading's colon on the same line.
    var inline: String?
    /// Every heading line in it (several where a section's kind repeats).
    var headings: [Int]
  }

  var source: SourceText
  var sections: [Section]
  var notes: [Diagnostic]

  init(_ source: SourceText) {
    self.source = source
    self.sections = []
    self.notes = []
    scan()
  }

  func sections(_ kind: Kind) -> [Section] { sections.filter { $0.kind == kind } }

  /// The bytes of a line without its line end.
  func range(ofLine index: Int) -> SourceRange {
    let start = source.lineStarts[index]
    return SourceRange(start, start + source.lineText(index).utf8.count)
  }

  /// The bytes of whole lines, line ends included.
  func range(ofLines lines: Range<Int>) -> SourceRange {
    let starts = source.lineStarts
    let lower = lines.lowerBound < starts.count ? starts[lines.lowerBound] : source.bytes.count
    let upper = lines.upperBound < starts.count ? starts[lines.upperBound] : source.bytes.count
    return SourceRange(lower, max(lower, upper))
  }

  private mutating func scan() {
    var section = Section(
      kind: .preamble, heading: nil, title: "", lines: 0..<0, fences: [], inline: nil, headings: [])
    var level = 0
    var start = 0
    var index = 0
    let count = source.lineStarts.count
    func close(_ section: inout Section, at end: Int) { section.lines = start..<end }
    while index < count {
      let line = source.lineText(index)
      if let mark = FenceMark(line) {
        let fence = self.fence(from: index, mark, count: count)
        section.fences.append(fence)
        index = (fence.close ?? (count - 1)) + 1
        continue
      }
      if let heading = Heading(line, isFirst: index == 0, inside: section.kind),
        !belongs(heading, to: section.kind, level: level)
      {
        if heading.kind == section.kind, section.kind != .unknown, section.kind != .code {
          section.headings.append(index)  // "[OPTIMIZATION STAGE]" followed by "## Current …"
          index += 1
          continue
        }
        close(&section, at: index)
        sections.append(section)
        if let junk = heading.junk {
          notes.append(
            Diagnostic(
              id: "heading-junk", severity: .note, "'\(junk)' after the heading is ignored",
              source: source, range: range(ofLine: index)))
        }
        section = Section(
          kind: heading.kind, heading: index, title: heading.title, lines: 0..<0, fences: [],
          inline: heading.inline, headings: [index])
        level = heading.level
        start = index + 1
      }
      index += 1
    }
    close(&section, at: count)
    sections.append(section)
  }

  /// A deeper heading of no known kind belongs to the section it stands in.
  private func belongs(_ heading: Heading, to kind: Kind, level: Int) -> Bool {
    guard heading.kind == .unknown, kind != .preamble else { return false }
    return heading.level > max(1, level)  // `[X]` and `X:` count as `# X`
  }

  private func fence(from open: Int, _ mark: FenceMark, count: Int) -> Fence {
    var index = open + 1
    while index < count {
      if mark.isClosed(by: source.lineText(index)) {
        return Fence(
          open: open, close: index, info: mark.info, indent: mark.indent, body: (open + 1)..<index)
      }
      index += 1
    }
    return Fence(
      open: open, close: nil, info: mark.info, indent: mark.indent, body: (open + 1)..<count)
  }
}

/// The line that opens a fenced block.
private struct FenceMark {
  var character: Character
  var length: Int
  var indent: Int
  var info: String

  init?(_ line: String) {
    let text = line.drop { $0 == " " || $0 == "\t" }
    guard let first = text.first, first == "`" || first == "~" else { return nil }
    let marks = text.prefix { $0 == first }
    guard marks.count >= 3 else { return nil }
    let rest = text.dropFirst(marks.count)
    guard !rest.contains("`") else { return nil }  // ```inline``` code
    self.character = first
    self.length = marks.count
    self.indent = line.count - text.count
    self.info = rest.split(whereSeparator: \.isWhitespace).first.map { $0.lowercased() } ?? ""
  }

  func isClosed(by line: String) -> Bool {
    let text = line.drop { $0 == " " || $0 == "\t" }
    guard text.first == character else { return false }
    let marks = text.prefix { $0 == character }
    return marks.count >= length && text.dropFirst(marks.count).allSatisfy(\.isWhitespace)
  }
}

/// A line that opens a section.
private struct Heading {
  var kind: Document.Kind
  var title: String
  /// 0 for `[X]` and `X:`, the number of `#` otherwise.
  var level: Int
  var inline: String?
  var junk: String?

  init?(_ line: String, isFirst: Bool, inside section: Document.Kind) {
    guard line.utf8.count <= 400 else { return nil }
    var text = line.drop { $0.isWhitespace || (isFirst && $0 == "\u{FEFF}") }
    guard let first = text.first else { return nil }
    text =
      text[..<(text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? text.endIndex)]
    self.level = 0
    if first == "#" {
      // Four spaces make it code, such as a comment in a log.
      guard line.prefix(4).contains(where: { !$0.isWhitespace }) else { return nil }
      let marks = text.prefix { $0 == "#" }
      let rest = text.dropFirst(marks.count)
      guard marks.count <= 6, rest.first?.isWhitespace == true else { return nil }
      level = marks.count
      title = Self.plain(rest)
      kind = Self.kind(of: title)
    } else if first == "[", let close = text.firstIndex(of: "]") {
      title = Self.plain(text[text.index(after: text.startIndex)..<close])
      let tail = text[text.index(after: close)...].drop { $0 == ":" || $0.isWhitespace }
      kind = Self.kind(of: title)
      guard title.contains(where: \.isLetter),
        title.allSatisfy({ $0.isLetter || $0.isNumber || " -_/&()".contains($0) }),
        kind != .unknown || title.allSatisfy({ !$0.isLowercase }), tail.count <= 3
      else { return nil }
      if !tail.isEmpty { junk = String(tail) }
    } else {
      guard let colon = text.firstIndex(of: ":") else { return nil }
      let head = Self.plain(text[..<colon])
      let tail = Self.plain(text[text.index(after: colon)...])
      kind = Self.kind(of: head)
      title = head
      let isCapital =
        head.contains(where: \.isLetter) && head.allSatisfy { !$0.isLowercase }
        && head.contains(" ")
      if tail.isEmpty {
        let isPlainText = head.split(separator: " ").count <= 6
        let isListed = Self.isTitle(head) && isPlainText
        guard isCapital || (isListed && !Self.keepsPlainTitles(section)) else { return nil }
      } else {
        guard head.lowercased() == "task", text.first == "*" || text.first == "T" else {
          return nil
        }
        inline = tail
      }
    }
  }

  /// Sections whose own groups look like titles ("Metrics:", "Rules:").
  private static func keepsPlainTitles(_ kind: Document.Kind) -> Bool {
    kind == .stage || kind == .outputRules
  }

  private static func isTitle(_ head: String) -> Bool {
    kind(of: head) != .unknown && head.first?.isUppercase == true
  }

  private static func plain(_ text: some StringProtocol) -> String {
    let bare = text.filter { $0 != "*" && $0 != "`" }.drop { $0.isWhitespace }
    return String(
      String(bare).reversed().drop { $0.isWhitespace || $0 == "#" || $0 == ":" }.reversed())
  }

  /// By words in the title; the first match wins.
  private static let kinds: [(String, Document.Kind)] = [
    ("gpu", .gpu), ("hardware", .gpu), ("output rule", .outputRules),
    ("output format", .outputRules),
    ("api constraint", .apiConstraints), ("hard constraint", .apiConstraints),
    ("constraints", .apiConstraints), ("algorithm", .advice), ("analysis", .analysis),
    ("diagnosis", .analysis), ("error", .errorLog), ("history", .history), ("previous", .history),
    ("attempts", .history), ("ncu", .metrics), ("nsight", .metrics), ("profil", .metrics),
    ("metrics", .metrics), ("optimization stage", .stage), ("optimisation stage", .stage),
    ("stage", .stage), ("input shape", .inputs), ("inputs", .inputs), ("shapes", .inputs),
    ("pytorch", .problem), ("reference", .problem), ("problem", .problem),
    ("original model", .problem),
    ("code", .code), ("current kernel", .code), ("module", .code), ("implementation", .code),
    ("task", .task), ("hint", .advice), ("advice", .advice), ("tips", .advice), ("notes", .advice),
    ("background", .advice), ("context", .advice),
  ]

  static func kind(of title: String) -> Document.Kind {
    let lower = title.lowercased()
    let words = lower.split { !$0.isLetter }
    // A title is short; "Process in stages for …" is a comment.
    guard words.count <= 10 else { return .unknown }
    return kinds.first { key, kind in
      kind == .stage && key == "stage" ? words.contains("stage") : lower.contains(key)
    }?.1 ?? .unknown
  }
}
