import Diagnostics
import PythonSyntax
import TileIR

/// Triton's arithmetic on tensors, as its operators and `tl.add` and so on mean it.
extension Lowerer {
  func tensor(_ op: BinaryOp, _ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor(builder.binary(op, a.value, b.value), a.type)
  }

  func add(_ left: PyValue, _ right: PyValue) throws -> Tensor {
    var (a, b) = try operands(left, right, BinaryOptions(leftPointer: true, rightPointer: true))
    if a.element.isPointer, b.element.isPointer { throw typeError("cannot add pointers together") }
    if b.element.isPointer { swap(&a, &b) }
    guard a.element.isPointer else { return tensor(.add, a, b) }
    if b.element.isInteger, !b.element.isSignedInteger, b.element.bits < 64 {
      // addptr takes offsets as signed.
      b = Tensor(builder.cast(b.value, to: .int64), TileType(.int64, b.shape))
    }
    return Tensor(builder.addPointer(a.value, b.value), a.type)
  }

  func subtract(_ left: PyValue, _ right: PyValue) throws -> Tensor {
    let (a, b) = try operands(left, right, BinaryOptions(leftPointer: true))
    if a.element.isPointer { return try add(.tensor(a), .tensor(try negate(b))) }
    return tensor(.sub, a, b)
  }

  func multiply(_ left: PyValue, _ right: PyValue) throws -> Tensor {
    let (a, b) = try operands(left, right)
    return tensor(.mul, a, b)
  }

  func trueDivide(_ left: PyValue, _ right: PyValue) throws -> Tensor {
    var (a, b) = try operands(left, right, BinaryOptions(divOrMod: true))
    if a.element.isFloat, b.element.isInteger {
      b = try cast(b, to: a.element)
    } else if a.element.isInteger, b.element.isFloat {
      a = try cast(a, to: b.element)
    } else if a.element.isInteger {
      a = try cast(a, to: .fp32)
      b = try cast(b, to: .fp32)
    } else if a.element.mantissaBits > b.element.mantissaBits {
      b = try cast(b, to: a.element)
    } else {
      a = try cast(a, to: b.element)
    }
    return tensor(.div, a, b)
  }

  func floorDivide(_ left: PyValue, _ right: PyValue) throws -> Tensor {
    let (a, b) = try operands(left, right, BinaryOptions(divOrMod: true))
    guard a.element.isInteger, b.element.isInteger else {
      throw typeError("unexpected type \(a.element): '//' is defined on integers only")
    }
    return tensor(.idiv, a, b)
  }

  func remainder(_ left: PyValue, _ right: PyValue) throws -> Tensor {
    let (a, b) = try operands(left, right, BinaryOptions(divOrMod: true))
    return tensor(.rem, a, b)
  }

  // MARK: Bits and logic

  private func bitOperands(_ left: PyValue, _ right: PyValue) throws -> (Tensor, Tensor) {
    let (a, b) = try operands(left, right)
    guard a.element.isInteger, b.element.isInteger else {
      throw typeError("invalid operands of type \(a.element) and \(b.element)")
    }
    let element = integerPromotion(a.element, b.element)
    return (try cast(a, to: element), try cast(b, to: element))
  }

  func bitwise(_ op: BinaryOp, _ left: PyValue, _ right: PyValue) throws -> Tensor {
    let (a, b) = try bitOperands(left, right)
    return tensor(op, a, b)
  }

  /// The IR's right shift follows the operand's signedness; Triton's follows its left operand.
  func shiftRight(_ left: PyValue, _ right: PyValue, logical: Bool) throws -> Tensor {
    let (a, b) = try bitOperands(left, right)
    if logical == !a.element.isSignedInteger { return tensor(.shr, a, b) }
    guard
      let other = ElementType.integer(bits: a.element.bits, signed: !a.element.isSignedInteger)
    else { return tensor(.shr, a, b) }
    let shifted = tensor(.shr, try bitcast(a, to: other), try bitcast(b, to: other))
    return try bitcast(shifted, to: a.element)
  }

  func asBit(_ value: Tensor) throws -> Tensor {
    value.element == .int1 ? value : try bitcast(value, to: .int1)
  }

  func logical(_ op: BinaryOp, _ left: Tensor, _ right: Tensor) throws -> Tensor {
    try bitwise(op, .tensor(try asBit(left)), .tensor(try asBit(right)))
  }

  func logicalNot(_ value: Tensor) throws -> Tensor { try invert(try asBit(value)) }

  func negate(_ value: Tensor) throws -> Tensor {
    if value.element.isPointer {
      throw valueError("wrong type argument to unary minus (\(value.element))")
    }
    let zero = Tensor(builder.integer(0, value.element), TileType(value.element))
    return try subtract(.tensor(zero), .tensor(value))
  }

  func invert(_ value: Tensor) throws -> Tensor {
    guard value.element.isInteger else {
      throw valueError("wrong type argument to unary invert (\(value.element))")
    }
    let ones = Tensor(builder.integer(-1, value.element), TileType(value.element))
    return try bitwise(.xor, .tensor(value), .tensor(ones))
  }

