import TileIR

/// Reductions and scans with built-in combine functions over tiles [outer, length, inner]:
/// `detail.sizes` holds the three. Others are compiled as trees of tile operations.
enum ReduceHandlers {
  static func reduce(_ combine: CombineKind, _ lane: Lane) -> Handler? {
    switch lane {
    case .float: float(combine, Float.self)
    case .double: float(combine, Double.self)
    case .bool, .uint8: integer(combine, UInt8.self)
    case .int8: integer(combine, Int8.self)
    case .int16: integer(combine, Int16.self)
    case .uint16: integer(combine, UInt16.self)
    case .int32: integer(combine, Int32.self)
    case .uint32: integer(combine, UInt32.self)
    case .int64: integer(combine, Int.self)
    case .uint64: integer(combine, UInt.self)
    }
  }

  @inline(__always)
  private static func float<T: BinaryFloatingPoint & SendableMetatype>(
    _ combine: CombineKind, _: T.Type
  ) -> Handler? {
    switch combine {
    case .sum: { fold($0, $1) { (x: T, y: T) in x + y } }
    case .prod: { fold($0, $1) { (x: T, y: T) in x * y } }
    case .max: { fold($0, $1) { (x: T, y: T) in x > y || y != y ? x : y } }
    case .min: { fold($0, $1) { (x: T, y: T) in x < y || y != y ? x : y } }
    default: nil
    }
  }

  @inline(__always)
  private static func integer<T: FixedWidthInteger & SendableMetatype>(
    _ combine: CombineKind, _: T.Type
  ) -> Handler? {
    switch combine {
    case .sum: { fold($0, $1) { (x: T, y: T) in x &+ y } }
    case .prod: { fold($0, $1) { (x: T, y: T) in x &* y } }
    case .max: { fold($0, $1) { (x: T, y: T) in x > y ? x : y } }
    case .min: { fold($0, $1) { (x: T, y: T) in x < y ? x : y } }
    case .and: { fold($0, $1) { (x: T, y: T) in x & y } }
    case .or: { fold($0, $1) { (x: T, y: T) in x | y } }
    case .xor: { fold($0, $1) { (x: T, y: T) in x ^ y } }
    default: nil
    }
  }

