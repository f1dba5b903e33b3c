extension LibdeviceTable {
  static let integers: LibdeviceEntries = [
    ("__nv_clz", .unary { (x: Int32) in Int32(truncatingIfNeeded: x.leadingZeroBitCount) }),
    ("__nv_clzll", .unary { (x: Int64) in Int32(truncatingIfNeeded: x.leadingZeroBitCount) }),
    ("__nv_popc", .unary { (x: Int32) in Int32(truncatingIfNeeded: x.nonzeroBitCount) }),
    ("__nv_popcll", .unary { (x: Int64) in Int32(truncatingIfNeeded: x.nonzeroBitCount) }),
    ("__nv_ffs", .unary { (x: Int32) in firstSet(x) }),
    ("__nv_ffsll", .unary { (x: Int64) in firstSet(x) }),
    ("__nv_brev", .unary { (x: Int32) in reversed(x) }),
    ("__nv_brevll", .unary { (x: Int64) in reversed(x) }),
    ("__nv_byte_perm", .ternary { (x: Int32, y: Int32, s: Int32) in bytePermutation(x, y, s) }),
    ("__nv_mulhi", .binary { (x: Int32, y: Int32) in ElementMath.highProduct(x, y) }),
    ("__nv_umulhi", .binary { (x: UInt32, y: UInt32) in ElementMath.highProduct(x, y) }),
    ("__nv_mul64hi", .binary { (x: Int64, y: Int64) in ElementMath.highProduct(x, y) }),
    ("__nv_umul64hi", .binary { (x: UInt64, y: UInt64) in ElementMath.highProduct(x, y) }),
    ("__nv_mul24", .binary { (x: Int32, y: Int32) in ((x &<< 8) &>> 8) &* ((y &<< 8) &>> 8) }),
    ("__nv_umul24", .binary { (x: UInt32, y: UInt32) in (x & 0xFF_FFFF) &* (y & 0xFF_FFFF) }),
    (
      "__nv_sad",
      .ternary { (x: Int32, y: Int32, z: UInt32) in
        Int32(bitPattern: UInt32(bitPattern: x > y ? x &- y : y &- x) &+ z)
      }
    ),
    ("__nv_usad", .ternary { (x: UInt32, y: UInt32, z: UInt32) in (x > y ? x &- y : y &- x) &+ z }),
    ("__nv_hadd", .binary { (x: Int32, y: Int32) in (x & y) &+ ((x ^ y) &>> 1) }),
    ("__nv_rhadd", .binary { (x: Int32, y: Int32) in (x | y) &- ((x ^ y) &>> 1) }),
    ("__nv_uhadd", .binary { (x: UInt32, y: UInt32) in (x & y) &+ ((x ^ y) &>> 1) }),
    ("__nv_urhadd", .binary { (x: UInt32, y: UInt32) in (x | y) &- ((x ^ y) &>> 1) }),
    ("__nv_abs", .unary { (x: Int32) in x < 0 ? 0 &- x : x }),
    ("__nv_llabs", .unary { (x: Int64) in x < 0 ? 0 &- x : x }),
    ("__nv_min", .binary { (x: Int32, y: Int32) in min(x, y) }),
    ("__nv_max", .binary { (x: Int32, y: Int32) in max(x, y) }),
    ("__nv_umin", .binary { (x: UInt32, y: UInt32) in min(x, y) }),
    ("__nv_umax", .binary { (x: UInt32, y: UInt32) in max(x, y) }),
    ("__nv_llmin", .binary { (x: Int64, y: Int64) in min(x, y) }),
    ("__nv_llmax", .binary { (x: Int64, y: Int64) in max(x, y) }),
    ("__nv_ullmin", .binary { (x: UInt64, y: UInt64) in min(x, y) }),
    ("__nv_ullmax", .binary { (x: UInt64, y: UInt64) in max(x, y) }),
  ]

  /// 1 + the lowest set bit's index; 0 for 0.
  private static func firstSet<I: FixedWidthInteger>(_ x: I) -> Int32 {
    x == 0 ? 0 : Int32(truncatingIfNeeded: x.trailingZeroBitCount &+ 1)
  }

  private static func reversed<I: FixedWidthInteger>(_ x: I) -> I {
    var result: I = 0
    for bit in 0..<I.bitWidth where x & (1 &<< I(truncatingIfNeeded: bit)) != 0 {
      result |= 1 &<< I(truncatingIfNeeded: I.bitWidth &- 1 &- bit)
    }
    return result
  }

  /// Four of the eight bytes of y:x, each picked by the low three bits of a nibble of `s`.
  private static func bytePermutation(_ x: Int32, _ y: Int32, _ s: Int32) -> Int32 {
    let bytes = UInt64(UInt32(bitPattern: y)) &<< 32 | UInt64(UInt32(bitPattern: x))
    let selectors = UInt32(bitPattern: s)
    var result: UInt32 = 0
    for index in 0..<4 as Range<UInt32> {
      let selector = UInt64((selectors &>> (4 &* index)) & 7)
      let byte = UInt32(truncatingIfNeeded: (bytes &>> (8 &* selector)) & 0xFF)
      result |= byte &<< (8 &* index)
    }
    return Int32(bitPattern: result)
  }
}
