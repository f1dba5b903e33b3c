import Diagnostics
import PythonSyntax
import TileIR

/// Triton's implicit conversions: constants to tensors, type promotion, broadcasting.
extension Lowerer {
  // MARK: Constants

  /// A value as a tensor; ints take int32, uint32, int64 or uint64, whichever fits first.
  func toTensor(_ value: PyValue) throws -> Tensor {
    switch value {
    case .tensor(let tensor), .wrapped(let tensor): return tensor
    case .bool(let bit): return scalar(bit ? 1 : 0, .int1)
    case .int(let number):
      let element: ElementType
      if number >= -(1 << 31), number < 1 << 31 {
        element = .int32
      } else if number >= 1 << 31, number < 1 << 32 {
        element = .uint32
      } else if number >= -(Int128(1) << 63), number < Int128(1) << 63 {
        element = .int64
      } else if number >= 0, number < Int128(1) << 64 {
        element = .uint64
      } else {
        throw valueError("nonrepresentable integer \(number)")
      }
      return scalar(number, element)
    case .float(let number):
      let magnitude = abs(number)
      let fits =
        magnitude.isInfinite || magnitude == 0 || number.isNaN
        || (magnitude >= 0x1p-126 && magnitude <= Double(Float.greatestFiniteMagnitude))
      return try scalarConstant(value, fits ? .fp32 : .fp64)
    default: throw typeError("cannot convert '\(value.display)' to a tensor")
    }
  }

  private func scalar(_ number: Int128, _ element: ElementType) -> Tensor {
    let type = TileType(element)
    return Tensor(builder.constant(.int(Int(truncatingIfNeeded: number)), type), type)
  }

  /// A Python number as a scalar of a given type.
  func scalarConstant(_ value: PyValue, _ element: ElementType) throws -> Tensor {
    let type = TileType(element)
    if element.isFloat {
      guard let number = PyOperators.number(value) else {
        throw typeError("cannot convert '\(value.display)' to \(element)")
      }
      if element.bits == 8, number != 0 {
        throw failure(
          "triton-attribute-error", "Triton cannot make a \(element) constant other than zero")
      }
      return Tensor(builder.constant(.float(number), type), type)
    }
    if element.isPointer { throw typeError("cannot make a constant of type \(element)") }
    switch value {
    case .float(let number):
      guard number == 0 else {
        throw typeError("cannot make \(number) a constant of type \(element)")
      }
      return scalar(0, element)
    default:
      guard let number = value.integer else {
        throw typeError("cannot convert '\(value.display)' to \(element)")
      }
      if element == .int1 { return scalar(number == 0 ? 0 : 1, element) }
      guard number >= -(Int128(1) << 63), number < Int128(1) << 64 else {
        throw valueError("nonrepresentable integer \(number)")
      }
      return scalar(number, element)
    }
  }

  // MARK: Promotion

  func integerPromotion(_ a: ElementType, _ b: ElementType) -> ElementType {
    if a.isSignedInteger == b.isSignedInteger { return a.bits > b.bits ? a : b }
    if !a.isSignedInteger { return a.bits >= b.bits ? a : b }
    return b.bits >= a.bits ? b : a
  }

  private func kind(_ element: ElementType) -> Int {
    element == .int1 ? 0 : element.isInteger ? 1 : 2
  }

  /// The type two operands are brought to; a Python number of a lower or equal kind does not count.
  func computationType(
    _ a: ElementType, isNumber aIsNumber: Bool, _ b: ElementType, isNumber bIsNumber: Bool,
    divOrMod: Bool
  ) throws -> ElementType {
    if aIsNumber != bIsNumber {
      let (number, tensor) = aIsNumber ? (a, b) : (b, a)
      if kind(number) <= kind(tensor) {
        return divOrMod && (tensor == .fp16 || tensor == .bf16) ? .fp32 : tensor
      }
    }
    if a == .fp64 || b == .fp64 { return .fp64 }
    if a == .fp32 || b == .fp32 { return .fp32 }
    if a == .fp16 || b == .fp16 { return divOrMod ? .fp32 : .fp16 }
    if a == .bf16, b == .bf16 { return divOrMod ? .fp32 : .bf16 }
    if a == .bf16 || b == .bf16 { return .fp32 }
    if a.isFloat, b.isFloat { return a == b ? a : .fp16 }
    guard a.isInteger, b.isInteger else { throw typeError("unexpected type \(a) and \(b)") }
    if divOrMod, a.isSignedInteger != b.isSignedInteger {
      throw typeError(
        "cannot use /, // or % with \(a) and \(b) because they have different signedness")
    }
    return integerPromotion(a, b)
  }

  struct BinaryOptions {
    var leftPointer = false
    var rightPointer = false
    var arithmetic = true
    var divOrMod = false
  }

