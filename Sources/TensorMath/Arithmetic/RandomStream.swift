import Foundation

/// Numbers that depend on nothing but (seed, stream, index): Philox4x32-10 of Salmon et al.,
/// "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), with the published constants.
struct RandomStream: Sendable {
  let seed: UInt64
  let stream: UInt64

  /// 128 random bits for one index.
  @inline(__always)
  func bits(_ index: UInt64) -> (UInt64, UInt64) {
    var (c0, c1) = (UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32))
    var (c2, c3) = (UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
    var (k0, k1) = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    for _ in 0..<10 {
      let a = UInt64(c0) &* 0xD251_1F53
      let b = UInt64(c2) &* 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: b >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: a)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (UInt64(c0) << 32 | UInt64(c1), UInt64(c2) << 32 | UInt64(c3))
  }

  /// Uniform in [0, 1): a multiple of 2^-`digits`.
  @inline(__always)
  func uniform(_ index: Int, digits: Int) -> Double {
    let raw = bits(UInt64(truncatingIfNeeded: index)).0
    return Double(raw >> UInt64(64 - digits)) * exp2(-Double(digits))
  }

  /// Fills with standard normal numbers, by Box and Muller's method: two from each 128 bits.
  func fillNormal(_ numbers: Reals) {
    var index = 0
    while index < numbers.count {
      let (a, b) = bits(UInt64(truncatingIfNeeded: index / 2))
      // In (0, 1], so that the logarithm is finite.
      let radius = (-2 * log(Double((a >> 11) + 1) * 0x1p-53)).squareRoot()
      let angle = 2 * Double.pi * (Double(b >> 11) * 0x1p-53)
      numbers.base[index] = radius * cos(angle)
      if index + 1 < numbers.count { numbers.base[index + 1] = radius * sin(angle) }
      index += 2
    }
  }

  /// Uniform among `range` values from 0; the multiply-shift method, whose bias is below range/2⁶⁴.
  @inline(__always)
  func integer(_ index: Int, below range: UInt64) -> UInt64 {
    bits(UInt64(truncatingIfNeeded: index)).0.multipliedFullWidth(by: range).high
  }
}
