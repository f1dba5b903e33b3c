import Foundation

/// The functions of `tl.math` on fp32 lanes, within 0.521 ulp of the exact value (rounded once from
/// fp64; `sqrt`, `floor`, `ceil` exact), subnormals kept. `target` may be `source`.
extension ElementMath {
  public static func exp(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { expLane($0) } }

  public static func exp2(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { exp2Lane($0) } }

  public static func log(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { logLane($0) } }

  public static func log2(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { log2Lane($0) } }

  public static func sin(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapAngles(source, target, count, sinLane) { Float(Foundation.sin(Double($0))) } }

  public static func cos(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapAngles(source, target, count, cosLane) { Float(Foundation.cos(Double($0))) } }

  public static func tanh(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { tanhLane($0) } }

  public static func erf(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { erfLane($0) } }

  public static func sqrt(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { $0.squareRoot() } }

  public static func rsqrt(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { rsqrtLane($0) } }

  public static func floor(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { floorLane($0) } }

  public static func ceil(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { ceilLane($0) } }

  /// Clears the sign, NaN's too.
  public static func abs(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { Float(bitPattern: $0.bitPattern & 0x7FFF_FFFF) } }

  /// Flips the sign, NaN's too.
  public static func neg(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) { mapLanes(source, target, count) { Float(bitPattern: $0.bitPattern ^ 0x8000_0000) } }

  /// Vector code for blocks without a huge angle, the platform's fp64 function for the others'
  /// huge lanes: the two agree lane by lane.
  @inline(__always)
  private static func mapAngles(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int,
    _ fast: (Float) -> Float, _ slow: (Float) -> Float
  ) {
    let block = 256
    var start = 0
    while start < count {
      let size = min(block, count &- start)
      var largest: Int32 = 0
      var lane = 0
      while lane < size {
        let magnitude = Int32(truncatingIfNeeded: source[start &+ lane].bitPattern & 0x7FFF_FFFF)
        largest = magnitude > largest ? magnitude : largest
        lane &+= 1
      }
      if largest <= Int32(truncatingIfNeeded: largestReducedAngle.bitPattern) {
        mapLanes(source + start, target + start, size, fast)
      } else {
        mapLanes(source + start, target + start, size) {
          $0.magnitude <= largestReducedAngle ? fast($0) : slow($0)
        }
      }
      start &+= size
    }
  }
}
