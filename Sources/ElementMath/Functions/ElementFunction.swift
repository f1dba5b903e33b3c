import TileIR

/// A function on lanes, resolved once and applied to many buffers.
///
///     let exp = ElementMath.function(.exp, .fp16)        // rounds its result to fp16
///     exp?([source], target, count)
///
/// Applying it allocates nothing beside the argument list. The target may be the first argument's
/// buffer when both have the same lanes, and no other argument's.
public struct ElementFunction: Sendable {
  public typealias Body =
    @Sendable (_ arguments: [UnsafeRawPointer], _ target: UnsafeMutableRawPointer, _ count: Int)
    -> Void

  public let operands: [ElementType]
  public let result: ElementType
  let body: Body

  init(_ operands: [ElementType], _ result: ElementType, body: @escaping Body) {
    self.operands = operands
    self.result = result
    self.body = body
  }

  /// Applies the function to `count` lanes of each argument: one buffer per operand, of the lanes
  /// that ``ElementMath/lane(_:)`` names for its type.
  public func callAsFunction(
    _ arguments: [UnsafeRawPointer], _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    precondition(arguments.count == operands.count, "one buffer per operand")
    body(arguments, target, count)
  }
}

extension ElementMath {
  typealias FloatMap =
    @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  typealias DoubleMap =
    @Sendable (UnsafePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Void

  /// A unary operation on elements of a type; nil where the operation is not defined on it. On
  /// fp16, bf16 and fp8 the fp32 result is rounded to the type.
  public static func function(_ operation: UnaryOp, _ element: ElementType) -> ElementFunction? {
    switch lane(element) {
    case .float:
      guard let map = floatMap(operation) else { return nil }
      let rounds = element != .fp32 && operation != .neg && operation != .abs
      return ElementFunction([element], element) { arguments, target, count in
        let lanes = target.assumingMemoryBound(to: Float.self)
        map(arguments[0].assumingMemoryBound(to: Float.self), lanes, count)
        if rounds { round(lanes, to: element, count: count) }
      }
    case .double:
      guard let map = doubleMap(operation) else { return nil }
      return ElementFunction([element], element) { arguments, target, count in
        map(
          arguments[0].assumingMemoryBound(to: Double.self),
          target.assumingMemoryBound(to: Double.self), count)
      }
    case .bool:
      // A not on one bit; negation and magnitude leave it.
      return integerFunction(operation, element, UInt8.self) {
        $0 ^ 1
      } negated: {
        $0
      }
    case .int8: return integerFunction(operation, element, Int8.self)
    case .int16: return integerFunction(operation, element, Int16.self)
    case .int32: return integerFunction(operation, element, Int32.self)
    case .int64: return integerFunction(operation, element, Int64.self)
    case .uint8: return integerFunction(operation, element, UInt8.self)
    case .uint16: return integerFunction(operation, element, UInt16.self)
    case .uint32: return integerFunction(operation, element, UInt32.self)
    case .uint64: return integerFunction(operation, element, UInt64.self)
    }
  }

  private static func integerFunction<Integer: FixedWidthInteger & SendableMetatype>(
    _ operation: UnaryOp, _ element: ElementType, _ type: Integer.Type,
    inverted: @escaping @Sendable (Integer) -> Integer = { ~$0 },
    negated: @escaping @Sendable (Integer) -> Integer = { 0 &- $0 }
  ) -> ElementFunction? {
    switch operation {
    case .not: unary(element, type, inverted)
    case .neg: unary(element, type, negated)
    case .abs: unary(element, type) { $0 < 0 ? 0 &- $0 : $0 }
    default: nil
    }
  }

  @inline(__always)
  private static func unary<Integer: FixedWidthInteger & SendableMetatype>(
    _ element: ElementType, _ type: Integer.Type,
    _ body: @escaping @Sendable (Integer) -> Integer
  ) -> ElementFunction {
    ElementFunction([element], element) { arguments, target, count in
      mapLanes(
        arguments[0].assumingMemoryBound(to: Integer.self),
        target.assumingMemoryBound(to: Integer.self), count, body)
    }
  }

  private static func floatMap(_ operation: UnaryOp) -> FloatMap? {
    switch operation {
    case .neg: { neg($0, $1, $2) }
    case .abs: { abs($0, $1, $2) }
    case .exp: { exp($0, $1, $2) }
    case .exp2: { exp2($0, $1, $2) }
    case .log: { log($0, $1, $2) }
    case .log2: { log2($0, $1, $2) }
    case .sin: { sin($0, $1, $2) }
    case .cos: { cos($0, $1, $2) }
    case .sqrt, .sqrtRn: { sqrt($0, $1, $2) }
    case .rsqrt: { rsqrt($0, $1, $2) }
    case .erf: { erf($0, $1, $2) }
    case .floor: { floor($0, $1, $2) }
    case .ceil: { ceil($0, $1, $2) }
    case .not: nil
    }
  }

  private static func doubleMap(_ operation: UnaryOp) -> DoubleMap? {
    switch operation {
    case .neg: { neg($0, $1, $2) }
    case .abs: { abs($0, $1, $2) }
    case .exp: { exp($0, $1, $2) }
    case .exp2: { exp2($0, $1, $2) }
    case .log: { log($0, $1, $2) }
    case .log2: { log2($0, $1, $2) }
    case .sin: { sin($0, $1, $2) }
    case .cos: { cos($0, $1, $2) }
    case .sqrt, .sqrtRn: { sqrt($0, $1, $2) }
    case .rsqrt: { rsqrt($0, $1, $2) }
    case .erf: { erf($0, $1, $2) }
    case .floor: { floor($0, $1, $2) }
    case .ceil: { ceil($0, $1, $2) }
    case .not: nil
    }
  }
}
