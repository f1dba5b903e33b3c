import TileIR

/// How each operation passes facts on; the rules are those of Triton 3.6's axis analysis, so that
/// what is provable here is what the compiler can use.
enum AxisRules {
  static func facts(
    of kind: Operation.Kind, result: TileType, operands: [AxisFacts], sourceShape: [Int]
  ) -> AxisFacts {
    let rank = max(1, result.shape.count)
    let unknown = AxisFacts.unknown(rank: rank)
    let shape = result.isScalar ? [1] : result.shape
    switch kind {
    case .constant(.int(let value)):
      return splat(shape, divisibility: AxisFacts.powerOfTwoDivisor(value), constant: value)
    case .constant(.float): return splat(shape, divisibility: 1, constant: nil)
    case .makeRange(let start, let end):
      return AxisFacts(
        contiguity: [max(1, end - start)], divisibility: [AxisFacts.powerOfTwoDivisor(start)],
        constancy: [1])
    case .splat:
      guard let source = operands.first else { return unknown }
      return splat(shape, divisibility: source.divisibility[0], constant: source.constant)
    case .expandDims(let axis):
      guard var source = operands.first, source.rank + 1 == rank || rank == 1 else {
        return unknown
      }
      let at = max(0, min(axis, source.rank))
      let divisibility = source.divisibility.reduce(0, AxisFacts.gcd)
      source.contiguity.insert(1, at: at)
      source.constancy.insert(1, at: at)
      source.divisibility.insert(max(1, divisibility), at: at)
      return source
    case .broadcast:
      guard var source = operands.first, source.rank == rank, sourceShape.count == rank else {
        return unknown
      }
      for axis in 0..<rank where sourceShape[axis] == 1 && shape[axis] > 1 {
        source.contiguity[axis] = 1
        source.constancy[axis] = shape[axis]
      }
      return source
    case .trans(let order):
      guard let source = operands.first, source.rank == rank, order.count == rank,
        order.allSatisfy({ (0..<rank).contains($0) })
      else { return unknown }
      return AxisFacts(
        contiguity: order.map { source.contiguity[$0] },
        divisibility: order.map { source.divisibility[$0] },
        constancy: order.map { source.constancy[$0] }, constant: source.constant)
    case .cast(.convert), .cast(.bitcast):
      guard let source = operands.first, source.rank == rank, !result.element.isFloat else {
        return unknown
      }
      return source
    case .hint(let kind, let values):
      guard var source = operands.first, source.rank == rank else { return unknown }
      for axis in 0..<rank {
        let value = max(
          1, min(AxisFacts.most, axis < values.count ? values[axis] : values.first ?? 1))
        switch kind {
        case .multipleOf: source.divisibility[axis] = max(source.divisibility[axis], value)
        case .maxContiguous: source.contiguity[axis] = max(source.contiguity[axis], value)
        case .maxConstancy: source.constancy[axis] = max(source.constancy[axis], value)
        }
      }
      return source
    case .addPointer:
      guard operands.count == 2, operands.allSatisfy({ $0.rank == rank }) else { return unknown }
      return sum(
        operands[0], operands[1], isSubtraction: false,
        scale: result.element.pointee?.bytes ?? 1)
    case .binary(let op):
      guard operands.count == 2, operands.allSatisfy({ $0.rank == rank }),
        result.element.isInteger
      else { return unknown }
      return binary(op, operands[0], operands[1], shape: shape)
    case .compare(let predicate):
      guard operands.count == 2, operands.allSatisfy({ $0.rank == rank }) else { return unknown }
      return compare(predicate, operands[0], operands[1], shape: shape)
    case .select:
      guard operands.count == 3, operands.allSatisfy({ $0.rank == rank || $0.rank == 1 }),
        operands[1].rank == rank, operands[2].rank == rank
      else { return unknown }
      var joined = operands[1].joined(operands[2])
      if operands[0].rank == rank {
        joined.contiguity = zip(joined.contiguity, operands[0].constancy).map(AxisFacts.gcd)
        joined.constancy = zip(joined.constancy, operands[0].constancy).map(AxisFacts.gcd)
      }
      return joined
    case .load:
      // Equal addresses give equal values.
      guard let source = operands.first, source.rank == rank else { return unknown }
      var facts = unknown
      facts.constancy = source.constancy
      for other in operands.dropFirst() where other.rank == rank {
        facts.constancy = zip(facts.constancy, other.constancy).map(AxisFacts.gcd)
      }
      return facts
    case .unary, .fma, .clamp, .external:
      var facts = unknown
      let all = operands.filter { $0.rank == rank }
      guard let first = all.first, all.count == operands.count else { return unknown }
      facts.constancy = all.dropFirst().reduce(first.constancy) {
        zip($0, $1.constancy).map(AxisFacts.gcd)
      }
      return facts
    default: return unknown
    }
  }

