import Diagnostics

/// A matrix in memory by its two strides.
struct MatrixView {
  var base: UnsafePointer<Double>
  var rowStride: Int
  var columnStride: Int
}

/// `C += A · B` over fp64, blocked for the caches.
///
/// Both operands are packed into panels (A by 4 rows, B by 4 columns), so that any strides cost the
/// same and the inner loop reads both side by side. A sum over k is accumulated in ascending k,
/// in blocks of ``depth``, each block's partial sum added to C. Results therefore depend on nothing
/// but the operands.
enum MatrixProduct {
  /// Panel of A (rows × depth × 8 bytes = 256 KiB) and of B (depth × 4 × 8 bytes) stay in L2 and L1.
  private static let rows = 128
  private static let depth = 256
  private static let columns = 1024

  /// - Parameters c: row-major with `cStride` between rows; it is added to.
  static func accumulate(
    _ m: Int, _ n: Int, _ k: Int, _ a: MatrixView, _ b: MatrixView,
    into c: UnsafeMutablePointer<Double>, cStride: Int
  ) throws(Diagnostic) {
    guard m > 0, n > 0, k > 0 else { return }
    let kBlock = min(depth, k)
    let mBlock = min(rows, (m + 3) / 4 * 4)
    let nBlock = min(columns, (n + 3) / 4 * 4)
    let packedA = try Reals(mBlock * kBlock)
    let packedB = try Reals(nBlock * kBlock)
    for j in stride(from: 0, to: n, by: nBlock) {
      let nSize = min(nBlock, n - j)
      for p in stride(from: 0, to: k, by: kBlock) {
        let kSize = min(kBlock, k - p)
        let bStart = b.base + (p &* b.rowStride &+ j &* b.columnStride)
        pack(
          bStart, across: b.columnStride, along: b.rowStride, nSize, kSize, into: packedB.base)
        for i in stride(from: 0, to: m, by: mBlock) {
          let mSize = min(mBlock, m - i)
          let aStart = a.base + (i &* a.rowStride &+ p &* a.columnStride)
          pack(
            aStart, across: a.rowStride, along: a.columnStride, mSize, kSize, into: packedA.base)
          block(
            mSize, nSize, kSize, packedA.base, packedB.base, c + (i &* cStride &+ j), cStride)
        }
      }
    }
  }

  /// Cuts `width` lines into panels of four, short panels filled with zeros.
  @inline(__always)
  private static func pack(
    _ source: UnsafePointer<Double>, across: Int, along: Int, _ width: Int, _ depth: Int,
    into target: UnsafeMutablePointer<Double>
  ) {
    var out = target
    var line = 0
    while line < width {
      let start = source + line &* across
      if width - line >= 4 {
        let (s1, s2, s3) = (across, across &* 2, across &* 3)
        var cell = start
        for _ in 0..<depth {
          out[0] = cell[0]
          out[1] = cell[s1]
          out[2] = cell[s2]
          out[3] = cell[s3]
          out += 4
          cell += along
        }
      } else {
        let rest = width - line
        for p in 0..<depth {
          for lane in 0..<4 {
            out[lane] = lane < rest ? start[p &* along &+ lane &* across] : 0
          }
          out += 4
        }
      }
      line += 4
    }
  }

  private static func block(
    _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>,
    _ c: UnsafeMutablePointer<Double>, _ cStride: Int
  ) {
    var j = 0
    while j < n {
      let panelB = UnsafeRawPointer(b + j &* k)
      var i = 0
      while i < m {
        let panelA = a + i &* k
        var c0 = SIMD4<Double>.zero
        var c1 = SIMD4<Double>.zero
        var c2 = SIMD4<Double>.zero
        var c3 = SIMD4<Double>.zero
        var left = panelA
        var right = panelB
        for _ in 0..<k {
          let row = right.loadUnaligned(as: SIMD4<Double>.self)
          c0 += row * left[0]
          c1 += row * left[1]
          c2 += row * left[2]
          c3 += row * left[3]
          left += 4
          right += 32
        }
        let height = min(4, m - i)
        let width = min(4, n - j)
        let target = c + (i &* cStride &+ j)
        add(c0, to: target, width)
        if height > 1 { add(c1, to: target + cStride, width) }
        if height > 2 { add(c2, to: target + 2 &* cStride, width) }
        if height > 3 { add(c3, to: target + 3 &* cStride, width) }
        i += 4
      }
      j += 4
    }
  }

  @inline(__always)
  private static func add(
    _ sums: SIMD4<Double>, to target: UnsafeMutablePointer<Double>, _ width: Int
  ) {
    target[0] += sums[0]
    if width > 1 { target[1] += sums[1] }
    if width > 2 { target[2] += sums[2] }
    if width > 3 { target[3] += sums[3] }
  }
}
