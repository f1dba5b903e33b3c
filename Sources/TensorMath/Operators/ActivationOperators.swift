import Diagnostics
import Foundation
import HostProgram

/// The activations of `torch.nn.functional`, by the formulas of their documentation.
enum ActivationOperators {
  static let table: [String: OperatorCall.Body] = plain.merging(parametric) { $1 }

  private static let plain: [String: OperatorCall.Body] = [
    "relu": { call in try call.map({ $0 < 0 ? 0 : $0 }, integers: { max(0, $0) }) },
    "relu6": { call in
      try call.map({ Functions.clamp($0, 0, 6) }, integers: { min(6, max(0, $0)) })
    },
    "sigmoid": { call in try call.map { Functions.sigmoid($0) } },
    "expit": { call in try call.map { Functions.sigmoid($0) } },
    "silu": { call in try call.map { $0 / (1 + exp(-$0)) } },
    "swish": { call in try call.map { $0 / (1 + exp(-$0)) } },
    "mish": { call in try call.map { $0 * tanh(Functions.softplus($0)) } },
    "softsign": { call in try call.map { $0 / (1 + abs($0)) } },
    "hardswish": { call in try call.map { $0 * Functions.clamp($0 + 3, 0, 6) / 6 } },
    "hardsigmoid": { call in try call.map { Functions.clamp($0 + 3, 0, 6) / 6 } },
    "logsigmoid": { call in try call.map { Functions.logSigmoid($0) } },
    "tanhshrink": { call in try call.map { $0 - tanh($0) } },
    "selu": { call in
      // The constants of Klambauer et al. 2017, as torch states them.
      let alpha = try call.parameter(1.6732632423543772848170429916717)
      let scale = try call.parameter(1.0507009873554804934193349852946)
      try call.map { scale * ($0 > 0 ? $0 : alpha * expm1($0)) }
    },
  ]

  private static let parametric: [String: OperatorCall.Body] = [
    "gelu": { call in
      switch call.string("approximate") ?? "none" {
      case "tanh":
        // 0.5 (1 + tanh u) = 1 / (1 + exp(-2u)), without cancellation for negative u.
        let slope = 2 * (2 / Double.pi).squareRoot()
        try call.map { $0 / (1 + exp(-slope * ($0 + 0.044715 * $0 * $0 * $0))) }
      case "none":
        // 1 + erf(x) = erfc(-x), without cancellation for negative x.
        let half = 0.5.squareRoot()
        try call.map { 0.5 * $0 * erfc(-half * $0) }
      default: throw call.fault("approximate must be 'none' or 'tanh'")
      }
    },
    "elu": { call in
      let alpha = try call.parameter("alpha", default: 1)
      let scale = try call.parameter("scale", default: 1)
      let inputScale = try call.parameter("input_scale", default: 1)
      try call.map { scale * ($0 > 0 ? $0 : alpha * expm1(inputScale * $0)) }
    },
    "celu": { call in
      let alpha = try call.parameter("alpha", default: 1)
      try call.map { $0 > 0 ? $0 : alpha * expm1($0 / alpha) }
    },
    "leaky_relu": { call in
      let slope = try call.parameter("negative_slope", default: 0.01)
      try call.map { $0 > 0 ? $0 : slope * $0 }
    },
    "rrelu": { call in
      if call.bool("training", default: false) {
        throw call.refusal("'rrelu' in training draws random slopes, which is not supported")
      }
      let lower = try call.parameter("lower", default: 1.0 / 8)
      let upper = try call.parameter("upper", default: 1.0 / 3)
      let slope = (lower + upper) / 2
      try call.map { $0 >= 0 ? $0 : slope * $0 }
    },
    "softplus": { call in
      let beta = try call.parameter("beta", default: 1)
      let threshold = try call.parameter("threshold", default: 20)
      try call.map { $0 * beta > threshold ? $0 : log1p(exp($0 * beta)) / beta }
    },
    "hardtanh": { call in
      let low = try call.parameter("min_val", default: -1)
      let high = try call.parameter("max_val", default: 1)
      try call.map { Functions.clamp($0, low, high) }
    },
    "threshold": { call in
      let threshold = try call.parameter("threshold", default: 0)
      let value = try call.parameter("value", default: 0)
      try call.map { $0 <= threshold ? value : $0 }
    },
    "hardshrink": { call in
      let lambda = try call.parameter("lambd", default: 0.5)
      try call.map { $0 >= -lambda && $0 <= lambda ? 0 : $0 }
    },
    "softshrink": { call in
      let lambda = try call.parameter("lambd", default: 0.5)
      try call.map { $0 > lambda ? $0 - lambda : $0 < -lambda ? $0 + lambda : $0 * 0 }
    },
    "prelu": { call in
      let input = try call.input
      var weight = try call.tensor("weight")
      if weight.count > 1 {
        guard weight.rank == 1, input.rank >= 2, input.shape[1] == weight.count else {
          throw call.fault("the weight's size differs from the channels")
        }
        // One slope per channel: the weight stands along axis 1.
        weight.shape = [weight.count] + Array(repeating: 1, count: input.rank - 2)
        weight.strides = [weight.strides.last ?? 1] + Array(repeating: 0, count: input.rank - 2)
      }
      try call.combine(.tensor(input), .tensor(weight), .int(0)) { x, slope, _ in
        x > 0 ? x : slope * x
      }
    },
    "glu": { call in
      let input = try call.input
      let axis = try call.axis(call.int("dim", default: -1), rank: input.rank)
      guard input.rank > 0, input.shape[axis] % 2 == 0 else {
        throw call.fault("the halved dimension must be even")
      }
      var first = input
      first.shape[axis] /= 2
      var second = first
      second.offset &+= first.shape[axis] &* first.strides[axis]
      try call.combine(.tensor(first), .tensor(second), .int(0)) { x, gate, _ in
        x * Functions.sigmoid(gate)
      }
    },
  ]
}
