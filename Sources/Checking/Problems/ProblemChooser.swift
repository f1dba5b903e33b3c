import Diagnostics
import Foundation
import HostProgram

/// Finds problems small enough to run many times and rich enough to show boundary mistakes.
///
/// The sizes that may change are the problem file's module-level integers, or the axes of `forward`'s
/// inputs. Each is made smaller as long as the modules still accept the problem; then variants
/// break divisibility and take sizes down to one.
struct ProblemChooser {
  let original: ModuleUnderTest
  let candidate: ModuleUnderTest
  /// Whether the problem has a `Model` that must accept the sizes too.
  let hasReference: Bool
  /// Shapes of inputs where no problem file gives them.
  var given: [String: TensorShape] = [:]
  /// Whether only the base problem and the one with tails are wanted.
  var isQuick = false
  /// Seconds one run may take.
  var target: Double
  var deadline: Date
  /// Whether the candidate takes the given problem.
  var asksCandidate = true
  /// Bytes that all inputs together may take.
  let byteLimit = 24 << 20
  let memo = TraitMemo()

  /// A named size that can be chosen.
  struct Size: Hashable {
    enum Place: Hashable {
      case constant(String)
      case axis(input: String, Int)
    }
    var place: Place
    var value: Int
    var isFrozen = false
    /// Which axis of its input it is; nil for a constant.
    var axis: Int?
  }

  struct Choice {
    /// The base problem first.
    var problems: [CheckProblem]
    /// The problem as given, however large.
    var given: CheckProblem
    var notes: [String]
    /// The sizes of the first problem, the given ones, and which of them change together.
    var base: [Size] = []
    var sizes: [Size] = []
    var units: [[Int]] = []
  }

  /// - Parameter start: sizes of the first problem, where smaller ones will not do.
  mutating func choose(from start: [Size]? = nil) throws -> Choice {
    var notes: [String] = []
    let given: CheckProblem
    var sizes: [Size] = []
    if !self.given.isEmpty {
      given = CheckProblem(sizes: .tensors(self.given), label: "given shapes")
      sizes = Self.axes(try original.run(given))
    } else if let run = try givenRun(&notes) {
      given = Self.asGiven
      let basis = basis(run)
      let effect = effectiveConstants(run, basis)
      let isSized = effect.sizes.contains { $0.value > 8 }
      // Axes that no constant moves can change by themselves: images that are not square.
      let free = Self.axes(run).filter { size in
        !isSized || (hasReference && size.value > 8 && !effect.moved.contains(size.place))
      }
      sizes = (isSized ? effect.sizes : []) + free
    } else {
      // Sizes from the module's own needs.
      let standIns = CheckProblem(sizes: .standIns, label: "stand-in sizes")
      let run = try original.run(standIns)
      guard let shapes = variableShapes(run) else {
        return Choice(problems: cost(run) == nil ? [] : [standIns], given: standIns, notes: notes)
      }
      self.given = shapes
      given = CheckProblem(sizes: .tensors(shapes), label: standIns.label)
      sizes = Self.axes(try original.run(given))
    }
    // What is refused at every size is refused at a small one too.
    asksCandidate = accepts(given, candidateToo: true)
    var base = start ?? sizes
    if start == nil {
      if let small = smallStart(sizes) { base = small }
      shrink(&base)
    }
    var first = problem(base)
    first.price = price(first)
    if Date() > deadline, start == nil, first.price ?? 0 > Self.hopeless * target {
      throw Diagnostic(
        id: CheckSession.outOfTime, "no size was found in time that can be afforded",
        source: original.tree.source, nextStep: "give more time with --budget")
    }
    var problems = [first]
    // Constants that only the constructor or only the inputs use look alike here: a variant that
    // the original does not take is left out.
    func add(
      _ changed: [Size], isStretched: Bool = false, plain: [Size]? = nil, upTo limit: Double = 2
    ) -> CheckProblem? {
      var next = problem(changed)
      next.isStretched = isStretched
      if let plain, plain != changed { next.plain = [problem(plain)] }
      if let known = problems.first(where: { $0.isSame(as: next) }) { return known }
      guard Date() < deadline, accepts(next, candidateToo: false) else { return nil }
      let price = price(next)
      guard price <= limit * target else { return nil }
      next.price = price
      problems.append(next)
      return next
    }
    let open = base.indices.filter { base[$0].value >= 2 && !isStructural(base[$0], sizes[$0]) }
    let units = units(base, open)
    var odd = base
    for (position, unit) in units.enumerated() {
      // Different tails, so that axes of one size come apart.
      odd.set(unit, to: Self.withTail(base[unit[0]].value) + 2 * position)
    }
    let tails = add(odd) ?? add(oddOneByOne(base, units))
    if !isQuick { problems += variations(of: tails ?? first) }
    let short = isQuick ? base : shortest(base, units)
    if let start {
      // Tails are more than this original takes: two and three of what it does take.
      for unit in units.prefix(6) {
        for factor in [2, 3] { _ = add(start.setting(unit, to: factor * start[unit[0]].value)) }
      }
    }
    if !isQuick, let whole = whole(given, sizes) {
      for (changed, plain) in covering(whole, beyond: problems, short, units, given: sizes) {
        _ = add(
          changed, isStretched: changed == plain, plain: plain, upTo: Self.coverLimit)
      }
    }
    if !isQuick { _ = add(oddOneByOne(short, units)) }
    // One axis as long as can be afforded and the others short: loops along it have several rounds,
    // the grid several programs.
    for unit in isQuick ? [] : units.prefix(6) {
      let length = sizes[unit[0]].value
      if let long = stretched(short, unit, given: length, over: base[unit[0]].value) {
        _ = add(long, isStretched: long[unit[0]].value <= length)
      }
    }
    for (changed, plain) in isQuick ? [] : pairs(short, units, given: sizes) {
      _ = add(changed, isStretched: changed == plain, plain: plain)
    }
    if !isQuick, let many = crowded(short, units, given: sizes) { _ = add(many) }
    if !isQuick, units.count > 1 || problems.count == 1 {
      for unit in units.prefix(6) {
        _ = add(base.setting(unit, to: Self.withTail(base[unit[0]].value)))
      }
    }
    if !isQuick { for unit in units.prefix(4) { _ = add(base.setting(unit, to: 1)) } }
    return Choice(
      problems: Array(problems.prefix(36)), given: given, notes: notes, base: base, sizes: sizes,
      units: units)
  }

