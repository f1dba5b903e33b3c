import TileIR

extension BuiltinTable {
  private static func readModifyWrite(_ name: String) -> Builtin {
    Builtin("tl.atomic_\(name)", "pointer, val, mask=None, sem=None, scope=None", method: true) {
      lowerer, arguments in
      .tensor(try lowerer.atomic(name, arguments))
    }
  }

  static let atomics: [Builtin] =
    ["add", "max", "min", "and", "or", "xor", "xchg"].map(readModifyWrite) + [
      Builtin("tl.atomic_cas", "pointer, cmp, val, sem=None, scope=None", method: true) {
        lowerer, arguments in
        let expected = try lowerer.toTensor(arguments["cmp"])
        let value = try lowerer.toTensor(arguments["val"])
        let (semantics, scope) = try lowerer.memoryOrder(arguments)
        let pointer = try arguments.tensor("pointer")
        guard let element = pointer.element.pointee else {
          throw lowerer.typeError("atomic_cas needs a pointer, got \(pointer.type)")
        }
        guard [16, 32, 64].contains(element.bits) else {
          throw lowerer.valueError("atomic_cas only supports elements with width {16, 32, 64}")
        }
        let type = TileType(element, pointer.shape)
        guard expected.type == type, value.type == type else {
          throw lowerer.typeError(
            "atomic_cas compares \(expected.type) and stores \(value.type) through \(pointer.type)")
        }
        return .tensor(
          Tensor(
            lowerer.builder.emitTile(
              .atomicCAS(semantics: semantics, scope: scope),
              [pointer.value, expected.value, value.value], type), type))
      }
    ]
}

extension Lowerer {
  func memoryOrder(_ arguments: BoundArguments) throws -> (semantics: String, scope: String) {
    let semantics = try arguments.string("sem")
    let scope = try arguments.string("scope")
    guard ["", "acquire", "release", "acq_rel", "relaxed"].contains(semantics) else {
      throw valueError("memory semantic '\(semantics)' not supported")
    }
    guard ["", "gpu", "cta", "sys"].contains(scope) else {
      throw valueError("memory scope '\(scope)' not supported")
    }
    return (semantics.isEmpty ? "acq_rel" : semantics, scope.isEmpty ? "gpu" : scope)
  }

  func atomic(_ name: String, _ arguments: BoundArguments) throws -> Tensor {
    let (semantics, scope) = try memoryOrder(arguments)
    guard let pointer = arguments["pointer"].tensor, let element = pointer.element.pointee else {
      throw valueError("pointer argument of atomic_\(name) is \(arguments["pointer"].typeName)")
    }
    var value = try toTensor(arguments["val"])
    var mask = arguments["mask"].isNone ? nil : try toTensor(arguments["mask"])
    if element == .fp16 || element == .bf16, name != "add" {
      throw valueError("atomic_\(name) does not support \(element)")
    }
    if element == .int16 || element == .uint16 || element.bits < 16 {
      throw valueError("atomic_\(name) does not support \(element)")
    }
    if pointer.isBlock {
      mask = try mask.map { try broadcast($0, to: pointer.shape) }
      value = try broadcast(value, to: pointer.shape)
    }
    value = try cast(value, to: element)
    guard value.shape == pointer.shape, mask == nil || mask?.shape == pointer.shape else {
      throw valueError(
        "atomic_\(name): shapes of pointer \(pointer.shape), value \(value.shape) and mask differ")
    }
    try checkMask(mask)
    let order = (semantics, scope)
    switch name {
    case "add": return rmw(element.isFloat ? .fadd : .add, pointer, value, mask, order)
    case "and", "or", "xor", "xchg":
      let op: AtomicOp = name == "and" ? .and : name == "or" ? .or : name == "xor" ? .xor : .xchg
      return rmw(op, pointer, value, mask, order)
    default: return try atomicExtremum(isMax: name == "max", pointer, value, mask, order)
    }
  }

  private func rmw(
    _ op: AtomicOp, _ pointer: Tensor, _ value: Tensor, _ mask: Tensor?, _ order: (String, String)
  ) -> Tensor {
    let kind = Operation.Kind.atomicRMW(
      op, semantics: order.0, scope: order.1, hasMask: mask != nil)
    let operands = [pointer.value, value.value] + (mask.map { [$0.value] } ?? [])
    return Tensor(builder.emitTile(kind, operands, value.type), value.type)
  }

  /// Floats compare as integers: signed order for non-negative values, reversed unsigned below.
  private func atomicExtremum(
    isMax: Bool, _ pointer: Tensor, _ value: Tensor, _ mask: Tensor?, _ order: (String, String)
  ) throws -> Tensor {
    let element = value.element
    if element.isInteger {
      let op: AtomicOp =
        element.isSignedInteger ? (isMax ? .max : .min) : (isMax ? .umax : .umin)
      return rmw(op, pointer, value, mask, order)
    }
    guard element == .fp32 || element == .fp64 else {
      throw typeError("atomic_\(isMax ? "max" : "min") not supported for dtype \(element)")
    }
    let signed: ElementType = element == .fp32 ? .int32 : .int64
    let unsigned: ElementType = element == .fp32 ? .uint32 : .uint64
    let shift = PyValue.int(Int128(element.bits - 1))
    let bits = try bitcast(value, to: unsigned)
    let negative = try cast(
      try shiftRight(.tensor(bits), shift, logical: true), to: .int1)
    let positive = try logicalNot(negative)
    let all: Tensor
    if let mask {
      all = mask
    } else {
      let bit = Tensor(builder.integer(1, .int1), TileType(.int1))
      all = splat(bit, pointer.shape)
    }
    let high = rmw(
      isMax ? .max : .min, try bitcast(pointer, to: .pointer(to: signed)),
      try bitcast(value, to: signed),
      try bitwise(.and, .tensor(all), .tensor(positive)), order)
    let low = rmw(
      isMax ? .umin : .umax, try bitcast(pointer, to: .pointer(to: unsigned)), bits,
      try bitwise(.and, .tensor(all), .tensor(negative)), order)
    let chosen = try select(positive, .tensor(high), .tensor(low))
    return try bitcast(chosen, to: element)
  }
}
