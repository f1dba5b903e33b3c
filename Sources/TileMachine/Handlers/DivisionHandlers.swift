import TileIR

/// Integer division towards zero and its remainder. A divisor of zero stops the program; the
/// smallest number divided by -1 wraps.
enum DivisionHandlers {
  static func handler(_ op: BinaryOp, _ lane: Lane) -> Handler? {
    let isRemainder = op == .rem
    switch lane {
    case .int32: return { divideInt32($0, $1, isRemainder: isRemainder) }
    case .int64: return handler(Int.self, isRemainder)
    case .int8: return handler(Int8.self, isRemainder)
    case .int16: return handler(Int16.self, isRemainder)
    case .bool, .uint8: return handler(UInt8.self, isRemainder)
    case .uint16: return handler(UInt16.self, isRemainder)
    case .uint32: return handler(UInt32.self, isRemainder)
    case .uint64: return handler(UInt.self, isRemainder)
    case .float, .double: return nil
    }
  }

  private static func handler<T: FixedWidthInteger & SendableMetatype>(
    _: T.Type, _ isRemainder: Bool
  ) -> Handler {
    { divide($0, $1, T.self, isRemainder) }
  }

  private static func divide<T: FixedWidthInteger & SendableMetatype>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, _: T.Type,
    _ isRemainder: Bool
  ) {
    let i = instruction.pointee
    let arena = frame.pointee.arena
    let stepA = i.fixed & 1 == 0 ? 1 : 0
    let stepB = i.fixed & 2 == 0 ? 1 : 0
    for row in 0..<i.rows {
      let result = (arena + i.d + row * i.sd).assumingMemoryBound(to: T.self)
      let a = (arena + i.a + row * i.sa).assumingMemoryBound(to: T.self)
      let b = (arena + i.b + row * i.sb).assumingMemoryBound(to: T.self)
      for lane in 0..<i.n {
        let x = a[lane &* stepA]
        let y = b[lane &* stepB]
        if y == 0 {
          frame.pointee.stop(
            RawFault(kind: .divisionByZero, site: i.site, lane: row * i.n + lane))
          return
        }
        result[lane] =
          isRemainder
          ? x.remainderReportingOverflow(dividingBy: y).partialValue
          : x.dividedReportingOverflow(by: y).partialValue
      }
    }
  }

  /// A tile divided by one positive number, the usual case of index arithmetic: multiplication by a
  /// reciprocal of 32 bits, exact for dividends below 2^31 (Granlund and Montgomery's method: with
  /// s = ceil(log2 d) and m = floor(2^(31 + s) / d) + 1, n / d = n * m >> (31 + s)).
  private static func divideInt32(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    isRemainder: Bool
  ) {
    let i = instruction.pointee
    let arena = frame.pointee.arena
    guard i.fixed & 3 == 2, i.n >= 8 else {
      return divide(frame, instruction, Int32.self, isRemainder)
    }
    for row in 0..<i.rows {
      let result = (arena + i.d + row * i.sd).assumingMemoryBound(to: Int32.self)
      let a = (arena + i.a + row * i.sa).assumingMemoryBound(to: Int32.self)
      let divisor = (arena + i.b + row * i.sb).assumingMemoryBound(to: Int32.self)[0]
      var signs: Int32 = 0
      for lane in 0..<i.n { signs |= a[lane] }
      guard signs >= 0, divisor > 0 else {
        return divide(frame, instruction, Int32.self, isRemainder)
      }
      let log = Int(32 - (divisor - 1).leadingZeroBitCount)
      let shift = UInt64(31 + log)
      // Below 2^32; saying so lets the product be one of 32 by 32 bits.
      let factor = UInt64(
        UInt32(truncatingIfNeeded: (UInt64(1) << shift) / UInt64(divisor) + 1))
      if isRemainder {
        for lane in 0..<i.n {
          let n = a[lane]
          let quotient = Int32(
            truncatingIfNeeded: (UInt64(UInt32(bitPattern: n)) &* factor) &>> shift)
          result[lane] = n &- quotient &* divisor
        }
      } else {
        for lane in 0..<i.n {
          result[lane] = Int32(
            truncatingIfNeeded: (UInt64(UInt32(bitPattern: a[lane])) &* factor) &>> shift)
        }
      }
    }
  }
}
