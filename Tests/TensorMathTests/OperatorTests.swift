import Diagnostics
import HostProgram
import Testing
import TileIR

@testable import TensorMath

/// Values worked out by hand.
struct OperatorTests {
  @Test func addsWithBroadcastingOverStrides() throws {
    let bench = Bench()
    let x = try bench.tensor([1, 2, 3, 4, 5, 6], [2, 3])
    var turned = x  // its transpose
    (turned.shape, turned.strides) = ([3, 2], [1, 3])
    let row = try bench.tensor([10, 20], [2])
    let sum = try bench.run(
      "add", ["input": .tensor(turned), "other": .tensor(row)], bench.shape([3, 2]))
    #expect(sum == [11, 24, 12, 25, 13, 26])
  }

  @Test func writesInPlaceThroughAView() throws {
    let bench = Bench()
    let x = try bench.tensor([1, 2, 3, 4], [2, 2])
    var column = x
    (column.shape, column.strides, column.offset) = ([2], [2], 1)
    try bench.run("mul", ["input": .tensor(column), "other": .int(10)], column)
    #expect(try bench.world.values(x) == [1, 20, 3, 40])
  }

  @Test func multipliesMatrices() throws {
    let bench = Bench()
    let a = try bench.tensor([1, 2, 3, 4, 5, 6], [2, 3])
    let b = try bench.tensor([1, 0, 0, 1, 1, 1], [3, 2])
    let product = try bench.run(
      "matmul", ["input": .tensor(a), "other": .tensor(b)], bench.shape([2, 2]))
    #expect(product == [4, 5, 10, 11])
  }

  @Test func convolves() throws {
    let bench = Bench()
    let x = try bench.tensor((1...9).map(Double.init), [1, 1, 3, 3])
    let w = try bench.tensor([1, 0, 0, -1], [1, 1, 2, 2])
    let bias = try bench.tensor([100], [1])
    let out = try bench.run(
      "conv2d",
      ["input": .tensor(x), "weight": .tensor(w), "bias": .tensor(bias), "padding": .int(0)],
      bench.shape([1, 1, 2, 2]))
    #expect(out == [96, 96, 96, 96])
  }

  @Test func roundsOnceToTheResultsType() throws {
    let bench = Bench(.native)
    let x = try bench.tensor([1, 2049], [2], .fp16)
    #expect(try bench.world.values(x) == [1, 2048])
    let sum = try bench.run(
      "add", ["input": .tensor(x), "other": .float(0.1)], bench.shape([2], .bf16))
    #expect(sum == [1.1015625, 2048])
  }

  @Test func drawsTheSameNumbersInBothPrecisions() throws {
    var drawn: [[Double]] = []
    for precision in [TensorWorld.Precision.native, .reference] {
      let bench = Bench(precision)
      try bench.run("rand", [:], bench.shape([3]))
      drawn.append(try bench.run("randn", [:], bench.shape([64], .bf16)))
    }
    #expect(drawn[0] == drawn[1])
    #expect(Set(drawn[0]).count > 50)
  }

  @Test func fillsEmptyTensorsWithPoison() throws {
    let bench = Bench(.native)
    let x = bench.shape([4])
    #expect(try bench.run("empty", [:], x).allSatisfy { $0.isNaN })
    #expect(bench.world.storages[x.storage]?.isInitialized == false)
    try bench.run("zero", ["input": .tensor(x)], x)
    #expect(bench.world.storages[x.storage]?.isInitialized == true)
  }

  @Test func refusesWhatIsMissing() throws {
    let bench = Bench()
    let x = try bench.tensor([1], [1])
    #expect(
      refusal { try bench.run("no_such_operator", ["input": .tensor(x)], x) }
        == "unsupported-torch-operator")
  }

  @Test func refusesViewsOutsideTheStorage() throws {
    let bench = Bench()
    let x = try bench.tensor([1, 2], [2])
    var wide = x
    wide.shape = [3]
    #expect(
      refusal { try bench.run("neg", ["input": .tensor(wide)], bench.shape([3])) }
        == "tensor-outside-storage")
    wide.strides = [Int.max]
    #expect(
      refusal { try bench.run("neg", ["input": .tensor(wide)], bench.shape([3])) }
        == "out-of-memory")
  }

  @Test func handsLaunchesToTheCaller() throws {
    let bench = Bench()
    var seen: [Int] = []
    try bench.world.run([.launch(3), .launch(5)]) { (index) throws(Diagnostic) in seen.append(index)
    }
    #expect(seen == [3, 5])
    #expect(refusal { try bench.world.run([.launch(0)]) } == "launch-without-machine")
  }
}
