import Diagnostics
import Foundation
import HostProgram
import TileIR

/// `interpolate`: each axis in turn for the linear modes, so 1, 2 and 3 dimensions are one case.
enum ResamplingOperators {
  static let table: [String: OperatorCall.Body] = [
    "interpolate": { call in try interpolate(call) },
    "upsample": { call in try interpolate(call) },
    "upsample_nearest": { call in try interpolate(call) },
    "grid_sample": { call in throw call.refusal("'grid_sample' is not supported") },
  ]

  private static func interpolate(_ call: OperatorCall) throws {
    let (input, result) = (try call.input, try call.result)
    guard input.rank >= 3, result.rank == input.rank else {
      throw call.fault("three dimensions are needed")
    }
    let mode = call.string("mode") ?? "nearest"
    let aligns = call.bool("align_corners", default: false)
    if call.bool("antialias", default: false) {
      throw call.refusal("'interpolate' with antialias is not supported")
    }
    var scales: [Double?] = Array(repeating: nil, count: input.rank - 2)
    if !call.bool("recompute_scale_factor", default: false), call.argument("size") == nil {
      switch call.argument("scale_factor") {
      case .list(let items)?:
        for (axis, item) in items.enumerated() where axis < scales.count {
          scales[axis] = try call.number(item, "scale_factor")
        }
      case let value?:
        let scale = try call.number(value, "scale_factor")
        scales = scales.map { _ in scale }
      case nil: break
      }
    }
    /// How far one step of the result goes in the input.
    func step(_ axis: Int) -> Double {
      if let scale = scales[axis - 2], scale > 0 { return 1 / scale }
      return Double(input.shape[axis]) / Double(max(1, result.shape[axis]))
    }
    switch mode {
    case "nearest", "nearest-exact":
      let shift = mode == "nearest" ? 0 : 0.5
      let steps = input.shape.indices.map { $0 < 2 ? 1 : step($0) }
      try JoiningOperators.relocate(call, input, result.shape) { axis, index in
        if axis < 2 { return index }
        return min(Int(truncated((Double(index) + shift) * steps[axis])), input.shape[axis] - 1)
      }
    case "linear", "bilinear", "trilinear":
      var numbers = try call.reals(input)
      var shape = input.shape
      for axis in 2..<input.rank {
        let size = result.shape[axis]
        let scale =
          aligns ? (size > 1 ? Double(shape[axis] - 1) / Double(size - 1) : 0) : step(axis)
        numbers = try blend(numbers, &shape, axis, size) { index in
          aligns ? Double(index) * scale : max(0, (Double(index) + 0.5) * scale - 0.5)
        }
      }
      try call.store(numbers)
    default: throw call.refusal("'interpolate' in the mode '\(mode)' is not supported")
    }
  }

  /// Resamples one axis: each new place is a mix of the two old ones around `position`.
  private static func blend(
    _ numbers: Reals, _ shape: inout [Int], _ axis: Int, _ size: Int, _ position: (Int) -> Double
  ) throws -> Reals {
    let old = shape[axis]
    let outer = shape[..<axis].reduce(1, &*)
    let inner = shape[(axis + 1)...].reduce(1, &*)
    shape[axis] = size
    let out = try Reals(outer &* size &* inner)
    guard old > 0 else { return out }
    for place in 0..<size {
      let exact = position(place)
      let low = max(0, min(Int(truncated(exact)), old - 1))
      let high = min(low + 1, old - 1)
      let share = min(max(exact - Double(low), 0), 1)
      for line in 0..<outer {
        let a = numbers.base + (line &* old &+ low) &* inner
        let b = numbers.base + (line &* old &+ high) &* inner
        let target = out.base + (line &* size &+ place) &* inner
        for index in 0..<inner { target[index] = (1 - share) * a[index] + share * b[index] }
      }
    }
    return out
  }
}
