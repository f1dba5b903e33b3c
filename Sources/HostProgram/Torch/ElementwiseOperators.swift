import PythonSyntax
import TileIR

/// Operators that work element by element, with broadcasting.
enum ElementwiseOperators {
  enum Kind: Sendable { case same, toFloat, toBool }

  private static let unary: [(Kind, String)] = [
    (
      .same,
      "neg negative abs absolute relu relu6 floor ceil round trunc sign square positive nan_to_num bitwise_not clone_like hardtanh threshold frac fix sgn"
    ),
    (
      .toFloat,
      "exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sigmoid tanh sin cos tan asin acos atan sinh cosh erf erfc erfinv gelu silu swish mish selu elu celu softplus softsign hardswish hardsigmoid leaky_relu logsigmoid logit tanhshrink hardshrink softshrink rrelu lgamma digamma deg2rad"
    ),
    (.toBool, "isnan isinf isfinite logical_not signbit isneginf isposinf"),
  ]

  private static let binary: [(Kind, String)] = [
    (
      .same,
      "add sub subtract mul multiply pow maximum minimum remainder fmod floor_divide bitwise_and bitwise_or bitwise_xor copysign rsub max_with min_with bitwise_left_shift bitwise_right_shift gcd lcm fmax fmin"
    ),
    (.toFloat, "div divide true_divide atan2 arctan2 hypot xlogy logaddexp logaddexp2"),
    (
      .toBool,
      "eq ne lt gt le ge greater less equal_elements not_equal greater_equal less_equal logical_and logical_or logical_xor isclose"
    ),
  ]

  /// Further parameters of operators on one tensor.
  private static let withParameters: [(String, String)] = [
    ("gelu", "approximate"), ("leaky_relu", "negative_slope inplace"), ("elu", "alpha inplace"),
    ("selu", "inplace"), ("celu", "alpha inplace"), ("softplus", "beta threshold"),
    ("hardtanh", "min_val max_val inplace"), ("threshold", "threshold value inplace"),
    ("hardshrink", "lambd"), ("softshrink", "lambd"), ("rrelu", "lower upper training inplace"),
    ("nan_to_num", "nan posinf neginf"), ("relu", "inplace"), ("relu6", "inplace"),
    ("silu", "inplace"), ("mish", "inplace"), ("hardswish", "inplace"),
    ("hardsigmoid", "inplace"), ("round", "decimals"), ("logit", "eps"),
  ]
  /// Further parameters of operators on two tensors.
  private static let withScale: [String: String] = [
    "add": "alpha", "sub": "alpha", "subtract": "alpha", "rsub": "alpha", "div": "rounding_mode",
    "divide": "rounding_mode", "isclose": "rtol atol equal_nan",
  ]

