import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Convolutions as products of matrices, patches beside weights, accumulated in fp64.
enum ConvolutionOperators {
  static let table: [String: OperatorCall.Body] = {
    var table: [String: OperatorCall.Body] = [:]
    for rank in 1...3 {
      table["conv\(rank)d"] = { call in try convolve(call, rank) }
      table["conv_transpose\(rank)d"] = { call in try convolveTransposed(call, rank) }
    }
    table["unfold"] = unfold
    table["im2col"] = unfold
    table["fold"] = fold
    return table
  }()

  /// The windows of a convolution, always three axes; missing ones have size 1.
  struct Windows {
    var size: [Int]  // of the larger side: the input of a convolution
    var kernel: [Int]
    var stride: [Int]
    var before: [Int]  // padding in front
    var dilation: [Int]
    var count: [Int]  // positions

    var kernelCount: Int { kernel[0] &* kernel[1] &* kernel[2] }
    var positions: Int { count[0] &* count[1] &* count[2] }
    var volume: Int { size[0] &* size[1] &* size[2] }

    static func three(_ values: [Int], _ fill: Int) -> [Int] {
      Array(repeating: fill, count: 3 - values.count) + values
    }

    /// For each tap of the kernel and each of `length` positions from `first`, calls `body` with the
    /// tap, the position and the input's index, or -1 in the padding.
    @inline(__always)
    func forEachTap(
      _ first: Int, _ length: Int, _ body: (_ tap: Int, _ position: Int, _ source: Int) -> Void
    ) {
      for position in 0..<length {
        let x = (first &+ position) % count[2]
        let rest = (first &+ position) / count[2]
        let y = rest % count[1]
        let z = rest / count[1]
        let (z0, y0, x0) = (
          z &* stride[0] &- before[0], y &* stride[1] &- before[1], x &* stride[2] &- before[2]
        )
        var tap = 0
        for kz in 0..<kernel[0] {
          let iz = z0 &+ kz &* dilation[0]
          let zInside = iz >= 0 && iz < size[0]
          for ky in 0..<kernel[1] {
            let iy = y0 &+ ky &* dilation[1]
            let yInside = zInside && iy >= 0 && iy < size[1]
            let row = (iz &* size[1] &+ iy) &* size[2]
            for kx in 0..<kernel[2] {
              let ix = x0 &+ kx &* dilation[2]
              let inside = yInside && ix >= 0 && ix < size[2]
              body(tap, position, inside ? row &+ ix : -1)
              tap &+= 1
            }
          }
        }
      }
    }
  }

  /// Patches at a time: their columns take about 2 MiB.
  private static func chunk(_ depth: Int, _ positions: Int) -> Int {
    max(16, min(positions, (1 << 18) / max(1, depth)))
  }

