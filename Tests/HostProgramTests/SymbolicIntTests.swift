import Testing

@testable import HostProgram

@Suite struct SymbolicIntTests {
  private let n = SymbolicInt.dim("N")
  private let h = SymbolicInt.dim("H")

  @Test func `Formulas print in Python's notation with few parentheses`() {
    let rows: [(SymbolicInt, String)] = [
      (.floorDiv(.add(h, .constant(-7)), .constant(4)), "(H - 7) // 4"),
      (.add(.floorDiv(.add(h, .constant(-7)), .constant(4)), .constant(1)), "(H - 7) // 4 + 1"),
      (.ceilDiv(.mul(n, h), .dim("BLOCK")), "cdiv(N*H, BLOCK)"),
      (.mul(.add(n, h), .constant(2)), "(N + H)*2"),
      (.add(n, .mul(.constant(-2), h)), "N - 2*H"),
      (.add(n, .mul(.constant(-1), .add(h, .constant(1)))), "N - (H + 1)"),
      (.floorDiv(n, .floorDiv(h, .constant(2))), "N // (H // 2)"),
      (.floorDiv(.floorDiv(n, h), .constant(2)), "N // H // 2"),
      (.mul(.mod(n, h), .constant(3)), "N % H*3"),
      (.min(n, .max(h, .constant(8))), "min(N, max(H, 8))"),
      (.nextPowerOf2(.add(n, .constant(1))), "next_power_of_2(N + 1)"),
    ]
    for (formula, text) in rows { #expect(formula.description == text) }
  }

  @Test func `Simplified formulas are in one form`() {
    let c = { (value: Int) in SymbolicInt.constant(value) }
    let rows: [(SymbolicInt, String)] = [
      (.add(n, .add(n, c(0))), "2*N"),
      (.add(.mul(n, h), .mul(.constant(-1), .mul(h, n))), "0"),
      (.floorDiv(.mul(.mul(n, h), c(4)), .mul(h, c(2))), "2*N"),
      (.floorDiv(.add(.mul(c(8), n), .mul(c(4), h)), c(8)), "N + H // 2"),
      (.floorDiv(.add(n, c(127)), c(128)), "cdiv(N, 128)"),
      (.floorDiv(.add(n, .add(.dim("B"), c(-1))), .dim("B")), "cdiv(N, B)"),
      (.add(.floorDiv(.add(h, c(-7)), c(4)), c(1)), "(H - 3) // 4"),
      (.mod(.add(.mul(c(16), n), c(3)), c(16)), "3"),
      (.mod(.add(.mul(c(16), n), h), c(16)), "H % 16"),
      (.floorDiv(.floorDiv(n, c(4)), c(2)), "N // 8"),
      (.ceilDiv(.mul(n, c(64)), c(32)), "2*N"),
      (.ceilDiv(c(96), c(64)), "2"),
      (.min(n, n), "N"), (.max(c(3), c(5)), "5"),
      (.mul(.add(n, c(1)), .add(n, c(-1))), "N*N - 1"),
    ]
    for (formula, text) in rows { #expect(formula.simplified().description == text) }
  }

  /// A generator with a printed seed: xorshift64.
  private struct Random {
    var state: UInt64
    mutating func next(_ bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
  }

  private func formula(_ random: inout Random, _ depth: Int) -> SymbolicInt {
    if depth == 0 || random.next(5) == 0 {
      return random.next(2) == 0
        ? .constant(random.next(40) - 10) : .dim(["N", "H", "K"][random.next(3)])
    }
    let a = formula(&random, depth - 1)
    let b = formula(&random, depth - 1)
    switch random.next(9) {
    case 0, 1: return .add(a, b)
    case 2, 3: return .mul(a, b)
    case 4: return .floorDiv(a, .constant(random.next(9) + 1))
    case 5: return .ceilDiv(a, .constant(random.next(9) + 1))
    case 6: return .mod(a, random.next(2) == 0 ? .constant(random.next(9) + 1) : .dim("N"))
    case 7: return random.next(2) == 0 ? .min(a, b) : .floorDiv(a, .dim("H"))
    default: return random.next(2) == 0 ? .max(a, b) : .nextPowerOf2(a)
    }
  }

  @Test(arguments: [UInt64(1), 20_251_121, 77])
  func `A simplified formula has the value of the original`(seed: UInt64) {
    var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    for _ in 0..<1500 {
      let original = formula(&random, 4)
      let simple = original.simplified()
      #expect(simple.simplified() == simple, "seed \(seed): \(original) → \(simple)")
      for _ in 0..<6 {
        let values = [
          "N": random.next(50) + 1, "H": random.next(300) + 1, "K": random.next(9) + 1,
        ]
        guard let value = original.evaluate(values), abs(value) < 1 << 50 else { continue }
        #expect(
          simple.evaluate(values) == value, "seed \(seed): \(original) → \(simple) at \(values)")
      }
    }
  }

  @Test func `Arithmetic ends without a value where 64 bits do not hold it`() {
    #expect(SymbolicInt.mul(n, n).evaluate(["N": Int.max]) == nil)
    #expect(SymbolicInt.floorDiv(n, .constant(0)).evaluate(["N": 3]) == nil)
    #expect(SymbolicInt.floorDiv(.constant(Int.min), .constant(-1)).evaluate([:]) == nil)
    #expect(SymbolicInt.mod(.constant(-7), .constant(4)).evaluate([:]) == 1)
    #expect(SymbolicInt.nextPowerOf2(.constant(65)).evaluate([:]) == 128)
    #expect(SymbolicInt.nextPowerOf2(.constant(0)).evaluate([:]) == 0)
    #expect(SymbolicInt.dim("absent").evaluate([:]) == nil)
    #expect(SymbolicInt.mul(.constant(Int.max), .constant(2)).simplified().evaluate([:]) == nil)
  }

  @Test func `Divisions are turned round into ranges`() throws {
    #expect(SymbolicInt.dividends(ofCeilDiv: 24_200, by: 32) == 774_369...774_400)
    #expect(SymbolicInt.dividends(ofFloorDiv: 3, by: 8) == 24...31)
    #expect(SymbolicInt.dividends(ofCeilDiv: 3, by: 0) == nil)
    #expect(SymbolicInt.dividends(ofCeilDiv: Int.max, by: 2) == nil)
    let formula = SymbolicInt.mul(n, .floorDiv(.add(h, .constant(-3)), .constant(4)))
    let range = try #require(
      formula.values(
        of: "H", in: 8...1024, puttingFormulaIn: 14_080...14_080, given: ["N": 256]))
    #expect(range == 223...226)
    #expect(
      formula.values(of: "H", in: 8...1024, puttingFormulaIn: 1...2, given: ["N": 256]) == nil)
    #expect(formula.values(of: "H", in: 8...1024, puttingFormulaIn: 1...2, given: [:]) == nil)
  }
}
