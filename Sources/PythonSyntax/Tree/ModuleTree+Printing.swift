import Diagnostics

extension ModuleTree {
  /// The file put together from its tokens and the trivia before each: the input bytes.
  /// - Complexity: O(n) in the number of bytes.
  public func printed() -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(source.bytes.count)
    for index in tokens.indices {
      result += source.bytes[clamped(trivia(before: index))]
      result += source.bytes[clamped(tokens[index].range)]
    }
    return result
  }

  /// The bytes between the token before `index` and the token at it: white space, comments, line
  /// continuations, blank lines.
  public func trivia(before index: Int) -> SourceRange {
    let lower = index == 0 ? 0 : tokens[index - 1].range.upper
    return SourceRange(lower, tokens[index].range.lower)
  }

  /// The index of the first token that ends behind `offset`, or the last token.
  /// - Complexity: O(log tokens).
  public func tokenIndex(at offset: Int) -> Int {
    var low = 0
    var high = tokens.count
    while low < high {
      let middle = (low + high) / 2
      if tokens[middle].range.upper <= offset { low = middle + 1 } else { high = middle }
    }
    return min(low, max(0, tokens.count - 1))
  }

  private func clamped(_ range: SourceRange) -> Range<Int> {
    let lower = max(0, min(range.lower, source.bytes.count))
    return lower..<max(lower, min(range.upper, source.bytes.count))
  }
}