  static let table: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    for (kind, names) in unary {
      for name in names.split(separator: " ").map(String.init) {
        table[name] = TorchOperator("input *rest") { ev, bound in
          let input = try bound.tensor("input")
          return .tensor(try ev.elementwise(kind, [.tensor(input)]))
        }
      }
    }
    for (name, parameters) in withParameters {
      let kind: Kind =
        unary.first { $0.1.split(separator: " ").contains { $0 == name } }?.0 ?? .toFloat
      table[name] = TorchOperator("input \(parameters)") { ev, bound in
        .tensor(try ev.elementwise(kind, [.tensor(try bound.tensor("input"))]))
      }
    }
    for (kind, names) in binary {
      for name in names.split(separator: " ").map(String.init) {
        let more = withScale[name] ?? ""
        table[name] = TorchOperator("input other \(more)") { ev, bound in
          var chosen = kind
          if bound.string("rounding_mode") != nil { chosen = .same }
          return .tensor(
            try ev.elementwise(chosen, [bound.require("input"), bound.require("other")]))
        }
      }
    }
    table["pow"] = TorchOperator("input exponent") { ev, bound in
      .tensor(try ev.elementwise(.same, [bound.require("input"), bound.require("exponent")]))
    }
    table["heaviside"] = TorchOperator("input values") { ev, bound in
      .tensor(try ev.elementwise(.same, [bound.require("input"), bound.require("values")]))
    }
    table["prelu"] = TorchOperator("input weight") { ev, bound in
      .tensor(try ev.elementwise(.same, [.tensor(try bound.tensor("input"))]))
    }
    return table.merging(special) { _, new in new }
  }()

  private static let special: [String: TorchOperator] = [
    "clamp": TorchOperator("input min max") { ev, bound in
      let operands = [bound.given("input"), bound.given("min"), bound.given("max")]
      return .tensor(try ev.elementwise(.same, operands.compactMap { $0 }))
    },
    "clip": TorchOperator("input min max") { ev, bound in
      let operands = [bound.given("input"), bound.given("min"), bound.given("max")]
      return .tensor(try ev.elementwise(.same, operands.compactMap { $0 }))
    },
    "clamp_min": TorchOperator("input min") { ev, bound in
      .tensor(try ev.elementwise(.same, [bound.require("input"), bound.require("min")]))
    },
    "clamp_max": TorchOperator("input max") { ev, bound in
      .tensor(try ev.elementwise(.same, [bound.require("input"), bound.require("max")]))
    },
    "where": TorchOperator("condition input other") { ev, bound in
      let condition = try bound.tensor("condition")
      guard bound.given("input") != nil else {
        ev.note("assumed-content", "the size of this result depends on tensor contents")
        let count = SymInt(condition.count, origin: .unknown)
        return .makeTuple(
          try (0..<max(1, condition.rank)).map { _ in .tensor(try ev.makeTensor(.int64, [count])) })
      }
      let values = [try bound.require("input"), try bound.require("other")]
      let shapes = ([.tensor(condition)] + values).compactMap { value -> [SymInt]? in
        if case .tensor(let tensor) = value { tensor.dims } else { nil }
      }
      return .tensor(
        try ev.makeTensor(Promotion.result(values), try ev.broadcast(shapes)))
    },
    "masked_fill": TorchOperator("input mask value") { ev, bound in
      let input = try bound.tensor("input")
      let mask = try bound.tensor("mask")
      return .tensor(try ev.makeTensor(input.element, try ev.broadcast([input.dims, mask.dims])))
    },
    "lerp": TorchOperator("input end weight") { ev, bound in
      .tensor(try ev.elementwise(.same, [bound.require("input"), bound.require("end")]))
    },
    "addcmul": TorchOperator("input tensor1 tensor2 value") { ev, bound in
      .tensor(
        try ev.elementwise(
          .same, [bound.require("input"), bound.require("tensor1"), bound.require("tensor2")]))
    },
    "addcdiv": TorchOperator("input tensor1 tensor2 value") { ev, bound in
      .tensor(
        try ev.elementwise(
          .same, [bound.require("input"), bound.require("tensor1"), bound.require("tensor2")]))
    },
    "dropout": TorchOperator("input p training inplace") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
    "glu": TorchOperator("input dim") { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim", default: -1), input)
      var dims = input.dims
      dims[axis] = dims[axis].floorDivided(by: 2) ?? dims[axis]
      return .tensor(try ev.makeTensor(input.element, dims))
    },
    "equal": TorchOperator("input other") { ev, _ in
      ev.note("assumed-content", "this depends on tensor contents; assumed true")
      return .boolean(SymBool(value: true, origin: .unknown))
    },
    "allclose": TorchOperator("input other rtol atol equal_nan") { ev, _ in
      ev.note("assumed-content", "this depends on tensor contents; assumed true")
      return .boolean(SymBool(value: true, origin: .unknown))
    },
  ]
}

extension Evaluator {
  func elementwise(_ name: String, _ tensors: [TensorObject]) throws -> TensorObject {
    operatorDepth += 1
    defer { operatorDepth -= 1 }
    let result = try elementwise(ElementwiseOperators.Kind.same, tensors.map(Value.tensor))
    recordOperator(name)
    trace(name, tensors.first.map { ["input": .tensor($0)] } ?? [:], [result])
    return result
  }

  /// The result of an elementwise operator over tensors and numbers.
  func elementwise(_ kind: ElementwiseOperators.Kind, _ operands: [Value]) throws -> TensorObject {
    var tensors: [TensorObject] = []
    for operand in operands {
      if case .tensor(let tensor) = operand { tensors.append(tensor) }
      if case .opaque(let object) = operand { throw refuse(object) }
    }
    guard let first = tensors.first else {
      throw raise("TypeError", "an operand must be Tensor, not \(operands.first?.typeName ?? "")")
    }
    var element = Promotion.result(operands)
    switch kind {
    case .same: break
    case .toFloat: if !element.isFloat { element = .fp32 }
    case .toBool: element = .int1
    }
    if tensors.count == 1, first.isDense { return try makeLike(first, element) }
    let dims = try broadcast(tensors.map(\.dims))
    var strides: [SymInt]?
    if !tensors.allSatisfy({ $0.isContiguous }) {
      strides = TensorObject.strides(dims, order: iterationOrder(dims, tensors))
    }
    let result = try makeTensor(element, dims, strides: strides)
    if let source = tensors.first(where: { $0.rank == dims.count })?.rankSource {
      result.rankSource = source
    }
    return result
  }

