import TileIR

/// 1.5·2⁵²: added to a number below 2⁵¹ it leaves the nearest integer in the low bits.
let integerAligner = 0x1.8p52

/// The integer part as an integer's low 32 bits, for |value| < 2⁵¹; without a trap or a branch.
@inline(__always)
private func truncatedLowBits(_ value: Double) -> UInt64 {
  let magnitude = Double(bitPattern: value.bitPattern & 0x7FFF_FFFF_FFFF_FFFF)
  let near = (magnitude + integerAligner) - integerAligner
  let truncated = near - (near > magnitude ? 1 : 0)
  let negative = 0 &- (value.bitPattern &>> 63)
  return ((truncated + integerAligner).bitPattern ^ negative) &- negative
}

/// Into [low, high]; NaN stays.
@inline(__always)
private func clamped(_ value: Double, _ low: Double, _ high: Double) -> Double {
  let raised = value < low ? low : value
  return raised > high ? high : raised
}

/// What PTX's `cvt` gives for NaN: 0, but the top bit alone where either side has 64 bits.
enum NaNConversion {
  case zero, topBit

  @inline(__always)
  func replace(_ value: Double, topBit: Double) -> Double {
    switch self {
    case .zero: value == value ? value : 0
    case .topBit: value == value ? value : topBit
    }
  }
}

@inline(__always)
func saturatingInt64(_ value: Double) -> Int64 {
  if value >= 0x1p63 { return .max }
  return value >= -0x1p63 ? Int64(value) : .min
}

@inline(__always)
func saturatingUInt64(_ value: Double) -> UInt64 {
  if value >= 0x1p64 { return .max }
  if value != value { return 1 &<< 63 }
  return value > 0 ? UInt64(value) : 0
}

@inline(__always)
func saturatingInt32(_ value: Double, _ nan: NaNConversion) -> Int32 {
  let numeric = nan.replace(value, topBit: -0x1p31)
  return Int32(
    truncatingIfNeeded: truncatedLowBits(clamped(numeric, -0x1p31, 0x1p31 - 1)))
}

@inline(__always)
func saturatingUInt32(_ value: Double, _ nan: NaNConversion) -> UInt32 {
  let numeric = nan.replace(value, topBit: 0x1p31)
  return UInt32(truncatingIfNeeded: truncatedLowBits(clamped(numeric, 0, 0x1p32 - 1)))
}

@inline(__always)
private func saturatingInt16(_ value: Double, _ nan: NaNConversion) -> Int16 {
  let numeric = nan.replace(value, topBit: -0x1p15)
  return Int16(
    truncatingIfNeeded: truncatedLowBits(clamped(numeric, -0x1p15, 0x1p15 - 1)))
}

@inline(__always)
private func saturatingUInt16(_ value: Double, _ nan: NaNConversion) -> UInt16 {
  let numeric = nan.replace(value, topBit: 0x1p15)
  return UInt16(truncatingIfNeeded: truncatedLowBits(clamped(numeric, 0, 0x1p16 - 1)))
}

extension ElementMath {
  /// Float or Double lanes → integer lanes, towards zero, as PTX's `cvt.rzi`: out-of-range values
  /// saturate (8-bit results: at 16 bits, then the low byte is kept, as LLVM lowers them); NaN gives
  /// 0, but the top bit alone for 64-bit results and from fp64. int1 is `value != 0`, as Triton casts
  /// to it. Returns false when `element` is no integer.
  @discardableResult
  public static func toInteger(
    _ source: UnsafePointer<Float>, _ element: ElementType, to target: UnsafeMutableRawPointer,
    count: Int
  ) -> Bool {
    if element == .int1 {
      mapLanes(source, target.assumingMemoryBound(to: UInt8.self), count) { $0 == 0 ? 0 : 1 }
      return true
    }
    return toInteger(source, element, target, count, .zero) { Double($0) }
  }

  /// As for Float lanes.
  @discardableResult
  public static func toInteger(
    _ source: UnsafePointer<Double>, _ element: ElementType, to target: UnsafeMutableRawPointer,
    count: Int
  ) -> Bool {
    if element == .int1 {
      mapLanes(source, target.assumingMemoryBound(to: UInt8.self), count) { $0 == 0 ? 0 : 1 }
      return true
    }
    return toInteger(source, element, target, count, .topBit) { $0 }
  }

