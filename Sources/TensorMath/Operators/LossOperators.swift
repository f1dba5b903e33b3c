import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Losses of `torch.nn.functional`, each with the reductions `none`, `mean` and `sum`.
enum LossOperators {
  static let table: [String: OperatorCall.Body] = elementwise.merging(composed) { $1 }
    .merging(classes) { $1 }

  private static let elementwise: [String: OperatorCall.Body] = [
    "mse_loss": { call in try pairs(call) { ($0 - $1) * ($0 - $1) } },
    "l1_loss": { call in try pairs(call) { abs($0 - $1) } },
    "smooth_l1_loss": { call in
      let beta = try call.parameter("beta", default: 1)
      try pairs(call) {
        let distance = abs($0 - $1)
        return distance < beta ? 0.5 * distance * distance / beta : distance - 0.5 * beta
      }
    },
    "huber_loss": { call in
      let delta = try call.parameter("delta", default: 1)
      try pairs(call) {
        let distance = abs($0 - $1)
        return distance <= delta ? 0.5 * distance * distance : delta * (distance - 0.5 * delta)
      }
    },
    "soft_margin_loss": { call in try pairs(call) { Functions.softplus(-$0 * $1) } },
    "kl_div": { call in
      let isLog = call.bool("log_target", default: false)
      try pairs(call) {
        isLog ? exp($1) * ($1 - $0) : ($1 == 0 ? 0 : $1 * log($1)) - $1 * $0
      }
    },
    "hinge_embedding_loss": { call in
      let margin = try call.parameter("margin", default: 1)
      try pairs(call) { $1 == 1 ? $0 : $1 == -1 ? max(0, margin - $0) : $0 + max(0, margin - $0) }
    },
    "poisson_nll_loss": { call in
      let isLog = call.bool("log_input", default: true)
      let isFull = call.bool("full", default: false)
      let eps = try call.parameter("eps", default: 1e-8)
      try pairs(call) {
        var loss = isLog ? exp($0) - $1 * $0 : $0 - $1 * log($0 + eps)
        if isFull, $1 > 1 { loss += $1 * log($1) - $1 + 0.5 * log(2 * .pi * $1) }
        return loss
      }
    },
    "binary_cross_entropy": { call in
      // Torch bounds the logarithms below by -100.
      try pairs(call) {
        -($1 * max(-100, log($0)) + (1 - $1) * max(-100, log1p(-$0)))
      }
    },
    "binary_cross_entropy_with_logits": { call in
      guard case .tensor(let positive)? = call.argument("pos_weight") else {
        return try pairs(call) { (1 - $1) * $0 - Functions.logSigmoid($0) }
      }
      let shape = try spread(call, ["input", "target"])
      let weights = try call.realLane(.tensor(positive), shape)
      var index = 0
      try pairs(call) { x, target in
        defer { index &+= weights.step }
        let weight = (weights.base[index] - 1) * target + 1
        return (1 - target) * x - weight * Functions.logSigmoid(x)
      }
    },
  ]

  private static let composed: [String: OperatorCall.Body] = [
    "margin_ranking_loss": { call in
      let margin = try call.parameter("margin", default: 0)
      let shape = try spread(call, ["input1", "input2", "target"])
      let (a, b, y) = (
        try lane(call, "input1", shape), try lane(call, "input2", shape),
        try lane(call, "target", shape)
      )
      let out = try Reals(shape.reduce(1, &*))
      for index in 0..<out.count {
        let difference = a.base[index &* a.step] - b.base[index &* b.step]
        out.base[index] = max(0, -y.base[index &* y.step] * difference + margin)
      }
      try finish(call, out, shape)
    },
    "cosine_embedding_loss": { call in
      let margin = try call.parameter("margin", default: 0)
      let (a, b) = (try rows(call, "input1"), try rows(call, "input2"))
      let target = try call.reals(try call.tensor("target"))
      guard a.rows == b.rows, a.width == b.width, target.count == a.rows || target.count == 1 else {
        throw call.fault("the shapes do not fit")
      }
      let out = try Reals(a.rows)
      let eps = 1e-12  // EPSILON of ATen's Loss.cpp
      for row in 0..<a.rows {
        var (dot, aa, bb) = (0.0, eps, eps)
        for index in 0..<a.width {
          dot += a[row][index] * b[row][index]
          aa += a[row][index] * a[row][index]
          bb += b[row][index] * b[row][index]
        }
        let cosine = dot / (aa * bb).squareRoot()
        let y = target.base[target.count == 1 ? 0 : row]
        out.base[row] = y == 1 ? 1 - cosine : y == -1 ? max(0, cosine - margin) : 0
      }
      try finish(call, out, [a.rows])
    },
    "triplet_margin_loss": { call in
      let (margin, p) = (
        try call.parameter("margin", default: 1), try call.number("p", default: 2)
      )
      let eps = try call.parameter("eps", default: 1e-6)
      let (a, b, c) = (
        try rows(call, "anchor"), try rows(call, "positive"), try rows(call, "negative")
      )
      guard a.rows == b.rows, a.rows == c.rows, a.width == b.width, a.width == c.width else {
        throw call.refusal("'triplet_margin_loss' with broadcasting is not supported")
      }
      let swaps = call.bool("swap", default: false)
      let (out, line) = (try Reals(a.rows), try Reals(a.width))
      func distance(_ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>) -> Double
      {
        for index in 0..<a.width { line.base[index] = x[index] - y[index] + eps }
        return ReductionOperators.norm(line.base, a.width, p)
      }
      for row in 0..<a.rows {
        let near = distance(a[row], b[row])
        var far = distance(a[row], c[row])
        if swaps { far = min(far, distance(b[row], c[row])) }
        out.base[row] = max(0, margin + near - far)
      }
      try finish(call, out, [a.rows])
    },
  ]

