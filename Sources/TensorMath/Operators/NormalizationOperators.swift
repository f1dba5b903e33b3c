import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Normalisations by mean and variance (two passes, biased variance) or by mean square.
enum NormalizationOperators {
  static let table: [String: OperatorCall.Body] = [
    "layer_norm": { call in
      try rowwise(call) { row, out, width, weight, bias, eps in
        let (mean, squares) = ReductionOperators.moments(row, width)
        let scale = 1 / (squares / Double(width) + eps).squareRoot()
        for index in 0..<width {
          out[index] =
            (row[index] - mean) * scale * (weight?[index] ?? 1) + (bias?[index] ?? 0)
        }
      }
    },
    "rms_norm": { call in
      try rowwise(call) { row, out, width, weight, _, eps in
        var squares = 0.0
        for index in 0..<width { squares += row[index] * row[index] }
        let scale = 1 / (squares / Double(width) + eps).squareRoot()
        for index in 0..<width { out[index] = row[index] * scale * (weight?[index] ?? 1) }
      }
    },
    "batch_norm": batchNorm,
    "instance_norm": { call in
      let input = try call.input
      guard input.rank >= 3 else { throw call.fault("three dimensions are needed") }
      guard call.bool("use_input_stats", default: true) else { return try batchNorm(call) }
      if call.optionalTensor("running_mean") != nil {
        throw call.refusal("'instance_norm' that tracks running statistics is not supported")
      }
      try grouped(call, groups: input.shape[1])
    },
    "group_norm": { call in
      let (input, groups) = (try call.input, try call.int("num_groups", default: 1))
      guard input.rank >= 2, groups > 0, input.shape[1] % groups == 0 else {
        throw call.fault("the channels do not divide into \(groups) groups")
      }
      try grouped(call, groups: groups)
    },
    "local_response_norm": { call in
      let input = try call.input
      guard input.rank >= 2 else { throw call.fault("two dimensions are needed") }
      let size = try call.int("size", default: 5)
      let alpha = try call.parameter("alpha", default: 1e-4)
      let beta = try call.parameter("beta", default: 0.75)
      let k = try call.parameter("k", default: 1)
      guard size > 0, size < 1 << 31 else { throw call.fault("size must be positive") }
      let x = try call.reals(input)
      let out = try Reals(x.count)
      let channels = input.shape[1]
      let inner = input.shape.dropFirst(2).reduce(1, &*)
      for plane in 0..<(input.shape[0] &* channels) {
        let channel = plane % channels
        let first = max(0, channel - size / 2)
        let last = min(channels - 1, channel + (size - 1) / 2)
        for index in 0..<inner {
          var squares = 0.0
          for other in first...last {
            let value = x.base[(plane &- channel &+ other) &* inner &+ index]
            squares += value * value
          }
          let place = plane &* inner &+ index
          out.base[place] = x.base[place] / pow(k + alpha * squares / Double(size), beta)
        }
      }
      try call.store(out)
    },
  ]

  private typealias RowBody = (
    UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, Int,
    UnsafeMutablePointer<Double>?, UnsafeMutablePointer<Double>?, Double
  ) -> Void

  /// Over the last axes, those of `normalized_shape`.
  private static func rowwise(_ call: OperatorCall, _ body: RowBody) throws {
    let input = try call.input
    guard let shape = try call.optionalInts("normalized_shape"), input.rank >= shape.count,
      Array(input.shape.suffix(shape.count)) == shape
    else { throw call.fault("normalized_shape does not fit") }
    let width = shape.reduce(1, &*)
    // `rms_norm` without eps takes the element type's epsilon.
    let fallback = call.name == "rms_norm" ? epsilon(input.element) : 1e-5
    let eps = try call.parameter("eps", default: fallback)
    let weight = try affine(call, "weight", width)
    let bias = try affine(call, "bias", width)
    let x = try call.reals(input)
    let out = try Reals(x.count)
    if width > 0 {
      for start in stride(from: 0, to: x.count, by: width) {
        body(x.base + start, out.base + start, width, weight?.base, bias?.base, eps)
      }
    }
    try call.store(out)
  }

