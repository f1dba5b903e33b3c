import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Numbers in row-major order with their shape.
struct Dense {
  var numbers: Reals
  var shape: [Int]
  var rank: Int { shape.count }
}

/// Products of matrices and vectors, accumulated in fp64 (see ``MatrixProduct``) and rounded once.
enum MatrixOperators {
  static let table: [String: OperatorCall.Body] = {
    var table = products
    for name in ["matmul", "mm", "bmm", "mv", "__matmul__", "linalg.matmul"] {
      table[name] = { call in
        try call.store(
          multiply(call, try call.input, try call.tensor("other", "mat2", "vec", "vec2", "tensor2"))
        )
      }
    }
    for name in ["dot", "inner", "vdot"] {
      table[name] = { call in
        let (a, b) = (try call.input, try call.tensor("other", "tensor", "vec2"))
        if a.rank == 0 || b.rank == 0 { return try call.combine { $0 * $1 } }
        // inner(a, b) contracts both last axes.
        let turned = b.rank > 1 ? transposed(b) : b
        if a.rank > 1, b.rank > 2 { throw call.refusal("'inner' of batches is not supported") }
        try call.store(multiply(call, a, turned))
      }
    }
    for name in ["outer", "ger"] {
      table[name] = { call in
        var (a, b) = (try call.input, try call.tensor("vec2", "other"))
        guard a.rank == 1, b.rank == 1 else { throw call.fault("vectors are needed") }
        a.shape.append(1)
        a.strides.append(1)
        b.shape.insert(1, at: 0)
        b.strides.insert(1, at: 0)
        try call.combine(.tensor(a), .tensor(b), .int(0)) { x, y, _ in x * y }
      }
    }
    table["einsum"] = { call in try EinsumOperator.run(call) }
    return table
  }()

  private static let products: [String: OperatorCall.Body] = [
    "linear": { call in
      let weight = try call.tensor("weight")
      let turned = weight.rank == 2 ? transposed(weight) : weight
      let out = try multiply(call, try call.input, turned)
      if let bias = call.optionalTensor("bias") {
        let addend = try call.reals(bias)
        let width = addend.count
        guard width > 0, width == (weight.rank == 2 ? weight.shape[0] : 1) else {
          throw call.fault("the bias does not fit")
        }
        for start in stride(from: 0, to: out.count, by: width) {
          for index in 0..<width { out.base[start &+ index] += addend.base[index] }
        }
      }
      try call.store(out)
    },
    "addmm": { call in try add(call, try call.tensor("mat1"), try call.tensor("mat2")) },
    "addmv": { call in try add(call, try call.tensor("mat", "mat1"), try call.tensor("vec")) },
    "baddbmm": { call in try add(call, try call.tensor("batch1"), try call.tensor("batch2")) },
    "tensordot": { call in
      let (a, b) = (try call.input, try call.tensor("other", "b"))
      var (left, right): ([Int], [Int])
      if case .list(let items)? = call.argument("dims"), items.count == 2,
        case .list(let first) = items[0], case .list(let second) = items[1]
      {
        (left, right) = ([], [])
        for item in first { left.append(try call.axis(call.int(item, "dims"), rank: a.rank)) }
        for item in second { right.append(try call.axis(call.int(item, "dims"), rank: b.rank)) }
      } else {
        let count = try call.int("dims", default: 2)
        guard count >= 0, count <= min(a.rank, b.rank) else {
          throw call.fault("dims is too large")
        }
        (left, right) = (Array((a.rank - count)..<a.rank), Array(0..<count))
      }
      guard left.map({ a.shape[$0] }) == right.map({ b.shape[$0] }) else {
        throw call.fault("the contracted sizes differ")
      }
      let x = try call.realRows(a, along: left)
      let y = try call.realRows(b, along: right)
      let out = try Reals(x.rows &* y.rows)
      try MatrixProduct.accumulate(
        x.rows, y.rows, x.width,
        MatrixView(base: x.numbers.base, rowStride: x.width, columnStride: 1),
        MatrixView(base: y.numbers.base, rowStride: 1, columnStride: y.width),
        into: out.base, cStride: y.rows)
      try call.store(out)
    },
  ]

