import Diagnostics
import TileIR

/// A kernel compiled for one launch: instructions over one arena of preallocated tiles.
///
/// Compiled for the launch's scalar arguments and grid, which lets index arithmetic be proved free
/// of overflow and folded; pointers are the only arguments left, as virtual addresses.
public struct TileProgram: Sendable {
  let function: Function
  /// Runs once per thread: what all programs of the grid have in common.
  var prologue: [Instruction] = []
  var body: [Instruction] = []
  var details: [Detail] = []
  /// The places faults refer to.
  var sites: [Site] = []
  /// Constants to write into the arena before anything runs.
  var constants: [Constant] = []
  var arenaBytes = 0
  /// Lanes of the longest row of a memory access.
  var longestRow = 1
  /// Allocations the launch may write and read, as far as the pointers' origins tell.
  var written: Set<Int> = []
  var read: Set<Int> = []
  var hasAtomics = false
  /// Whether it writes lines with `tl.device_print`.
  var prints = false
  /// Where each SSA value is; only in programs compiled to be looked at.
  var valueOperands: [Operand?] = []
  let grid: (Int, Int, Int)

  struct Constant: Sendable {
    var offset: Int
    var bytes: [UInt8]
  }

  /// An operation that can fault.
  struct Site: Sendable {
    var operation: String
    var location: OpLocation
    /// The shape of the tile it works on, for lanes.
    var shape: [Int]
    var element: ElementType
    /// What the kernel says there: the message of an assertion.
    var text = ""
    /// The named integers behind the operation; only in programs compiled to be looked at.
    var trace: FaultTrace?
  }

  /// Whether the kernel can write to an allocation.
  public func mayWrite(_ allocation: DeviceMemory.Allocation?) -> Bool {
    allocation.map { written.contains($0.index) } ?? false
  }

  /// Instructions per program of the grid outside loops, for estimates.
  public var instructionCount: Int { body.count }
}
