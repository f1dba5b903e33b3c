/// What `torch.finfo` and `torch.iinfo` say, which modules keep in `constexpr` globals.
///
/// The figures are those of IEEE 754 and two's complement.
enum NumberLimits {
  static let functions: Set<String> = [
    "torch.finfo", "torch.iinfo", "np.finfo", "np.iinfo", "numpy.finfo", "numpy.iinfo",
  ]

  /// The attributes for a dtype such as `torch.float16`; nil for a type of the other kind.
  static func of(_ path: String, isFloat: Bool) -> [String: PyValue]? {
    let name = path.split(separator: ".").last.map(String.init) ?? path
    return isFloat ? float(name) : integer(name)
  }

  private static func float(_ name: String) -> [String: PyValue]? {
    let figures: (bits: Int, max: Double, eps: Double, tiny: Double)
    switch name {
    case "float64", "double":
      figures = (
        64, .greatestFiniteMagnitude, .ulpOfOne, .leastNormalMagnitude
      )
    case "float32", "float":
      figures = (
        32, Double(Float.greatestFiniteMagnitude), Double(Float.ulpOfOne),
        Double(Float.leastNormalMagnitude)
      )
    case "float16", "half": figures = (16, 65504, 0x1p-10, 0x1p-14)
    case "bfloat16": figures = (16, 0x1.FEp127, 0x1p-7, 0x1p-126)
    default: return nil
    }
    return [
      "bits": .int(Int128(figures.bits)), "max": .float(figures.max), "min": .float(-figures.max),
      "eps": .float(figures.eps), "tiny": .float(figures.tiny),
      "smallest_normal": .float(figures.tiny),
    ]
  }

  private static func integer(_ name: String) -> [String: PyValue]? {
    let widths = [
      "int8": 8, "int16": 16, "short": 16, "int32": 32, "int": 32, "int64": 64, "long": 64,
    ]
    let isSigned = !name.hasPrefix("u")
    guard let bits = widths[isSigned ? name : String(name.dropFirst())] else { return nil }
    let top = Int128(1) << Int128(isSigned ? bits - 1 : bits)
    return [
      "bits": .int(Int128(bits)), "max": .int(top - 1), "min": .int(isSigned ? 0 - top : 0),
    ]
  }
}
