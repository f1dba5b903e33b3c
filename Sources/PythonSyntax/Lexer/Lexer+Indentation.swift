extension Lexer {
  /// Reads the white space, blank lines and comment lines before a logical line and emits the
  /// indents and dedents it causes, as CPython does: tabs go to the next multiple of 8, and the
  /// order of two lines must not depend on the tab width.
  mutating func lexIndentation() {
    var column = 0
    var alternate = 0
    var continuedColumn: Int?
    while true {
      switch bytes[position] {
      case 0x20:
        column &+= 1
        alternate &+= 1
        position += 1
        continue
      case 0x09:
        column = (column / 8 &+ 1) &* 8
        alternate &+= 1
        position += 1
        continue
      case 0x0C:
        column = 0
        alternate = 0
        position += 1
        continue
      case 0x5C where bytes[position + 1] == 0x0A || bytes[position + 1] == 0x0D:
        // Only the white space before the first backslash counts.
        if continuedColumn == nil { continuedColumn = column }
        let lower = position
        position += 1
        skipLineEnd()
        if position >= bytes.count {
          report("unexpected-end", "unexpected end of file after '\\'", lower, lower + 1)
          emit(.error, from: position)
          return
        }
        continue
      case 0x23:
        skipComment()
        if position < bytes.count { skipLineEnd() }
        column = 0
        alternate = 0
        continuedColumn = nil
        continue
      case 0x0A, 0x0D:
        skipLineEnd()
        column = 0
        alternate = 0
        continuedColumn = nil
        continue
      case 0 where position >= bytes.count:
        return
      default:
        break
      }
      break
    }
    applyIndent(continuedColumn ?? column, continuedColumn ?? alternate)
  }

  private mutating func applyIndent(_ column: Int, _ alternate: Int) {
    let current = indents[indents.count - 1]
    if column == current {
      if alternate != alternateIndents[alternateIndents.count - 1] { reportTabs() }
    } else if column > current {
      if indents.count >= Self.maximumIndentDepth {
        if !hasReportedDepth {
          hasReportedDepth = true
          report("too-deep", "too many levels of indentation", lineStart, position)
        }
        emit(.error, from: position)
        return
      }
      if alternate <= alternateIndents[alternateIndents.count - 1] { reportTabs() }
      indents.append(column)
      alternateIndents.append(alternate)
      emit(.indent, from: position)
    } else {
      while indents.count > 1, column < indents[indents.count - 1] {
        indents.removeLast()
        alternateIndents.removeLast()
        emit(.dedent, from: position)
      }
      if column != indents[indents.count - 1] {
        report(
          "unindent-mismatch", "unindent does not match any outer indentation level", position,
          position + 1, next: "align the line with a line above it")
        // Going on as if it did: the line belongs to the block that is still open.
        emit(.error, from: position)
      } else if alternate != alternateIndents[alternateIndents.count - 1] {
        reportTabs()
      }
    }
  }

  private mutating func reportTabs() {
    report(
      "tabs-and-spaces", "inconsistent use of tabs and spaces in indentation", lineStart, position,
      next: "indent the whole file with spaces")
  }
}
