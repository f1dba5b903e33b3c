/// Stores, row by row. Two lanes of one store that write different values to one address stop the
/// program: which of them wins is not defined.
enum StoreHandlers {
  /// Stores raw elements of so many bytes; floats narrower than fp32 are encoded before.
  static func store(bytes: Int) -> Handler {
    switch bytes {
    case 1: { store($0, $1, UInt8.self) }
    case 2: { store($0, $1, UInt16.self) }
    case 4: { store($0, $1, UInt32.self) }
    default: { store($0, $1, UInt64.self) }
    }
  }

  @inline(__always)
  private static func store<Raw: Equatable>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    _: Raw.Type
  ) {
    let size = MemoryLayout<Raw>.size
    let rows = AccessRows(frame, instruction, size: size)
    let arena = frame.pointee.arena
    let n = rows.n
    let site = instruction.pointee.site
    let value = rows.detail.pointee.value
    let step = value.lane == 0 ? 0 : 1
    // Addresses that only grow (or only shrink) from row to row and lane to lane are distinct.
    var isOrdered = true
    var nextFree = Int.min
    for row in 0..<instruction.pointee.rows {
      let (state, lanes) = rows.mask(row)
      if state == .off { continue }
      let source = UnsafePointer(
        (arena + value.offset + row &* value.row).assumingMemoryBound(to: Raw.self))
      let (isContiguous, start) = rows.row(row)
      if isContiguous, let run = state == .mixed ? lanes.flatMap(rows.run) : (0, n),
        let record = Access.record(frame, start &+ run.first &* size)
      {
        let address = start &+ run.first &* size
        let offset = address &- record.pointee.base
        if offset >= 0, offset &+ run.count &* size <= record.pointee.byteCount,
          offset & (size &- 1) == 0
        {
          let target = (record.pointee.real + offset).assumingMemoryBound(to: Raw.self)
          let values = source + run.first &* step
          guard
            Access.checkWrite(
              frame, record, offset, run.count &* size, site: site,
              lane: row &* n &+ run.first, size: size,
              isSame: { target[$0] == values[$0 &* step] })
          else { return }
          if step == 1 {
            for lane in 0..<run.count { target[lane] = values[lane] }
          } else {
            for lane in 0..<run.count { target[lane] = values[0] }
          }
          if address < nextFree { isOrdered = false }
          nextFree = max(nextFree, address &+ run.count &* size)
          continue
        }
      }
      if isContiguous { rows.spread(from: start) }
      for lane in 0..<n {
        if state == .mixed, let lanes, lanes[lane] == 0 { continue }
        let address = rows.addresses[lane]
        guard let record = Access.record(frame, address) else {
          return Access.fail(
            frame, address, size: size, site: site, lane: row &* n &+ lane, isStore: true)
        }
        let offset = address &- record.pointee.base
        guard offset >= 0, offset &+ size <= record.pointee.byteCount, offset & (size &- 1) == 0
        else {
          return Access.fail(
            frame, address, size: size, site: site, lane: row &* n &+ lane, isStore: true)
        }
        let target = (record.pointee.real + offset).assumingMemoryBound(to: Raw.self)
        let raw = source[lane &* step]
        guard
          Access.checkWrite(
            frame, record, offset, size, site: site, lane: row &* n &+ lane, size: size,
            isSame: { _ in target.pointee == raw })
        else { return }
        target.pointee = raw
        if address < nextFree { isOrdered = false }
        nextFree = max(nextFree, address &+ size)
      }
    }
    if !isOrdered { checkDistinct(frame, instruction, rows, Raw.self) }
  }

  /// Looks for two lanes with one address and different values.
  @inline(__always)
  private static func checkDistinct<Raw: Equatable>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    _ rows: AccessRows, _: Raw.Type
  ) {
    if isSeparable(rows, rowCount: instruction.pointee.rows) { return }
    let arena = frame.pointee.arena
    let value = rows.detail.pointee.value
    let step = value.lane == 0 ? 0 : 1
    let size = MemoryLayout<Raw>.size
    var lanesByAddress = LaneTable(capacity: instruction.pointee.rows * rows.n)
    for row in 0..<instruction.pointee.rows {
      let (state, lanes) = rows.mask(row)
      if state == .off { continue }
      let (isContiguous, start) = rows.row(row)
      if isContiguous { rows.spread(from: start) }
      for lane in 0..<rows.n {
        if state == .mixed, let lanes, lanes[lane] == 0 { continue }
        let here = row &* rows.n &+ lane
        guard let before = lanesByAddress.insert(rows.addresses[lane], lane: here) else { continue }
        let source = (arena + value.offset).assumingMemoryBound(to: UInt8.self)
        func raw(_ position: Int) -> Raw {
          let row = position / rows.n
          let lane = position % rows.n
          return UnsafeRawPointer(source + row &* value.row)
            .assumingMemoryBound(to: Raw.self)[lane &* step]
        }
        if raw(before) != raw(here) {
          return frame.pointee.stop(
            RawFault(
              kind: .laneRace(otherLane: before), site: instruction.pointee.site, lane: here,
              address: rows.addresses[lane], bytes: size))
        }
      }
    }
  }

  /// Row bases and columns that each differ from one another, with the span of one smaller than
  /// every gap of the other, make distinct sums.
  private static func isSeparable(_ rows: AccessRows, rowCount: Int) -> Bool {
    let detail = rows.detail.pointee
    guard !detail.offsets.isPresent, detail.columns.isPresent, detail.rowBase.row != 0,
      rows.n > 1, rowCount > 1
    else { return false }
    let columns = (rows.arena + detail.columns.offset).assumingMemoryBound(to: Int.self)
    func gaps(_ count: Int, _ at: (Int) -> Int) -> (smallest: Int, span: Int)? {
      var smallest = Int.max
      var direction = 0
      for index in 1..<count {
        let gap = at(index) &- at(index - 1)
        if gap == 0 { return nil }
        if direction == 0 { direction = gap.signum() }
        if gap.signum() != direction { return nil }
        smallest = min(smallest, abs(gap))
      }
      return (smallest, abs(at(count - 1) &- at(0)) &+ rows.size)
    }
    guard let inner = gaps(rows.n, { columns[$0] }), let outer = gaps(rowCount, rows.rowBase)
    else { return false }
    return inner.span <= outer.smallest || outer.span <= inner.smallest
  }
}

/// Which lane wrote an address first: open addressing over the lanes of one store.
struct LaneTable {
  private var keys: [Int]
  private var lanes: [Int]
  private let mask: Int

  init(capacity: Int) {
    var size = 16
    while size < capacity &* 2 { size &*= 2 }
    keys = Array(repeating: -1, count: size)
    lanes = Array(repeating: 0, count: size)
    mask = size - 1
  }

  /// The lane that had the address before, if one had.
  mutating func insert(_ address: Int, lane: Int) -> Int? {
    var slot = Int(truncatingIfNeeded: UInt(bitPattern: address) &* 0x9E37_79B9_7F4A_7C15) >> 20
    slot &= mask
    while keys[slot] != -1 {
      if keys[slot] == address { return lanes[slot] }
      slot = (slot &+ 1) & mask
    }
    keys[slot] = address
    lanes[slot] = lane
    return nil
  }
}
