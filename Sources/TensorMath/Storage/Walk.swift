/// A strided view reduced to as few axes as possible, in elements.
struct Walk {
  private(set) var sizes: [Int]
  private(set) var strides: [Int]
  var offset: Int
  let count: Int

  /// The view's shape with its strides; adjacent axes that nest without gaps become one.
  init(shape: [Int], strides: [Int], offset: Int) {
    var sizes: [Int] = []
    var steps: [Int] = []
    for (size, step) in zip(shape, strides) where size != 1 {
      if let last = sizes.last, let lastStep = steps.last, lastStep == step &* size {
        sizes[sizes.count - 1] = last &* size
        steps[steps.count - 1] = step
      } else {
        sizes.append(size)
        steps.append(step)
      }
    }
    self.sizes = sizes
    self.strides = steps
    self.offset = offset
    count = shape.reduce(1, &*)
  }

  /// True where the elements stand side by side in row-major order.
  var isContiguous: Bool { sizes.isEmpty || (sizes.count == 1 && strides[0] == 1) }

  /// Calls `body` with each row's first element, counted from the storage's start, and the number
  /// of elements before it; a row has `rowSize` elements `rowStride` apart.
  @inline(__always)
  func forEachRow(_ body: (_ start: Int, _ position: Int) -> Void) {
    guard count > 0 else { return }
    guard sizes.count > 1 else {
      body(offset, 0)
      return
    }
    let outer = sizes.count - 1
    let row = sizes[outer]
    var index = Array(repeating: 0, count: outer)
    var start = offset
    var position = 0
    while true {
      body(start, position)
      position &+= row
      var axis = outer - 1
      while axis >= 0 {
        index[axis] &+= 1
        start &+= strides[axis]
        if index[axis] < sizes[axis] { break }
        start &-= strides[axis] &* sizes[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }

  var rowSize: Int { sizes.last ?? 1 }
  var rowStride: Int { strides.last ?? 1 }
}