  @inline(__always)
  private static func toInteger<Source>(
    _ source: UnsafePointer<Source>, _ element: ElementType, _ target: UnsafeMutableRawPointer,
    _ count: Int, _ nan: NaNConversion, _ value: (Source) -> Double
  ) -> Bool {
    switch element {
    case .int8:
      mapLanes(source, target.assumingMemoryBound(to: Int8.self), count) {
        Int8(truncatingIfNeeded: saturatingInt16(value($0), nan))
      }
    case .uint8:
      mapLanes(source, target.assumingMemoryBound(to: UInt8.self), count) {
        UInt8(truncatingIfNeeded: saturatingUInt16(value($0), nan))
      }
    case .int16:
      mapLanes(source, target.assumingMemoryBound(to: Int16.self), count) {
        saturatingInt16(value($0), nan)
      }
    case .uint16:
      mapLanes(source, target.assumingMemoryBound(to: UInt16.self), count) {
        saturatingUInt16(value($0), nan)
      }
    case .int32:
      mapLanes(source, target.assumingMemoryBound(to: Int32.self), count) {
        saturatingInt32(value($0), nan)
      }
    case .uint32:
      mapLanes(source, target.assumingMemoryBound(to: UInt32.self), count) {
        saturatingUInt32(value($0), nan)
      }
    case .int64:
      mapLanes(source, target.assumingMemoryBound(to: Int64.self), count) {
        saturatingInt64(value($0))
      }
    case .uint64, .pointer:
      mapLanes(source, target.assumingMemoryBound(to: UInt64.self), count) {
        saturatingUInt64(value($0))
      }
    default: return false
    }
    return true
  }

  /// Integer lanes → lanes of a float type narrower than fp64, to nearest even. fp16 and fp8 round
  /// once in effect (integers beyond 2²⁴ overflow them). bf16 goes through fp32, two roundings, as
  /// Triton's conversion from signed integers does. Returns false for other types.
  @discardableResult
  public static func fromInteger(
    _ source: UnsafeRawPointer, _ element: ElementType, to result: ElementType,
    target: UnsafeMutablePointer<Float>, count: Int
  ) -> Bool {
    guard lane(result) == .float else { return false }
    switch lane(element) {
    case .bool, .uint8: floats(source, UInt8.self, target, count) { Float($0) }
    case .int8: floats(source, Int8.self, target, count) { Float($0) }
    case .int16: floats(source, Int16.self, target, count) { Float($0) }
    case .uint16: floats(source, UInt16.self, target, count) { Float($0) }
    case .int32: floats(source, Int32.self, target, count) { Float($0) }
    case .uint32: floats(source, UInt32.self, target, count) { Float($0) }
    case .int64: floats(source, Int64.self, target, count) { Float($0) }
    case .uint64: floats(source, UInt64.self, target, count) { Float($0) }
    case .float, .double: return false
    }
    round(target, to: result, count: count)
    return true
  }

  /// Integer lanes → fp64 lanes, to nearest even.
  @discardableResult
  public static func fromInteger(
    _ source: UnsafeRawPointer, _ element: ElementType, target: UnsafeMutablePointer<Double>,
    count: Int
  ) -> Bool {
    switch lane(element) {
    case .bool, .uint8: floats(source, UInt8.self, target, count) { Double($0) }
    case .int8: floats(source, Int8.self, target, count) { Double($0) }
    case .int16: floats(source, Int16.self, target, count) { Double($0) }
    case .uint16: floats(source, UInt16.self, target, count) { Double($0) }
    case .int32: floats(source, Int32.self, target, count) { Double($0) }
    case .uint32: floats(source, UInt32.self, target, count) { Double($0) }
    case .int64: floats(source, Int64.self, target, count) { Double($0) }
    case .uint64: floats(source, UInt64.self, target, count) { Double($0) }
    case .float, .double: return false
    }
    return true
  }

  @inline(__always)
  private static func floats<Source, Target>(
    _ source: UnsafeRawPointer, _ type: Source.Type, _ target: UnsafeMutablePointer<Target>,
    _ count: Int, _ body: (Source) -> Target
  ) {
    mapLanes(source.assumingMemoryBound(to: type), target, count, body)
  }
}
