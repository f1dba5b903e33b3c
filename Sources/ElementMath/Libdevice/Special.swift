import Foundation

extension LibdeviceTable {
  private static let functions: [NamedUnary] = [
    ("erfc", { Foundation.erfc($0) }), ("erfinv", { inverseErf($0) }),
    ("erfcinv", { inverseErfc($0) }), ("erfcx", { scaledErfc($0) }),
    ("normcdf", { normalCDF($0) }),
    ("normcdfinv", { 0 - 1.4142135623730951 * inverseErfc(2 * $0) }),
    ("lgamma", { logGamma($0) }), ("tgamma", { gamma($0) }),
    ("j0", { Foundation.j0($0) }), ("j1", { Foundation.j1($0) }),
    ("y0", { $0 < 0 ? .nan : Foundation.y0($0) }), ("y1", { $0 < 0 ? .nan : Foundation.y1($0) }),
    ("cyl_bessel_i0", { besselI($0.magnitude, order: 0) }),
    ("cyl_bessel_i1", { $0 < 0 ? -besselI(-$0, order: 1) : besselI($0, order: 1) }),
  ]

  private static let orders: LibdeviceEntries = [
    ("__nv_jnf", .binary { (n: Int32, x: Float) -> Float in Float(besselJ(n, Double(x))) }),
    ("__nv_jn", .binary { (n: Int32, x: Double) -> Double in besselJ(n, x) }),
    ("__nv_ynf", .binary { (n: Int32, x: Float) -> Float in Float(besselY(n, Double(x))) }),
    ("__nv_yn", .binary { (n: Int32, x: Double) -> Double in besselY(n, x) }),
  ]

  /// Error, gamma and Bessel functions.
  static let special: LibdeviceEntries = pairs(functions) + orders

  private static let twoOverRootPi = 1.1283791670955126

  /// erf's inverse: Halley steps from a series start.
  static func inverseErf(_ x: Double) -> Double {
    if x.magnitude > 0.5 {
      let magnitude = inverseErfc(1 - x.magnitude)
      return x < 0 ? -magnitude : magnitude
    }
    if x == 0 || x.isNaN { return x }
    // y = √π/2·(x + π/12·x³ + …)
    let root = x / twoOverRootPi
    var y = root * (1 + root * root / 3)
    for _ in 0..<4 {
      let step = (Foundation.erf(y) - x) / (twoOverRootPi * Foundation.exp(-y * y))
      y -= step / (1 + y * step)
    }
    return y
  }

  /// erfc's inverse: Halley steps from Abramowitz and Stegun 26.2.23, whose error is below 5e-4.
  static func inverseErfc(_ x: Double) -> Double {
    if !(x >= 0 && x <= 2) { return .nan }
    if x == 0 { return .infinity }
    if x == 2 { return -.infinity }
    if x > 1 { return -inverseErfc(2 - x) }
    if x >= 0.5 { return inverseErf(1 - x) }
    let t = (-2 * Foundation.log(x / 2)).squareRoot()
    let numerator = 2.515517 + t * (0.802853 + t * 0.010328)
    let denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    var y = (t - numerator / denominator) / 1.4142135623730951
    for _ in 0..<4 {
      let slope = -twoOverRootPi * Foundation.exp(-y * y)
      if slope == 0 { break }
      let step = (Foundation.erfc(y) - x) / slope
      y -= step / (1 + y * step)
    }
    return y
  }

  /// exp(x²)·erfc(x).
  static func scaledErfc(_ x: Double) -> Double {
    if x >= 15 {
      // The asymptotic series; its terms shrink by (2k-1)/(2x²).
      let inverse = 0.5 / (x * x)
      var term = 1.0
      var sum = 1.0
      for k in 1...11 {
        term *= -Double(2 * k - 1) * inverse
        sum += term
      }
      return sum * (twoOverRootPi / 2) / x
    }
    let square = x * x
    let rest = square.isFinite ? (-square).addingProduct(x, x) : 0
    let growth = Foundation.exp(square) * (1 + rest)
    return growth * Foundation.erfc(x)
  }

  static func normalCDF(_ x: Double) -> Double {
    let root = 0.7071067811865476
    let scaled = -x * root
    guard scaled.isFinite else { return 0.5 * Foundation.erfc(scaled) }
    // √½ has more digits than `root`, and the product more than `scaled`.
    let rest = (-scaled).addingProduct(-x, root) - x * -4.833646656726457e-17
    let slope = -twoOverRootPi * Foundation.exp(-scaled * scaled)
    return 0.5 * (Foundation.erfc(scaled) + slope * rest)
  }

  static func logGamma(_ x: Double) -> Double {
    if x.isInfinite { return .infinity }
    return Foundation.lgamma(x)
  }

  static func gamma(_ x: Double) -> Double {
    // At negative integers C's function may set a range error; CUDA's gives NaN.
    if x < 0, x == x.rounded(.down) { return .nan }
    return Foundation.tgamma(x)
  }

  static func besselJ(_ order: Int32, _ x: Double) -> Double {
    order < 0 ? .nan : Foundation.jn(Int(order), x)
  }

  static func besselY(_ order: Int32, _ x: Double) -> Double {
    order < 0 || x < 0 ? .nan : Foundation.yn(Int(order), x)
  }

  /// The modified Bessel function of order 0 or 1 for x ≥ 0.
  static func besselI(_ x: Double, order: Int) -> Double {
    if x.isNaN || x.isInfinite { return x }
    if x < 30 {
      // All terms are positive: (x/2)^(2k+n) / (k!·(k+n)!).
      let quarter = x * x / 4
      var term = order == 0 ? 1 : x / 2
      var sum = term
      for k in 1...80 {
        term *= quarter / (Double(k) * Double(k + order))
        sum += term
      }
      return sum
    }
    let mu = Double(4 * order * order)
    var term = 1.0
    var sum = 1.0
    for k in 1...20 {
      let odd = Double(2 * k - 1)
      term *= (odd * odd - mu) / (Double(k) * 8 * x)
      sum += term
    }
    let half = Foundation.exp(x / 2)
    return half * (half * sum / (2 * .pi * x).squareRoot())
  }
}
