import Foundation

extension LibdeviceTable {
  /// The functions that have vector code.
  static let vectorised: LibdeviceEntries = [
    ("__nv_expf", .floats { ElementMath.exp($0, $1, $2) }),
    ("__nv_fast_expf", .floats { ElementMath.exp($0, $1, $2) }),
    ("__nv_exp2f", .floats { ElementMath.exp2($0, $1, $2) }),
    ("__nv_logf", .floats { ElementMath.log($0, $1, $2) }),
    ("__nv_fast_logf", .floats { ElementMath.log($0, $1, $2) }),
    ("__nv_log2f", .floats { ElementMath.log2($0, $1, $2) }),
    ("__nv_fast_log2f", .floats { ElementMath.log2($0, $1, $2) }),
    ("__nv_sinf", .floats { ElementMath.sin($0, $1, $2) }),
    ("__nv_fast_sinf", .floats { ElementMath.sin($0, $1, $2) }),
    ("__nv_cosf", .floats { ElementMath.cos($0, $1, $2) }),
    ("__nv_fast_cosf", .floats { ElementMath.cos($0, $1, $2) }),
    ("__nv_tanhf", .floats { ElementMath.tanh($0, $1, $2) }),
    ("__nv_erff", .floats { ElementMath.erf($0, $1, $2) }),
    ("__nv_sqrtf", .floats { ElementMath.sqrt($0, $1, $2) }),
    ("__nv_fsqrt_rn", .floats { ElementMath.sqrt($0, $1, $2) }),
    ("__nv_rsqrtf", .floats { ElementMath.rsqrt($0, $1, $2) }),
    ("__nv_frsqrt_rn", .floats { ElementMath.rsqrt($0, $1, $2) }),
    ("__nv_floorf", .floats { ElementMath.floor($0, $1, $2) }),
    ("__nv_ceilf", .floats { ElementMath.ceil($0, $1, $2) }),
    ("__nv_fabsf", .floats { ElementMath.abs($0, $1, $2) }),
    ("__nv_exp", .doubles { ElementMath.exp($0, $1, $2) }),
    ("__nv_exp2", .doubles { ElementMath.exp2($0, $1, $2) }),
    ("__nv_log", .doubles { ElementMath.log($0, $1, $2) }),
    ("__nv_log2", .doubles { ElementMath.log2($0, $1, $2) }),
    ("__nv_sin", .doubles { ElementMath.sin($0, $1, $2) }),
    ("__nv_cos", .doubles { ElementMath.cos($0, $1, $2) }),
    ("__nv_tanh", .doubles { ElementMath.tanh($0, $1, $2) }),
    ("__nv_erf", .doubles { ElementMath.erf($0, $1, $2) }),
    ("__nv_sqrt", .doubles { ElementMath.sqrt($0, $1, $2) }),
    ("__nv_dsqrt_rn", .doubles { ElementMath.sqrt($0, $1, $2) }),
    ("__nv_rsqrt", .doubles { ElementMath.rsqrt($0, $1, $2) }),
    ("__nv_floor", .doubles { ElementMath.floor($0, $1, $2) }),
    ("__nv_ceil", .doubles { ElementMath.ceil($0, $1, $2) }),
    ("__nv_fabs", .doubles { ElementMath.abs($0, $1, $2) }),
  ]

  typealias NamedUnary = (name: String, body: @Sendable (Double) -> Double)
  typealias NamedBinary = (name: String, body: @Sendable (Double, Double) -> Double)

  /// `__nv_namef` on fp32, rounded once, and `__nv_name` on fp64.
  static func pairs(_ functions: [NamedUnary]) -> LibdeviceEntries {
    functions.flatMap { function -> LibdeviceEntries in
      let body = function.body
      return [
        ("__nv_\(function.name)f", .unary { (x: Float) -> Float in Float(body(Double(x))) }),
        ("__nv_\(function.name)", .unary { (x: Double) -> Double in body(x) }),
      ]
    }
  }

  private static let unaries: [NamedUnary] = [
    ("tan", { Foundation.tan($0) }), ("asin", { Foundation.asin($0) }),
    ("acos", { Foundation.acos($0) }), ("atan", { Foundation.atan($0) }),
    ("sinh", { Foundation.sinh($0) }), ("cosh", { Foundation.cosh($0) }),
    ("asinh", { Foundation.asinh($0) }), ("acosh", { Foundation.acosh($0) }),
    ("atanh", { Foundation.atanh($0) }), ("exp10", { Foundation.pow(10, $0) }),
    ("expm1", { Foundation.expm1($0) }), ("log1p", { Foundation.log1p($0) }),
    ("log10", { Foundation.log10($0) }), ("cbrt", { Foundation.cbrt($0) }),
    ("rcbrt", { 1 / Foundation.cbrt($0) }), ("sinpi", { sinpi($0) }), ("cospi", { cospi($0) }),
    ("trunc", { $0.rounded(.towardZero) }), ("round", { $0.rounded() }),
    ("rint", { $0.rounded(.toNearestOrEven) }), ("nearbyint", { $0.rounded(.toNearestOrEven) }),
  ]

