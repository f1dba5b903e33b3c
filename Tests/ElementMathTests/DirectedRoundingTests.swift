import Foundation
import Testing
import TileIR

@testable import ElementMath

@Suite struct DirectedRoundingTests {
  /// down ≤ exact ≤ up, one step apart unless exact; towards zero is the smaller one.
  private func check(
    _ results: (Direction) -> Float, _ nearest: Float, _ exact: Double?,
    _ context: @autoclosure () -> String
  ) {
    let (down, up, zero) = (results(.down), results(.up), results(.zero))
    if nearest.isNaN {
      #expect(down.isNaN && up.isNaN && zero.isNaN)
      return
    }
    #expect(down == up || down.nextUp == up, "\(context()): \(down) \(up)")
    #expect(results(.nearest) == nearest && (nearest == down || nearest == up), "\(context())")
    #expect(zero == (down >= 0 && down != up ? down : down == up ? down : up), "\(context())")
    if let exact {
      #expect(Double(down) <= exact && exact <= Double(up), "\(context())")
      if Double(nearest) != exact { #expect(down != up, "\(context())") }
    }
  }

  @Test func bracketsTheExactValue() {
    var generator = Generator(state: 5)
    for index in 0..<2000 {
      let bits = [
        UInt32.random(in: 0...(.max), using: &generator),
        UInt32.random(in: 0...(.max), using: &generator),
      ]
      var a = Float(bitPattern: bits[0])
      var b = Float(bitPattern: bits[1])
      if index % 2 == 0 {
        a = Float.random(in: -10...10, using: &generator)
        b = Float.random(in: -10...10, using: &generator)
      }
      if index % 16 == 0 { a = edgeFloats[index % edgeFloats.count] }
      guard a.isFinite, b.isFinite, a != 0, b != 0 else { continue }
      let context = "\(a) \(b)"
      check({ $0.multiply(a, b) }, a * b, Double(a) * Double(b), context)
      let near = Swift.abs(Int(a.exponent) - Int(b.exponent)) < 25
      check({ $0.add(a, b) }, a + b, near ? Double(a) + Double(b) : nil, context)
      if b != 0 { check({ $0.divide(a, b) }, a / b, nil, context) }
      if a > 0 { check({ $0.squareRoot(a) }, a.squareRoot(), nil, context) }
      check({ $0.multiplyAdd(a, b, 1) }, Float(1).addingProduct(a, b), nil, context)
      // fp64's own algorithms, judged by fp32's range of exact results.
      let wide = Direction.down.multiply(Double(a), Double(b))
      #expect(wide == Double(a) * Double(b))
    }
  }

  @Test func tinyAndHugeResults() {
    let tiny = Float.leastNonzeroMagnitude
    #expect(Direction.up.multiply(tiny, tiny) == tiny)
    #expect(Direction.down.multiply(tiny, tiny) == 0)
    #expect(Direction.down.multiply(-tiny, tiny) == -tiny)
    #expect(Direction.zero.multiply(-tiny, tiny) == 0)
    let huge = Float.greatestFiniteMagnitude
    #expect(Direction.zero.add(huge, huge) == huge)
    #expect(Direction.up.add(huge, huge) == .infinity)
    #expect(Direction.down.multiply(huge, 2) == huge)
    #expect(Direction.up.multiply(huge, -2) == -huge)
    #expect(Direction.down.divide(huge, 0.5) == huge)
    #expect(Direction.up.divide(1, 0 as Float) == .infinity)
    #expect(Direction.down.add(1, -1 as Float).sign == .minus)
    #expect(Direction.up.add(1, -1 as Float).sign == .plus)
    #expect(Direction.down.multiplyAdd(1, 1, -1 as Float).sign == .minus)
    #expect(Direction.up.multiplyAdd(tiny, tiny, 1) == Float(1).nextUp)
    #expect(Direction.down.multiplyAdd(-0x1p-600, 0x1p-100, 1) == 1.0.nextDown)
    #expect(
      Direction.up.squareRoot(2.0) == 2.0.squareRoot().nextUp
        || 2.0.squareRoot() * 2.0.squareRoot() > 2)
  }

  @Test func conversions() {
    #expect(Direction.down.convert(Int64.max) as Float == 0x1p63.asFloat.nextDown)
    #expect(Direction.up.convert(Int64.max) as Float == 0x1p63)
    #expect(Direction.zero.convert(-16_777_217 as Int32) as Float == -16_777_216)
    #expect(Direction.down.convert(-16_777_217 as Int32) as Float == -16_777_218)
    #expect(Direction.up.convert(UInt64.max) as Double == 0x1p64)
    #expect(Direction.up.toFloat(1e300) == .infinity)
    #expect(Direction.zero.toFloat(-1e300) == -.greatestFiniteMagnitude)
    #expect(Direction.up.toFloat(1e-300) == .leastNonzeroMagnitude)
    #expect(apply("__nv_float2int_rn", [Float(2.5)], Int32(0), [.fp32], .int32) == 2)
    #expect(apply("__nv_float2int_ru", [Float(2.1)], Int32(0), [.fp32], .int32) == 3)
    #expect(apply("__nv_float2int_rz", [Float.nan], Int32(5), [.fp32], .int32) == 0)
    #expect(apply("__nv_double2int_rz", [Double.nan], Int32(5), [.fp64], .int32) == .min)
    #expect(apply("__nv_float2uint_rd", [Float(-3)], Int32(5), [.fp32], .int32) == 0)
  }

  @Test func floatsToIntegersSaturate() {
    let inputs: [Float] = [.nan, -.infinity, 1e20, -1.9, 255.9, 300, 2_147_483_648, 1.9, -0.0]
    func converted<T: FixedWidthInteger>(_ element: ElementType, _ zero: T) -> [T] {
      var result = inputs.map { _ in zero }
      #expect(ElementMath.toInteger(inputs, element, to: &result, count: inputs.count))
      return result
    }
    #expect(converted(.int32, Int32(0)) == [0, .min, .max, -1, 255, 300, .max, 1, 0])
    #expect(converted(.uint32, UInt32(0)) == [0, 0, .max, 0, 255, 300, 1 << 31, 1, 0])
    #expect(converted(.int16, Int16(0)) == [0, .min, .max, -1, 255, 300, .max, 1, 0])
    #expect(converted(.int8, Int8(0)) == [0, 0, -1, -1, -1, 44, -1, 1, 0])
    #expect(converted(.uint8, UInt8(0)) == [0, 0, 255, 0, 255, 44, 255, 1, 0])
    #expect(converted(.int64, Int64(0)) == [.min, .min, .max, -1, 255, 300, 1 << 31, 1, 0])
    #expect(
      converted(.uint64, UInt64(0))
        == [1 << 63, 0, .max, 0, 255, 300, 1 << 31, 1, 0])
    #expect(converted(.int1, UInt8(0)) == [1, 1, 1, 1, 1, 1, 1, 1, 0])
    var lanes: [Float] = [0, 0]
    let integers: [UInt64] = [.max, 1 << 40 | 1]
    #expect(ElementMath.fromInteger(integers, .uint64, to: .fp32, target: &lanes, count: 2))
    #expect(lanes == [0x1p64, 0x1p40])
    #expect(
      ElementMath.fromInteger([Int32(257), 70000], .int32, to: .bf16, target: &lanes, count: 2))
    #expect(lanes == [256, 70144])
    #expect(!ElementMath.fromInteger(integers, .uint64, to: .fp64, target: &lanes, count: 2))
  }
}

extension Double {
  fileprivate var asFloat: Float { Float(self) }
}
