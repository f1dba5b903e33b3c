extension SymbolicInt {
  /// The dividends for which `cdiv(dividend, divisor)` is `quotient`.
  ///
  /// `SymbolicInt.dividends(ofCeilDiv: 24_200, by: 32)  // 774_369...774_400`
  /// Nil where the divisor is not positive or the range leaves 64 bits.
  public static func dividends(ofCeilDiv quotient: Int, by divisor: Int) -> ClosedRange<Int>? {
    guard divisor > 0 else { return nil }
    let (upper, first) = quotient.multipliedReportingOverflow(by: divisor)
    let (lower, second) = upper.subtractingReportingOverflow(divisor - 1)
    return first || second ? nil : lower...upper
  }

  /// The dividends for which `dividend // divisor` is `quotient`.
  public static func dividends(ofFloorDiv quotient: Int, by divisor: Int) -> ClosedRange<Int>? {
    guard divisor > 0 else { return nil }
    let (lower, first) = quotient.multipliedReportingOverflow(by: divisor)
    let (upper, second) = lower.addingReportingOverflow(divisor - 1)
    return first || second ? nil : lower...upper
  }

  /// The values of one dimension in `candidates` for which the formula lies in `range`, the others
  /// fixed by `values`; for a formula that does not fall as the dimension grows.
  ///
  /// Nil where the formula has no value at an end of the candidates, or no candidate fits.
  /// - Complexity: O(log candidates × nodes).
  public func values(
    of dimension: String, in candidates: ClosedRange<Int>, puttingFormulaIn range: ClosedRange<Int>,
    given values: [String: Int]
  ) -> ClosedRange<Int>? {
    var assignment = values
    func value(_ candidate: Int) -> Int? {
      assignment[dimension] = candidate
      return evaluate(assignment)
    }
    guard value(candidates.lowerBound) != nil, value(candidates.upperBound) != nil else {
      return nil
    }
    /// The first candidate whose value is at least `bound`, or one past the last.
    func first(atLeast bound: Int) -> Int? {
      var low = candidates.lowerBound
      var high = candidates.upperBound
      guard let last = value(high), last >= bound else { return nil }
      while low < high {
        let middle = low + (high - low) / 2
        if let here = value(middle), here >= bound { high = middle } else { low = middle + 1 }
      }
      return low
    }
    guard let lower = first(atLeast: range.lowerBound), let atLower = value(lower),
      atLower <= range.upperBound
    else { return nil }
    let upper: Int
    if range.upperBound < Int.max, let past = first(atLeast: range.upperBound + 1) {
      upper = past - 1
    } else {
      upper = candidates.upperBound
    }
    return upper >= lower ? lower...upper : nil
  }
}
