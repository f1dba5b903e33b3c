import Diagnostics
import HostProgram
import TileIR
import TritonLowering

@testable import Analysis

enum Fixture {
  /// An implicit-GEMM convolution (N = 256, 3 → 96 channels, 11 × 11, stride 4, padding 2) whose K
  /// loop is unrolled or not, with the geometry as run-time values or as constants.
  static func convolution(
    _ bm: Int, _ bn: Int, _ bk: Int, unrolled: Bool = true, constantGeometry: Bool = false
  ) -> Function {
    var b = IRBuilder("conv")
    let x = b.parameter("x_ptr", .pointer(to: .fp32), divisible: true)
    let w = b.parameter("w_ptr", .pointer(to: .fp32), divisible: true)
    let out = b.parameter("out_ptr", .pointer(to: .fp32), divisible: true)
    let n = b.parameter("N", .int32, divisible: true)
    func geometry(_ b: inout IRBuilder, _ name: String, _ value: Int) -> Value {
      constantGeometry ? b.int(value) : b.parameter(name, .int32, divisible: value % 16 == 0)
    }
    let values = Dictionary(
      uniqueKeysWithValues: geometryValues.map { ($0.0, geometry(&b, $0.0, $0.1)) })
    func g(_ name: String) -> Value { values[name] ?? x }
    b.line = 2
    let offsM = { (b: inout IRBuilder) in
      let p = b.pid(0)
      let start = b.op(.mul, p, b.int(bm))
      return b.op(.add, start, b.range(bm))
    }(&b)
    b.line = 3
    let offsN = { (b: inout IRBuilder) in
      let p = b.pid(1)
      let start = b.op(.mul, p, b.int(bn))
      return b.op(.add, start, b.range(bn))
    }(&b)
    b.line = 4
    let ohow = b.op(.mul, g("OH"), g("OW"))
    let total = b.op(.mul, n, ohow)
    let maskM = b.compare(.lt, offsM, total)
    b.line = 5
    let nIdx = b.op(.idiv, offsM, ohow)
    let rem = b.op(.rem, offsM, ohow)
    let oh = b.op(.idiv, rem, g("OW"))
    let ow = b.op(.rem, rem, g("OW"))
    let nb = b.expand(nIdx, 1)
    let ohb = b.expand(oh, 1)
    let owb = b.expand(ow, 1)
    let maskMB = b.expand(maskM, 1)
    b.line = 6
    let ohs = b.op(.mul, ohb, g("stride_h"))
    let baseH = b.op(.sub, ohs, g("pad_h"))
    let ows = b.op(.mul, owb, g("stride_w"))
    let baseW = b.op(.sub, ows, g("pad_w"))
    let khw = b.op(.mul, g("KH"), g("KW"))
    let acc0 = b.zeros([bm, bn])
    let offsNB = b.expand(offsN, 0)

    func step(_ b: inout IRBuilder, _ kBase: Value, _ acc: Value) -> Value {
      b.line = 10
      let range = b.range(bk)
      let offsK = b.op(.add, kBase, range)
      let kMask = b.compare(.lt, offsK, b.int(363))
      b.line = 11
      let ic = b.op(.idiv, offsK, khw)
      b.line = 12
      let remK = b.op(.rem, offsK, khw)
      b.line = 13
      let kh = b.op(.idiv, remK, g("KW"))
      b.line = 14
      let kw = b.op(.rem, remK, g("KW"))
      b.line = 15
      let icb = b.expand(ic, 0)
      let khb = b.expand(kh, 0)
      let kwb = b.expand(kw, 0)
      let ih = b.op(.add, baseH, khb)
      let iw = b.op(.add, baseW, kwb)
      b.line = 16
      let h0 = b.compare(.ge, ih, b.int(0))
      let h1 = b.compare(.lt, ih, g("H"))
      let w0 = b.compare(.ge, iw, b.int(0))
      let w1 = b.compare(.lt, iw, g("W"))
      var mask = b.op(.and, maskMB, h0)
      mask = b.op(.and, mask, h1)
      mask = b.op(.and, mask, w0)
      mask = b.op(.and, mask, w1)
      let kMaskB = b.expand(kMask, 0)
      mask = b.op(.and, mask, kMaskB)
      b.line = 17
      let t0 = b.op(.mul, nb, g("C_in"))
      let t1 = b.op(.add, t0, icb)
      let t2 = b.op(.mul, t1, g("H"))
      let t3 = b.op(.add, t2, ih)
      let t4 = b.op(.mul, t3, g("W"))
      let t5 = b.op(.add, t4, iw)
      let xp = b.pointer(x, t5)
      b.line = 18
      let a = b.load(xp, mask: mask)
      b.line = 19
      let offsKB = b.expand(offsK, 1)
      let m0 = b.compare(.lt, offsKB, b.int(363))
      let m1 = b.compare(.lt, offsNB, g("C_out"))
      let maskW = b.op(.and, m0, m1)
      let r0 = b.op(.mul, offsNB, b.int(363))
      let r1 = b.op(.add, r0, offsKB)
      let wp = b.pointer(w, r1)
      b.line = 20
      let bb = b.load(wp, mask: maskW)
      b.line = 21
      let zero = b.zeros([bm, bn])
      let product = b.dot(a, bb, zero)
      return b.op(.add, acc, product)
    }
    var acc = acc0
    let steps = (363 + bk - 1) / bk
    if unrolled {
      for index in 0..<steps {
        b.line = 10
        let base = b.int(index * bk)
        acc = step(&b, base, acc)
      }
      let start = b.function.source.lineStarts[8]
      let end = b.function.source.lineStarts[22]
      b.function.unrolledLoops = [
        UnrolledLoop(range: SourceRange(start, end), tripCount: steps)
      ]
    } else {
      b.line = 9
      let (lower, upper, by) = (b.int(0), b.int(363), b.int(bk))
      acc = b.loop(lower, upper, by, carrying: acc0) { step(&$0, $1, $2) }
    }
    b.line = 30
    let o0 = b.op(.mul, nb, g("C_out"))
    let o1 = b.op(.add, o0, offsNB)
    let o2 = b.op(.mul, o1, g("OH"))
    let o3 = b.op(.add, o2, ohb)
    let o4 = b.op(.mul, o3, g("OW"))
    let o5 = b.op(.add, o4, owb)
    let op = b.pointer(out, o5)
    let mn = b.compare(.lt, offsNB, g("C_out"))
    let maskOut = b.op(.and, maskMB, mn)
    b.line = 31
    b.store(op, acc, mask: maskOut)
    return b.finished()
  }

