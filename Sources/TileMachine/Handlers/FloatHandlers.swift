import ElementMath
import TileIR

/// Arithmetic on fp32 and fp64 lanes; narrower formats are rounded by an instruction that follows.
enum FloatHandlers {
  static func binary(_ op: BinaryOp, _ lane: Lane) -> Handler? {
    switch lane {
    case .float: binary(op, Float.self)
    case .double: binary(op, Double.self)
    default: nil
    }
  }

  @inline(__always)
  private static func binary<T: BinaryFloatingPoint & SendableMetatype>(_ op: BinaryOp, _: T.Type)
    -> Handler?
  {
    switch op {
    case .add: { Loops.binary($0, $1) { (x: T, y: T) in x + y } }
    case .sub: { Loops.binary($0, $1) { (x: T, y: T) in x - y } }
    case .mul: { Loops.binary($0, $1) { (x: T, y: T) in x * y } }
    case .div, .divRn: { Loops.binary($0, $1) { (x: T, y: T) in x / y } }
    case .rem: { Loops.binary($0, $1) { (x: T, y: T) in x.truncatingRemainder(dividingBy: y) } }
    // Without NaN propagation the operand that is a number wins.
    case .minimum: { Loops.binary($0, $1) { (x: T, y: T) in x < y || y != y ? x : y } }
    case .maximum: { Loops.binary($0, $1) { (x: T, y: T) in x > y || y != y ? x : y } }
    case .minimumNaN: { Loops.binary($0, $1) { (x: T, y: T) in x < y || x != x ? x : y } }
    case .maximumNaN: { Loops.binary($0, $1) { (x: T, y: T) in x > y || x != x ? x : y } }
    default: nil
    }
  }

  static func fma(_ lane: Lane) -> Handler? {
    switch lane {
    case .float:
      return { Loops.ternary($0, $1) { (x: Float, y: Float, z: Float) in z.addingProduct(x, y) } }
    case .double:
      return {
        Loops.ternary($0, $1) { (x: Double, y: Double, z: Double) in z.addingProduct(x, y) }
      }
    default: return nil
    }
  }

  static func clamp(propagateNaN: Bool, _ lane: Lane) -> Handler? {
    switch lane {
    case .float: clamp(propagateNaN, Float.self)
    case .double: clamp(propagateNaN, Double.self)
    default: nil
    }
  }

  @inline(__always)
  private static func clamp<T: BinaryFloatingPoint & SendableMetatype>(
    _ propagateNaN: Bool, _: T.Type
  ) -> Handler {
    if propagateNaN {
      return {
        Loops.ternary($0, $1) { (x: T, low: T, high: T) in
          x != x ? x : (x < low ? low : (x > high ? high : x))
        }
      }
    }
    return {
      Loops.ternary($0, $1) { (x: T, low: T, high: T) in
        let raised = x > low ? x : low
        return raised < high ? raised : high
      }
    }
  }

  static func select(bytes: Int) -> Handler {
    switch bytes {
    case 1: { Loops.ternary($0, $1) { (c: UInt8, x: UInt8, y: UInt8) in c != 0 ? x : y } }
    case 2: { Loops.ternary($0, $1) { (c: UInt8, x: UInt16, y: UInt16) in c != 0 ? x : y } }
    case 4: { Loops.ternary($0, $1) { (c: UInt8, x: UInt32, y: UInt32) in c != 0 ? x : y } }
    default: { Loops.ternary($0, $1) { (c: UInt8, x: UInt, y: UInt) in c != 0 ? x : y } }
    }
  }
}
