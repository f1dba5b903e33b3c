import Testing
import TileIR

@testable import TileMachine

/// Block pointers and tensor descriptors: what they load and store, through loops and branches.
struct HandlesTests {
  private func numbers(_ count: Int) -> [Float] { (0..<count).map(Float.init) }

  @Test func blockPointerAdvancesThroughALoop() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, numbers(5 * 50), shape: [5, 50])
    let y = try tensors.add("y", .fp32, [Float](repeating: -1, count: 8))
    let body = """
      @triton.jit
      def kernel(x, y, M, K, BM: tl.constexpr, BK: tl.constexpr):
          block = tl.make_block_ptr(x, (M, K), (K, 1), (0, 0), (BM, BK), (1, 0))
          acc = tl.zeros((BM,), tl.float32)
          for k in range(0, K, BK):
              tile = tl.load(block, boundary_check=(0, 1), padding_option="zero")
              acc += tl.sum(tile, axis=1)
              block = tl.advance(block, (0, BK))
          tl.store(y + tl.arange(0, BM), acc)
      """
    let signature = "*fp32, *fp32, i32, i32, 8, 16"
    try run(body, signature, tensors, ["x": x, "y": y, "M": .int(5), "K": .int(50)])
    let sums = (0..<5).map { row in (0..<50).reduce(Float(0)) { $0 + Float(row * 50 + $1) } }
    #expect(try tensors.read("y", as: Float.self) == sums + [0, 0, 0])
    // The loop carries the sum and one offset; base, shape, strides and the other offset stay out.
    let expanded = try HandleExpansion.expand(lowered(body, signature), arguments: [:])
    var carried: [Int] = []
    expanded.function.forEachOperation {
      if case .forLoop = $0.kind { carried.append($0.results.count) }
    }
    #expect(carried == [2])
  }

  @Test func unmaskedAxesAreNotChecked() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, numbers(12), shape: [3, 4])
    let y = try tensors.add("y", .fp32, [Float](repeating: -1, count: 16))
    let body = """
      @triton.jit
      def kernel(x, y, BM: tl.constexpr):
          block = tl.make_block_ptr(x, (3, 4), (4, 1), (0, 0), (BM, 4), (1, 0))
          tile = tl.load(block, boundary_check=(1,))
          tl.store(y + tl.arange(0, BM)[:, None] * 4 + tl.arange(0, 4)[None, :], tile)
      """
    try run(body, "*fp32, *fp32, 4", tensors, ["x": x, "y": y], faults: "out-of-bounds")
  }

  @Test func blockPointerPadsAndDropsStores() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp16, [UInt16](repeating: 0x3C00, count: 6), shape: [2, 3])
    let y = try tensors.add("y", .fp16, [UInt16](repeating: 0xAAAA, count: 15), shape: [3, 5])
    let body = """
      @triton.jit
      def kernel(x, y):
          a = tl.make_block_ptr(x, (2, 3), (3, 1), (-1, -1), (4, 4), (1, 0))
          tile = tl.load(a, boundary_check=(0, 1), padding_option="nan")
          b = tl.make_block_ptr(y, (3, 5), (5, 1), (0, 2), (4, 4), (1, 0))
          tl.store(b, tile, boundary_check=(0, 1))
      """
    try run(body, "*fp16, *fp16", tensors, ["x": x, "y": y])
    let bits = try tensors.read("y", as: UInt16.self)
    let isNaN = bits.map { $0 & 0x7C00 == 0x7C00 && $0 & 0x3FF != 0 }
    #expect(isNaN == [0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0].map { $0 == 1 })
    #expect(bits[0] == 0xAAAA && bits[8] == 0x3C00 && bits[14] == 0x3C00)
  }

  @Test func blockPointersThroughBranchesAndWhile() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, numbers(64))
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 32))
    let body = """
      @triton.jit
      def kernel(x, y, n):
          pid = tl.program_id(0)
          block = tl.make_block_ptr(x, (64,), (1,), (0,), (16,), (0,))
          if pid == 1:
              block = tl.advance(block, (16,))
          else:
              block = tl.make_block_ptr(x, (n,), (2,), (0,), (16,), (0,))
          acc = tl.zeros((16,), tl.float32)
          i = 0
          while i < 3:
              acc += tl.load(block, boundary_check=(0,))
              if i % 2 == 0:
                  block = tl.advance(block, (8,))
              i += 1
          tl.store(y + pid * 16 + tl.arange(0, 16), acc)
      """
    try run(
      body, "*fp32, *fp32, i32", grid: [2], tensors, ["x": x, "y": y, "n": .int(20)])
    func load(_ at: Int, _ stride: Int, _ size: Int) -> Float {
      at < size ? Float(at * stride) : 0
    }
    let expected = (0..<2).flatMap { pid in
      (0..<16).map { lane -> Float in
        let (start, stride, size) = pid == 1 ? (16, 1, 64) : (0, 2, 20)
        return [0, 8, 8].reduce(Float(0)) { $0 + load(start + $1 + lane, stride, size) }
      }
    }
    #expect(try tensors.read("y", as: Float.self) == expected)
  }

  @Test func swappedBlockPointersAreCarried() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, numbers(16))
    let z = try tensors.add("z", .fp32, numbers(16).map { $0 * 100 })
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 16))
    let body = """
      @triton.jit
      def kernel(x, z, y):
          a = tl.make_block_ptr(x, (16,), (1,), (0,), (16,), (0,))
          b = tl.make_block_ptr(z, (16,), (1,), (0,), (16,), (0,))
          for i in range(3):
              a, b = b, a
          tl.store(y + tl.arange(0, 16), tl.load(a))
      """
    try run(body, "*fp32, *fp32, *fp32", tensors, ["x": x, "z": z, "y": y])
    #expect(try tensors.read("y", as: Float.self) == numbers(16).map { $0 * 100 })
  }

  @Test func deviceDescriptorLoadsAndStores() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, numbers(6 * 20), shape: [6, 20])
    let y = try tensors.add("y", .fp32, [Float](repeating: -1, count: 6 * 20), shape: [6, 20])
    let body = """
      @triton.jit
      def kernel(x, y, M, N):
          a = tl.make_tensor_descriptor(x, [M, N], [N, 1], [4, 8])
          b = tl.make_tensor_descriptor(y, [M, N], [N, 1], [4, 8])
          i = tl.program_id(0) * 4
          j = tl.program_id(1) * 8
          b.store([i, j], a.load([i, j]) + 1.0)
      """
    try run(
      body, "*fp32, *fp32, i32, i32", grid: [2, 3], tensors,
      ["x": x, "y": y, "M": .int(6), "N": .int(20)])
    #expect(try tensors.read("y", as: Float.self) == numbers(120).map { $0 + 1 })
  }

  @Test func hostDescriptorIsSpreadOverItsParameters() throws {
    let tensors = Tensors()
    try tensors.add("x", .fp32, numbers(6 * 20), shape: [6, 20])
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 64))
    let body = """
      @triton.jit
      def kernel(x, y):
          tile = x.load([4, 16])
          rows = x.shape[0] + tl.zeros((8, 8), tl.int32)
          tl.store(y + tl.arange(0, 8)[:, None] * 8 + tl.arange(0, 8)[None, :], tile + rows)
      """
    try run(
      body, "tensordesc<fp32[8, 8]>, *fp32", tensors,
      [
        "x": .descriptor(
          try tensors.allocation("x"), byteOffset: 0, shape: [6, 20], strides: [20, 1]),
        "y": y,
      ])
    let expected = (0..<64).map { at -> Float in
      let (row, column) = (4 + at / 8, 16 + at % 8)
      return (row < 6 && column < 20 ? Float(row * 20 + column) : 0) + 6
    }
    #expect(try tensors.read("y", as: Float.self) == expected)
  }

  @Test func hostDescriptorOfAnotherRankIsRefused() throws {
    let tensors = Tensors()
    try tensors.add("x", .fp32, numbers(16))
    let y = try tensors.add("y", .fp32, numbers(16))
    let function = try lowered(
      """
      @triton.jit
      def kernel(x, y):
          tl.store(y + tl.arange(0, 16), x.load([0]))
      """, "tensordesc<fp32[16]>, *fp32")
    #expect(throws: (any Error).self) {
      try HandleExpansion.expand(function, arguments: ["x": y, "y": y])
    }
  }

  @Test func descriptorGatherScatterAndReduce() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, numbers(10 * 16), shape: [10, 16])
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 10 * 16), shape: [10, 16])
    let z = try tensors.add("z", .int32, (0..<16).map { Int32($0) })
    let body = """
      @triton.jit
      def kernel(x, y, z):
          a = tl.make_tensor_descriptor(x, [10, 16], [16, 1], [1, 8])
          b = tl.make_tensor_descriptor(y, [10, 16], [16, 1], [1, 8])
          rows = tl.arange(0, 8) * 3 - 3
          tile = a.gather(rows, 12)
          b.scatter(tile, tl.arange(0, 8) + 6, 4)
          c = tl.make_tensor_descriptor(z, [12], [1], [8])
          c.atomic_add([8], tl.full((8,), 100, tl.int32))
          c.atomic_max([0], tl.full((8,), 4, tl.int32))
      """
    try run(body, "*fp32, *fp32, *i32", tensors, ["x": x, "y": y, "z": z])
    var expected = [Float](repeating: 0, count: 160)
    for row in 0..<8 where row + 6 < 10 {
      for column in 0..<8 {
        let (from, at) = (row * 3 - 3, 12 + column)
        expected[(row + 6) * 16 + 4 + column] =
          from >= 0 && from < 10 && at < 16 ? Float(from * 16 + at) : 0
      }
    }
    #expect(try tensors.read("y", as: Float.self) == expected)
    #expect(
      try tensors.read("z", as: Int32.self)
        == [4, 4, 4, 4, 4, 5, 6, 7, 108, 109, 110, 111, 12, 13, 14, 15])
  }

  @Test func descriptorPadsWithNaN() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, numbers(10))
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 16))
    let body = """
      @triton.jit
      def kernel(x, y):
          a = tl.make_tensor_descriptor(x, [10], [1], [16], padding_option="nan")
          tl.store(y + tl.arange(0, 16), a.load([0]))
      """
    try run(body, "*fp32, *fp32", tensors, ["x": x, "y": y])
    let lanes = try tensors.read("y", as: Float.self)
    #expect(Array(lanes[..<10]) == numbers(10))
    #expect(lanes[10...].allSatisfy { $0.isNaN })
  }
}
