/// The rows of one memory access: addresses and masks, row by row.
struct AccessRows {
  let detail: UnsafePointer<Detail>
  let arena: UnsafeMutableRawPointer
  let addresses: UnsafeMutablePointer<Int>
  let n: Int
  let size: Int
  /// Whether `columns` alone makes each row contiguous; only meaningful without offsets.
  let hasContiguousColumns: Bool
  /// The columns of an access without offsets that is not contiguous, and what they span: the
  /// smallest, the largest, and the bits any of them has.
  let columns: UnsafePointer<Int>?
  private(set) var columnSpan = (low: 0, high: 0, bits: 0)

  enum MaskState { case on, off, mixed }

  @inline(__always)
  init(_ frame: UnsafeMutablePointer<Frame>, _ i: UnsafePointer<Instruction>, size: Int) {
    detail = frame.pointee.details + i.pointee.detail
    arena = frame.pointee.arena
    addresses = frame.pointee.addresses
    n = i.pointee.n
    self.size = size
    guard detail.pointee.columns.isPresent else {
      columns = nil
      hasContiguousColumns = n == 1
      return
    }
    let lanes = (arena + detail.pointee.columns.offset).assumingMemoryBound(to: Int.self)
    var differences = 0
    for lane in 0..<(n - 1) { differences |= (lanes[lane + 1] &- lanes[lane]) ^ size }
    hasContiguousColumns = differences == 0
    if differences == 0 || detail.pointee.offsets.isPresent {
      columns = nil
      return
    }
    columns = UnsafePointer(lanes)
    var span = (low: lanes[0], high: lanes[0], bits: 0)
    for lane in 0..<n {
      span.low = min(span.low, lanes[lane])
      span.high = max(span.high, lanes[lane])
      span.bits |= lanes[lane]
    }
    columnSpan = span
  }

  /// Where the memory is that all lanes of a row lie in, masked or not, if it needs no bookkeeping:
  /// the lane at `base + columns[lane]` is at `memory + offset + columns[lane]`.
  @inline(__always)
  func plainColumns(
    _ frame: UnsafeMutablePointer<Frame>, _ row: Int
  ) -> (memory: UnsafeMutableRawPointer, offset: Int)? {
    let base = rowBase(row)
    guard (base | columnSpan.bits) & (size &- 1) == 0,
      let memory = plain(frame, base &+ columnSpan.low, base &+ columnSpan.high)
    else { return nil }
    return (memory.pointee.real, base &- memory.pointee.base)
  }

  /// The same for 32-bit offsets without columns: the lane is at `memory + offset + lane's offset
  /// times scale`. nil as well where the row is contiguous: that has a faster way.
  @inline(__always)
  func plainOffsets(
    _ frame: UnsafeMutablePointer<Frame>, _ row: Int
  ) -> (memory: UnsafeMutableRawPointer, offset: Int, lanes: UnsafePointer<Int32>, scale: Int)? {
    let part = detail.pointee.offsets
    let scale = detail.pointee.offsetScale
    guard part.isPresent, detail.pointee.offsetBytes == 4, !detail.pointee.columns.isPresent,
      scale > 0
    else { return nil }
    let lanes = UnsafePointer(
      (arena + part.offset + row &* part.row).assumingMemoryBound(to: Int32.self))
    var low = lanes[0]
    var high = lanes[0]
    var differences: Int32 = 0
    for lane in 0..<(n - 1) { differences |= (lanes[lane &+ 1] &- lanes[lane]) ^ 1 }
    if differences == 0, scale == size { return nil }
    for lane in 0..<n {
      low = lanes[lane] < low ? lanes[lane] : low
      high = lanes[lane] > high ? lanes[lane] : high
    }
    let base = rowBase(row)
    guard (base | scale) & (size &- 1) == 0,
      let memory = plain(frame, base &+ Int(low) &* scale, base &+ Int(high) &* scale)
    else { return nil }
    return (memory.pointee.real, base &- memory.pointee.base, lanes, scale)
  }

  /// The allocation that holds the elements at two addresses and needs no bookkeeping.
  @inline(__always)
  private func plain(
    _ frame: UnsafeMutablePointer<Frame>, _ low: Int, _ high: Int
  ) -> UnsafeMutablePointer<AllocationRecord>? {
    guard let record = Access.record(frame, low), record.pointee.states == nil,
      record.pointee.readers == nil, low >= record.pointee.base, high >= low,
      high &- record.pointee.base &+ size <= record.pointee.byteCount
    else { return nil }
    return record
  }

  @inline(__always)
  func rowBase(_ row: Int) -> Int {
    let part = detail.pointee.rowBase
    guard part.isPresent else { return 0 }
    return (arena + part.offset + row &* part.row).assumingMemoryBound(to: Int.self).pointee
  }

