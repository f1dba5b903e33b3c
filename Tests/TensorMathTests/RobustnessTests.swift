import Diagnostics
import Foundation
import HostProgram
import Testing
import TileIR

@testable import TensorMath

/// Operators on arguments that no trace should hold: each ends in a result or a diagnostic.
struct RobustnessTests {
  /// A generator with a fixed course (SplitMix64).
  struct Course: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  /// Changes per case; HONE_FUZZ_ROUNDS for longer runs.
  static let rounds =
    ProcessInfo.processInfo.environment["HONE_FUZZ_ROUNDS"].flatMap(Int.init) ?? 4

  @Test(arguments: GoldenTests.families) func survivesChangedArguments(_ family: String) throws {
    var course = Course(state: UInt64(family.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
    var outcomes: [String: Int] = [:]
    for golden in try GoldenTests.load(family) {
      for _ in 0..<Self.rounds {
        let bench = Bench(Bool.random(using: &course) ? .native : .reference, limit: 1 << 26)
        guard var operation = try? golden.operation(on: bench) else { continue }
        for _ in 0..<Int.random(in: 1...2, using: &course) { mutate(&operation, &course) }
        do {
          try bench.world.execute(operation)
          outcomes["ran", default: 0] += 1
        } catch {
          #expect(error.range != nil)
          outcomes[error.id, default: 0] += 1
        }
      }
    }
    // Most changes are noticed, some leave a legal operation.
    #expect(outcomes.values.reduce(0, +) > 0)
  }

  private func mutate(_ operation: inout TensorOperation, _ course: inout Course) {
    let keys = operation.arguments.keys.sorted()
    switch Int.random(in: 0..<6, using: &course) {
    case 0:
      if let key = keys.randomElement(using: &course) { operation.arguments[key] = nil }
    case 1:
      if operation.results.isEmpty || Bool.random(using: &course) {
        operation.results = []
      } else {
        mutate(&operation.results[0], &course)
      }
    default:
      guard let key = keys.randomElement(using: &course), let value = operation.arguments[key]
      else { return }
      operation.arguments[key] = mutated(value, &course, 0)
    }
  }

  private func mutated(_ value: TraceValue, _ course: inout Course, _ depth: Int) -> TraceValue {
    let numbers: [TraceValue] = [
      .int(0), .int(-1), .int(1), .int(7), .int(.max), .int(.min), .int(1 << 33), .float(.nan),
      .float(-1e300), .float(.infinity), .bool(true), .none, .string("sum"), .list([]),
      .list([.int(3), .int(-2)]), .list([.list([.int(1)])]), .dtype(.fp16),
    ]
    switch value {
    case .tensor(var shape) where Int.random(in: 0..<5, using: &course) > 0:
      mutate(&shape, &course)
      return .tensor(shape)
    case .list(var items) where !items.isEmpty && depth < 4 && Bool.random(using: &course):
      let index = Int.random(in: 0..<items.count, using: &course)
      items[index] = mutated(items[index], &course, depth + 1)
      return .list(items)
    default: return numbers.randomElement(using: &course) ?? .none
    }
  }

  /// Changes that keep a view inside its storage now and then, and others.
  private func mutate(_ shape: inout TensorShape, _ course: inout Course) {
    let axis = shape.shape.indices.randomElement(using: &course)
    switch Int.random(in: 0..<8, using: &course) {
    case 0:
      if let axis { shape.shape[axis] = [0, 1, -1, 1 << 40].randomElement(using: &course) ?? 0 }
    case 1:
      if let axis {
        shape.shape.remove(at: axis)
        shape.strides.remove(at: axis)
      }
    case 2:
      shape.shape.append(1)
      shape.strides.append(1)
    case 3: if let axis { shape.strides[axis] = [0, -1, .max].randomElement(using: &course) ?? 0 }
    case 4: shape.offset = [1, -1, .max].randomElement(using: &course) ?? 0
    case 5: shape.element = ElementType.scalars.randomElement(using: &course) ?? .fp32
    case 6: if let axis, shape.shape[axis] > 1 { shape.shape[axis] -= 1 }
    default:
      shape.shape = []
      shape.strides = []
    }
  }

  @Test func boundsTheNestingOfArguments() {
    var nested = TraceValue.list([])
    for _ in 0..<10_000 { nested = .list([nested]) }
    let bench = Bench()
    #expect(
      refusal { try bench.run("tensor", ["data": nested], bench.shape([1])) }
        == "torch-operator-fault")
  }
}
