import Diagnostics
import Foundation
import HostProgram
import TensorMath
import TileIR
import TileMachine
import TritonLowering

/// Runs a module's trace: torch operators on real numbers, launches on the tile machine.
final class ModuleRunner {
  let module: ModuleUnderTest
  private(set) var run: HostRun
  let setting: RunSetting
  let world: TensorWorld
  private let memory = DeviceMemory()
  private var allocations: [Int: DeviceMemory.Allocation] = [:]
  /// Storages whose contents come from a kernel.
  private var fromKernel: Set<Int> = []
  private var result = ModuleRun()
  /// The step of `forward` that comes next.
  private var position = 0

  init(_ module: ModuleUnderTest, _ run: HostRun, _ setting: RunSetting) {
    self.module = module
    self.run = run
    self.setting = setting
    world = TensorWorld(
      precision: .native, seed: setting.input.seed, poison: setting.poison, limitBytes: 2 << 30,
      source: module.tree.source)
  }

  /// Makes inputs and parameters; `shared` are the numbers that every module of a check starts from.
  func prepare(_ shared: SharedNumbers?) throws(Diagnostic) {
    if let gap = run.trace.gap { throw gap }
    try world.reserve(run.trace, launches: run.launches)
    for step in run.trace.forward.indices {
      guard let launch = run.launch(at: step) else { continue }
      for argument in launch.arguments { try reserve(argument.value) }
    }
    if let shared {
      try shared.run(setup: run.trace, launches: run.launches, in: world)
    } else {
      try world.run(run.trace.setup)
    }
    for tensor in run.trace.tensors { _ = try world.storage(of: tensor.shape) }
  }

  private func reserve(_ value: ArgumentValue) throws(Diagnostic) {
    if case .tensor(let shape) = value { try world.reserve(shape) }
    if case .tensorDescriptor(let shape, _) = value { try world.reserve(shape) }
    if case .tuple(let items) = value { for item in items { try reserve(item) } }
  }

  /// Calls `forward` and looks at what came out.
  func execute() throws(Diagnostic) -> ModuleRun {
    var before: [String: [Double]] = [:]
    // Further calls change the inputs from outside.
    for tensor in run.trace.tensors where setting.calls == 1 || tensor.role != .input {
      before[tensor.name] = try world.values(tensor.shape)
    }
    guard try executeSteps() else { return result }
    for shape in run.trace.outputs {
      let unwritten = try unwrittenElements(shape)
      result.outputs.append(
        ModuleRun.Output(shape: shape, values: try world.values(shape), unwritten: unwritten))
      result.comesFromKernel.append(fromKernel.contains(shape.storage))
    }
    for tensor in run.trace.tensors {
      guard let old = before[tensor.name] else { continue }
      let new = try world.values(tensor.shape)
      let isSame = zip(old, new).allSatisfy { $0 == $1 || ($0 != $0 && $1 != $1) }
      if !isSame { result.changed.append(tensor.name) }
    }
    return result
  }

  /// Runs the steps that are left; false where something went wrong.
  private func executeSteps() throws(Diagnostic) -> Bool {
    while position < run.trace.forward.count {
      if let deadline = setting.deadline, Date() > deadline {
        result.ranOutOfTime = true
        return false
      }
      let step = position
      position += 1
      switch run.trace.forward[step] {
      case .operation(let operation): try execute(operation)
      case .launch: try execute(launchAt: step)
      }
      if result.finding != nil || result.ranOutOfTime { return false }
    }
    return true
  }

  /// Goes on to the end of a longer run of the same evaluation.
  /// - Returns: the first thing that went wrong on the way.
  func advance(to longer: HostRun) throws(Diagnostic) -> ModuleRun? {
    run = longer
    isEmptyAllocated = Self.emptyAllocated(longer.trace)
    try world.reserve(longer.trace, launches: longer.launches)
    return try executeSteps() ? nil : result
  }

  // MARK: Operators

