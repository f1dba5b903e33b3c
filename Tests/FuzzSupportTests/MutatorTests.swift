import FuzzSupport
import Testing

@Suite struct MutatorTests {
  @Test func isReproducible() {
    let original = Array("def f(x):\n    return x + 1\n".utf8)
    for seed in UInt64(0)..<200 {
      var first = Mutator(seed: seed)
      var second = Mutator(seed: seed)
      #expect(
        first.mutant(of: original, other: original) == second.mutant(of: original, other: original))
    }
  }

  @Test func changesInputs() {
    let original = Array("def f(x):\n    return x + 1\n".utf8)
    let mutants = (UInt64(0)..<500).map { seed in
      var mutator = Mutator(seed: seed)
      return mutator.mutant(of: original)
    }
    #expect(Set(mutants).count > 400)
  }

  @Test func acceptsEmptyInput() {
    for seed in UInt64(0)..<100 {
      var mutator = Mutator(seed: seed, pieces: [])
      _ = mutator.mutant(of: [])
    }
  }

  /// The first values for seed 0 as published with the algorithm.
  @Test func followsThePublishedSequence() {
    var random = SplitMix64(seed: 0)
    #expect(random.next() == 0xE220_A839_7B1D_CDAF)
    #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
  }
}
