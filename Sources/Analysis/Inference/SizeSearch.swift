import Foundation
import HostProgram

/// Tries natural sizes for the open dimensions of a module until its grids come out as observed.
///
/// The first dimension of the grid (the batch, as a rule) is solved for; the others are tried, the
/// most natural combinations first, images as squares before all others.
struct SizeSearch {
  let run: HostRun
  let evidence: [GridEvidence]
  /// The most formula evaluations, weighted by the formulas' lengths.
  static let limit = 60_000

  private struct Open {
    var name: String
    var role: NaturalSizes.Role
    var isConstructor: Bool
    var places: [(input: String, axis: Int)]
    var current: Int
  }

  /// Best first; not yet verified.
  func readings() -> [ProblemDeduction.Reading] {
    let dimensions = open()
    let inGrid = dimensions.filter { dimension in
      evidence.contains { item in
        item.possible.contains {
          $0.formulas?
            .contains { $0.dimensions.contains(dimension.name) } ?? false
        }
      }
    }
    guard !inGrid.isEmpty else {
      return gridFits(run.assignment)
        ? [reading([:], dimensions, configs: choose(run.assignment))]
          .compactMap(\.self) : []
    }
    let solved = inGrid[0]
    let tried = Array(inGrid.dropFirst())
    var found: [ProblemDeduction.Reading] = []
    var left = Self.limit
    func search(_ groups: [[Open]], _ lists: [[Int]]) {
      for choice in Combinations(counts: lists.map(\.count)) {
        guard left > 0 else { return }
        left -= 1
        var assignment = run.assignment
        var chosen: [String: Int] = [:]
        for (group, (list, index)) in zip(groups, zip(lists, choice)) {
          for dimension in group {
            assignment[dimension.name] = list[index]
            chosen[dimension.name] = list[index]
          }
        }
        solve(solved, dimensions, &assignment, chosen, &left, &found)
      }
    }
    let space = tried.filter { $0.role == .space }
    if space.count > 1 {
      let others = tried.filter { $0.role != .space }
      search(
        others.map { [$0] } + [space],
        others.map { sizes($0, others.count + 1) } + [NaturalSizes.candidates(.space)])
    }
    search(tried.map { [$0] }, tried.map { sizes($0, tried.count) })
    found.sort { $0.score > $1.score }
    var kept: [ProblemDeduction.Reading] = []
    for reading in found where kept.count < 12 {
      if !kept.contains(where: { same($0, reading) }) { kept.append(reading) }
    }
    return kept
  }

  private func same(_ a: ProblemDeduction.Reading, _ b: ProblemDeduction.Reading) -> Bool {
    a.inputs.count == b.inputs.count
      && zip(a.inputs, b.inputs).allSatisfy { $0.shape.shape == $1.shape.shape }
      && a.configs == b.configs
  }

  /// Whether the inputs are matrices to be multiplied: two or more, one with an axis of another.
  private var areMatrices: Bool {
    guard run.inputs.count > 1, run.inputs.allSatisfy({ $0.shape.shape.count == 2 }) else {
      return false
    }
    var owners: [String: Set<String>] = [:]
    for dimension in run.dimensions {
      if case .axis(let input, _) = dimension.source {
        owners[dimension.name, default: []].insert(input)
      }
    }
    return owners.values.contains { $0.count > 1 }
  }

  private func open() -> [Open] {
    let areMatrices = areMatrices
    var byName: [String: Open] = [:]
    var order: [String] = []
    for dimension in run.dimensions {
      guard dimension.basis == .standIn || dimension.basis == .deduced else { continue }
      switch dimension.source {
      case .axis(let input, let axis):
        let rank = run.inputs.first { $0.name == input }?.shape.shape.count ?? 0
        if byName[dimension.name] == nil {
          order.append(dimension.name)
          byName[dimension.name] = Open(
            name: dimension.name,
            role: areMatrices ? .features : NaturalSizes.role(axis: axis, rank: rank),
            isConstructor: false, places: [], current: dimension.value)
        }
        byName[dimension.name]?.places.append((input, axis))
      case .parameter, .constructor: continue
      }
    }
    return order.compactMap { byName[$0] }
  }

