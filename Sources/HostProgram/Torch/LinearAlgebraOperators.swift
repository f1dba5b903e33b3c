import Foundation
import TileIR

/// `torch.linalg`, where it is more than another place for a function of `torch`.
enum LinalgOperators {
  static let table: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    for name in ["norm", "vector_norm", "matrix_norm"] {
      table[name] = TorchOperator("input ord dim keepdim dtype") { ev, bound in
        let input = try bound.tensor("input")
        var dim = bound.given("dim")
        if name == "matrix_norm", dim == nil { dim = .makeList([.int(-2), .int(-1)]) }
        let axes = try ev.axes(dim, input)
        // With an order, two axes mean a norm of matrices (`ord=2` is a singular value there).
        let isMatrix =
          name != "vector_norm" && axes.count == 2
          && (name == "matrix_norm" || bound.given("ord") != nil)
        var isFrobenius = bound.given("ord") == nil
        if case .string("fro")? = bound["ord"] { isFrobenius = true }
        if isMatrix, !isFrobenius {
          ev.restate("matrix_norm")
        } else {
          ev.restate("vector_norm", isFrobenius ? ["ord": .none, "dim": dim ?? .none] : [:])
        }
        return .tensor(
          try ev.reduce(
            input, dim, keepsDims: bound.bool("keepdim", default: false), .toFloat,
            dtype: bound.dtype()))
      }
    }
    return table
  }()
}

/// Products of matrices and vectors.
enum LinearAlgebraOperators {
  static let table: [String: TorchOperator] = [
    "matmul": TorchOperator("input other") { ev, bound in
      .tensor(try ev.matmul(try bound.tensor("input"), try bound.tensor("other")))
    },
    "mm": TorchOperator("input mat2") { ev, bound in
      let (a, b) = (try bound.tensor("input"), try bound.tensor("mat2"))
      try ev.requireRank(a, [2], "mm")
      try ev.requireRank(b, [2], "mm")
      return .tensor(try ev.matmul(a, b))
    },
    "bmm": TorchOperator("input mat2") { ev, bound in
      let (a, b) = (try bound.tensor("input"), try bound.tensor("mat2"))
      try ev.requireRank(a, [3], "bmm")
      try ev.requireRank(b, [3], "bmm")
      try ev.requireEqual(a.dims[0], b.dims[0], "bmm: batch sizes differ")
      return .tensor(try ev.matmul(a, b))
    },
    "mv": TorchOperator("input vec") { ev, bound in
      .tensor(try ev.matmul(try bound.tensor("input"), try bound.tensor("vec")))
    },
    "dot": TorchOperator("input tensor") { ev, bound in
      .tensor(try ev.matmul(try bound.tensor("input"), try bound.tensor("tensor")))
    },
    "outer": TorchOperator("input vec2") { ev, bound in
      let (a, b) = (try bound.tensor("input"), try bound.tensor("vec2"))
      try ev.requireRank(a, [1], "outer")
      try ev.requireRank(b, [1], "outer")
      return .tensor(
        try ev.makeTensor(Promotion.promote(a.element, b.element), [a.dims[0], b.dims[0]]))
    },
    "addmm": TorchOperator("input mat1 mat2 beta alpha") { ev, bound in
      .tensor(try ev.matmul(try bound.tensor("mat1"), try bound.tensor("mat2")))
    },
    "baddbmm": TorchOperator("input batch1 batch2 beta alpha") { ev, bound in
      .tensor(try ev.matmul(try bound.tensor("batch1"), try bound.tensor("batch2")))
    },
    "linear": TorchOperator("input weight bias") { ev, bound in
      .tensor(
        try ev.linear(
          try bound.tensor("input"), try bound.tensor("weight"), try bound.optionalTensor("bias")))
    },
    "einsum": TorchOperator("equation *operands") { ev, bound in
      guard case .string(let equation) = try bound.require("equation") else {
        throw ev.raise("TypeError", "einsum(): the equation must be a string")
      }
      var operands = bound.rest
      if operands.count == 1, case .list(let list) = operands[0] { operands = list.items }
      if operands.count == 1, case .tuple(let tuple) = operands[0] { operands = tuple.items }
      return .tensor(try ev.einsum(equation, operands))
    },
    "tril": TorchOperator("input diagonal") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
    "triu": TorchOperator("input diagonal") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
    "diag": TorchOperator("input diagonal") { ev, bound in
      let input = try bound.tensor("input")
      let offset = try bound.int("diagonal", default: 0).value
      if input.rank == 1 {
        let size = input.dims[0] + SymInt(Int(clamping: offset.magnitude))
        return .tensor(try ev.makeTensor(input.element, [size, size]))
      }
      try ev.requireRank(input, [2], "diag")
      let picked = try ev.diagonal(input, offset, 0, 1)
      return .tensor(try ev.makeTensor(input.element, picked.dims))
    },
    "trace": TorchOperator("input") { ev, bound in
      .tensor(try ev.makeTensor(try bound.tensor("input").element, []))
    },
  ]
}

