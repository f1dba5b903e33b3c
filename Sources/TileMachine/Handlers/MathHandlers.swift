import ElementMath
import TileIR

/// Handlers over ``ElementMath``: functions and conversions of whole buffers. Operands are dense:
/// the compiler applies them to tiles as they are stored.
enum MathHandlers {
  /// `tl.exp` and its like on `element`; nil where there is no such function.
  static func unary(_ op: UnaryOp, _ element: ElementType) -> Handler? {
    guard let function = ElementMath.function(op, element) else { return nil }
    return apply(function)
  }

  static func apply(_ function: ElementFunction) -> Handler {
    switch function.operands.count {
    case 1:
      return { frame, instruction in
        let arena = frame.pointee.arena
        function(
          [UnsafeRawPointer(arena + instruction.pointee.a)], arena + instruction.pointee.d,
          instruction.pointee.n)
      }
    case 2:
      return { frame, instruction in
        let arena = frame.pointee.arena
        function(
          [
            UnsafeRawPointer(arena + instruction.pointee.a),
            UnsafeRawPointer(arena + instruction.pointee.b),
          ], arena + instruction.pointee.d, instruction.pointee.n)
      }
    default:
      let hasFourth = function.operands.count > 3
      return { frame, instruction in
        let arena = frame.pointee.arena
        var arguments = [
          UnsafeRawPointer(arena + instruction.pointee.a),
          UnsafeRawPointer(arena + instruction.pointee.b),
          UnsafeRawPointer(arena + instruction.pointee.c),
        ]
        if hasFourth {
          let detail = frame.pointee.details + instruction.pointee.detail
          arguments.append(UnsafeRawPointer(arena + detail.pointee.value.offset))
        }
        function(arguments, arena + instruction.pointee.d, instruction.pointee.n)
      }
    }
  }

  /// Stored bits → lanes.
  static func decode(_ element: ElementType) -> Handler {
    { frame, instruction in
      let i = instruction.pointee
      ElementMath.decode(
        element, from: UnsafeRawPointer(frame.pointee.arena + i.a), to: frame.pointee.float(i.d),
        count: i.n)
    }
  }

  /// Lanes → stored bits.
  static func encode(_ element: ElementType) -> Handler {
    { frame, instruction in
      let i = instruction.pointee
      ElementMath.encodeExact(
        element, from: frame.pointee.float(i.a), to: frame.pointee.arena + i.d, count: i.n)
    }
  }

  /// Rounds fp32 lanes to a narrower format; d may be a.
  static func round(_ element: ElementType, _ rounding: ElementMath.Rounding = .nearestEven)
    -> Handler
  {
    { frame, instruction in
      let i = instruction.pointee
      ElementMath.round(
        UnsafePointer(frame.pointee.float(i.a)), to: element, rounding: rounding,
        target: frame.pointee.float(i.d), count: i.n)
    }
  }
}

/// Conversions by value between lanes.
enum CastHandlers {
  /// Integer to integer: cut or extended by the source's sign.
  static func integer(from: Lane, to: Lane) -> Handler {
    switch from {
    case .bool, .uint8: integer(UInt8.self, to)
    case .int8: integer(Int8.self, to)
    case .int16: integer(Int16.self, to)
    case .uint16: integer(UInt16.self, to)
    case .int32: integer(Int32.self, to)
    case .uint32: integer(UInt32.self, to)
    case .uint64: integer(UInt.self, to)
    default: integer(Int.self, to)
    }
  }

  @inline(__always)
  private static func integer<S: FixedWidthInteger & SendableMetatype>(_: S.Type, _ to: Lane)
    -> Handler
  {
    switch to.bytes {
    case 1:
      if to == .bool { return { Loops.unary($0, $1) { (x: S) -> UInt8 in x != 0 ? 1 : 0 } } }
      return { Loops.unary($0, $1) { (x: S) in UInt8(truncatingIfNeeded: x) } }
    case 2: return { Loops.unary($0, $1) { (x: S) in UInt16(truncatingIfNeeded: x) } }
    case 4: return { Loops.unary($0, $1) { (x: S) in UInt32(truncatingIfNeeded: x) } }
    default: return { Loops.unary($0, $1) { (x: S) in UInt64(truncatingIfNeeded: x) } }
    }
  }

  /// The handler for a conversion, over dense tiles.
  static func convert(
    from source: ElementType, to target: ElementType, rounding: ElementMath.Rounding
  ) -> Handler? {
    switch (source.isFloat, target.isFloat) {
    case (false, false): return integer(from: Lane(source), to: Lane(target))
    case (true, true): return float(from: source, to: target, rounding)
    case (true, false):
      if source == .fp64 {
        return { frame, instruction in
          let i = instruction.pointee
          let a = (frame.pointee.arena + i.a).assumingMemoryBound(to: Double.self)
          ElementMath.toInteger(
            UnsafePointer(a), target, to: frame.pointee.arena + i.d, count: i.n)
        }
      }
      return { frame, instruction in
        let i = instruction.pointee
        ElementMath.toInteger(
          UnsafePointer(frame.pointee.float(i.a)), target, to: frame.pointee.arena + i.d,
          count: i.n)
      }
    case (false, true):
      if target == .fp64 {
        return { frame, instruction in
          let i = instruction.pointee
          let d = (frame.pointee.arena + i.d).assumingMemoryBound(to: Double.self)
          ElementMath.fromInteger(
            UnsafeRawPointer(frame.pointee.arena + i.a), source, target: d, count: i.n)
        }
      }
      return { frame, instruction in
        let i = instruction.pointee
        ElementMath.fromInteger(
          UnsafeRawPointer(frame.pointee.arena + i.a), source, to: target,
          target: frame.pointee.float(i.d), count: i.n)
      }
    }
  }

  private static func float(
    from source: ElementType, to target: ElementType, _ rounding: ElementMath.Rounding
  ) -> Handler? {
    switch (source, target) {
    case (.fp64, .fp64): return IntegerHandlers.copy(bytes: 8)
    case (.fp64, _):
      return { frame, instruction in
        let i = instruction.pointee
        let a = (frame.pointee.arena + i.a).assumingMemoryBound(to: Double.self)
        ElementMath.narrow(
          UnsafePointer(a), to: target, rounding: rounding, target: frame.pointee.float(i.d),
          count: i.n)
      }
    case (_, .fp64):
      return { frame, instruction in
        let i = instruction.pointee
        let d = (frame.pointee.arena + i.d).assumingMemoryBound(to: Double.self)
        ElementMath.widen(UnsafePointer(frame.pointee.float(i.a)), to: d, count: i.n)
      }
    default:
      if target.isNarrowFloat { return MathHandlers.round(target, rounding) }
      return IntegerHandlers.copy(bytes: 4)
    }
  }
}
