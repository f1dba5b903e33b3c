/// Runs one instruction. Handlers are plain functions: no state but the frame.
typealias Handler = @Sendable (UnsafeMutablePointer<Frame>, UnsafePointer<Instruction>) -> Void

/// One step of a compiled kernel. Operands are byte offsets into the program's arena.
///
/// A tile operation runs over `rows` rows of `n` lanes. Between rows the operands move by the
/// strides `sd`, `sa`, `sb`, `sc` (bytes); within a row an operand moves by one lane or, where its
/// bit in `fixed` is set, not at all.
struct Instruction: Sendable {
  var handler: Handler
  var d = 0
  var a = 0
  var b = 0
  var c = 0
  var n = 1
  var rows = 1
  var sd = 0
  var sa = 0
  var sb = 0
  var sc = 0
  /// Bit 0: a, bit 1: b, bit 2: c.
  var fixed = 0
  var imm = 0
  var imm2 = 0
  /// Index into ``TileProgram/details`` for what does not fit here.
  var detail = -1
  /// Index into ``TileProgram/sites``: where a fault is reported.
  var site = 0
}

/// The state of one running program of the grid.
struct Frame {
  var arena: UnsafeMutableRawPointer
  /// The index of the next instruction.
  var pc = 0
  /// Set by a handler that cannot go on.
  var stopped = false
  var fault: RawFault?
  var programID: (Int32, Int32, Int32) = (0, 0, 0)
  var gridSize: (Int32, Int32, Int32) = (1, 1, 1)
  /// The shadow word of this program.
  var word: UInt16 = 1
  /// Whether this program executed an atomic operation: what it reads and writes from then on may
  /// be ordered by it.
  var isSynchronized = false
  var records: UnsafeMutablePointer<AllocationRecord>
  var recordCount: Int
  var details: UnsafePointer<Detail>
  /// Instructions this program may still execute in loops, against endless ones.
  var fuel: Int
  /// Lanes that instructions ran over, where they are counted.
  var work = 0
  /// Work at which a program that counts it stops.
  var workLimit = Int.max
  /// How often the running program ran each instruction, where that is counted.
  var counts: UnsafeMutablePointer<Int>?
  /// Row addresses, as long as the longest row of the kernel.
  var addresses: UnsafeMutablePointer<Int>
  var printed: PrintLog?
  /// Present when programs run in parallel.
  var lock: AtomicLock?

  @inline(__always)
  func float(_ offset: Int) -> UnsafeMutablePointer<Float> {
    (arena + offset).assumingMemoryBound(to: Float.self)
  }

  @inline(__always)
  func int(_ offset: Int) -> UnsafeMutablePointer<Int> {
    (arena + offset).assumingMemoryBound(to: Int.self)
  }

  @inline(__always)
  func int32(_ offset: Int) -> UnsafeMutablePointer<Int32> {
    (arena + offset).assumingMemoryBound(to: Int32.self)
  }

  @inline(__always)
  func byte(_ offset: Int) -> UnsafeMutablePointer<UInt8> {
    (arena + offset).assumingMemoryBound(to: UInt8.self)
  }

  mutating func stop(_ fault: RawFault) {
    if self.fault == nil { self.fault = fault }
    stopped = true
  }
}

/// What `tl.device_print` said, in order; shared by the programs of one launch.
final class PrintLog {
  var lines: [String] = []
  static let limit = 1000
}
