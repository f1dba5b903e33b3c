import Synchronization
import TileIR

/// A launch's program compiled again for each further thread.
///
/// Handlers that hold values are counted references: every call counts the reference up and down.
/// Threads that share a program would do that to the same words of memory, and hold each other up at
/// every instruction; with programs of their own they share nothing but the tensors.
final class ProgramCopies: Sendable {
  private let function: Function
  private let grid: (Int, Int, Int)
  private let addresses: [Value: Int]
  private let made = Mutex<[Int: TileProgram]>([:])

  init(_ function: Function, grid: (Int, Int, Int), addresses: [Value: Int]) {
    self.function = function
    self.grid = grid
    self.addresses = addresses
  }

  /// The program of a thread: the same at every call.
  /// - Returns: nil where it does not compile; the launch's own did.
  func program(of thread: Int) -> TileProgram? {
    if let known = made.withLock({ $0[thread] }) { return known }
    guard let program = try? TileProgram.compile(function, grid: grid, addresses: addresses) else {
      return nil
    }
    made.withLock { $0[thread] = program }
    return program
  }
}
