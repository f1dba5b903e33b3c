import TileIR

extension BuiltinTable {
  static let dots: [Builtin] = [
    Builtin(
      "tl.dot",
      "input, other, acc=None, input_precision=None, allow_tf32=None, max_num_imprecise_acc=None, out_dtype=float32"
    ) { lowerer, arguments in .tensor(try lowerer.dot(arguments)) },
    Builtin(
      "tl.dot_scaled",
      "lhs, lhs_scale, lhs_format, rhs, rhs_scale, rhs_format, acc=None, fast_math=False, lhs_k_pack=True, rhs_k_pack=True, out_dtype=float32"
    ) { lowerer, arguments in .tensor(try lowerer.dotScaled(arguments)) },
  ]
}

extension Lowerer {
  private func assertion(_ message: String) -> Error { failure("triton-assertion", message) }

  func dot(_ arguments: BoundArguments) throws -> Tensor {
    var a = try arguments.tensor("input")
    var b = try arguments.tensor("other")
    guard arguments["input_precision"].isNone || arguments["allow_tf32"].isNone else {
      throw assertion("only one of input_precision and allow_tf32 can be specified")
    }
    var precisionName = try arguments.string("input_precision").lowercased()
    if arguments["input_precision"].isNone {
      let allows = arguments["allow_tf32"].isNone ? true : try arguments.bool("allow_tf32")
      precisionName = allows ? "tf32" : "ieee"
    }
    guard let precision = InputPrecision(rawValue: precisionName) else {
      throw assertion(
        "input_precision must be one of tf32, tf32x3, ieee, bf16x3, bf16x6; got '\(precisionName)'")
    }
    let outType = try arguments.element("out_dtype")
    var accumulator = arguments["acc"].isNone ? nil : try arguments.tensor("acc")
    let rank = a.shape.count
    guard a.isBlock, b.isBlock, rank == b.shape.count, rank >= 2 else {
      throw assertion("input and other must have equal ranks >= 2, got \(a.shape) and \(b.shape)")
    }
    guard a.shape.dropLast(2) == b.shape.dropLast(2) else {
      throw assertion("input and other must have equal batch shapes")
    }
    guard a.shape[rank - 1] == b.shape[rank - 2] else {
      throw assertion(
        "input and other must have equal reduction dimensions, got \(a.shape) and \(b.shape)")
    }
    let shape = Array(a.shape.dropLast()) + [b.shape[rank - 1]]
    if let accumulator, accumulator.shape != shape {
      throw assertion("accumulator shape \(accumulator.shape) is incompatible with \(shape)")
    }
    if rank >= 4 {
      let batch = shape.dropLast(2).reduce(1, *)
      a = try reshape(a, [batch] + a.shape.suffix(2), canReorder: false)
      b = try reshape(b, [batch] + b.shape.suffix(2), canReorder: false)
      accumulator = try accumulator.map {
        try reshape($0, [batch] + shape.suffix(2), canReorder: false)
      }
    }
    let result = try dot(
      a, b, accumulator, precision, outType,
      imprecise: try arguments.optionalInteger("max_num_imprecise_acc"))
    return rank >= 4 ? try reshape(result, shape, canReorder: false) : result
  }

  private func dot(
    _ left: Tensor, _ right: Tensor, _ accumulator: Tensor?, _ precision: InputPrecision,
    _ outType: ElementType, imprecise: Int?
  ) throws -> Tensor {
    var a = left
    var b = right
    func isFloat8(_ element: ElementType) -> Bool { element.isFloat && element.bits == 8 }
    if !(isFloat8(a.element) && isFloat8(b.element)) {
      let accepted: Set<ElementType> = [.int8, .uint8, .fp16, .bf16, .fp32, .fp64]
      guard accepted.contains(a.element) else {
        throw assertion("unsupported lhs dtype \(a.element)")
      }
      guard accepted.contains(b.element) else {
        throw assertion("unsupported rhs dtype \(b.element)")
      }
      guard a.element == b.element else {
        throw assertion("both operands must be same dtype, got \(a.element) and \(b.element)")
      }
    }
    if a.element == .fp8e4b15 || b.element == .fp8e4b15 {
      a = try cast(a, to: .fp16)
      b = try cast(b, to: .fp16)
    }
    let rank = a.shape.count
    let inner = a.shape[rank - 1]
    // min_dot_size of Triton 3.6's NVIDIA backend: (1, 1, 32) for 8-bit operands, else (1, 1, 16).
    let minimum = a.element.bits == 8 ? 32 : 16
    guard inner >= minimum else {
      throw assertion("input shapes should have M >= 1, N >= 1 and K >= \(minimum), K is \(inner)")
    }
    let resultElement: ElementType
    if a.element.isInteger {
      guard a.element == .int8 else { throw assertion("only int8 supported") }
      resultElement = .int32
    } else if outType == .bf16 {
      throw valueError(
        "out_dtype=bfloat16 is unsupported; use out_dtype=float32/float16 and cast with '.to(tl.bfloat16)'"
      )
    } else if a.element == .fp32 || a.element == .bf16 {
      resultElement = .fp32
    } else if a.element == .fp64 {
      resultElement = .fp64
    } else {
      resultElement = outType
    }
    let type = TileType(resultElement, Array(a.shape.dropLast()) + [b.shape[rank - 1]])
    try checkShape(type.shape)
    let start: Tensor
    if let accumulator {
      guard accumulator.element == outType else {
        throw assertion("accumulator is \(accumulator.element), out_dtype is \(outType)")
      }
      guard accumulator.type == type else {
        throw assertion("accumulator is \(accumulator.type), the product \(type)")
      }
      start = accumulator
    } else {
      start = Tensor(builder.integer(0, resultElement, shape: type.shape), type)
    }
    if let imprecise, isFloat8(a.element), imprecise > inner {
      throw valueError("max_num_imprecise_acc (\(imprecise)) must be <= K (\(inner))")
    }
    return Tensor(
      builder.emitTile(
        .dot(precision, maxNumImpreciseAcc: imprecise), [a.value, b.value, start.value], type),
      type)
  }

