import Diagnostics
import HostProgram
import TileIR

/// `x[i, :, j]` with index tensors, lists and masks, and assignment to it.
///
/// The trace gives a view after all basic indexing, and one entry per axis of it: `None`, an index
/// tensor, a list, or a mask, which takes as many axes as it has.
enum AdvancedIndexing {
  /// Where each element of the result lies in the view, row-major.
  private struct Selection {
    var shape: [Int]
    var places: [Int]
  }

  static func read(_ call: OperatorCall) throws {
    let input = try call.input
    let selection = try select(call, input)
    guard selection.places.count == (try call.result.count) else {
      throw call.refusal("a mask picks another number of elements than the trace assumes")
    }
    if input.element.isFloat {
      let numbers = try call.reals(input)
      let out = try Reals(selection.places.count)
      for (position, place) in selection.places.enumerated() {
        out.base[position] = numbers.base[place]
      }
      try call.store(out)
    } else {
      let numbers = try call.integers(input)
      let out = try Integers(selection.places.count)
      for (position, place) in selection.places.enumerated() {
        out.base[position] = numbers.base[place]
      }
      try call.store(out)
    }
  }

  /// Repeated places keep the last value, or the sum with `accumulate`.
  static func write(_ call: OperatorCall) throws {
    let input = try call.input
    let selection = try select(call, input)
    guard let value = call.argument("values", "value") else {
      throw call.fault("argument 'values' is missing")
    }
    let values = try call.realLane(value, selection.shape)
    let out = try call.reals(input).owned()
    let accumulates = call.bool("accumulate", default: false)
    for (position, place) in selection.places.enumerated() {
      let number = values.base[position &* values.step]
      out.base[place] = accumulates ? out.base[place] + number : number
    }
    try call.store(out)
  }

  private static func select(_ call: OperatorCall, _ input: TensorShape) throws
    -> Selection
  {
    guard case .list(let entries)? = call.argument("indices") else {
      throw call.fault("argument 'indices' is missing")
    }
    let strides = TensorShape.contiguousStrides(input.shape)
    var indexed: [(axis: Int, shape: [Int], places: [Int])] = []
    var axis = 0
    for entry in entries {
      switch entry {
      case .none: axis += 1
      case .tensor(let mask) where mask.element == .int1:
        guard axis + mask.rank <= input.rank,
          mask.shape == Array(input.shape[axis..<(axis + mask.rank)])
        else { throw call.fault("a mask's shape does not fit") }
        let flags = try call.integers(mask)
        let chosen = (0..<flags.count).filter { flags.base[$0] != 0 }
        // A mask over several axes is one index per axis.
        var rest = chosen
        var parts: [(Int, [Int])] = []
        for own in (0..<mask.rank).reversed() {
          let size = max(1, mask.shape[own])
          parts.append((axis + own, rest.map { $0 % size }))
          rest = rest.map { $0 / size }
        }
        for (own, places) in parts.reversed() { indexed.append((own, [chosen.count], places)) }
        axis += mask.rank
      case .tensor(let index):
        guard axis < input.rank else { throw call.fault("there are too many indices") }
        let places = try IndexingOperators.checked(call, call.integers(index), input.shape[axis])
        indexed.append((axis, index.shape, places))
        axis += 1
      case .list(let items):
        guard axis < input.rank else { throw call.fault("there are too many indices") }
        let index = try Integers(items.count)
        for (position, item) in items.enumerated() {
          index.base[position] = Int64(try call.int(item, "index"))
        }
        indexed.append(
          (
            axis, [items.count],
            try IndexingOperators.checked(call, index, input.shape[axis])
          ))
        axis += 1
      default: throw call.refusal("this index is not supported")
      }
    }
    guard let first = indexed.first, let common = broadcastShape(indexed.map(\.shape)) else {
      throw call.fault("the indices do not broadcast")
    }
    let taken = Set(indexed.map(\.axis))
    let kept = (0..<input.rank).filter { !taken.contains($0) }
    var total = 1
    for size in common + kept.map({ input.shape[$0] }) {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard !overflow, product < 1 << 31 else {
        throw call.fault("the indices name too many elements")
      }
      total = product
    }
    // The offset of each element of the broadcast indices.
    let count = common.reduce(1, &*)
    var bases = Array(repeating: 0, count: count)
    for (axis, shape, places) in indexed {
      let view = TensorShape(element: .int64, shape: shape).broadcast(to: common)
      guard let view else { throw call.fault("the indices do not broadcast") }
      var position = 0
      Walk(shape: common, strides: view.strides, offset: 0).forEachElement { place in
        bases[position] &+= places[place] &* strides[axis]
        position &+= 1
      }
    }
    let isTogether = Swift.zip(indexed, indexed.dropFirst()).allSatisfy { $0.axis + 1 == $1.axis }
    let front = isTogether ? kept.filter { $0 < first.axis } : []
    let back = kept.filter { !front.contains($0) }
    func offsets(_ axes: [Int]) -> [Int] {
      var result: [Int] = []
      Walk(shape: axes.map { input.shape[$0] }, strides: axes.map { strides[$0] }, offset: 0)
        .forEachElement { result.append($0) }
      return result
    }
    let (outer, inner) = (offsets(front), offsets(back))
    var places: [Int] = []
    places.reserveCapacity(outer.count &* count &* inner.count)
    for a in outer { for b in bases { for c in inner { places.append(a &+ b &+ c) } } }
    return Selection(
      shape: front.map { input.shape[$0] } + common + back.map { input.shape[$0] }, places: places)
  }
}

extension Walk {
  /// Each element's place from the storage's start, in row-major order.
  func forEachElement(_ body: (Int) -> Void) {
    let (size, step) = (rowSize, rowStride)
    forEachRow { start, _ in
      for index in 0..<size { body(start &+ index &* step) }
    }
  }
}
