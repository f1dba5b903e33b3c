import Diagnostics

/// A JSON value that knows where it stands in its source.
///
/// Foundation's reader gives no positions, keeps no order of keys and forgets duplicates; a request
/// needs all three. What Python's `json` writes beyond the standard (`NaN`, `Infinity`) is read too.
public struct LocatedJSON: Sendable {
  public indirect enum Value: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([LocatedJSON])
    /// Members in source order; a key may come twice.
    case object([Member])
  }

  public struct Member: Sendable {
    public let key: String
    public let keyRange: SourceRange
    public let value: LocatedJSON
  }

  public let value: Value
  /// The bytes that the value covers in its source.
  public let range: SourceRange

  /// The deepest nesting that is read.
  public static let maxDepth = 64

  /// Reads the first JSON value in `range`; what follows it is at `value.range.upper`.
  ///
  /// - Throws: a located `Diagnostic` (`bad-json`).
  /// - Complexity: O(n) in the number of bytes.
  public static func parse(_ source: SourceText, in range: SourceRange) throws(Diagnostic) -> Self {
    var reader = LocatedJSONReader(source: source, range: range)
    return try reader.value(depth: 0)
  }
}

/// A recursive-descent reader over a part of a source.
private struct LocatedJSONReader {
  let source: SourceText
  let end: Int
  var index: Int

  init(source: SourceText, range: SourceRange) {
    self.source = source
    self.end = min(range.upper, source.bytes.count)
    self.index = max(0, range.lower)
  }

  private var byte: UInt8? { index < end ? source.bytes[index] : nil }

  private func failure(_ message: String, at offset: Int? = nil) -> Diagnostic {
    let place = min(offset ?? index, max(0, source.bytes.count))
    return Diagnostic(
      id: "bad-json", message, source: source, range: SourceRange(place, min(place + 1, end)),
      nextStep: "metrics are a JSON object from kernel names to {metric: value}, or Nsight's CSV")
  }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
  }

  /// Quotes what stands at the cursor.
  private var found: String {
    guard let byte else { return "the end" }
    if byte < 0x20 || byte == 0x7F { return "a control character" }
    let line = source.text(in: SourceRange(index, min(end, index + 8)))
    return "'\(line.first.map(String.init) ?? "?")'"
  }

  mutating func value(depth: Int) throws(Diagnostic) -> LocatedJSON {
    guard depth < LocatedJSON.maxDepth else {
      throw failure("JSON nested deeper than \(LocatedJSON.maxDepth) levels")
    }
    skipSpace()
    let start = index
    guard let byte else { throw failure("expected a JSON value, found the end") }
    let value: LocatedJSON.Value
    switch byte {
    case UInt8(ascii: "{"): value = .object(try members(depth: depth))
    case UInt8(ascii: "["): value = .array(try elements(depth: depth))
    case UInt8(ascii: "\""): value = .string(try string())
    default: value = try word()
    }
    return LocatedJSON(value: value, range: SourceRange(start, index))
  }

  private mutating func members(depth: Int) throws(Diagnostic) -> [LocatedJSON.Member] {
    index += 1
    var members: [LocatedJSON.Member] = []
    while true {
      skipSpace()
      if byte == UInt8(ascii: "}") {  // also after a trailing comma
        index += 1
        return members
      }
      guard byte == UInt8(ascii: "\"") else {
        throw failure("expected a metric or kernel name in quotes, found \(found)")
      }
      let keyStart = index
      let key = try string()
      let keyRange = SourceRange(keyStart, index)
      skipSpace()
      guard byte == UInt8(ascii: ":") else { throw failure("expected ':', found \(found)") }
      index += 1
      members.append(
        LocatedJSON.Member(key: key, keyRange: keyRange, value: try value(depth: depth + 1)))
      skipSpace()
      if byte == UInt8(ascii: ",") {
        index += 1
      } else if byte != UInt8(ascii: "}") {
        throw failure("expected ',' or '}', found \(found)")
      }
    }
  }

  private mutating func elements(depth: Int) throws(Diagnostic) -> [LocatedJSON] {
    index += 1
    var elements: [LocatedJSON] = []
    while true {
      skipSpace()
      if byte == UInt8(ascii: "]") {
        index += 1
        return elements
      }
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if byte == UInt8(ascii: ",") {
        index += 1
      } else if byte != UInt8(ascii: "]") {
        throw failure("expected ',' or ']', found \(found)")
      }
    }
  }

  private mutating func string() throws(Diagnostic) -> String {
    let start = index
    index += 1
    var bytes: [UInt8] = []
    while let byte {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"):
        try escape(into: &bytes)
      case 0x0A, 0x0D:
        throw failure("string is not closed on its line", at: start)
      default:
        bytes.append(byte)
        index += 1
      }
    }
    throw failure("string is never closed", at: start)
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(Diagnostic) {
    let start = index
    index += 1
    guard let letter = byte else { throw failure("string is never closed", at: start) }
    index += 1
    switch letter {
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
    case UInt8(ascii: "u"):
      var code = try hex4(start)
      if (0xD800..<0xDC00).contains(code), byte == UInt8(ascii: "\\"), index + 1 < end,
        source.bytes[index + 1] == UInt8(ascii: "u")
      {
        let pair = index
        index += 2
        let low = try hex4(start)
        if (0xDC00..<0xE000).contains(low) {
          code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        } else {
          index = pair
        }
      }
      let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
      bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
    default:
      throw failure("unknown escape in a string", at: start)
    }
  }

  private mutating func hex4(_ start: Int) throws(Diagnostic) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("unknown escape in a string", at: start)
      }
      code = code << 4 | UInt32(digit)
      index += 1
    }
    return code
  }

  /// `true`, `null`, a number, or Python's `NaN`, `Infinity`, `None`.
  private mutating func word() throws(Diagnostic) -> LocatedJSON.Value {
    let start = index
    while let byte,
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        || byte == UInt8(ascii: "_")
    {
      index += 1
    }
    let text = source.text(in: SourceRange(start, index))
    switch text {
    case "null", "None", "NaN", "nan": return .null
    case "true", "True": return .bool(true)
    case "false", "False": return .bool(false)
    case "Infinity", "inf": return .number(.infinity)
    case "-Infinity", "-inf": return .number(-.infinity)
    case "":
      throw failure("expected a JSON value, found \(found)")
    default:
      guard let first = text.utf8.first,
        (0x30...0x39).contains(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "."),
        !text.contains("x"), !text.contains("X"), let number = Double(text)
      else {
        index = start
        throw failure("'\(text.prefix(40))' is not a JSON value")
      }
      return .number(number)
    }
  }
}