  /// Fills `addresses` or finds that the row is contiguous; gives the first lane's address then.
  @inline(__always)
  func row(_ row: Int) -> (isContiguous: Bool, start: Int) {
    let base = rowBase(row)
    let columns = detail.pointee.columns
    let offsets = detail.pointee.offsets
    if !offsets.isPresent {
      guard columns.isPresent else {
        if n > 1 { for lane in 0..<n { addresses[lane] = base } }
        return (n == 1, base)
      }
      let column = (arena + columns.offset).assumingMemoryBound(to: Int.self)
      if hasContiguousColumns { return (true, base &+ column[0]) }
      for lane in 0..<n { addresses[lane] = base &+ column[lane] }
      return (false, 0)
    }
    let scale = detail.pointee.offsetScale
    if detail.pointee.offsetBytes == 4 {
      let offset = (arena + offsets.offset + row &* offsets.row)
        .assumingMemoryBound(to: Int32.self)
      for lane in 0..<n { addresses[lane] = base &+ Int(offset[lane]) &* scale }
    } else {
      let offset = (arena + offsets.offset + row &* offsets.row).assumingMemoryBound(to: Int.self)
      for lane in 0..<n { addresses[lane] = base &+ offset[lane] &* scale }
    }
    if columns.isPresent {
      let column = (arena + columns.offset).assumingMemoryBound(to: Int.self)
      for lane in 0..<n { addresses[lane] = addresses[lane] &+ column[lane] }
    }
    var differences = 0
    for lane in 0..<(n - 1) { differences |= (addresses[lane + 1] &- addresses[lane]) ^ size }
    return (differences == 0, addresses[0])
  }

  /// One lane of a part.
  @inline(__always)
  func value<T>(_ part: Detail.Part, _ row: Int, _ lane: Int) -> T {
    let offset = part.offset &+ row &* part.row &+ lane &* part.lane
    return (arena + offset).assumingMemoryBound(to: T.self).pointee
  }

  /// Sets one lane of the result.
  @inline(__always)
  func result<T>(_ row: Int, _ lane: Int, _ value: T) {
    let lanes = (arena + detail.pointee.result.offset).assumingMemoryBound(to: T.self)
    lanes[row &* n &+ lane] = value
  }

  /// The addresses of a contiguous row, one by one.
  @inline(__always)
  func spread(from start: Int) {
    for lane in 0..<n { addresses[lane] = start &+ lane &* size }
  }

  @inline(__always)
  func mask(_ row: Int) -> (state: MaskState, lanes: UnsafePointer<UInt8>?) {
    let part = detail.pointee.mask
    guard part.isPresent else { return (.on, nil) }
    let lanes = UnsafePointer(
      (arena + part.offset + row &* part.row).assumingMemoryBound(to: UInt8.self))
    if part.lane == 0 { return (lanes[0] != 0 ? .on : .off, nil) }
    var count: Int32 = 0
    for lane in 0..<n { count &+= Int32(lanes[lane]) }
    return (Int(count) == n ? .on : (count == 0 ? .off : .mixed), lanes)
  }

  /// The lanes that a mixed mask leaves on, if they are neighbours.
  @inline(__always)
  func run(_ mask: UnsafePointer<UInt8>) -> (first: Int, count: Int)? {
    var first = 0
    while mask[first] == 0 { first &+= 1 }
    var last = n &- 1
    while mask[last] == 0 { last &-= 1 }
    var count: Int32 = 0
    for lane in 0..<n { count &+= Int32(mask[lane]) }
    return Int(count) == last &- first &+ 1 ? (first, Int(count)) : nil
  }
}

/// Finding and checking memory behind virtual addresses.
enum Access {
  /// The allocation whose region holds the address; nil where there is none.
  @inline(__always)
  static func record(
    _ frame: UnsafeMutablePointer<Frame>, _ address: Int
  ) -> UnsafeMutablePointer<AllocationRecord>? {
    let index = (address >> DeviceMemory.regionShift) &- 1
    guard index >= 0, index < frame.pointee.recordCount else { return nil }
    return frame.pointee.records + index
  }

  /// Whether shadow words are all one of three; without branches, so that it vectorises.
  @inline(__always)
  private static func consists(
    _ words: UnsafeMutablePointer<UInt16>, _ count: Int, _ a: UInt16, _ b: UInt16, _ c: UInt16
  ) -> Bool {
    var strange: UInt16 = 0
    for index in 0..<count {
      let word = words[index]
      let notA: UInt16 = word == a ? 0 : 1
      let notB: UInt16 = word == b ? 0 : 1
      let notC: UInt16 = word == c ? 0 : 1
      strange |= notA & notB & notC
    }
    return strange == 0
  }

