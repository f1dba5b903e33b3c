import Diagnostics
import HostProgram

/// A tensor with the axes an operator works along moved last: `rows` runs of `width` numbers.
struct Rows<Element: Number> {
  let numbers: Buffer<Element>
  let rows: Int
  let width: Int

  @inline(__always)
  subscript(row: Int) -> UnsafeMutablePointer<Element> { numbers.base + row &* width }
}

extension OperatorCall {
  /// All axes, `axes` last.
  static func order(_ rank: Int, last axes: [Int]) -> [Int] {
    (0..<rank).filter { !axes.contains($0) } + axes
  }

  func realRows(_ tensor: TensorShape, along axes: [Int]) throws -> Rows<Double> {
    let numbers = try reals(tensor.permuted(Self.order(tensor.rank, last: axes)))
    let width = axes.reduce(1) { $0 &* tensor.shape[$1] }
    let kept = (0..<tensor.rank).filter { !axes.contains($0) }
    return Rows(
      numbers: numbers, rows: kept.reduce(1) { $0 &* tensor.shape[$1] }, width: width)
  }

  func integerRows(_ tensor: TensorShape, along axes: [Int]) throws -> Rows<Int64> {
    let numbers = try integers(tensor.permuted(Self.order(tensor.rank, last: axes)))
    let width = axes.reduce(1) { $0 &* tensor.shape[$1] }
    let kept = (0..<tensor.rank).filter { !axes.contains($0) }
    return Rows(
      numbers: numbers, rows: kept.reduce(1) { $0 &* tensor.shape[$1] }, width: width)
  }

  /// Writes numbers laid out like ``realRows(_:along:)`` into a result.
  func store<Element: Number>(
    _ numbers: Buffer<Element>, rowsAlong axes: [Int], _ index: Int = 0
  ) throws {
    let result = try result(index)
    guard axes.allSatisfy({ $0 < result.rank }) else {
      throw fault("the trace's result shape does not fit")
    }
    let target = result.permuted(Self.order(result.rank, last: axes))
    if let reals = numbers as? Reals {
      try world.store(reals, to: target)
    } else if let integers = numbers as? Integers {
      try world.store(integers, to: target)
    }
  }

  /// The operand's axis under `dim`.
  func axis(of tensor: TensorShape, default fallback: Int? = nil) throws -> Int {
    guard let given = try optionalInt("dim", "axis") ?? fallback else {
      throw fault("argument 'dim' is missing")
    }
    return try axis(given, rank: tensor.rank)
  }

  /// The same with a tensor without axes seen as one of one element.
  func lined(_ tensor: TensorShape) -> TensorShape {
    guard tensor.rank == 0 else { return tensor }
    var line = tensor
    line.shape = [1]
    line.strides = [1]
    return line
  }
}