  private func execute(_ operation: TensorOperation) throws(Diagnostic) {
    let written = Set(operation.results.map(\.storage))
    // `x.new_empty(…)` and `zeros_like(x)` look at a shape, not at contents.
    let looksAtContents = !operation.name.hasPrefix("new_") && !operation.name.hasSuffix("_like")
    for shape in Self.tensors(operation.arguments)
    where looksAtContents && !written.contains(shape.storage) {
      if fromKernel.contains(shape.storage) { fromKernel.formUnion(written) }
      if try unwrittenElements(shape) > 0 {
        result.finding = (
          .uninitialized,
          Diagnostic(
            id: "uninitialized-read",
            "'\(operation.name)' reads elements that no program wrote",
            source: module.tree.source, range: operation.range)
        )
        return
      }
    }
    try world.execute(operation)
    for shape in operation.results {
      guard let allocation = allocations[shape.storage] else { continue }
      Self.forEachOffset(shape) {
        memory.markInitialized(allocation, element: $0, bytes: shape.element.bytes)
      }
    }
  }

  static func tensors(_ arguments: [String: TraceValue]) -> [TensorShape] {
    func collect(_ value: TraceValue, _ depth: Int) -> [TensorShape] {
      switch value {
      case .tensor(let shape): return [shape]
      case .list(let items) where depth < 8: return items.flatMap { collect($0, depth + 1) }
      default: return []
      }
    }
    return arguments.values.flatMap { collect($0, 0) }
  }

  /// How many elements of a view nothing has written.
  private func unwrittenElements(_ shape: TensorShape) throws(Diagnostic) -> Int {
    guard let allocation = allocations[shape.storage] else {
      guard let storage = world.storages[shape.storage] else { return 0 }
      return storage.isInitialized || storage.byteCount == 0 ? 0 : emptyElements(shape)
    }
    guard memory.hasUninitialized(allocation) else { return 0 }
    let flags = memory.uninitializedElements(allocation)
    var count = 0
    Self.forEachOffset(shape) { offset in
      if flags.indices.contains(offset), flags[offset] { count += 1 }
    }
    return count
  }

  /// A storage that `torch.empty` made and no kernel ever saw.
  private func emptyElements(_ shape: TensorShape) -> Int {
    isEmptyAllocated.contains(shape.storage) ? shape.shape.reduce(1, *) : 0
  }

  private lazy var isEmptyAllocated = Self.emptyAllocated(run.trace)

  private static func emptyAllocated(_ trace: HostTrace) -> Set<Int> {
    var empties: Set<Int> = []
    for step in trace.setup + trace.forward {
      guard case .operation(let operation) = step else { continue }
      let storages = operation.results.map(\.storage)
      if operation.name.hasPrefix("empty") || operation.name == "new_empty" {
        empties.formUnion(storages)
      } else {
        empties.subtract(storages)
      }
    }
    return empties
  }

  static func forEachOffset(_ shape: TensorShape, _ body: (Int) -> Void) {
    func walk(_ axis: Int, _ offset: Int) {
      guard axis < shape.shape.count else { return body(offset) }
      for index in 0..<shape.shape[axis] { walk(axis + 1, offset + index * shape.strides[axis]) }
    }
    walk(0, shape.offset)
  }

  // MARK: Launches

  private func execute(launchAt step: Int) throws(Diagnostic) {
    guard let launch = run.launch(at: step), !launch.configs.isEmpty else { return }
    let (config, grid) = launch.configs[min(setting.config, launch.configs.count - 1)]
    let function = try module.lower(launch, config)
    var storages: Set<Int> = []
    let arguments = try launch.machineArguments(config) { (shape, name) throws(Diagnostic) in
      storages.insert(shape.storage)
      return try allocate(shape, name)
    }
    let prepared = try PreparedLaunch(
      function, grid: grid, arguments: arguments, memory: memory)
    var options = TileMachine.Options()
    options.order = setting.order
    options.threads = setting.threads
    options.deadline = setting.deadline
    options.countsWork = setting.countsWork
    let outcome = try prepared.run(memory, options)
    result.programs += outcome.programs
    result.work &+= outcome.work
    result.ranOutOfTime = outcome.ranOutOfTime
    for storage in storages where prepared.program.mayWrite(allocations[storage]) {
      fromKernel.insert(storage)
    }
    if let fault = outcome.fault {
      result.finding = (Self.reason(fault), fault.diagnostic)
    }
  }

  private func allocate(
    _ shape: TensorShape, _ name: String
  ) throws(Diagnostic) -> DeviceMemory.Allocation {
    if let known = allocations[shape.storage] { return known }
    let storage = try world.storage(of: shape)
    guard
      let allocation = memory.register(
        storage.baseAddress, byteCount: storage.byteCount, label: .init(name, shape),
        isInitialized: storage.isInitialized || !isEmptyAllocated.contains(shape.storage))
    else {
      throw Diagnostic(id: "out-of-memory", "no memory for the shadow of '\(name)'")
    }
    allocations[shape.storage] = allocation
    return allocation
  }

