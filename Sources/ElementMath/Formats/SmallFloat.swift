/// The constants of a floating format narrower than fp32, and the conversions they imply, one lane
/// at a time and without branches.
protocol SmallFloat {
  /// The type of the stored bits.
  associatedtype Raw: FixedWidthInteger & UnsignedInteger
  static var mantissaBits: UInt32 { get }
  static var bias: UInt32 { get }
  /// The largest finite value, as fp32 bits.
  static var largest: UInt32 { get }
  static var special: SpecialValues { get }
}

/// What a format does with infinities and NaN.
enum SpecialValues {
  /// As IEEE: exponent all ones.
  case ieee
  /// As IEEE, and a round to nearest saturates, infinities too: PTX `cvt.rn.satfinite.e5m2x2`.
  case ieeeSaturating
  /// No infinity, NaN is all ones: saturates (PTX `cvt.rn.satfinite.e4m3x2`).
  case allOnesNaN
  /// Neither infinity nor negative zero; NaN is the sign bit alone. Saturates.
  case signBitNaN
  /// Every pattern is finite; NaN and infinities saturate. Ties round away from zero.
  case finiteOnly
}

enum Half: SmallFloat {
  typealias Raw = UInt16
  @inline(__always) static var mantissaBits: UInt32 { 10 }
  @inline(__always) static var bias: UInt32 { 15 }
  @inline(__always) static var largest: UInt32 { 0x477F_E000 }  // 65504
  @inline(__always) static var special: SpecialValues { .ieee }
}

enum BrainFloat: SmallFloat {
  typealias Raw = UInt16
  @inline(__always) static var mantissaBits: UInt32 { 7 }
  @inline(__always) static var bias: UInt32 { 127 }
  @inline(__always) static var largest: UInt32 { 0x7F7F_0000 }
  @inline(__always) static var special: SpecialValues { .ieee }
}

/// E5M2.
enum Float8E5: SmallFloat {
  typealias Raw = UInt8
  @inline(__always) static var mantissaBits: UInt32 { 2 }
  @inline(__always) static var bias: UInt32 { 15 }
  @inline(__always) static var largest: UInt32 { 0x4760_0000 }  // 57344
  @inline(__always) static var special: SpecialValues { .ieeeSaturating }
}

/// E4M3FN.
enum Float8E4NV: SmallFloat {
  typealias Raw = UInt8
  @inline(__always) static var mantissaBits: UInt32 { 3 }
  @inline(__always) static var bias: UInt32 { 7 }
  @inline(__always) static var largest: UInt32 { 0x43E0_0000 }  // 448
  @inline(__always) static var special: SpecialValues { .allOnesNaN }
}

/// Triton's own E4M3 with bias 15. Encodes at most 1.75 although 0x7F decodes to 1.875
/// (`triton.language.extra.cuda.utils.convert_float16_to_fp8e4b15`).
enum Float8E4B15: SmallFloat {
  typealias Raw = UInt8
  @inline(__always) static var mantissaBits: UInt32 { 3 }
  @inline(__always) static var bias: UInt32 { 15 }
  @inline(__always) static var largest: UInt32 { 0x3FE0_0000 }  // 1.75
  @inline(__always) static var special: SpecialValues { .finiteOnly }
}

/// E4M3FNUZ.
enum Float8E4B8: SmallFloat {
  typealias Raw = UInt8
  @inline(__always) static var mantissaBits: UInt32 { 3 }
  @inline(__always) static var bias: UInt32 { 8 }
  @inline(__always) static var largest: UInt32 { 0x4370_0000 }  // 240
  @inline(__always) static var special: SpecialValues { .signBitNaN }
}

/// E5M2FNUZ.
enum Float8E5B16: SmallFloat {
  typealias Raw = UInt8
  @inline(__always) static var mantissaBits: UInt32 { 2 }
  @inline(__always) static var bias: UInt32 { 16 }
  @inline(__always) static var largest: UInt32 { 0x4760_0000 }  // 57344
  @inline(__always) static var special: SpecialValues { .signBitNaN }
}

private let signBit: UInt32 = 0x8000_0000
private let infinityBits: UInt32 = 0x7F80_0000

/// `a > b` for bit patterns below 2³¹; SSE2 compares signed integers only.
@inline(__always)
private func exceeds(_ a: UInt32, _ b: UInt32) -> Bool {
  Int32(truncatingIfNeeded: a) > Int32(truncatingIfNeeded: b)
}

extension SmallFloat {
  /// The bits of fp32's mantissa that the format lacks.
  @inline(__always) static var shift: UInt32 { 23 &- mantissaBits }
  /// The format's smallest normal number, as fp32 bits.
  @inline(__always) static var smallestNormal: UInt32 { (128 &- bias) &<< 23 }
  /// 2^(e-m+23): adding it aligns a subnormal's last bit with fp32's last bit.
  @inline(__always) static var aligner: Float {
    Float(bitPattern: (128 &- bias &- mantissaBits &+ 23) &<< 23)
  }
  @inline(__always) static var magnitudeMask: UInt32 {
    (1 &<< UInt32(truncatingIfNeeded: Raw.bitWidth &- 1)) &- 1
  }

