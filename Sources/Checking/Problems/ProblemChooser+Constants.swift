import HostProgram

/// Which of the problem file's integers are sizes.
extension ProblemChooser {
  /// Steps of `forward` from which on a host run takes long: loops over time steps and layers.
  private static let longRun = 300

  /// All constants as far down as a long host program takes them together, so that asking it again
  /// and again costs little; empty where it is short, or takes none.
  func basis(_ run: HostRun) -> [String: Int] {
    guard run.trace.forward.count > Self.longRun else { return [:] }
    for divisor in [32, 16, 8, 4, 2] {
      var constants: [String: Int] = [:]
      for constant in original.host.constants where constant.value >= 16 {
        constants[constant.name] = max(8, constant.value / divisor)
      }
      let small = CheckProblem(sizes: .constants(constants), label: "")
      if !constants.isEmpty, accepts(small, candidateToo: false) { return constants }
    }
    return [:]
  }

  /// The sizes at the basis of a long host program, where all modules take them.
  func smallStart(_ sizes: [Size]) -> [Size]? {
    guard given.isEmpty, let run = try? original.run(problem(sizes)) else { return nil }
    let basis = basis(run)
    guard !basis.isEmpty else { return nil }
    var small = sizes
    for index in small.indices {
      guard case .constant(let name) = small[index].place, let value = basis[name] else { continue }
      small[index].value = value
    }
    return accepts(problem(small), candidateToo: true) ? small : nil
  }

  /// The constants on which the shape of an input or a parameter depends, and the axes of inputs that
  /// they move.
  func effectiveConstants(
    _ given: HostRun, _ basis: [String: Int]
  ) -> (sizes: [Size], moved: Set<Size.Place>) {
    func shapes(_ run: HostRun) -> [[Int]] { run.trace.tensors.map(\.shape.shape) }
    func run(_ constants: [String: Int]) -> HostRun? {
      try? original.run(CheckProblem(sizes: .constants(constants), label: ""))
    }
    guard let start = basis.isEmpty ? given : run(basis) else { return ([], []) }
    let usual = shapes(start)
    let axes = Self.axes(start)
    let constants = original.host.constants.filter { $0.value >= 1 }.prefix(24)
    var moved: Set<Size.Place> = []
    let sizes = constants.compactMap { constant -> Size? in
      let value = basis[constant.name] ?? constant.value
      // What a residual sum needs alike only changes together.
      let alike = constants.filter { $0.value == constant.value }.map(\.name)
      for names in alike.count > 1 ? [[constant.name], alike] : [[constant.name]] {
        for other in [value * 2, value + 1, max(1, value / 2)] {
          var changed = basis
          for name in names { changed[name] = other }
          guard let run = run(changed), shapes(run) != usual else { continue }
          let now = Dictionary(Self.axes(run).map { ($0.place, $0.value) }) { first, _ in first }
          moved.formUnion(axes.filter { now[$0.place] != $0.value }.map(\.place))
          return Size(place: .constant(constant.name), value: constant.value)
        }
      }
      return nil
    }
    return (sizes, moved)
  }
}
