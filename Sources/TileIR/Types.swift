/// The element type of a tile, named as Triton names it.
public indirect enum ElementType: Hashable, Sendable {
  case int1, int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case fp8e4nv, fp8e5, fp8e4b15, fp8e4b8, fp8e5b16
  case fp16, bf16, fp32, fp64
  case pointer(to: ElementType)
}

extension ElementType: CustomStringConvertible {
  /// Every scalar type that is not a pointer, in Triton's order of names.
  public static let scalars: [ElementType] = [
    .int1, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64,
    .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16, .fp16, .bf16, .fp32, .fp64,
  ]

  /// Triton's name: `int32`, `fp16`, `pointer<fp32>`.
  public var description: String {
    switch self {
    case .int1: "int1"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .uint8: "uint8"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .fp8e4nv: "fp8e4nv"
    case .fp8e5: "fp8e5"
    case .fp8e4b15: "fp8e4b15"
    case .fp8e4b8: "fp8e4b8"
    case .fp8e5b16: "fp8e5b16"
    case .fp16: "fp16"
    case .bf16: "bf16"
    case .fp32: "fp32"
    case .fp64: "fp64"
    case .pointer(let pointee): "pointer<\(pointee)>"
    }
  }

  /// The width in bits as Triton counts it: int1 is 1, a pointer 64.
  public var bits: Int {
    switch self {
    case .int1: 1
    case .int8, .uint8, .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16: 8
    case .int16, .uint16, .fp16, .bf16: 16
    case .int32, .uint32, .fp32: 32
    case .int64, .uint64, .fp64, .pointer: 64
    }
  }

  /// The bytes one element takes in memory; int1 is stored as a byte.
  public var bytes: Int { max(1, bits / 8) }

  public var isPointer: Bool { if case .pointer = self { true } else { false } }
  public var pointee: ElementType? { if case .pointer(let type) = self { type } else { nil } }

  public var isFloat: Bool {
    switch self {
    case .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16, .fp16, .bf16, .fp32, .fp64: true
    default: false
    }
  }

  /// True for every integer type including int1.
  public var isInteger: Bool { !isFloat && !isPointer }

  /// True for int8 … int64; int1 counts as unsigned, as in Triton.
  public var isSignedInteger: Bool {
    switch self {
    case .int8, .int16, .int32, .int64: true
    default: false
    }
  }
}

/// The type of an SSA value: an element type and a shape. A scalar has the shape `[]`.
public struct TileType: Hashable, Sendable, CustomStringConvertible {
  public var element: ElementType
  public var shape: [Int]

  public init(_ element: ElementType, _ shape: [Int] = []) {
    self.element = element
    self.shape = shape
  }

  public var isScalar: Bool { shape.isEmpty }
  /// The number of elements; 1 for a scalar.
  public var count: Int { shape.reduce(1, *) }
  public var description: String {
    isScalar
      ? "\(element)" : "<[" + shape.map(String.init).joined(separator: ", ") + "], \(element)>"
  }
}

/// What a value may be beside a tile: Triton's handles to regions of memory.
public enum ValueType: Hashable, Sendable, CustomStringConvertible {
  case tile(TileType)
  /// `tl.make_block_ptr`: a window of `block` shape over a strided tensor of `element`s.
  case blockPointer(element: ElementType, block: [Int])
  /// `tl.make_tensor_descriptor` or a host-side descriptor argument.
  case tensorDescriptor(element: ElementType, block: [Int])

  public var tile: TileType? { if case .tile(let type) = self { type } else { nil } }
  public var description: String {
    switch self {
    case .tile(let type): "\(type)"
    case .blockPointer(let element, let block): "block_ptr<\(block), \(element)>"
    case .tensorDescriptor(let element, let block): "tensordesc<\(block), \(element)>"
    }
  }
}
