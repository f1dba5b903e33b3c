import Foundation
import HostProgram

/// Problems at which launches do what they do at the given sizes: as many programs along each axis
/// of the grid as tells, loops of several rounds, branches taken. What small sizes leave out, no
/// number of runs at small sizes shows.
extension ProblemChooser {
  /// What was found out about problems already.
  final class TraitMemo {
    fileprivate var known: [CheckProblem: Set<LaunchTrait>] = [:]
  }

  /// How many times what a run may take a problem is worth that shows what no other does.
  static let coverLimit = 8.0

  /// The problem of which the others are small versions; nil where even its launches are unknown.
  func whole(_ given: CheckProblem, _ sizes: [Size]) -> CheckProblem? {
    guard let run = try? original.run(given), !run.launches.isEmpty, !sizes.isEmpty else {
      return nil
    }
    return given
  }

  /// What the launches of both modules do at a problem.
  func traits(_ problem: CheckProblem) -> Set<LaunchTrait> {
    var key = problem
    (key.label, key.isStretched, key.price, key.plain) = ("", false, nil, [])
    if let known = memo.known[key] { return known }
    var traits: Set<LaunchTrait> = []
    for (module, isCandidate) in [(original, false), (candidate, true)] {
      guard let run = try? module.run(problem) else { continue }
      let deadline = min(deadline, Date().addingTimeInterval(1))
      let found = LaunchProbe(module: module, run: run).traits(deadline: deadline)
      traits.formUnion(isCandidate ? Set(found.map(\.ofCandidate)) : found)
    }
    memo.known[key] = traits
    return traits
  }

  /// Sizes that together show what `whole` does and `known` do not; with tails and without.
  func covering(
    _ whole: CheckProblem, beyond known: [CheckProblem], _ short: [Size], _ units: [[Int]],
    given: [Size]
  ) -> [(sizes: [Size], plain: [Size])] {
    let end = Date().addingTimeInterval(max(0, deadline.timeIntervalSinceNow) / 2)
    var missing = traits(whole)
    for problem in known where !problem.isUnpromised { missing.subtract(traits(problem)) }
    guard !missing.isEmpty else { return [] }
    var result: [(sizes: [Size], plain: [Size])] = []
    for (positions, wanted) in groups(missing, short, units, given: given, until: end)
    where Date() < end {
      let goal = wanted.intersection(missing)
      guard !goal.isEmpty,
        let plain = affordable(goal, along: positions.map { units[$0] }, short, given, until: end)
      else { continue }
      var odd = plain
      for (order, position) in positions.enumerated() {
        let unit = units[position]
        odd.set(unit, to: Self.withTail(plain[unit[0]].value) + 2 * order)
      }
      let sizes = !positions.isEmpty && has(goal, odd) ? odd : plain
      result.append((sizes, plain))
      missing.subtract(traits(problem(sizes)))
    }
    return result
  }

  /// What rests on which units: those that take it away when they alone are short. The fewest units
  /// first.
  private func groups(
    _ missing: Set<LaunchTrait>, _ short: [Size], _ units: [[Int]], given: [Size], until end: Date
  ) -> [(positions: [Int], traits: Set<LaunchTrait>)] {
    var needs: [LaunchTrait: [Int]] = [:]
    for (position, unit) in units.prefix(8).enumerated() where Date() < end {
      let reduced = problem(given.setting(unit, to: short[unit[0]].value))
      guard accepts(reduced, candidateToo: false) else { continue }
      for trait in missing.subtracting(traits(reduced)) {
        needs[trait, default: []].append(position)
      }
    }
    var groups: [[Int]: Set<LaunchTrait>] = [:]
    for trait in missing { groups[needs[trait] ?? [], default: []].insert(trait) }
    return groups.sorted {
      $0.key.count != $1.key.count
        ? $0.key.count < $1.key.count : $0.key.lexicographicallyPrecedes($1.key)
    }.map { ($0.key, $0.value) }
  }

  /// The smallest sizes along the units that have all of the goal; less of it where that is too dear.
  private func affordable(
    _ goal: Set<LaunchTrait>, along units: [[Int]], _ short: [Size], _ given: [Size],
    until end: Date
  ) -> [Size]? {
    guard let all = smallest(goal, along: units, short, given, until: end) else { return nil }
    let less = goal.filter { !$0.isThreefold }
    guard !less.isEmpty, less != goal, price(problem(all)) > Self.coverLimit * target else {
      return all
    }
    return smallest(less, along: units, short, all, until: end)
  }

  private func has(_ goal: Set<LaunchTrait>, _ sizes: [Size]) -> Bool {
    let next = problem(sizes)
    return accepts(next, candidateToo: true) && traits(next).isSuperset(of: goal)
  }

  /// The units as long as given and all else short, then halved as far as the goal is kept.
  private func smallest(
    _ goal: Set<LaunchTrait>, along units: [[Int]], _ short: [Size], _ given: [Size],
    until end: Date
  ) -> [Size]? {
    var sizes = short
    for unit in units { sizes.set(unit, to: given[unit[0]].value) }
    guard has(goal, sizes) else { return nil }
    var open = units
    while let unit = open.max(by: { sizes[$0[0]].value < sizes[$1[0]].value }), Date() < end {
      let half = sizes[unit[0]].value / 2
      let next = sizes.setting(unit, to: half)
      if half >= max(2, short[unit[0]].value), has(goal, next) {
        sizes = next
      } else {
        open.removeAll { $0 == unit }
      }
    }
    return sizes
  }

  /// Two units at a time as long as can be afforded and the others short: what folds two axes into
  /// one of the grid goes wrong where there are several tiles along both.
  func pairs(
    _ short: [Size], _ units: [[Int]], given: [Size]
  ) -> [(sizes: [Size], plain: [Size])] {
    var result: [(sizes: [Size], plain: [Size])] = []
    let units = Array(units.prefix(4))
    for first in units.indices {
      for second in units.indices where second > first && Date() < deadline {
        let pair = [units[first], units[second]]
        var sizes = short
        for unit in pair { sizes.set(unit, to: given[unit[0]].value) }
        while Date() < deadline,
          let unit = pair.max(by: { sizes[$0[0]].value < sizes[$1[0]].value }),
          sizes[unit[0]].value / 2 >= short[unit[0]].value
        {
          let next = problem(sizes)
          if accepts(next, candidateToo: true), isAffordable(next) { break }
          sizes.set(unit, to: sizes[unit[0]].value / 2)
        }
        var odd = sizes
        for (order, unit) in pair.enumerated() {
          odd.set(unit, to: Self.withTail(sizes[unit[0]].value) + 2 * order)
        }
        if accepts(problem(odd), candidateToo: false), isAffordable(problem(odd)) {
          result.append((odd, sizes))
        } else {
          result.append((sizes, sizes))
        }
      }
    }
    return result
  }
}

extension LaunchTrait {
  fileprivate var isThreefold: Bool {
    switch self {
    case .grid(_, _, let count), .place(_, _, let count): count > 2
    }
  }

  var isSeveralPrograms: Bool {
    if case .grid(_, _, atLeast: 2) = self { true } else { false }
  }

  fileprivate var ofCandidate: LaunchTrait {
    switch self {
    case .grid(let launch, let axis, let count):
      .grid("candidate " + launch, axis: axis, atLeast: count)
    case .place(let launch, let place, let count):
      .place("candidate " + launch, place, atLeast: count)
    }
  }
}
