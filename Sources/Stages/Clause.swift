import Diagnostics

/// One statement of a stage section, freed of markup, with the words around it.
struct Clause {
  /// Without bullets, emphasis and back-ticks.
  var text: String
  /// Lower case, one kind of dash, `∈` as `in`, `±` as `+-`, `≤` as `<=`.
  var lower: String
  /// The heading it stands under, lower case.
  var heading: String
  /// The condition of the `IF …:` line it stands under.
  var condition: (condition: Condition, text: String)?
  /// Parts that the same line named before this clause (for "it").
  var antecedents: [Part]
  var source: SourceText
  var range: SourceRange

  func has(_ needle: String) -> Bool { lower.contains(needle) }
  func hasAny(_ needles: String...) -> Bool { needles.contains { lower.contains($0) } }
  func hasAll(_ needles: String...) -> Bool { needles.allSatisfy { lower.contains($0) } }

  /// Whether the word stands alone in the text.
  func hasWord(_ word: String) -> Bool { words.contains { $0 == word } }

  var words: [Substring] {
    lower.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "'") }
  }

  /// Whether the clause forbids: "do not", "don't", "never", "must not", "no …".
  var isNegative: Bool {
    hasAny("do not", "don't", "dont ", "never", "must not", "may not", "cannot", "not allowed")
  }
}

enum ClauseText {
  /// Removes bullets, numbering, emphasis, back-ticks and pictographs at the start of a line.
  static func withoutMarkup(_ line: String) -> String {
    var text = Substring(line)
    func trim() { text = text.drop { $0.isWhitespace } }
    trim()
    var isStripped = true
    while isStripped, let first = text.first {
      isStripped = false
      if "•-*+–—·▪◦>".contains(first), text.dropFirst().first.map({ $0.isWhitespace }) ?? true {
        text = text.dropFirst()
        isStripped = true
      } else if first == "•" || isPictograph(first) {
        text = text.dropFirst()
        isStripped = true
      } else if first.isNumber {
        let rest = text.drop { $0.isNumber }
        if let mark = rest.first, mark == "." || mark == ")",
          rest.dropFirst().first?.isWhitespace ?? true
        {
          text = rest.dropFirst()
          isStripped = true
        }
      }
      trim()
    }
    let plain = String(text).replacing("**", with: "").replacing("__:", with: ":")
      .replacing("`", with: "")
    return String(plain.reversed().drop { $0.isWhitespace }.reversed())
  }

  private static func isPictograph(_ character: Character) -> Bool {
    guard let scalar = character.unicodeScalars.first else { return false }
    switch scalar.value {
    case 0x2600...0x27BF, 0x1F300...0x1FAFF, 0x2B00...0x2BFF, 0xFE0F: return true
    default: return false
    }
  }

  static func normalized(_ text: String) -> String {
    var lower = ""
    for character in text.lowercased() {
      switch character {
      case "–", "—", "−", "‐", "‑": lower.append("-")
      case "∈": lower.append(" in ")
      case "±": lower.append("+-")
      case "≤": lower.append("<=")
      case "≥": lower.append(">=")
      case "→", "⇒": lower.append("->")
      case "×": lower.append("x")
      case "’": lower.append("'")
      case "\u{A0}", "\u{202F}", "\t": lower.append(" ")
      default: lower.append(character)
      }
    }
    return lower.replacing("+/-", with: "+-").replacing("+ -", with: "+-")
  }

  /// Splits at `;` and at the end of sentences, outside brackets.
  static func split(_ text: String) -> [String] {
    var clauses: [String] = []
    var current = ""
    var depth = 0
    let characters = Array(text)
    for (index, character) in characters.enumerated() {
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth = max(0, depth - 1) }
      let next = index + 1 < characters.count ? characters[index + 1] : " "
      let endsSentence =
        (character == "." || character == "!") && next.isWhitespace && !endsAbbreviation(current)
      if depth == 0, character == ";" || endsSentence {
        clauses.append(current)
        current = ""
      } else {
        current.append(character)
      }
    }
    clauses.append(current)
    return clauses.map(trimmed).filter { !$0.isEmpty }
  }

  private static func endsAbbreviation(_ text: String) -> Bool {
    ["e.g", "i.e", "etc", "vs", "approx", "max", "min"].contains {
      text.lowercased().hasSuffix($0)
    }
  }

  static func trimmed(_ text: String) -> String {
    let head = text.drop { $0.isWhitespace }
    return String(head.reversed().drop { $0.isWhitespace }.reversed())
  }
}

/// Reads numbers, sets and ranges out of a clause.
struct ClauseScanner {
  private let characters: [Character]
  private(set) var index: Int  // into `characters`

  init(_ text: some StringProtocol, at index: Int = 0) {
    self.characters = Array(text)
    self.index = index
  }

  var isAtEnd: Bool { index >= characters.count }
  var current: Character? { index < characters.count ? characters[index] : nil }

  mutating func skipSpace() { while let current, current.isWhitespace { index += 1 } }

  mutating func take(_ text: String) -> Bool {
    let wanted = Array(text)
    guard index + wanted.count <= characters.count,
      Array(characters[index..<(index + wanted.count)]) == wanted
    else { return false }
    index += wanted.count
    return true
  }

  /// An unsigned whole number below 10⁹.
  mutating func integer() -> Int? {
    var value = 0
    let start = index
    while let digit = current?.wholeNumberValue, current?.isASCII == true, index - start < 9 {
      value = value * 10 + digit
      index += 1
    }
    return index > start ? value : nil
  }

  /// An unsigned decimal number.
  mutating func decimal() -> Double? {
    let start = index
    while let current, current.isASCII, current.isNumber || current == "." { index += 1 }
    guard let value = Double(String(characters[start..<index])) else {
      index = start
      return nil
    }
    return value
  }

  /// A word of letters, digits and `_`.
  mutating func word() -> String {
    let start = index
    while let current, current.isLetter || current.isNumber || current == "_" { index += 1 }
    return String(characters[start..<index])
  }

  /// `{2,4,8}`, `[2, 4]`, `(2, 4)`, `2, 4, 8`, `2/4/8`, `2 or 4`, `2-8`; nil if no number list
  /// stands here. A range of warps means its powers of two.
  mutating func valueSet(powersOfTwo: Bool) -> [Int]? {
    let start = index
    skipSpace()
    var close: Character?
    if let current, let bracket = ["{": "}", "[": "]", "(": ")"][String(current)] {
      close = Character(bracket)
      index += 1
    }
    var values: [Int] = []
    while true {
      skipSpace()
      if let close, current == close {
        index += 1
        return values
      }
      guard let value = integer() else { break }
      values.append(value)
      let mark = index
      skipSpace()
      if take("...") || take("..") || take("-") || take("to ") || take("through ") {
        skipSpace()
        guard let last = integer(), last >= value, last <= 1024 else { break }
        for next in (value...last).dropFirst() where !powersOfTwo || next.nonzeroBitCount == 1 {
          values.append(next)
        }
        skipSpace()
      }
      let ended = index
      if take(",") || take("/") || take("|") {
        skipSpace()
        _ = take("or ") || take("and ")
        if close == nil, current?.isNumber != true {
          index = ended
          return values
        }
      } else if take("or ") || take("and ") {
        continue
      } else if close == nil {
        index = max(mark, ended)
        return values
      } else if let close, current != close {
        break
      }
    }
    if close == nil, !values.isEmpty { return values }
    index = start
    return nil
  }
}