  static func epsilon(_ element: ElementType) -> Double {
    switch element {
    case .fp64: 0x1p-52
    case .fp16: 0x1p-10
    case .bf16: 0x1p-7
    default: 0x1p-23
    }
  }

  private static func affine(_ call: OperatorCall, _ name: String, _ count: Int)
    throws -> Reals?
  {
    guard let tensor = call.optionalTensor(name) else { return nil }
    guard tensor.count == count else {
      throw call.fault("'\(name)' has \(tensor.count) elements where \(count) are needed")
    }
    return try call.reals(tensor)
  }

  /// Statistics over each sample's groups of channels, weights per channel.
  private static func grouped(_ call: OperatorCall, groups: Int) throws {
    let input = try call.input
    let channels = input.shape[1]
    let eps = try call.parameter("eps", default: 1e-5)
    let weight = try affine(call, "weight", channels)
    let bias = try affine(call, "bias", channels)
    let x = try call.reals(input)
    let out = try Reals(x.count)
    let inner = input.shape.dropFirst(2).reduce(1, &*)
    let perGroup = channels / max(1, groups)
    let width = perGroup &* inner
    for group in 0..<(input.shape[0] &* groups) where width > 0 {
      let row = x.base + group &* width
      let target = out.base + group &* width
      let (mean, squares) = ReductionOperators.moments(row, width)
      let scale = 1 / (squares / Double(width) + eps).squareRoot()
      for own in 0..<perGroup {
        let channel = group % groups &* perGroup &+ own
        let (w, b) = (weight?.base[channel] ?? 1, bias?.base[channel] ?? 0)
        for index in (own &* inner)..<(own &* inner &+ inner) {
          target[index] = (row[index] - mean) * scale * w + b
        }
      }
    }
    try call.store(out)
  }

  /// Statistics per channel over batch and space; in training the running ones move along.
  private static let batchNorm: OperatorCall.Body = { call in
    let input = try call.input
    guard input.rank >= 2 else { throw call.fault("two dimensions are needed") }
    let channels = input.shape[1]
    let eps = try call.parameter("eps", default: 1e-5)
    let weight = try affine(call, "weight", channels)
    let bias = try affine(call, "bias", channels)
    let isTraining = call.name == "batch_norm" && call.bool("training", default: false)
    let (runningMean, runningVariance) = (
      try affine(call, "running_mean", channels)?.owned(),
      try affine(call, "running_var", channels)?.owned()
    )
    let axes = [0] + Array(2..<max(2, input.rank))
    let rows = try call.realRows(input, along: axes)
    let out = try Reals(rows.numbers.count)
    let momentum = try call.parameter("momentum", default: 0.1)
    if isTraining, runningMean != nil, call.operation.arguments["momentum"] == TraceValue.none {
      throw call.refusal("'batch_norm' with a cumulative average is not supported")
    }
    for channel in 0..<channels {
      let row = rows[channel]
      let target = out.base + channel &* rows.width
      var (mean, variance): (Double, Double)
      if isTraining {
        guard rows.width > 1 else { throw call.fault("more than one value per channel is needed") }
        let moments = ReductionOperators.moments(row, rows.width)
        (mean, variance) = (moments.mean, moments.squares / Double(rows.width))
        if let held = runningMean {
          held[channel] = (1 - momentum) * held[channel] + momentum * mean
        }
        if let held = runningVariance {
          let unbiased = moments.squares / Double(rows.width - 1)
          held[channel] = (1 - momentum) * held[channel] + momentum * unbiased
        }
      } else {
        guard let runningMean, let runningVariance else {
          throw call.fault("running statistics are needed outside training")
        }
        (mean, variance) = (runningMean[channel], runningVariance[channel])
      }
      let scale = 1 / (variance + eps).squareRoot()
      let (w, b) = (weight?.base[channel] ?? 1, bias?.base[channel] ?? 0)
      for index in 0..<rows.width { target[index] = (row[index] - mean) * scale * w + b }
    }
    try call.store(out, rowsAlong: axes)
    guard isTraining else { return }
    if let runningMean, let shape = call.optionalTensor("running_mean") {
      try call.world.store(runningMean, to: shape)
    }
    if let runningVariance, let shape = call.optionalTensor("running_var") {
      try call.world.store(runningVariance, to: shape)
    }
  }
}