  static func transposed(_ tensor: TensorShape) -> TensorShape {
    var order = Array(0..<tensor.rank)
    order.swapAt(tensor.rank - 1, tensor.rank - 2)
    return tensor.permuted(order)
  }

  /// `beta · input + alpha · a b`.
  private static func add(_ call: OperatorCall, _ a: TensorShape, _ b: TensorShape)
    throws
  {
    let beta = try call.parameter("beta", default: 1)
    let alpha = try call.parameter("alpha", default: 1)
    let out = try multiply(call, a, b)
    let result = try call.result
    guard let spread = try call.input.broadcast(to: result.shape) else {
      throw call.fault("the addend does not broadcast")
    }
    let addend = try call.reals(spread)
    guard addend.count == out.count else { throw call.fault("the addend does not fit") }
    for index in 0..<out.count {
      // With beta = 0 the addend is not looked at, so that its NaNs do not matter.
      let base = beta == 0 ? 0 : beta * addend.base[index]
      out.base[index] = base + alpha * out.base[index]
    }
    try call.store(out)
  }

  static func multiply(_ call: OperatorCall, _ first: TensorShape, _ second: TensorShape)
    throws -> Reals
  {
    try multiply(
      call, Dense(numbers: try call.reals(first), shape: first.shape),
      Dense(numbers: try call.reals(second), shape: second.shape))
  }

  /// `torch.matmul` for every pair of ranks, as numbers in row-major order.
  static func multiply(_ call: OperatorCall, _ first: Dense, _ second: Dense)
    throws -> Reals
  {
    var (a, b) = (first, second)
    guard a.rank > 0, b.rank > 0 else { throw call.fault("operands need a dimension") }
    if a.rank == 1 { a.shape.insert(1, at: 0) }
    if b.rank == 1 { b.shape.append(1) }
    let (m, k) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
    let n = b.shape[b.rank - 1]
    guard b.shape[b.rank - 2] == k,
      let batch = broadcastShape([Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))])
    else { throw call.fault("the shapes \(first.shape) and \(second.shape) do not fit") }
    let (x, y) = (a.numbers, b.numbers)
    let batches = batch.reduce(1, &*)
    let (count, overflow) = batches.multipliedReportingOverflow(by: m &* n)
    guard !overflow else { throw call.fault("the result is too large") }
    let out = try Reals(count)
    let right = MatrixView(base: y.base, rowStride: n, columnStride: 1)
    if b.shape.dropLast(2).allSatisfy({ $0 == 1 }) {
      // One right operand for all: the batch only adds rows.
      try MatrixProduct.accumulate(
        batches &* m, n, k, MatrixView(base: x.base, rowStride: k, columnStride: 1), right,
        into: out.base, cStride: n)
      return out
    }
    func offset(_ position: Int, _ shape: [Int], _ size: Int) -> Int {
      var (rest, stride, total) = (position, size, 0)
      for axis in (0..<batch.count).reversed() {
        let index = rest % batch[axis]
        rest /= batch[axis]
        let own = axis - (batch.count - (shape.count - 2))
        guard own >= 0 else { continue }
        if shape[own] != 1 { total &+= index &* stride }
        stride = stride &* shape[own]
      }
      return total
    }
    for position in 0..<batches {
      try MatrixProduct.accumulate(
        m, n, k,
        MatrixView(base: x.base + offset(position, a.shape, m &* k), rowStride: k, columnStride: 1),
        MatrixView(base: y.base + offset(position, b.shape, k &* n), rowStride: n, columnStride: 1),
        into: out.base + position &* m &* n, cStride: n)
    }
    return out
  }
}
