import PythonSyntax
import TileIR

extension BuiltinTable {
  private static let floats: Set<ElementType> = [.fp32, .fp64]
  private static let wideIntegers: Set<ElementType> = [.int32, .int64, .uint32, .uint64]

  /// One-operand functions: as a function Triton checks the element type, as a method it does not.
  private static func unary(_ name: String, _ op: UnaryOp, _ accepted: Set<ElementType> = floats)
    -> [Builtin]
  {
    [
      Builtin("tl.\(name)", "x", method: true) { lowerer, arguments in
        try lowerer.checkElements([arguments["x"]], accepted)
        return .tensor(try lowerer.unaryMath(op, arguments["x"]))
      },
      Builtin("method.\(name)", "x", method: true) { lowerer, arguments in
        .tensor(try lowerer.unaryMath(op, arguments["x"]))
      },
    ]
  }

  static let math: [Builtin] =
    unary("exp", .exp) + unary("exp2", .exp2) + unary("log", .log) + unary("log2", .log2)
    + unary("cos", .cos) + unary("sin", .sin) + unary("sqrt", .sqrt)
    + unary("sqrt_rn", .sqrtRn, [.fp32]) + unary("rsqrt", .rsqrt) + unary("erf", .erf)
    + unary("floor", .floor) + unary("ceil", .ceil) + otherMath

  private static let otherMath: [Builtin] = [
    Builtin("tl.abs", "x", method: true) { lowerer, arguments in
      let x = try lowerer.toTensor(arguments["x"])
      if x.element.isPointer { throw lowerer.typeError("unexpected dtype \(x.element)") }
      if x.element.isInteger, !x.element.isSignedInteger { return .tensor(x) }
      return .tensor(Tensor(lowerer.builder.unary(.abs, x.value), x.type))
    },
    Builtin("tl.umulhi", "x, y") { lowerer, arguments in
      try lowerer.checkElements([arguments["x"], arguments["y"]], wideIntegers)
      return .tensor(
        try lowerer.umulhi(
          try lowerer.toTensor(arguments["x"]), try lowerer.toTensor(arguments["y"])))
    },
    Builtin("tl.fdiv", "x, y, ieee_rounding=False") { lowerer, arguments in
      .tensor(
        try lowerer.fdiv(
          try lowerer.toTensor(arguments["x"]), try lowerer.toTensor(arguments["y"])))
    },
    Builtin("tl.div_rn", "x, y") { lowerer, arguments in
      try lowerer.checkElements([arguments["x"], arguments["y"]], [.fp32])
      let (a, b) = try lowerer.operands(
        .tensor(try lowerer.toTensor(arguments["x"])),
        .tensor(try lowerer.toTensor(arguments["y"])))
      guard a.element == .fp32 else { throw lowerer.typeError("div_rn needs fp32 operands") }
      return .tensor(lowerer.tensor(.divRn, a, b))
    },
    Builtin("tl.fma", "x, y, z") { lowerer, arguments in
      var x = try lowerer.toTensor(arguments["x"])
      var y = try lowerer.toTensor(arguments["y"])
      var z = try lowerer.toTensor(arguments["z"])
      (x, y) = try lowerer.operands(.tensor(x), .tensor(y))
      (z, x) = try lowerer.operands(.tensor(z), .tensor(x))
      (z, y) = try lowerer.operands(.tensor(z), .tensor(y))
      guard x.element.isFloat, x.type == y.type, x.type == z.type else {
        throw lowerer.typeError("fma needs floating operands of one shape")
      }
      return .tensor(
        Tensor(lowerer.builder.emitTile(.fma, [x.value, y.value, z.value], x.type), x.type))
    },
    Builtin("tl.clamp", "x, min, max, propagate_nan=NONE") { lowerer, arguments in
      var x = try lowerer.promoteBFloat(try lowerer.toTensor(arguments["x"]))
      var low = try lowerer.promoteBFloat(try lowerer.toTensor(arguments["min"]))
      var high = try lowerer.promoteBFloat(try lowerer.toTensor(arguments["max"]))
      (low, high) = try lowerer.operands(.tensor(low), .tensor(high))
      (x, low) = try lowerer.operands(.tensor(x), .tensor(low))
      (x, high) = try lowerer.operands(.tensor(x), .tensor(high))
      guard x.element.isFloat else {
        throw lowerer.typeError(
          "unexpected dtype \(x.element); only floating point clamp is supported")
      }
      guard x.type == low.type, x.type == high.type else {
        throw lowerer.typeError("clamp's operands differ in type")
      }
      let propagates = try lowerer.propagatesNaN(arguments["propagate_nan"])
      return .tensor(
        Tensor(
          lowerer.builder.emitTile(
            .clamp(propagateNaN: propagates), [x.value, low.value, high.value], x.type), x.type))
    },
    Builtin("tl.sigmoid", "x", method: true) { lowerer, arguments in
      let negated = try lowerer.unary(.minus, arguments["x"])
      try lowerer.checkElements([negated], floats)
      let exponential = try lowerer.unaryMath(.exp, negated)
      let denominator = try lowerer.binary(.add, .int(1), .tensor(exponential))
      return try lowerer.binary(.div, .int(1), denominator)
    },
    Builtin("tl.softmax", "x, dim=None, keep_dims=False, ieee_rounding=False", method: true) {
      lowerer, arguments in
      let x = try arguments.tensor("x")
      let axis = arguments["dim"].isNone ? PyValue.int(0) : arguments["dim"]
      let keep = try arguments.bool("keep_dims")
      let peak = try lowerer.extremum(x, axis, .max, keepDims: keep)
      let shifted = try lowerer.subtract(.tensor(x), .tensor(peak))
      try lowerer.checkElements([.tensor(shifted)], floats)
      let numerator = try lowerer.unaryMath(.exp, .tensor(shifted))
      let sum = try lowerer.reduce([numerator], axis, .sum, keepDims: keep)[0]
      return .tensor(try lowerer.fdiv(numerator, sum))
    },
    Builtin("tl.cdiv", "x, div", method: true) { lowerer, arguments in
      let less = try lowerer.binary(.sub, arguments["div"], .int(1))
      let sum = try lowerer.binary(.add, arguments["x"], less)
      return .tensor(
        try lowerer.toTensor(try lowerer.binary(.floorDiv, sum, arguments["div"])))
    },
    Builtin("tl.swizzle2d", "i, j, size_i, size_j, size_g") { lowerer, arguments in
      func apply(_ op: BinaryOperator, _ a: PyValue, _ b: PyValue) throws -> PyValue {
        try lowerer.sanitize(try lowerer.binary(op, a, b))
      }
      let sizeJ = arguments["size_j"]
      let index = try apply(
        .add, try lowerer.binary(.mul, arguments["i"], sizeJ), arguments["j"])
      let group = try apply(.mul, arguments["size_g"], sizeJ)
      let groupID = try apply(.floorDiv, index, group)
      let first = try apply(.mul, groupID, arguments["size_g"])
      let size = PyValue.tensor(
        try lowerer.minMax(
          .minimum,
          try lowerer.toTensor(try lowerer.binary(.sub, arguments["size_i"], first)),
          try lowerer.toTensor(arguments["size_g"])))
      let inner = try apply(.mod, index, group)
      let newI = try apply(.add, first, try lowerer.binary(.mod, inner, size))
      let newJ = try apply(.floorDiv, inner, size)
      return .tuple(TupleValue([newI, newJ]))
    },
  ]