  // MARK: Comparison and choice

  func compare(_ predicate: ComparePredicate, _ left: PyValue, _ right: PyValue) throws -> Tensor {
    let (a, b) = try operands(left, right)
    return Tensor(
      builder.compare(predicate, a.value, b.value), TileType(.int1, a.shape))
  }

  func minMax(_ op: BinaryOp, _ left: Tensor, _ right: Tensor) throws -> Tensor {
    let (a, b) = try operands(
      .tensor(try promoteBFloat(left)), .tensor(try promoteBFloat(right)))
    if a.element.isInteger {
      return tensor(op == .minimumNaN ? .minimum : op == .maximumNaN ? .maximum : op, a, b)
    }
    return tensor(op, a, b)
  }

  /// The hardware has no max, min or compare for bf16.
  func promoteBFloat(_ value: Tensor) throws -> Tensor {
    value.element == .bf16 ? try cast(value, to: .fp32) : value
  }

  func select(_ condition: Tensor, _ then: PyValue, _ otherwise: PyValue) throws -> Tensor {
    var bit = try cast(condition, to: .int1)
    var (a, b) = try operands(
      then, otherwise, BinaryOptions(leftPointer: true, rightPointer: true))
    if bit.isBlock {
      (bit, a) = try broadcast(bit, a)
      (a, b) = try broadcast(a, b)
    } else {
      (bit, _) = try broadcast(bit, a)
    }
    return Tensor(builder.select(bit.value, a.value, b.value), a.type)
  }

  // MARK: Casts

  func bitcast(_ value: Tensor, to element: ElementType) throws -> Tensor {
    if value.element == element { return value }
    if value.element.isPointer || element.isPointer { return try cast(value, to: element) }
    guard value.element.bits == element.bits else {
      throw valueError(
        "cannot bitcast data-type of size \(value.element.bits) to data-type of size \(element.bits)"
      )
    }
    try checkFloat8(element)
    return Tensor(builder.bitcast(value.value, to: element), TileType(element, value.shape))
  }

  /// fp8e4nv needs compute capability 8.9; the AMD formats do not exist here.
  func checkFloat8(_ element: ElementType) throws {
    guard element.isFloat, element.bits == 8 else { return }
    let supported: Bool =
      switch element {
      case .fp8e5, .fp8e4b15: true
      case .fp8e4nv: specialization.computeCapability >= 89
      default: false
      }
    guard supported else {
      throw valueError("type \(element) is not supported on sm_\(specialization.computeCapability)")
    }
  }

  func cast(_ value: Tensor, to element: ElementType, rounding: String? = nil) throws -> Tensor {
    let source = value.element
    if source == element { return value }
    try checkFloat8(element)
    var mode = rounding
    if let rounding, rounding != "rtne", rounding != "rtz" {
      throw valueError("invalid rounding mode '\(rounding)'; supported are 'rtne' and 'rtz'")
    }
    let narrows = source.isFloat && element.isFloat && element.bits < source.bits
    if narrows {
      if mode == "rtne" { mode = nil }
    } else if mode != nil {
      throw valueError(
        "fp_downcast_rounding should be set only for truncating fp conversions, not \(source) to \(element)"
      )
    }
    func result(_ value: Tensor, _ element: ElementType, rounding: String? = nil) -> Tensor {
      Tensor(
        builder.cast(value.value, to: element, rounding: rounding), TileType(element, value.shape))
    }
    let involvesFloat8 =
      (source.isFloat && source.bits == 8) || (element.isFloat && element.bits == 8)
    if source == .fp8e4b15 || element == .fp8e4b15 {
      let other = source == .fp8e4b15 ? element : source
      guard other == .fp16 || other == .fp32 else {
        throw failure("triton-assertion", "cannot cast \(source) to \(element)")
      }
      return result(value, element)
    }
    if (involvesFloat8 && source.isFloat && element.isFloat) || mode != nil {
      return result(value, element, rounding: mode)
    }
    if (source == .fp16 || source == .bf16) && element != .fp32 {
      if element.isPointer {
        throw failure("triton-assertion", "cannot cast \(source) to \(element)")
      }
      return try cast(try cast(value, to: .fp32), to: element)
    }
    switch (source, element) {
    case (_, .int1) where !source.isPointer:
      if involvesFloat8 { throw failure("triton-assertion", "cannot cast \(source) to \(element)") }
      let zero = Tensor(builder.integer(0, source), TileType(source))
      return try compare(.ne, .tensor(value), .tensor(zero))
    case (.pointer, .int64), (.pointer, .uint64): return result(value, element)
    case (.pointer, .int1):
      return try compare(.ne, .tensor(try cast(value, to: .int64)), .int(0))
    case (.pointer, .pointer): return result(value, element)
    case (_, .pointer) where source.isInteger: return result(value, element)
    case (.pointer, _), (_, .pointer):
      throw failure("triton-assertion", "cannot cast \(source) to \(element)")
    default:
      if involvesFloat8 { throw failure("triton-assertion", "cannot cast \(source) to \(element)") }
      return result(value, element)
    }
  }
}
