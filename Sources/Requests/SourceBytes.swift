import Diagnostics

/// Checks that hold for every input before anything in it is read.
public enum SourceBytes {
  /// The largest input that is read, bytes.
  public static let limit = 8 << 20

  /// - Parameter surroundings: what is known of the files around it.
  /// - Throws: a `Diagnostic` if the bytes are too many or not UTF-8.
  /// - Complexity: O(n).
  public static func check(
    _ bytes: [UInt8], name: String, surroundings: (any SourceSurroundings)? = nil
  ) throws(Diagnostic) -> SourceText {
    guard bytes.count <= limit else { throw tooLarge(name: name, bytes: bytes.count) }
    if let offset = firstInvalid(bytes) {
      // Show the place in what can be shown: the valid part before it.
      let head = SourceText(name: name, bytes: Array(bytes[..<offset]) + Array("\u{FFFD}".utf8))
      let isUTF16 = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
      throw Diagnostic(
        id: "not-utf8",
        isUTF16 ? "this is UTF-16, not UTF-8" : "byte 0x\(hex(bytes[offset])) is not UTF-8",
        source: head, range: SourceRange(offset, offset + 1),
        nextStep: isUTF16
          ? "save the file as UTF-8" : "give a text file in UTF-8; is this the right file?")
    }
    return SourceText(name: name, bytes: bytes, surroundings: surroundings)
  }

  /// The error for an input of so many bytes (nil: more than could be read).
  public static func tooLarge(name: String, bytes: Int?) -> Diagnostic {
    let size = bytes.map { " (\($0 / 1_000_000) MB)" } ?? ""
    return Diagnostic(
      id: "too-large", "\(name) is too large to be a request\(size)",
      nextStep: "inputs up to \(limit >> 20) MiB are read; give the request alone")
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count == 1 ? "0" + digits : digits
  }

  /// The offset of the first byte that is not part of well-formed UTF-8.
  static func firstInvalid(_ bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBufferPointer { buffer in
      var index = 0
      let count = buffer.count
      while index < count {
        let lead = buffer[index]
        if lead < 0x80 {
          index += 1
          continue
        }
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
          length = 3
          if lead == 0xE0 { low = 0xA0 }
          if lead == 0xED { high = 0x9F }
        case 0xF0...0xF4:
          length = 4
          if lead == 0xF0 { low = 0x90 }
          if lead == 0xF4 { high = 0x8F }
        default: return index
        }
        guard index + length <= count, buffer[index + 1] >= low, buffer[index + 1] <= high else {
          return index
        }
        for offset in 2..<max(2, length) where buffer[index + offset] & 0xC0 != 0x80 {
          return index
        }
        index += length
      }
      return nil
    }
  }
}
