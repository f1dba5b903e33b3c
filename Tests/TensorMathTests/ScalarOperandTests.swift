import Diagnostics
import HostProgram
import TensorMath
import Testing

/// Operators that take numbers out of tensors of one element.
@Suite struct ScalarOperandTests {
  @Test func `A number in a tensor outlives its buffer`() throws {
    let world = TensorWorld(precision: .native, seed: 1)
    let one = TensorShape(element: .fp32, shape: [], storage: 1)
    let many = TensorShape(element: .fp32, shape: [3], storage: 2)
    try world.write([2.5], to: one)
    for _ in 0..<50 {
      try world.execute(
        TensorOperation(
          name: "tensor",
          arguments: ["data": .list([.tensor(one), .float(1), .tensor(one)])], results: [many],
          range: SourceRange(0, 0)))
      #expect(try world.values(many) == [2.5, 1, 2.5])
    }
  }
}
