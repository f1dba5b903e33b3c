import TileIR

/// The integers of a tile for one program: index arithmetic carried out, floats left unknown.
///
/// Axes along which all elements are equal are stored once, so `[:, None]` tiles stay small.
struct ConcreteTile: Sendable {
  /// Extents as stored: 1 or the tile's own, per axis.
  var extents: [Int]
  /// Row-major over `extents`; byte offsets for pointers.
  var data: [Int]
  /// The parameter (by position in the function) a pointer comes from.
  var base: Int?

  static func scalar(_ value: Int, rank: Int = 0, base: Int? = nil) -> ConcreteTile {
    ConcreteTile(extents: Array(repeating: 1, count: rank), data: [value], base: base)
  }

  var scalar: Int? { data.count == 1 ? data[0] : nil }

  /// The element at a full index.
  func element(_ index: [Int]) -> Int {
    var offset = 0
    for (axis, extent) in extents.enumerated() {
      offset = offset * extent + (extent == 1 ? 0 : index[axis])
    }
    return data[offset]
  }

  func map(_ transform: (Int) -> Int) -> ConcreteTile {
    ConcreteTile(extents: extents, data: data.map(transform), base: base)
  }

  /// Elementwise over two tiles of one rank (or scalars); nil if the extents do not agree.
  static func combine(
    _ a: ConcreteTile, _ b: ConcreteTile, _ apply: (Int, Int) -> Int?
  ) -> ConcreteTile? {
    if a.extents == b.extents {
      var data: [Int] = []
      data.reserveCapacity(a.data.count)
      for index in a.data.indices {
        guard let value = apply(a.data[index], b.data[index]) else { return nil }
        data.append(value)
      }
      return ConcreteTile(extents: a.extents, data: data, base: a.base ?? b.base)
    }
    guard let extents = agreed(a.extents, b.extents) else { return nil }
    let left = a.expanded(extents)
    let right = b.expanded(extents)
    var data: [Int] = []
    data.reserveCapacity(left.count)
    for index in left.indices {
      guard let value = apply(left[index], right[index]) else { return nil }
      data.append(value)
    }
    return ConcreteTile(extents: extents, data: data, base: a.base ?? b.base)
  }

  static func agreed(_ a: [Int], _ b: [Int]) -> [Int]? {
    if a.isEmpty { return b }
    if b.isEmpty { return a }
    guard a.count == b.count else { return nil }
    var result: [Int] = []
    for (x, y) in zip(a, b) {
      guard x == y || x == 1 || y == 1 else { return nil }
      result.append(max(x, y))
    }
    return result
  }

  /// The elements, repeated to `target` (which agrees with `extents`).
  func expanded(_ target: [Int]) -> [Int] {
    if extents == target { return data }
    let count = target.reduce(1, *)
    if data.count == 1 { return Array(repeating: data[0], count: count) }
    var strides = Array(repeating: 0, count: target.count)
    var step = 1
    for axis in stride(from: extents.count - 1, through: 0, by: -1) {
      strides[axis] = extents[axis] == 1 ? 0 : step
      step *= extents[axis]
    }
    // Row by row: the last axis is copied or repeated as a whole, the others are counted through.
    guard let columns = target.last, columns > 0 else { return count > 0 ? data : [] }
    let isRowStored = extents.last == columns
    var result: [Int] = []
    result.reserveCapacity(count)
    var index = Array(repeating: 0, count: target.count)
    var offset = 0
    for _ in 0..<count / columns {
      if isRowStored {
        result.append(contentsOf: data[offset..<offset + columns])
      } else {
        result.append(contentsOf: repeatElement(data[offset], count: columns))
      }
      var axis = target.count - 2
      while axis >= 0 {
        index[axis] += 1
        offset += strides[axis]
        if index[axis] < target[axis] { break }
        offset -= strides[axis] * target[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  /// How many different slices the tile has along an axis.
  func distinctSlices(along axis: Int) -> Int {
    guard extents.indices.contains(axis), extents[axis] > 1 else { return 1 }
    let inner = extents[(axis + 1)...].reduce(1, *)
    let outer = extents[..<axis].reduce(1, *)
    var slices: Set<[Int]> = []
    for place in 0..<extents[axis] {
      var slice: [Int] = []
      for o in 0..<outer {
        let start = (o * extents[axis] + place) * inner
        slice += data[start..<start + inner]
      }
      slices.insert(slice)
    }
    return slices.count
  }

  /// Axes in the order given: result axis i is source axis `order[i]`.
  func transposed(_ order: [Int]) -> ConcreteTile? {
    guard order.count == extents.count, Set(order) == Set(0..<extents.count) else { return nil }
    let target = order.map { extents[$0] }
    var strides = Array(repeating: 1, count: extents.count)
    for axis in stride(from: extents.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * extents[axis + 1]
    }
    let steps = order.map { strides[$0] }
    var result: [Int] = []
    result.reserveCapacity(data.count)
    var index = Array(repeating: 0, count: target.count)
    for _ in 0..<data.count {
      result.append(data[zip(index, steps).reduce(0) { $0 + $1.0 * $1.1 }])
      for axis in stride(from: target.count - 1, through: 0, by: -1) {
        index[axis] += 1
        if index[axis] < target[axis] { break }
        index[axis] = 0
      }
    }
    return ConcreteTile(extents: target, data: result, base: base)
  }
}

/// A block pointer or descriptor for one program.
struct ConcreteBlock: Sendable {
  var base: Int?
  /// Bytes from the parameter.
  var start: Int
  var shape: [Int]
  var strides: [Int]
  var offsets: [Int]
}

/// What the sampler knows of a value.
enum ConcreteValue: Sendable {
  case unknown
  case tile(ConcreteTile)
  case block(ConcreteBlock)

  var tile: ConcreteTile? { if case .tile(let tile) = self { tile } else { nil } }
  var scalar: Int? { tile?.scalar }
}
