import ElementMath
import TileIR

/// Atomic operations, lane by lane in row-major order; the old values are the result.
///
/// Programs of one launch take turns through ``AtomicLock`` when they run in parallel.
enum AtomicHandlers {
  /// `detail`: address parts, mask, value (stored lanes), result. Every lane counts: the parts are
  /// those of the whole tile.
  static func readModifyWrite(_ op: AtomicOp, _ element: ElementType) -> Handler? {
    switch Lane(element) {
    case .float:
      guard let combine = float(op) else { return nil }
      if element == .fp32 {
        return {
          run($0, $1, UInt32.self) { old, new in
            combine(Float(bitPattern: old), Float(bitPattern: new)).bitPattern
          }
        }
      }
      return narrow(element, combine)
    case .double:
      switch op {
      case .add, .fadd:
        return {
          run($0, $1, UInt64.self) { old, new in
            (Double(bitPattern: old) + Double(bitPattern: new)).bitPattern
          }
        }
      case .xchg: return { run($0, $1, UInt64.self) { _, new in new } }
      case .max:
        return {
          run($0, $1, UInt64.self) { old, new in
            Double.maximum(Double(bitPattern: old), Double(bitPattern: new)).bitPattern
          }
        }
      case .min:
        return {
          run($0, $1, UInt64.self) { old, new in
            Double.minimum(Double(bitPattern: old), Double(bitPattern: new)).bitPattern
          }
        }
      default: return nil
      }
    case .int32: return integer(op, Int32.self)
    case .uint32: return integer(op, UInt32.self)
    case .int64: return integer(op, Int.self)
    case .uint64: return integer(op, UInt.self)
    case .int16: return integer(op, Int16.self)
    case .uint16: return integer(op, UInt16.self)
    case .int8: return integer(op, Int8.self)
    case .bool, .uint8: return integer(op, UInt8.self)
    }
  }

  private static func float(_ op: AtomicOp) -> (@Sendable (Float, Float) -> Float)? {
    switch op {
    case .add, .fadd: { $0 + $1 }
    case .xchg: { $1 }
    case .max, .umax: { $0 > $1 || $1 != $1 ? $0 : $1 }
    case .min, .umin: { $0 < $1 || $1 != $1 ? $0 : $1 }
    default: nil
    }
  }

  private static func narrow(
    _ element: ElementType, _ combine: @escaping @Sendable (Float, Float) -> Float
  ) -> Handler? {
    guard element.bytes == 2 else { return nil }
    return {
      run($0, $1, UInt16.self) { old, new in
        var bits = [old, new]
        var lanes: [Float] = [0, 0]
        ElementMath.decode(element, from: &bits, to: &lanes, count: 2)
        lanes[0] = combine(lanes[0], lanes[1])
        ElementMath.encode(element, from: lanes, to: &bits, count: 1)
        return bits[0]
      }
    }
  }

  @inline(__always)
  private static func integer<T: FixedWidthInteger & Sendable & SendableMetatype>(
    _ op: AtomicOp, _: T.Type
  )
    -> Handler?
  {
    switch op {
    case .add, .fadd: { run($0, $1, T.self) { $0 &+ $1 } }
    case .and: { run($0, $1, T.self) { $0 & $1 } }
    case .or: { run($0, $1, T.self) { $0 | $1 } }
    case .xor: { run($0, $1, T.self) { $0 ^ $1 } }
    case .xchg: { run($0, $1, T.self) { $1 } }
    case .max: { run($0, $1, T.self) { $0 > $1 ? $0 : $1 } }
    case .min: { run($0, $1, T.self) { $0 < $1 ? $0 : $1 } }
    case .umax:
      {
        run($0, $1, T.self) {
          T.Magnitude(truncatingIfNeeded: $0) > T.Magnitude(truncatingIfNeeded: $1) ? $0 : $1
        }
      }
    case .umin:
      {
        run($0, $1, T.self) {
          T.Magnitude(truncatingIfNeeded: $0) < T.Magnitude(truncatingIfNeeded: $1) ? $0 : $1
        }
      }
    }
  }

  @inline(__always)
  private static func run<T>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, _: T.Type,
    _ combine: (T, T) -> T
  ) {
    forEachLane(frame, instruction, T.self) { target, row, lane, rows in
      let detail = rows.detail.pointee
      let new: T = rows.value(detail.value, row, lane)
      let old = target.pointee
      target.pointee = combine(old, new)
      rows.result(row, lane, old)
    }
  }

  /// Compare and swap: `detail.other` holds what is expected.
  static func compareAndSwap(bytes: Int) -> Handler {
    switch bytes {
    case 1: { swap($0, $1, UInt8.self) }
    case 2: { swap($0, $1, UInt16.self) }
    case 4: { swap($0, $1, UInt32.self) }
    default: { swap($0, $1, UInt64.self) }
    }
  }

  @inline(__always)
  private static func swap<T: Equatable>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, _: T.Type
  ) {
    forEachLane(frame, instruction, T.self) { target, row, lane, rows in
      let detail = rows.detail.pointee
      let old = target.pointee
      let expected: T = rows.value(detail.other, row, lane)
      if old == expected { target.pointee = rows.value(detail.value, row, lane) }
      rows.result(row, lane, old)
    }
  }

  @inline(__always)
  private static func forEachLane<T>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, _: T.Type,
    _ body: (UnsafeMutablePointer<T>, Int, Int, AccessRows) -> Void
  ) {
    let size = MemoryLayout<T>.size
    let rows = AccessRows(frame, instruction, size: size)
    let site = instruction.pointee.site
    let resultOffset = rows.detail.pointee.result.offset
    UnsafeMutableRawPointer(frame.pointee.arena + resultOffset).initializeMemory(
      as: UInt8.self, repeating: 0, count: instruction.pointee.rows &* rows.n &* size)
    frame.pointee.lock?.acquire()
    defer { frame.pointee.lock?.release() }
    for row in 0..<instruction.pointee.rows {
      let (state, lanes) = rows.mask(row)
      if state == .off { continue }
      let (isContiguous, start) = rows.row(row)
      if isContiguous { rows.spread(from: start) }
      for lane in 0..<rows.n {
        if state == .mixed, let lanes, lanes[lane] == 0 { continue }
        let address = rows.addresses[lane]
        let at = row &* rows.n &+ lane
        guard let record = Access.record(frame, address) else {
          return Access.fail(frame, address, size: size, site: site, lane: at, isStore: true)
        }
        let offset = address &- record.pointee.base
        guard offset >= 0, offset &+ size <= record.pointee.byteCount, offset & (size &- 1) == 0
        else { return Access.fail(frame, address, size: size, site: site, lane: at, isStore: true) }
        if let states = record.pointee.states {
          let granule = offset >> record.pointee.granuleShift
          let state = states[granule]
          if state == GranuleState.uninitialized {
            return frame.pointee.stop(
              RawFault(kind: .uninitialized, site: site, lane: at, address: address, bytes: size))
          }
          if state != GranuleState.initialized, state != GranuleState.atomic,
            state != frame.pointee.word, !frame.pointee.isSynchronized
          {
            return frame.pointee.stop(
              RawFault(
                kind: .writeWriteRace(other: state), site: site, lane: at, address: address,
                bytes: size))
          }
          states[granule] = GranuleState.atomic
        }
        body((record.pointee.real + offset).assumingMemoryBound(to: T.self), row, lane, rows)
      }
    }
    frame.pointee.isSynchronized = true
  }
}
