import DeviceModel
import Diagnostics
import HostProgram
import PythonSyntax

/// The least time that a forward can take on a GPU, whatever computes it: its inputs come from DRAM
/// (the cache was emptied), and what it returns goes there but for what the cache can hold.
public struct RooflineFloor: Sendable, Hashable {
  public var inputBytes: Int
  public var outputBytes: Int

  public init(inputBytes: Int, outputBytes: Int) {
    self.inputBytes = inputBytes
    self.outputBytes = outputBytes
  }

  /// From the host program's run of the original.
  ///
  /// - Throws: a `Diagnostic` where it cannot be evaluated.
  public init(original: ModuleTree, problem: ModuleTree?) throws(Diagnostic) {
    self.init(try HostProgram(module: original, problem: problem).run(.fromProblem))
  }

  /// From a run of the original with the inputs that it is timed with.
  public init(_ run: HostRun) {
    func bytes(_ shapes: [TensorShape]) -> Int {
      // What several tensors share counts once.
      var seen = Set<Int>()
      var sum = 0
      for shape in shapes where shape.storage < 0 || seen.insert(shape.storage).inserted {
        var size = shape.element.bytes
        for axis in shape.shape { size = size.multipliedReportingOverflow(by: axis).partialValue }
        sum = sum.addingReportingOverflow(max(0, size)).partialValue
      }
      return max(0, sum)
    }
    self.init(
      inputBytes: bytes(run.inputs.map(\.shape)), outputBytes: bytes(run.outputs))
  }

  /// The share of the published bandwidth that the floor assumes to be the most there is: a tenth is
  /// left for figures that vendors round, and for inputs that need not be read to the last byte.
  static let caution = 0.9

  public func seconds(on gpu: GPU) -> Double {
    let written = max(0, outputBytes - gpu.l2Bytes)
    let bytes = Double(inputBytes) + Double(written)
    return Self.caution * gpu.roofline.floorSeconds(dramBytes: bytes)
  }
}
