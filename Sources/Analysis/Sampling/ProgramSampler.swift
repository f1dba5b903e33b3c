import TileIR

/// Runs the index arithmetic of some programs of a launch, so that trip counts, masks and
/// addresses are seen and not guessed. Floats and loaded values stay unknown.
///
/// Long loops run their first iterations and weigh them; a work limit ends the run early on any input.
struct ProgramSampler {
  /// One execution of a memory operation.
  struct Access {
    let operation: Int
    /// Byte offsets from the parameter `base`.
    let addresses: ConcreteTile
    /// nil: unmasked or unknown.
    let mask: ConcreteTile?
    let isMaskUnknown: Bool
    let weight: Double
  }

  /// What was seen over all sampled programs.
  struct Observations: Sendable {
    /// Executions of each operation, over all sampled programs.
    var counts: [Double]
    /// Iterations of each loop (by operation id) over all entries, and its entries.
    var loopIterations: [Int: Double] = [:]
    var loopEntries: [Int: Double] = [:]
    /// Loops whose trip count depends on memory contents or unknown arguments.
    var unknownLoops: Set<Int> = []
    var unknownBranches: Set<Int> = []
    var programs = 0
    var ranOutOfWork = false
  }

  private let flat: FlatFunction
  private let grid: [Int]
  private let onAccess: (Access) -> Void
  /// What the last program computed.
  private(set) var environment: [ConcreteValue]
  private var program: [Int] = [0, 0, 0]
  private(set) var observations: Observations
  private var workLeft: Int

  init(
    _ flat: FlatFunction, arguments: [ConcreteValue], grid: [Int],
    workLimit: Int = ProgramSampler.workLimit,
    onAccess: @escaping (Access) -> Void
  ) {
    self.flat = flat
    self.grid = (0..<3).map { $0 < grid.count ? max(1, grid[$0]) : 1 }
    self.onAccess = onAccess
    environment = Array(repeating: .unknown, count: flat.function.values.count)
    for (index, parameter) in flat.function.parameters.enumerated()
    where index < arguments.count && environment.indices.contains(parameter.value.index) {
      environment[parameter.value.index] = arguments[index]
    }
    observations = Observations(counts: Array(repeating: 0, count: flat.nodes.count))
    workLeft = workLimit
  }

  /// Programs spread evenly over each axis of the grid, the axes independently of each other: a
  /// common stride would always meet the same place of a short axis.
  static func spread(over grid: [Int], count: Int) -> [[Int]] {
    let extents = (0..<3).map { $0 < grid.count ? max(1, grid[$0]) : 1 }
    let total = extents.reduce(1.0) { $0 * Double($1) }
    if total <= Double(count) {
      return (0..<Int(total)).map { index in
        var rest = index
        return extents.map { extent in
          defer { rest /= extent }
          return rest % extent
        }
      }
    }
    // Fractions of low discrepancy: even steps, golden ratio, plastic number.
    return (0..<count).map { index in
      let step = Double(index)
      let fractions = [
        (step + 0.5) / Double(count), (0.5 + step * 0.618_034).truncatingRemainder(dividingBy: 1),
        (0.25 + step * 0.754_878).truncatingRemainder(dividingBy: 1),
      ]
      return zip(extents, fractions).map { min($0 - 1, Int(Double($0) * $1)) }
    }
  }

  mutating func run(program: [Int]) {
    self.program = program
    observations.programs += 1
    run(flat.top, weight: 1)
  }

  private func value(_ value: Value) -> ConcreteValue {
    environment.indices.contains(value.index) ? environment[value.index] : .unknown
  }

  private mutating func set(_ value: Value, _ new: ConcreteValue) {
    if environment.indices.contains(value.index) { environment[value.index] = new }
  }

  private mutating func run(_ ids: [Int], weight: Double) {
    for id in ids {
      if workLeft <= 0 {
        observations.ranOutOfWork = true
        observations.counts[id] += weight
        for result in flat.nodes[id].operation.results { set(result, .unknown) }
        for region in flat.nodes[id].regions { run(region, weight: weight) }
        continue
      }
      observations.counts[id] += weight
      let node = flat.nodes[id]
      switch node.operation.kind {
      case .forLoop: runFor(node, weight)
      case .whileLoop: runWhile(node, weight)
      case .ifElse: runIf(node, weight)
      default: runSimple(node, weight)
      }
    }
  }

  /// Short loops run whole, so that a last, partly masked step is seen.
  private func iterations(_ node: FlatFunction.Node, _ trips: Int) -> Int {
    node.loops.isEmpty ? (trips <= 24 ? trips : 8) : min(trips, 6)
  }

  /// True once two programs took a third of the work: the other two would take it past the limit.
  /// Never after three: pairs lie on either side of a short axis.
  var hasSeenEnough: Bool {
    observations.programs == 2 && workLeft < Self.workLimit / 3 * 2
  }

  /// Elements computed at most over all programs.
  static let workLimit = 2_000_000