  private static func convolve(_ call: OperatorCall, _ rank: Int) throws {
    let (input, weight) = (try call.input, try call.tensor("weight"))
    let groups = try call.int("groups", default: 1)
    guard weight.rank == rank + 2, input.rank == rank + 2 || input.rank == rank + 1, groups > 0,
      groups <= max(1, weight.shape[0]), weight.shape[0] % groups == 0
    else { throw call.fault("the operands' dimensions do not fit") }
    let stride = try call.ints("stride", count: rank, default: 1)
    let dilation = try call.ints("dilation", count: rank, default: 1)
    let spatial = Array(input.shape.suffix(rank))
    let kernel = Array(weight.shape.suffix(rank))
    var before = Array(repeating: 0, count: rank)
    var after = before
    switch call.string("padding") {
    case "same":
      for axis in 0..<rank {
        let total = dilation[axis] &* (kernel[axis] - 1)
        before[axis] = total / 2
        after[axis] = total - total / 2
      }
    case nil:
      before = try call.ints("padding", count: rank, default: 0)
      after = before
    default: break
    }
    let result = try call.result
    guard result.rank == input.rank else {
      throw call.fault("the trace's result shape does not fit")
    }
    let count = Array(result.shape.suffix(rank))
    let sizes = stride + dilation + before + kernel
    guard sizes.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }), stride.allSatisfy({ $0 > 0 }) else {
      throw call.fault("an argument is out of range")
    }
    for axis in 0..<rank {
      let span =
        spatial[axis] + before[axis] + after[axis] - dilation[axis] * (kernel[axis] - 1) - 1
      guard span >= 0, count[axis] == span / stride[axis] + 1 else {
        throw call.fault("the trace's result shape does not fit")
      }
    }
    let windows = Windows(
      size: Windows.three(spatial, 1), kernel: Windows.three(kernel, 1),
      stride: Windows.three(stride, 1), before: Windows.three(before, 0),
      dilation: Windows.three(dilation, 1), count: Windows.three(count, 1))
    let batch = input.rank == rank + 2 ? input.shape[0] : 1
    let channels = input.shape[input.rank - rank - 1]
    let (outputs, perGroup) = (weight.shape[0], weight.shape[1])
    guard channels == perGroup &* groups else { throw call.fault("the channels do not fit") }
    let (x, w) = (try call.reals(input), try call.reals(weight))
    let positions = windows.positions
    let depth = perGroup &* windows.kernelCount
    let outPerGroup = outputs / groups
    let out = try Reals(batch &* outputs &* positions)
    try addBias(call, out, outputs, positions)
    let length = chunk(depth, positions)
    let columns = try Reals(depth &* length)
    let volume = windows.volume
    let taps = windows.kernelCount
    for group in 0..<(batch &* groups) {
      let image = x.base + group &* perGroup &* volume
      let target = out.base + group &* outPerGroup &* positions
      let kernels = w.base + (group % groups) &* outPerGroup &* depth
      for first in Swift.stride(from: 0, to: positions, by: length) {
        let here = min(length, positions - first)
        for channel in 0..<perGroup {
          let plane = image + channel &* volume
          let rows = columns.base + channel &* taps &* length
          windows.forEachTap(first, here) { tap, position, source in
            rows[tap &* length &+ position] = source < 0 ? 0 : plane[source]
          }
        }
        try MatrixProduct.accumulate(
          outPerGroup, here, depth, MatrixView(base: kernels, rowStride: depth, columnStride: 1),
          MatrixView(base: columns.base, rowStride: length, columnStride: 1),
          into: target + first, cStride: positions)
      }
    }
    try call.store(out)
  }

  private static func addBias(
    _ call: OperatorCall, _ out: Reals, _ channels: Int, _ positions: Int
  ) throws {
    guard let bias = call.optionalTensor("bias") else { return }
    let numbers = try call.reals(bias)
    guard numbers.count == channels, positions > 0 else {
      if positions == 0 { return }
      throw call.fault("the bias does not fit")
    }
    for plane in 0..<(out.count / positions) {
      let value = numbers.base[plane % channels]
      let target = out.base + plane &* positions
      for index in 0..<positions { target[index] = value }
    }
  }

  private static func convolveTransposed(_ call: OperatorCall, _ rank: Int) throws {
    let (input, weight) = (try call.input, try call.tensor("weight"))
    let groups = try call.int("groups", default: 1)
    guard weight.rank == rank + 2, input.rank == rank + 2 || input.rank == rank + 1, groups > 0,
      groups <= max(1, weight.shape[0]), weight.shape[0] % groups == 0
    else { throw call.fault("the operands' dimensions do not fit") }
    let stride = try call.ints("stride", count: rank, default: 1)
    let dilation = try call.ints("dilation", count: rank, default: 1)
    let before = try call.ints("padding", count: rank, default: 0)
    let result = try call.result
    guard result.rank == input.rank else {
      throw call.fault("the trace's result shape does not fit")
    }
    let size = Array(result.shape.suffix(rank))
    let count = Array(input.shape.suffix(rank))
    guard (stride + dilation + before).allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
      throw call.fault("an argument is out of range")
    }
    let kernel = Array(weight.shape.suffix(rank))
    let extra = try call.ints("output_padding", count: rank, default: 0)
    for axis in 0..<rank {
      let limits = [kernel[axis], extra[axis], count[axis]]
      guard limits.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }),
        size[axis] == (count[axis] - 1) * stride[axis] - 2 * before[axis]
          + dilation[axis] * (kernel[axis] - 1) + extra[axis] + 1
      else { throw call.fault("the trace's result shape does not fit") }
    }
    // The transposed convolution spreads what a convolution of the result would gather.
    let windows = Windows(
      size: Windows.three(size, 1), kernel: Windows.three(kernel, 1),
      stride: Windows.three(stride, 1), before: Windows.three(before, 0),
      dilation: Windows.three(dilation, 1), count: Windows.three(count, 1))
    let batch = input.rank == rank + 2 ? input.shape[0] : 1
    let channels = weight.shape[0]
    guard input.shape[input.rank - rank - 1] == channels else {
      throw call.fault("the channels do not fit")
    }
    let (inPerGroup, outPerGroup) = (channels / groups, weight.shape[1])
    let (x, w) = (try call.reals(input), try call.reals(weight))
    let (positions, volume, taps) = (windows.positions, windows.volume, windows.kernelCount)
    let out = try Reals(batch &* outPerGroup &* groups &* volume)
    try addBias(call, out, outPerGroup &* groups, volume)
    let depth = outPerGroup &* taps
    let length = chunk(depth, positions)
    let columns = try Reals(depth &* length)
    for group in 0..<(batch &* groups) {
      let image = x.base + group &* inPerGroup &* positions
      let target = out.base + group &* outPerGroup &* volume
      let kernels = w.base + (group % groups) &* inPerGroup &* depth
      for first in Swift.stride(from: 0, to: positions, by: length) {
        let here = min(length, positions - first)
        for index in 0..<(depth &* length) { columns.base[index] = 0 }
        try MatrixProduct.accumulate(
          depth, here, inPerGroup, MatrixView(base: kernels, rowStride: 1, columnStride: depth),
          MatrixView(base: image + first, rowStride: positions, columnStride: 1),
          into: columns.base, cStride: length)
        for channel in 0..<outPerGroup {
          let plane = target + channel &* volume
          let rows = columns.base + channel &* taps &* length
          windows.forEachTap(first, here) { tap, position, place in
            if place >= 0 { plane[place] += rows[tap &* length &+ position] }
          }
        }
      }
    }
    try call.store(out)
  }

  // MARK: Patches as a result

  private static func patches(_ call: OperatorCall, _ size: [Int]) throws -> Windows {
    let kernel = try call.ints("kernel_size", count: 2)
    let dilation = try call.ints("dilation", count: 2, default: 1)
    let padding = try call.ints("padding", count: 2, default: 0)
    let stride = try call.ints("stride", count: 2, default: 1)
    var count: [Int] = []
    for axis in 0..<2 {
      let values = [size[axis], kernel[axis], dilation[axis], padding[axis], stride[axis]]
      guard values.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }), stride[axis] > 0 else {
        throw call.fault("an argument is out of range")
      }
      let span = size[axis] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1
      guard span >= 0 else { throw call.fault("the kernel is larger than the input") }
      count.append(span / stride[axis] + 1)
    }
    let (positions, overflow) = count[0].multipliedReportingOverflow(by: count[1])
    guard !overflow, positions < 1 << 31, kernel[0] * kernel[1] < 1 << 20 else {
      throw call.fault("there are too many patches")
    }
    return Windows(
      size: [1] + size, kernel: [1] + kernel, stride: [1] + stride, before: [0] + padding,
      dilation: [1] + dilation, count: [1] + count)
  }

  private static let unfold: OperatorCall.Body = { call in
    let input = try call.input
    guard input.rank == 4 || input.rank == 3 else {
      throw call.fault("3 or 4 dimensions are needed")
    }
    let windows = try patches(call, Array(input.shape.suffix(2)))
    let x = try call.reals(input)
    let planes = input.shape.dropLast(2).reduce(1, &*)
    let (positions, taps, volume) = (windows.positions, windows.kernelCount, windows.volume)
    guard !planes.multipliedReportingOverflow(by: taps * positions).overflow else {
      throw call.fault("there are too many patches")
    }
    let out = try Reals(planes &* taps &* positions)
    for plane in 0..<planes {
      let source = x.base + plane &* volume
      let target = out.base + plane &* taps &* positions
      windows.forEachTap(0, positions) { tap, position, index in
        target[tap &* positions &+ position] = index < 0 ? 0 : source[index]
      }
    }
    try call.store(out)
  }

  private static let fold: OperatorCall.Body = { call in
    let (input, result) = (try call.input, try call.result)
    guard result.rank >= 2 else { throw call.fault("the result needs two dimensions") }
    let windows = try patches(call, Array(result.shape.suffix(2)))
    let x = try call.reals(input)
    let planes = result.shape.dropLast(2).reduce(1, &*)
    let (positions, taps, volume) = (windows.positions, windows.kernelCount, windows.volume)
    guard x.count == planes &* taps &* positions else { throw call.fault("the sizes do not fit") }
    let out = try Reals(planes &* volume)
    for plane in 0..<planes {
      let source = x.base + plane &* taps &* positions
      let target = out.base + plane &* volume
      windows.forEachTap(0, positions) { tap, position, index in
        if index >= 0 { target[index] += source[tap &* positions &+ position] }
      }
    }
    try call.store(out)
  }
}