  /// Shapes of stand-in inputs, where the modules take them by name and so may take others.
  private func variableShapes(_ run: HostRun) -> [String: TensorShape]? {
    guard !hasReference else { return nil }
    var shapes: [String: TensorShape] = [:]
    for tensor in run.trace.tensors where tensor.role == .input {
      shapes[tensor.name] = TensorShape(element: tensor.shape.element, shape: tensor.shape.shape)
    }
    let given = CheckProblem(sizes: .tensors(shapes), label: "")
    return !shapes.isEmpty && accepts(given, candidateToo: true) ? shapes : nil
  }

  /// How many times what a run may take makes a problem not worth beginning.
  private static let hopeless = 20.0
  /// The original's run with the inputs that `get_inputs()` gives; nil, which a note says, where
  /// there are none or the host program is not followed there.
  /// - Throws: what the original itself raises for these inputs: it is right at no sizes then.
  private func givenRun(_ notes: inout [String]) throws -> HostRun? {
    do {
      return try original.run(Self.asGiven)
    } catch let error as Diagnostic where error.id == "host-raises" {
      let own = ["AssertionError", "ValueError", "RuntimeError"]
      guard !own.contains(where: { error.message.hasPrefix("this raises \($0)") }) else {
        throw error
      }
      notes.append("get_inputs() is not followed (\(error.message)): inputs have stand-in sizes")
    } catch let error as Diagnostic where error.id != "no-inputs" {
      notes.append("get_inputs() is not followed (\(error.message)): inputs have stand-in sizes")
    } catch {
      notes.append("no get_inputs(): inputs have stand-in sizes")
    }
    return nil
  }

  private static let asGiven = CheckProblem(sizes: .constants([:]), label: "as given")

  /// Tails on as many axes as the original takes together.
  private func oddOneByOne(_ base: [Size], _ units: [[Int]]) -> [Size] {
    var odd = base
    for (position, unit) in units.prefix(6).enumerated() where Date() < deadline {
      let next = odd.setting(unit, to: Self.withTail(base[unit[0]].value) + 2 * position)
      if accepts(problem(next), candidateToo: false) { odd = next }
    }
    return odd
  }