  /// Fewer sizes each where many dimensions are open.
  private func sizes(_ dimension: Open, _ count: Int) -> [Int] {
    let all = NaturalSizes.candidates(dimension.role)
    return Array(all.prefix(count <= 2 ? 40 : count == 3 ? 20 : 10))
  }

  private func product(_ formulas: [SymbolicInt], _ assignment: [String: Int]) -> Int? {
    var total = 1
    for formula in formulas {
      guard let value = formula.evaluate(assignment), value > 0 else { return nil }
      let (next, overflow) = total.multipliedReportingOverflow(by: value)
      if overflow { return nil }
      total = next
    }
    return total
  }

  /// Sizes of one dimension for which the first profile's grid is as observed, then checks the rest.
  private func solve(
    _ dimension: Open, _ all: [Open], _ assignment: inout [String: Int], _ chosen: [String: Int],
    _ left: inout Int, _ found: inout [ProblemDeduction.Reading]
  ) {
    guard
      let item = evidence.first(where: { item in
        item.possible.contains {
          $0.formulas?
            .contains { $0.dimensions.contains(dimension.name) } ?? false
        }
      })
    else { return }
    for candidate in item.possible {
      guard let formulas = candidate.formulas else { continue }
      var trial = assignment
      let cost = 1 + formulas.reduce(0) { $0 + $1.dimensions.count } / 8
      func grid(_ size: Int) -> Int {
        trial[dimension.name] = size
        left -= cost
        return product(formulas, trial) ?? (size > 1 << 20 ? Int.max : 0)
      }
      let one = grid(1)
      guard one <= item.gridSize else { continue }
      // The grid grows with the size, about in proportion: find where it reaches the observed value
      // and where it passes.
      func first(atLeast target: Int, from start: Int) -> Int {
        var low = start
        var high = max(start, target / max(1, one))
        while high < 1 << 40, grid(high) < target {
          low = high + 1
          high *= 2
        }
        while low < high {
          let middle = low + (high - low) / 2
          if grid(middle) >= target { high = middle } else { low = middle + 1 }
        }
        return low
      }
      let lower = first(atLeast: item.gridSize, from: 1)
      guard grid(lower) == item.gridSize else { continue }
      let upper = first(atLeast: item.gridSize + 1, from: lower) - 1
      guard upper >= lower else { continue }
      var sizes = [NaturalSizes.best(in: lower...upper, dimension.role)]
      if upper < 1 << 32, !sizes.contains(upper) { sizes.append(upper) }
      for size in sizes {
        trial[dimension.name] = size
        guard gridFits(trial) else { continue }
        var sizesByName = chosen
        sizesByName[dimension.name] = size
        if let reading = reading(sizesByName, all, configs: choose(trial)) { found.append(reading) }
      }
      if left <= 0 { return }
    }
  }

  private func matching(_ item: GridEvidence, _ assignment: [String: Int])
    -> [GridEvidence.Candidate]
  {
    item.possible.filter { candidate in
      guard let formulas = candidate.formulas else { return true }
      return product(formulas, assignment) == item.gridSize
    }
  }

  private func gridFits(_ assignment: [String: Int]) -> Bool {
    evidence.allSatisfy { !matching($0, assignment).isEmpty }
  }

  /// Of the configs that give the grid, the one whose occupancy fits best.
  private func choose(_ assignment: [String: Int]) -> [(kernel: String, index: Int, distance: Int)]
  {
    evidence.compactMap { item in
      let best = matching(item, assignment).min {
        (item.occupancyDistance($0), $0.configIndex) < (item.occupancyDistance($1), $1.configIndex)
      }
      return best.map { (item.launch.kernel, $0.configIndex, item.occupancyDistance($0)) }
    }
  }