  /// Whether a run of bytes may be read; stops the program otherwise. Marks the reader.
  @inline(__always)
  static func checkRead(
    _ frame: UnsafeMutablePointer<Frame>, _ record: UnsafeMutablePointer<AllocationRecord>,
    _ offset: Int, _ bytes: Int, site: Int, lane: Int, size: Int
  ) -> Bool {
    let word = frame.pointee.word
    let shift = record.pointee.granuleShift
    let first = offset >> shift
    let last = (offset &+ bytes &- 1) >> shift
    if let states = record.pointee.states {
      if !consists(states + first, last &- first &+ 1, GranuleState.initialized, word, word) {
        for granule in first...last {
          let state = states[granule]
          if state == GranuleState.initialized || state == word { continue }
          let at = lane + max(0, ((granule << shift) - offset) / size)
          let address = record.pointee.base + max(offset, granule << shift)
          if state == GranuleState.uninitialized {
            frame.pointee.stop(
              RawFault(kind: .uninitialized, site: site, lane: at, address: address, bytes: size))
            return false
          }
          if !frame.pointee.isSynchronized {
            frame.pointee.stop(
              RawFault(
                kind: .readAfterForeignWrite(other: state), site: site, lane: at,
                address: address, bytes: size))
            return false
          }
        }
      }
    }
    if let readers = record.pointee.readers {
      let run = readers + first
      for granule in 0..<(last &- first &+ 1) {
        run[granule] = run[granule] == 0 || run[granule] == word ? word : GranuleState.several
      }
    }
    return true
  }

  /// Whether a run of bytes may be written; stops the program otherwise. Marks the writer.
  ///
  /// - Parameter isSame: whether the bytes there already are the ones to be written: two programs
  ///   that write the same do not race in effect.
  @inline(__always)
  static func checkWrite(
    _ frame: UnsafeMutablePointer<Frame>, _ record: UnsafeMutablePointer<AllocationRecord>,
    _ offset: Int, _ bytes: Int, site: Int, lane: Int, size: Int, isSame: (Int) -> Bool
  ) -> Bool {
    let word = frame.pointee.word
    let shift = record.pointee.granuleShift
    let first = offset >> shift
    let last = (offset &+ bytes &- 1) >> shift
    if first == last, let states = record.pointee.states, record.pointee.readers == nil {
      // One lane: no loops over its granules.
      let state = states[first]
      if state == word || state == GranuleState.initialized || state == GranuleState.uninitialized {
        states[first] = word
        return true
      }
    }
    if let states = record.pointee.states {
      let run = states + first
      let count = last &- first &+ 1
      let isPlain = consists(
        run, count, GranuleState.initialized, GranuleState.uninitialized, word)
      if !isPlain, !frame.pointee.isSynchronized {
        for granule in first...last {
          let state = states[granule]
          if state == word || state == GranuleState.initialized
            || state == GranuleState.uninitialized
          {
            continue
          }
          let at = max(0, ((granule << shift) - offset) / size)
          if !isSame(at) {
            frame.pointee.stop(
              RawFault(
                kind: .writeWriteRace(other: state), site: site, lane: lane + at,
                address: record.pointee.base + max(offset, granule << shift), bytes: size))
            return false
          }
        }
      }
      for granule in 0..<count { run[granule] = word }
    }
    if let readers = record.pointee.readers, !frame.pointee.isSynchronized {
      if consists(readers + first, last &- first &+ 1, 0, word, word) { return true }
      for granule in first...last {
        let reader = readers[granule]
        if reader != 0, reader != word {
          let at = max(0, ((granule << shift) - offset) / size)
          if !isSame(at) {
            frame.pointee.stop(
              RawFault(
                kind: .writeAfterForeignRead(other: reader), site: site, lane: lane + at,
                address: record.pointee.base + max(offset, granule << shift), bytes: size))
            return false
          }
        }
      }
    }
    return true
  }

  /// Stops the program at an address that belongs to no tensor, or is not aligned.
  @inline(never)
  static func fail(
    _ frame: UnsafeMutablePointer<Frame>, _ address: Int, size: Int, site: Int, lane: Int,
    isStore: Bool
  ) {
    let isInside =
      record(frame, address).map {
        address >= $0.pointee.base
          && address &- $0.pointee.base &+ size <= $0.pointee.byteCount
      } ?? false
    frame.pointee.stop(
      RawFault(
        kind: isInside ? .misaligned : .outOfBounds(isStore: isStore), site: site, lane: lane,
        address: address, bytes: size))
  }
}
