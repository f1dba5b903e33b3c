// One lane of the vectorised fp32 functions. All compute in fp64, in which every fp32 argument is
// normal, and round once: the results are within 0.521 ulp of the exact value. No branches and no
// traps, so that LLVM turns the loops around them into SSE2 or Neon code. No fused operations:
// the same bits on every machine.
//
// Polynomials: Scripts/element-polynomials.py, which also prints their errors.

/// 2^k as a factor, by adding `k` to the exponent: `aligned` is `integerAligner + k`.
@inline(__always)
private func scaled(_ value: Double, byPowerIn aligned: Double) -> Double {
  Double(bitPattern: value.bitPattern &+ (aligned.bitPattern &<< 52))
}

/// (2^r - 1)/r for |r| ≤ 1/2, relative error 2^-31.8.
@inline(__always)
private func exp2Slope(_ r: Double) -> Double {
  var p = 1.5297323760701075e-05
  p = p * r + 0.0001546144469856913
  p = p * r + 0.001333350238616277
  p = p * r + 0.009618056678524637
  p = p * r + 0.055504108839096185
  p = p * r + 0.24022650922288757
  return p * r + 0.6931471805599453
}

@inline(__always)
private func clamp(_ value: Double, _ low: Double, _ high: Double) -> Double {
  let raised = value < low ? low : value
  return raised > high ? high : raised
}

/// 2^z; beyond the clamp fp32 has overflowed or vanished.
@inline(__always)
func exp2Double(_ exponent: Double) -> Double {
  let z = clamp(exponent, -160, 140)
  let aligned = z + integerAligner
  let r = z - (aligned - integerAligner)
  return scaled(1 + r * exp2Slope(r), byPowerIn: aligned)
}

/// 2^z - 1 with a small relative error also near 0.
@inline(__always)
private func exp2MinusOne(_ exponent: Double) -> Double {
  let z = clamp(exponent, -160, 140)
  let aligned = z + integerAligner
  let r = z - (aligned - integerAligner)
  let power = scaled(1, byPowerIn: aligned)
  return r * exp2Slope(r) * power + (power - 1)
}

@inline(__always)
func expLane(_ x: Float) -> Float {
  Float(exp2Double(Double(x) * 1.4426950408889634))
}

@inline(__always)
func exp2Lane(_ x: Float) -> Float {
  Float(exp2Double(Double(x)))
}

/// x = 2^k·(1 + f), √½ < 1 + f < √2: k and s = f/(2 + f).
@inline(__always)
private func splitForLog(_ x: Float) -> (k: Double, s: Double) {
  let bits = Double(x).bitPattern
  let offset: UInt64 = 0x3FE6_A09E_667F_3BCD  // √½
  let difference = bits &- offset
  // Exponents of fp32 fit 11 bits; the bias of 1024 keeps the shifted number non-negative.
  let biased = (difference &+ (1024 &<< 52)) &>> 52
  let k = Double(bitPattern: biased | integerAligner.bitPattern) - (integerAligner + 1024)
  let mantissa = Double(bitPattern: bits &- ((biased &- 1024) &<< 52))
  let f = mantissa - 1
  return (k, f / (2 + f))
}

/// log(1 + f)/s over s², relative error 2^-45.
@inline(__always)
private func logSeries(_ s: Double) -> Double {
  let z = s * s
  var p = 0.19608095639753054
  p = p * z + 0.2217424991007749
  p = p * z + 0.28572166145875727
  p = p * z + 0.3999999489183238
  p = p * z + 0.6666666667957926
  return p * z + 1.9999999999999472
}

@inline(__always)
private func logSpecials(_ x: Float, _ result: Double) -> Float {
  let finite = x == .infinity ? .infinity : Float(result)
  let nonPositive: Float = x == 0 ? -.infinity : .nan
  return x > 0 ? finite : nonPositive
}

@inline(__always)
func logLane(_ x: Float) -> Float {
  let (k, s) = splitForLog(x)
  return logSpecials(x, k * 0.6931471805599453 + s * logSeries(s))
}

@inline(__always)
func log2Lane(_ x: Float) -> Float {
  let (k, s) = splitForLog(x)
  return logSpecials(x, k + s * logSeries(s) * 1.4426950408889634)
}

/// Beyond it the reduction below has too few bits of π and lanes take the platform's fp64 function.
let largestReducedAngle: Float = 0x1p20

/// y = x - n·π/2 with |y| ≤ π/4, and n in the low bits of `turns`. n·(upper part) is exact: 33 bits
/// of π/2 and 20 of n.
@inline(__always)
private func reducedAngle(_ x: Float) -> (y: Double, turns: UInt64) {
  let wide = Double(x)
  let aligned = wide * 0.6366197723675814 + integerAligner
  let n = aligned - integerAligner
  let y = (wide - n * 1.5707963267341256) - n * 6.077100506506192e-11
  return (y, aligned.bitPattern)
}

