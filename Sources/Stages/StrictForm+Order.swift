import Diagnostics
import PythonSyntax

extension StrictForm {
  /// The module with its top-level parts in the form's order (imports, constants, kernels,
  /// wrappers, classes, `ModelNew`), each with the comments above it, and without what the form
  /// forbids there: `if __name__ …`, `get_inputs`, `get_init_inputs`.
  ///
  /// Parts of a kind keep their order, and no byte inside a part changes. A part that needs another
  /// when the module is imported (a decorator's argument, a default, a base class) stays behind it,
  /// even against the form. A module that is in order already comes back byte for byte.
  public static func arranged(_ tree: ModuleTree) -> SourceText {
    var parts = TopLevelParts(tree)
    let dropped = parts.droppable
    parts.keepBehindNeeds()
    let kept = parts.parts.indices.filter { !dropped.contains($0) }
    var order = kept.sorted { (parts.parts[$0].rank, $0) < (parts.parts[$1].rank, $1) }
    if !parts.keepsUses(in: order) { order = kept }
    guard order != Array(parts.parts.indices) else { return tree.source }
    return SourceText(
      name: tree.source.name, bytes: parts.text(in: order), firstLine: tree.source.firstLine,
      surroundings: tree.source.surroundings)
  }
}

/// The top-level statements of a module with the bytes that go with each.
struct TopLevelParts {
  struct Part {
    /// Position of its kind in the form.
    var rank: Int
    /// From the first comment above it to the end of its last line.
    var range: SourceRange
    /// Names that it binds.
    var binds: Set<String>
    /// Names that it needs when the module is imported.
    var needs: Set<String>
    var statement: Stmt
  }

  let tree: ModuleTree
  private(set) var parts: [Part] = []

  init(_ tree: ModuleTree) {
    self.tree = tree
    let early = Self.neededByDefinitions(tree)
    var end = 0
    for statement in tree.body {
      let range = lines(of: statement, after: end)
      // Statements that share a line (`a = 1; b = 2`) stay together.
      if let last = parts.indices.last, range.lower < end || range.upper <= end {
        parts[last].binds.formUnion(Self.binds(statement))
        parts[last].needs.formUnion(Self.needs(statement))
        continue
      }
      parts.append(
        Part(
          rank: Self.rank(statement, early), range: range, binds: Self.binds(statement),
          needs: Self.needs(statement), statement: statement))
      end = range.upper
    }
  }

  /// Functions and constants that decorators, defaults and constants use at import time,
  /// directly or through other functions.
  static func neededByDefinitions(_ tree: ModuleTree) -> Set<String> {
    var bodies: [String: Set<String>] = [:]
    var work: [String] = []
    for statement in tree.body {
      switch statement.kind {
      case .function(let function):
        var used: Set<String> = []
        for inner in function.body {
          inner.walk { child in
            for expression in child.childExpressions { used.formUnion(expression.names) }
            return .visitChildren
          }
        }
        bodies[function.name] = used
        work += needs(statement)
      case .classDef: work += needs(statement)
      case .assign, .annAssign: work += needs(statement)
      default: break
      }
    }
    var needed: Set<String> = []
    while let name = work.popLast() {
      guard needed.insert(name).inserted else { continue }
      work += bodies[name] ?? []
    }
    return needed
  }

  private static func rank(_ statement: Stmt, _ early: Set<String>) -> Int {
    switch statement.kind {
    case .import, .importFrom: return 0
    case .expression: return 0
    case .try(let body, _, _, _, _):
      let isImport = body.allSatisfy {
        switch $0.kind {
        case .import, .importFrom: true
        default: false
        }
      }
      return isImport ? 0 : 1
    case .function(let function):
      if StageRules.isKernel(function) { return 2 }
      return early.contains(function.name) ? 1 : 3
    case .classDef(let definition): return definition.name == "ModelNew" ? 5 : 4
    default: return 1
    }
  }

  private static func binds(_ statement: Stmt) -> Set<String> {
    switch statement.kind {
    case .function(let function): [function.name]
    case .classDef(let definition): [definition.name]
    case .assign(let targets, _): Set(targets.flatMap(\.names))
    case .annAssign(let target, _, _, _), .augAssign(let target, _, _): Set(target.names)
    case .import(let aliases), .importFrom(_, let aliases, _):
      Set(aliases.map { $0.asName ?? String($0.name.prefix { $0 != "." }) })
    default: Set(statement.childStatements.flatMap { binds($0) })
    }
  }

  /// Names that run at import: decorators, defaults, annotations, bases, values; class bodies.
  private static func needs(_ statement: Stmt) -> Set<String> {
    var names: Set<String> = []
    for expression in statement.childExpressions { names.formUnion(expression.names) }
    if case .function = statement.kind { return names }
    for child in statement.childStatements { names.formUnion(needs(child)) }
    return names
  }