extension Evaluator {
  /// `torch.matmul`'s rules for every pair of ranks.
  func matmul(_ a: TensorObject, _ b: TensorObject) throws -> TensorObject {
    try requireRank(a, atLeast: 1, "matmul")
    try requireRank(b, atLeast: 1, "matmul")
    let inner = a.dims[a.rank - 1]
    let other = b.rank == 1 ? b.dims[0] : b.dims[b.rank - 2]
    try requireEqual(
      inner, other,
      "mat1 and mat2 shapes cannot be multiplied (\(a.sizes) and \(b.sizes))")
    var dims = try broadcast([Array(a.dims.dropLast(2)), Array(b.dims.dropLast(2))])
    if a.rank > 1 { dims.append(a.dims[a.rank - 2]) }
    if b.rank > 1 { dims.append(b.dims[b.rank - 1]) }
    return try makeTensor(Promotion.promote(a.element, b.element), dims)
  }

  func linear(_ input: TensorObject, _ weight: TensorObject, _ bias: TensorObject?) throws
    -> TensorObject
  {
    try requireRank(input, atLeast: 1, "linear")
    try requireRank(weight, [2, 1], "linear")
    try requireEqual(
      input.dims[input.rank - 1], weight.dims[weight.rank - 1],
      "mat1 and mat2 shapes cannot be multiplied (\(input.sizes) and \(weight.sizes))")
    let lead = Array(input.dims.dropLast())
    return try makeTensor(input.element, weight.rank == 2 ? lead + [weight.dims[0]] : lead)
  }

  /// `torch.einsum` with letters, spaces, `...` and an optional output.
  func einsum(_ equation: String, _ operands: [Value]) throws -> TensorObject {
    let sides = equation.replacingOccurrences(of: " ", with: "").components(separatedBy: "->")
    let inputs = sides[0].components(separatedBy: ",")
    var tensors: [TensorObject] = []
    for operand in operands {
      guard case .tensor(let tensor) = operand else {
        throw raise("TypeError", "einsum(): operands must be tensors")
      }
      tensors.append(tensor)
    }
    guard inputs.count == tensors.count, let first = tensors.first else {
      throw raise("RuntimeError", "einsum(): the equation names another number of operands")
    }
    var sizes: [Character: SymInt] = [:]
    var uses: [Character: Int] = [:]
    var ellipsis: [[SymInt]] = []
    for (subscripts, tensor) in zip(inputs, tensors) {
      let parts = subscripts.components(separatedBy: "...")
      let letters = parts.joined()
      let spread = parts.count > 1
      if spread ? letters.count > tensor.rank : letters.count != tensor.rank {
        try requireRank(tensor, [letters.count], "einsum")
      }
      let dotted = tensor.rank - letters.count
      if spread { ellipsis.append(Array(tensor.dims[parts[0].count..<(parts[0].count + dotted)])) }
      for (index, letter) in letters.enumerated() {
        let position = index < parts[0].count ? index : index + dotted
        let size = tensor.dims[position]
        uses[letter, default: 0] += 1
        if let known = sizes[letter], known.value != 1 {
          if size.value != 1 {
            try requireEqual(
              known, size,
              "einsum(): subscript \(letter) has size \(size.value) for operand which does not broadcast with previously seen size \(known.value)"
            )
          }
        } else {
          sizes[letter] = size
        }
      }
    }
    let output =
      sides.count > 1
      ? sides[1]
      : (ellipsis.isEmpty ? "" : "...")
        + String(uses.filter { $0.value == 1 }.map(\.key).sorted())
    let outputParts = output.components(separatedBy: "...")
    var dims: [SymInt] = []
    for letter in outputParts[0] { dims.append(try size(letter, sizes)) }
    if outputParts.count > 1 {
      dims += try broadcast(ellipsis)
      for letter in outputParts[1] { dims.append(try size(letter, sizes)) }
    }
    let element = tensors.dropFirst().reduce(first.element) { Promotion.promote($0, $1.element) }
    return try makeTensor(element, dims)
  }

  private func size(_ letter: Character, _ sizes: [Character: SymInt]) throws -> SymInt {
    guard let size = sizes[letter] else {
      throw raise(
        "RuntimeError", "einsum(): output subscript \(letter) does not appear in the equation")
    }
    return size
  }
}
