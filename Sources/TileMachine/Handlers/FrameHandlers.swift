import TileIR

/// Handlers that read or change the frame: program ids, jumps, checks, prints.
enum FrameHandlers {
  static func programID(_ axis: Int) -> Handler {
    switch axis {
    case 0: { $0.pointee.int32($1.pointee.d)[0] = $0.pointee.programID.0 }
    case 1: { $0.pointee.int32($1.pointee.d)[0] = $0.pointee.programID.1 }
    default: { $0.pointee.int32($1.pointee.d)[0] = $0.pointee.programID.2 }
    }
  }

  /// Goes on at instruction `imm`.
  static let jump: Handler = { $0.pointee.pc = $1.pointee.imm }

  /// Goes on at `imm` unless the condition at `a` holds.
  static let jumpUnless: Handler = { frame, instruction in
    if frame.pointee.byte(instruction.pointee.a)[0] == 0 {
      frame.pointee.pc = instruction.pointee.imm
    }
  }

  /// Leaves the loop (to `imm`) when the induction variable at `a` has reached `b`; `c` is the
  /// step. Also counts iterations against endless loops.
  static func loopTest(_ lane: Lane) -> Handler {
    switch lane {
    case .int32: { loopTest($0, $1, Int32.self) }
    case .uint32: { loopTest($0, $1, UInt32.self) }
    case .uint64: { loopTest($0, $1, UInt.self) }
    case .int16: { loopTest($0, $1, Int16.self) }
    case .uint16: { loopTest($0, $1, UInt16.self) }
    case .int8: { loopTest($0, $1, Int8.self) }
    case .bool, .uint8: { loopTest($0, $1, UInt8.self) }
    default: { loopTest($0, $1, Int.self) }
    }
  }

  private static func loopTest<T: FixedWidthInteger & SendableMetatype>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, _: T.Type
  ) {
    let arena = frame.pointee.arena
    let variable = (arena + instruction.pointee.a).assumingMemoryBound(to: T.self).pointee
    let bound = (arena + instruction.pointee.b).assumingMemoryBound(to: T.self).pointee
    let step = (arena + instruction.pointee.c).assumingMemoryBound(to: T.self).pointee
    let goesOn = step > 0 ? variable < bound : (step < 0 ? variable > bound : false)
    if !goesOn {
      frame.pointee.pc = instruction.pointee.imm
      return
    }
    spend(frame, instruction)
  }

  /// Counts one iteration of a `while` loop.
  static let tick: Handler = { spend($0, $1) }

  @inline(__always)
  private static func spend(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>
  ) {
    frame.pointee.fuel &-= 1
    if frame.pointee.fuel < 0 {
      frame.pointee.stop(RawFault(kind: .endless, site: instruction.pointee.site))
    }
  }

  static let assertTrue: Handler = { frame, instruction in
    let lanes = frame.pointee.byte(instruction.pointee.a)
    for lane in 0..<instruction.pointee.n where lanes[lane] == 0 {
      return frame.pointee.stop(
        RawFault(kind: .assertion, site: instruction.pointee.site, lane: lane))
    }
  }

  static let assume: Handler = { frame, instruction in
    let lanes = frame.pointee.byte(instruction.pointee.a)
    for lane in 0..<instruction.pointee.n where lanes[lane] == 0 {
      return frame.pointee.stop(
        RawFault(kind: .assumption, site: instruction.pointee.site, lane: lane))
    }
  }

  static func print(_ element: ElementType) -> Handler {
    { frame, instruction in
      guard let log = frame.pointee.printed, log.lines.count < PrintLog.limit else { return }
      let text = (frame.pointee.details + instruction.pointee.detail).pointee.text
      let id = frame.pointee.programID
      let arena = frame.pointee.arena + instruction.pointee.a
      for lane in 0..<instruction.pointee.n where log.lines.count < PrintLog.limit {
        let value: String
        switch Lane(element) {
        case .float: value = "\(arena.assumingMemoryBound(to: Float.self)[lane])"
        case .double: value = "\(arena.assumingMemoryBound(to: Double.self)[lane])"
        case .uint64: value = "\(arena.assumingMemoryBound(to: UInt.self)[lane])"
        case .uint32: value = "\(arena.assumingMemoryBound(to: UInt32.self)[lane])"
        case .uint16: value = "\(arena.assumingMemoryBound(to: UInt16.self)[lane])"
        case .uint8, .bool: value = "\(arena.assumingMemoryBound(to: UInt8.self)[lane])"
        default:
          value = "\(ShapeHandlers.loadInteger(arena, lane, bytes: Lane(element).bytes))"
        }
        log.lines.append("pid (\(id.0), \(id.1), \(id.2)) lane \(lane) \(text)\(value)")
      }
    }
  }
}

/// Checks of `tl.multiple_of`, `tl.max_contiguous` and `tl.max_constancy`: what the compiler may
/// rely on for vectors of up to 16 bytes, no more.
enum HintHandlers {
  static func check(_ kind: HintKind) -> Handler {
    switch kind {
    case .multipleOf: { checkMultiple($0, $1) }
    case .maxContiguous: { checkRuns($0, $1, step: 1, name: "max_contiguous") }
    case .maxConstancy: { checkRuns($0, $1, step: 0, name: "max_constancy") }
    }
  }

  /// The first lane of every run of consecutive numbers must be a multiple. Pointers count in bytes
  /// over elements; `imm` is the bytes of one element.
  private static func checkMultiple(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>
  ) {
    let i = instruction.pointee
    let detail = (frame.pointee.details + i.detail).pointee
    let lanes = frame.pointee.int(i.a)
    let length = detail.sizes.last ?? 1
    let stated = detail.more.last ?? 1
    guard stated > 1 else { return }
    for lane in 0..<i.n {
      let isRunStart =
        length <= 1 || lane % length == 0 || lanes[lane] &- lanes[lane - 1] != i.imm
      if isRunStart, lanes[lane] % stated != 0, lanes[lane] % 16 != 0 || stated <= 16 {
        return frame.pointee.stop(
          RawFault(
            kind: .wrongHint(
              .init(hint: "multiple_of", value: lanes[lane], stated: stated)), site: i.site,
            lane: lane))
      }
    }
  }

  private static func checkRuns(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, step: Int,
    name: String
  ) {
    let i = instruction.pointee
    let detail = (frame.pointee.details + i.detail).pointee
    let lanes = frame.pointee.int(i.a)
    let length = detail.sizes.last ?? 1
    let stated = min(detail.more.last ?? 1, 16)
    guard stated > 1, length > 1 else { return }
    for lane in 0..<i.n where lane % length % stated != 0 {
      if lanes[lane] &- lanes[lane - 1] != step * i.imm {
        return frame.pointee.stop(
          RawFault(
            kind: .wrongHint(.init(hint: name, value: lanes[lane], stated: detail.more.last ?? 1)),
            site: i.site, lane: lane))
      }
    }
  }
}
