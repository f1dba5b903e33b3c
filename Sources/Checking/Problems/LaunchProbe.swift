import Diagnostics
import Foundation
import HostProgram
import TileIR
import TileMachine
import TritonLowering

/// Runs a few programs of each launch of a module over memory that is never filled: what a launch
/// costs, and whether its addresses hold at its real size.
struct LaunchProbe {
  let module: ModuleUnderTest
  let run: HostRun

  /// What the tile machine does in a second on one core, counted as `TileMachine.Run.work` is. The
  /// order of magnitude will do: a count chooses the same sizes on every machine, fast or busy.
  #if DEBUG
    static let workPerSecond = 1e7
  #else
    static let workPerSecond = 1e9
  #endif

  /// Seconds that all launches together would take on one thread, by the work of a few programs of
  /// each; of many launches of one kernel over one grid, by that of the first.
  func seconds(config: Int, deadline: Date) throws -> Double {
    var total = 0.0
    var known: [Kind: (seconds: Double, count: Int)] = [:]
    for launch in run.launches {
      let (config, grid) = launch.configs[min(config, launch.configs.count - 1)]
      let count = grid.reduce(1, *)
      guard count > 0 else { continue }
      let kind = Kind(kernel: launch.kernel, config: config, grid: grid)
      if let alike = known[kind], alike.count >= Self.alikeLimit || Date() > deadline {
        total += alike.seconds / Double(alike.count) * Double(launch.repetitions)
        continue
      }
      var options = TileMachine.Options()
      options.programs = Array(Set([0, count / 2])).sorted()
      options.fuel = 20_000
      options.deadline = deadline
      options.countsWork = true
      let outcome = try self.outcome(launch, config, grid, options)
      let elapsed = Double(outcome?.work ?? 0) / Self.workPerSecond
      let isCut = outcome?.fault?.id == "endless-loop"
      let seconds =
        elapsed / Double(options.programs?.count ?? 1) * Double(count) * (isCut ? 100 : 1)
      known[kind, default: (0, 0)].seconds += seconds
      known[kind, default: (0, 0)].count += 1
      total += seconds * Double(launch.repetitions)
    }
    let count = run.trace.forward.reduce(0) { count, step in
      if case .launch = step { count + 1 } else { count }
    }
    return total + Double(count) * Self.launchOverhead
  }

  private struct Kind: Hashable {
    var kernel: String
    var config: LaunchConfig
    var grid: [Int]
  }

  /// Launches of one kind that are looked into: their numbers may differ.
  private static let alikeLimit = 3
  /// Seconds that a launch takes at any size: it is compiled for its numbers.
  #if DEBUG
    private static let launchOverhead = 2e-3
  #else
    private static let launchOverhead = 3e-3
  #endif

  /// What the launches do at this size, as far as a few programs of each tell.
  func traits(deadline: Date) -> Set<LaunchTrait> {
    var traits: Set<LaunchTrait> = []
    var ordinals: [String: Int] = [:]
    for launch in run.launches.prefix(Self.launchLimit) where Date() < deadline {
      guard let (config, grid) = launch.configs.first else { continue }
      let ordinal = ordinals[launch.kernel, default: 0]
      ordinals[launch.kernel] = ordinal + 1
      let name = "\(launch.kernel) \(min(ordinal, 7))"
      for (axis, size) in grid.enumerated() where size > 0 {
        traits.formUnion(LaunchTrait.levels(size).map { .grid(name, axis: axis, atLeast: $0) })
      }
      let count = grid.reduce(1, *)
      guard count > 0 else { continue }
      var options = TileMachine.Options()
      options.programs = Array(Set([0, count / 2])).sorted()
      options.fuel = 20_000
      options.workLimit = Int(Self.workPerSecond / 50)
      options.deadline = deadline
      options.countsExecutions = true
      for (place, count) in (try? outcome(launch, config, grid, options))?.executions ?? [:] {
        traits.formUnion(LaunchTrait.levels(count).map { .place(name, place, atLeast: $0) })
      }
    }
    return traits
  }

