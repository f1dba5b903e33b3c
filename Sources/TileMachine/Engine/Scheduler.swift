import Foundation
import Synchronization

/// Hands the programs of a launch to threads, each with an arena of its own.
final class Scheduler: @unchecked Sendable {
  let program: TileProgram
  let memory: DeviceMemory
  let ids: [Int]?
  let grid: (Int, Int, Int)
  let options: TileMachine.Options
  /// Programs of further threads; without them all share one.
  let copies: ProgramCopies?

  /// Looks at the arena of a program that faulted, before it is gone; set before ``run()``.
  var onFault: ((RawFault, UnsafeMutableRawPointer) -> Void)?

  private let next = Atomic<Int>(0)
  private let isStopped = Atomic<Bool>(false)
  private let state = Mutex(State())

  private struct State {
    var fault: (raw: RawFault, id: (Int, Int, Int), linear: Int)?
    var done = 0
    var work = 0
    /// By instruction of the body.
    var executions: [Int] = []
    var lacksMemory = false
    var ranOut = false
  }

  /// A fault with the program it happened in.
  struct Found: Sendable {
    var raw: RawFault
    var id: (Int, Int, Int)
    var linear: Int
  }

  init(
    program: TileProgram, memory: DeviceMemory, ids: [Int]?, grid: (Int, Int, Int),
    options: TileMachine.Options, copies: ProgramCopies? = nil
  ) {
    self.copies = copies
    self.program = program
    self.memory = memory
    self.ids = ids
    self.grid = grid
    self.options = options
  }

  var fault: Found? {
    state.withLock { $0.fault.map { Found(raw: $0.raw, id: $0.id, linear: $0.linear) } }
  }

