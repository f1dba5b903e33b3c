/// What error a candidate may have on the GPU: in terms of the original's own error and of the
/// result's type, never an absolute number. The figures are those of `Checking`'s `AccuracyPolicy`,
/// which judges the same modules on the tile machine.
public struct GPUAccuracy: Sendable, Hashable {
  /// A candidate's relative L2 error may be this many times the original's.
  public var allowedGrowth = 2.0
  /// Its worst element this many times the original's worst.
  public var allowedWorstGrowth = 4.0
  /// Operand type that may be used although the original does not.
  public var allowed = Allowance.original

  public enum Allowance: String, Sendable, CaseIterable {
    case original, tf32, fp16, bf16
    /// Relative error that operands of the type bring by themselves.
    var floor: Double {
      switch self {
      case .original: 0
      case .tf32, .fp16: 0x1p-10
      case .bf16: 0x1p-7
      }
    }
  }

  public init(allowed: Allowance = .original) { self.allowed = allowed }

  /// The error that any way of computing in a type may have: rounding of the result and sums in
  /// another order. Integers have none.
  static func floor(_ type: String) -> Double {
    switch type {
    case "float64", "complex128": 0x1p-44
    case "float32", "complex64": 0x1p-16
    case "float16": 0x1p-10
    case "bfloat16": 0x1p-7
    case "float8_e4m3fn", "float8_e4m3fnuz": 0x1p-3
    case "float8_e5m2", "float8_e5m2fnuz": 0x1p-2
    default: 0
    }
  }

  struct Tolerance: Sendable, Hashable {
    var l2: Double
    var worst: Double
  }

  func tolerance(type: String, original: GPUReplies.Figures?) -> Tolerance {
    let isFloat = Self.floor(type) > 0
    let floor = isFloat ? max(Self.floor(type), allowed.floor) : 0
    func sane(_ value: Double) -> Double { value.isFinite && value >= 0 ? value : 0 }
    return Tolerance(
      l2: max(floor, allowedGrowth * sane(original?.relativeL2 ?? 0)),
      worst: max(8 * floor, allowedWorstGrowth * sane(original?.worstRelative ?? 0)))
  }
}
