import Diagnostics

extension SourceEditor {
  /// Deletes a statement with its decorators: the whole line if it stands alone on it, else only
  /// the statement and the `;` that parts it from its neighbour. The only statement of a block
  /// becomes `pass`.
  /// - Parameter keepingTrailingComment: leaves the comment behind the statement, on its own line.
  /// - Throws: a `Diagnostic` if the statement is not of this tree.
  public mutating func deleteStatement(
    _ statement: Stmt, keepingTrailingComment: Bool = false
  ) throws {
    let range = statement.fullRange
    guard let first = tree.tokenStarting(at: range.lower),
      let last = tree.tokenEnding(at: range.upper)
    else { throw tree.notFound("the statement is not of this tree", range) }
    let before = first > 0 ? tree.tokens[first - 1] : nil
    let after = last + 1 < tree.tokens.count ? tree.tokens[last + 1] : nil
    let sharesLineBefore =
      before.map { $0.code == .semicolon || $0.code == .colon } ?? false
      && !(before?.kind == .newline)
    if after?.code == .semicolon, let semicolon = after {
      let next = last + 2 < tree.tokens.count ? tree.tokens[last + 2] : nil
      if next?.kind == .newline {
        // `a; b;` or `b;`: the last statement of the line with a semicolon behind it.
        if sharesLineBefore, before?.code == .semicolon {
          delete(SourceRange(before?.range.lower ?? range.lower, range.upper))
        } else {
          replace(SourceRange(range.lower, semicolon.range.upper), with: "pass")
        }
        return
      }
      delete(SourceRange(range.lower, next?.range.lower ?? semicolon.range.upper))
      return
    }
    if before?.code == .semicolon, let semicolon = before {
      delete(SourceRange(semicolon.range.lower, range.upper))
      return
    }
    if sharesLineBefore || isOnlyStatement(first, last) {
      replace(range, with: "pass")
      return
    }
    deleteLines(range, keepingTrailingComment)
  }

  private mutating func deleteLines(_ range: SourceRange, _ keepsComment: Bool) {
    let lower = tree.isFirstOnLine(range.lower) ? tree.lineStart(at: range.lower) : range.lower
    if let comment = tree.trailingComment(after: range.upper), keepsComment {
      delete(SourceRange(range.lower, comment.lower))
      return
    }
    // At the end of a compound statement the last token may be inside its block.
    delete(SourceRange(lower, tree.nextLineStart(at: max(range.lower, range.upper - 1))))
  }

  /// Whether a statement is the only one of an indented block.
  private func isOnlyStatement(_ first: Int, _ last: Int) -> Bool {
    guard first > 0, tree.tokens[first - 1].kind == .indent else { return false }
    var index = last + 1
    // The statement's own line end and the ends of the blocks inside it.
    var depth = 0
    for position in first...last {
      if tree.tokens[position].kind == .indent { depth += 1 }
      if tree.tokens[position].kind == .dedent { depth -= 1 }
    }
    while index < tree.tokens.count, tree.tokens[index].kind == .newline { index += 1 }
    while depth > 0, index < tree.tokens.count, tree.tokens[index].kind == .dedent {
      depth -= 1
      index += 1
    }
    return index >= tree.tokens.count || tree.tokens[index].kind == .dedent
      || tree.tokens[index].kind == .endOfFile
  }

  /// Inserts whole lines before a statement (above its decorators), each with its indentation.
  public mutating func insertLines(_ lines: [String], before statement: Stmt) {
    let offset = statement.fullRange.lower
    let indent = tree.indentation(at: offset)
    insert(lines.map { $0 + tree.lineEnd + indent }.joined(), at: offset)
  }

  /// Inserts whole lines behind a statement, each with its indentation.
  public mutating func insertLines(_ lines: [String], after statement: Stmt) {
    let range = statement.fullRange
    let indent = tree.indentation(at: range.lower)
    let end = tree.lineContentEnd(at: max(range.lower, range.upper - 1))
    insert(lines.map { tree.lineEnd + indent + $0 }.joined(), at: end)
  }

  /// Adds `@text` above a function: above its other decorators, or with `innermost` directly above
  /// its `def`.
  public mutating func addDecorator(
    _ text: String, to function: FunctionDef, innermost: Bool = false
  ) {
    var offset = function.fullRange.lower
    if innermost, let last = function.decorators.last {
      let index = tree.tokenIndex(at: last.range.upper)
      let newline = tree.tokens[index...].first { $0.kind == .newline }
      if let newline { offset = tree.firstToken(from: newline.range.upper) }
    }
    insert("@" + text + tree.lineEnd + tree.indentation(at: offset), at: offset)
  }

  /// Removes a decorator with its line.
  public mutating func removeDecorator(_ decorator: Expr) throws {
    var index = tree.tokenIndex(at: decorator.range.lower)
    while index > 0,
      tree.tokens[index].code != .at || !tree.isFirstOnLine(tree.tokens[index].range.lower)
    {
      if tree.tokens[index].kind == .newline {
        throw tree.notFound("the expression is no decorator", decorator.range)
      }
      index -= 1
    }
    guard tree.tokens[index].code == .at else {
      throw tree.notFound("the expression is no decorator", decorator.range)
    }
    let lower = tree.lineStart(at: tree.tokens[index].range.lower)
    guard let newline = tree.tokens[index...].first(where: { $0.kind == .newline }) else {
      throw tree.notFound("the expression is no decorator", decorator.range)
    }
    delete(SourceRange(lower, newline.range.upper))
  }

  /// Gives a parameter an annotation, in place of the one it may have.
  public mutating func setAnnotation(_ text: String, of parameter: Parameter) {
    if let annotation = parameter.annotation {
      replace(annotation.range, with: text)
    } else {
      insert(": " + text, at: parameter.nameRange.upper)
    }
  }
}

extension ModuleTree {
  /// The offset of the first token that is no layout from `offset` on.
  func firstToken(from offset: Int) -> Int {
    var index = tokenIndex(at: offset)
    while index < tokens.count - 1, tokens[index].range.count == 0 || tokens[index].kind == .newline
    {
      index += 1
    }
    return tokens[index].range.lower
  }
}
