import TileIR

/// One stored element of a fixed format.
protocol Cell: BitwiseCopyable {
  /// The nearest representable value; ties to even, as every torch conversion rounds.
  init(rounding value: Double)
  /// The low bits of an integer, as C converts.
  init(wrapping value: Int64)
  var double: Double { get }
  var int64: Int64 { get }
}

/// A `Double` as C converts it to a 64-bit integer: towards zero; what does not fit becomes the
/// least integer, as on x86 and in torch on the CPU. NaN too.
@inline(__always)
func truncated(_ value: Double) -> Int64 {
  guard value > -9.3e18, value < 9.223372036854775e18 else { return Int64.min }
  return Int64(value)
}

extension Double: Cell {
  @inline(__always) init(rounding value: Double) { self = value }
  @inline(__always) init(wrapping value: Int64) { self = Double(value) }
  @inline(__always) var double: Double { self }
  @inline(__always) var int64: Int64 { truncated(self) }
}

extension Float: Cell {
  @inline(__always) init(rounding value: Double) { self = Float(value) }
  @inline(__always) init(wrapping value: Int64) { self = Float(value) }
  @inline(__always) var double: Double { Double(self) }
  @inline(__always) var int64: Int64 { truncated(Double(self)) }
}

extension FixedWidthInteger where Self: BitwiseCopyable {
  @inline(__always) init(rounding value: Double) {
    self.init(truncatingIfNeeded: truncated(value))
  }
  @inline(__always) init(wrapping value: Int64) { self.init(truncatingIfNeeded: value) }
  @inline(__always) var double: Double { Double(self) }
  @inline(__always) var int64: Int64 { Int64(truncatingIfNeeded: self) }
}

extension Int8: Cell {}
extension Int16: Cell {}
extension Int32: Cell {}
extension Int64: Cell {}
extension UInt8: Cell {}
extension UInt16: Cell {}
extension UInt32: Cell {}
extension UInt64: Cell {}

/// `torch.bool`: a byte; anything but zero is true.
struct BoolCell: Cell {
  var byte: UInt8
  @inline(__always) init(rounding value: Double) { byte = value != 0 ? 1 : 0 }
  @inline(__always) init(wrapping value: Int64) { byte = value != 0 ? 1 : 0 }
  @inline(__always) var double: Double { byte != 0 ? 1 : 0 }
  @inline(__always) var int64: Int64 { byte != 0 ? 1 : 0 }
}

/// A floating format of eight bits with torch's conversions, which differ from the GPU's saturating
/// ones in `ElementMath`: what is too large becomes infinity or NaN.
struct Float8Format: Sendable {
  enum Specials: Sendable {
    /// Infinities and NaNs in the top exponent.
    case ieee
    /// No infinity; all ones is NaN (`float8_e4m3fn`).
    case finite
    /// No infinity, no negative zero; the sign bit alone is NaN (`…fnuz`).
    case unsignedZero
  }
  var exponentBits: Int
  var mantissaBits: Int
  var bias: Int
  var specials: Specials

  /// The format of an element type; torch has no `fp8e4b15`.
  static func named(_ element: ElementType) -> Float8Format? {
    switch element {
    case .fp8e4nv: Float8Format(exponentBits: 4, mantissaBits: 3, bias: 7, specials: .finite)
    case .fp8e5: Float8Format(exponentBits: 5, mantissaBits: 2, bias: 15, specials: .ieee)
    case .fp8e4b8: Float8Format(exponentBits: 4, mantissaBits: 3, bias: 8, specials: .unsignedZero)
    case .fp8e5b16:
      Float8Format(exponentBits: 5, mantissaBits: 2, bias: 16, specials: .unsignedZero)
    default: nil
    }
  }

  private var signBit: UInt32 { 1 << UInt32(exponentBits + mantissaBits) }
  private var notANumber: UInt32 {
    switch specials {
    case .ieee:
      (((1 << UInt32(exponentBits)) - 1) << UInt32(mantissaBits)) | (1 << UInt32(mantissaBits - 1))
    case .finite: signBit - 1
    case .unsignedZero: signBit
    }
  }

  /// Rounds once from fp64, ties to even; past the largest value torch gives infinity, or NaN in the
  /// formats without infinity.
  @inline(__always)
  func encode(_ value: Double) -> UInt32 {
    let pattern = value.bitPattern
    let sign: UInt32 = pattern >> 63 != 0 ? signBit : 0
    if value.isNaN { return notANumber | (specials == .unsignedZero ? 0 : sign) }
    let exponent = Int((pattern >> 52) & 0x7FF) - 1023
    let top = (1 << exponentBits) - 1
    let infinity: UInt32 =
      specials == .ieee
      ? UInt32(top << mantissaBits) : (specials == .finite ? signBit - 1 : signBit)
    if exponent > 1000 { return specials == .unsignedZero ? signBit : infinity | sign }
    // The weight of the last place kept: fixed below the least normal number.
    let least = 1 - bias
    let place = max(exponent, least) - mantissaBits
    guard exponent >= least - mantissaBits - 1 else {
      return specials == .unsignedZero ? 0 : sign
    }
    let significand = (pattern & 0xF_FFFF_FFFF_FFFF) | 0x10_0000_0000_0000
    let shift = UInt64(place - exponent + 52)
    var kept = shift > 53 ? 0 : significand >> shift
    let rest = shift > 53 ? 0 : significand & ((1 << shift) - 1)
    let middle: UInt64 = 1 << (shift - 1)
    if rest > middle || (rest == middle && kept & 1 == 1) { kept += 1 }
    // Adding the biased exponent lets a carry out of the significand raise it.
    let code: UInt32
    if exponent < least {
      code = UInt32(truncatingIfNeeded: kept)
    } else {
      code =
        UInt32(truncatingIfNeeded: (exponent + bias - 1) << mantissaBits)
        &+ UInt32(truncatingIfNeeded: kept)
    }
    if code == 0 && specials == .unsignedZero { return 0 }
    switch specials {
    case .ieee: return min(code, infinity) | sign
    case .finite: return min(code, signBit - 1) | sign
    case .unsignedZero: return code >= signBit ? signBit : code | sign
    }
  }

  @inline(__always)
  func decode(_ code: UInt32) -> Double {
    let mantissa = Int(code & ((1 << UInt32(mantissaBits)) - 1))
    let exponent = Int((code & (signBit - 1)) >> UInt32(mantissaBits))
    let sign: Double = code & signBit != 0 ? -1 : 1
    switch specials {
    case .ieee where exponent == (1 << exponentBits) - 1:
      return mantissa == 0 ? sign * .infinity : .nan
    case .finite where code & (signBit - 1) == signBit - 1: return .nan
    case .unsignedZero where code == signBit: return .nan
    default: break
    }
    func power(_ exponent: Int) -> Double {
      Double(bitPattern: UInt64(exponent + 1023) << 52)
    }
    if exponent == 0 { return sign * Double(mantissa) * power(1 - bias - mantissaBits) }
    return sign * Double(mantissa + (1 << mantissaBits)) * power(exponent - bias - mantissaBits)
  }
}
