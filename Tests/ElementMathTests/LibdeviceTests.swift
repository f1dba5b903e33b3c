import Foundation
import Testing
import TileIR

@testable import ElementMath

/// Applies a libdevice function to one lane per argument.
func apply<Argument, Result>(
  _ symbol: String, _ arguments: [Argument], _ zero: Result, _ operands: [ElementType],
  _ result: ElementType
) -> Result? {
  guard let function = ElementMath.function(symbol: symbol, operands: operands, result: result)
  else { return nil }
  var output = zero
  let copies = arguments.map { argument in
    let pointer = UnsafeMutablePointer<Argument>.allocate(capacity: 1)
    pointer.initialize(to: argument)
    return pointer
  }
  defer { for copy in copies { copy.deallocate() } }
  withUnsafeMutablePointer(to: &output) {
    function(copies.map { UnsafeRawPointer($0) }, UnsafeMutableRawPointer($0), 1)
  }
  return output
}

func float(_ symbol: String, _ arguments: Float...) -> Float? {
  apply(symbol, arguments, Float(0), arguments.map { _ in .fp32 }, .fp32)
}

func double(_ symbol: String, _ arguments: Double...) -> Double? {
  apply(symbol, arguments, 0.0, arguments.map { _ in .fp64 }, .fp64)
}

func int(_ symbol: String, _ arguments: Int32...) -> Int32? {
  apply(symbol, arguments, Int32(0), arguments.map { _ in .int32 }, .int32)
}

@Suite struct LibdeviceTests {
  struct Golden: CustomTestStringConvertible {
    var name: String
    var samples: [(arguments: [Double], value: Double)]
    var testDescription: String { name }
  }

  static let goldens: [Golden] = LibdeviceGoldens.text.split(separator: "\n").map { line in
    let words = line.split(separator: " ")
    return Golden(
      name: String(words[0]),
      samples: words.dropFirst().map { word in
        let parts = word.split(separator: ">")
        return (parts[0].split(separator: ",").map { Double($0) ?? .nan }, Double(parts[1]) ?? .nan)
      })
  }

