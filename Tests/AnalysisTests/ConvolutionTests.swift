import DeviceModel
import Foundation
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

  /// Rows of the calibration: what SASS for sm_90 has, and times measured on an H200.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["HONE_PRINT"] != nil))
  func printsTheCalibration() throws {
    let rows: [(Int, Int, Int, Int, Int, Bool, Bool, Int, Int)] = [
      (64, 64, 16, 2, 3, true, false, 908, 3154), (64, 64, 16, 2, 3, true, true, 217, 1128),
      (64, 64, 16, 4, 3, true, false, 914, 1850), (64, 64, 16, 4, 3, true, true, 483, 1239),
      (64, 64, 16, 8, 3, true, false, 968, 2119), (64, 64, 16, 8, 3, true, true, 602, 1728),
      (32, 64, 32, 2, 1, true, false, 1007, 3569), (32, 64, 32, 2, 1, true, true, 585, 1800),
      (32, 64, 32, 4, 1, true, false, 1075, 2283), (32, 64, 32, 4, 1, true, true, 689, 1514),
      (32, 64, 32, 8, 1, true, false, 0, 2285), (32, 64, 32, 8, 1, true, true, 0, 1997),
      (64, 64, 32, 2, 1, true, true, 0, 1089),
      (64, 64, 16, 4, 1, false, false, 1201, 1738), (64, 64, 16, 4, 1, false, true, 709, 1210),
      (64, 64, 16, 4, 2, false, false, 1558, 2326), (64, 64, 16, 4, 2, false, true, 819, 1237),
      (64, 64, 16, 4, 3, false, false, 1527, 2364),
      (32, 64, 32, 4, 1, false, false, 1536, 2253), (32, 64, 32, 4, 1, false, true, 1145, 1781),
      (32, 64, 32, 4, 2, false, false, 1640, 2743), (32, 64, 32, 4, 2, false, true, 1080, 2063),
      (32, 64, 32, 4, 3, false, false, 1631, 2778),
    ]
    for (m, n, k, w, s, unrolled, constant, sass, measured) in rows {
      let a = try Self.analyse(
        m, n, k, warps: w, stages: s, unrolled: unrolled, constant: constant, gpu: "h200")
      print(
        "\(m)/\(n)/\(k) w\(w) s\(s) \(unrolled ? "unrolled" : "range") \(constant ? "const" : ""):",
        "Minstr \(Int(a.cost.warpInstructions.total / 1e6)) (\(sass))",
        "us \(Int(a.cost.predictedMicroseconds)) (\(measured))",
        "regs \(a.cost.registersPerThread)",
        "blocks \(a.cost.occupancy.blocksPerSM)",
        a.cost.rankedTerms.prefix(4).map { "\($0.term):\(Int($0.microseconds))" })
    }
    for (m, n, k) in [(32, 32, 32), (64, 32, 32), (32, 64, 32), (64, 64, 32), (64, 64, 16)] {
      let a = try Self.analyse(m, n, k, gpu: "4090")
      print(
        m, n, k, "4090", a.cost.registersPerThread, Int(a.cost.predictedMicroseconds),
        Int(a.cost.warpInstructions.total / a.programs / 4),
        a.cost.rankedTerms.prefix(4).map { "\($0.term):\(Int($0.microseconds))" })
    }
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

  /// Measured: 2283 µs unrolled, 2743 µs as a pipelined loop (H200). Bringing a dead `num_stages` back
  /// to life is no reason by itself.
  @Test(arguments: ["h200", "4090"]) func aPipelinedLoopIsNoGainHere(_ gpu: String) throws {
    let unrolled = try Self.analyse(32, 64, 32, stages: 2, gpu: gpu)
    let loop = try Self.analyse(32, 64, 32, stages: 2, unrolled: false, gpu: gpu)
    #expect(loop.cost.predictedMicroseconds > unrolled.cost.predictedMicroseconds)
  }

  /// Measured: 1239 µs with 4 warps, 1128 µs with 2 (H200): with two, every thread knows its K places.
  @Test func fewerWarpsWinOnceGeometryIsConstant() throws {
    let four = try Self.analyse(64, 64, 16, warps: 4, stages: 3, constant: true, gpu: "h200")
    let two = try Self.analyse(64, 64, 16, warps: 2, stages: 3, constant: true, gpu: "h200")
    #expect(two.cost.warpInstructions.total < 0.6 * four.cost.warpInstructions.total)
    #expect(two.cost.predictedMicroseconds < four.cost.predictedMicroseconds)
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
