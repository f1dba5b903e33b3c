import Diagnostics
import Testing
import TileIR

@testable import TileMachine

/// libdevice functions, scaled products, assertions: what the compiler hands to handlers.
struct MachineComputeTests {
  @Test func libdeviceFunctionsRun() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, [Float](arrayLiteral: 0, 0.5, 1, 2))
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 16))
    let body = """
      from triton.language.extra import libdevice

      @triton.jit
      def kernel(x, y):
          i = tl.arange(0, 4)
          a = tl.load(x + i)
          tl.store(y + i, libdevice.tanh(a))
          tl.store(y + 4 + i, libdevice.pow(a, 2.0))
          tl.store(y + 8 + i[:, None] + tl.zeros((1, 2), tl.int32), libdevice.fma(a, a, 1.0)[:, None])
          tl.store(y + 12 + i, libdevice.norm4d(a, a, a, a))
      """
    try run(body, "*fp32, *fp32", tensors, ["x": x, "y": y])
    let lanes = try tensors.read("y", as: Float.self)
    let inputs: [Float] = [0, 0.5, 1, 2]
    let tanh: [Float] = [0, 0.46211716, 0.7615942, 0.9640276]
    for index in 0..<4 {
      #expect(abs(lanes[index] - tanh[index]) < 1e-6)
      #expect(lanes[4 + index] == inputs[index] * inputs[index])
      #expect(lanes[8 + index] == inputs[index] * inputs[index] + 1)
      #expect(lanes[12 + index] == inputs[index] * 2)
    }
  }

  @Test func unknownAssemblyIsRefusedAtItsLine() throws {
    let tensors = Tensors()
    let y = try tensors.add("y", .int32, [Int32](repeating: 0, count: 4))
    let body = """
      @triton.jit
      def kernel(y):
          i = tl.arange(0, 4)
          z = tl.inline_asm_elementwise(
              "shl.b32 $0, $1, 3;", "=r,r", [i], dtype=tl.int32, is_pure=True, pack=1)
          tl.store(y + i, z)
      """
    let function = try lowered(body, "*i32")
    let machine = TileMachine(memory: tensors.memory)
    let error = #expect(throws: Diagnostic.self) {
      try machine.run(function, grid: [1], arguments: ["y": y])
    }
    #expect(error?.id == "unsupported-machine-operation")
    #expect(error?.location?.line == 7)
  }

  @Test func scaledProductOfFP4AndFP8() throws {
    let tensors = Tensors()
    // a: 16 x 64 e2m1 (two per byte along k), b: 64 x 16 e4m3, scales per 32 along k.
    let codes: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6]
    let packed: [UInt8] = (0..<512).map { (at: Int) in UInt8(truncatingIfNeeded: at &* 37 &+ at / 7)
    }
    let eights: [(bits: UInt8, value: Float)] = [(0x38, 1), (0x40, 2), (0xB8, -1), (0x30, 0.5)]
    let right = (0..<1024).map { (at: Int) in eights[(at &* 7 &+ at / 5) % 4] }
    let leftScale: [UInt8] = (0..<32).map { (at: Int) in UInt8(126 + at % 3) }
    let rightScale: [UInt8] = (0..<32).map { (at: Int) in UInt8(125 + at % 5) }
    let a = try tensors.add("a", .uint8, packed)
    let b = try tensors.add("b", .fp8e4nv, right.map(\.bits))
    let s = try tensors.add("s", .uint8, leftScale)
    let t = try tensors.add("t", .uint8, rightScale)
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 256))
    let body = """
      @triton.jit
      def kernel(a, s, b, t, y):
          i = tl.arange(0, 16)
          g = tl.arange(0, 2)
          x = tl.load(a + i[:, None] * 32 + tl.arange(0, 32)[None, :])
          w = tl.load(b + tl.arange(0, 64)[:, None] * 16 + i[None, :])
          u = tl.load(s + i[:, None] * 2 + g[None, :])
          v = tl.load(t + i[:, None] * 2 + g[None, :])
          c = tl.dot_scaled(x, u, "e2m1", w, v, "e4m3")
          tl.store(y + i[:, None] * 16 + i[None, :], c)
      """
    try run(
      body, "*u8, *u8, *fp8e4nv, *u8, *fp32", tensors, ["a": a, "s": s, "b": b, "t": t, "y": y])
    var expected = [Float](repeating: 0, count: 256)
    func power(_ bits: UInt8) -> Float { Float(bitPattern: UInt32(bits) << 23) }
    for row in 0..<16 {
      for column in 0..<16 {
        for k in 0..<64 {
          let byte = packed[row * 32 + k / 2]
          let left = codes[Int(k % 2 == 0 ? byte & 15 : byte >> 4)]
          let scale = power(leftScale[row * 2 + k / 32]) * power(rightScale[column * 2 + k / 32])
          let product: Float = left * right[k * 16 + column].value
          expected[row * 16 + column] += product * scale
        }
      }
    }
    #expect(try tensors.read("y", as: Float.self) == expected)
  }

  @Test func assertionsAreCheckedWhereKept() throws {
    let tensors = Tensors()
    let y = try tensors.add("y", .int32, [Int32](repeating: 0, count: 8))
    let body = """
      @triton.jit
      def kernel(y):
          i = tl.arange(0, 8)
          tl.device_assert(i < 5, "too far", mask=i != 7)
          assert tl.program_id(0) < 4, "never"
          tl.store(y + i, i)
      """
    try run(body, "*i32", tensors, ["y": y])
    let fault = try run(
      body, "*i32", tensors, ["y": y], faults: "failed-assertion", keepsAssertions: true)
    #expect(fault?.lane == [5])
    #expect(fault?.message.contains("too far") == true)
  }
}
