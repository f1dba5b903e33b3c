/// The rows of one memory access: addresses and masks, row by row.
struct AccessRows {
  let detail: UnsafePointer<Detail>
  let arena: UnsafeMutableRawPointer
  let addresses: UnsafeMutablePointer<Int>
  let n: Int
  let size: Int
  /// Whether `columns` alone makes each row contiguous; only meaningful without offsets.
  let hasContiguousColumns: Bool

  enum MaskState { case on, off, mixed }

  @inline(__always)
  init(_ frame: UnsafeMutablePointer<Frame>, _ i: UnsafePointer<Instruction>, size: Int) {
    detail = frame.pointee.details + i.pointee.detail
    arena = frame.pointee.arena
    addresses = frame.pointee.addresses
    n = i.pointee.n
    self.size = size
    var contiguous = false
    if detail.pointee.columns.isPresent {
      let columns = (arena + detail.pointee.columns.offset).assumingMemoryBound(to: Int.self)
      var differences = 0
      for lane in 0..<(n - 1) { differences |= (columns[lane + 1] &- columns[lane]) ^ size }
      contiguous = differences == 0
    } else {
      contiguous = n == 1
    }
    hasContiguousColumns = contiguous
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
    var all: UInt8 = 1
    var any: UInt8 = 0
    for lane in 0..<n {
      all &= lanes[lane]
      any |= lanes[lane]
    }
    return (all != 0 ? .on : (any == 0 ? .off : .mixed), lanes)
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
      var strange: UInt16 = 0
      for granule in first...last {
        let state = states[granule]
        strange |= state == GranuleState.initialized || state == word ? 0 : 1
      }
      if strange != 0 {
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
      for granule in first...last {
        let reader = readers[granule]
        readers[granule] =
          reader == 0 || reader == word ? word : GranuleState.several
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
    if let states = record.pointee.states {
      for granule in first...last {
        let state = states[granule]
        if state != word, state != GranuleState.initialized, state != GranuleState.uninitialized,
          !frame.pointee.isSynchronized
        {
          let at = max(0, ((granule << shift) - offset) / size)
          if !isSame(at) {
            frame.pointee.stop(
              RawFault(
                kind: .writeWriteRace(other: state), site: site, lane: lane + at,
                address: record.pointee.base + max(offset, granule << shift), bytes: size))
            return false
          }
        }
        states[granule] = word
      }
    }
    if let readers = record.pointee.readers, !frame.pointee.isSynchronized {
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