  private static func splat(_ shape: [Int], divisibility: Int, constant: Int?) -> AxisFacts {
    AxisFacts(
      contiguity: shape.map { _ in 1 }, divisibility: shape.map { _ in divisibility },
      constancy: shape, constant: constant)
  }

  private static func sum(
    _ a: AxisFacts, _ b: AxisFacts, isSubtraction: Bool, scale: Int = 1
  ) -> AxisFacts {
    var result = AxisFacts.unknown(rank: a.rank)
    for axis in 0..<a.rank {
      let forward = AxisFacts.gcd(a.contiguity[axis], b.constancy[axis])
      let backward = AxisFacts.gcd(a.constancy[axis], b.contiguity[axis])
      result.contiguity[axis] = isSubtraction ? forward : max(forward, backward)
      result.constancy[axis] = AxisFacts.gcd(a.constancy[axis], b.constancy[axis])
      result.divisibility[axis] = AxisFacts.gcd(
        a.divisibility[axis], AxisFacts.product(b.divisibility[axis], scale))
    }
    if scale == 1, let x = a.constant, let y = b.constant {
      result.constant = isSubtraction ? x &- y : x &+ y
      result.divisibility = result.divisibility.map { _ in
        AxisFacts.powerOfTwoDivisor(result.constant ?? 1)
      }
    }
    return result
  }

  private static func binary(
    _ op: BinaryOp, _ a: AxisFacts, _ b: AxisFacts, shape: [Int]
  ) -> AxisFacts {
    switch op {
    case .add: return sum(a, b, isSubtraction: false)
    case .sub: return sum(a, b, isSubtraction: true)
    case .mul: return product(a, b)
    case .shl:
      guard let bits = b.constant, (0..<31).contains(bits) else { break }
      var factor = b
      factor.constant = 1 << bits
      factor.divisibility = b.divisibility.map { _ in 1 << bits }
      return product(a, factor)
    case .idiv: return quotient(a, b, shape)
    case .rem: return remainder(a, b, shape)
    case .and, .or, .xor, .minimum, .maximum, .shr, .umulhi:
      var result = AxisFacts.unknown(rank: a.rank)
      result.constancy = zip(a.constancy, b.constancy).map(AxisFacts.gcd)
      if op == .minimum || op == .maximum {
        result.divisibility = zip(a.divisibility, b.divisibility).map(AxisFacts.gcd)
      }
      if let x = a.constant, let y = b.constant {
        result.constant =
          switch op {
          case .and: x & y
          case .or: x | y
          case .xor: x ^ y
          case .minimum: Swift.min(x, y)
          case .maximum: Swift.max(x, y)
          default: nil
          }
      }
      return result
    default: break
    }
    var result = AxisFacts.unknown(rank: a.rank)
    result.constancy = zip(a.constancy, b.constancy).map(AxisFacts.gcd)
    return result
  }