/// Relative error 2^-37.6.
@inline(__always)
private func sinSeries(_ y: Double, _ z: Double) -> Double {
  var p = 2.7173456841089953e-06
  p = p * z - 0.000198392022122311
  p = p * z + 0.00833332878245888
  p = p * z - 0.16666666631591165
  p = p * z + 0.9999999999956731
  return p * y
}

/// Relative error 2^-43.5.
@inline(__always)
private func cosSeries(_ z: Double) -> Double {
  var p = -2.717342984102282e-07
  p = p * z + 2.4798928755323667e-05
  p = p * z - 0.0013888880393776424
  p = p * z + 0.04166666654391119
  p = p * z - 0.49999999999351113
  return p * z + 0.9999999999999444
}

/// sin of the angle plus `quarters` quarter turns, for |x| ≤ ``largestReducedAngle``.
@inline(__always)
private func sinOfQuarters(_ x: Float, _ quarters: UInt64) -> Float {
  let (y, turns) = reducedAngle(x)
  let quadrant = turns &+ quarters
  let z = y * y
  let odd = 0 &- (quadrant & 1)
  let sine = sinSeries(y, z).bitPattern
  let cosine = cosSeries(z).bitPattern
  let sign = (quadrant & 2) &<< 62
  return Float(Double(bitPattern: ((cosine & odd) | (sine & ~odd)) ^ sign))
}

@inline(__always)
func sinLane(_ x: Float) -> Float {
  let result = sinOfQuarters(x, 0)
  return x == 0 ? x : result
}

@inline(__always)
func cosLane(_ x: Float) -> Float { sinOfQuarters(x, 1) }

@inline(__always)
func tanhLane(_ x: Float) -> Float {
  let e = exp2MinusOne(Double(x) * 2.8853900817779268)  // 2/ln 2
  let result = Float(e / (e + 2))
  return x == 0 ? x : result
}

/// erf: x·P(x²) to 1, then 1 - 2^-Q(x); from 4 on the result rounds to 1.
@inline(__always)
func erfLane(_ x: Float) -> Float {
  let wide = Double(x)
  let a = Double(bitPattern: wide.bitPattern & 0x7FFF_FFFF_FFFF_FFFF)
  let inner = a > 1 ? 1 : a
  let z = inner * inner
  var p = -9.667044571486996e-06
  p = p * z + 0.00011265959025606609
  p = p * z - 0.0008484080405535107
  p = p * z + 0.005221031807858023
  p = p * z - 0.026865430727670243
  p = p * z + 0.11283782495236845
  p = p * z - 0.3761263846802871
  p = p * z + 1.1283791670615435
  let t = clamp(a, 1, 4)
  var q = 1.093949767436081e-07
  q = q * t - 4.792177886445941e-06
  q = q * t + 8.987752529165308e-05
  q = q * t - 0.0009894531814404325
  q = q * t + 0.007307173804162151
  q = q * t - 0.03909634786669486
  q = q * t + 0.16021852282824903
  q = q * t + 0.910272807150235
  q = q * t + 1.6312194233675206
  q = q * t - 0.0006006360977670374
  let tail = 1 - exp2Double(0 - q)
  let magnitude = a > 1 ? tail : a * p
  let sign = wide.bitPattern & 0x8000_0000_0000_0000
  return Float(Double(bitPattern: magnitude.bitPattern | sign))
}

@inline(__always)
func rsqrtLane(_ x: Float) -> Float {
  Float(1 / Double(x).squareRoot())
}

/// Rounds to an integer as `floor` or `ceil`; SSE2 has no such instruction.
@inline(__always)
private func integerLane(_ x: Float, down: Bool) -> Float {
  let sign = x.bitPattern & 0x8000_0000
  let magnitude = Float(bitPattern: x.bitPattern & 0x7FFF_FFFF)
  let near = (magnitude + 0x1p23) - 0x1p23
  let signed = Float(bitPattern: near.bitPattern | sign)
  let beyond = down ? signed > x : signed < x
  let step: Float = down ? -1 : 1
  let moved = signed + (beyond ? step : 0)
  // `-0.5 + 1` gives +0 where ceil wants -0; the sign never changes.
  let result = Float(bitPattern: (moved.bitPattern & 0x7FFF_FFFF) | sign)
  // Also NaN.
  return magnitude < 0x1p23 ? result : x
}

@inline(__always)
func floorLane(_ x: Float) -> Float { integerLane(x, down: true) }

@inline(__always)
func ceilLane(_ x: Float) -> Float { integerLane(x, down: false) }
