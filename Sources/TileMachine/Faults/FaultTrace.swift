import TileIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The named integers that a faulting operation's address and mask were made of.
///
/// The program that faulted is compiled once more with a place of its own for every tile, and run
/// alone up to the fault; what its tiles hold then is read at the faulting lane.
struct FaultTrace {
  /// Named values, nearest to the operation first, with the axis of the operation's tile that
  /// each of their axes lies along.
  private(set) var values: [(name: String, value: Value, axes: [Int])] = []

  static let limit = 6
  private static var arenaLimit: Int { 1 << 30 }

  /// Follows the operands of `operation` backwards.
  init(_ operation: Operation, _ function: Function, definitions: [Operation?]) {
    var queue: [(value: Value, axes: [Int])] = []
    var seen: Set<Value> = []
    func push(_ value: Value, _ axes: [Int]) {
      if seen.insert(value).inserted { queue.append((value, axes)) }
    }
    for (index, operand) in operation.operands.enumerated() {
      // What a store writes has no part in where it writes.
      if index == 1, case .store = operation.kind { continue }
      if index == 2, case .load = operation.kind { continue }
      guard let type = function.values[operand.index].type.tile else { continue }
      push(operand, Array(type.shape.indices))
    }
    var constants: [(name: String, value: Value, axes: [Int])] = []
    var names: Set<String> = []
    var next = 0
    while next < queue.count, next < 4096 {
      let (value, axes) = queue[next]
      next += 1
      let info = function.values[value.index]
      let definition = definitions[value.index]
      if let name = info.name, let element = info.type.tile?.element, element.isInteger,
        element != .int1, names.insert(name).inserted
      {
        if case .constant? = definition?.kind {
          constants.append((name, value, axes))
        } else {
          values.append((name, value, axes))
        }
      }
      guard let definition else { continue }
      switch definition.kind {
      case .unary, .binary, .compare, .select, .cast, .addPointer, .hint, .broadcast:
        for operand in definition.operands {
          let rank = function.values[operand.index].type.tile?.shape.count ?? 0
          push(operand, rank == axes.count ? axes : [])
        }
      case .splat: push(definition.operands[0], [])
      case .expandDims(let axis):
        var inner = axes
        if inner.indices.contains(axis) { inner.remove(at: axis) }
        push(definition.operands[0], inner)
      case .trans(let order):
        var inner = axes
        for (axis, source) in order.enumerated() where axis < axes.count {
          inner[source] = axes[axis]
        }
        push(definition.operands[0], inner)
      default: break
      }
    }
    values = Array((values + constants).prefix(Self.limit))
  }

  /// Runs one program again and reads the values; empty where it does not fault the same way.
  static func operands(
    _ found: Scheduler.Found, _ launch: PreparedLaunch, memory: DeviceMemory,
    options: TileMachine.Options
  ) -> [(name: String, value: Int)] {
    guard
      let program = try? TileProgram.compile(
        launch.program.function, grid: launch.grid, addresses: launch.addresses, keepsAll: true),
      program.arenaBytes < arenaLimit, program.sites.indices.contains(found.raw.site)
    else { return [] }
    let site = program.sites[found.raw.site]
    guard let trace = site.trace, !trace.values.isEmpty else { return [] }
    var options = options
    options.threads = 1
    options.deadline = nil
    options.programs = [found.linear]
    let scheduler = Scheduler(
      program: program, memory: memory, ids: options.programs, grid: launch.grid, options: options)
    var result: [(name: String, value: Int)] = []
    scheduler.onFault = { raw, arena in
      guard raw.site == found.raw.site, raw.lane == found.raw.lane else { return }
      let lane = RowMajor.coordinates(of: raw.lane, in: site.shape)
      for (name, value, axes) in trace.values {
        guard let operand = program.valueOperands[value.index],
          let number = read(operand, lane, axes, arena)
        else { continue }
        result.append((name, number))
      }
    }
    _ = scheduler.run()
    return result
  }

  /// A lane of an integer tile; nil where the tile varies along an axis that the lane has not.
  private static func read(
    _ operand: Operand, _ lane: [Int], _ axes: [Int], _ arena: UnsafeMutableRawPointer
  ) -> Int? {
    var index = 0
    for (axis, size) in operand.shape.enumerated() {
      index *= size
      if size == 1 { continue }
      guard axes.indices.contains(axis), lane.indices.contains(axes[axis]), lane[axes[axis]] < size
      else { return nil }
      index += lane[axes[axis]]
    }
    let place = arena + operand.slot
    switch operand.lane {
    case .bool, .uint8: return Int(place.assumingMemoryBound(to: UInt8.self)[index])
    case .uint16: return Int(place.assumingMemoryBound(to: UInt16.self)[index])
    case .uint32: return Int(place.assumingMemoryBound(to: UInt32.self)[index])
    case .float, .double: return nil
    default: return ShapeHandlers.loadInteger(place, index, bytes: operand.lane.bytes)
    }
  }
}
