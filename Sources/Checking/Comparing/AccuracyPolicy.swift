import Foundation
import HostProgram
import TileIR

/// What error a candidate may have: never an absolute number, always in terms of the original's own
/// error and of the scale of the result.
public struct AccuracyPolicy: Sendable {
  /// A candidate's relative L2 error may be this many times the original's.
  public var allowedGrowth = 2.0
  /// Its worst element this many times the original's worst.
  public var allowedWorstGrowth = 4.0
  /// Operand type that may be used although the original does not (`--accuracy tf32`).
  public var allowed: Allowance = .original

  public enum Allowance: String, Sendable, CaseIterable {
    case original, tf32, fp16, bf16
    /// The relative error that the operand type brings by itself: half a unit in its last place.
    var floor: Double {
      switch self {
      case .original: 0
      case .tf32: 0x1p-10
      case .fp16: 0x1p-10
      case .bf16: 0x1p-7
      }
    }
  }

  public init() {}

  /// The error that any way of computing in the result's type may have: the rounding of the result
  /// and sums in another order, cancellation included. Well below what TF32 or fp16 operands do
  /// (2^-11 each).
  static func floor(_ element: ElementType) -> Double {
    switch element {
    case .fp64: 0x1p-44
    case .fp32: 0x1p-16
    case .fp16: 0x1p-10
    case .bf16: 0x1p-7
    case .fp8e4nv, .fp8e4b15, .fp8e4b8: 0x1p-3
    case .fp8e5, .fp8e5b16: 0x1p-2
    default: 0
    }
  }

  /// - Parameter usesTF32: whether the original runs fp32 convolutions of torch, which cuDNN computes
  ///   with TF32 operands unless told otherwise (`torch.backends.cudnn.allow_tf32` is true).
  func tolerance(
    _ element: ElementType, original: ErrorFigures?, usesTF32: Bool
  ) -> (l2: Double, worst: Double) {
    let floor = max(
      Self.floor(element), allowed.floor, usesTF32 ? Allowance.tf32.floor : 0)
    return (
      max(floor, allowedGrowth * (original?.relativeL2 ?? 0)),
      max(8 * floor, allowedWorstGrowth * (original?.worstRelative ?? 0))
    )
  }
}

/// Errors of one result against another.
enum Comparison {
  /// Positions that must be finite and are not, and the reverse.
  struct NonFinite {
    var index: Int
    var value: Double
    var expected: Double
  }

  /// - Parameter reference: fp64 results, or the original's; elements where it is not finite are
  ///   left out.
  static func figures(_ values: [Double], against reference: [Double], shape: [Int]) -> ErrorFigures
  {
    var sum = 0.0
    var norm = 0.0
    var count = 0
    for value in reference where value.isFinite {
      norm += value * value
      count += 1
    }
    let typical = count > 0 ? (norm / Double(count)).squareRoot() : 0
    var worst = (relative: 0.0, absolute: 0.0, at: 0)
    for (index, pair) in zip(values, reference).enumerated()
    where pair.1.isFinite && pair.0.isFinite {
      let difference = abs(pair.0 - pair.1)
      sum += difference * difference
      if difference == 0 { continue }
      let scale = abs(pair.1) + typical
      let relative = scale > 0 ? difference / scale : Double.infinity
      worst.absolute = max(worst.absolute, difference)
      if relative > worst.relative { worst = (relative, worst.absolute, index) }
    }
    var l2 = 0.0
    if sum > 0 { l2 = norm > 0 ? (sum / norm).squareRoot() : .infinity }
    return ErrorFigures(
      relativeL2: l2, worstAbsolute: worst.absolute, worstRelative: worst.relative,
      index: RowMajor.coordinates(of: worst.at, in: shape))
  }

  /// The first element where one is finite and the other is not, or where infinities differ.
  /// - Parameters:
  ///   - reference: fp64 result where there is one: what it has finite may become finite.
  ///   - isAny: the inputs are not finite themselves: NaN and infinities are as good as each other,
  ///     and what the original hides may show.
  static func nonFinite(
    _ values: [Double], original: [Double], reference: [Double]?, isAny: Bool = false
  ) -> NonFinite? {
    for index in values.indices where index < original.count {
      let (value, old) = (values[index], original[index])
      if value.isFinite && old.isFinite { continue }
      if value.isNaN && old.isNaN { continue }
      if value == old { continue }
      if isAny {
        if !value.isFinite && !old.isFinite { continue }
        if old.isFinite, let reference, !reference[index].isFinite { continue }
      }
      // A finite value where the original overflowed is fine if it is right.
      if value.isFinite, let reference, reference[index].isFinite { continue }
      return NonFinite(index: index, value: value, expected: old)
    }
    return nil
  }
}