  private mutating func runFor(_ node: FlatFunction.Node, _ weight: Double) {
    let operation = node.operation
    guard operation.operands.count >= 3, let region = operation.regions.first,
      let body = node.regions.first
    else { return }
    let initial = operation.operands.dropFirst(3).map { value($0) }
    let arguments = Array(region.arguments.dropFirst())
    for (argument, start) in zip(arguments, initial) { set(argument, start) }
    observations.loopEntries[node.id, default: 0] += weight
    guard let lower = value(operation.operands[0]).scalar,
      let upper = value(operation.operands[1]).scalar,
      let step = value(operation.operands[2]).scalar, step != 0
    else {
      observations.unknownLoops.insert(node.id)
      observations.loopIterations[node.id, default: 0] += weight
      if let induction = region.arguments.first {
        set(induction, value(operation.operands[0]))
      }
      run(body, weight: weight)
      for result in operation.results { set(result, .unknown) }
      return
    }
    let trips = Self.tripCount(lower, upper, step)
    observations.loopIterations[node.id, default: 0] += weight * Double(trips)
    let ran = iterations(node, trips)
    let each = ran > 0 ? weight * Double(trips) / Double(ran) : 0
    for iteration in 0..<ran {
      if let induction = region.arguments.first {
        set(induction, .tile(.scalar(lower &+ iteration &* step)))
      }
      run(body, weight: each)
      let next = node.yielded(0, in: flat).map { value($0) }
      for (argument, new) in zip(arguments, next) { set(argument, new) }
    }
    for (result, argument) in zip(operation.results, arguments) {
      set(result, ran == trips ? value(argument) : .unknown)
    }
  }

  static func tripCount(_ lower: Int, _ upper: Int, _ step: Int) -> Int {
    let (span, overflow) = upper.subtractingReportingOverflow(lower)
    guard !overflow, step != .min else { return 0 }
    if step > 0 { return span > 0 ? (span - 1) / step + 1 : 0 }
    return span < 0 && span != .min ? (-span - 1) / -step + 1 : 0
  }

  private mutating func runWhile(_ node: FlatFunction.Node, _ weight: Double) {
    let operation = node.operation
    guard operation.regions.count == 2, node.regions.count == 2 else { return }
    var carried = operation.operands.map { value($0) }
    observations.loopEntries[node.id, default: 0] += weight
    for _ in 0..<24 {
      for (argument, start) in zip(operation.regions[0].arguments, carried) {
        set(argument, start)
      }
      run(node.regions[0], weight: weight)
      let handed = node.yielded(0, in: flat).map { value($0) }
      let condition = node.regions[0].last.flatMap { flat.nodes[$0].operation.operands.first }
      let holds = condition.flatMap { value($0).scalar }
      if holds == 0 {
        for (result, final) in zip(operation.results, handed) { set(result, final) }
        return
      }
      for (argument, start) in zip(operation.regions[1].arguments, handed) {
        set(argument, start)
      }
      observations.loopIterations[node.id, default: 0] += weight
      run(node.regions[1], weight: weight)
      carried = node.yielded(1, in: flat).map { value($0) }
      if holds == nil { break }
    }
    observations.unknownLoops.insert(node.id)
    for result in operation.results { set(result, .unknown) }
  }

  private mutating func runIf(_ node: FlatFunction.Node, _ weight: Double) {
    let operation = node.operation
    if let condition = operation.operands.first.flatMap({ value($0).scalar }) {
      let taken = condition != 0 ? 0 : 1
      guard node.regions.indices.contains(taken) else { return }
      run(node.regions[taken], weight: weight)
      for (result, source) in zip(operation.results, node.yielded(taken, in: flat)) {
        set(result, value(source))
      }
      return
    }
    observations.unknownBranches.insert(node.id)
    for region in node.regions { run(region, weight: weight / 2) }
    for result in operation.results { set(result, .unknown) }
  }

  private mutating func runSimple(_ node: FlatFunction.Node, _ weight: Double) {
    let operation = node.operation
    if let access = MemoryAccess(operation, in: flat) { report(node, access, weight) }
    let operands = operation.operands.map { value($0) }
    let results = IndexEvaluator.results(
      of: operation, operands: operands, program: program, grid: grid, in: flat)
    for (index, result) in operation.results.enumerated() {
      let new = index < results.count ? results[index] : .unknown
      if case .tile(let tile) = new { workLeft -= tile.data.count }
      set(result, new)
    }
    workLeft -= 1
  }

  private mutating func report(
    _ node: FlatFunction.Node, _ access: MemoryAccess, _ weight: Double
  ) {
    let mask = access.mask.map { value($0) }
    var addresses: ConcreteTile?
    var boundary: ConcreteTile?
    switch value(access.pointer) {
    case .tile(let tile): addresses = tile
    case .block(var block):
      if case .descriptorLoad = node.operation.kind {
        block.offsets = node.operation.operands.dropFirst().map { value($0).scalar ?? 0 }
      } else if case .descriptorStore = node.operation.kind {
        block.offsets = node.operation.operands.dropFirst(2).map { value($0).scalar ?? 0 }
      }
      (addresses, boundary) = IndexEvaluator.window(
        block, shape: access.shape, elementBytes: access.element.bytes)
    case .unknown: break
    }
    guard let addresses else { return }
    workLeft -= addresses.data.count
    onAccess(
      Access(
        operation: node.id, addresses: addresses, mask: mask?.tile ?? boundary,
        isMaskUnknown: mask != nil && mask?.tile == nil, weight: weight))
  }
}
