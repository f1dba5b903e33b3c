extension LibdeviceTable {
  /// `fadd_rn`, `dmul_ru`, `fma_rz` and so on.
  static let rounding: LibdeviceEntries = Direction.allCases.flatMap { mode -> LibdeviceEntries in
    let suffix = mode.rawValue
    return [
      ("__nv_fadd_\(suffix)", .binary { (a: Float, b: Float) in mode.add(a, b) }),
      ("__nv_dadd_\(suffix)", .binary { (a: Double, b: Double) in mode.add(a, b) }),
      ("__nv_fsub_\(suffix)", .binary { (a: Float, b: Float) in mode.add(a, -b) }),
      ("__nv_dsub_\(suffix)", .binary { (a: Double, b: Double) in mode.add(a, -b) }),
      ("__nv_fmul_\(suffix)", .binary { (a: Float, b: Float) in mode.multiply(a, b) }),
      ("__nv_dmul_\(suffix)", .binary { (a: Double, b: Double) in mode.multiply(a, b) }),
      ("__nv_fdiv_\(suffix)", .binary { (a: Float, b: Float) in mode.divide(a, b) }),
      ("__nv_ddiv_\(suffix)", .binary { (a: Double, b: Double) in mode.divide(a, b) }),
      ("__nv_frcp_\(suffix)", .unary { (a: Float) in mode.divide(1, a) }),
      ("__nv_drcp_\(suffix)", .unary { (a: Double) in mode.divide(1, a) }),
      ("__nv_fsqrt_\(suffix)", .unary { (a: Float) in mode.squareRoot(a) }),
      ("__nv_dsqrt_\(suffix)", .unary { (a: Double) in mode.squareRoot(a) }),
      (
        "__nv_fmaf_\(suffix)",
        .ternary { (a: Float, b: Float, c: Float) in mode.multiplyAdd(a, b, c) }
      ),
      (
        "__nv_fma_\(suffix)",
        .ternary { (a: Double, b: Double, c: Double) in mode.multiplyAdd(a, b, c) }
      ),
    ]
  }

  /// Conversions with a rounding mode.
  static let conversions: LibdeviceEntries = Direction.allCases.flatMap {
    mode -> LibdeviceEntries in
    let suffix = mode.rawValue
    return [
      ("__nv_double2float_\(suffix)", .unary { (x: Double) in mode.toFloat(x) }),
      (
        "__nv_float2int_\(suffix)",
        .unary { (x: Float) in saturatingInt32(mode.rounded(Double(x)), .zero) }
      ),
      (
        "__nv_float2uint_\(suffix)",
        .unary { (x: Float) in saturatingUInt32(mode.rounded(Double(x)), .zero) }
      ),
      (
        "__nv_float2ll_\(suffix)",
        .unary { (x: Float) in saturatingInt64(mode.rounded(Double(x))) }
      ),
      (
        "__nv_float2ull_\(suffix)",
        .unary { (x: Float) in saturatingUInt64(mode.rounded(Double(x))) }
      ),
      (
        "__nv_double2int_\(suffix)",
        .unary { (x: Double) in saturatingInt32(mode.rounded(x), .topBit) }
      ),
      (
        "__nv_double2uint_\(suffix)",
        .unary { (x: Double) in saturatingUInt32(mode.rounded(x), .topBit) }
      ),
      ("__nv_double2ll_\(suffix)", .unary { (x: Double) in saturatingInt64(mode.rounded(x)) }),
      ("__nv_double2ull_\(suffix)", .unary { (x: Double) in saturatingUInt64(mode.rounded(x)) }),
      ("__nv_int2float_\(suffix)", .unary { (x: Int32) -> Float in mode.convert(x) }),
      ("__nv_uint2float_\(suffix)", .unary { (x: UInt32) -> Float in mode.convert(x) }),
      ("__nv_ll2float_\(suffix)", .unary { (x: Int64) -> Float in mode.convert(x) }),
      ("__nv_ull2float_\(suffix)", .unary { (x: UInt64) -> Float in mode.convert(x) }),
      ("__nv_int2double_\(suffix)", .unary { (x: Int32) in Double(x) }),
      ("__nv_uint2double_\(suffix)", .unary { (x: UInt32) in Double(x) }),
      ("__nv_ll2double_\(suffix)", .unary { (x: Int64) -> Double in mode.convert(x) }),
      ("__nv_ull2double_\(suffix)", .unary { (x: UInt64) -> Double in mode.convert(x) }),
    ]
  }
}
