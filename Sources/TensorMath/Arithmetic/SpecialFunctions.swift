import Foundation

/// Functions that operators share, over fp64.
enum Functions {
  @inline(__always) static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// `log(1 + exp(x))` without overflow.
  @inline(__always) static func softplus(_ x: Double) -> Double {
    x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))
  }

  @inline(__always) static func logSigmoid(_ x: Double) -> Double {
    min(0, x) - log1p(exp(-abs(x)))
  }

  /// The greater one; NaN if either is.
  @inline(__always) static func maximum(_ x: Double, _ y: Double) -> Double {
    x.isNaN ? x : (y.isNaN || y > x ? y : x)
  }

  @inline(__always) static func minimum(_ x: Double, _ y: Double) -> Double {
    x.isNaN ? x : (y.isNaN || y < x ? y : x)
  }

  /// Between two bounds; the upper wins where they cross, NaN stays.
  @inline(__always) static func clamp(_ x: Double, _ low: Double, _ high: Double) -> Double {
    let raised = x < low ? low : x
    return raised > high ? high : raised
  }

  /// Python's `%`: the sign of the divisor.
  static func remainder(_ x: Double, _ y: Double) -> Double {
    let rest = fmod(x, y)
    return rest != 0 && (y < 0) != (rest < 0) ? rest + y : rest
  }

  /// Python's `//`, computed as torch does so that it fits ``remainder(_:_:)``.
  static func floorDivide(_ x: Double, _ y: Double) -> Double {
    if y == 0 { return x / y }
    let rest = fmod(x, y)
    var quotient = (x - rest) / y
    if rest != 0, (y < 0) != (rest < 0) { quotient -= 1 }
    if quotient == 0 { return copysign(0, x / y) }
    let floored = quotient.rounded(.down)
    return quotient - floored > 0.5 ? floored + 1 : floored
  }

  static func floorDivide(_ x: Int64, _ y: Int64) -> Int64 {
    guard y != 0 else { return 0 }
    guard y != -1 else { return 0 &- x }
    let quotient = x / y
    return x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient
  }

  static func remainder(_ x: Int64, _ y: Int64) -> Int64 {
    guard y != 0, y != -1 else { return 0 }
    let rest = x % y
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest
  }

  /// C's integer power by squaring, wrapping; negative exponents as torch: 0 unless the base is ±1.
  static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
    if exponent < 0 {
      if base == 1 { return 1 }
      if base == -1 { return exponent & 1 == 0 ? 1 : -1 }
      return 0
    }
    var (result, factor, rest) = (Int64(1), base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = result &* factor }
      factor = factor &* factor
      rest >>= 1
    }
    return result
  }

  static func gcd(_ x: Int64, _ y: Int64) -> Int64 {
    var (a, b) = (x.magnitude, y.magnitude)
    while b != 0 { (a, b) = (b, a % b) }
    return Int64(truncatingIfNeeded: a)
  }

  /// Ψ(x) = d/dx log Γ(x), by the recurrence up to 10 and the asymptotic series (Abramowitz and
  /// Stegun 6.3.5, 6.3.18), reflected below zero (6.3.7).
  static func digamma(_ value: Double) -> Double {
    if value == 0 { return copysign(.infinity, -value) }
    if value < 0 {
      if value == value.rounded() { return .nan }
      return digamma(1 - value) - .pi / tan(.pi * value)
    }
    var (x, sum) = (value, 0.0)
    while x < 10 {
      sum -= 1 / x
      x += 1
    }
    let y = 1 / (x * x)
    let terms: [Double] = [
      1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12,
    ]
    var series = 0.0
    for term in terms.reversed() { series = (series + term) * y }
    return sum + log(x) - 0.5 / x - series
  }

  /// The inverse of `erf`: a start from the logarithm (Winitzki 2008), then Newton's method.
  static func inverseErf(_ x: Double) -> Double {
    guard x > -1, x < 1 else { return abs(x) == 1 ? x * .infinity : .nan }
    if x == 0 { return x }
    let a = 0.147
    let l = log1p(-x * x)
    let t = 2 / (.pi * a) + l / 2
    var y = copysign(sqrt(sqrt(t * t - l / a) - t), x)
    for _ in 0..<6 {
      // erfc keeps the difference exact near ±1.
      let error = x > 0 ? erfc(y) - (1 - x) : (1 + x) - erfc(-y)
      y += error * 0.5 * Double.pi.squareRoot() * exp(y * y)
    }
    return y
  }
}
