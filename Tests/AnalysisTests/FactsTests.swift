import Testing
import TileIR

@testable import Analysis

@Suite struct FactsTests {
  @Test func tracksContiguityAndDivisibility() {
    var b = IRBuilder("facts")
    let n = b.parameter("n", .int32, divisible: true)
    let pid = b.pid(0)
    let start = b.op(.mul, pid, b.int(64))
    let offsets = b.op(.add, start, b.range(64))
    let row = b.op(.idiv, offsets, n)
    let column = b.op(.rem, offsets, n)
    let strided = b.op(.mul, offsets, b.int(2))
    let mask = b.compare(.lt, offsets, n)
    let axes = AxisAnalysis(FlatFunction(b.finished()))
    #expect(
      axes.facts(of: offsets) == AxisFacts(contiguity: [64], divisibility: [64], constancy: [1]))
    // Sixteen at a time stay in one row of a width divisible by 16.
    #expect(axes.facts(of: row).constancy == [16])
    #expect(axes.facts(of: column).contiguity == [16])
    #expect(axes.facts(of: strided).contiguity == [1])
    #expect(axes.facts(of: mask).constancy == [16])
    #expect(axes.dependences(of: row).contains(.programX))
    #expect(axes.dependences(of: row).contains(.parameter))
  }

  @Test func copiesAlongARemovedAxis() {
    // 64 × 16 over 4 warps with threads along axis 0: eight of sixteen indices in each thread.
    let layout = TileLayout.blocked(
      shape: [64, 16], sizePerThread: [1, 1], order: [0, 1], warps: 4)
    #expect(layout.threadsPerWarp == [32, 1])
    #expect(layout.warpsPerBlock == [2, 2])
    #expect(layout.elementsPerThread([64, 16]) == 8)
    #expect(layout.removing(axis: 0).elementsPerThread([16]) == 8)
  }

  @Test func samplesEveryPartOfEachAxis() {
    let programs = ProgramSampler.spread(over: [32, 128], count: 4)
    #expect(Set(programs.map { $0[0] / 8 }).count == 4)
    #expect(Set(programs.map { $0[1] }).count == 4)
    #expect(ProgramSampler.spread(over: [2, 1], count: 4) == [[0, 0, 0], [1, 0, 0]])
    let halves = ProgramSampler.spread(over: [24_200, 2], count: 4).map { $0[1] }
    #expect(halves.sorted() == [0, 0, 1, 1])
  }

  @Test func countsTripsWithoutOverflow() {
    #expect(ProgramSampler.tripCount(0, 363, 32) == 12)
    #expect(ProgramSampler.tripCount(5, 5, 1) == 0)
    #expect(ProgramSampler.tripCount(10, 0, -3) == 4)
    #expect(ProgramSampler.tripCount(.min, .max, 1) == 0)
  }

  @Test func natureOfSizes() {
    #expect(NaturalSizes.best(in: 774_369...774_400, .batch) == 774_400)
    #expect(NaturalSizes.best(in: 250...256, .batch) == 256)
    #expect(NaturalSizes.score(224, .space) > NaturalSizes.score(225, .space))
  }

  @Test func printsFigures() {
    #expect(Number.grouped(774_400) == "774,400")
    #expect(Number.grouped(-1000) == "-1,000")
    #expect(Number.short(33.05) == "33.05")
    #expect(Number.short(64.8) == "64.8")
    #expect(Number.scaled(53.97e9, "FLOP") == "53.97 GFLOP")
  }
}
