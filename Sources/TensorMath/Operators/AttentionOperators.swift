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
        isCausal: call.bool("is_causal", default: false)
      ) { shape in try mask(call, call.argument("attn_mask"), shape, hidesTrue: false) }
      try call.store(attention.output)
    },
    "multi_head_attention_forward": { call in try MultiHeadAttention.run(call) },
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

  /// A mask as numbers to add: a Boolean one hides where it is false, or where it is true.
  static func mask(_ call: OperatorCall, _ value: TraceValue?, _ shape: [Int], hidesTrue: Bool)
    throws -> Lane<Double>?
  {
    guard case .tensor(let tensor)? = value else { return nil }
    let lane = try call.realLane(value, shape)
    guard tensor.element == .int1 else { return lane }
    let numbers = try lane.buffer.owned()
    for index in 0..<numbers.count {
      numbers.base[index] = (numbers.base[index] != 0) == hidesTrue ? -.infinity : 0
    }
    return Lane(buffer: numbers, step: lane.step)
  }

  /// - Parameter key: transposed, so that its last axis is the positions.
  static func attend(
    _ call: OperatorCall, _ query: Dense, _ key: Dense, _ value: Dense, scale: Double,
    isCausal: Bool, mask: ([Int]) throws -> Lane<Double>?
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
    let added = try mask(shape)
    for index in 0..<scores.count {
      scores.base[index] *= scale
      if let added { scores.base[index] += added.base[index &* added.step] }
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
