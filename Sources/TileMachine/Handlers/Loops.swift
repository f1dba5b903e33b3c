/// The loops under every elementwise handler: rows of lanes, with operands that move or stay.
///
/// All of it is inlined into each handler with the operation's closure, so that the compiler sees
/// plain loops over one type and vectorises them.
enum Loops {
  @inline(__always)
  static func unary<A, R>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    _ body: (A) -> R
  ) {
    let i = instruction.pointee
    var d = frame.pointee.arena + i.d
    var a = UnsafeRawPointer(frame.pointee.arena + i.a)
    for _ in 0..<i.rows {
      let result = d.assumingMemoryBound(to: R.self)
      let left = a.assumingMemoryBound(to: A.self)
      if i.fixed & 1 == 0 {
        for lane in 0..<i.n { result[lane] = body(left[lane]) }
      } else {
        let value = body(left[0])
        for lane in 0..<i.n { result[lane] = value }
      }
      d += i.sd
      a += i.sa
    }
  }

  @inline(__always)
  static func binary<A, R>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    _ body: (A, A) -> R
  ) {
    let i = instruction.pointee
    var d = frame.pointee.arena + i.d
    var a = UnsafeRawPointer(frame.pointee.arena + i.a)
    var b = UnsafeRawPointer(frame.pointee.arena + i.b)
    for _ in 0..<i.rows {
      let result = d.assumingMemoryBound(to: R.self)
      let left = a.assumingMemoryBound(to: A.self)
      let right = b.assumingMemoryBound(to: A.self)
      switch i.fixed & 3 {
      case 0: for lane in 0..<i.n { result[lane] = body(left[lane], right[lane]) }
      case 1:
        let value = left[0]
        for lane in 0..<i.n { result[lane] = body(value, right[lane]) }
      case 2:
        let value = right[0]
        for lane in 0..<i.n { result[lane] = body(left[lane], value) }
      default:
        let value = body(left[0], right[0])
        for lane in 0..<i.n { result[lane] = value }
      }
      d += i.sd
      a += i.sa
      b += i.sb
    }
  }

  /// Three operands of types A, B, C; every operand may stay put.
  @inline(__always)
  static func ternary<A, B, R>(
    _ frame: UnsafeMutablePointer<Frame>, _ instruction: UnsafePointer<Instruction>,
    _ body: (A, B, B) -> R
  ) {
    let i = instruction.pointee
    var d = frame.pointee.arena + i.d
    var a = UnsafeRawPointer(frame.pointee.arena + i.a)
    var b = UnsafeRawPointer(frame.pointee.arena + i.b)
    var c = UnsafeRawPointer(frame.pointee.arena + i.c)
    let stepA = i.fixed & 1 == 0 ? 1 : 0
    let stepB = i.fixed & 2 == 0 ? 1 : 0
    let stepC = i.fixed & 4 == 0 ? 1 : 0
    for _ in 0..<i.rows {
      let result = d.assumingMemoryBound(to: R.self)
      let first = a.assumingMemoryBound(to: A.self)
      let second = b.assumingMemoryBound(to: B.self)
      let third = c.assumingMemoryBound(to: B.self)
      if stepA + stepB + stepC == 3 {
        for lane in 0..<i.n { result[lane] = body(first[lane], second[lane], third[lane]) }
      } else {
        for lane in 0..<i.n {
          result[lane] = body(first[lane &* stepA], second[lane &* stepB], third[lane &* stepC])
        }
      }
      d += i.sd
      a += i.sa
      b += i.sb
      c += i.sc
    }
  }
}
