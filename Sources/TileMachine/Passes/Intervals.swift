import TileIR

/// For each integer value the range its lanes can lie in, for one launch.
///
/// Sound for every program of the grid; a value nothing is known of has the range of its type.
/// Arithmetic is done in 64 bits without wrapping: a result outside its type's range means that
/// the operation can overflow (``mayWrap``) and counts as the whole type from there on.
struct Intervals {
  struct Interval: Hashable, Sendable {
    var low: Int
    var high: Int
    func union(_ other: Interval) -> Interval {
      Interval(low: min(low, other.low), high: max(high, other.high))
    }
  }

  private(set) var ranges: [Interval?]
  /// Integer operations whose exact result may not fit their type.
  private(set) var mayWrap: [Bool]
  private let function: Function
  private let grid: [Int]

  init(_ function: Function, grid: (Int, Int, Int)) {
    self.function = function
    self.grid = [grid.0, grid.1, grid.2]
    ranges = Array(repeating: nil, count: function.values.count)
    mayWrap = Array(repeating: false, count: function.values.count)
    visit(function.body)
  }

  /// The interval of an integer value; nil for floats and pointers.
  func callAsFunction(_ value: Value) -> Interval? {
    guard let element = function.values[value.index].type.tile?.element, element.isInteger else {
      return nil
    }
    return ranges[value.index] ?? Self.whole(element)
  }

  static func whole(_ element: ElementType) -> Interval {
    switch element {
    case .int1: Interval(low: 0, high: 1)
    case .int8: Interval(low: -128, high: 127)
    case .int16: Interval(low: -32768, high: 32767)
    case .int32: Interval(low: Int(Int32.min), high: Int(Int32.max))
    case .uint8: Interval(low: 0, high: 255)
    case .uint16: Interval(low: 0, high: 65535)
    case .uint32: Interval(low: 0, high: Int(UInt32.max))
    default: Interval(low: Int.min, high: Int.max)
    }
  }

  private mutating func visit(_ region: Region) {
    for operation in region.operations {
      if case .forLoop = operation.kind { seed(operation) }
      for nested in operation.regions { visit(nested) }
      guard let result = operation.results.first else { continue }
      if case .forLoop = operation.kind {
        for (index, result) in operation.results.enumerated() {
          ranges[result.index] =
            ranges[operation.regions[0].arguments[index + 1].index]
        }
        continue
      }
      if case .ifElse = operation.kind {
        for (index, result) in operation.results.enumerated() {
          let yields = operation.regions.compactMap { $0.operations.last?.operands }
          let all = yields.compactMap { index < $0.count ? self($0[index]) : nil }
          if all.count == 2 { ranges[result.index] = all[0].union(all[1]) }
        }
        continue
      }
      guard let element = function.values[result.index].type.tile?.element, element.isInteger,
        element != .uint64
      else { continue }
      guard let exact = exact(operation) else { continue }
      let whole = Self.whole(element)
      if exact.low < whole.low || exact.high > whole.high {
        mayWrap[result.index] = true
      } else {
        ranges[result.index] = exact
      }
    }
  }

  /// The induction variable, and carried integers that grow by a constant per iteration.
  private mutating func seed(_ loop: Operation) {
    guard let lower = self(loop.operands[0]), let upper = self(loop.operands[1]),
      let step = self(loop.operands[2])
    else { return }
    let region = loop.regions[0]
    let trips: Int
    if step.low > 0 {
      ranges[region.arguments[0].index] = Interval(
        low: lower.low, high: max(lower.low, upper.high.subtractingClamped(1)))
      trips = max(
        0, upper.high.subtractingClamped(lower.low).addingClamped(step.low - 1) / step.low)
    } else if step.high < 0 {
      ranges[region.arguments[0].index] = Interval(
        low: min(lower.high, upper.low.addingClamped(1)), high: lower.high)
      trips = max(
        0,
        lower.high.subtractingClamped(upper.low).addingClamped(-(step.high + 1))
          / (step.high == Int.min ? Int.max : -step.high))
    } else {
      return
    }
    guard let yield = region.operations.last, yield.kind == .yield else { return }
    for (index, argument) in region.arguments.dropFirst().enumerated() {
      guard index < yield.operands.count, let start = self(loop.operands[index + 3]) else {
        continue
      }
      let next = yield.operands[index]
      if next == argument {
        ranges[argument.index] = start
        continue
      }
      guard
        let growth = region.operations.first(where: { $0.results.first == next }),
        case .binary(let op) = growth.kind, op == .add || op == .sub,
        growth.operands[0] == argument, let delta = self(growth.operands[1]),
        isDefinedOutside(growth.operands[1], region)
      else { continue }
      let signed =
        op == .add
        ? delta
        : Interval(low: 0.subtractingClamped(delta.high), high: 0.subtractingClamped(delta.low))
      let reach = Interval(
        low: start.low.addingClamped(min(0, signed.low.multipliedClamped(trips))),
        high: start.high.addingClamped(max(0, signed.high.multipliedClamped(trips))))
      let whole = Self.whole(function.values[argument.index].type.tile?.element ?? .int64)
      if reach.low >= whole.low, reach.high <= whole.high { ranges[argument.index] = reach }
    }
  }

