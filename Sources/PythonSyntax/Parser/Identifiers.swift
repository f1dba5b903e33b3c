import Foundation

/// Identifiers as Python sees them: in Unicode's normal form NFKC (PEP 3131).
enum Identifiers {
  static func normalized(
    _ bytes: SourceBytes, _ lower: Int, _ upper: Int, _ encoding: SourceEncoding
  ) -> String {
    var isASCII = true
    for index in lower..<upper where bytes[index] >= 0x80 { isASCII = false }
    if isASCII { return bytes.string(lower, upper) }
    return encoding.decode(bytes, lower, upper).precomposedStringWithCompatibilityMapping
  }
}

extension SourceEncoding {
  /// The text of a range; bytes that are none are replaced by U+FFFD.
  func decode(_ bytes: SourceBytes, _ lower: Int, _ upper: Int) -> String {
    if self == .utf8 { return bytes.string(lower, upper) }
    var scalars = String.UnicodeScalarView()
    var index = lower
    while index < upper {
      if let (scalar, length) = scalar(in: bytes, at: index) {
        scalars.append(scalar)
        index += length
      } else {
        scalars.append("\u{FFFD}")
        index += 1
      }
    }
    return String(scalars)
  }
}