  private func reading(
    _ sizes: [String: Int], _ all: [Open], configs: [(kernel: String, index: Int, distance: Int)]
  ) -> ProblemDeduction.Reading? {
    var product = 1.0
    var count = 0.0
    var reasons: [String] = []
    var sizes = sizes
    // Square matrices are the natural reading where the grid shows two equal sides.
    let isSquare = areMatrices && sizes.count > 1 && Set(sizes.values).count == 1
    if isSquare, let side = sizes.values.first {
      for dimension in all where sizes[dimension.name] == nil { sizes[dimension.name] = side }
    }
    for dimension in all {
      guard let size = sizes[dimension.name] else { continue }
      product *= NaturalSizes.score(size, dimension.role)
      count += 1
      reasons.append("\(dimension.name) = \(size)")
    }
    // The geometric mean: one odd size makes a reading odd.
    var score = count > 0 ? pow(product, 1 / count) : 0
    if isSquare { score += 0.15 }
    // Images are square as a rule.
    let space = all.filter { $0.role == .space }
    if space.count > 1 {
      let sides = Set(space.map { sizes[$0.name] ?? $0.current })
      score += sides.count == 1 ? 0.15 : -0.1
    }
    for config in configs { score -= 0.2 * Double(min(4, config.distance)) }
    var inputs = run.inputs
    for dimension in all {
      guard let size = sizes[dimension.name] else { continue }
      for place in dimension.places {
        guard let index = inputs.firstIndex(where: { $0.name == place.input }),
          inputs[index].shape.shape.indices.contains(place.axis)
        else { continue }
        var shape = inputs[index].shape.shape
        shape[place.axis] = size
        inputs[index].shape = TensorShape(element: inputs[index].shape.element, shape: shape)
      }
    }
    var bytes = 0.0
    for input in inputs {
      bytes += input.shape.shape.reduce(Double(input.shape.element.bytes)) { $0 * Double($1) }
    }
    if bytes > 60e9 { return nil }  // no GPU holds it
    return ProblemDeduction.Reading(
      inputs: inputs,
      configs: Dictionary(configs.map { ($0.kernel, $0.index) }) { first, _ in first },
      reasons: reasons, score: max(0, score))
  }
}

/// All combinations of one index from each list, those with the smallest sum of indices first.
struct Combinations: Sequence, IteratorProtocol {
  private let counts: [Int]
  private var sum = 0
  private var current: [Int]?

  init(counts: [Int]) {
    self.counts = counts
    current = counts.contains(0) ? nil : Array(repeating: 0, count: counts.count)
  }

  mutating func next() -> [Int]? {
    guard let result = current else { return nil }
    current = Self.following(result, counts)
    if current == nil {
      sum += 1
      current = Self.first(sum, counts[...])
    }
    return result
  }

  /// The combination with this sum whose first indices are smallest.
  private static func first(_ sum: Int, _ counts: ArraySlice<Int>) -> [Int]? {
    guard sum <= counts.reduce(0, { $0 + $1 - 1 }) else { return nil }
    var rest = sum
    var indices = Array(repeating: 0, count: counts.count)
    for (place, count) in counts.enumerated().reversed() {
      indices[place] = Swift.min(rest, count - 1)
      rest -= indices[place]
    }
    return rest == 0 ? indices : nil
  }

  /// The next combination with the same sum; nil after the last.
  private static func following(_ indices: [Int], _ counts: [Int]) -> [Int]? {
    // Raise the last index that can be raised at the cost of those behind it.
    var behind = 0
    for place in indices.indices.reversed() {
      if behind > 0, indices[place] + 1 < counts[place],
        let tail = first(behind - 1, counts[(place + 1)...])
      {
        return indices[..<place] + [indices[place] + 1] + tail
      }
      behind += indices[place]
    }
    return nil
  }
}
