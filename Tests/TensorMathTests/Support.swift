import Diagnostics
import HostProgram
import Testing
import TileIR

@testable import TensorMath

/// Builds operations by hand and runs them in a world of their own.
final class Bench {
  let world: TensorWorld
  private var nextStorage = 0

  init(
    _ precision: TensorWorld.Precision = .reference, seed: UInt64 = 7, poison: UInt8 = 0xFF,
    limit: Int = 1 << 30
  ) {
    world = TensorWorld(precision: precision, seed: seed, poison: poison, limitBytes: limit)
  }

  /// A new contiguous tensor without contents.
  func shape(_ sizes: [Int], _ element: ElementType = .fp32) -> TensorShape {
    defer { nextStorage += 1 }
    return TensorShape(element: element, shape: sizes, storage: nextStorage)
  }

  func tensor(_ values: [Double], _ sizes: [Int], _ element: ElementType = .fp32) throws
    -> TensorShape
  {
    let result = shape(sizes, element)
    try world.write(values, to: result)
    return result
  }

  /// Runs an operator with results of these shapes and gives the first one's elements.
  @discardableResult
  func run(
    _ name: String, _ arguments: [String: TraceValue], _ results: TensorShape...
  ) throws -> [Double] {
    try world.execute(
      TensorOperation(
        name: name, arguments: arguments, results: results, range: SourceRange(0, 0)))
    return try world.values(results[0])
  }
}

/// The identifier of the diagnostic that a body throws.
func refusal(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? Diagnostic)?.id
  }
}