  /// The value of stored bits; exact.
  @inline(__always)
  static func decode(_ raw: Raw) -> Float {
    let bits = UInt32(truncatingIfNeeded: raw)
    let sign = (bits &<< UInt32(truncatingIfNeeded: 32 &- Raw.bitWidth)) & signBit
    let magnitude = bits & magnitudeMask
    let moved = magnitude &<< shift
    if bias == 127 { return Float(bitPattern: sign | moved) }
    let scaled =
      (Float(bitPattern: moved) * Float(bitPattern: (254 &- bias) &<< 23)).bitPattern
    switch special {
    case .ieee, .ieeeSaturating:
      // Infinity and NaN keep their mantissa, so that a load followed by a store moves bits.
      let exponentOnes = (magnitudeMask &>> mantissaBits) &<< mantissaBits
      let wide = moved | infinityBits
      return Float(bitPattern: sign | (exceeds(exponentOnes, magnitude) ? scaled : wide))
    case .allOnesNaN:
      return Float(bitPattern: sign | (magnitude == magnitudeMask ? 0x7FC0_0000 : scaled))
    case .signBitNaN:
      return Float(bitPattern: bits == magnitudeMask &+ 1 ? 0x7FC0_0000 : sign | scaled)
    case .finiteOnly:
      return Float(bitPattern: sign | scaled)
    }
  }

  /// The stored bits of a value of the format; other values give some bits. NaN keeps its sign
  /// and as much of its payload as fits.
  @inline(__always)
  static func encodeExact(_ value: Float) -> Raw {
    let bits = value.bitPattern
    let magnitude = bits & ~signBit
    let sign = (bits & signBit) &>> UInt32(truncatingIfNeeded: 32 &- Raw.bitWidth)
    let normal = (magnitude &- ((127 &- bias) &<< 23)) &>> shift
    var result = normal
    if bias != 127 {
      let aligned = Float(bitPattern: magnitude) + aligner
      let subnormal = aligned.bitPattern & ((2 &<< mantissaBits) &- 1)
      result = exceeds(smallestNormal, magnitude) ? subnormal : normal
    }
    let isNaN = exceeds(magnitude, infinityBits)
    switch special {
    case .ieee, .ieeeSaturating:
      let exponentOnes = (magnitudeMask &>> mantissaBits) &<< mantissaBits
      let quiet: UInt32 = 1 &<< (mantissaBits &- 1)
      let payload = (magnitude &>> shift) & ((1 &<< mantissaBits) &- 1)
      let nan = exponentOnes | (payload == 0 ? quiet : payload)
      result = magnitude == infinityBits ? exponentOnes : result
      result = isNaN ? nan : result
      return Raw(truncatingIfNeeded: result | sign)
    case .allOnesNaN:
      return Raw(truncatingIfNeeded: (isNaN ? magnitudeMask : result) | sign)
    case .signBitNaN:
      let signed = result == 0 ? 0 : result | sign
      return Raw(truncatingIfNeeded: isNaN ? magnitudeMask &+ 1 : signed)
    case .finiteOnly:
      return Raw(truncatingIfNeeded: result | sign)
    }
  }

  /// Bits for NaN after a conversion; a format without NaN gives its largest value.
  @inline(__always) private static func nan(sign: UInt32) -> UInt32 {
    switch special {
    case .finiteOnly: sign | largest
    // PTX's canonical NaN: 0x7FFF for fp16 and bf16, 0x7F for fp8.
    case .ieee, .ieeeSaturating, .allOnesNaN, .signBitNaN: (0x7FFF_FFFF &>> shift) &<< shift
    }
  }

  /// The nearest value of the format, ties to even (fp8e4b15: away from zero).
  @inline(__always)
  static func roundNearest(_ value: Float) -> Float {
    let bits = value.bitPattern
    let magnitude = bits & ~signBit
    let sign = bits & signBit
    let mask: UInt32 = (1 &<< shift) &- 1
    let half: UInt32 = 1 &<< (shift &- 1)
    var result: UInt32
    switch special {
    case .finiteOnly:
      result = (magnitude &+ half) & ~mask
      let small = Float(bitPattern: magnitude)
      let even = (small + aligner) - aligner
      let unit = Float(bitPattern: (128 &- bias &- mantissaBits) &<< 23)
      let away = small - even == unit * 0.5 ? even + unit : even
      result = exceeds(smallestNormal, magnitude) ? away.bitPattern : result
    default:
      result = (magnitude &+ ((magnitude &>> shift) & 1) &+ (half &- 1)) & ~mask
      if bias != 127 {
        let small = (Float(bitPattern: magnitude) + aligner) - aligner
        result = exceeds(smallestNormal, magnitude) ? small.bitPattern : result
      }
    }
    let overflow: UInt32
    if case .ieee = special { overflow = infinityBits } else { overflow = largest }
    result = exceeds(result, largest) ? overflow : result
    var signed = result | sign
    if case .signBitNaN = special { signed = result == 0 ? 0 : signed }
    return Float(bitPattern: exceeds(magnitude, infinityBits) ? nan(sign: sign) : signed)
  }

  /// The next value of the format towards zero. Finite values stay finite; an infinity stays where
  /// the format has one. fp8e4b15 has no such conversion and rounds to nearest.
  @inline(__always)
  static func roundTowardZero(_ value: Float) -> Float {
    if case .finiteOnly = special { return roundNearest(value) }
    let bits = value.bitPattern
    let magnitude = bits & ~signBit
    let sign = bits & signBit
    let mask: UInt32 = (1 &<< shift) &- 1
    var result = magnitude & ~mask
    if bias != 127 {
      let small = Float(bitPattern: magnitude)
      let near = (small + aligner) - aligner
      let unit = Float(bitPattern: (128 &- bias &- mantissaBits) &<< 23)
      let truncated = near > small ? near - unit : near
      result = exceeds(smallestNormal, magnitude) ? truncated.bitPattern : result
    }
    result = exceeds(result, largest) ? largest : result
    switch special {
    case .ieee, .ieeeSaturating: result = magnitude == infinityBits ? infinityBits : result
    default: break
    }
    var signed = result | sign
    if case .signBitNaN = special { signed = result == 0 ? 0 : signed }
    return Float(bitPattern: exceeds(magnitude, infinityBits) ? nan(sign: sign) : signed)
  }
}