  /// Rows of one number are folded by halves: lane i with lane i + length/2, then those, and so on,
  /// which is the order of a butterfly over a warp. Where there are inner lanes, the same by rows.
  @inline(__always)
  private static func fold<T>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    _ combine: (T, T) -> T
  ) {
    let i = instruction.pointee
    let sizes = (frame.pointee.details + i.detail).pointee.sizes
    let (outer, length, inner) = (sizes[0], sizes[1], sizes[2])
    let a = (frame.pointee.arena + i.a).assumingMemoryBound(to: T.self)
    let d = (frame.pointee.arena + i.d).assumingMemoryBound(to: T.self)
    // `b` is room for half of one outer slice.
    let scratch = (frame.pointee.arena + i.b).assumingMemoryBound(to: T.self)
    for index in 0..<outer {
      let source = a + index &* length &* inner
      let target = d + index &* inner
      if length == 1 {
        target.update(from: source, count: inner)
        continue
      }
      var half = length &* inner / 2
      for lane in 0..<half { scratch[lane] = combine(source[lane], source[lane &+ half]) }
      while half > inner {
        half /= 2
        for lane in 0..<half { scratch[lane] = combine(scratch[lane], scratch[lane &+ half]) }
      }
      target.update(from: scratch, count: inner)
    }
  }

  /// Index of the largest or smallest value. `b`: indices (i32), `c`: where they go.
  /// `imm`: 1 for the largest.
  static func arg(_ lane: Lane) -> Handler? {
    switch lane {
    case .float: { arg($0, $1, Float.self) }
    case .double: { arg($0, $1, Double.self) }
    case .bool, .uint8: { arg($0, $1, UInt8.self) }
    case .int8: { arg($0, $1, Int8.self) }
    case .int16: { arg($0, $1, Int16.self) }
    case .uint16: { arg($0, $1, UInt16.self) }
    case .int32: { arg($0, $1, Int32.self) }
    case .uint32: { arg($0, $1, UInt32.self) }
    case .int64: { arg($0, $1, Int.self) }
    case .uint64: { arg($0, $1, UInt.self) }
    }
  }

  private static func arg<T: Comparable & SendableMetatype>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, _: T.Type
  ) {
    let i = instruction.pointee
    let sizes = (frame.pointee.details + i.detail).pointee.sizes
    let (outer, length, inner) = (sizes[0], sizes[1], sizes[2])
    let arena = frame.pointee.arena
    let values = (arena + i.a).assumingMemoryBound(to: T.self)
    let indices = frame.pointee.int32(i.b)
    let bestValues = (arena + i.d).assumingMemoryBound(to: T.self)
    let bestIndices = frame.pointee.int32(i.c)
    for slice in 0..<outer {
      for lane in 0..<inner {
        var at = slice &* length &* inner &+ lane
        var value = values[at]
        var index = indices[at]
        for _ in 1..<max(1, length) {
          at &+= inner
          let next = values[at]
          // Triton's combine: the left operand stays if it is better, or as good with a lower index.
          let stays =
            (i.imm != 0 ? value > next : value < next) || (value == next && index < indices[at])
          if !stays {
            value = next
            index = indices[at]
          }
        }
        bestValues[slice &* inner &+ lane] = value
        bestIndices[slice &* inner &+ lane] = index
      }
    }
  }

  static func scan(_ combine: CombineKind, _ lane: Lane) -> Handler? {
    switch lane {
    case .float: floatScan(combine, Float.self)
    case .double: floatScan(combine, Double.self)
    case .bool, .uint8: integerScan(combine, UInt8.self)
    case .int8: integerScan(combine, Int8.self)
    case .int16: integerScan(combine, Int16.self)
    case .uint16: integerScan(combine, UInt16.self)
    case .int32: integerScan(combine, Int32.self)
    case .uint32: integerScan(combine, UInt32.self)
    case .int64: integerScan(combine, Int.self)
    case .uint64: integerScan(combine, UInt.self)
    }
  }

  @inline(__always)
  private static func floatScan<T: BinaryFloatingPoint & SendableMetatype>(
    _ combine: CombineKind, _: T.Type
  ) -> Handler? {
    switch combine {
    case .sum: { accumulate($0, $1) { (x: T, y: T) in x + y } }
    case .prod: { accumulate($0, $1) { (x: T, y: T) in x * y } }
    case .max: { accumulate($0, $1) { (x: T, y: T) in x > y || y != y ? x : y } }
    case .min: { accumulate($0, $1) { (x: T, y: T) in x < y || y != y ? x : y } }
    default: nil
    }
  }

  @inline(__always)
  private static func integerScan<T: FixedWidthInteger & SendableMetatype>(
    _ combine: CombineKind, _: T.Type
  ) -> Handler? {
    switch combine {
    case .sum: { accumulate($0, $1) { (x: T, y: T) in x &+ y } }
    case .prod: { accumulate($0, $1) { (x: T, y: T) in x &* y } }
    case .max: { accumulate($0, $1) { (x: T, y: T) in x > y ? x : y } }
    case .min: { accumulate($0, $1) { (x: T, y: T) in x < y ? x : y } }
    case .and: { accumulate($0, $1) { (x: T, y: T) in x & y } }
    case .or: { accumulate($0, $1) { (x: T, y: T) in x | y } }
    case .xor: { accumulate($0, $1) { (x: T, y: T) in x ^ y } }
    default: nil
    }
  }

  /// From the first element on, or from the last where `imm` is 1.
  @inline(__always)
  private static func accumulate<T>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    _ combine: (T, T) -> T
  ) {
    let i = instruction.pointee
    let sizes = (frame.pointee.details + i.detail).pointee.sizes
    let (outer, length, inner) = (sizes[0], sizes[1], sizes[2])
    let isReversed = i.imm != 0
    for index in 0..<outer {
      let start = index &* length &* inner
      let a = (frame.pointee.arena + i.a).assumingMemoryBound(to: T.self) + start
      let d = (frame.pointee.arena + i.d).assumingMemoryBound(to: T.self) + start
      let step = isReversed ? -inner : inner
      var at = isReversed ? (length &- 1) &* inner : 0
      for lane in 0..<inner { d[at &+ lane] = a[at &+ lane] }
      for _ in 1..<max(1, length) {
        let before = at
        at &+= step
        for lane in 0..<inner { d[at &+ lane] = combine(d[before &+ lane], a[at &+ lane]) }
      }
    }
  }

  /// `tl.histogram`: a: values of `imm` bytes, b: mask (`imm2` = 1), d: i32 counts of `detail.sizes[0]` bins.
  static let histogram: Handler = { frame, instruction in
    let i = instruction.pointee
    let bins = (frame.pointee.details + i.detail).pointee.sizes[0]
    let d = frame.pointee.int32(i.d)
    for bin in 0..<bins { d[bin] = 0 }
    let mask = frame.pointee.byte(i.b)
    for lane in 0..<i.n {
      if i.imm2 != 0, mask[lane] == 0 { continue }
      let value = ShapeHandlers.loadInteger(frame.pointee.arena + i.a, lane, bytes: i.imm)
      guard value >= 0, value < bins else {
        return frame.pointee.stop(
          RawFault(kind: .indexOutOfRange(index: value, count: bins), site: i.site, lane: lane))
      }
      d[value] &+= 1
    }
  }
}