  static let geometryValues: [(String, Int)] = [
    ("C_in", 3), ("H", 224), ("W", 224), ("C_out", 96), ("KH", 11), ("KW", 11), ("OH", 55),
    ("OW", 55), ("stride_h", 4), ("stride_w", 4), ("pad_h", 2), ("pad_w", 2),
  ]

  static func convolutionLaunch(
    _ bm: Int, _ bn: Int, _ bk: Int, warps: Int = 4, stages: Int = 1
  ) -> Launch {
    var arguments = [
      LaunchArgument(
        name: "x_ptr", value: .tensor(TensorShape(element: .fp32, shape: [256, 3, 224, 224])),
        origin: .inputShape),
      LaunchArgument(
        name: "w_ptr", value: .tensor(TensorShape(element: .fp32, shape: [96, 3, 11, 11])),
        origin: .module),
      LaunchArgument(
        name: "out_ptr", value: .tensor(TensorShape(element: .fp32, shape: [256, 96, 55, 55])),
        origin: .inputShape),
      LaunchArgument(name: "N", value: .int(256), origin: .inputShape),
    ]
    for (name, value) in geometryValues {
      arguments.append(
        LaunchArgument(
          name: name, value: .int(value),
          origin: ["H", "W", "OH", "OW"].contains(name) ? .inputShape : .module))
    }
    let grid = [(774_400 + bm - 1) / bm, (96 + bn - 1) / bn]
    return Launch(
      kernel: "conv", arguments: arguments,
      configs: [(LaunchConfig(numWarps: warps, numStages: stages), grid)],
      callRange: SourceRange(0, 4), gridRange: SourceRange(0, 4))
  }
}
