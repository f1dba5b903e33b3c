/// Spoils inputs for fuzzing: each mutant is a few random edits of an original.
public struct Mutator: Sendable {
  /// What one edit does.
  enum Change: CaseIterable {
    case flipBit, setByte, deleteBytes, duplicate, insertPiece, replaceToken, deleteToken
    case swapTokens, truncate, splice, deleteLine, duplicateLine, changeIndent, changeLineEnds
    case repeatPiece
  }

  public var random: SplitMix64
  private let pieces: [[UInt8]]

  /// - Parameter pieces: tokens and other text that matter to the reader under test.
  public init(seed: UInt64, pieces: [String] = Mutator.pythonPieces) {
    random = SplitMix64(seed: seed)
    self.pieces = pieces.map { Array($0.utf8) }
  }

  /// Text that matters to a Python parser.
  public static let pythonPieces = [
    "(", ")", "[", "]", "{", "}", ",", ":", "=", "==", ":=", "->", ".", "...", ";", "@", "*", "**",
    "+", "-", "~", "not ", "if ", "else ", "elif ", "for ", "in ", "def f(x):", "class C:",
    "lambda ", "await ", "async ", "yield ", "match x:\n", "case ", "type X = ", "try:\n",
    "except ", "except* ", "finally:", "with (a as b):", "import ", "from . import *", "global x",
    "'", "\"", "'''", "\"\"\"", "f'{", "f\"\"\"{x!r:{y}}", "rb'", "\\", "\\\n", "\\N{DIGIT ONE}",
    "\\ud800", "\\x", "#", "# -*- coding: latin-1 -*-\n", "\n", "\r", "\r\n", "\t", "\u{0C}",
    "\u{0}", "\u{FEFF}", "é", "𝒳", "€", "0x", "1_000", "1e999", "0777", "1j",
    "9999999999999999999999",
    "    ", "!", "!=", "$", "?", "None", "True", "print 1",
  ]

  /// A mutant of `original`; `other` gives the text for splices.
  public mutating func mutant(of original: [UInt8], other: [UInt8] = []) -> [UInt8] {
    var bytes = original
    let count = 1 + random.below(random.below(4) == 0 ? 12 : 3)
    for _ in 0..<count { change(&bytes, other) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8], _ other: [UInt8]) {
    guard !bytes.isEmpty else {
      bytes += piece()
      return
    }
    let place = random.below(bytes.count)
    switch Change.allCases[random.below(Change.allCases.count)] {
    case .flipBit: bytes[place] ^= 1 << UInt8(random.below(8))
    case .setByte: bytes[place] = UInt8(random.below(256))
    case .deleteBytes:
      bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(16)))
    case .duplicate:
      let end = min(bytes.count, place + 1 + random.below(200))
      bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count))
    case .insertPiece: bytes.insert(contentsOf: piece(), at: place)
    case .replaceToken:
      let token = tokenRange(bytes, place)
      bytes.replaceSubrange(token, with: piece())
    case .deleteToken: bytes.removeSubrange(tokenRange(bytes, place))
    case .swapTokens:
      let first = tokenRange(bytes, place)
      let second = tokenRange(bytes, random.below(bytes.count))
      let text = Array(bytes[second])
      bytes.replaceSubrange(first, with: text)
    case .truncate:
      if random.below(2) == 0 {
        bytes.removeSubrange(place...)
      } else {
        bytes.removeSubrange(..<place)
      }
    case .splice:
      guard !other.isEmpty else { return }
      let lower = random.below(other.count)
      let upper = min(other.count, lower + 1 + random.below(400))
      bytes.insert(contentsOf: other[lower..<upper], at: place)
    case .deleteLine: bytes.removeSubrange(lineRange(bytes, place))
    case .duplicateLine:
      let line = lineRange(bytes, place)
      bytes.insert(contentsOf: Array(bytes[line]), at: line.lowerBound)
    case .changeIndent:
      let line = lineRange(bytes, place)
      let blanks: [[UInt8]] = [[0x20], [0x09], [0x20, 0x20], [0x20, 0x20, 0x20, 0x20], [0x0C]]
      if random.below(2) == 0 {
        bytes.insert(contentsOf: blanks[random.below(blanks.count)], at: line.lowerBound)
      } else if bytes[line.lowerBound] == 0x20 {
        bytes.remove(at: line.lowerBound)
      }
    case .changeLineEnds:
      let replacement: [UInt8] = random.below(2) == 0 ? [0x0D] : [0x0D, 0x0A]
      let line = lineRange(bytes, place)
      if let last = line.last, bytes[last] == 0x0A {
        bytes.replaceSubrange(last...last, with: replacement)
      }
    case .repeatPiece:
      let text = piece()
      let times = 1 << random.below(10)
      bytes.insert(contentsOf: (0..<times).flatMap { _ in text }, at: place)
    }
  }

  private mutating func piece() -> [UInt8] {
    pieces.isEmpty ? [0x20] : pieces[random.below(pieces.count)]
  }

  /// The word or the single byte at `place`.
  private func tokenRange(_ bytes: [UInt8], _ place: Int) -> Range<Int> {
    func isWord(_ byte: UInt8) -> Bool {
      (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
        || byte == 0x5F || byte >= 0x80
    }
    var lower = place
    var upper = place + 1
    guard isWord(bytes[place]) else { return lower..<upper }
    while lower > 0, isWord(bytes[lower - 1]) { lower -= 1 }
    while upper < bytes.count, isWord(bytes[upper]) { upper += 1 }
    return lower..<upper
  }

  /// The line at `place` with its line end.
  private func lineRange(_ bytes: [UInt8], _ place: Int) -> Range<Int> {
    var lower = place
    var upper = place
    while lower > 0, bytes[lower - 1] != 0x0A { lower -= 1 }
    while upper < bytes.count, bytes[upper] != 0x0A { upper += 1 }
    return lower..<min(bytes.count, upper + 1)
  }
}