  /// Brings two operands to one element type and one shape.
  func operands(
    _ left: PyValue, _ right: PyValue, _ options: BinaryOptions = BinaryOptions()
  ) throws -> (Tensor, Tensor) {
    var a = try toTensor(left)
    var b = try toTensor(right)
    func check(_ own: ElementType, _ other: ElementType, allowed: Bool) throws {
      guard own.isPointer else { return }
      if !allowed || (other.isPointer && other != own) || other.isFloat {
        throw typeError("invalid operands of type \(own) and \(other)")
      }
    }
    try check(a.element, b.element, allowed: options.leftPointer)
    try check(b.element, a.element, allowed: options.rightPointer)
    if options.arithmetic, !a.element.isPointer, !b.element.isPointer {
      let element = try computationType(
        a.element, isNumber: left.isNumber, b.element, isNumber: right.isNumber,
        divOrMod: options.divOrMod)
      try checkRange(left, element)
      try checkRange(right, element)
      a = left.isNumber ? try scalarConstant(left, element) : try cast(a, to: element)
      b = right.isNumber ? try scalarConstant(right, element) : try cast(b, to: element)
    }
    return try broadcast(a, b)
  }

  private func checkRange(_ value: PyValue, _ element: ElementType) throws {
    guard element.isInteger, let number = value.integer else { return }
    if number < 0, !element.isSignedInteger {
      throw valueError("cannot combine an unsigned tensor and a negative scalar")
    }
    let bits = element.bits
    let lower: Int128 = element.isSignedInteger ? -(Int128(1) << (bits - 1)) : 0
    let upper: Int128 =
      element.isSignedInteger ? (Int128(1) << (bits - 1)) - 1 : (Int128(1) << bits) - 1
    guard number >= lower, number <= upper else {
      throw valueError("scalar \(number) is out of range for type \(element)")
    }
  }

  // MARK: Broadcasting

  func splat(_ tensor: Tensor, _ shape: [Int]) -> Tensor {
    guard !shape.isEmpty else { return tensor }
    return Tensor(builder.splat(tensor.value, shape), TileType(tensor.element, shape))
  }

  func broadcast(_ tensor: Tensor, to shape: [Int]) throws -> Tensor {
    guard tensor.isBlock else { return splat(tensor, shape) }
    guard tensor.shape.count == shape.count else {
      throw valueError("cannot broadcast, rank mismatch: \(tensor.shape), \(shape)")
    }
    if tensor.shape == shape { return tensor }
    for (axis, size) in tensor.shape.enumerated() where size != shape[axis] && size != 1 {
      throw valueError(
        "cannot broadcast, the expanded size of the tensor (\(shape[axis])) must match the "
          + "existing size (\(size)) at axis \(axis): \(tensor.shape), \(shape)")
    }
    return Tensor(builder.broadcast(tensor.value, shape), TileType(tensor.element, shape))
  }

  func broadcast(_ left: Tensor, _ right: Tensor) throws -> (Tensor, Tensor) {
    var a = left
    var b = right
    if a.shape == b.shape { return (a, b) }
    if a.isBlock, !b.isBlock { return (a, splat(b, a.shape)) }
    if !a.isBlock, b.isBlock { return (splat(a, b.shape), b) }
    while a.shape.count < b.shape.count { a = expandDims(a, axis: 0) }
    while b.shape.count < a.shape.count { b = expandDims(b, axis: 0) }
    var shape: [Int] = []
    for (axis, (x, y)) in zip(a.shape, b.shape).enumerated() {
      guard x == y || x == 1 || y == 1 else {
        throw valueError(
          "cannot make shapes compatible: incompatible dimensions at index \(axis): \(x) and \(y)")
      }
      shape.append(x == 1 ? y : x)
    }
    try checkShape(shape)
    if a.shape != shape {
      a = Tensor(builder.broadcast(a.value, shape), TileType(a.element, shape))
    }
    if b.shape != shape {
      b = Tensor(builder.broadcast(b.value, shape), TileType(b.element, shape))
    }
    return (a, b)
  }

  func expandDims(_ tensor: Tensor, axis: Int) -> Tensor {
    guard tensor.isBlock else { return splat(tensor, [1]) }
    let value = builder.expandDims(tensor.value, axis: axis)
    return Tensor(value, builder.tile(of: value))
  }

  /// Triton's rule for shapes: powers of two, at most 2^20 elements.
  func checkShape(_ shape: [Int]) throws {
    var count = 1
    for (axis, size) in shape.enumerated() {
      guard size & (size &- 1) == 0 else {
        throw valueError("shape element \(axis) must be a power of 2, is \(size)")
      }
      guard size > 0 else {
        throw valueError("shape element \(axis) must be positive, is \(size)")
      }
      let product = count.multipliedReportingOverflow(by: size)
      guard !product.overflow, product.partialValue <= Limits.tileElements else {
        throw valueError("numel of \(shape) exceeds triton maximum tensor numel (1048576)")
      }
      count = product.partialValue
    }
  }
}
