import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Pooling in 1, 2 and 3 dimensions.
enum PoolingOperators {
  static let table: [String: OperatorCall.Body] = {
    var table: [String: OperatorCall.Body] = [:]
    for rank in 1...3 {
      table["max_pool\(rank)d"] = { call in try maximum(call, rank) }
      table["max_pool\(rank)d_with_indices"] = { call in try maximum(call, rank) }
      table["avg_pool\(rank)d"] = { call in try average(call, rank) }
      table["lp_pool\(rank)d"] = { call in try power(call, rank) }
      table["adaptive_avg_pool\(rank)d"] = { call in try adaptive(call, rank, maximal: false) }
      table["adaptive_max_pool\(rank)d"] = { call in try adaptive(call, rank, maximal: true) }
    }
    return table
  }()

  /// Planes of up to three axes on their way through a pooling.
  private struct Planes {
    var input: [Int]
    var output: [Int]
    var count: Int
    var numbers: Reals

    init(_ call: OperatorCall, _ rank: Int) throws {
      let (tensor, result) = (try call.input, try call.result)
      guard tensor.rank == rank + 1 || tensor.rank == rank + 2, result.rank == tensor.rank else {
        throw call.fault("\(rank + 1) or \(rank + 2) dimensions are needed")
      }
      input = ConvolutionOperators.Windows.three(Array(tensor.shape.suffix(rank)), 1)
      output = ConvolutionOperators.Windows.three(Array(result.shape.suffix(rank)), 1)
      count = tensor.shape.dropLast(rank).reduce(1, &*)
      guard count == result.shape.dropLast(rank).reduce(1, &*) else {
        throw call.fault("the trace's result shape does not fit")
      }
      numbers = try call.reals(tensor)
    }

    var inputVolume: Int { input[0] &* input[1] &* input[2] }
    var outputVolume: Int { output[0] &* output[1] &* output[2] }
  }

  /// Kernel, stride, padding and dilation as three axes each.
  private struct Geometry {
    var kernel: [Int]
    var stride: [Int]
    var padding: [Int]
    var dilation: [Int]

