/// Row-major order over a shape: the last axis runs fastest.
public enum RowMajor {
  /// In elements; `[12, 4, 1]` for `[2, 3, 4]`.
  public static func strides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  /// The coordinates of element number `position`, one per axis; 0 along axes of size 0.
  public static func coordinates(of position: Int, in shape: [Int]) -> [Int] {
    var rest = position
    var result = Array(repeating: 0, count: shape.count)
    for axis in shape.indices.reversed() where shape[axis] > 0 {
      result[axis] = rest % shape[axis]
      rest /= shape[axis]
    }
    return result
  }
}