  /// The whole lines of a statement with the comment block directly above it.
  private func lines(of statement: Stmt, after end: Int) -> SourceRange {
    let source = tree.source
    let full = statement.fullRange
    var first = source.lineIndex(at: full.lower)
    let floor = source.lineIndex(at: max(0, end - 1))
    while first > 0, source.lineStarts[first - 1] >= end, first - 1 > floor || end == 0 {
      let above = source.lineText(first - 1).drop { $0 == " " || $0 == "\t" }
      guard above.first == "#" else { break }
      first -= 1
    }
    let last = source.lineIndex(at: max(full.lower, full.upper - 1))
    let upper =
      last + 1 < source.lineStarts.count ? source.lineStarts[last + 1] : source.bytes.count
    return SourceRange(source.lineStarts[first], upper)
  }

  /// The parts that the form forbids, unless a part that stays needs them.
  var droppable: Set<Int> {
    let forbidden = parts.indices.filter { index in
      switch parts[index].statement.kind {
      case .if(let test, _, _): test.names.contains("__name__")
      case .function(let function): ["get_inputs", "get_init_inputs"].contains(function.name)
      default: false
      }
    }
    let needed = parts.indices.filter { !forbidden.contains($0) }
      .reduce(into: Set<String>()) { $0.formUnion(parts[$1].needs) }
    return Set(forbidden.filter { parts[$0].binds.isDisjoint(with: needed) })
  }

  /// Moves each part to at least the rank of what it needs of the parts before it.
  mutating func keepBehindNeeds() {
    var ranks: [String: Int] = [:]
    for index in parts.indices {
      for name in parts[index].needs {
        if let rank = ranks[name] { parts[index].rank = max(parts[index].rank, rank) }
      }
      for name in parts[index].binds {
        ranks[name] = max(ranks[name] ?? 0, parts[index].rank)
      }
    }
  }

  /// Whether every name that a part needs at import is bound before it where it was, and only there.
  func keepsUses(in order: [Int]) -> Bool {
    var position: [Int: Int] = [:]
    for (place, index) in order.enumerated() { position[index] = place }
    var binders: [String: [Int]] = [:]
    for index in order {
      for name in parts[index].binds { binders[name, default: []].append(index) }
    }
    return order.allSatisfy { index in
      parts[index].needs.allSatisfy { name in
        (binders[name] ?? []).allSatisfy { other in
          other == index
            || (other < index) == ((position[other] ?? 0) < (position[index] ?? 0))
        }
      }
    }
  }

  /// The parts in a new order; those not in `order` are left out. What stands between two parts
  /// (space, loose comments) stays with the part that it follows, or with the one before where that
  /// is left out.
  func text(in order: [Int]) -> [UInt8] {
    let bytes = tree.source.bytes
    let kept = Set(order)
    func tail(_ index: Int) -> [UInt8] {
      let end = index + 1 < parts.count ? parts[index + 1].range.lower : bytes.count
      var out = Array(bytes[parts[index].range.upper..<max(parts[index].range.upper, end)])
      // What follows the module's last part goes with it.
      if index + 1 < parts.count - 1, !kept.contains(index + 1) { out += tail(index + 1) }
      return out
    }
    var out = Array(bytes[..<(parts.first?.range.lower ?? 0)])
    if let first = parts.indices.first, !kept.contains(first), parts.count > 1 {
      out += tail(first).drop { $0 == 0x0A || $0 == 0x0D || $0 == 0x20 }
    }
    for (place, index) in order.enumerated() {
      let part = bytes[parts[index].range.lower..<parts[index].range.upper]
      out += part
      if part.last != 0x0A { out.append(0x0A) }
      let between = tail(index)
      let isLast = place == order.count - 1
      if isLast {
        out += between.drop { $0 == 0x0A || $0 == 0x0D || $0 == 0x20 }
        continue
      }
      let next = parts[order[place + 1]]
      let isMoved = order[place + 1] != index + 1
      out +=
        isMoved
        ? Self.spacing(between[...], before: next.rank, after: parts[index].rank) : between
    }
    return out
  }

  /// Loose comments with the blank lines that the form has between parts of these kinds.
  private static func spacing(
    _ between: ArraySlice<UInt8>, before next: Int, after rank: Int
  ) -> [UInt8] {
    let comments = between.drop { $0 == 0x0A || $0 == 0x0D || $0 == 0x20 }
    let blank: [UInt8] = rank <= 1 && next <= 1 && rank == next ? [] : [0x0A, 0x0A]
    if comments.isEmpty { return blank }
    return [0x0A] + comments + (comments.last == 0x0A ? [] : [0x0A])
  }
}
