import PythonSyntax

/// What an expression is made of, as far as its syntax tells.
extension UsageAnalyzer {
  /// Made of program ids and lane numbers.
  func isIndexLike(_ expression: Expr, seen: Set<String> = [], depth: Int = 0) -> Bool {
    guard depth < 10 else { return false }
    switch expression.kind {
    case .name(let name):
      guard !seen.contains(name) else { return false }
      return (definitions[name] ?? []).prefix(3).contains {
        isIndexLike($0, seen: seen.union([name]), depth: depth + 1)
      }
    case .binary(let left, let op, let right):
      guard op != .div else { return false }
      return isIndexLike(left, seen: seen, depth: depth + 1)
        || isIndexLike(right, seen: seen, depth: depth + 1)
    case .subscripted(let base, _): return isIndexLike(base, seen: seen, depth: depth + 1)
    case .call(let callee, let arguments, _):
      switch name(of: callee) {
      case "program_id", "num_programs", "arange": return true
      case "max_contiguous", "multiple_of", "broadcast_to", "expand_dims":
        return arguments.first.map { isIndexLike($0, seen: seen, depth: depth + 1) } ?? false
      case "to":
        if case .attribute(let base, _, _) = callee.kind {
          return isIndexLike(base, seen: seen, depth: depth + 1)
        }
        return false
      default: return false
      }
    default: return false
    }
  }

  /// Made of loaded or computed floats.
  func isValueLike(_ expression: Expr, seen: Set<String> = [], depth: Int = 0) -> Bool {
    guard depth < 8 else { return false }
    switch expression.kind {
    case .constant(.float): return true
    case .name(let name):
      guard !seen.contains(name) else { return false }
      return (definitions[name] ?? []).prefix(3).contains {
        isValueLike($0, seen: seen.union([name]), depth: depth + 1)
      }
    case .binary(let left, let op, let right):
      return op == .div || isValueLike(left, seen: seen, depth: depth + 1)
        || isValueLike(right, seen: seen, depth: depth + 1)
    case .unary(_, let operand): return isValueLike(operand, seen: seen, depth: depth + 1)
    case .subscripted(let base, _): return isValueLike(base, seen: seen, depth: depth + 1)
    case .call(let callee, let arguments, _):
      switch name(of: callee) {
      case "load", "exp", "log", "sqrt", "rsqrt", "sum", "dot", "sigmoid", "erf", "sin", "cos",
        "exp2", "log2", "tanh", "softmax", "rand", "randn":
        return true
      case "to":
        if case .attribute(let base, _, _) = callee.kind {
          return isValueLike(base, seen: seen, depth: depth + 1)
        }
        return false
      case "where", "maximum", "minimum", "max", "min", "abs":
        return arguments.contains { isValueLike($0, seen: seen, depth: depth + 1) }
      default: return false
      }
    default: return false
    }
  }
}
