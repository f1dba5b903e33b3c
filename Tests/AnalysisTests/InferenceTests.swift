import Testing

@testable import Analysis

@Suite struct NaturalSizesTests {
  @Test func combinationsComeBySum() {
    let all = Array(Combinations(counts: [3, 2, 2]))
    #expect(all.count == 12 && Set(all).count == 12)
    #expect(all.first == [0, 0, 0] && all.last == [2, 1, 1])
    let sums = all.map { $0.reduce(0, +) }
    #expect(sums == sums.sorted())
    #expect(Array(Combinations(counts: [2, 0])).isEmpty)
    #expect(Array(Combinations(counts: [])) == [[]])
    #expect(Array(Combinations(counts: [4])).map { $0[0] } == [0, 1, 2, 3])
  }

  @Test func batchesAreSmall() {
    let score = { NaturalSizes.score($0, .batch) }
    #expect(score(128) > score(1024) && score(1024) > score(8192))
    #expect(score(8192) > score(100_663_296))
    #expect(score(128) > score(416) && score(416) > score(417))
  }

  /// 1024 × 8192 before 8192 × 1024, 4096 × 393,216 before 100,663,296 × 16.
  @Test func aBatchOfWideRowsIsMoreNaturalThanManyNarrowOnes() {
    func score(_ rows: Int, _ columns: Int) -> Double {
      NaturalSizes.score(rows, .batch) * NaturalSizes.score(columns, .features)
    }
    #expect(score(1024, 8192) > score(8192, 1024))
    #expect(score(4096, 393_216) > score(100_663_296, 16))
    #expect(score(4096, 393_216) > score(50_331_648, 32))
  }
}