  /// The sizes that can change by themselves, and those that only change with others: the lengths of
  /// queries and keys.
  private func units(_ base: [Size], _ open: [Int]) -> [[Int]] {
    var units: [[Int]] = []
    var known: Set<Int> = []
    for index in open where !known.contains(index) {
      let unit = unit(of: index, base, open)
      known.formUnion(unit)
      units.append(unit)
    }
    return units
  }

  /// The fewest sizes that the original lets change together with this one.
  private func unit(of index: Int, _ base: [Size], _ open: [Int]) -> [Int] {
    let other = Self.withTail(base[index].value)
    let equal = open.filter { base[$0].value == base[index].value }
    // Without a Model nobody says that the original is right where equal sizes come apart.
    if !hasReference, canSet(equal, to: other, base) { return equal }
    if canSet([index], to: other, base) { return [index] }
    let alike = equal.filter { base[$0].axis == base[index].axis }
    if canSet(alike, to: other, base) { return alike }
    return canSet(equal, to: other, base) ? equal : [index]
  }

  private func canSet(_ unit: [Int], to value: Int, _ base: [Size]) -> Bool {
    Date() < deadline && accepts(problem(base.setting(unit, to: value)), candidateToo: false)
  }

  /// The smallest of a few sizes along each axis that the modules take.
  private func shortest(_ base: [Size], _ units: [[Int]]) -> [Size] {
    var sizes = base
    for unit in units {
      for value in [4, 8, 16, 32, 64] where value < sizes[unit[0]].value && Date() < deadline {
        let next = sizes.setting(unit, to: value)
        if accepts(problem(next), candidateToo: true) {
          sizes = next
          break
        }
      }
    }
    return sizes
  }

  /// One axis at the given size, halved until it can be afforded; nil where that is no longer than
  /// the base has it. What is not much shorter than a long row is made one: sums of many rounds.
  private func stretched(_ short: [Size], _ unit: [Int], given: Int, over base: Int) -> [Size]? {
    var value = (128..<Self.longRow).contains(given) ? Self.longRow : given
    while value > base, Date() < deadline {
      let next = short.setting(unit, to: value)
      if accepts(problem(next), candidateToo: value > given), price(problem(next)) <= target {
        return next
      }
      value = value > given ? given : value / 2
    }
    return nil
  }

  private static let longRow = 2048

  /// All axes longer than given by a tail, the first ones short as far as it takes: planes of many
  /// tiles, grids of more programs than a pass over the data has.
  private func crowded(_ short: [Size], _ units: [[Int]], given: [Size]) -> [Size]? {
    for hasTails in [true, false] {
      var sizes = short
      for unit in units {
        let length = given[unit[0]].value
        sizes.set(unit, to: hasTails ? Self.withTail(length) : length)
      }
      for unit in units.prefix(6) {
        let next = problem(sizes)
        if Date() < deadline, accepts(next, candidateToo: false), price(next) <= 2 * target {
          return sizes
        }
        sizes.set(unit, to: Self.withTail(short[unit[0]].value))
      }
    }
    return nil
  }

  /// Small numbers (a window, a stride, a number of groups) are part of what is computed.
  private func isStructural(_ size: Size, _ given: Size) -> Bool { given.value <= 8 }

  static func axes(_ run: HostRun) -> [Size] {
    run.trace.tensors.filter { $0.role == .input }.flatMap { tensor in
      tensor.shape.shape.indices.map {
        Size(place: .axis(input: tensor.name, $0), value: tensor.shape.shape[$0], axis: $0)
      }
    }
  }

  /// A size near `value` that no tile size divides.
  static func withTail(_ value: Int) -> Int {
    switch value {
    case ..<8: value + 1
    case ..<32: value + 3
    default: value + 5 | 1
    }
  }

