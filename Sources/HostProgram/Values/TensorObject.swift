import TileIR

/// A tensor without contents: element type, shape, strides, storage.
final class TensorObject {
  var element: ElementType
  var dims: [SymInt]
  /// In elements; nil while the tensor is contiguous (row-major without gaps).
  private var explicitStrides: [SymInt]?
  var offset: Int
  var storage: Int
  var requiresGrad = false
  var isParameter = false
  /// The value of every element, where it is known to be one value (`torch.tensor(2.0)`).
  var fill: Value?
  /// The elements of a short vector of known numbers (`torch.tensor(x.shape)`).
  var contents: [Value]?
  /// The input whose rank this tensor has, where that rank is a guess.
  var rankSource: String?
  /// The input whose element type this tensor has, where that type is a guess.
  var elementSource: String?
  /// The parameter of `forward` that this tensor is.
  var inputName: String?
  var device = "cuda:0"
  var attributes: [String: Value] = [:]

  init(
    _ element: ElementType, _ dims: [SymInt], strides: [SymInt]? = nil, storage: Int,
    offset: Int = 0
  ) {
    self.element = element
    self.dims = dims
    self.explicitStrides = strides
    self.storage = storage
    self.offset = offset
    if let strides, Self.isContiguous(dims, strides) { explicitStrides = nil }
  }

  var rank: Int { dims.count }
  var sizes: [Int] { dims.map(\.value) }
  var count: Int { dims.reduce(1) { $0.multipliedSaturating(by: $1.value) } }
  var symbolicCount: SymInt { dims.reduce(SymInt(1)) { $0 * $1 } }
  var isContiguous: Bool { explicitStrides == nil }

  var strides: [SymInt] { explicitStrides ?? Self.contiguousStrides(dims) }

  /// Row-major strides with their formulas.
  static func contiguousStrides(_ dims: [SymInt]) -> [SymInt] {
    guard !dims.isEmpty else { return [] }
    var strides = Array(repeating: SymInt(1), count: dims.count)
    for axis in stride(from: dims.count - 2, through: 0, by: -1) {
      let size = dims[axis + 1].value == 0 ? SymInt(1) : dims[axis + 1]
      strides[axis] = strides[axis + 1] * size
    }
    return strides
  }

  /// Torch's rule: sizes of 1 do not matter, an empty tensor is contiguous.
  static func isContiguous(_ dims: [SymInt], _ strides: [SymInt]) -> Bool {
    if dims.contains(where: { $0.value == 0 }) { return true }
    var expected = 1
    for axis in stride(from: dims.count - 1, through: 0, by: -1) where dims[axis].value != 1 {
      if strides[axis].value != expected { return false }
      expected = expected.multipliedSaturating(by: dims[axis].value)
    }
    return true
  }

  /// Dense without overlap: some permutation of it is contiguous.
  var isDense: Bool {
    if isContiguous { return true }
    let order = strideOrder
    let all = strides
    var expected = 1
    for axis in order.reversed() where dims[axis].value != 1 {
      if all[axis].value != expected { return false }
      expected = expected.multipliedSaturating(by: dims[axis].value)
    }
    return true
  }

  /// The axes from the largest stride to the smallest; ties keep their order.
  var strideOrder: [Int] {
    let all = strides
    return dims.indices.sorted { left, right in
      let a = all[left].value
      let b = all[right].value
      return a != b ? a > b : left < right
    }
  }

  /// The strides a new tensor of this shape has when it keeps this tensor's layout.
  var preservedStrides: [SymInt]? {
    guard let explicitStrides else { return nil }
    if isDense { return explicitStrides }
    return Self.strides(dims, order: strideOrder)
  }

  /// Dense strides with the axes nested in `order`, outermost first.
  static func strides(_ dims: [SymInt], order: [Int]) -> [SymInt] {
    var result = Array(repeating: SymInt(1), count: dims.count)
    var next = SymInt(1)
    for axis in order.reversed() {
      result[axis] = next
      if dims[axis].value > 1 { next = next * dims[axis] }
    }
    return result
  }

  /// Channels-last strides: (N, spatial…, C) nested; nil for ranks that have none.
  static func channelsLastStrides(_ dims: [SymInt]) -> [SymInt]? {
    guard dims.count == 4 || dims.count == 5 else { return nil }
    return strides(dims, order: [0] + Array(2..<dims.count) + [1])
  }

  var publicShape: TensorShape {
    TensorShape(
      element: element, shape: sizes, strides: explicitStrides?.map(\.value), storage: storage,
      offset: offset)
  }

  /// Makes this object another tensor in place (`x.data = …`, `resize_`).
  func become(_ other: TensorObject) {
    element = other.element
    dims = other.dims
    explicitStrides = other.explicitStrides
    offset = other.offset
    storage = other.storage
    fill = other.fill
    contents = other.contents
  }
}

extension Int {
  func multipliedSaturating(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? ((self > 0) == (other > 0) ? Int.max : Int.min) : product
  }
}
