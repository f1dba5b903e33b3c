import Foundation

/// Larger problems than the smallest that run, for originals that are wrong at small sizes: tiles
/// visited in groups without a clamp leave a small grid unfinished, and hints like
/// `tl.multiple_of(rows % M, BLOCK)` only hold where the block divides the size.
extension ProblemChooser {
  private static let floors = [32, 64, 128, 256, 512, 1024, 2048]
  /// Problems of which the original is tried.
  private static let trialLimit = 24

  /// Sizes with some units raised to a power of two, or to what is given where that is less: the
  /// cheapest first.
  func larger(than choice: Choice) -> [[Size]] {
    var found: [(sizes: [Size], price: Double)] = []
    let units = Array(choice.units.prefix(5))
    var sets = [Array(units.indices)] + units.indices.map { [$0] }
    for first in units.indices {
      for second in units.indices where second > first { sets.append([first, second]) }
    }
    for floor in Self.floors {
      for set in sets where Date() < deadline {
        var sizes = choice.base
        for position in set {
          let unit = units[position]
          let value = min(choice.sizes[unit[0]].value, floor)
          if value > sizes[unit[0]].value || sizes[unit[0]].value % value != 0 {
            sizes.set(unit, to: value)
          }
        }
        guard sizes != choice.base, !found.contains(where: { $0.sizes == sizes }) else { continue }
        let next = problem(sizes)
        guard accepts(next, candidateToo: true) else { continue }
        let price = price(next)
        if price <= Self.coverLimit * target { found.append((sizes, price)) }
      }
    }
    return found.sorted { $0.price < $1.price }.prefix(Self.trialLimit).map(\.sizes)
  }
}
