import Diagnostics
import TileIR

/// A value known at compile time: what a `tl.constexpr` parameter or a global may hold.
public indirect enum ConstexprValue: Hashable, Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case dtype(ElementType)
  case tuple([ConstexprValue])
  /// A `@triton.jit` function of the module (or of Triton's library), by name.
  case function(String)
}

/// What the launcher knows about one argument of a kernel.
public enum ArgumentSpecialization: Hashable, Sendable {
  /// `*fp32`: a pointer; `isDivisibleBy16` means its address is.
  case pointer(ElementType, isDivisibleBy16: Bool)
  /// `i32`: a run-time scalar; `isDivisibleBy16` means its value is.
  case scalar(ElementType, isDivisibleBy16: Bool)
  /// A `tl.constexpr` parameter, or a value the launcher folds (the integer 1, `None`).
  case constexpr(ConstexprValue)
  /// A host-side tensor descriptor.
  case tensorDescriptor(ElementType, block: [Int])
  indirect case tuple([ArgumentSpecialization])
}

/// One specialisation of a kernel: what is known of each parameter, by name.
public struct Specialization: Hashable, Sendable {
  public var arguments: [String: ArgumentSpecialization]
  /// Parameters that are tiles: functions other than kernels may be lowered by themselves too.
  /// Where a name stands here, its entry in `arguments` does not count.
  public var tiles: [String: TileType] = [:]
  /// Launch options the kernel's code can see or that change its meaning.
  public var numWarps: Int
  public var numStages: Int
  /// 10 × major + minor: 89.
  public var computeCapability: Int

  public init(
    arguments: [String: ArgumentSpecialization], numWarps: Int = 4, numStages: Int = 3,
    computeCapability: Int = 89
  ) {
    self.arguments = arguments
    self.numWarps = numWarps
    self.numStages = numStages
    self.computeCapability = computeCapability
  }
}
