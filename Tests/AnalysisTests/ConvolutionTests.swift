import DeviceModel
import Testing

@testable import Analysis

/// The kernel family whose instruction counts and times are known: 913 M warp instructions were
/// counted for 64/64/16 with 4 warps on an H200, and 55 % of that compiled with constant geometry.
@Suite struct ConvolutionTests {
  static func analyse(
    _ bm: Int, _ bn: Int, _ bk: Int, warps: Int = 4, stages: Int = 1, unrolled: Bool = true,
    constant: Bool = false, gpu: String = "4090"
  ) throws -> KernelAnalysis {
    let function = Fixture.convolution(bm, bn, bk, unrolled: unrolled, constantGeometry: constant)
    let launch = Fixture.convolutionLaunch(bm, bn, bk, warps: warps, stages: stages)
    return KernelAnalysis(
      function: function, launch: launch, configIndex: 0, grid: launch.configs[0].grid,
      gpu: try GPU.named(gpu))
  }

  @Test func countsTheInstructionsOfTheMeasuredKernel() throws {
    let analysis = try Self.analyse(64, 64, 16, stages: 3, gpu: "h200")
    #expect((800e6...1030e6).contains(analysis.cost.warpInstructions.total))
    #expect(analysis.divisions.share > 0.5)
    #expect(analysis.cost.bottleneck == .issue)
  }

  @Test func findsTheWorkAndItsFloors() throws {
    let analysis = try Self.analyse(32, 64, 32)
    // 12 unrolled steps of 32 cover K = 363, 64-wide tiles cover 96 channels: the padded work.
    #expect(abs((analysis.work.executedDotFlops[.tf32] ?? 0) - 2 * 774_400 * 128 * 384) < 1e3)
    #expect(abs((analysis.work.dotFlops[.tf32] ?? 0) - 53.97e9) < 0.02e9)
    #expect(analysis.work.compulsoryWriteBytes == 297_369_600)
    #expect(abs(analysis.work.compulsoryBytes - 451.65e6) < 0.1e6)
    #expect(abs(analysis.work.memoryFloorMicroseconds - 448) < 1)
  }

  @Test func constantGeometryIsALargeGain() throws {
    let given = try Self.analyse(32, 64, 32)
    let constant = try Self.analyse(32, 64, 32, constant: true)
    let ratio = constant.cost.predictedMicroseconds / given.cost.predictedMicroseconds
    #expect(ratio < 0.8, "\(given.cost.terms) \(constant.cost.terms)")
  }

  @Test func readsAccessPatterns() throws {
    let analysis = try Self.analyse(32, 64, 32)
    let x = try #require(analysis.accesses.first { $0.tensor == "x_ptr" })
    #expect(x.copies == 12)
    #expect(x.contiguousAxis == nil)
    #expect(x.vectorBytes == 4)
    #expect(x.invariantPrograms == [1])
    #expect((15.0...18).contains(x.sectorsPerRequest ?? 0))
    let w = try #require(analysis.accesses.first { $0.tensor == "w_ptr" })
    #expect(w.contiguousAxis == 0)
    #expect(w.invariantPrograms == [0])
  }

  @Test func anUnrolledLoopIsNotPipelined() throws {
    let analysis = try Self.analyse(32, 64, 32, stages: 3)
    #expect(analysis.loops.count == 1)
    #expect(analysis.loops.first?.form == .unrolled)
    #expect(analysis.loops.first?.numStagesIsDead == true)
    let loop = try Self.analyse(32, 64, 32, stages: 3, unrolled: false)
    #expect(loop.loops.first?.pipelining == .pipelined(stages: 3))
    #expect(loop.loops.first?.tripCount == 12)
  }
}