  private func isDefinedOutside(_ value: Value, _ region: Region) -> Bool {
    if region.arguments.contains(value) { return false }
    guard let inside = region.operations.first(where: { $0.results.contains(value) }) else {
      return true
    }
    if case .constant = inside.kind { return true }
    return false
  }

  /// The exact range of an operation's result, which its type may not hold; nil if unknown.
  private func exact(_ operation: Operation) -> Interval? {
    func operand(_ index: Int) -> Interval? {
      operation.operands.indices.contains(index) ? self(operation.operands[index]) : nil
    }
    switch operation.kind {
    case .constant(.int(let number)): return Interval(low: number, high: number)
    case .programID(let axis): return Interval(low: 0, high: max(0, grid[axis] - 1))
    case .numPrograms(let axis): return Interval(low: grid[axis], high: grid[axis])
    case .makeRange(let start, let end): return Interval(low: start, high: end - 1)
    case .splat, .broadcast, .expandDims, .reshape, .trans, .hint, .split: return operand(0)
    case .join, .cat, .gather:
      guard let a = operand(0) else { return nil }
      if case .gather = operation.kind { return a }
      return operand(1).map(a.union)
    case .select:
      guard let a = operand(1), let b = operand(2) else { return nil }
      return a.union(b)
    case .cast(.convert):
      guard let a = operand(0),
        let element = function.values[operation.results[0].index].type.tile?.element
      else { return nil }
      let whole = Self.whole(element)
      // Narrowing by a cast is meant; it does not count as overflow.
      return a.low >= whole.low && a.high <= whole.high ? a : whole
    case .compare: return Interval(low: 0, high: 1)
    case .histogram: return Interval(low: 0, high: Int(Int32.max))
    case .unary(let op):
      guard let a = operand(0) else { return nil }
      switch op {
      case .neg:
        return Interval(low: 0.subtractingClamped(a.high), high: 0.subtractingClamped(a.low))
      case .abs:
        let bound = max(a.high, 0.subtractingClamped(a.low))
        return Interval(low: a.low > 0 ? a.low : 0, high: bound)
      default: return nil
      }
    case .binary(let op):
      guard let a = operand(0), let b = operand(1) else { return nil }
      return binary(op, a, b)
    case .reduce(_, .max, _), .reduce(_, .min, _): return operand(0)
    default: return nil
    }
  }

  private func binary(_ op: BinaryOp, _ a: Interval, _ b: Interval) -> Interval? {
    switch op {
    case .add:
      return Interval(low: a.low.addingClamped(b.low), high: a.high.addingClamped(b.high))
    case .sub:
      return Interval(low: a.low.subtractingClamped(b.high), high: a.high.subtractingClamped(b.low))
    case .mul:
      let products = [
        a.low.multipliedClamped(b.low), a.low.multipliedClamped(b.high),
        a.high.multipliedClamped(b.low), a.high.multipliedClamped(b.high),
      ]
      return Interval(low: products.min() ?? 0, high: products.max() ?? 0)
    case .idiv:
      guard b.low > 0 else { return nil }
      let quotients = [a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high]
      return Interval(low: quotients.min() ?? 0, high: quotients.max() ?? 0)
    case .rem:
      guard b.low > 0 else { return nil }
      let bound = b.high - 1
      return Interval(
        low: a.low >= 0 ? 0 : max(a.low, -bound), high: a.high <= 0 ? 0 : min(a.high, bound))
    case .minimum, .minimumNaN:
      return Interval(low: min(a.low, b.low), high: min(a.high, b.high))
    case .maximum, .maximumNaN:
      return Interval(low: max(a.low, b.low), high: max(a.high, b.high))
    case .and:
      if a.low >= 0, b.low >= 0 { return Interval(low: 0, high: min(a.high, b.high)) }
      if b.low >= 0 { return Interval(low: 0, high: b.high) }
      if a.low >= 0 { return Interval(low: 0, high: a.high) }
      return nil
    case .or, .xor:
      guard a.low >= 0, b.low >= 0 else { return nil }
      let top = max(a.high, b.high)
      let bits = Int.bitWidth - top.leadingZeroBitCount
      return Interval(low: 0, high: bits >= 63 ? Int.max : (1 << bits) - 1)
    case .shr:
      guard b.low >= 0, b.high < 64, a.low >= 0 else { return nil }
      return Interval(low: a.low >> b.high, high: a.high >> b.low)
    case .shl:
      guard b.low >= 0, b.high < 63 else { return nil }
      return binary(.mul, a, Interval(low: 1 << b.low, high: 1 << b.high))
    default: return nil
    }
  }
}

extension Int {
  func addingClamped(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? Int.max : Int.min) : sum
  }

  func subtractingClamped(_ other: Int) -> Int {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other > 0 ? Int.min : Int.max) : difference
  }

  func multipliedClamped(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? ((self < 0) == (other < 0) ? Int.max : Int.min) : product
  }
}
