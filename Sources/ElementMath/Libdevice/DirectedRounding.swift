/// fp32 or fp64 with what directed rounding needs.
protocol RoundedFloat: BinaryFloatingPoint, LaneType {}
extension Float: RoundedFloat {}
extension Double: RoundedFloat {}

/// The rounding modes of PTX: `rn`, `rz`, `rd`, `ru`.
enum Direction: String, CaseIterable, Sendable {
  case nearest = "rn"
  case zero = "rz"
  case down = "rd"
  case up = "ru"

  /// The neighbour of `nearest` this direction wants, given the sign of (exact - nearest).
  @inline(__always)
  func adjust<T: RoundedFloat>(_ nearest: T, _ error: T) -> T {
    if error.isNaN || error == 0 || nearest.isNaN { return nearest }
    switch self {
    case .nearest: return nearest
    case .down: return error < 0 ? nearest.nextDown : nearest
    case .up: return error > 0 ? nearest.nextUp : nearest
    case .zero:
      if nearest > 0, error < 0 { return nearest.nextDown }
      if nearest < 0, error > 0 { return nearest.nextUp }
      return nearest
    }
  }

  func rounded(_ value: Double) -> Double {
    switch self {
    case .nearest: value.rounded(.toNearestOrEven)
    case .zero: value.rounded(.towardZero)
    case .down: value.rounded(.down)
    case .up: value.rounded(.up)
    }
  }

  func add<T: RoundedFloat>(_ a: T, _ b: T) -> T {
    let sum = a + b
    guard a.isFinite, b.isFinite else { return sum }
    // An exact zero of operands with different signs is -0 when rounding down.
    if sum == 0, self == .down, a != 0 || a.sign != b.sign { return -0.0 }
    if sum.isInfinite { return adjust(sum, sum > 0 ? -1 : 1) }
    return adjust(sum, Self.sumError(a, b, sum))
  }

  /// Knuth's two-sum: a + b - sum, exact.
  @inline(__always)
  private static func sumError<T: RoundedFloat>(_ a: T, _ b: T, _ sum: T) -> T {
    let part = sum - a
    return (a - (sum - part)) + (b - part)
  }

  /// value = significand·2^exponent with 1 ≤ |significand| < 2; value is finite and not zero.
  @inline(__always)
  private static func split<T: RoundedFloat>(_ value: T) -> (significand: T, exponent: Int) {
    let exponent = Int(value.exponent)
    return (value.sign == .minus ? -value.significand : value.significand, exponent)
  }

  /// value·2^exponent where that is exact or overflows to the sign's infinity; in steps, since the
  /// power itself may be out of range.
  @inline(__always)
  private static func scale<T: RoundedFloat>(_ value: T, _ exponent: Int) -> T {
    let most = Int(T.greatestFiniteMagnitude.exponent)
    var scaled = value
    var rest = exponent
    while rest != 0 {
      let step = min(max(rest, -most), most)
      scaled *= T(sign: .plus, exponent: T.Exponent(step), significand: 1)
      rest -= step
    }
    return scaled
  }

  func multiply<T: RoundedFloat>(_ a: T, _ b: T) -> T {
    let product = a * b
    guard a.isFinite, b.isFinite, a != 0, b != 0 else { return product }
    let (x, y) = (Self.split(a), Self.split(b))
    let scaled = Self.scale(product, -(x.exponent + y.exponent))
    return adjust(product, (-scaled).addingProduct(x.significand, y.significand))
  }

  func divide<T: RoundedFloat>(_ a: T, _ b: T) -> T {
    let quotient = a / b
    guard a.isFinite, b.isFinite, a != 0, b != 0 else { return quotient }
    let (x, y) = (Self.split(a), Self.split(b))
    let scaled = Self.scale(quotient, y.exponent - x.exponent)
    let rest =
      scaled.isInfinite
      ? (scaled > 0) == (y.significand > 0) ? -1 : 1
      : x.significand.addingProduct(-scaled, y.significand)
    return adjust(quotient, y.significand < 0 ? -rest : rest)
  }

  func squareRoot<T: RoundedFloat>(_ a: T) -> T {
    let root = a.squareRoot()
    guard a.isFinite, a > 0 else { return root }
    let exponent = Int(a.exponent) & ~1
    let x = Self.scale(a, -exponent)
    let scaled = Self.scale(root, -exponent / 2)
    return adjust(root, x.addingProduct(-scaled, scaled))
  }

  /// a·b + c. The products' low part is inexact below fp64's normal numbers.
  func multiplyAdd(_ a: Double, _ b: Double, _ c: Double) -> Double {
    let result = c.addingProduct(a, b)
    guard a.isFinite, b.isFinite, c.isFinite else { return result }
    let high = a * b
    if result == 0, self == .down, high == -c, (-high).addingProduct(a, b) == 0,
      high != 0 || high.sign != c.sign
    {
      return -0.0
    }
    if result.isInfinite { return adjust(result, result > 0 ? -1 : 1) }
    let low = high.isFinite ? (-high).addingProduct(a, b) : 0
    let sum = high + c
    guard sum.isFinite else { return result }
    let sumError = Self.sumError(high, c, sum)
    let small = sumError + low
    let smallError = Self.sumError(sumError, low, small)
    let difference = sum - result
    let total = difference + small
    return adjust(result, total != 0 ? total : smallError)
  }

  func multiplyAdd(_ a: Float, _ b: Float, _ c: Float) -> Float {
    let result = c.addingProduct(a, b)
    guard a.isFinite, b.isFinite, c.isFinite else { return result }
    let product = Double(a) * Double(b)  // exact
    let sum = product + Double(c)
    let error = Self.sumError(product, Double(c), sum)
    if sum == 0, error == 0 {
      return self == .down && (product != 0 || product.sign != Double(c).sign) ? -0.0 : result
    }
    if result.isInfinite { return adjust(result, result > 0 ? -1 : 1) }
    let total = (sum - Double(result)) + error
    return adjust(result, total > 0 ? 1 : total < 0 ? -1 : 0)
  }

  func toFloat(_ value: Double) -> Float {
    let near = Float(value)
    guard value.isFinite else { return near }
    if near.isInfinite { return adjust(near, near > 0 ? -1 : 1) }
    let difference = value - Double(near)
    return adjust(near, difference > 0 ? 1 : difference < 0 ? -1 : 0)
  }

  /// An integer → a float; the integer has at most 64 bits.
  func convert<I: FixedWidthInteger, T: RoundedFloat>(_ value: I) -> T {
    let near = T(value)
    guard let back = I(exactly: near) else {
      // Beyond the type's largest value: only rounding up gets there.
      return adjust(near, -1)
    }
    return adjust(near, back < value ? 1 : back > value ? -1 : 0)
  }
}
