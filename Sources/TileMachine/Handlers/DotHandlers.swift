import ElementMath

/// Products of matrices.
///
/// Each output adds its products in the order of k, in fp32 (fp64 for fp64 operands), without
/// fusing: one rounding per product and one per sum. Products of fp16 and bf16 operands are exact
/// in fp32, so there the sum's rounding is the only one.
enum DotHandlers {
  /// a [batch, m, k] · b [batch, k, n] + c → d; `detail.sizes` = [batch, m, n, k]; c may be d.
  static let float: Handler = { frame, instruction in
    let i = instruction.pointee
    let sizes = (frame.pointee.details + i.detail).pointee.sizes
    let (batch, m, n, k) = (sizes[0], sizes[1], sizes[2], sizes[3])
    let d = frame.pointee.float(i.d)
    let c = frame.pointee.float(i.c)
    if d != c { d.update(from: c, count: batch * m * n) }
    for index in 0..<batch {
      multiply(
        frame.pointee.float(i.a) + index * m * k, frame.pointee.float(i.b) + index * k * n,
        d + index * m * n, m, n, k)
    }
  }

  typealias Vector = SIMD8<Float>

  /// Blocks of 4 rows by 8 columns stay in registers over all of k.
  private static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>,
    _ m: Int, _ n: Int, _ k: Int
  ) {
    guard n % 8 == 0, m % 4 == 0 else { return multiplyPlainly(a, b, d, m, n, k) }
    let width = 8
    var column = 0
    while column < n {
      var row = 0
      while row < m {
        let d0 = d + (row &* n &+ column)
        let d1 = d0 + n
        let d2 = d1 + n
        let d3 = d2 + n
        var s0 = UnsafeRawPointer(d0).loadUnaligned(as: Vector.self)
        var s1 = UnsafeRawPointer(d1).loadUnaligned(as: Vector.self)
        var s2 = UnsafeRawPointer(d2).loadUnaligned(as: Vector.self)
        var s3 = UnsafeRawPointer(d3).loadUnaligned(as: Vector.self)
        var a0 = a + (row &* k)
        var source = UnsafeRawPointer(b + column)
        for _ in 0..<k {
          let v = source.loadUnaligned(as: Vector.self)
          s0 += v * a0[0]
          s1 += v * a0[k]
          s2 += v * a0[2 &* k]
          s3 += v * a0[3 &* k]
          a0 += 1
          source += n &* 4
        }
        UnsafeMutableRawPointer(d0).storeBytes(of: s0, as: Vector.self)
        UnsafeMutableRawPointer(d1).storeBytes(of: s1, as: Vector.self)
        UnsafeMutableRawPointer(d2).storeBytes(of: s2, as: Vector.self)
        UnsafeMutableRawPointer(d3).storeBytes(of: s3, as: Vector.self)
        row &+= 4
      }
      column &+= width
    }
  }

  private static func multiplyPlainly(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>,
    _ m: Int, _ n: Int, _ k: Int
  ) {
    for row in 0..<m {
      for inner in 0..<k {
        let left = a[row &* k &+ inner]
        for column in 0..<n {
          d[row &* n &+ column] += left * b[inner &* n &+ column]
        }
      }
    }
  }

  static let double: Handler = { frame, instruction in
    let i = instruction.pointee
    let arena = frame.pointee.arena
    let sizes = (frame.pointee.details + i.detail).pointee.sizes
    let (batch, m, n, k) = (sizes[0], sizes[1], sizes[2], sizes[3])
    let a = (arena + i.a).assumingMemoryBound(to: Double.self)
    let b = (arena + i.b).assumingMemoryBound(to: Double.self)
    let c = (arena + i.c).assumingMemoryBound(to: Double.self)
    let d = (arena + i.d).assumingMemoryBound(to: Double.self)
    if d != c { d.update(from: c, count: batch * m * n) }
    for index in 0..<batch {
      for row in 0..<m {
        for inner in 0..<k {
          let left = a[(index &* m &+ row) &* k &+ inner]
          for column in 0..<n {
            d[(index &* m &+ row) &* n &+ column] += left * b[(index &* k &+ inner) &* n &+ column]
          }
        }
      }
    }
  }

  /// int8 operands, int32 sums that wrap. Operands come as i32 lanes.
  static let integer: Handler = { frame, instruction in
    let i = instruction.pointee
    let sizes = (frame.pointee.details + i.detail).pointee.sizes
    let (batch, m, n, k) = (sizes[0], sizes[1], sizes[2], sizes[3])
    let a = frame.pointee.int32(i.a)
    let b = frame.pointee.int32(i.b)
    let c = frame.pointee.int32(i.c)
    let d = frame.pointee.int32(i.d)
    if d != c { d.update(from: c, count: batch * m * n) }
    for index in 0..<batch {
      for row in 0..<m {
        for inner in 0..<k {
          let left = a[(index &* m &+ row) &* k &+ inner]
          for column in 0..<n {
            let at = (index &* m &+ row) &* n &+ column
            d[at] = d[at] &+ left &* b[(index &* k &+ inner) &* n &+ column]
          }
        }
      }
    }
  }

  /// The fp32 lanes that a tensor core takes for TF32: the low 13 bits are dropped.
  static let truncateToTF32: Handler = { frame, instruction in
    let i = instruction.pointee
    ElementMath.truncateToTF32(
      UnsafePointer(frame.pointee.float(i.a)), frame.pointee.float(i.d), count: i.n)
  }

  /// The nearest TF32 value, ties away from zero: the large operand of `tf32x3`.
  static let roundToTF32: Handler = { frame, instruction in
    let i = instruction.pointee
    ElementMath.roundToTF32(
      UnsafePointer(frame.pointee.float(i.a)), frame.pointee.float(i.d), count: i.n)
  }

  /// What ``roundToTF32`` leaves of an fp32 lane, as the tensor cores read it: the small operand of
  /// `tf32x3`.
  static let residueOfTF32: Handler = { frame, instruction in
    let i = instruction.pointee
    let a = UnsafePointer(frame.pointee.float(i.a))
    let d = frame.pointee.float(i.d)
    ElementMath.roundToTF32(a, d, count: i.n)
    for lane in 0..<i.n {
      d[lane] = Float(bitPattern: (a[lane] - d[lane]).bitPattern & 0xFFFF_E000)
    }
  }

  /// NaN becomes 0.
  static let withoutNaN: Handler = { frame, instruction in
    let i = instruction.pointee
    let a = frame.pointee.float(i.a)
    let d = frame.pointee.float(i.d)
    for lane in 0..<i.n { d[lane] = a[lane] == a[lane] ? a[lane] : 0 }
  }
}
