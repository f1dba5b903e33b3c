import Testing
import TileIR

@testable import TileMachine

/// Launches whose programs are shared out among threads: the results of one thread.
struct ThreadTests {
  private static let rows = """
    @triton.jit
    def kernel(x, y, total, n):
        row = tl.program_id(0)
        cols = tl.arange(0, 32)
        mask = cols < n
        sums = tl.zeros((32,), dtype=tl.float32)
        for i in range(4):
            value = tl.load(x + row * n + cols, mask=mask, other=0.0)
            sums += tl.exp(value.to(tl.float16).to(tl.float32)) * (i + 1)
        tl.store(y + row * n + cols, sums, mask=mask)
        tl.atomic_add(total, 1)
    """

  private static func options(_ threads: Int) -> TileMachine.Options {
    var options = TileMachine.Options()
    options.threads = threads
    options.timeAlone = .zero
    return options
  }

  @Test(arguments: [2, 3, 8]) func computeWhatOneThreadComputes(_ threads: Int) throws {
    func result(_ threads: Int) throws -> ([Float], [Int32]) {
      let tensors = Tensors()
      let count = 300 * 20
      let x = try tensors.add("x", .fp32, (0..<count).map { Float($0 % 97) / 31 })
      let y = try tensors.add(
        "y", .fp32, [Float](repeating: .nan, count: count), isInitialized: false)
      let total = try tensors.add("total", .int32, [Int32(0)])
      try run(
        Self.rows, "*fp32, *fp32, *i32, i32", grid: [300], tensors,
        ["x": x, "y": y, "total": total, "n": .int(20)], options: Self.options(threads))
      return (try tensors.read("y", as: Float.self), try tensors.read("total", as: Int32.self))
    }
    let (one, several) = (try result(1), try result(threads))
    #expect(one.0 == several.0 && !one.0.contains { $0.isNaN })
    #expect(one.1 == [300] && several.1 == [300])
  }

  /// A prepared launch keeps the programs of its threads for the next run.
  @Test func runsAgain() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, [Float](repeating: 0, count: 640))
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 640))
    let total = try tensors.add("total", .int32, [Int32(0)])
    let launch = try PreparedLaunch(
      lowered(Self.rows, "*fp32, *fp32, *i32, i32"), grid: [20],
      arguments: ["x": x, "y": y, "total": total, "n": .int(32)], memory: tensors.memory)
    for _ in 0..<3 {
      let result = try launch.run(tensors.memory, Self.options(4))
      #expect(result.fault == nil && result.programs == 20)
    }
    #expect(try tensors.read("y", as: Float.self) == [Float](repeating: 10, count: 640))
    #expect(try tensors.read("total", as: Int32.self) == [60])
  }

  @Test func nameTheFaultAsOneThreadDoes() throws {
    let tensors = Tensors()
    let x = try tensors.add("x", .fp32, [Float](repeating: 0, count: 199 * 20))
    let y = try tensors.add("y", .fp32, [Float](repeating: 0, count: 200 * 20))
    let total = try tensors.add("total", .int32, [Int32(0)])
    let fault = try run(
      Self.rows, "*fp32, *fp32, *i32, i32", grid: [200], tensors,
      ["x": x, "y": y, "total": total, "n": .int(20)], options: Self.options(4),
      faults: "out-of-bounds")
    #expect(fault?.tensor == "x" && fault?.programID.first == 199)
    #expect(fault?.operands.first { $0.name == "row" }?.value == 199)
  }

  /// Lines come in the order of the programs, however many threads there are.
  @Test func printInOrder() throws {
    let tensors = Tensors()
    let y = try tensors.add("y", .int32, [Int32(0)])
    let function = try lowered(
      """
      @triton.jit
      def kernel(y):
          tl.device_print("program", tl.program_id(0))
      """, "*i32")
    let machine = TileMachine(memory: tensors.memory, options: Self.options(4))
    let lines = try machine.run(function, grid: [40], arguments: ["y": y]).printed
    #expect(lines.count == 40)
    let numbers = lines.compactMap { line in line.matches(of: /\d+/).last.flatMap { Int($0.0) } }
    #expect(numbers == Array(0..<40), "\(lines.prefix(3))")
  }
}
