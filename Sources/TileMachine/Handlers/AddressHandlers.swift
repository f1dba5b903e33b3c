/// Address arithmetic in 64 bits.
enum AddressHandlers {
  static let scale32: Handler = { frame, instruction in
    let scale = instruction.pointee.imm
    if scale > 0, scale & (scale &- 1) == 0 {
      // Element sizes are powers of two; shifts of 64-bit lanes vectorise everywhere.
      let shift = scale.trailingZeroBitCount
      Loops.unary(frame, instruction) { (x: Int32) in Int(x) &<< shift }
    } else {
      Loops.unary(frame, instruction) { (x: Int32) in Int(x) &* scale }
    }
  }
  static let scale64: Handler = { frame, instruction in
    let scale = instruction.pointee.imm
    Loops.unary(frame, instruction) { (x: Int) in x &* scale }
  }
  static let add: Handler = { Loops.binary($0, $1) { (x: Int, y: Int) in x &+ y } }

  /// a: addresses in use, b: what they should be. Stops where an unmasked lane differs; `imm`:
  /// bytes of an element.
  static let checkOverflow: Handler = { frame, instruction in
    let i = instruction.pointee
    let (a, b) = (frame.pointee.int(i.a), frame.pointee.int(i.b))
    var differences = 0
    for lane in 0..<(i.rows &* i.n) { differences |= a[lane] ^ b[lane] }
    if differences == 0 { return }
    let mask = (frame.pointee.details + i.detail).pointee.mask
    for row in 0..<i.rows {
      for column in 0..<i.n {
        let lane = row &* i.n &+ column
        if a[lane] == b[lane] { continue }
        if mask.isPresent {
          let place = frame.pointee.byte(mask.offset &+ row &* mask.row &+ column &* mask.lane)
          if place.pointee == 0 { continue }
        }
        frame.pointee.stop(
          RawFault(
            kind: .offsetOverflow(used: a[lane]), site: i.site, lane: lane, address: b[lane],
            bytes: i.imm))
        return
      }
    }
  }
}
