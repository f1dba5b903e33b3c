import TileIR

/// Element formats and elementwise functions over contiguous buffers of lanes.
///
/// A lane holds one element: fp16, bf16, fp8 and fp32 as `Float` (always a value of the type),
/// fp64 as `Double`, integers in their own width, int1 as a `UInt8` of 0 or 1, pointers as `UInt64`.
/// Nothing here traps on any lane value; a `count` is never negative.
///
///     var lanes: [Float] = [1.0009765]
///     ElementMath.round(&lanes, to: .bf16, count: 1)   // lanes == [1.0]
public enum ElementMath {
  /// How a narrowing conversion rounds: Triton's `fp_downcast_rounding`.
  public enum Rounding: String, Sendable, Hashable {
    case nearestEven = "rtne"
    case towardZero = "rtz"
  }

  /// The Swift type that holds an element's lanes.
  public enum Lane: Sendable, Hashable {
    case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float, double

    public var bytes: Int {
      switch self {
      case .bool, .int8, .uint8: 1
      case .int16, .uint16: 2
      case .int32, .uint32, .float: 4
      case .int64, .uint64, .double: 8
      }
    }
  }

  /// The lanes that hold elements of a type.
  public static func lane(_ element: ElementType) -> Lane {
    switch element {
    case .int1: .bool
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64, .pointer: .uint64
    case .fp64: .double
    case .fp32, .fp16, .bf16, .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16: .float
    }
  }
}

/// Applies `body` to each lane. Two loops, because LLVM vectorises the aliasing one only when it
/// sees one pointer.
@inline(__always)
func mapLanes<Source, Target>(
  _ source: UnsafePointer<Source>, _ target: UnsafeMutablePointer<Target>, _ count: Int,
  _ body: (Source) -> Target
) {
  var lane = 0
  while lane < count {
    target[lane] = body(source[lane])
    lane &+= 1
  }
}

/// ``mapLanes`` for one type, where the target may be the source itself.
@inline(__always)
func mapLanes<Element>(
  _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int,
  _ body: (Element) -> Element
) {
  var lane = 0
  if UnsafePointer(target) == source {
    while lane < count {
      target[lane] = body(target[lane])
      lane &+= 1
    }
  } else {
    while lane < count {
      target[lane] = body(source[lane])
      lane &+= 1
    }
  }
}
