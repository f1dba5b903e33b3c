/// Address arithmetic in 64 bits.
enum AddressHandlers {
  static let scale32: Handler = { frame, instruction in
    let scale = instruction.pointee.imm
    Loops.unary(frame, instruction) { (x: Int32) in Int(x) &* scale }
  }
  static let scale64: Handler = { frame, instruction in
    let scale = instruction.pointee.imm
    Loops.unary(frame, instruction) { (x: Int) in x &* scale }
  }
  static let add: Handler = { Loops.binary($0, $1) { (x: Int, y: Int) in x &+ y } }
}
