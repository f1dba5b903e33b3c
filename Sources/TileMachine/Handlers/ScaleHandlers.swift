/// The formats that only `tl.dot_scaled` knows: 4-bit floats in pairs, and scales that are powers
/// of two (OCP Microscaling Formats 1.0, sections 5.3.3 and 5.4.1).
enum ScaleHandlers {
  /// e2m1 by its three low bits; the fourth is the sign.
  private static func e2m1(_ bits: UInt8) -> Float {
    let exponent = (bits >> 1) & 3
    let magnitude: Float =
      exponent == 0
      ? Float(bits & 1) * 0.5
      : Float(sign: .plus, exponent: Int(exponent) - 1, significand: bits & 1 == 0 ? 1 : 1.5)
    return bits & 8 == 0 ? magnitude : -magnitude
  }

  /// Every byte gives two lanes, that of its low half first.
  static let unpackE2M1: Handler = { frame, instruction in
    let i = instruction.pointee
    let a = frame.pointee.byte(i.a)
    let d = frame.pointee.float(i.d)
    for lane in 0..<i.n {
      d[lane &* 2] = e2m1(a[lane])
      d[lane &* 2 &+ 1] = e2m1(a[lane] >> 4)
    }
  }

  /// 2^(bits - 127); 255 is NaN.
  static let decodeE8M0: Handler = { frame, instruction in
    let i = instruction.pointee
    let a = frame.pointee.byte(i.a)
    let d = frame.pointee.float(i.d)
    for lane in 0..<i.n {
      let bits = a[lane]
      d[lane] =
        bits == 255
        ? .nan : Float(bitPattern: bits == 0 ? 0x0040_0000 : UInt32(bits) &<< 23)
    }
  }
}
