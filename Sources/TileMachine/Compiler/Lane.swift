import ElementMath
import TileIR

/// How one element lives in the arena.
///
/// fp16, bf16 and the fp8 formats are held as `Float`: every value of theirs is one, and an
/// operation's result is rounded to the format after it. Pointers are virtual addresses.
typealias Lane = ElementMath.Lane

extension ElementMath.Lane {
  init(_ element: ElementType) {
    // Addresses are computed with sign: an offset may be negative.
    self = element.isPointer ? .int64 : ElementMath.lane(element)
  }

  /// The lane whose handlers do for operations that do not depend on the sign.
  var unsignedAgnostic: Lane {
    switch self {
    case .bool, .uint8: .int8
    case .uint16: .int16
    case .uint32: .int32
    case .uint64: .int64
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
