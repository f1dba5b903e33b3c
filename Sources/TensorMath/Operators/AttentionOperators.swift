import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Attention by its definition: softmax(Q Kᵀ · scale + mask) V.
enum AttentionOperators {
  static let table: [String: OperatorCall.Body] = [
    "scaled_dot_product_attention": { call in
      let (query, key, value) = (
        try call.tensor("query"), try call.tensor("key"), try call.tensor("value")
      )
      guard try call.number("dropout_p", default: 0) == 0 else {
        throw call.refusal("attention with dropout is not supported")
      }
      guard query.rank >= 2, key.rank >= 2, value.rank >= 2,
        query.shape[query.rank - 1] == key.shape[key.rank - 1],
        key.shape[key.rank - 2] == value.shape[value.rank - 2]
      else { throw call.fault("the shapes do not fit") }
      let heads = query.rank >= 3 ? query.shape[query.rank - 3] : 1
      let isGrouped = call.bool("enable_gqa", default: false)
      let width = query.shape[query.rank - 1]
      let scale = try call.number("scale", default: 1 / Double(max(1, width)).squareRoot())
      let attention = try attend(
        call, Dense(numbers: call.reals(query), shape: query.shape),
        try dense(call, MatrixOperators.transposed(key), heads: isGrouped ? heads : nil),
        try dense(call, value, heads: isGrouped ? heads : nil), scale: scale,
        isCausal: call.bool("is_causal", default: false), mask: call.argument("attn_mask"))
      try call.store(attention.output)
    },
    "multi_head_attention_forward": { call in
      throw call.refusal("'MultiheadAttention' is not supported")
    },
  ]

  /// Keys or values; with `heads`, each of their heads stands for several (`enable_gqa`).
  private static func dense(_ call: OperatorCall, _ tensor: TensorShape, heads: Int?)
    throws -> Dense
  {
    guard let heads, tensor.rank >= 3, tensor.shape[tensor.rank - 3] != heads else {
      return Dense(numbers: try call.reals(tensor), shape: tensor.shape)
    }
    let axis = tensor.rank - 3
    let own = tensor.shape[axis]
    guard own > 0, heads % own == 0 else { throw call.fault("the heads do not divide") }
    var spread = tensor
    spread.shape.insert(heads / own, at: axis + 1)
    spread.strides.insert(0, at: axis + 1)
    var shape = tensor.shape
    shape[axis] = heads
    return Dense(numbers: try call.reals(spread), shape: shape)
  }

  /// - Parameter key: transposed, so that its last axis is the positions.
  static func attend(
    _ call: OperatorCall, _ query: Dense, _ key: Dense, _ value: Dense, scale: Double,
    isCausal: Bool, mask: TraceValue?
  ) throws -> (output: Reals, weights: Reals) {
    let scores = try MatrixOperators.multiply(call, query, key)
    let (rows, columns) = (query.shape[query.rank - 2], key.shape[key.rank - 1])
    guard
      let batch = broadcastShape([
        Array(query.shape.dropLast(2)), Array(key.shape.dropLast(2)),
        Array(value.shape.dropLast(2)),
      ])
    else { throw call.fault("the batches do not broadcast") }
    let shape = batch + [rows, columns]
    guard scores.count == shape.reduce(1, &*) else {
      throw call.refusal("values with more batches than queries are not supported")
    }
    var isHidden: Lane<Double>?
    var isBool = false
    if case .tensor(let tensor)? = mask {
      isHidden = try call.realLane(mask, shape)
      isBool = tensor.element == .int1
    }
    for index in 0..<scores.count {
      scores.base[index] *= scale
      if let lane = isHidden {
        let value = lane.base[index &* lane.step]
        if isBool {
          if value == 0 { scores.base[index] = -.infinity }
        } else {
          scores.base[index] += value
        }
      }
      if isCausal, index % columns > index / columns % rows { scores.base[index] = -.infinity }
    }
    if columns > 0 {
      for start in stride(from: 0, to: scores.count, by: columns) {
        let row = scores.base + start
        let isEmpty = (0..<columns).allSatisfy { row[$0] == -.infinity }
        if isEmpty {
          // A row in which nothing is visible gives zeros (torch's safe softmax).
          for index in 0..<columns { row[index] = 0 }
        } else {
          SoftmaxOperators.softmax(row, row, columns)
        }
      }
    }
    let weights = Dense(numbers: scores, shape: shape)
    return (try MatrixOperators.multiply(call, weights, value), scores)
  }
}
