import TileIR

/// How one element lives in the arena.
///
/// fp16, bf16 and the fp8 formats are held as `Float`: every value of theirs is one, and an
/// operation's result is rounded to the format after it. Pointers are virtual addresses.
enum Lane: Hashable, Sendable {
  case bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64

  init(_ element: ElementType) {
    switch element {
    case .int1: self = .bool
    case .int8: self = .i8
    case .int16: self = .i16
    case .int32: self = .i32
    case .int64, .pointer: self = .i64
    case .uint8: self = .u8
    case .uint16: self = .u16
    case .uint32: self = .u32
    case .uint64: self = .u64
    case .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16, .fp16, .bf16, .fp32: self = .f32
    case .fp64: self = .f64
    }
  }

  /// Bytes of one lane in the arena.
  var bytes: Int {
    switch self {
    case .bool, .i8, .u8: 1
    case .i16, .u16: 2
    case .i32, .u32, .f32: 4
    case .i64, .u64, .f64: 8
    }
  }

  /// The lane whose handlers do for operations that do not depend on the sign.
  var unsignedAgnostic: Lane {
    switch self {
    case .bool, .u8: .i8
    case .u16: .i16
    case .u32: .i32
    case .u64: .i64
    default: self
    }
  }
}

extension ElementType {
  /// Whether results must be rounded to the format: it is held in wider lanes.
  var isNarrowFloat: Bool { isFloat && self != .fp32 && self != .fp64 }
}

/// A tile in the arena.
///
/// `shape` has the rank of the IR value; an axis along which all elements are equal may have the
/// size 1 whatever the IR says, so that splats and broadcasts cost nothing.
struct Operand: Sendable {
  var slot: Int
  var lane: Lane
  var shape: [Int]
  var count: Int { shape.reduce(1, *) }
  var byteCount: Int { count * lane.bytes }
}

/// How an elementwise operation walks its operands: rows of lanes.
struct Walk: Sendable {
  var rows = 1
  var n = 1
  /// Per operand: lanes from one row to the next, and whether it stays put within a row.
  var rowStep: [Int]
  var isFixed: [Bool]

  /// nil when more than two levels are needed.
  init?(over shape: [Int], _ operands: [[Int]]) {
    var groups: [(size: Int, varies: [Bool])] = []
    for axis in shape.indices where shape[axis] != 1 {
      let varies = operands.map { axis < $0.count && $0[axis] != 1 }
      if let last = groups.last, last.varies == varies {
        groups[groups.count - 1].size *= shape[axis]
      } else {
        groups.append((shape[axis], varies))
      }
    }
    guard groups.count <= 2 else { return nil }
    rowStep = operands.map { _ in 0 }
    isFixed = operands.map { _ in true }
    guard let inner = groups.last else { return }
    n = inner.size
    isFixed = inner.varies.map { !$0 }
    if groups.count == 2 {
      rows = groups[0].size
      rowStep = operands.indices.map {
        groups[0].varies[$0] ? (inner.varies[$0] ? inner.size : 1) : 0
      }
    }
  }
}

/// The shape along whose axes at least one of the tiles varies. Scalars go with every rank.
func joined(_ shapes: [[Int]]) -> [Int] {
  guard var result = shapes.max(by: { $0.count < $1.count }) else { return [] }
  for shape in shapes {
    for axis in shape.indices { result[axis] = max(result[axis], shape[axis]) }
  }
  return result
}
