import Diagnostics

/// How the bytes of a source stand for characters (PEP 263).
enum SourceEncoding: Equatable {
  case utf8
  case ascii
  case latin1
  case table(CharacterTable)
  /// A cookie that names a codec we do not have.
  case unknown(String)

  /// What a file starts with: its byte-order mark and coding cookie.
  struct Detection {
    var encoding: SourceEncoding
    /// Where text starts: behind the byte-order mark.
    var start: Int
    /// The cookie's name, for messages.
    var cookieRange: SourceRange?
    var hasMark: Bool
  }

  /// Finds byte-order mark and cookie: a comment in the first two lines that matches PEP 263's
  /// `^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`; the second line counts only if the first is blank
  /// or a comment.
  static func detect(_ bytes: SourceBytes) -> Detection {
    let hasMark = bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    let start = hasMark ? 3 : 0
    var result = Detection(encoding: .utf8, start: start, cookieRange: nil, hasMark: hasMark)
    var index = start
    for _ in 0..<2 {
      while bytes[index] == 0x20 || bytes[index] == 0x09 || bytes[index] == 0x0C { index += 1 }
      let isComment = bytes[index] == 0x23
      let lower = index
      while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
      if isComment {
        if let range = cookie(bytes, lower, index) {
          result.cookieRange = range
          result.encoding = named(bytes.string(range.lower, range.upper))
          return result
        }
      } else if index > lower {
        return result
      }
      if index >= bytes.count { return result }
      index += bytes[index] == 0x0D && bytes[index + 1] == 0x0A ? 2 : 1
    }
    return result
  }

  private static func cookie(_ bytes: SourceBytes, _ lower: Int, _ upper: Int) -> SourceRange? {
    var index = lower
    while index + 6 < upper {
      if bytes[index] == 0x63, bytes.match(index, "coding"),
        bytes[index + 6] == 0x3A || bytes[index + 6] == 0x3D
      {
        var start = index + 7
        while start < upper, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        var end = start
        while end < upper, isCookieByte(bytes[end]) { end += 1 }
        if end > start { return SourceRange(start, end) }
      }
      index += 1
    }
    return nil
  }

  private static func isCookieByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x5F, 0x2E: true
    default: false
    }
  }

  /// Whether a codec name is `utf-8` or `utf-8-…` itself, in any case, rather than an alias.
  static func isPlainUTF8(_ name: String) -> Bool {
    let key = String(name.lowercased().unicodeScalars.map { $0 == "_" ? "-" : Character($0) })
    return key == "utf-8" || key.hasPrefix("utf-8-")
  }

  /// The encoding of a codec name, with CPython's aliases.
  private static func named(_ name: String) -> SourceEncoding {
    let key = String(
      name.lowercased().unicodeScalars.map { $0 == "_" ? "-" : Character($0) })
    switch key {
    case "utf-8", "utf8", "u8", "utf", "utf8-ucs2", "utf8-ucs4", "cp65001", "utf-8-sig":
      return .utf8
    case "ascii", "us-ascii", "646", "ansi-x3.4-1968", "iso646-us", "us", "cp367", "ibm367":
      return .ascii
    case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "8859", "cp819", "ibm819", "l1",
      "latin", "iso-ir-100", "iso8859":
      return .latin1
    case "iso-8859-15", "iso8859-15", "latin-9", "latin9", "l9": return .table(.latin9)
    case "cp1252", "windows-1252", "1252": return .table(.windows1252)
    case "koi8-r", "cskoi8r": return .table(.koi8r)
    default:
      if key.hasPrefix("utf-8-") { return .utf8 }
      if key.hasPrefix("latin-1-") || key.hasPrefix("iso-8859-1-") { return .latin1 }
      if key.hasPrefix("iso-latin-1") { return .latin1 }
      return .unknown(name)
    }
  }

  /// The character at `index` with its length in bytes; nil where the bytes are no text.
  func scalar(in bytes: SourceBytes, at index: Int) -> (Unicode.Scalar, Int)? {
    let byte = bytes[index]
    if byte < 0x80 { return (Unicode.Scalar(byte), 1) }
    switch self {
    case .utf8: return Self.utf8Scalar(bytes, index)
    case .ascii, .unknown: return nil
    case .latin1: return (Unicode.Scalar(byte), 1)
    case .table(let table):
      let value = table.points[Int(byte) - 0x80]
      return value == 0 ? nil : Unicode.Scalar(UInt32(value)).map { ($0, 1) }
    }
  }

  /// Decodes one UTF-8 sequence; nil for overlong forms, surrogates and stray bytes.
  static func utf8Scalar(_ bytes: SourceBytes, _ index: Int) -> (Unicode.Scalar, Int)? {
    let first = bytes[index]
    let second = bytes[index + 1]
    func continues(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
    switch first {
    case 0xC2...0xDF:
      guard continues(second) else { return nil }
      let value = UInt32(first & 0x1F) << 6 | UInt32(second & 0x3F)
      return Unicode.Scalar(value).map { ($0, 2) }
    case 0xE0...0xEF:
      let third = bytes[index + 2]
      guard continues(second), continues(third) else { return nil }
      let value =
        UInt32(first & 0x0F) << 12 | UInt32(second & 0x3F) << 6 | UInt32(third & 0x3F)
      return value < 0x800 ? nil : Unicode.Scalar(value).map { ($0, 3) }
    case 0xF0...0xF4:
      let third = bytes[index + 2]
      let fourth = bytes[index + 3]
      guard continues(second), continues(third), continues(fourth) else { return nil }
      let value =
        UInt32(first & 0x07) << 18 | UInt32(second & 0x3F) << 12 | UInt32(third & 0x3F) << 6
        | UInt32(fourth & 0x3F)
      return value < 0x10000 ? nil : Unicode.Scalar(value).map { ($0, 4) }
    default: return nil
    }
  }

  /// The offset of the first byte that is no text in this encoding.
  func firstInvalidByte(in bytes: SourceBytes, from start: Int) -> Int? {
    var index = start
    while index < bytes.count {
      if bytes[index] < 0x80 {
        index += 1
        continue
      }
      guard let (_, length) = scalar(in: bytes, at: index) else { return index }
      index += length
    }
    return nil
  }
}
