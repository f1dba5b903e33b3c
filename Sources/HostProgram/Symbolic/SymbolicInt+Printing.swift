extension SymbolicInt: CustomStringConvertible {
  /// In Python's notation with the fewest parentheses: `(H - 7) // 4 + 1`, `cdiv(N*OH, BLOCK_M)`.
  public var description: String { printed(.sum, isRight: false) }

  private enum Level: Int, Comparable {
    case sum, product, atom
    static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  private func printed(_ outer: Level, isRight: Bool) -> String {
    func wrap(_ text: String, _ level: Level) -> String {
      level < outer || (level == outer && isRight && level != .atom) ? "(\(text))" : text
    }
    func left(_ node: SymbolicInt, _ level: Level) -> String { node.printed(level, isRight: false) }
    func right(_ node: SymbolicInt, _ level: Level) -> String { node.printed(level, isRight: true) }
    switch self {
    case .constant(let value): return value < 0 && outer > .sum ? "(\(value))" : "\(value)"
    case .dim(let name): return name
    case .add(let a, let b):
      if let positive = b.negatedForPrinting {
        return wrap("\(left(a, .sum)) - \(right(positive, .sum))", .sum)
      }
      return wrap("\(left(a, .sum)) + \(left(b, .sum))", .sum)
    case .mul(.constant(-1), let b): return wrap("-\(left(b, .product))", .sum)
    case .mul(let a, let b): return wrap("\(left(a, .product))*\(right(b, .product))", .product)
    case .floorDiv(let a, let b):
      return wrap("\(left(a, .product)) // \(right(b, .product))", .product)
    case .mod(let a, let b):
      return wrap("\(left(a, .product)) % \(right(b, .product))", .product)
    case .ceilDiv(let a, let b): return "cdiv(\(left(a, .sum)), \(left(b, .sum)))"
    case .min(let a, let b): return "min(\(left(a, .sum)), \(left(b, .sum)))"
    case .max(let a, let b): return "max(\(left(a, .sum)), \(left(b, .sum)))"
    case .nextPowerOf2(let a): return "next_power_of_2(\(left(a, .sum)))"
    }
  }

  /// The term with its sign turned, where it starts with a negative constant: for `a - b`.
  private var negatedForPrinting: SymbolicInt? {
    switch self {
    case .constant(let value) where value < 0 && value != Int.min: return .constant(-value)
    case .mul(.constant(let value), let b) where value < 0 && value != Int.min:
      return value == -1 ? b : .mul(.constant(-value), b)
    case .mul(let a, let b):
      guard let inner = a.negatedForPrinting, case .mul = a else { return nil }
      return .mul(inner, b)
    default: return nil
    }
  }
}