  func dotScaled(_ arguments: BoundArguments) throws -> Tensor {
    let formats: [String: (scalar: ElementType, storage: ElementType)] = [
      "e5m2": (.fp8e5, .uint8), "e4m3": (.fp8e4nv, .uint8), "bf16": (.bf16, .uint16),
      "fp16": (.fp16, .uint16),
    ]
    func operand(_ name: String, _ format: String) throws -> Tensor {
      let tensor = try arguments.tensor(name)
      if format == "e2m1" {
        guard tensor.element == .uint8 else {
          throw assertion("e2m1 format must be packed as uint8, got \(tensor.element)")
        }
        return tensor
      }
      guard let types = formats[format] else {
        throw valueError("invalid float format: '\(format)'")
      }
      if tensor.element == types.scalar { return tensor }
      guard tensor.element == types.storage else {
        throw assertion("unexpected dtype for \(format), got \(tensor.element)")
      }
      return try bitcast(tensor, to: types.scalar)
    }
    let leftFormat = try arguments.string("lhs_format")
    let rightFormat = try arguments.string("rhs_format")
    let a = try operand("lhs", leftFormat)
    let b = try operand("rhs", rightFormat)
    let leftPack = try arguments.bool("lhs_k_pack")
    let rightPack = try arguments.bool("rhs_k_pack")
    guard leftPack || leftFormat == "e2m1", rightPack || rightFormat == "e2m1" else {
      throw assertion("only mxfp4 inputs can be packed along a dimension different than K")
    }
    let rank = a.shape.count
    guard rank == b.shape.count, rank == 2 || rank == 3 else {
      throw assertion("both inputs must be either 2D or 3D, got \(a.shape) and \(b.shape)")
    }
    let (leftFactor, rightFactor) = (leftFormat == "e2m1" ? 2 : 1, rightFormat == "e2m1" ? 2 : 1)
    let innerLeft = a.shape[rank - 1] * (leftPack ? leftFactor : 1)
    let innerRight = b.shape[rank - 2] * (rightPack ? rightFactor : 1)
    guard innerLeft == innerRight else {
      throw assertion(
        "reduction dimension should pack the same number of elements; got \(a.shape) and \(b.shape)"
      )
    }
    let rows = a.shape[rank - 2] * (leftPack ? 1 : leftFactor)
    let columns = b.shape[rank - 1] * (rightPack ? 1 : rightFactor)
    let type = TileType(.fp32, Array(a.shape.dropLast(2)) + [rows, columns])
    try checkShape(type.shape)
    guard try arguments.element("out_dtype") == .fp32 else {
      throw assertion("only float32 is supported for out_dtype at the moment")
    }
    func scale(_ name: String, _ size: Int) throws -> Tensor? {
      guard !arguments[name].isNone else { return nil }
      let tensor = try arguments.tensor(name)
      let factor = tensor.element == .fp8e4nv ? 16 : 32
      guard tensor.shape == [size, innerLeft / factor] else {
        throw assertion(
          "\(name) must be a tensor of shape [\(size), \(innerLeft / factor)], got \(tensor.shape)")
      }
      return tensor
    }
    let leftScale = try scale("lhs_scale", rows)
    let rightScale = try scale("rhs_scale", columns)
    let start: Value
    if arguments["acc"].isNone {
      start = builder.integer(0, .fp32, shape: type.shape)
    } else {
      let accumulator = try arguments.tensor("acc")
      guard accumulator.type == type else {
        throw assertion("accumulator is \(accumulator.type), the product \(type)")
      }
      start = accumulator.value
    }
    let operands =
      [a.value] + (leftScale.map { [$0.value] } ?? []) + [b.value]
      + (rightScale.map { [$0.value] } ?? []) + [start]
    let kind = Operation.Kind.dotScaled(
      lhsFormat: leftFormat, rhsFormat: rightFormat, hasLHSScale: leftScale != nil,
      hasRHSScale: rightScale != nil, fastMath: try arguments.bool("fast_math"),
      lhsKPack: leftPack, rhsKPack: rightPack)
    return Tensor(builder.emitTile(kind, operands, type), type)
  }
}
