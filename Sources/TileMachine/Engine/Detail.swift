/// What an instruction needs beyond its own fields. Offsets are bytes in the arena; -1: absent.
struct Detail: Sendable {
  /// A tile operand of a memory access: where it is, and how it moves per row and per lane (bytes).
  struct Part: Sendable {
    var offset = -1
    var row = 0
    var lane = 0
    var isPresent: Bool { offset >= 0 }
  }
  /// Addresses are `rowBase[r] + columns[i] + offsets[r, i] * scale`.
  var rowBase = Part()
  var columns = Part()
  var offsets = Part()
  /// Bytes of one lane of `offsets` (4 or 8).
  var offsetBytes = 4
  var offsetScale = 1
  var mask = Part()
  var other = Part()
  var value = Part()
  var result = Part()
  /// Sizes and strides (bytes) of a general copy, a reduction, …
  var sizes: [Int] = []
  var strides: [Int] = []
  var more: [Int] = []
  /// Multiply-adds of a matrix product.
  var products = 0
  var text = ""
}
