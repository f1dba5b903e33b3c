import Diagnostics
import Foundation
import TileIR

/// Runs launches of lowered kernels on the CPU, with every address checked.
///
/// ```swift
/// let machine = TileMachine(memory: memory)
/// let run = try machine.run(function, grid: [95, 2, 1], arguments: [.pointer(x, byteOffset: 0), .int(3025)])
/// if let fault = run.fault { print(fault.diagnostic) }
/// ```
public struct TileMachine: Sendable {
  public var memory: DeviceMemory
  public var options: Options

  public struct Options: Sendable {
    /// Threads that share the programs of a launch.
    public var threads = 1
    public var order = Order.ascending
    /// Loop iterations one program may take before it counts as endless.
    public var fuel = 50_000_000
    /// Runs only these programs (linear ids), in this order; nil runs the whole grid.
    public var programs: [Int]?
    /// Seconds after which a launch is given up; nil: never.
    public var deadline: Date?
    /// Counts ``Run/work``.
    public var countsWork = false
    /// Counts ``Run/executions`` too.
    public var countsExecutions = false
    /// Work after which a launch that counts it ends where it is, without a fault.
    public var workLimit = Int.max
    /// How long a launch runs on one thread before others join.
    var timeAlone = Duration.milliseconds(2)
    public init() {}
  }

  /// In which order the programs of the grid run: a correct kernel does not depend on it.
  public enum Order: Sendable, Hashable {
    case ascending, descending
    /// Shuffled by a seed.
    case shuffled(UInt64)
  }

  /// What one launch did.
  public struct Run: Sendable {
    public var fault: MachineFault?
    /// What `tl.device_print` wrote.
    public var printed: [String] = []
    /// True if the deadline ended the launch before its last program.
    public var ranOutOfTime = false
    /// Programs that ran to their end.
    public var programs = 0
    /// What the programs did, in lanes of an elementwise operation, roughly: the same on every
    /// machine, unlike time. 0 where it is not counted.
    public var work = 0
    /// How often one program ran each place of the kernel, at the most: a loop's body once a round.
    /// Unrolled iterations are one place. Empty where it is not counted.
    public var executions: [OpLocation: Int] = [:]
  }

  public init(memory: DeviceMemory, options: Options = Options()) {
    self.memory = memory
    self.options = options
  }

  /// Runs one launch.
  ///
  /// - Parameters:
  ///   - function: the kernel lowered for the launch.
  ///   - grid: 1 to 3 axes.
  ///   - arguments: by parameter name; parameters that are constants of the function may be absent.
  /// - Returns: what happened; a fault is a result, not an error.
  /// - Throws: a `Diagnostic` where the kernel holds what the machine does not run, or the
  ///   arguments do not fit.
  public func run(
    _ function: Function, grid: [Int], arguments: [String: MachineArgument]
  ) throws(Diagnostic) -> Run {
    let launch = try PreparedLaunch(function, grid: grid, arguments: arguments, memory: memory)
    return try launch.run(memory, options)
  }
}

/// A kernel specialised and compiled for one launch; may be run again on the same addresses.
public struct PreparedLaunch: Sendable {
  public let program: TileProgram
  let grid: (Int, Int, Int)
  let addresses: [Value: Int]
  private let copies: ProgramCopies

  public init(
    _ function: Function, grid: [Int], arguments: [String: MachineArgument], memory: DeviceMemory
  ) throws(Diagnostic) {
    func invalid(_ text: String) -> Diagnostic {
      Diagnostic(id: "invalid-launch", text, source: function.source)
    }
    guard (1...3).contains(grid.count), grid.allSatisfy({ $0 >= 0 && $0 <= Int(Int32.max) }) else {
      throw invalid("the grid \(grid) is not 1 to 3 sizes below 2^31")
    }
    let sizes = (grid[0], grid.count > 1 ? grid[1] : 1, grid.count > 2 ? grid[2] : 1)
    guard sizes.0.multipliedClamped(sizes.1).multipliedClamped(sizes.2) < 1 << 40 else {
      throw invalid("the grid \(grid) has too many programs")
    }
    self.grid = sizes
    let expanded = try HandleExpansion.expand(function, arguments: arguments)
    let (simple, pointers) = try LaunchSpecializer.specialize(
      expanded.function, arguments: expanded.arguments)
    addresses = pointers
    var program = try TileProgram.compile(simple, grid: sizes, addresses: pointers)
    let roots = PointerRoots(simple, addresses: pointers)
    program.written = roots.written ?? Set(memory.records.indices)
    program.read = roots.read ?? Set(memory.records.indices)
    self.program = program
    copies = ProgramCopies(simple, grid: sizes, addresses: pointers)
  }

  /// Runs all programs of the grid.
  /// - Throws: a `Diagnostic` when there is no memory for the arena or the shadows.
  public func run(
    _ memory: DeviceMemory, _ options: TileMachine.Options = .init()
  ) throws(Diagnostic) -> TileMachine.Run {
    guard memory.prepare(written: program.written, read: program.read) else {
      throw Diagnostic(id: "out-of-memory", "no memory for the shadows of the tensors")
    }
    defer { memory.finish() }
    let total = grid.0 * grid.1 * grid.2
    let ids = options.programs ?? Self.ids(total, options.order)
    let scheduler = Scheduler(
      program: program, memory: memory, ids: ids, grid: grid, options: options, copies: copies)
    guard var run = scheduler.run() else {
      throw Diagnostic(id: "out-of-memory", "no memory for \(program.arenaBytes) bytes of tiles")
    }
    if let raw = scheduler.fault {
      var fault = MachineFault(
        raw, program: program, grid: grid, memory: memory, addresses: addresses)
      fault.operands = FaultTrace.operands(raw, self, memory: memory, options: options)
      run.fault = fault
    }
    return run
  }

  /// nil for the natural order: no list is needed.
  private static func ids(_ total: Int, _ order: TileMachine.Order) -> [Int]? {
    switch order {
    case .ascending: return nil
    case .descending: return (0..<total).reversed()
    case .shuffled(let seed):
      var ids = Array(0..<total)
      var state = seed &+ 0x9E37_79B9_7F4A_7C15
      for index in stride(from: total - 1, to: 0, by: -1) {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        ids.swapAt(index, Int(state % UInt64(index + 1)))
      }
      return ids
    }
  }
}
