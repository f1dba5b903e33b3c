import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Joining, repeating, turning and padding: elements move, none is computed.
enum JoiningOperators {
  static let table: [String: OperatorCall.Body] = {
    var table = repeating.merging(shuffles) { $1 }
    for name in ["cat", "concat", "concatenate"] { table[name] = concatenate }
    table["stack"] = { call in
      let parts = try call.tensors("tensors", "rest")
      let result = try call.result
      let axis = try call.axis(call.int("dim", default: 0), rank: result.rank)
      guard result.rank > 0, parts.count == result.shape[axis] else {
        throw call.fault("the trace's result shape does not fit")
      }
      for (index, part) in parts.enumerated() {
        var slice = result
        slice.shape.remove(at: axis)
        slice.offset &+= index &* slice.strides.remove(at: axis)
        try move(call, part, to: slice)
      }
    }
    for (name, first) in [("hstack", 1), ("vstack", 0), ("dstack", 2), ("row_stack", 0)] {
      table[name] = { call in
        let parts = try call.tensors("tensors", "rest")
        let result = try call.result
        try join(call, parts, result, min(first, result.rank - 1))
      }
    }
    table["column_stack"] = { call in
      try join(call, try call.tensors("tensors", "rest"), try call.result, 1)
    }
    return table
  }()

  /// Copies the elements of one view into another of as many, in row-major order.
  static func move(_ call: OperatorCall, _ source: TensorShape, to target: TensorShape)
    throws
  {
    if source.element.isFloat || target.element.isFloat {
      try call.world.store(call.reals(source), to: target)
    } else {
      try call.world.store(call.integers(source), to: target)
    }
  }

  private static let concatenate: OperatorCall.Body = { call in
    let parts = try call.tensors("tensors", "rest").filter { !($0.rank == 1 && $0.shape[0] == 0) }
    let result = try call.result
    if parts.isEmpty { return }
    try join(call, parts, result, try call.axis(call.int("dim", default: 0), rank: result.rank))
  }

  private static func join(
    _ call: OperatorCall, _ parts: [TensorShape], _ result: TensorShape, _ axis: Int
  ) throws {
    guard axis >= 0, axis < result.rank else { throw call.fault("operands need a dimension") }
    let rest = result.count / max(1, result.shape[axis])
    var start = 0
    for part in parts {
      var slice = result
      // 0-d and 1-d operands of `hstack` and its kin count by their elements.
      slice.shape[axis] =
        part.rank == result.rank ? part.shape[axis] : rest == 0 ? 0 : part.count / rest
      slice.offset &+= start &* result.strides[axis]
      start += slice.shape[axis]
      guard start <= result.shape[axis] else {
        throw call.fault("the trace's result shape does not fit")
      }
      try move(call, part, to: slice)
    }
  }

  private static let repeating: [String: OperatorCall.Body] = [
    "repeat": { call in try tile(call, try call.optionalInts("sizes", "repeats", "rest") ?? []) },
    "tile": { call in try tile(call, try call.optionalInts("dims", "rest") ?? []) },
    "repeat_interleave": { call in
      var input = try call.input
      let result = try call.result
      let dim = try call.optionalInt("dim", "axis")
      if dim == nil || input.rank == 0 {
        // Flattened first; a view of a tensor with gaps has no such form, so through numbers.
        let numbers = try call.reals(input)
        let times = try counts(call, numbers.count)
        let out = try Reals(result.count)
        var place = 0
        for index in 0..<numbers.count {
          for _ in 0..<times[index] {
            guard place < out.count else { throw call.fault("the result's size does not fit") }
            out.base[place] = numbers.base[index]
            place += 1
          }
        }
        return try call.store(out)
      }
      let axis = try call.axis(dim ?? 0, rank: input.rank)
      guard result.rank == input.rank else {
        throw call.fault("the trace's result shape does not fit")
      }
      let times = try counts(call, input.shape[axis])
      var target = result
      input.shape[axis] = 1
      let offset = input.offset
      var place = 0
      for (index, count) in times.enumerated() where count > 0 {
        guard place + count <= result.shape[axis] else {
          throw call.fault("the result's size does not fit")
        }
        input.offset = offset &+ index &* input.strides[axis]
        target.shape[axis] = count
        target.offset = result.offset &+ place &* result.strides[axis]
        guard let spread = input.broadcast(to: target.shape) else {
          throw call.fault("the trace's result shape does not fit")
        }
        try move(call, spread, to: target)
        place += count
      }
    },
    "flip": { call in
      try mirror(call, try call.axes(["dims", "dim", "rest"], rank: call.input.rank))
    },
    "fliplr": { call in try mirror(call, [1]) },
    "flipud": { call in try mirror(call, [0]) },
    "roll": { call in
      let input = try call.input
      let shifts = try call.optionalInts("shifts") ?? []
      guard let dims = try call.optionalInts("dims"), !dims.isEmpty else {
        guard shifts.count == 1 else { throw call.fault("'shifts' does not fit") }
        let numbers = try call.reals(input)
        let out = try Reals(numbers.count)
        for index in 0..<numbers.count {
          let target = Functions.remainder(Int64(index &+ shifts[0]), Int64(numbers.count))
          out.base[Int(target)] = numbers.base[index]
        }
        return try call.store(out)
      }
      guard shifts.count == dims.count else { throw call.fault("'shifts' does not fit") }
      var shift = Array(repeating: 0, count: input.rank)
      for (dim, value) in Swift.zip(dims, shifts) {
        shift[try call.axis(dim, rank: input.rank)] &+= value
      }
      try relocate(call, input, input.shape) { axis, index in
        let size = Int64(input.shape[axis])
        return Int(Functions.remainder(Int64(index &- shift[axis]), size))
      }
    },
    "pad": pad,
  ]