  /// Launches that are looked into: networks repeat themselves.
  private static let launchLimit = 24

  /// The first fault among the corner programs of every launch at this size, under every config or
  /// only under the first.
  func cornerFault(allConfigs: Bool, deadline: Date) throws -> MachineFault? {
    for launch in run.launches {
      for (config, grid) in allConfigs ? launch.configs : Array(launch.configs.prefix(1)) {
        let count = grid.reduce(1, *)
        guard count > 0 else { continue }
        var options = TileMachine.Options()
        var ids: Set<Int> = [0, count - 1, count / 2, count / 3]
        if let first = grid.first { ids.insert(max(0, first - 1)) }
        options.programs = ids.sorted()
        options.fuel = 2_000_000
        options.deadline = deadline
        if let fault = try outcome(launch, config, grid, options)?.fault,
          fault.id != "endless-loop"
        {
          return fault
        }
        if Date() > deadline { return nil }
      }
    }
    return nil
  }

  /// Bytes of address space that one tensor may take.
  private static let largestTensor = 1 << 37

  /// nil where a tensor is too large even for addresses.
  private func outcome(
    _ launch: Launch, _ config: LaunchConfig, _ grid: [Int], _ options: TileMachine.Options
  ) throws -> TileMachine.Run? {
    let function = try module.lower(launch, config)
    let memory = DeviceMemory()
    var held: [Int: (allocation: DeviceMemory.Allocation, bytes: LazyBytes)] = [:]
    var extents: [Int: Int] = [:]
    for (_, value) in launch.arguments.flatMap({ $0.value.leaves(named: $0.name) }) {
      let shape: TensorShape
      switch value {
      case .tensor(let tensor): shape = tensor
      case .tensorDescriptor(let tensor, _): shape = tensor
      default: continue
      }
      guard let bytes = shape.byteExtent, bytes < Self.largestTensor else { return nil }
      extents[shape.storage] = max(extents[shape.storage] ?? 0, bytes)
    }
    let arguments = try launch.machineArguments(config) { (shape, name) throws(Diagnostic) in
      if let known = held[shape.storage] { return known.allocation }
      let count = extents[shape.storage] ?? 0
      guard let bytes = LazyBytes(count),
        let allocation = memory.register(
          bytes.address, byteCount: count, label: .init(name, shape), isInitialized: true)
      else {
        throw Diagnostic(id: "out-of-memory", "no address space for '\(name)' of \(count) bytes")
      }
      held[shape.storage] = (allocation, bytes)
      return allocation
    }
    let prepared = try PreparedLaunch(function, grid: grid, arguments: arguments, memory: memory)
    return try withExtendedLifetime(held) { try prepared.run(memory, options) }
  }
}

/// Something that a launch does, which a mistake in the kernel may need in order to show.
enum LaunchTrait: Hashable {
  /// That many programs along an axis of the grid.
  case grid(String, axis: Int, atLeast: Int)
  /// A place of the kernel that one program runs that often: a branch taken, a loop of rounds.
  case place(String, OpLocation, atLeast: Int)

  /// More than three of anything show nothing new.
  static func levels(_ count: Int) -> ClosedRange<Int> { 1...max(1, min(3, count)) }
}

/// Address space that takes memory only where it is touched.
final class LazyBytes {
  let address: UnsafeMutableRawPointer
  private let count: Int

  init?(_ bytes: Int) {
    count = max(4096, bytes)
    #if os(Linux)
      let flags = Int32(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
    #else
      let flags = Int32(MAP_PRIVATE | MAP_ANON | MAP_NORESERVE)
    #endif
    guard let raw = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0), raw != MAP_FAILED
    else { return nil }
    address = raw
  }

  deinit { munmap(address, count) }
}
