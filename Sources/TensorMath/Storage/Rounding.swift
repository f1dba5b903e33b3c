import ElementMath
import TileIR

/// Rounding numbers to an element type without storing them.
enum Rounding {
  /// The value a tensor of this type would hold.
  static func round(_ value: Double, to element: ElementType) -> Double {
    switch element {
    case .fp16, .bf16:
      var (number, lane) = (value, Float.zero)
      ElementMath.narrow(&number, to: element, target: &lane, count: 1)
      return Double(lane)
    case .fp32: return Double(Float(value))
    default: return Float8Format.named(element).map { $0.decode($0.encode(value)) } ?? value
    }
  }

  /// Rounds every number; types that are not floating leave them as they are.
  static func round(_ numbers: Reals, to element: ElementType) {
    guard element.isFloat, element != .fp64 else { return }
    let base = numbers.base
    if element == .fp32 {
      for index in 0..<numbers.count { base[index] = Double(Float(base[index])) }
    } else if element == .fp16 || element == .bf16 {
      withUnsafeTemporaryAllocation(of: Float.self, capacity: chunk) { lanes in
        guard let target = lanes.baseAddress else { return }
        for start in stride(from: 0, to: numbers.count, by: chunk) {
          let count = min(chunk, numbers.count - start)
          ElementMath.narrow(base + start, to: element, target: target, count: count)
          ElementMath.widen(target, to: base + start, count: count)
        }
      }
    } else {
      for index in 0..<numbers.count { base[index] = round(base[index], to: element) }
    }
  }
  /// Numbers that are rounded at a time.
  private static let chunk = 512
}
