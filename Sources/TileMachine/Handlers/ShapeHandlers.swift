/// Copies of lanes in other orders: transpositions, joins, slices, gathers.
enum ShapeHandlers {
  static func copy(bytes: Int) -> Handler {
    switch bytes {
    case 1: { copy($0, $1, UInt8.self) }
    case 2: { copy($0, $1, UInt16.self) }
    case 4: { copy($0, $1, UInt32.self) }
    default: { copy($0, $1, UInt64.self) }
    }
  }

  /// `detail.sizes` and `.strides` (source lanes); `imm`: first source lane. The result is dense,
  /// or walked with the strides in `detail.more` from lane `imm2` on.
  private static func copy<T>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, _: T.Type
  ) {
    let arena = frame.pointee.arena
    let i = instruction.pointee
    let d = (arena + i.d).assumingMemoryBound(to: T.self) + i.imm2
    let a = UnsafePointer((arena + i.a).assumingMemoryBound(to: T.self)) + i.imm
    let detail = frame.pointee.details + i.detail
    detail.pointee.sizes.withUnsafeBufferPointer { sizes in
      detail.pointee.strides.withUnsafeBufferPointer { strides in
        detail.pointee.more.withUnsafeBufferPointer { targets in
          walk(d, a, sizes, strides, targets, axis: 0, dense: targets.isEmpty)
        }
      }
    }
  }

  /// Recursion over at most as many levels as a tile has axes.
  private static func walk<T>(
    _ d: UnsafeMutablePointer<T>, _ a: UnsafePointer<T>, _ sizes: UnsafeBufferPointer<Int>,
    _ strides: UnsafeBufferPointer<Int>, _ targets: UnsafeBufferPointer<Int>, axis: Int,
    dense: Bool
  ) {
    let stride = strides[axis]
    if axis == sizes.count - 1 {
      let step = dense ? 1 : targets[axis]
      switch (step, stride) {
      case (1, 0):
        let value = a[0]
        for lane in 0..<sizes[axis] { d[lane] = value }
      case (1, 1): d.update(from: a, count: sizes[axis])
      case (1, _): for lane in 0..<sizes[axis] { d[lane] = a[lane &* stride] }
      default: for lane in 0..<sizes[axis] { d[lane &* step] = a[lane &* stride] }
      }
      return
    }
    var inner = 1
    if dense {
      for other in (axis + 1)..<sizes.count { inner *= sizes[other] }
    } else {
      inner = targets[axis]
    }
    for index in 0..<sizes[axis] {
      walk(
        d + index * inner, a + index * stride, sizes, strides, targets, axis: axis + 1,
        dense: dense)
    }
  }

  /// Lane [i…] of the result is the source's lane whose coordinate along `imm` is the index there.
  /// `b` holds indices of `imm2` bytes; `detail.sizes` the result's shape, `.strides` the source's
  /// strides, `.more[0]` the source's size along the axis.
  static func gather(bytes: Int) -> Handler {
    switch bytes {
    case 1: { gather($0, $1, UInt8.self) }
    case 2: { gather($0, $1, UInt16.self) }
    case 4: { gather($0, $1, UInt32.self) }
    default: { gather($0, $1, UInt64.self) }
    }
  }

  private static func gather<T>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>, _: T.Type
  ) {
    let arena = frame.pointee.arena
    let i = instruction.pointee
    let d = (arena + i.d).assumingMemoryBound(to: T.self)
    let a = (arena + i.a).assumingMemoryBound(to: T.self)
    let detail = (frame.pointee.details + i.detail).pointee
    let size = detail.more[0]
    for lane in 0..<i.n {
      let index = loadInteger(arena + i.b, lane, bytes: i.imm2)
      guard index >= 0, index < size else {
        return frame.pointee.stop(
          RawFault(
            kind: .indexOutOfRange(index: index, count: size), site: i.site, lane: lane))
      }
      var rest = lane
      var source = index * detail.strides[i.imm]
      for axis in detail.sizes.indices.reversed() {
        if axis != i.imm { source += rest % detail.sizes[axis] * detail.strides[axis] }
        rest /= detail.sizes[axis]
      }
      d[lane] = a[source]
    }
  }

  /// A signed integer lane of 1, 2, 4 or 8 bytes.
  @inline(__always)
  static func loadInteger(_ base: UnsafeMutableRawPointer, _ lane: Int, bytes: Int) -> Int {
    switch bytes {
    case 1: Int((base + lane).assumingMemoryBound(to: Int8.self).pointee)
    case 2: Int((base + lane &* 2).assumingMemoryBound(to: Int16.self).pointee)
    case 4: Int((base + lane &* 4).assumingMemoryBound(to: Int32.self).pointee)
    default: (base + lane &* 8).assumingMemoryBound(to: Int.self).pointee
    }
  }

  /// `tl.arange`: `imm` is the first number.
  static let range: Handler = { frame, instruction in
    let d = frame.pointee.int32(instruction.pointee.d)
    let first = Int32(truncatingIfNeeded: instruction.pointee.imm)
    for lane in 0..<instruction.pointee.n { d[lane] = first &+ Int32(truncatingIfNeeded: lane) }
  }
}
