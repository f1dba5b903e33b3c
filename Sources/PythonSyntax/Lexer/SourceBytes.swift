import Diagnostics

/// The one place where this target touches unsafe memory: the bytes of a source and the tokens cut
/// from it, valid while the parse runs. Reading past the end gives zero, so scanners need no checks.
struct SourceBytes {
  private let base: UnsafePointer<UInt8>?
  let count: Int

  init(_ buffer: UnsafeBufferPointer<UInt8>) {
    base = buffer.baseAddress
    count = buffer.count
  }

  @inline(__always)
  subscript(_ index: Int) -> UInt8 {
    guard index < count, let base else { return 0 }
    assert(index >= 0, "read before the start of the source")
    return base[index]
  }

  /// Whether the ASCII text stands at `lower`.
  @inline(__always)
  func match(_ lower: Int, _ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    guard lower >= 0, lower + length <= count, let base else { return false }
    let wanted = text.utf8Start
    for index in 0..<length where base[lower + index] != wanted[index] { return false }
    return true
  }

  /// Whether two ranges of equal length hold the same bytes.
  @inline(__always)
  func equal(_ left: Int, _ right: Int, length: Int) -> Bool {
    guard let base, left >= 0, right >= 0, left + length <= count, right + length <= count else {
      return length == 0
    }
    for index in 0..<length where base[left + index] != base[right + index] { return false }
    return true
  }

  /// The bytes of a range as a string; what is not UTF-8 is replaced.
  @inline(__always)
  func string(_ lower: Int, _ upper: Int) -> String {
    guard let base, lower >= 0, lower < upper, upper <= count else { return "" }
    return String(
      decoding: UnsafeBufferPointer(start: base + lower, count: upper - lower), as: UTF8.self)
  }

  /// The bytes of a range.
  func array(_ lower: Int, _ upper: Int) -> [UInt8] {
    guard let base, lower >= 0, lower < upper, upper <= count else { return [] }
    return Array(UnsafeBufferPointer(start: base + lower, count: upper - lower))
  }

  /// The first position in `from..<to` of either byte, or `to`.
  @inline(__always)
  func firstIndex(of byte: UInt8, from: Int, to: Int) -> Int {
    guard let base else { return to }
    var index = from
    let end = min(to, count)
    while index < end, base[index] != byte { index += 1 }
    return index < end ? index : to
  }

  /// A hash of the bytes of a short range (FNV-1a over 64 bits).
  @inline(__always)
  func hash(_ lower: Int, _ upper: Int) -> UInt64 {
    guard let base, lower >= 0, upper <= count else { return 0 }
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    var index = lower
    while index < upper {
      value = (value ^ UInt64(base[index])) &* 0x0000_0100_0000_01B3
      index += 1
    }
    return value ^ (value >> 29)
  }
}

/// The tokens of a parse, read without bounds checks in release builds.
struct TokenBuffer {
  private let base: UnsafePointer<Token>
  let count: Int

  /// - Precondition: the buffer is not empty and its last token is `.endOfFile`.
  init?(_ buffer: UnsafeBufferPointer<Token>) {
    guard let base = buffer.baseAddress, let last = buffer.last, last.kind == .endOfFile else {
      return nil
    }
    self.base = base
    self.count = buffer.count
  }

  /// The token at `index`, or the end of file for an index past it.
  @inline(__always)
  subscript(_ index: Int) -> Token {
    assert(index >= 0, "read before the first token")
    return base[index < count ? index : count - 1]
  }
}
