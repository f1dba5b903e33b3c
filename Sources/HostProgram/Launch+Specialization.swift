import PythonSyntax
import TileIR
import TritonLowering

extension Launch {
  /// What Triton's launcher knows of this launch's arguments under one of its configs.
  ///
  /// The rules are those of Triton 3.6's `specialize_impl`: a pointer's or an integer's
  /// divisibility by 16, the integer 1 folded to a constant, `i32` or `i64` (`u64` past 2^63 - 1,
  /// which no host integer here reaches) by magnitude, `bool` as `i1`, `float` as `fp32`; parameters
  /// in `do_not_specialize` keep neither divisibility nor the 1. Storages start at multiples of 512
  /// bytes, as torch's caching allocator hands them out.
  public func specialization(
    config: LaunchConfig, kernel: JITFunction, computeCapability: Int
  ) -> Specialization {
    var result: [String: ArgumentSpecialization] = [:]
    let values = Dictionary(
      arguments.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    for parameter in kernel.parameters {
      guard
        let value = config.constants[parameter.name].map(ArgumentValue.init(constant:))
          ?? values[parameter.name]
      else { continue }
      if parameter.isConstexpr {
        result[parameter.name] = .constexpr(ConstexprValue(value))
      } else {
        result[parameter.name] = Self.specialize(
          config.adjusted(value, parameter.name), isSpecialized: !parameter.isNotSpecialized,
          annotation: Self.annotatedType(parameter.syntax.annotation))
      }
    }
    return Specialization(
      arguments: result, numWarps: config.numWarps, numStages: config.numStages,
      computeCapability: computeCapability)
  }

  private static func specialize(
    _ value: ArgumentValue, isSpecialized: Bool, annotation: ElementType?
  ) -> ArgumentSpecialization {
    switch value {
    case .tensor(let shape):
      let bytes = shape.offset.multipliedSaturating(by: shape.element.bytes)
      return .pointer(shape.element, isDivisibleBy16: isSpecialized && bytes % 16 == 0)
    case .int(let number):
      if let annotation, !annotation.isInteger {
        return .scalar(annotation, isDivisibleBy16: false)
      }
      if number == 1, isSpecialized, annotation == nil { return .constexpr(.int(1)) }
      let fits = number >= Int(Int32.min) && number <= Int(Int32.max)
      return .scalar(
        annotation ?? (fits ? .int32 : .int64),
        isDivisibleBy16: isSpecialized && number % 16 == 0)
    case .bool: return .scalar(.int1, isDivisibleBy16: false)
    case .float: return .scalar(annotation ?? .fp32, isDivisibleBy16: false)
    case .none, .string, .dtype, .function: return .constexpr(ConstexprValue(value))
    case .tuple(let items):
      return .tuple(
        items.map { specialize($0, isSpecialized: isSpecialized, annotation: nil) })
    case .tensorDescriptor(let shape, let block):
      return .tensorDescriptor(shape.element, block: block)
    }
  }

  /// `x: tl.int64` and `x: "i64"` fix a scalar's type.
  private static func annotatedType(_ annotation: Expr?) -> ElementType? {
    guard let annotation else { return nil }
    let name: String
    switch annotation.kind {
    case .attribute(_, let attribute, _): name = attribute
    case .constant(.string(let literal)): name = literal.value
    case .name(let plain): name = plain
    default: return nil
    }
    return annotatedTypes[name]
  }

  private static let annotatedTypes: [String: ElementType] = [
    "int1": .int1, "i1": .int1, "u1": .int1, "int8": .int8, "i8": .int8, "int16": .int16,
    "i16": .int16, "int32": .int32, "i32": .int32, "int64": .int64, "i64": .int64,
    "uint8": .uint8, "u8": .uint8, "uint16": .uint16, "u16": .uint16, "uint32": .uint32,
    "u32": .uint32, "uint64": .uint64, "u64": .uint64, "float16": .fp16, "fp16": .fp16,
    "bfloat16": .bf16, "bf16": .bf16, "float32": .fp32, "fp32": .fp32, "float64": .fp64,
    "fp64": .fp64,
  ]
}

extension LaunchConfig {
  /// An argument as this config's launch passes it.
  public func adjusted(_ value: ArgumentValue, _ name: String) -> ArgumentValue {
    guard case .tensorDescriptor(let shape, _) = value, let block = descriptorBlocks[name] else {
      return value
    }
    return .tensorDescriptor(shape, block: block)
  }
}

extension ArgumentValue {
  /// A compile-time constant as an argument's value.
  public init(constant: ConstexprValue) {
    switch constant {
    case .none: self = .none
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .float(let value): self = .float(value)
    case .string(let value): self = .string(value)
    case .dtype(let value): self = .dtype(value)
    case .tuple(let values): self = .tuple(values.map(ArgumentValue.init(constant:)))
    case .function(let value): self = .function(value)
    }
  }
}

extension ConstexprValue {
  /// An argument's value as a compile-time constant; a tensor has none and gives `none`.
  init(_ value: ArgumentValue) {
    switch value {
    case .int(let value): self = .int(value)
    case .float(let value): self = .float(value)
    case .bool(let value): self = .bool(value)
    case .string(let value): self = .string(value)
    case .dtype(let value): self = .dtype(value)
    case .tuple(let values): self = .tuple(values.map(ConstexprValue.init))
    case .function(let value): self = .function(value)
    case .none, .tensor, .tensorDescriptor: self = .none
    }
  }
}