  static let arithmetic: [Builtin] = [
    Builtin("tl.add", "x, y, sanitize_overflow=True") { lowerer, arguments in
      .tensor(try lowerer.add(arguments["x"], arguments["y"]))
    },
    Builtin("tl.sub", "x, y, sanitize_overflow=True") { lowerer, arguments in
      .tensor(try lowerer.subtract(arguments["x"], arguments["y"]))
    },
    Builtin("tl.mul", "x, y, sanitize_overflow=True") { lowerer, arguments in
      .tensor(try lowerer.multiply(arguments["x"], arguments["y"]))
    },
    Builtin("tl.minimum", "x, y, propagate_nan=NONE") { lowerer, arguments in
      let op: BinaryOp =
        try lowerer.propagatesNaN(arguments["propagate_nan"]) ? .minimumNaN : .minimum
      return .tensor(
        try lowerer.minMax(
          op, try lowerer.toTensor(arguments["x"]), try lowerer.toTensor(arguments["y"])))
    },
    Builtin("tl.maximum", "x, y, propagate_nan=NONE") { lowerer, arguments in
      let op: BinaryOp =
        try lowerer.propagatesNaN(arguments["propagate_nan"]) ? .maximumNaN : .maximum
      return .tensor(
        try lowerer.minMax(
          op, try lowerer.toTensor(arguments["x"]), try lowerer.toTensor(arguments["y"])))
    },
    Builtin("tl.where", "condition, x, y") { lowerer, arguments in
      .tensor(
        try lowerer.select(
          try lowerer.toTensor(arguments["condition"]), arguments["x"], arguments["y"]))
    },
    Builtin("tl.logical_and", "input, other", method: true) { lowerer, arguments in
      .tensor(
        try lowerer.logical(
          .and, try arguments.tensor("input"), try lowerer.toTensor(arguments["other"])))
    },
    Builtin("tl.logical_or", "input, other", method: true) { lowerer, arguments in
      .tensor(
        try lowerer.logical(
          .or, try arguments.tensor("input"), try lowerer.toTensor(arguments["other"])))
    },
    Builtin("python.min", "*args, propagate_nan=NONE") { lowerer, arguments in
      try lowerer.pythonExtremum("min", .minimum, arguments)
    },
    Builtin("python.max", "*args, propagate_nan=NONE") { lowerer, arguments in
      try lowerer.pythonExtremum("max", .maximum, arguments)
    },
  ]
}

