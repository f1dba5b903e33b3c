import Testing
import TileIR

@testable import TileMachine

/// What faults say: overflowing offsets, and the values that led to a wild address.
struct MachineFaultTests {
  private static let strided = """
    @triton.jit
    def kernel(x, y, stride, n):
        pid = tl.program_id(0)
        offs = pid * stride + tl.arange(0, 8)
        value = tl.load(x + offs, mask=tl.arange(0, 8) < n)
        tl.store(y + tl.arange(0, 8), value)
    """

  @Test func overflowingOffsetIsNoOrdinaryOutOfBounds() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, [Float](repeating: 1, count: 64))
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 8))
    let arguments: [String: MachineArgument] = [
      "x": x, "y": y, "stride": .int(1 << 20), "n": .int(8),
    ]
    var options = TileMachine.Options()
    // 4095 << 20 exceeds 2^31.
    options.programs = [4095]
    let fault = try run(
      Self.strided, "*fp32, *fp32, i32, i32", grid: [4096], tensors, arguments, options: options,
      faults: "offset-overflow")
    #expect(fault?.tensor == "x")
    #expect(fault?.index == [4095 << 20])
    #expect(fault?.operands.first { $0.name == "pid" }?.value == 4095)
    #expect(fault?.operands.first { $0.name == "stride" }?.value == 1 << 20)
    // The lower programs of the same grid are as good as ever.
    options.programs = [0]
    try run(
      Self.strided, "*fp32, *fp32, i32, i32", grid: [4096], tensors, arguments, options: options)
    // So are lanes that are masked off.
    options.programs = [4095]
    var masked = arguments
    masked["n"] = .int(0)
    try run(
      Self.strided, "*fp32, *fp32, i32, i32", grid: [4096], tensors, masked, options: options)
    // Wide arithmetic leads where it should: out of bounds.
    try run(
      Self.strided.replacing("pid = tl.program_id(0)", with: "pid = tl.program_id(0).to(tl.int64)"),
      "*fp32, *fp32, i32, i32", grid: [4096], tensors, arguments, options: options,
      faults: "out-of-bounds")
  }

  @Test func aLoopThatWaitsForAnotherProgramIsNamed() throws {
    let tensors = Tensors()
    let locks = try tensors.add("locks", .int32, [Int32](repeating: 0, count: 1))
    var options = TileMachine.Options()
    options.fuel = 1000
    let fault = try run(
      """
      @triton.jit
      def kernel(locks):
          if tl.program_id(0) == 0:
              while tl.atomic_cas(locks, 1, 1) != 1:
                  pass
          else:
              tl.atomic_xchg(locks, 1)
      """, "*i32", grid: [2], tensors, ["locks": locks], options: options, faults: "endless-loop")
    let text = fault.map { $0.source.text(in: $0.range) }
    #expect(text?.hasPrefix("while tl.atomic_cas") == true, "\(text ?? "")")
    #expect(fault?.message.contains("waits for another") == true)
  }

  @Test func launchesThatCannotWrapAreNotSlower() throws {
    let function = try lowered(Self.strided, "*fp32, *fp32, i32, i32")
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, [Float](repeating: 1, count: 64))
    func instructions(_ stride: Int) throws -> Int {
      try PreparedLaunch(
        function, grid: [4096],
        arguments: ["x": x, "y": x, "stride": .int(stride), "n": .int(8)], memory: tensors.memory
      ).program.instructionCount
    }
    #expect(try instructions(1 << 20) > instructions(1 << 10))
    #expect(try instructions(1 << 10) == instructions(1 << 11))
  }

  @Test func overflowIsFoundThroughLoopsAndShapes() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, [Float](repeating: 1, count: 64))
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 64))
    let body = """
      @triton.jit
      def kernel(x, y, stride, steps):
          rows = tl.arange(0, 4)
          cols = tl.arange(0, 4)
          ptrs = x + cols[None, :]
          acc = tl.zeros((4, 4), tl.float32)
          for i in range(steps):
              acc += tl.load(ptrs + (rows * stride)[:, None])
              ptrs += 4 * stride
          tl.store(y + rows[:, None] * 4 + cols[None, :], acc)
      """
    func arguments(_ stride: Int, _ steps: Int) -> [String: MachineArgument] {
      ["x": x, "y": y, "stride": .int(stride), "steps": .int(steps)]
    }
    let signature = "*fp32, *fp32, i32, i32"
    try run(body, signature, tensors, arguments(4, 4))
    // 3 * 2^30 wraps to a negative number at once; 4 * 2^30 wraps to 0 in the second iteration.
    try run(body, signature, tensors, arguments(1 << 30, 1), faults: "offset-overflow")
    try run(
      body.replacing("(rows * stride)", with: "(rows * 4)"), signature, tensors,
      arguments(1 << 30, 2), faults: "offset-overflow")
  }

  @Test func constantsThatWrapAreFound() throws {
    let tensors = Tensors()
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 8))
    let body = """
      @triton.jit
      def kernel(y, a, b):
          base = a * b
          tl.store(y + base + tl.arange(0, 8), 1.0)
      """
    // 65536 * 65536 wraps to 0: without the check the store would go unnoticed.
    try run(
      body, "*fp32, i32, i32", tensors, ["y": y, "a": .int(65536), "b": .int(65536)],
      faults: "offset-overflow")
  }

  @Test func hashesMayWrap() throws {
    let tensors = Tensors()
    let y = try tensors.add("y", .int32, [Int32](repeating: 0, count: 64))
    let body = """
      @triton.jit
      def kernel(y, seed):
          i = tl.arange(0, 8)
          h = ((i + seed) * 1103515245 + 12345) & 63
          tl.atomic_add(y + h, 1)
      """
    try run(body, "*i32, i32", tensors, ["y": y, "seed": .int(123_456_789)])
    #expect(try tensors.read("y", as: Int32.self).reduce(0, +) == 8)
  }

  @Test func faultNamesTheValuesThatLedThere() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, [Float](repeating: 1, count: 60), shape: [6, 10])
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 64))
    let body = """
      @triton.jit
      def kernel(x, y, N, stride_m, BM: tl.constexpr):
          pid_m = tl.program_id(0)
          offs_m = pid_m * BM + tl.arange(0, BM)
          offs_n = tl.arange(0, 16)
          acc = tl.zeros((BM, 16), tl.float32)
          for k in range(0, 2):
              tile = tl.load(x + offs_m[:, None] * stride_m + offs_n[None, :], mask=offs_n[None, :] < N)
              acc += tile
          tl.store(y + tl.arange(0, BM)[:, None] * 16 + offs_n[None, :], acc)
      """
    let fault = try run(
      body, "*fp32, *fp32, i32, i32, 4", grid: [2], tensors,
      ["x": x, "y": y, "N": .int(10), "stride_m": .int(10)], faults: "out-of-bounds")
    #expect(fault?.programID == [1, 0, 0])
    #expect(fault?.lane == [2, 0])
    var values: [String: Int] = [:]
    for operand in fault?.operands ?? [] { values[operand.name] = operand.value }
    #expect(values["offs_m"] == 6 && values["offs_n"] == 0 && values["pid_m"] == 1)
    #expect(values["stride_m"] == 10)
    #expect(values.count <= 6)
    #expect(fault?.diagnostic.rendered().contains("offs_m = 6") == true)
  }
}
