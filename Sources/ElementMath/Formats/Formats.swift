import TileIR

/// What can be done with every format alike.
private protocol FormatVisitor {
  associatedtype Result
  func visit<Format: SmallFloat>(_ format: Format.Type) -> Result
}

extension ElementType {
  /// nil for fp32, fp64 and everything that is no float.
  fileprivate func visitFormat<Visitor: FormatVisitor>(_ visitor: Visitor) -> Visitor.Result? {
    switch self {
    case .fp16: visitor.visit(Half.self)
    case .bf16: visitor.visit(BrainFloat.self)
    case .fp8e4nv: visitor.visit(Float8E4NV.self)
    case .fp8e5: visitor.visit(Float8E5.self)
    case .fp8e4b15: visitor.visit(Float8E4B15.self)
    case .fp8e4b8: visitor.visit(Float8E4B8.self)
    case .fp8e5b16: visitor.visit(Float8E5B16.self)
    default: nil
    }
  }
}

private struct Decoder: FormatVisitor {
  var source: UnsafeRawPointer
  var target: UnsafeMutablePointer<Float>
  var count: Int
  @inline(__always)
  func visit<Format: SmallFloat>(_ format: Format.Type) {
    mapLanes(source.assumingMemoryBound(to: Format.Raw.self), target, count) { Format.decode($0) }
  }
}

private struct ExactEncoder: FormatVisitor {
  var source: UnsafePointer<Float>
  var target: UnsafeMutableRawPointer
  var count: Int
  @inline(__always)
  func visit<Format: SmallFloat>(_ format: Format.Type) {
    mapLanes(source, target.assumingMemoryBound(to: Format.Raw.self), count) {
      Format.encodeExact($0)
    }
  }
}

private struct Rounder: FormatVisitor {
  var source: UnsafePointer<Float>
  var target: UnsafeMutablePointer<Float>
  var count: Int
  var rounding: ElementMath.Rounding
  @inline(__always)
  func visit<Format: SmallFloat>(_ format: Format.Type) {
    switch rounding {
    case .nearestEven: mapLanes(source, target, count) { Format.roundNearest($0) }
    case .towardZero: mapLanes(source, target, count) { Format.roundTowardZero($0) }
    }
  }
}

private struct DoubleRounder: FormatVisitor {
  var source: UnsafePointer<Double>
  var target: UnsafeMutablePointer<Float>
  var count: Int
  var rounding: ElementMath.Rounding
  @inline(__always)
  func visit<Format: SmallFloat>(_ format: Format.Type) {
    switch rounding {
    case .nearestEven: mapLanes(source, target, count) { Format.roundNearest(roundToOdd($0)) }
    case .towardZero: mapLanes(source, target, count) { Format.roundTowardZero(roundToOdd($0)) }
    }
  }
}

/// fp64 → fp32, inexact results with their last bit set: rounding that again to 22 bits or fewer
/// gives what one rounding of the fp64 value gives.
@inline(__always)
func roundToOdd(_ value: Double) -> Float {
  let near = truncate(value)
  let inexact: UInt32 = Double(near) == value ? 0 : 1
  let isNaN = value != value
  return isNaN ? .nan : Float(bitPattern: near.bitPattern | inexact)
}

/// fp64 → fp32 towards zero.
@inline(__always)
func truncate(_ value: Double) -> Float {
  let near = Float(value)
  let back = Double(near)
  let grew = (back > value) != (value < 0) && back != value
  return Float(bitPattern: near.bitPattern &- (grew ? 1 : 0))
}

extension ElementMath {
  /// Stored bits → lanes, exact. `source` holds `count` elements of a format narrower than fp32,
  /// aligned to their size. A load followed by a store keeps every bit, NaN payloads included.
  /// Returns false, having done nothing, when `element` is no such format.
  @discardableResult
  public static func decode(
    _ element: ElementType, from source: UnsafeRawPointer,
    to target: UnsafeMutablePointer<Float>, count: Int
  ) -> Bool {
    element.visitFormat(Decoder(source: source, target: target, count: count)) != nil
  }

  /// Lanes → stored bits for lanes that already hold values of the format (the machine's stores).
  @discardableResult
  public static func encodeExact(
    _ element: ElementType, from source: UnsafePointer<Float>,
    to target: UnsafeMutableRawPointer, count: Int
  ) -> Bool {
    element.visitFormat(ExactEncoder(source: source, target: target, count: count)) != nil
  }

  /// Lanes of any fp32 values → stored bits, rounded as ``round(_:to:rounding:target:count:)``.
  @discardableResult
  public static func encode(
    _ element: ElementType, from source: UnsafePointer<Float>,
    to target: UnsafeMutableRawPointer, count: Int, rounding: Rounding = .nearestEven
  ) -> Bool {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 512) { chunk -> Bool in
      guard let rounded = chunk.baseAddress else { return false }
      var done = 0
      while done < count {
        let size = min(512, count &- done)
        guard
          round(source + done, to: element, rounding: rounding, target: rounded, count: size),
          encodeExact(
            element, from: rounded, to: target + done &* element.bytes, count: size)
        else { return false }
        done &+= size
      }
      return lane(element) == .float && element != .fp32
    }
  }

  /// Each lane → the nearest value of `element` (or the next towards zero), as PTX's `cvt` and
  /// Triton's fp8 conversions for NVIDIA do it. `target` may be `source`.
  ///
  /// - fp16, bf16: IEEE. Overflow gives infinity, or the largest finite value towards zero.
  /// - fp8e4nv, fp8e5 to nearest: `cvt.rn.satfinite`: out-of-range values and infinities give the
  ///   largest finite value, NaN stays NaN. fp8e5 towards zero keeps infinities (Triton takes the
  ///   upper byte of the fp16 value).
  /// - fp8e4b15: at most 1.75, also for NaN; ties away from zero in both modes, as the PTX in
  ///   `triton.language.extra.cuda.utils` rounds.
  /// - fp8e4b8, fp8e5b16 (AMD's FNUZ): saturating, no negative zero.
  ///
  /// fp32 and all other types are left as they are; the result tells whether `element` is narrower.
  @discardableResult
  public static func round(
    _ source: UnsafePointer<Float>, to element: ElementType, rounding: Rounding = .nearestEven,
    target: UnsafeMutablePointer<Float>, count: Int
  ) -> Bool {
    element.visitFormat(
      Rounder(source: source, target: target, count: count, rounding: rounding)) != nil
  }

  /// In place.
  @discardableResult
  public static func round(
    _ lanes: UnsafeMutablePointer<Float>, to element: ElementType,
    rounding: Rounding = .nearestEven, count: Int
  ) -> Bool {
    round(UnsafePointer(lanes), to: element, rounding: rounding, target: lanes, count: count)
  }

  /// fp64 lanes → lanes of a narrower float type with a single rounding.
  public static func narrow(
    _ source: UnsafePointer<Double>, to element: ElementType, rounding: Rounding = .nearestEven,
    target: UnsafeMutablePointer<Float>, count: Int
  ) {
    let visitor = DoubleRounder(source: source, target: target, count: count, rounding: rounding)
    guard element.visitFormat(visitor) == nil else { return }
    switch rounding {
    case .nearestEven: mapLanes(source, target, count) { Float($0) }
    case .towardZero: mapLanes(source, target, count) { truncate($0) }
    }
  }

  /// Float lanes → fp64 lanes; exact.
  public static func widen(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Double>, count: Int
  ) {
    mapLanes(source, target, count) { Double($0) }
  }
}
