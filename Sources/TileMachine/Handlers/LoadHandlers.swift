import TileIR

/// Loads, row by row: contiguous rows at once, others lane by lane.
enum LoadHandlers {
  /// Loads raw elements of so many bytes; floats narrower than fp32 are decoded by an instruction
  /// of their own. A stored int1 counts as set if its byte is not 0.
  static func load(_ element: ElementType) -> Handler {
    if element == .int1 { return { load($0, $1, UInt8.self) { $0 != 0 ? 1 : 0 } } }
    switch element.bytes {
    case 1: return { load($0, $1, UInt8.self) { $0 } }
    case 2: return { load($0, $1, UInt16.self) { $0 } }
    case 4: return { load($0, $1, UInt32.self) { $0 } }
    default: return { load($0, $1, UInt64.self) { $0 } }
    }
  }

  @inline(__always)
  private static func load<Raw>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    _: Raw.Type, _ decode: (Raw) -> Raw
  ) {
    let size = MemoryLayout<Raw>.size
    let rows = AccessRows(frame, instruction, size: size)
    let arena = frame.pointee.arena
    let n = rows.n
    let site = instruction.pointee.site
    let other = rows.detail.pointee.other
    for row in 0..<instruction.pointee.rows {
      let d = (arena + instruction.pointee.d).assumingMemoryBound(to: Raw.self) + row &* n
      let (state, lanes) = rows.mask(row)
      if state != .on {
        // What masked-off lanes get; without `other` they are 0, as in Triton's NVIDIA backend.
        if other.isPresent {
          let source = (arena + other.offset + row &* other.row).assumingMemoryBound(to: Raw.self)
          if other.lane == 0 {
            let value = source[0]
            for lane in 0..<n { d[lane] = value }
          } else {
            for lane in 0..<n { d[lane] = source[lane] }
          }
        } else {
          UnsafeMutableRawPointer(d).initializeMemory(
            as: UInt8.self, repeating: 0, count: n &* MemoryLayout<Raw>.size)
        }
        if state == .off { continue }
      }
      if let columns = rows.columns, let (memory, offset) = rows.plainColumns(frame, row) {
        func lane(_ lane: Int) -> Raw {
          decode(
            (memory + (offset &+ columns[lane])).assumingMemoryBound(to: Raw.self).pointee)
        }
        if state == .mixed, let lanes {
          for index in 0..<n {
            let value = lane(index)
            d[index] = lanes[index] != 0 ? value : d[index]
          }
        } else {
          for index in 0..<n { d[index] = lane(index) }
        }
        continue
      }
      if let (memory, offset, indices, scale) = rows.plainOffsets(frame, row) {
        func lane(_ lane: Int) -> Raw {
          decode(
            (memory + (offset &+ Int(indices[lane]) &* scale))
              .assumingMemoryBound(to: Raw.self).pointee)
        }
        if state == .mixed, let lanes {
          for index in 0..<n {
            let value = lane(index)
            d[index] = lanes[index] != 0 ? value : d[index]
          }
        } else {
          for index in 0..<n { d[index] = lane(index) }
        }
        continue
      }
      let (isContiguous, start) = rows.row(row)
      if isContiguous, let run = state == .mixed ? lanes.flatMap(rows.run) : (0, n) {
        let address = start &+ run.first &* size
        if let record = Access.record(frame, address) {
          let offset = address &- record.pointee.base
          if offset >= 0, offset &+ run.count &* size <= record.pointee.byteCount,
            offset & (size &- 1) == 0
          {
            guard
              Access.checkRead(
                frame, record, offset, run.count &* size, site: site,
                lane: row &* n &+ run.first, size: size)
            else { return }
            let source = UnsafeRawPointer(record.pointee.real + offset)
              .assumingMemoryBound(to: Raw.self)
            let target = d + run.first
            for lane in 0..<run.count { target[lane] = decode(source[lane]) }
            continue
          }
        }
      }
      if isContiguous { rows.spread(from: start) }
      guard
        lanewise(
          frame, rows.addresses, state == .mixed ? lanes : nil, d, n, site: site, row: row, decode)
      else { return }
    }
  }

  @inline(__always)
  private static func lanewise<Raw>(
    _ frame: UnsafeMutablePointer<Frame>, _ addresses: UnsafeMutablePointer<Int>,
    _ mask: UnsafePointer<UInt8>?, _ d: UnsafeMutablePointer<Raw>, _ n: Int, site: Int, row: Int,
    _ decode: (Raw) -> Raw
  ) -> Bool {
    let size = MemoryLayout<Raw>.size
    var base = 0
    var limit = -1
    var real: UnsafeMutableRawPointer?
    var record: UnsafeMutablePointer<AllocationRecord>?
    var isTracked = false
    for lane in 0..<n {
      if let mask, mask[lane] == 0 { continue }
      let address = addresses[lane]
      var offset = address &- base
      if offset < 0 || offset > limit {
        guard let found = Access.record(frame, address) else {
          Access.fail(
            frame, address, size: size, site: site, lane: row &* n &+ lane, isStore: false)
          return false
        }
        record = found
        base = found.pointee.base
        limit = found.pointee.byteCount &- size
        real = found.pointee.real
        isTracked = found.pointee.states != nil || found.pointee.readers != nil
        offset = address &- base
        if offset < 0 || offset > limit {
          Access.fail(
            frame, address, size: size, site: site, lane: row &* n &+ lane, isStore: false)
          return false
        }
      }
      if offset & (size &- 1) != 0 {
        Access.fail(frame, address, size: size, site: site, lane: row &* n &+ lane, isStore: false)
        return false
      }
      if isTracked, let record {
        guard
          Access.checkRead(
            frame, record, offset, size, site: site, lane: row &* n &+ lane, size: size)
        else { return false }
      }
      if let real {
        d[lane] = decode((real + offset).assumingMemoryBound(to: Raw.self).pointee)
      }
    }
    return true
  }
}