  @Test(arguments: goldens)
  func agreesWithMpmath(_ golden: Golden) throws {
    var worstFloat = (0, [Double]())
    var worstDouble = (0.0, [Double]())
    for sample in golden.samples {
      let types = sample.arguments.map { _ in ElementType.fp32 }
      let value = try #require(
        apply("__nv_\(golden.name)f", sample.arguments.map { Float($0) }, Float(0), types, .fp32))
      let distance = ulps(value, Float(sample.value))
      if distance > worstFloat.0 { worstFloat = (distance, sample.arguments) }
      let wide = try #require(
        apply("__nv_\(golden.name)", sample.arguments, 0.0, types.map { _ in .fp64 }, .fp64))
      let error = Swift.abs(wide - sample.value) / sample.value.ulp
      if !(error <= worstDouble.0) { worstDouble = (error, sample.arguments) }
    }
    #expect(worstFloat.0 <= 1, "at \(worstFloat.1)")
    // C's Bessel functions are accurate in absolute terms near their zeros.
    let bessel = ["j0", "j1", "y0", "y1"].contains(golden.name)
    #expect(worstDouble.0 <= (bessel ? 1e4 : 16), "at \(worstDouble.1)")
  }

  @Test func specialValues() {
    #expect(float("__nv_powf", 0, 0) == 1)
    #expect(float("__nv_powf", -2, 3) == -8)
    #expect(float("__nv_fmodf", -5.5, 2) == -1.5)
    #expect(float("__nv_remainderf", 5, 3) == -1)
    #expect(float("__nv_erfinvf", 1) == .infinity)
    #expect(float("__nv_erfinvf", 1.5)?.isNaN == true)
    #expect(float("__nv_erfcinvf", 2) == -.infinity)
    #expect(float("__nv_normcdfinvf", 0.5) == 0)
    #expect(float("__nv_normcdff", -.infinity) == 0)
    #expect(float("__nv_erfcxf", -30) == .infinity)
    #expect(float("__nv_erfcxf", .infinity) == 0)
    #expect(float("__nv_tgammaf", -3)?.isNaN == true)
    #expect(float("__nv_lgammaf", -.infinity) == .infinity)
    #expect(float("__nv_y0f", 0) == -.infinity)
    #expect(float("__nv_y1f", -1)?.isNaN == true)
    #expect(float("__nv_sinpif", 3) == 0)
    #expect(float("__nv_cospif", 0.5) == 0)
    #expect(float("__nv_hypotf", .nan, .infinity) == .infinity)
    #expect(float("__nv_norm3df", 3e38, 0, 3e38) == .infinity)
    #expect(double("__nv_norm3d", 3e300, 4e300, 0) == 5e300)
    #expect(float("__nv_fmaxf", .nan, 2) == 2)
    #expect(float("__nv_nextafterf", 0, -1) == -.leastNonzeroMagnitude)
    #expect(float("__nv_saturatef", .nan) == 0)
    #expect(float("__nv_roundf", -2.5) == -3)
    #expect(float("__nv_rintf", -2.5) == -2)
    #expect(float("__nv_logbf", 0) == -.infinity)
    #expect(apply("__nv_ilogbf", [Float(0.1)], Int32(0), [.fp32], .int32) == -4)
    #expect(apply("__nv_ilogbf", [Float.nan], Int32(0), [.fp32], .int32) == .min)
    #expect(apply("__nv_llrintf", [Float(2.5)], Int64(0), [.fp32], .int64) == 2)
    #expect(apply("__nv_isnanf", [Float.nan], Int32(0), [.fp32], .int32) == 1)
  }

  @Test func integers() {
    #expect(int("__nv_clz", 1) == 31)
    #expect(int("__nv_popc", -1) == 32)
    #expect(int("__nv_ffs", 0) == 0)
    #expect(int("__nv_ffs", 8) == 4)
    #expect(int("__nv_brev", 1) == .min)
    #expect(int("__nv_byte_perm", 0x0302_0100, 0x0706_0504, 0x7531) == 0x0705_0301)
    #expect(int("__nv_mulhi", .min, 2) == -1)
    #expect(int("__nv_mul24", -1, 5) == -5)
    #expect(int("__nv_hadd", -3, -2) == -3)
    #expect(int("__nv_rhadd", -3, -2) == -2)
    #expect(int("__nv_abs", .min) == .min)
    #expect(apply("__nv_umul64hi", [UInt64.max, 2], UInt64(0), [.uint64, .uint64], .uint64) == 1)
    #expect(ElementMath.quotient(Int32.min, -1) == .min)
    #expect(ElementMath.quotient(Int32(5), 0) == -1)
    #expect(ElementMath.remainder(Int32.min, -1) == 0)
    #expect(ElementMath.floorQuotient(Int32(-7), 2) == -4)
    #expect(ElementMath.floorQuotient(UInt8(7), 2) == 3)
    #expect(ElementMath.shiftLeft(Int32(1), 32) == 0)
    #expect(ElementMath.shiftRight(Int32(-8), 40) == -1)
  }

  @Test func unknownOrWronglyTypedSymbolsAreRefused() {
    #expect(ElementMath.function(symbol: "__nv_nothing", operands: [.fp32], result: .fp32) == nil)
    #expect(ElementMath.function(symbol: "__nv_tanf", operands: [.fp64], result: .fp32) == nil)
    #expect(ElementMath.function(symbol: "__nv_tanf", operands: [.fp16], result: .fp16) == nil)
    #expect(ElementMath.function(symbol: "__nv_tanf", operands: [], result: .fp32) == nil)
    #expect(ElementMath.function(.not, .fp32) == nil)
    #expect(ElementMath.function(.exp, .int32) == nil)
  }
}

extension ElementFunction: Equatable {
  public static func == (a: ElementFunction, b: ElementFunction) -> Bool {
    a.operands == b.operands && a.result == b.result
  }
}
