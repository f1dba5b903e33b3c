/// What a rewrite did to real kernels where it was measured: evidence for the cases that the model
/// cannot see, never a figure for the kernel at hand.
struct MeasuredPrior: Sendable {
  /// Kernels timed with and without the rewrite.
  var modules: Int
  /// Geometric mean of time before over time after.
  var geomean: Double
  /// How many ran more than 2 % slower.
  var slower: Int
  var gpu: String
  /// Where the figures are kept.
  var results: String

  /// By the rewrite's id. Source: the named result files, which say how they were made.
  static let table: [String: MeasuredPrior] = [
    "specialize-arguments": MeasuredPrior(
      modules: 58, geomean: 1.167, slower: 2, gpu: "H200",
      results: "Benchmarks/results/2026-11-21-h200-specialize-prior.json")
  ]

  /// Rewrites whose predicted gains did not hold where they were measured, with the finding. They
  /// wait for a backend that measures.
  static let contrary: [String: String] = [
    "convert-loop-form":
      "of 4 modules that took it and were timed on an H200, 3 ran slower than their original and "
      + "the other gained less than without it "
      + "(Benchmarks/results/2026-11-21-h200-micro-tuning-trial.json)"
  ]

  /// A prediction this much below parity outweighs the prior.
  static let contradiction = 0.98

  var text: String {
    "measured on \(modules) other modules on an \(gpu): geomean \(geomean)×, \(slower) slower by "
      + "over 2 % (\(results))"
  }
}