  static func reason(_ fault: MachineFault) -> CheckReason {
    switch fault.id {
    case "out-of-bounds": .outOfBounds
    case "uninitialized-read": .uninitialized
    case "write-write-race", "read-write-race", "lane-race": .race
    case "wrong-hint", "wrong-assumption": .wrongHint
    default: .fault
    }
  }
}

/// The inputs and parameters that all modules of one check start from, by name and by order.
struct SharedNumbers {
  struct Entry {
    var tensor: NamedTensor
    var values: [Double]
  }
  var entries: [Entry]

  /// Reads them from a world that has run the setup, changed as the setting says.
  init(from world: TensorWorld, _ trace: HostTrace, _ setting: InputSetting) throws(Diagnostic) {
    entries = []
    for tensor in trace.tensors {
      var values = try world.values(tensor.shape)
      if tensor.shape.element.isFloat {
        if tensor.role == .input {
          Self.change(&values, setting, tensor.shape.element)
        } else if let first = values.first, values.allSatisfy({ $0 == first }) {
          Self.spread(&values, around: first)
        }
      }
      if case .marked(let all, _) = setting, tensor.role == .input, let marks = all[tensor.name] {
        SpecialIntegers.plant(marks, in: &values, tensor.shape.element)
      }
      if tensor.role == .buffer, Self.isComputed(tensor, trace) { continue }
      entries.append(Entry(tensor: tensor, values: values))
    }
  }

  /// Whether a buffer is the constructor's own work (a table of cosines) rather than a number that
  /// training or chance would give it. Each module answers for such buffers itself.
  private static func isComputed(_ tensor: NamedTensor, _ trace: HostTrace) -> Bool {
    guard let index = trace.lastSetupStep(writing: tensor.shape.storage),
      case .operation(let operation) = trace.setup[index]
    else { return false }
    let free: Set<String> = [
      "randn", "rand", "randint", "normal", "bernoulli", "zeros", "ones", "full", "randperm",
    ]
    return !free.contains(operation.name) && !operation.name.hasPrefix("init.")
  }

  /// Gives a weight of ones or a bias of zeros values that tell its elements apart.
  private static func spread(_ values: inout [Double], around first: Double) {
    for index in values.indices {
      var state = UInt64(index) &+ 0x9E37_79B9_7F4A_7C15
      state = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      state = (state ^ (state >> 27)) &* 0x94D0_49BB_1331_11EB
      let unit = Double(state >> 11) * 0x1p-53
      values[index] = first == 0 ? (unit - 0.5) / 2 : first * (0.75 + unit / 2)
    }
  }

  private static func change(
    _ values: inout [Double], _ setting: InputSetting, _ element: ElementType
  ) {
    switch setting {
    case .asGiven, .marked: break
    case .scaled(let exponent):
      // Half precision has a narrow range: most of it, and not more.
      let exponent = element == .fp16 ? exponent / 3 : exponent
      let factor = Double(sign: .plus, exponent: exponent, significand: 1)
      for index in values.indices { values[index] *= factor }
    case .shifted: for index in values.indices { values[index] += 6 }
    case .zeros: for index in values.indices { values[index] = 0 }
    case .cancelling:
      for index in values.indices {
        let sign = index % 2 == 0 ? 1.0 : -1.0
        values[index] = sign * (index % 7 == 0 ? 64 : 1) + values[index] / 64
      }
    case .waves:
      for index in values.indices { values[index] += index / 64 % 2 == 0 ? 4 : -4 }
    case .mirrored:
      guard values.count > 1, isOneSigned(values) else { return }
      for index in values.indices {
        var state = (UInt64(index) &+ 7) &* 0x9E37_79B9_7F4A_7C15
        state = (state ^ (state >> 29)) &* 0xBF58_476D_1CE4_E5B9
        if state >> 63 == 1 { values[index] = -values[index] }
      }
    case .special:
      guard !values.isEmpty else { return }
      // Nowhere in particular: not at the start of a row or a plane.
      for (share, special) in [
        (0.381966, Double.nan), (0.618034, .infinity), (0.854102, -.infinity),
      ] {
        values[min(values.count - 1, Int(share * Double(values.count)))] = special
      }
    }
  }