    init(_ call: OperatorCall, _ rank: Int) throws {
      let kernel = try call.ints("kernel_size", count: rank)
      var stride = kernel
      if let given = try call.optionalInts("stride"), !given.isEmpty {
        stride = try call.ints("stride", count: rank)
      }
      let padding = try call.ints("padding", count: rank, default: 0)
      let dilation = try call.ints("dilation", count: rank, default: 1)
      let all = kernel + stride + padding + dilation
      guard all.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }),
        (kernel + stride + dilation).allSatisfy({ $0 > 0 })
      else { throw call.fault("an argument is out of range") }
      self.kernel = ConvolutionOperators.Windows.three(kernel, 1)
      self.stride = ConvolutionOperators.Windows.three(stride, 1)
      self.padding = ConvolutionOperators.Windows.three(padding, 0)
      self.dilation = ConvolutionOperators.Windows.three(dilation, 1)
    }
  }

  private static func maximum(_ call: OperatorCall, _ rank: Int) throws {
    let planes = try Planes(call, rank)
    let geometry = try Geometry(call, rank)
    let (input, output) = (planes.input, planes.output)
    let out = try Reals(planes.count &* planes.outputVolume)
    let indices = try Integers(out.count)
    let (kernel, stride) = (geometry.kernel, geometry.stride)
    let (padding, dilation) = (geometry.padding, geometry.dilation)
    /// The taps of a window that lie inside the input.
    func taps(_ index: Int, _ axis: Int) -> Range<Int> {
      let start = index &* stride[axis] &- padding[axis]
      let step = max(1, dilation[axis])
      let first = start < 0 ? (step &- 1 &- start) / step : 0
      let last = start < input[axis] ? (input[axis] &- 1 &- start) / step : -1
      return first..<max(first, min(kernel[axis], last &+ 1))
    }
    var position = 0
    for plane in 0..<planes.count {
      let source = planes.numbers.base + plane &* planes.inputVolume
      for z in 0..<output[0] {
        for y in 0..<output[1] {
          for x in 0..<output[2] {
            var best = -1
            for kz in taps(z, 0) {
              let iz = z &* stride[0] &- padding[0] &+ kz &* dilation[0]
              for ky in taps(y, 1) {
                let iy = y &* stride[1] &- padding[1] &+ ky &* dilation[1]
                for kx in taps(x, 2) {
                  let ix = x &* stride[2] &- padding[2] &+ kx &* dilation[2]
                  let place = (iz &* input[1] &+ iy) &* input[2] &+ ix
                  // Torch takes the first of equals, and the last NaN.
                  if best < 0 || source[place] > source[best] || source[place].isNaN {
                    best = place
                  }
                }
              }
            }
            out.base[position] = best < 0 ? -.infinity : source[best]
            indices.base[position] = Int64(max(0, best))
            position &+= 1
          }
        }
      }
    }
    try call.store(out)
    if call.operation.results.count > 1 { try call.store(indices, 1) }
  }

  private static func average(_ call: OperatorCall, _ rank: Int) throws {
    let includesPadding = call.bool("count_include_pad", default: true)
    let divisor = try call.optionalNumber("divisor_override")
    try sums(call, rank) { sum, padded, inside in
      sum / (divisor ?? Double(includesPadding ? padded : inside))
    }
  }

  private static func power(_ call: OperatorCall, _ rank: Int) throws {
    let p = try call.number("norm_type", default: 2)
    try sums(call, rank, raisedTo: p) { sum, _, _ in pow(max(0, sum), 1 / p) }
  }

  /// Each window's sum with how many places it covers: inside input and padding, and inside the input.
  private static func sums(
    _ call: OperatorCall, _ rank: Int, raisedTo p: Double = 1,
    _ finish: (_ sum: Double, _ padded: Int, _ inside: Int) -> Double
  ) throws {
    let planes = try Planes(call, rank)
    let geometry = try Geometry(call, rank)
    let (input, output) = (planes.input, planes.output)
    let out = try Reals(planes.count &* planes.outputVolume)
    let (kernel, stride, padding) = (geometry.kernel, geometry.stride, geometry.padding)
    var position = 0
    for plane in 0..<planes.count {
      let source = planes.numbers.base + plane &* planes.inputVolume
      for z in 0..<output[0] {
        let z0 = z &* stride[0] &- padding[0]
        let z1 = min(z0 &+ kernel[0], input[0] &+ padding[0])
        let (za, zb) = (max(0, z0), min(z1, input[0]))
        for y in 0..<output[1] {
          let y0 = y &* stride[1] &- padding[1]
          let y1 = min(y0 &+ kernel[1], input[1] &+ padding[1])
          let (ya, yb) = (max(0, y0), min(y1, input[1]))
          for x in 0..<output[2] {
            let x0 = x &* stride[2] &- padding[2]
            let x1 = min(x0 &+ kernel[2], input[2] &+ padding[2])
            let (xa, xb) = (max(0, x0), min(x1, input[2]))
            var sum = 0.0
            if za < zb, ya < yb, xa < xb {
              for iz in za..<zb {
                for iy in ya..<yb {
                  let row = source + (iz &* input[1] &+ iy) &* input[2]
                  if p == 1 {
                    for ix in xa..<xb { sum += row[ix] }
                  } else {
                    for ix in xa..<xb { sum += pow(row[ix], p) }
                  }
                }
              }
            }
            out.base[position] = finish(
              sum, (z1 &- z0) &* (y1 &- y0) &* (x1 &- x0),
              max(0, zb &- za) &* max(0, yb &- ya) &* max(0, xb &- xa))
            position &+= 1
          }
        }
      }
    }
    try call.store(out)
  }

  /// Windows from ⌊i·in/out⌋ to ⌈(i+1)·in/out⌉.
  private static func adaptive(_ call: OperatorCall, _ rank: Int, maximal: Bool)
    throws
  {
    let planes = try Planes(call, rank)
    let (input, output) = (planes.input, planes.output)
    let out = try Reals(planes.count &* planes.outputVolume)
    let indices = try Integers(out.count)
    func window(_ index: Int, _ axis: Int) -> Range<Int> {
      let start = index &* input[axis] / output[axis]
      return start..<max(start, ((index + 1) &* input[axis] + output[axis] - 1) / output[axis])
    }
    var position = 0
    for plane in 0..<planes.count {
      let source = planes.numbers.base + plane &* planes.inputVolume
      for z in 0..<output[0] {
        let zs = window(z, 0)
        for y in 0..<output[1] {
          let ys = window(y, 1)
          for x in 0..<output[2] {
            let xs = window(x, 2)
            var sum = 0.0
            var best = -1
            for iz in zs {
              for iy in ys {
                for ix in xs {
                  let place = (iz &* input[1] &+ iy) &* input[2] &+ ix
                  sum += source[place]
                  if best < 0 || source[place] > source[best] || source[place].isNaN {
                    best = place
                  }
                }
              }
            }
            if maximal {
              out.base[position] = best < 0 ? -.infinity : source[best]
              indices.base[position] = Int64(max(0, best))
            } else {
              out.base[position] = sum / Double(zs.count &* ys.count &* xs.count)
            }
            position &+= 1
          }
        }
      }
    }
    try call.store(out)
    if call.operation.results.count > 1 { try call.store(indices, 1) }
  }
}