  /// The axes, outermost first, in the order in which torch's TensorIterator lays out a result: the
  /// first operand whose strides tell two axes apart decides (`reorder_dimensions`).
  private func iterationOrder(_ dims: [SymInt], _ tensors: [TensorObject]) -> [Int] {
    let operands = tensors.map { tensor -> [Int] in
      let lead = dims.count - tensor.rank
      let own = tensor.strides
      return dims.indices.map { axis in
        guard axis >= lead else { return 0 }
        let isBroadcast = tensor.dims[axis - lead].value == 1 && dims[axis].value != 1
        return isBroadcast ? 0 : own[axis - lead].value
      }
    }
    func isAfter(_ a: Int, _ b: Int) -> Bool? {
      for strides in operands {
        if strides[a] == 0 || strides[b] == 0 { continue }
        if strides[a] != strides[b] { return strides[a] > strides[b] }
        if dims[a].value > dims[b].value { return true }
      }
      return nil
    }
    var order = Array(dims.indices.reversed())  // fastest first
    guard order.count > 1 else { return order }
    for start in 1..<order.count {
      var position = start
      for candidate in stride(from: start - 1, through: 0, by: -1) {
        guard let swaps = isAfter(order[candidate], order[position]) else { continue }
        if !swaps { break }
        order.swapAt(candidate, position)
        position = candidate
      }
    }
    return order.reversed()
  }

  private static let operatorNames: [BinaryOperator: String] = [
    .add: "add", .sub: "sub", .mul: "mul", .matMul: "matmul", .div: "div", .mod: "remainder",
    .pow: "pow", .bitOr: "bitwise_or", .bitXor: "bitwise_xor", .bitAnd: "bitwise_and",
    .floorDiv: "floor_divide", .leftShift: "bitwise_left_shift",
    .rightShift: "bitwise_right_shift",
  ]

  /// `tensor op value` in either order; `place` is the tensor that `tensor op= value` changes.
  func tensorBinary(
    _ op: BinaryOperator, _ left: Value, _ right: Value, into place: TensorObject? = nil
  ) throws -> Value {
    let name = Self.operatorNames[op] ?? op.rawValue
    if op == .matMul, let matmul = LinearAlgebraOperators.table["matmul"] {
      return try run("matmul", matmul, Arguments([left, right], range: here), into: place)
    }
    operatorDepth += 1
    defer { operatorDepth -= 1 }
    let result = try elementwise(op == .div ? .toFloat : .same, [left, right])
    result.fill = try foldFill(op, left, right)
    recordOperator(name)
    let arguments = ["input": left, op == .pow ? "exponent" : "other": right]
    guard let place else {
      trace(name, arguments, [result])
      return .tensor(result)
    }
    guard result.sizes == place.sizes else {
      throw raise(
        "RuntimeError",
        "output with shape \(place.sizes) doesn't match the broadcast shape \(result.sizes)")
    }
    trace(name, arguments, [place])
    noteWrite(place)
    return .tensor(place)
  }

  /// One known value per tensor stays known through arithmetic.
  private func foldFill(_ op: BinaryOperator, _ left: Value, _ right: Value) throws -> Value? {
    func fill(_ value: Value) -> Double? {
      if case .tensor(let tensor) = value { return knownFill(tensor)?.asDouble }
      return value.asDouble
    }
    guard let x = fill(left), let y = fill(right),
      op == .add || op == .sub || op == .mul || op == .div
    else { return nil }
    if op == .div, y == 0 { return nil }
    for case .tensor(let tensor) in [left, right] { trace.readStorages.insert(tensor.storage) }
    return try floatBinary(op, x, y, .unknown)
  }

  func tensorCompare(_ op: CompareOperator, _ left: Value, _ right: Value) throws -> Value {
    if left.isNone || right.isNone { return .bool(op == .notEqual) }
    let names: [CompareOperator: String] = [
      .equal: "eq", .notEqual: "ne", .less: "lt", .lessEqual: "le", .greater: "gt",
      .greaterEqual: "ge",
    ]
    operatorDepth += 1
    defer { operatorDepth -= 1 }
    let result = try elementwise(.toBool, [left, right])
    recordOperator(names[op] ?? op.rawValue)
    trace(names[op] ?? op.rawValue, ["input": left, "other": right], [result])
    return .tensor(result)
  }
}