  private static let binaries: [NamedBinary] = [
    ("atan2", { Foundation.atan2($0, $1) }), ("pow", { Foundation.pow($0, $1) }),
    ("fmod", { Foundation.fmod($0, $1) }), ("remainder", { Foundation.remainder($0, $1) }),
    ("hypot", { norm([$0, $1]) }), ("rhypot", { 1 / norm([$0, $1]) }),
    ("fdim", { Foundation.fdim($0, $1) }), ("fmax", { Foundation.fmax($0, $1) }),
    ("fmin", { Foundation.fmin($0, $1) }),
  ]

  private static let approximate: LibdeviceEntries = [
    ("__nv_fast_tanf", .unary { (x: Float) -> Float in Float(Foundation.tan(Double(x))) }),
    ("__nv_fast_exp10f", .unary { (x: Float) -> Float in Float(Foundation.pow(10, Double(x))) }),
    ("__nv_fast_log10f", .unary { (x: Float) -> Float in Float(Foundation.log10(Double(x))) }),
    (
      "__nv_fast_powf",
      .binary { (x: Float, y: Float) -> Float in Float(Foundation.pow(Double(x), Double(y))) }
    ),
  ]

  private static let powers: LibdeviceEntries = [
    (
      "__nv_powif",
      .binary { (x: Float, n: Int32) -> Float in Float(Foundation.pow(Double(x), Double(n))) }
    ),
    ("__nv_powi", .binary { (x: Double, n: Int32) -> Double in Foundation.pow(x, Double(n)) }),
  ]

  private static let norms: LibdeviceEntries = [
    (
      "__nv_norm3df",
      .ternary { (x: Float, y: Float, z: Float) -> Float in
        Float(norm([Double(x), Double(y), Double(z)]))
      }
    ),
    (
      "__nv_rnorm3df",
      .ternary { (x: Float, y: Float, z: Float) -> Float in
        Float(1 / norm([Double(x), Double(y), Double(z)]))
      }
    ),
    ("__nv_norm3d", .ternary { (x: Double, y: Double, z: Double) -> Double in norm([x, y, z]) }),
    (
      "__nv_rnorm3d",
      .ternary { (x: Double, y: Double, z: Double) -> Double in 1 / norm([x, y, z]) }
    ),
    (
      "__nv_norm4df",
      .quaternary { (x: Float, y: Float, z: Float, w: Float) -> Float in
        Float(norm([Double(x), Double(y), Double(z), Double(w)]))
      }
    ),
    (
      "__nv_rnorm4df",
      .quaternary { (x: Float, y: Float, z: Float, w: Float) -> Float in
        Float(1 / norm([Double(x), Double(y), Double(z), Double(w)]))
      }
    ),
    (
      "__nv_norm4d",
      .quaternary { (x: Double, y: Double, z: Double, w: Double) -> Double in norm([x, y, z, w]) }
    ),
    (
      "__nv_rnorm4d",
      .quaternary { (x: Double, y: Double, z: Double, w: Double) -> Double in
        1 / norm([x, y, z, w])
      }
    ),
  ]

  /// Foundation's functions and what follows from them in a line.
  static let elementary: LibdeviceEntries =
    pairs(unaries)
    + binaries.flatMap { function -> LibdeviceEntries in
      let body = function.body
      return [
        (
          "__nv_\(function.name)f",
          .binary { (x: Float, y: Float) -> Float in Float(body(Double(x), Double(y))) }
        ),
        ("__nv_\(function.name)", .binary { (x: Double, y: Double) -> Double in body(x, y) }),
      ]
    } + approximate + powers + norms

  /// sin(πx), exactly 0 at integers.
  private static func sinpi(_ x: Double) -> Double {
    let turned = Foundation.remainder(x, 2)
    if turned == 0 { return x == 0 ? x : Double(signOf: x, magnitudeOf: 0) }
    let magnitude = turned.magnitude
    let folded = magnitude > 0.5 ? 1 - magnitude : magnitude
    let value = folded > 0.25 ? Foundation.cos(.pi * (0.5 - folded)) : Foundation.sin(.pi * folded)
    return turned < 0 ? -value : value
  }

  private static func cospi(_ x: Double) -> Double {
    let magnitude = Foundation.remainder(x, 2).magnitude
    let folded = magnitude > 0.5 ? 1 - magnitude : magnitude
    let value = folded > 0.25 ? Foundation.sin(.pi * (0.5 - folded)) : Foundation.cos(.pi * folded)
    return magnitude > 0.5 ? -value : value
  }

  /// The Euclidean norm without overflow on the way; infinite when any coordinate is.
  private static func norm(_ coordinates: [Double]) -> Double {
    var largest = 0.0
    for coordinate in coordinates {
      if coordinate.isInfinite { return .infinity }
      largest = coordinate.magnitude > largest ? coordinate.magnitude : largest
    }
    if coordinates.contains(where: \.isNaN) { return .nan }
    if largest == 0 { return 0 }
    let exponent = largest.exponent
    var sum = 0.0
    for coordinate in coordinates {
      let scaled = Foundation.scalbn(coordinate, -Int(exponent))
      sum += scaled * scaled
    }
    return Foundation.scalbn(sum.squareRoot(), Int(exponent))
  }
}