  /// Whether an input of several numbers has none below or none above zero.
  var hasOneSign: Bool {
    entries.contains {
      $0.tensor.role == .input && $0.tensor.shape.element.isFloat && $0.values.count > 1
        && Self.isOneSigned($0.values)
    }
  }

  private static func isOneSigned(_ values: [Double]) -> Bool {
    values.allSatisfy { $0 >= 0 } || values.allSatisfy { $0 <= 0 }
  }

  /// Whose tensors get which numbers: by name, else by order among equal shapes.
  private func assignment(_ trace: HostTrace) -> [(shape: TensorShape, values: [Double])] {
    var result: [(TensorShape, [Double])] = []
    var unused = entries.indices.map { $0 }
    func take(_ matches: (Entry) -> Bool) -> Entry? {
      guard let position = unused.firstIndex(where: { matches(entries[$0]) }) else { return nil }
      return entries[unused.remove(at: position)]
    }
    var rest: [NamedTensor] = []
    for tensor in trace.tensors {
      if let entry = take({
        $0.tensor.role == tensor.role && $0.tensor.name == tensor.name
          && $0.tensor.shape.shape == tensor.shape.shape
      }) {
        result.append((tensor.shape, entry.values))
      } else {
        rest.append(tensor)
      }
    }
    for tensor in rest {
      let isInput = tensor.role == .input
      guard
        let entry = take({
          ($0.tensor.role == .input) == isInput && $0.tensor.shape.shape == tensor.shape.shape
        })
      else { continue }
      result.append((tensor.shape, entry.values))
    }
    // What the host program read as known numbers must stay what it was.
    return result.filter { !trace.readStorages.contains($0.0.storage) }
  }

  /// Runs a module's setup, each tensor set as soon as its own steps have filled it: later steps may
  /// pack or convert it.
  func run(
    setup trace: HostTrace, launches: [Launch] = [], in world: TensorWorld
  ) throws(Diagnostic) {
    var due: [Int: [(shape: TensorShape, values: [Double])]] = [:]
    for item in assignment(trace) {
      due[trace.lastSetupStep(writing: item.shape.storage) ?? -1, default: []].append(item)
    }
    for item in due[-1] ?? [] { try world.write(item.values, to: item.shape) }
    let idle = Self.idleSteps(trace, launches, due.mapValues { $0.map(\.shape) })
    for (index, step) in trace.setup.enumerated() {
      if case .operation(let operation) = step, idle.contains(index), world.skip(operation) {
      } else {
        try world.run([step])
      }
      for item in due[index] ?? [] { try world.write(item.values, to: item.shape) }
    }
  }

  /// Steps of the setup whose results are all set anyway, or that nothing looks at: drawing numbers
  /// costs more than all else.
  private static func idleSteps(
    _ trace: HostTrace, _ launches: [Launch], _ due: [Int: [TensorShape]]
  ) -> Set<Int> {
    var needed = trace.readStorages
    func need(_ value: ArgumentValue) {
      for (_, leaf) in value.leaves(named: "") {
        switch leaf {
        case .tensor(let shape), .tensorDescriptor(let shape, _): needed.insert(shape.storage)
        default: break
        }
      }
    }
    for tensor in trace.tensors { needed.insert(tensor.shape.storage) }
    for shape in trace.outputs { needed.insert(shape.storage) }
    for case .operation(let operation) in trace.forward {
      for shape in ModuleRunner.tensors(operation.arguments) { needed.insert(shape.storage) }
      for shape in operation.results { needed.insert(shape.storage) }
    }
    for launch in launches { for argument in launch.arguments { need(argument.value) } }
    for values in trace.launchArguments.values { for value in values { need(value) } }
    var idle: Set<Int> = []
    for (index, step) in trace.setup.enumerated().reversed() {
      guard case .operation(let operation) = step else { return idle }
      let isSet =
        operation.results.count == 1
        && due[index]?.contains { Self.isSameView($0, operation.results[0]) } == true
      let isUnseen =
        due[index] == nil && !operation.results.contains { needed.contains($0.storage) }
      if isSet || isUnseen {
        idle.insert(index)
      } else {
        for shape in ModuleRunner.tensors(operation.arguments) { needed.insert(shape.storage) }
      }
    }
    return idle
  }

  private static func isSameView(_ a: TensorShape, _ b: TensorShape) -> Bool {
    a.storage == b.storage && a.shape == b.shape && a.strides == b.strides && a.offset == b.offset
      && a.element == b.element
  }
}