  private static func counts(_ call: OperatorCall, _ size: Int) throws -> [Int] {
    if let tensor = call.optionalTensor("repeats"), tensor.count != 1 {
      let numbers = try call.integers(tensor)
      guard numbers.count == size else { throw call.fault("'repeats' does not fit") }
      return numbers.array.map { max(0, Int($0)) }
    }
    let count = try call.int("repeats", default: 1)
    guard count >= 0, count < 1 << 40 else { throw call.fault("'repeats' must not be negative") }
    return Array(repeating: count, count: size)
  }

  /// The operand side by side in every direction.
  private static func tile(_ call: OperatorCall, _ times: [Int]) throws {
    let (input, result) = (try call.input, try call.result)
    guard times.allSatisfy({ $0 >= 0 }) else { throw call.fault("a repetition is negative") }
    let lead = result.rank - input.rank
    guard lead >= 0 else { throw call.fault("the trace's result shape does not fit") }
    // Each axis splits into (repetition, place): one strided copy.
    var source = input
    var target = result
    (source.shape, source.strides, target.shape, target.strides) = ([], [], [], [])
    for axis in 0..<result.rank {
      let size = axis < lead ? 1 : input.shape[axis - lead]
      let stride = axis < lead ? 0 : input.strides[axis - lead]
      let count = size == 0 ? 0 : result.shape[axis] / size
      guard count &* size == result.shape[axis] else {
        throw call.fault("the trace's result shape does not fit")
      }
      source.shape += [count, size]
      source.strides += [0, stride]
      target.shape += [count, size]
      target.strides += [size &* result.strides[axis], result.strides[axis]]
    }
    try move(call, source, to: target)
  }

  private static func mirror(_ call: OperatorCall, _ axes: [Int]) throws {
    let input = try call.input
    guard axes.allSatisfy({ $0 < input.rank }) else { throw call.fault("a dimension is missing") }
    try relocate(call, input, input.shape) { axis, index in
      axes.contains(axis) ? input.shape[axis] - 1 - index : index
    }
  }

  /// `result[i, j, …] = input[f(0, i), f(1, j), …]`; a negative source index gives `fill`.
  static func relocate(
    _ call: OperatorCall, _ input: TensorShape, _ shape: [Int], fill: Double = 0,
    _ source: (_ axis: Int, _ index: Int) -> Int
  ) throws {
    let result = try call.result
    guard result.shape == shape, shape.count == input.rank else {
      throw call.fault("the trace's result shape does not fit")
    }
    let strides = TensorShape.contiguousStrides(input.shape)
    var offsets: [[Int]] = []
    for axis in shape.indices {
      offsets.append(
        (0..<shape[axis]).map { index in
          let place = source(axis, index)
          return place < 0 || place >= input.shape[axis] ? Int.min / 64 : place &* strides[axis]
        })
    }
    if input.element.isFloat {
      let numbers = try call.reals(input)
      try call.store(try pick(numbers, offsets, fill))
    } else {
      let numbers = try call.integers(input)
      try call.store(try pick(numbers, offsets, truncated(fill)))
    }
  }

