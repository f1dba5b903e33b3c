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

  /// Seconds that all launches together would take on one thread, from a few programs of each.
  func seconds(config: Int, deadline: Date) throws -> Double {
    var total = 0.0
    for launch in run.launches {
      let (config, grid) = launch.configs[min(config, launch.configs.count - 1)]
      let count = grid.reduce(1, *)
      guard count > 0 else { continue }
      var options = TileMachine.Options()
      options.programs = Array(Set([0, count / 2])).sorted()
      options.fuel = 20_000
      options.deadline = deadline
      let start = Date()
      let outcome = try self.outcome(launch, config, grid, options)
      let elapsed = Date().timeIntervalSince(start)
      let isCut = outcome?.fault?.id == "endless-loop"
      total +=
        elapsed / Double(options.programs?.count ?? 1) * Double(count)
        * Double(launch.repetitions) * (isCut ? 100 : 1)
    }
    return total
  }

  /// The first fault among the corner programs of every launch at this size.
  func cornerFault(config: Int, deadline: Date) throws -> MachineFault? {
    for launch in run.launches {
      let (config, grid) = launch.configs[min(config, launch.configs.count - 1)]
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
    return nil
  }

  /// nil where the tensors are too large even for addresses.
  private func outcome(
    _ launch: Launch, _ config: LaunchConfig, _ grid: [Int], _ options: TileMachine.Options
  ) throws -> TileMachine.Run? {
    let function = try module.lower(launch, config)
    let memory = DeviceMemory()
    var held: [Int: (allocation: DeviceMemory.Allocation, bytes: LazyBytes)] = [:]
    var extents: [Int: Int] = [:]
    for argument in launch.arguments {
      guard case .tensor(let shape) = argument.value else { continue }
      let last = zip(shape.shape, shape.strides).reduce(shape.offset) {
        $0 &+ max(0, $1.0 - 1) &* $1.1
      }
      let bytes =
        shape.shape.contains(0)
        ? 0
        : (last &+ 1).multipliedReportingOverflow(
          by: shape.element.bytes
        ).partialValue
      extents[shape.storage] = max(extents[shape.storage] ?? 0, bytes)
    }
    guard extents.values.reduce(0, +) < 1 << 38 else { return nil }
    var arguments: [String: MachineArgument] = [:]
    for argument in launch.arguments {
      switch argument.value {
      case .tensor(let shape):
        if held[shape.storage] == nil {
          guard let bytes = LazyBytes(extents[shape.storage] ?? 0),
            let allocation = memory.register(
              bytes.address, byteCount: extents[shape.storage] ?? 0,
              label: .init(
                name: argument.name, element: shape.element, shape: shape.shape,
                strides: shape.strides, offset: shape.offset), isInitialized: true)
          else { return nil }
          held[shape.storage] = (allocation, bytes)
        }
        guard let allocation = held[shape.storage]?.allocation else { return nil }
        arguments[argument.name] = .pointer(
          allocation, byteOffset: shape.offset * shape.element.bytes)
      case .int(let number): arguments[argument.name] = .int(number)
      case .bool(let flag): arguments[argument.name] = .int(flag ? 1 : 0)
      case .float(let number): arguments[argument.name] = .float(number)
      default: break
      }
    }
    let prepared = try PreparedLaunch(function, grid: grid, arguments: arguments, memory: memory)
    return try withExtendedLifetime(held) { try prepared.run(memory, options) }
  }
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
