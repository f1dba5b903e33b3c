import HostProgram
import Testing
import TileIR

@testable import TensorMath

/// How elements lie in memory and are rounded on the way in.
struct StorageTests {
  /// Halfway cases, overflow, subnormal numbers: values by the definitions of the formats.
  @Test func roundsToEachFormatOnce() {
    let cases: [(ElementType, Double, Double)] = [
      (.fp16, 65519, 65504), (.fp16, 65520, .infinity), (.fp16, 0x1p-25, 0),
      (.fp16, 0x1.8p-25, 0x1p-24), (.bf16, 1 + 0x1p-8, 1), (.bf16, 1 + 0x1.8p-8, 1 + 0x1p-7),
      (.fp8e4nv, 448, 448), (.fp8e4nv, 463, 448), (.fp8e4nv, 0x1p-10, 0),
      (.fp8e4nv, 0x1.8p-10, 0x1p-9), (.fp8e5, 57344, 57344), (.fp8e5, 61440, .infinity),
      (.fp8e4b8, 240, 240), (.fp8e5b16, -0.0, 0), (.fp32, 0x1p128, .infinity), (.fp64, 0.1, 0.1),
    ]
    for (element, value, expected) in cases {
      #expect(Rounding.round(value, to: element) == expected, "\(element) of \(value)")
    }
    for element in [ElementType.fp16, .bf16, .fp8e4nv, .fp8e5, .fp8e4b8, .fp8e5b16] {
      #expect(Rounding.round(.nan, to: element).isNaN)
    }
    #expect(Rounding.round(500, to: .fp8e4nv).isNaN)
    #expect(Rounding.round(300, to: .fp8e4b8).isNaN)
  }

  /// A double rounding through fp32 would give 1.
  @Test func roundsToHalfWithoutAStepBetween() {
    #expect(Rounding.round(1 + 0x1p-11 + 0x1p-40, to: .fp16) == 1 + 0x1p-10)
  }

  @Test(arguments: ElementType.scalars.filter { $0 != .fp8e4b15 })
  func readsWhatItWrote(_ element: ElementType) throws {
    let bench = Bench(.native)
    let values: [Double] = element == .int1 ? [0, 1, 1, 0, 1, 0] : [0, 1, 2, 3, 4, 6]
    let x = try bench.tensor(values, [2, 3], element)
    #expect(try bench.world.values(x) == values)
    var turned = x
    (turned.shape, turned.strides) = ([3, 2], [1, 3])
    let expected = [0, 3, 1, 4, 2, 5].map { values[$0] }
    #expect(try bench.world.values(turned) == expected)
    // Written through the turned view, the elements stand turned in memory.
    let y = bench.shape([2, 3], element)
    var target = y
    (target.shape, target.strides) = ([3, 2], [1, 3])
    try bench.run("copy", ["input": .tensor(target), "src": .tensor(turned)], target)
    #expect(try bench.world.values(y) == values)
  }

  @Test func keepsLargeIntegersExactly() throws {
    let bench = Bench(.native)
    let x = bench.shape([2], .int64)
    try bench.run("full", ["fill_value": .int(Int.max - 1)], x)
    try bench.run("add", ["input": .tensor(x), "other": .int(1)], x)
    let isMax = try bench.run(
      "eq", ["input": .tensor(x), "other": .int(Int.max)], bench.shape([2], .int1))
    #expect(isMax == [1, 1])
  }

  @Test func scalesByPowersOfTwo() throws {
    let bench = Bench(.native)
    let x = try bench.tensor([1, -3, 0.5], [3], .fp16)
    try bench.world.scale(x, exponent: 15)
    #expect(try bench.world.values(x) == [32768, -.infinity, 16384])
    // 2^-10 · 2^-15 is halfway between zero and the least number: ties go to even.
    try bench.world.scale(x, exponent: -40)
    #expect(try bench.world.values(x) == [0, -.infinity, 0])
  }

  @Test func takesMemoryOnlyWithinItsLimit() throws {
    let world = TensorWorld(limitBytes: 1 << 20)
    let small = TensorShape(element: .fp32, shape: [1 << 18], storage: 0)
    let large = TensorShape(element: .fp32, shape: [1 << 18], storage: 1)
    _ = try world.storage(of: small)
    #expect(refusal { _ = try world.storage(of: large) } == "out-of-memory")
    world.release(0)
    _ = try world.storage(of: large)
  }

  @Test func refusesBitsReadAsAnotherTypeInFp64() throws {
    let bench = Bench(.reference)
    let x = try bench.tensor([1, 2], [2])
    var bits = x
    bits.element = .int32
    #expect(
      refusal { try bench.run("add", ["input": .tensor(bits), "other": .int(1)], bits) }
        == "reinterpreted-storage")
    let native = Bench(.native)
    let y = try native.tensor([1, 2], [2])
    bits.storage = y.storage
    #expect(try native.world.values(bits) == [Double(0x3F80_0000), Double(0x4000_0000)])
  }

  @Test func givesZeroesBeforeAnyWrite() throws {
    let bench = Bench(.native)
    #expect(try bench.world.values(bench.shape([3])) == [0, 0, 0])
  }

  @Test func fillsByNameAlikeInBothPrecisions() throws {
    var drawn: [[Double]] = []
    for precision in [TensorWorld.Precision.native, .reference] {
      let bench = Bench(precision)
      let shape = bench.shape([100], .fp16)
      try bench.world.fill(NamedTensor(name: "x", role: .input, shape: shape))
      drawn.append(try bench.world.values(shape))
    }
    #expect(drawn[0] == drawn[1])
    let mean = drawn[0].reduce(0, +) / 100
    #expect(abs(mean) < 0.5)
  }
}