  private static let classes: [String: OperatorCall.Body] = [
    "nll_loss": { call in try classified(call, isLogits: false) },
    "cross_entropy": { call in try classified(call, isLogits: true) },
  ]

  // MARK: Parts

  private static func spread(_ call: OperatorCall, _ names: [String]) throws -> [Int] {
    var shapes: [[Int]] = []
    for name in names { shapes.append(try call.tensor(name).shape) }
    guard let shape = broadcastShape(shapes) else { throw call.fault("operands do not broadcast") }
    return shape
  }

  private static func lane(_ call: OperatorCall, _ name: String, _ shape: [Int])
    throws -> Lane<Double>
  {
    try call.realLane(.tensor(try call.tensor(name)), shape)
  }

  private static func rows(_ call: OperatorCall, _ name: String) throws -> Rows<Double> {
    let tensor = call.lined(try call.tensor(name))
    return try call.realRows(tensor, along: [tensor.rank - 1])
  }

  /// A loss of each pair (input, target), weighted by `weight` where given.
  @inline(__always)
  private static func pairs(_ call: OperatorCall, _ body: (Double, Double) -> Double)
    throws
  {
    let shape = try spread(call, ["input", "target"])
    let out = try call.zip(
      try lane(call, "input", shape), try lane(call, "target", shape), shape.reduce(1, &*), body)
    if let weight = call.optionalTensor("weight") {
      let factors = try call.realLane(.tensor(weight), shape)
      for index in 0..<out.count { out.base[index] *= factors.base[index &* factors.step] }
    }
    try finish(call, out, shape)
  }

  /// `reduction` over the losses; `weights` is what a mean divides by.
  private static func finish(
    _ call: OperatorCall, _ losses: Reals, _ shape: [Int], weights: Double? = nil
  ) throws {
    let sum = ReductionOperators.sum(losses.base, losses.count)
    switch call.string("reduction") ?? "mean" {
    case "none": try call.store(losses)
    case "sum": try call.store(try Reals([sum]))
    case "mean": try call.store(try Reals([sum / (weights ?? Double(losses.count))]))
    case "batchmean": try call.store(try Reals([sum / Double(shape.first ?? 1)]))
    default: throw call.fault("an unknown reduction")
    }
  }

  /// Losses of class indices or class probabilities, classes along axis 1.
  private static func classified(_ call: OperatorCall, isLogits: Bool) throws {
    let (input, target) = (try call.input, try call.tensor("target"))
    guard input.rank >= 1 else { throw call.fault("the input needs a dimension") }
    let axis = input.rank == 1 ? 0 : 1
    let rows = try call.realRows(input, along: [axis])
    let classes = rows.width
    let weight = try call.optionalTensor("weight").map {
      (shape) in try call.reals(shape)
    }
    guard weight == nil || weight?.count == classes else {
      throw call.fault("'weight' does not fit")
    }
    let smoothing = try call.number("label_smoothing", default: 0)
    let scores = try rows.numbers.owned()
    if isLogits {
      for row in 0..<rows.rows {
        let line = scores.base + row &* classes
        let total = ReductionOperators.logSumExp(line, classes)
        for index in 0..<classes { line[index] -= total }
      }
    }
    let out = try Reals(rows.rows)
    if target.element.isFloat, isLogits {
      guard target.shape == input.shape else { throw call.fault("the shapes do not fit") }
      let wanted = try call.realRows(target, along: [axis])
      for row in 0..<rows.rows {
        let line = scores.base + row &* classes
        var loss = 0.0
        for index in 0..<classes {
          let share = wanted[row][index] * (1 - smoothing) + smoothing / Double(classes)
          loss -= share * line[index] * (weight?.base[index] ?? 1)
        }
        out.base[row] = loss
      }
      let samples = input.rank == 1 ? 1 : Double(rows.rows)
      return try finish(call, out, [rows.rows], weights: samples)
    }
    let labels = try call.integers(target)
    guard labels.count == rows.rows else { throw call.fault("the shapes do not fit") }
    let ignored = Int64(try call.int("ignore_index", default: -100))
    var total = 0.0
    for row in 0..<rows.rows {
      let label = labels.base[row]
      if label == ignored { continue }
      guard label >= 0, label < classes else {
        throw call.fault("target \(label) is out of bounds")
      }
      let line = scores.base + row &* classes
      let factor = weight?.base[Int(label)] ?? 1
      total += factor
      var loss = -line[Int(label)] * factor * (1 - smoothing)
      if smoothing > 0 {
        var smooth = 0.0
        for index in 0..<classes { smooth -= line[index] * (weight?.base[index] ?? 1) }
        loss += smooth * smoothing / Double(classes)
      }
      out.base[row] = loss
    }
    try finish(call, out, [rows.rows], weights: total)
  }
}