  /// nil when there is no memory for an arena.
  func run() -> TileMachine.Run? {
    let count = ids?.count ?? grid.0 * grid.1 * grid.2
    // Programs that print run on one thread, so that lines stay in order.
    let threads = program.prints ? 1 : max(1, min(options.threads, count))
    let log = PrintLog()
    let lock = threads > 1 ? AtomicLock() : nil
    if threads == 1 {
      work(program, count, chunk: options.deadline == nil ? 64 : 4, log, lock)
    } else {
      // A launch of moments is over before other threads have their programs.
      work(program, count, chunk: 1, nil, lock, until: .now + options.timeAlone)
      if next.load(ordering: .relaxed) < count, !isStopped.load(ordering: .relaxed) {
        let chunk = max(1, min(64, count / (threads * 8)))
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
          let own = thread == 0 ? nil : copies?.program(of: thread)
          work(own ?? program, count, chunk: chunk, nil, lock)
        }
      }
    }
    return state.withLock { state in
      if state.lacksMemory { return nil }
      var run = TileMachine.Run(
        printed: log.lines, ranOutOfTime: state.ranOut, programs: state.done, work: state.work)
      for (instruction, count) in zip(program.body, state.executions) where count > 0 {
        guard program.sites.indices.contains(instruction.site) else { continue }
        var place = program.sites[instruction.site].location
        place.unrollPath = []
        run.executions[place] = max(run.executions[place] ?? 0, count)
      }
      return run
    }
  }

  private func work(
    _ program: TileProgram, _ count: Int, chunk: Int, _ log: PrintLog?, _ lock: AtomicLock?,
    until end: ContinuousClock.Instant? = nil
  ) {
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, 64, max(64, program.arenaBytes)) == 0, let arena = raw else {
      state.withLock { $0.lacksMemory = true }
      return
    }
    defer { free(arena) }
    let addresses = UnsafeMutablePointer<Int>.allocate(capacity: program.longestRow + 8)
    defer { addresses.deallocate() }
    for constant in program.constants {
      constant.bytes.withUnsafeBytes {
        if let base = $0.baseAddress {
          (arena + constant.offset).copyMemory(from: base, byteCount: $0.count)
        }
      }
    }
    var records = memory.records
    program.details.withUnsafeBufferPointer { details in
      records.withUnsafeMutableBufferPointer { records in
        guard let recordBase = records.baseAddress ?? Self.noRecords,
          let detailBase = details.baseAddress ?? Self.noDetails
        else { return }
        var frame = Frame(
          arena: arena, records: recordBase, recordCount: records.count, details: detailBase,
          fuel: options.fuel, addresses: addresses, printed: log, lock: lock)
        frame.gridSize = (
          Int32(truncatingIfNeeded: grid.0), Int32(truncatingIfNeeded: grid.1),
          Int32(truncatingIfNeeded: grid.2)
        )
        var counts = [Int](repeating: 0, count: options.countsExecutions ? program.body.count : 0)
        counts.withUnsafeMutableBufferPointer { counts in
          withUnsafeMutablePointer(to: &frame) { frame in
            program.prologue.withUnsafeBufferPointer { Self.execute($0, frame) }
            frame.pointee.workLimit = options.workLimit
            if options.countsExecutions { frame.pointee.counts = counts.baseAddress }
            program.body.withUnsafeBufferPointer { loop($0, frame, count, chunk, until: end) }
          }
        }
      }
    }
  }

  private static var noRecords: UnsafeMutablePointer<AllocationRecord>? {
    UnsafeMutablePointer(bitPattern: 64)
  }
  private static var noDetails: UnsafePointer<Detail>? { UnsafePointer(bitPattern: 64) }

  private func loop(
    _ body: UnsafeBufferPointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>, _ count: Int,
    _ chunk: Int, until limit: ContinuousClock.Instant?
  ) {
    if frame.pointee.stopped { return report(frame, linear: 0) }
    while !isStopped.load(ordering: .relaxed) {
      let start = next.add(chunk, ordering: .relaxed).oldValue
      if start >= count { return }
      if let deadline = options.deadline, Date() > deadline {
        state.withLock { $0.ranOut = true }
        isStopped.store(true, ordering: .relaxed)
        return
      }
      let end = min(count, start + chunk)
      for index in start..<end {
        let linear = ids?[index] ?? index
        guard linear >= 0 else { continue }
        frame.pointee.programID = (
          Int32(truncatingIfNeeded: linear % grid.0),
          Int32(truncatingIfNeeded: linear / grid.0 % grid.1),
          Int32(truncatingIfNeeded: linear / grid.0 / grid.1)
        )
        frame.pointee.word = GranuleState.word(program: linear)
        frame.pointee.isSynchronized = false
        frame.pointee.fuel = options.fuel
        if options.countsWork || options.countsExecutions {
          Self.execute(body, frame, countsWork: true)
          keepCounts(frame)
        } else {
          Self.execute(body, frame)
        }
        if frame.pointee.stopped {
          state.withLock { $0.work &+= frame.pointee.work }
          report(frame, linear: linear)
          return
        }
      }
      let work = frame.pointee.work
      frame.pointee.work = 0
      state.withLock {
        $0.done += end - start
        $0.work &+= work
      }
      if let limit, ContinuousClock.now > limit { return }
    }
  }

  /// Keeps the largest of what the programs counted.
  private func keepCounts(_ frame: UnsafeMutablePointer<Frame>) {
    guard let counts = frame.pointee.counts else { return }
    state.withLock { state in
      if state.executions.isEmpty {
        state.executions = [Int](repeating: 0, count: program.body.count)
      }
      for index in state.executions.indices {
        state.executions[index] = max(state.executions[index], counts[index])
        counts[index] = 0
      }
    }
  }

  private func report(_ frame: UnsafeMutablePointer<Frame>, linear: Int) {
    isStopped.store(true, ordering: .relaxed)
    guard let raw = frame.pointee.fault else { return }
    onFault?(raw, frame.pointee.arena)
    let id = frame.pointee.programID
    state.withLock { state in
      // Of several threads' faults the one of the lowest program is kept.
      if let known = state.fault, known.linear <= linear { return }
      state.fault = (raw, (Int(id.0), Int(id.1), Int(id.2)), linear)
    }
  }

  /// Lanes; a multiply-add of a matrix product, whose inner loops are the densest, counts a quarter.
  private static func work(of instruction: Instruction, _ details: UnsafePointer<Detail>) -> Int {
    let fixed = 16
    if instruction.detail >= 0 {
      let detail = details + instruction.detail
      if detail.pointee.products > 0 { return fixed &+ detail.pointee.products / 4 }
      if !detail.pointee.sizes.isEmpty { return fixed &+ detail.pointee.sizes.reduce(1, &*) }
    }
    return fixed &+ instruction.rows &* (instruction.n &+ 4)
  }

  /// Runs instructions until their end, a jump past it or a stop.
  /// - Parameter countsWork: adds up what each instruction runs over; a constant at every call, so
  ///   that the loop which does not count has nothing of it.
  @inline(__always)
  static func execute(
    _ code: UnsafeBufferPointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>,
    countsWork: Bool = false
  ) {
    guard let base = code.baseAddress else { return }
    let count = code.count
    frame.pointee.pc = 0
    while frame.pointee.pc < count {
      let instruction = base + frame.pointee.pc
      frame.pointee.pc &+= 1
      if countsWork {
        if let counts = frame.pointee.counts { counts[frame.pointee.pc &- 1] &+= 1 }
        frame.pointee.work &+= work(of: instruction.pointee, frame.pointee.details)
        if frame.pointee.work > frame.pointee.workLimit {
          frame.pointee.stopped = true
          return
        }
      }
      instruction.pointee.handler(frame, instruction)
      if frame.pointee.stopped { return }
    }
  }
}