  private static func pick<Element: Number>(
    _ numbers: Buffer<Element>, _ offsets: [[Int]], _ fill: Element
  ) throws -> Buffer<Element> {
    let count = offsets.reduce(1) { $0 &* $1.count }
    let out = try Buffer<Element>(count)
    guard count > 0 else { return out }
    guard let last = offsets.last else {
      out.base[0] = numbers.base[0]
      return out
    }
    let outer = offsets.count - 1
    var index = Array(repeating: 0, count: outer)
    var place = 0
    while true {
      var start = 0
      for axis in 0..<outer { start &+= offsets[axis][index[axis]] }
      for step in last {
        let position = start &+ step
        out.base[place] = position < 0 ? fill : numbers.base[position]
        place &+= 1
      }
      var axis = outer - 1
      while axis >= 0 {
        index[axis] &+= 1
        if index[axis] < offsets[axis].count { break }
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return out }
    }
  }

  private static let pad: OperatorCall.Body = { call in
    let (input, result) = (try call.input, try call.result)
    let pads = try call.optionalInts("pad", "padding") ?? []
    guard pads.count % 2 == 0, pads.count / 2 <= input.rank else {
      throw call.fault("'pad' does not fit")
    }
    var before = Array(repeating: 0, count: input.rank)
    for pair in 0..<(pads.count / 2) { before[input.rank - 1 - pair] = pads[2 * pair] }
    let sizes = input.shape
    switch call.string("mode") ?? "constant" {
    case "constant":
      let fill = try call.number("value", default: 0)
      try relocate(call, input, result.shape, fill: fill) { axis, index in index &- before[axis] }
    case "replicate":
      try relocate(call, input, result.shape) { axis, index in
        min(max(index &- before[axis], 0), sizes[axis] - 1)
      }
    case "reflect":
      try relocate(call, input, result.shape) { axis, index in
        let place = index &- before[axis]
        let size = sizes[axis]
        return place < 0 ? 0 &- place : place >= size ? 2 &* size &- 2 &- place : place
      }
    case "circular":
      try relocate(call, input, result.shape) { axis, index in
        Int(Functions.remainder(Int64(index &- before[axis]), Int64(sizes[axis])))
      }
    default: throw call.fault("an unknown padding mode")
    }
  }

  private static let shuffles: [String: OperatorCall.Body] = [
    "pixel_shuffle": { call in
      let input = try call.input
      let r = try call.int("upscale_factor", default: 1)
      guard input.rank >= 3, r > 0, r < 1 << 15, input.shape[input.rank - 3] % (r * r) == 0 else {
        throw call.fault("the channels do not divide")
      }
      let n = input.rank
      // (…, c·r·r, h, w) as (…, c, h, r, w, r)
      var view = input
      let s = input.strides
      view.shape =
        input.shape.dropLast(3)
        + [input.shape[n - 3] / (r * r), input.shape[n - 2], r, input.shape[n - 1], r]
      view.strides =
        s.dropLast(3) + [s[n - 3] &* r &* r, s[n - 2], s[n - 3] &* r, s[n - 1], s[n - 3]]
      try call.store(call.reals(view))
    },
    "pixel_unshuffle": { call in
      let input = try call.input
      let r = try call.int("downscale_factor", default: 1)
      let n = input.rank
      guard n >= 3, r > 0, input.shape[n - 1] % r == 0, input.shape[n - 2] % r == 0 else {
        throw call.fault("the sizes do not divide")
      }
      var view = input
      let s = input.strides
      view.shape =
        input.shape.dropLast(2) + [r, r, input.shape[n - 2] / r, input.shape[n - 1] / r]
      view.strides = s.dropLast(2) + [s[n - 2], s[n - 1], s[n - 2] &* r, s[n - 1] &* r]
      try call.store(call.reals(view))
    },
    "channel_shuffle": { call in
      let input = try call.input
      let groups = try call.int("groups", default: 1)
      guard input.rank >= 3, groups > 0, input.shape[1] % groups == 0 else {
        throw call.fault("the channels do not divide")
      }
      var view = input
      let per = input.shape[1] / groups
      view.shape.replaceSubrange(1...1, with: [per, groups])
      view.strides.replaceSubrange(1...1, with: [input.strides[1], input.strides[1] &* per])
      try call.store(call.reals(view))
    },
  ]
}
