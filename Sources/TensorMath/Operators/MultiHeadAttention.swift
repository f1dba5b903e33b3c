import Diagnostics
import Foundation
import HostProgram
import TileIR

/// `torch.nn.MultiheadAttention` with one projection of queries, keys and values.
enum MultiHeadAttention {
  static func run(_ call: OperatorCall) throws {
    let isBatchFirst = call.bool("batch_first", default: false)
    let heads = try call.int("num_heads", default: 1)
    if call.bool("training", default: false), try call.number("dropout_p", default: 0) > 0 {
      throw call.refusal("attention with dropout is not supported")
    }
    let query = try batched(call, "query", isBatchFirst)
    let (batch, rows, width) = (query.shape[0], query.shape[1], query.shape[2])
    guard heads > 0, width % heads == 0 else { throw call.fault("the heads do not divide") }
    let key = try batched(call, "key", isBatchFirst)
    let value = try batched(call, "value", isBatchFirst)
    let columns = key.shape[1]
    guard key.shape == [batch, columns, width], value.shape == key.shape else {
      throw call.refusal("keys and values of another width are not supported")
    }
    let size = width / heads
    let q = try project(call, query, 0, heads, transposed: false)
    let k = try project(call, key, 1, heads, transposed: true)
    let v = try project(call, value, 2, heads, transposed: false)
    let attention = try AttentionOperators.attend(
      call, q, k, v, scale: 1 / Double(size).squareRoot(), isCausal: false
    ) { shape in try mask(call, shape) }
    // (batch, heads, rows, size) with heads beside size again, then the last projection.
    var joined = TensorShape(element: .fp64, shape: [batch, heads, rows, size])
    joined = joined.permuted([0, 2, 1, 3])
    let merged = try rearranged(attention.output, joined)
    let output = try linear(
      call, merged, call.tensor("out_proj_weight"), call.optionalTensor("out_proj_bias"), 0, width)
    let result = try call.result
    let isBatched = result.rank == 3
    try call.world.store(
      output, to: isBatched && !isBatchFirst ? result.permuted([1, 0, 2]) : result)
    guard call.operation.results.count > 1 else { return }
    guard call.bool("average_attn_weights", default: true) else {
      return try call.store(attention.weights, 1)
    }
    let plane = rows &* columns
    let mean = try Reals(batch &* plane)
    for index in 0..<attention.weights.count {
      let sample = index / max(1, plane &* heads)
      mean.base[sample &* plane &+ index % plane] += attention.weights.base[index] / Double(heads)
    }
    try call.store(mean, 1)
  }

  /// An operand as (batch, positions, width).
  private static func batched(_ call: OperatorCall, _ name: String, _ isBatchFirst: Bool) throws
    -> TensorShape
  {
    var tensor = try call.tensor(name)
    guard tensor.rank == 2 || tensor.rank == 3 else {
      throw call.fault("'\(name)' needs 2 or 3 dimensions")
    }
    if tensor.rank == 2 {
      tensor.shape.insert(1, at: 0)
      tensor.strides.insert(0, at: 0)
    } else if !isBatchFirst {
      tensor = tensor.permuted([1, 0, 2])
    }
    return tensor
  }

  /// `x Wᵀ + b` with rows `part·width …` of the weight.
  private static func linear(
    _ call: OperatorCall, _ x: Reals, _ weight: TensorShape, _ bias: TensorShape?, _ part: Int,
    _ width: Int
  ) throws -> Reals {
    guard weight.rank == 2, weight.shape[1] == width, weight.shape[0] >= (part + 1) * width,
      bias.map({ $0.count >= (part + 1) * width }) ?? true
    else { throw call.fault("a projection's shape does not fit") }
    let w = try call.reals(weight)
    let b = try bias.map { try call.reals($0) }
    let out = try Reals(x.count)
    for index in 0..<out.count { out.base[index] = b?.base[part &* width &+ index % width] ?? 0 }
    try MatrixProduct.accumulate(
      x.count / max(1, width), width, width,
      MatrixView(base: x.base, rowStride: width, columnStride: 1),
      MatrixView(base: w.base + part &* width &* width, rowStride: 1, columnStride: width),
      into: out.base, cStride: width)
    return out
  }

  /// Projected and split into heads: (batch, heads, positions, size), the last two maybe swapped.
  private static func project(
    _ call: OperatorCall, _ tensor: TensorShape, _ part: Int, _ heads: Int, transposed: Bool
  ) throws -> Dense {
    let (batch, positions, width) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
    let numbers = try linear(
      call, call.reals(tensor), call.tensor("in_proj_weight"), call.optionalTensor("in_proj_bias"),
      part, width)
    let split = TensorShape(element: .fp64, shape: [batch, positions, heads, width / heads])
    let view = split.permuted(transposed ? [0, 2, 3, 1] : [0, 2, 1, 3])
    return Dense(numbers: try rearranged(numbers, view), shape: view.shape)
  }

  private static func rearranged(_ numbers: Reals, _ view: TensorShape) throws -> Reals {
    let out = try Reals(numbers.count)
    StridedCopy.read(
      UnsafeRawPointer(numbers.base), .fp64, .native,
      Walk(shape: view.shape, strides: view.strides, offset: 0), into: out.base)
    return out
  }

  /// Both masks together; here a Boolean mask hides where it is true.
  private static func mask(_ call: OperatorCall, _ shape: [Int]) throws -> Lane<Double>? {
    var own = call.argument("attn_mask")
    // A mask per head comes as (batch · heads, rows, columns).
    if case .tensor(var tensor)? = own, tensor.rank == 3 {
      let stride = tensor.strides[0]
      tensor.shape = shape
      tensor.strides = [stride &* shape[1], stride, tensor.strides[1], tensor.strides[2]]
      own = .tensor(tensor)
    }
    let first = try AttentionOperators.mask(call, own, shape, hidesTrue: true)
    guard case .tensor(var padding)? = call.argument("key_padding_mask") else { return first }
    if padding.rank == 2 {
      padding.shape = [padding.shape[0], 1, 1, padding.shape[1]]
      padding.strides = [padding.strides[0], 0, 0, padding.strides[1]]
    }
    guard let second = try AttentionOperators.mask(call, .tensor(padding), shape, hidesTrue: true)
    else { return first }
    guard let first else { return second }
    let sum = try Reals(shape.reduce(1, &*))
    for index in 0..<sum.count {
      sum.base[index] = first.base[index &* first.step] + second.base[index &* second.step]
    }
    return Lane(buffer: sum, step: 1)
  }
}
