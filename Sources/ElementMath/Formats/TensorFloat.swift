extension ElementMath {
  /// fp32 → tf32 as the tensor cores read an operand: the low 13 bits are ignored. In place if
  /// `target` is `source`. NaN may become an infinity when its payload is all in the low bits; PTX
  /// leaves that undefined and this keeps it NaN.
  public static func truncateToTF32(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, count: Int
  ) {
    mapLanes(source, target, count) { value in
      let cut = value.bitPattern & 0xFFFF_E000
      let quiet: UInt32 = value != value ? 0x0040_0000 : 0
      return Float(bitPattern: cut | quiet)
    }
  }

  /// fp32 → tf32 to nearest, ties away from zero: PTX `cvt.rna.tf32.f32`.
  public static func roundToTF32(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, count: Int
  ) {
    mapLanes(source, target, count) { value in
      let bits = value.bitPattern
      let isFinite = Int32(truncatingIfNeeded: bits & 0x7FFF_FFFF) < 0x7F80_0000
      let rounded = (bits &+ (isFinite ? 0x1000 : 0)) & 0xFFFF_E000
      let quiet: UInt32 = value != value ? 0x0040_0000 : 0
      return Float(bitPattern: rounded | quiet)
    }
  }
}
