import Diagnostics
import PythonSyntax

/// Arranges a module's top level in the strict form's order: imports, constants, kernels,
/// wrappers, other classes, `ModelNew`; leaves out `if __name__ …`, `get_inputs` and
/// `get_init_inputs`.
///
/// A part that needs another at definition time (a decorator's argument, a default, a base class)
/// stays behind it. Comments and blank lines travel with the part that follows them. A module that
/// is in order already is returned byte for byte.
enum StrictOrder {
  private enum Rank: Int {
    case imports, constants, kernels, wrappers, classes, model
  }

  private struct Chunk {
    var range: SourceRange
    var rank: Int
    var defines: Set<String>
    var needs: Set<String>
    var isDropped: Bool
  }

  static func arrange(_ tree: ModuleTree) -> SourceText {
    let source = tree.source
    var chunks = chunks(of: tree)
    guard !chunks.isEmpty else { return source }
    // What is needed at definition time must come first.
    for index in chunks.indices {
      for earlier in chunks[..<index] where !earlier.defines.isDisjoint(with: chunks[index].needs) {
        chunks[index].rank = max(chunks[index].rank, earlier.rank)
      }
    }
    let kept = chunks.filter { !$0.isDropped }
    let isOrdered = zip(kept, kept.dropFirst()).allSatisfy { $0.rank <= $1.rank }
    if isOrdered, kept.count == chunks.count { return source }
    let ordered =
      kept.enumerated().sorted {
        ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset)
      }.map(\.element)
    var bytes: [UInt8] = []
    for chunk in ordered {
      if let last = bytes.last, last != 0x0A { bytes.append(0x0A) }
      bytes += source.bytes[chunk.range.lower..<chunk.range.upper]
    }
    // What follows the last statement (comments) stays last, unless its statement was dropped.
    if let last = chunks.last, !last.isDropped { bytes += source.bytes[last.range.upper...] }
    if let last = bytes.last, last != 0x0A { bytes.append(0x0A) }
    return SourceText(name: source.name, bytes: bytes, firstLine: source.firstLine)
  }

  private static func chunks(of tree: ModuleTree) -> [Chunk] {
    let source = tree.source
    var chunks: [Chunk] = []
    var start = 0
    for statement in tree.body {
      let end = endOfLine(after: statement.range.upper, in: source)
      var chunk = Chunk(
        range: SourceRange(start, max(start, end)), rank: Rank.constants.rawValue, defines: [],
        needs: [], isDropped: false)
      classify(statement, tree, &chunk, isFirst: chunks.isEmpty)
      if let last = chunks.indices.last, statement.range.lower < chunks[last].range.upper {
        // Two statements on one line are one part.
        chunks[last].range.upper = max(chunks[last].range.upper, end)
        chunks[last].rank = max(chunks[last].rank, chunk.rank)
        chunks[last].defines.formUnion(chunk.defines)
        chunks[last].needs.formUnion(chunk.needs)
        chunks[last].isDropped = chunks[last].isDropped && chunk.isDropped
      } else {
        chunks.append(chunk)
      }
      start = chunks.last?.range.upper ?? end
    }
    let needed = chunks.filter { !$0.isDropped }.reduce(into: Set<String>()) {
      $0.formUnion($1.needs)
    }
    for index in chunks.indices where !chunks[index].defines.isDisjoint(with: needed) {
      chunks[index].isDropped = false
    }
    return chunks
  }

  private static func classify(
    _ statement: Stmt, _ tree: ModuleTree, _ chunk: inout Chunk, isFirst: Bool
  ) {
    switch statement.kind {
    case .import, .importFrom:
      chunk.rank = Rank.imports.rawValue
      chunk.needs = []
    case .function(let function):
      let header = SourceRange(
        function.fullRange.lower, function.body.first?.range.lower ?? function.fullRange.upper)
      chunk.defines = [function.name]
      chunk.needs = names(in: header, tree).subtracting([function.name])
      let decorators = names(
        in: SourceRange(function.fullRange.lower, statement.range.lower), tree)
      let isKernel = decorators.contains("jit") || decorators.contains("autotune")
      chunk.rank = isKernel ? Rank.kernels.rawValue : Rank.wrappers.rawValue
      chunk.isDropped = ["get_inputs", "get_init_inputs"].contains(function.name)
    case .classDef(let definition):
      chunk.defines = [definition.name]
      chunk.needs = names(in: definition.fullRange, tree).subtracting([definition.name])
      chunk.rank = definition.name == "ModelNew" ? Rank.model.rawValue : Rank.classes.rawValue
    case .if(let test, _, _):
      chunk.needs = names(in: statement.range, tree)
      chunk.isDropped = names(in: test.range, tree).contains("__name__")
    case .expression(let expression):
      // A docstring stays on top; any other call keeps its place behind what it uses.
      if isFirst, case .constant = expression.kind { chunk.rank = Rank.imports.rawValue }
      chunk.needs = names(in: statement.range, tree)
    case .assign(let targets, let value):
      chunk.defines = targets.reduce(into: []) { $0.formUnion(names(in: $1.range, tree)) }
      chunk.needs = names(in: value.range, tree)
    default:
      let all = names(in: statement.range, tree)
      chunk.needs = all
      chunk.defines = all
    }
  }

  /// The identifiers in a range, by its tokens.
  private static func names(in range: SourceRange, _ tree: ModuleTree) -> Set<String> {
    var names: Set<String> = []
    var index = firstToken(at: range.lower, tree.tokens)
    while index < tree.tokens.count, Int(tree.tokens[index].lower) < range.upper {
      let token = tree.tokens[index]
      if token.kind == .name { names.insert(tree.source.text(in: token.range)) }
      index += 1
    }
    return names
  }

  private static func firstToken(at offset: Int, _ tokens: [Token]) -> Int {
    var low = 0
    var high = tokens.count
    while low < high {
      let middle = (low + high) / 2
      if Int(tokens[middle].lower) < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func endOfLine(after offset: Int, in source: SourceText) -> Int {
    let next = source.lineIndex(at: max(0, offset - 1)) + 1
    return next < source.lineStarts.count ? source.lineStarts[next] : source.bytes.count
  }
}