extension Lowerer {
  /// `@_check_dtype`: every tensor argument must have one of the element types.
  func checkElements(_ values: [PyValue], _ accepted: Set<ElementType>) throws {
    for value in values {
      guard let tensor = value.tensor, !accepted.contains(tensor.element) else { continue }
      let names = accepted.map(\.description).sorted().joined(separator: ", ")
      throw valueError("expected dtype [\(names)] but got \(tensor.element)")
    }
  }

  func unaryMath(_ op: UnaryOp, _ value: PyValue) throws -> Tensor {
    let x = try toTensor(value)
    guard x.element.isFloat else {
      throw typeError("'\(op.rawValue)' needs a floating operand, got \(x.element)")
    }
    return Tensor(builder.unary(op, x.value), x.type)
  }

  func umulhi(_ x: Tensor, _ y: Tensor) throws -> Tensor {
    let (a, b) = try operands(.tensor(x), .tensor(y))
    return tensor(.umulhi, a, b)
  }

  func fdiv(_ x: Tensor, _ y: Tensor) throws -> Tensor {
    guard x.element.isFloat, y.element.isFloat else {
      throw typeError("both operands of fdiv must have floating scalar type")
    }
    let (a, b) = try operands(
      .tensor(x), .tensor(y), BinaryOptions(arithmetic: false, divOrMod: true))
    guard a.element == b.element else {
      throw typeError("operands of fdiv differ in type: \(a.element) and \(b.element)")
    }
    return tensor(.div, a, b)
  }

  func propagatesNaN(_ value: PyValue) throws -> Bool {
    switch value {
    case .symbol("PropagateNan.ALL"): return true
    case .symbol("PropagateNan.NONE"): return false
    default: throw valueError("unexpected propagate_nan '\(value.display)'")
    }
  }

  func pythonExtremum(_ name: String, _ op: BinaryOp, _ arguments: BoundArguments) throws
    -> PyValue
  {
    let values = arguments.variadic
    if values.allSatisfy({ $0.tensor == nil }) {
      var evaluator = CompileTimeEvaluator(scope: frame.reference.scope)
      return try evaluator.apply(.builtin("python.\(name)"), values, [])
    }
    guard values.count >= 2 else {
      throw failure("triton-assertion", "\(name) requires at least 2 values")
    }
    var result = try toTensor(values[0])
    for value in values.dropFirst() { result = try minMax(op, result, try toTensor(value)) }
    return .tensor(result)
  }

  /// A libdevice call; the operand types must match an overload exactly.
  func libdevice(_ name: String, _ positional: [PyValue]) throws -> Tensor {
    guard let overloads = Libdevice.functions[name] else {
      throw failure("triton-attribute-error", "libdevice has no function '\(name)'")
    }
    var operands = try positional.map(toTensor)
    let types = operands.map(\.element)
    guard let overload = overloads.first(where: { $0.operands == types }) else {
      let known = overloads.map { "(\($0.operands.map(\.description).joined(separator: ", ")))" }
      throw failure(
        "triton-key-error",
        "libdevice.\(name) takes \(known.joined(separator: " or ")), not "
          + "(\(types.map(\.description).joined(separator: ", ")))")
    }
    if var shared = operands.first {
      for operand in operands { shared = try broadcast(operand, shared).1 }
      operands = try operands.map { try broadcast($0, shared).0 }
    }
    let type = TileType(overload.result, operands.first?.shape ?? [])
    return Tensor(
      builder.emitTile(
        .external(symbol: overload.symbol, isPure: true), operands.map(\.value), type), type)
  }
}
