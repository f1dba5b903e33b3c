import Foundation

extension LibdeviceTable {
  /// What looks at or builds floats from their parts, and fused multiply-add.
  static let arithmetic: LibdeviceEntries = [
    ("__nv_fmaf", .ternary { (a: Float, b: Float, c: Float) in c.addingProduct(a, b) }),
    ("__nv_fma", .ternary { (a: Double, b: Double, c: Double) in c.addingProduct(a, b) }),
    ("__nv_fast_fdividef", .binary { (a: Float, b: Float) in a / b }),
    ("__nv_saturatef", .unary { (x: Float) in x > 0 ? (x > 1 ? 1 : x) : Float(0) }),
    // The upper word of the reciprocal; the lower is zero.
    (
      "__nv_rcp64h",
      .unary { (x: Double) in
        let inverse = 1 / x
        if inverse.isSubnormal { return Double(signOf: x, magnitudeOf: 0) }
        return inverse.isNaN
          ? .nan : Double(bitPattern: inverse.bitPattern & 0xFFFF_FFFF_0000_0000)
      }
    ),
    ("__nv_copysignf", .binary { Float(signOf: $1, magnitudeOf: $0) }),
    ("__nv_copysign", .binary { Double(signOf: $1, magnitudeOf: $0) }),
    ("__nv_nextafterf", .binary { (x: Float, y: Float) in next(x, y) }),
    ("__nv_nextafter", .binary { (x: Double, y: Double) in next(x, y) }),
    (
      "__nv_ldexpf", .binary { (x: Float, n: Int32) in Float(Foundation.scalbn(Double(x), Int(n))) }
    ),
    (
      "__nv_scalbnf",
      .binary { (x: Float, n: Int32) in Float(Foundation.scalbn(Double(x), Int(n))) }
    ),
    ("__nv_ldexp", .binary { (x: Double, n: Int32) in Foundation.scalbn(x, Int(n)) }),
    ("__nv_scalbn", .binary { (x: Double, n: Int32) in Foundation.scalbn(x, Int(n)) }),
    ("__nv_ilogbf", .unary { (x: Float) in exponent(x) }),
    ("__nv_ilogb", .unary { (x: Double) in exponent(x) }),
    ("__nv_logbf", .unary { (x: Float) in floatExponent(x) }),
    ("__nv_logb", .unary { (x: Double) in floatExponent(x) }),
    ("__nv_llrintf", .unary { (x: Float) in saturatingInt64(Double(x).rounded(.toNearestOrEven)) }),
    ("__nv_llrint", .unary { (x: Double) in saturatingInt64(x.rounded(.toNearestOrEven)) }),
    ("__nv_llroundf", .unary { (x: Float) in saturatingInt64(Double(x).rounded()) }),
    ("__nv_llround", .unary { (x: Double) in saturatingInt64(x.rounded()) }),
    ("__nv_isnanf", .unary { (x: Float) in flag(x.isNaN) }),
    ("__nv_isnand", .unary { (x: Double) in flag(x.isNaN) }),
    ("__nv_isinff", .unary { (x: Float) in flag(x.isInfinite) }),
    ("__nv_isinfd", .unary { (x: Double) in flag(x.isInfinite) }),
    ("__nv_finitef", .unary { (x: Float) in flag(x.isFinite) }),
    ("__nv_isfinited", .unary { (x: Double) in flag(x.isFinite) }),
    ("__nv_signbitf", .unary { (x: Float) in flag(x.sign == .minus) }),
    ("__nv_signbitd", .unary { (x: Double) in flag(x.sign == .minus) }),
    ("__nv_int_as_float", .unary { (x: Int32) in Float(bitPattern: UInt32(bitPattern: x)) }),
    ("__nv_uint_as_float", .unary { (x: UInt32) in Float(bitPattern: x) }),
    ("__nv_float_as_int", .unary { (x: Float) in Int32(bitPattern: x.bitPattern) }),
    ("__nv_float_as_uint", .unary { (x: Float) in x.bitPattern }),
    ("__nv_longlong_as_double", .unary { (x: Int64) in Double(bitPattern: UInt64(bitPattern: x)) }),
    ("__nv_double_as_longlong", .unary { (x: Double) in Int64(bitPattern: x.bitPattern) }),
    (
      "__nv_hiloint2double",
      .binary { (high: Int32, low: Int32) in
        let upper = UInt64(UInt32(bitPattern: high)) &<< 32
        return Double(bitPattern: upper | UInt64(UInt32(bitPattern: low)))
      }
    ),
    ("__nv_double2loint", .unary { (x: Double) in Int32(truncatingIfNeeded: x.bitPattern) }),
    ("__nv_double2hiint", .unary { (x: Double) in Int32(truncatingIfNeeded: x.bitPattern &>> 32) }),
  ]

  private static func flag(_ condition: Bool) -> Int32 { condition ? 1 : 0 }

  private static func next<T: RoundedFloat>(_ x: T, _ y: T) -> T {
    if x.isNaN || y.isNaN { return .nan }
    if x == y { return y }
    if x == 0 { return T(signOf: y, magnitudeOf: .leastNonzeroMagnitude) }
    return x < y ? x.nextUp : x.nextDown
  }

  /// CUDA's: the smallest integer for 0 and NaN, the largest for infinities.
  private static func exponent<T: RoundedFloat>(_ x: T) -> Int32 {
    if x == 0 || x.isNaN { return .min }
    return x.isInfinite ? .max : Int32(truncatingIfNeeded: Int(x.exponent))
  }

  private static func floatExponent<T: RoundedFloat>(_ x: T) -> T {
    if x == 0 { return -.infinity }
    if x.isNaN { return x }
    return x.isInfinite ? .infinity : T(Int(x.exponent))
  }
}