  private static func product(_ a: AxisFacts, _ b: AxisFacts) -> AxisFacts {
    var result = AxisFacts.unknown(rank: a.rank)
    for axis in 0..<a.rank {
      result.contiguity[axis] =
        b.constant == 1 ? a.contiguity[axis] : a.constant == 1 ? b.contiguity[axis] : 1
      result.constancy[axis] = AxisFacts.gcd(a.constancy[axis], b.constancy[axis])
      // Of a run 2ⁿ, 2ⁿ + 1, … only the first is a multiple: past a factor nothing is left of it.
      let left = a.contiguity[axis] > 1 && b.constant != 1 ? 1 : a.divisibility[axis]
      let right = b.contiguity[axis] > 1 && a.constant != 1 ? 1 : b.divisibility[axis]
      result.divisibility[axis] = AxisFacts.product(left, right)
    }
    if let x = a.constant, let y = b.constant {
      let (value, overflow) = x.multipliedReportingOverflow(by: y)
      result.constant = overflow ? nil : value
    }
    return result
  }

  private static func quotient(_ a: AxisFacts, _ b: AxisFacts, _ shape: [Int]) -> AxisFacts {
    var result = AxisFacts.unknown(rank: a.rank)
    for axis in 0..<a.rank {
      result.contiguity[axis] = b.constant == 1 ? a.contiguity[axis] : 1
      let common = AxisFacts.gcd(a.constancy[axis], b.constancy[axis])
      var run = 1
      if b.constancy[axis] >= shape[axis] {  // 64, 65, … divided by a multiple of 16
        run = AxisFacts.gcd(
          a.contiguity[axis], AxisFacts.gcd(a.divisibility[axis], b.divisibility[axis]))
      }
      result.constancy[axis] = max(common, run)
      if b.constant == 1 {
        result.divisibility[axis] = a.divisibility[axis]
      } else if let divisor = b.constant, divisor > 1, a.contiguity[axis] == 1,
        a.divisibility[axis] % divisor == 0
      {
        result.divisibility[axis] = a.divisibility[axis] / divisor
      }
    }
    if let x = a.constant, let y = b.constant, y != 0, !(x == .min && y == -1) {
      result.constant = x / y
      result.divisibility = result.divisibility.map { _ in AxisFacts.powerOfTwoDivisor(x / y) }
    }
    return result
  }

  private static func remainder(_ a: AxisFacts, _ b: AxisFacts, _ shape: [Int]) -> AxisFacts {
    var result = AxisFacts.unknown(rank: a.rank)
    for axis in 0..<a.rank {
      result.constancy[axis] = AxisFacts.gcd(a.constancy[axis], b.constancy[axis])
      result.divisibility[axis] = AxisFacts.gcd(a.divisibility[axis], b.divisibility[axis])
      if b.constancy[axis] >= shape[axis] {
        result.contiguity[axis] = max(
          1,
          AxisFacts.gcd(
            a.contiguity[axis], AxisFacts.gcd(a.divisibility[axis], b.divisibility[axis])))
      }
    }
    if let x = a.constant, let y = b.constant, y != 0, !(x == .min && y == -1) {
      result.constant = x % y
      result.divisibility = result.divisibility.map { _ in AxisFacts.powerOfTwoDivisor(x % y) }
    }
    return result
  }

  /// `first + i < bound` holds or fails for whole groups where both ends are multiples of the group.
  private static func compare(
    _ predicate: ComparePredicate, _ a: AxisFacts, _ b: AxisFacts, shape: [Int]
  ) -> AxisFacts {
    var result = AxisFacts.unknown(rank: a.rank)
    for axis in 0..<a.rank {
      var run = AxisFacts.gcd(a.constancy[axis], b.constancy[axis])
      let common = AxisFacts.gcd(a.divisibility[axis], b.divisibility[axis])
      switch predicate {
      case .lt, .ge:
        if b.constancy[axis] >= shape[axis] {
          run = max(run, AxisFacts.gcd(a.contiguity[axis], common))
        }
      case .gt, .le:
        if a.constancy[axis] >= shape[axis] {
          run = max(run, AxisFacts.gcd(b.contiguity[axis], common))
        }
      case .eq, .ne: break
      }
      result.constancy[axis] = max(1, run)
    }
    return result
  }
}
