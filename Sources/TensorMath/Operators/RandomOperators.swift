import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Operators that draw numbers: each from the stream of its ordinal among them, rounded to its
/// result's declared type in both precisions.
enum RandomOperators {
  static let table: [String: OperatorCall.Body] = {
    var table: [String: OperatorCall.Body] = [:]
    for name in ["rand", "rand_like"] { table[name] = { call in try uniform(call, 0, 1) } }
    for name in ["uniform", "init.uniform", "init.uniform_"] {
      table[name] = { call in
        try uniform(
          call, try call.optionalNumber("from", "a", "low") ?? 0,
          try call.optionalNumber("to", "b", "high") ?? 1)
      }
    }
    for name in ["randn", "randn_like", "normal", "init.normal", "init.normal_"] {
      table[name] = normal
    }
    for name in ["randint", "randint_like", "random"] { table[name] = integers }
    return table.merging(others) { $1 }
  }()

  private static let others: [String: OperatorCall.Body] = [
    "init.trunc_normal": { call in
      let (mean, deviation) = (
        try call.number("mean", default: 0), try call.number("std", default: 1)
      )
      let (low, high) = (try call.number("a", default: -2), try call.number("b", default: 2))
      func below(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
      let (from, to) = (below((low - mean) / deviation), below((high - mean) / deviation))
      try draw(call) { stream, numbers in
        for index in 0..<numbers.count {
          let share = from + (to - from) * stream.uniform(index, digits: 53)
          let value = mean + deviation * 2.0.squareRoot() * Functions.inverseErf(2 * share - 1)
          numbers.base[index] = min(max(value, low), high)
        }
      }
    },
    "exponential": { call in
      let rate = try call.number("lambd", default: 1)
      try draw(call) { stream, numbers in
        for index in 0..<numbers.count {
          numbers.base[index] = -log1p(-stream.uniform(index, digits: 53)) / rate
        }
      }
    },
    "randperm": { call in
      let stream = next(call)
      let numbers = try Integers(try call.result.count)
      for index in 0..<numbers.count { numbers.base[index] = Int64(index) }
      for index in stride(from: numbers.count - 1, to: 0, by: -1) {
        let other = Int(stream.integer(index, below: UInt64(index + 1)))
        (numbers.base[index], numbers.base[other]) = (numbers.base[other], numbers.base[index])
      }
      try call.store(numbers)
    },
    "bernoulli": { call in
      // `torch.bernoulli(p)` takes chances from its operand, `Tensor.bernoulli_(p)` one from `p`.
      let count = try call.result.count
      let chances: Lane<Double> =
        if let p = call.argument("p") {
          try call.realLane(p, call.result.shape)
        } else {
          try call.realLane(call.left, call.result.shape)
        }
      try draw(call) { stream, numbers in
        for index in 0..<count {
          numbers.base[index] =
            stream.uniform(index, digits: 53) < chances.base[index &* chances.step] ? 1 : 0
        }
      }
    },
    "dropout": dropout, "alpha_dropout": dropout, "feature_dropout": dropout,
    "dropout1d": dropout, "dropout2d": dropout, "dropout3d": dropout,
  ]

  private static let normal: OperatorCall.Body = { call in
    let shape = try call.result.shape
    let mean = try call.realLane(call.argument("mean") ?? .int(0), shape)
    let deviation = try call.realLane(call.argument("std") ?? .int(1), shape)
    try draw(call) { stream, numbers in
      stream.fillNormal(numbers)
      for index in 0..<numbers.count {
        numbers.base[index] =
          mean.base[index &* mean.step]
          + deviation.base[index &* deviation.step] * numbers.base[index]
      }
    }
  }

  private static let integers: OperatorCall.Body = { call in
    let low = try call.optionalInt("low", "from") ?? 0
    guard let high = try call.optionalInt("high", "to") else {
      throw call.fault("the upper bound is missing")
    }
    let (range, overflow) = high.subtractingReportingOverflow(low)
    guard range > 0, !overflow else { throw call.fault("the range is empty") }
    let stream = next(call)
    let numbers = try Integers(try call.result.count)
    for index in 0..<numbers.count {
      numbers.base[index] =
        Int64(low) &+ Int64(truncatingIfNeeded: stream.integer(index, below: UInt64(range)))
    }
    try call.store(numbers)
  }

  /// Inference leaves the operand as it is; training drops by the run's seed.
  private static let dropout: OperatorCall.Body = { call in
    let p = try call.number("p", default: 0.5)
    let input = try call.input
    guard call.bool("training", default: true), p != 0 else {
      return try call.store(call.reals(input))
    }
    guard call.name == "dropout", p >= 0, p <= 1 else {
      throw call.refusal("'\(call.name)' in training is not supported")
    }
    let stream = next(call)
    let numbers = try call.reals(input)
    let out = try Reals(numbers.count)
    let scale = p == 1 ? 0 : try call.parameter(1 / (1 - p))
    for index in 0..<numbers.count {
      out.base[index] = stream.uniform(index, digits: 53) < p ? 0 : numbers.base[index] * scale
    }
    try call.store(out)
  }

  private static func next(_ call: OperatorCall) -> RandomStream {
    defer { call.world.randomOrdinal += 1 }
    return RandomStream(seed: call.world.seed, stream: call.world.randomOrdinal)
  }

  private static func draw(
    _ call: OperatorCall, _ body: (RandomStream, Reals) throws -> Void
  ) throws {
    let result = try call.result
    let numbers = try Reals(result.count)
    try body(next(call), numbers)
    Rounding.round(numbers, to: result.element)
    try call.store(numbers)
  }

  private static func uniform(_ call: OperatorCall, _ low: Double, _ high: Double)
    throws
  {
    let digits = digits(try call.result.element)
    try draw(call) { stream, numbers in
      for index in 0..<numbers.count {
        let value = low + (high - low) * stream.uniform(index, digits: digits)
        // Rounding must not reach the open end.
        numbers.base[index] = value == high ? low : value
      }
    }
  }

  /// As many digits as the type holds, so that every multiple below 1 is exact.
  static func digits(_ element: ElementType) -> Int {
    switch element {
    case .fp64: 53
    case .fp16: 11
    case .bf16: 8
    case .fp8e4nv, .fp8e4b8: 4
    case .fp8e5, .fp8e5b16: 3
    default: 24
    }
  }
}

extension TensorWorld {
  /// Fills a tensor that no step fills, from the run's seed and the tensor's name: standard normal
  /// numbers, 0 or 1 in integer tensors; the same in both precisions and in every module that has a
  /// tensor of this name and shape.
  public func fill(_ tensor: NamedTensor) throws {
    // FNV-1a of the name: a stable hash, far from the small ordinals.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in tensor.name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let stream = RandomStream(seed: seed, stream: hash | 1 << 63)
    let shape = tensor.shape
    _ = try storage(of: shape)
    if shape.element.isFloat {
      let numbers = try Reals(shape.count)
      stream.fillNormal(numbers)
      Rounding.round(numbers, to: shape.element)
      try store(numbers, to: shape)
    } else {
      let numbers = try Integers(shape.count)
      for index in 0..<numbers.count {
        numbers.base[index] = Int64(stream.integer(index, below: 2))
      }
      try store(numbers, to: shape)
    }
  }
}