  func problem(_ sizes: [Size]) -> CheckProblem {
    var constants: [String: Int] = [:]
    var shapes: [String: [(Int, Int)]] = [:]
    for size in sizes {
      switch size.place {
      case .constant(let name): constants[name] = size.value
      case .axis(let input, let axis): shapes[input, default: []].append((axis, size.value))
      }
    }
    if !given.isEmpty {
      var tensors = given
      for (name, sizes) in shapes {
        let shape = sizes.sorted { $0.0 < $1.0 }.map(\.1)
        tensors[name] = TensorShape(element: given[name]?.element ?? .fp32, shape: shape)
      }
      let text = tensors.sorted { $0.key < $1.key }.map { "\($0.key)\($0.value.shape)" }
      return CheckProblem(sizes: .tensors(tensors), label: text.joined(separator: ", "))
    }
    if !shapes.isEmpty, constants.isEmpty {
      let all = shapes.mapValues { $0.sorted { $0.0 < $1.0 }.map(\.1) }
      return CheckProblem(sizes: .shapes(all), label: Self.text(all))
    }
    let text = constants.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
    let plain = CheckProblem(
      sizes: .constants(constants), label: text.isEmpty ? "as given" : text.joined(separator: ", "))
    guard !shapes.isEmpty, let run = try? original.run(plain) else { return plain }
    // The axes that the constants give, and the others as chosen.
    var all: [String: [Int]] = [:]
    for tensor in run.trace.tensors where tensor.role == .input {
      guard let chosen = shapes[tensor.name] else { continue }
      var shape = tensor.shape.shape
      for (axis, value) in chosen where shape.indices.contains(axis) { shape[axis] = value }
      if shape != tensor.shape.shape { all[tensor.name] = shape }
    }
    guard !all.isEmpty else { return plain }
    var result = CheckProblem(
      sizes: .shapes(all), label: (text + [Self.text(all)]).joined(separator: ", "))
    result.constants = constants
    return result
  }

  private static func text(_ shapes: [String: [Int]]) -> String {
    shapes.sorted { $0.key < $1.key }.map { "\($0.key)\($0.value)" }.joined(separator: ", ")
  }

  // MARK: Shrinking

  private func shrink(_ sizes: inout [Size]) {
    // Equal axes of several inputs belong together as often as not; they are tried together first.
    for _ in 0..<90 {
      let price = self.price(problem(sizes))
      guard Date() < deadline, price > target else { return }
      let open = sizes.indices.filter { !sizes[$0].isFrozen && sizes[$0].value > 8 }
      guard let largest = open.max(by: { sizes[$0].value < sizes[$1].value }) else { return }
      let value = sizes[largest].value
      let same = open.filter { sizes[$0].value == value }
      var isDone = false
      for smaller in Self.smaller(value, isFar: price > 100 * target) {
        for group in same.count > 1 ? [same, [largest]] : [[largest]] {
          var next = sizes
          for index in group { next[index].value = smaller }
          if accepts(problem(next), candidateToo: true) {
            sizes = next
            isDone = true
            break
          }
        }
        if isDone { break }
      }
      if !isDone { sizes[largest].isFrozen = true }
    }
  }

  /// Smaller sizes to try; divisors keep what the modules may rely on. Small steps end at the largest
  /// problem that can be afforded, with several programs and several rounds of each loop.
  private static func smaller(_ value: Int, isFar: Bool) -> [Int] {
    var result: [Int] = []
    for divisor in isFar ? [8, 4, 2, 3, 5, 7] : [2, 3, 5, 7]
    where value % divisor == 0 && value / divisor >= 2 {
      result.append(value / divisor)
    }
    if value > 64, isFar { result.append(value / 4) }
    result.append(max(2, value / 2))
    return result
  }

  /// Whether the modules evaluate at this size.
  func accepts(_ problem: CheckProblem, candidateToo: Bool) -> Bool {
    guard (try? original.run(problem)) != nil else { return false }
    if hasReference, (try? original.run(problem, isReference: true)) == nil { return false }
    guard candidateToo, asksCandidate else { return true }
    guard let run = try? candidate.run(problem) else { return false }
    return canLower(run)
  }

  /// Whether the candidate's kernels have what Triton asks for at these sizes: a product over 4
  /// elements has not.
  private func canLower(_ run: HostRun) -> Bool {
    run.launches.allSatisfy { launch in
      launch.configs.first.map { (try? candidate.lower(launch, $0.config)) != nil } ?? true
    }
  }
}

extension [ProblemChooser.Size] {
  mutating func set(_ unit: [Int], to value: Int) {
    for index in unit { self[index].value = value }
  }

  func setting(_ unit: [Int], to value: Int) -> Self {
    var changed = self
    changed.set(unit, to: value)
    return changed
  }
}
