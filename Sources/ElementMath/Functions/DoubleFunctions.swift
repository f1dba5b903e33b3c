import Foundation

/// The functions of `tl.math` on fp64 lanes, through the platform's library. `target` may be
/// `source`.
extension ElementMath {
  public static func exp(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { Foundation.exp($0) } }

  public static func exp2(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { Foundation.exp2($0) } }

  public static func log(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { Foundation.log($0) } }

  public static func log2(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { Foundation.log2($0) } }

  public static func sin(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { Foundation.sin($0) } }

  public static func cos(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { Foundation.cos($0) } }

  public static func tanh(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { Foundation.tanh($0) } }

  public static func erf(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { Foundation.erf($0) } }

  public static func sqrt(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { $0.squareRoot() } }

  public static func rsqrt(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { 1 / $0.squareRoot() } }

  public static func floor(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { $0.rounded(.down) } }

  public static func ceil(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) { mapLanes(source, target, count) { $0.rounded(.up) } }

  /// Clears the sign, NaN's too.
  public static func abs(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    mapLanes(source, target, count) {
      Double(bitPattern: $0.bitPattern & 0x7FFF_FFFF_FFFF_FFFF)
    }
  }

  /// Flips the sign, NaN's too.
  public static func neg(
    _ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    mapLanes(source, target, count) {
      Double(bitPattern: $0.bitPattern ^ 0x8000_0000_0000_0000)
    }
  }
}
