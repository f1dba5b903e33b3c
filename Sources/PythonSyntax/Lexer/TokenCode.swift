/// What an operator or keyword token says; one code space for both, so the parser compares one byte.
public enum TokenCode: UInt8, Sendable {
  /// A token that is neither an operator nor a keyword.
  case none
  case leftParen, rightParen, leftBracket, rightBracket, leftBrace, rightBrace
  case comma, colon, dot, semicolon, at, equal, exclamation, arrow, colonEqual, ellipsis
  case plus, minus, star, slash, percent, bar, ampersand, caret, tilde
  case leftShift, rightShift, doubleStar, doubleSlash
  case less, greater, equalEqual, notEqual, lessEqual, greaterEqual
  case plusEqual, minusEqual, starEqual, slashEqual, percentEqual, barEqual, ampersandEqual
  case caretEqual, leftShiftEqual, rightShiftEqual, doubleStarEqual, doubleSlashEqual, atEqual
  case kwFalse, kwNone, kwTrue, kwAnd, kwAs, kwAssert, kwAsync, kwAwait, kwBreak, kwClass
  case kwContinue, kwDef, kwDel, kwElif, kwElse, kwExcept, kwFinally, kwFor, kwFrom, kwGlobal
  case kwIf, kwImport, kwIn, kwIs, kwLambda, kwNonlocal, kwNot, kwOr, kwPass, kwRaise, kwReturn
  case kwTry, kwWhile, kwWith, kwYield
  /// Soft keywords: names everywhere else.
  case softMatch, softCase, softType

  @inline(__always)
  var isKeyword: Bool {
    rawValue >= TokenCode.kwFalse.rawValue && rawValue <= TokenCode.kwYield.rawValue
  }

  /// Keywords that start a statement and can stand in no expression; at the start of a line inside
  /// brackets they show that a bracket above was never closed.
  var startsOnlyStatements: Bool {
    switch self {
    case .kwDef, .kwClass, .kwReturn, .kwImport, .kwWhile, .kwTry, .kwWith, .kwDel, .kwPass,
      .kwRaise, .kwAssert, .kwGlobal, .kwNonlocal, .kwBreak, .kwContinue, .kwExcept, .kwFinally,
      .kwElif:
      true
    default: false
    }
  }

  /// The binary operator and its precedence (higher binds tighter), for the left-associative ones.
  @inline(__always)
  var binary: (operator: BinaryOperator, precedence: Int)? {
    switch self {
    case .bar: (.bitOr, 1)
    case .caret: (.bitXor, 2)
    case .ampersand: (.bitAnd, 3)
    case .leftShift: (.leftShift, 4)
    case .rightShift: (.rightShift, 4)
    case .plus: (.add, 5)
    case .minus: (.sub, 5)
    case .star: (.mul, 6)
    case .slash: (.div, 6)
    case .doubleSlash: (.floorDiv, 6)
    case .percent: (.mod, 6)
    case .at: (.matMul, 6)
    default: nil
    }
  }

  /// The operator of an augmented assignment.
  var augmented: BinaryOperator? {
    switch self {
    case .plusEqual: .add
    case .minusEqual: .sub
    case .starEqual: .mul
    case .slashEqual: .div
    case .percentEqual: .mod
    case .barEqual: .bitOr
    case .ampersandEqual: .bitAnd
    case .caretEqual: .bitXor
    case .leftShiftEqual: .leftShift
    case .rightShiftEqual: .rightShift
    case .doubleStarEqual: .pow
    case .doubleSlashEqual: .floorDiv
    case .atEqual: .matMul
    default: nil
    }
  }
}

extension SourceBytes {
  /// The keyword code of the name at `lower..<upper`, found by length and bytes alone.
  @inline(__always)
  func keyword(_ lower: Int, _ upper: Int) -> TokenCode {
    let count = upper - lower
    guard count >= 2, count <= 8 else { return .none }
    // No keyword starts with an upper-case letter but False, None and True.
    let first = self[lower]
    switch count {
    case 2:
      switch (first, self[lower + 1]) {
      case (0x61, 0x73): return .kwAs
      case (0x69, 0x66): return .kwIf
      case (0x69, 0x6E): return .kwIn
      case (0x69, 0x73): return .kwIs
      case (0x6F, 0x72): return .kwOr
      default: return .none
      }
    case 3:
      switch first {
      case 0x61: return match(lower, "and") ? .kwAnd : .none
      case 0x64:
        if match(lower, "def") { return .kwDef }
        return match(lower, "del") ? .kwDel : .none
      case 0x66: return match(lower, "for") ? .kwFor : .none
      case 0x6E: return match(lower, "not") ? .kwNot : .none
      case 0x74: return match(lower, "try") ? .kwTry : .none
      default: return .none
      }
    case 4:
      switch first {
      case 0x4E: return match(lower, "None") ? .kwNone : .none
      case 0x54: return match(lower, "True") ? .kwTrue : .none
      case 0x63: return match(lower, "case") ? .softCase : .none
      case 0x65:
        if match(lower, "else") { return .kwElse }
        return match(lower, "elif") ? .kwElif : .none
      case 0x66: return match(lower, "from") ? .kwFrom : .none
      case 0x70: return match(lower, "pass") ? .kwPass : .none
      case 0x74: return match(lower, "type") ? .softType : .none
      case 0x77: return match(lower, "with") ? .kwWith : .none
      default: return .none
      }
    case 5:
      switch first {
      case 0x46: return match(lower, "False") ? .kwFalse : .none
      case 0x61:
        if match(lower, "async") { return .kwAsync }
        return match(lower, "await") ? .kwAwait : .none
      case 0x62: return match(lower, "break") ? .kwBreak : .none
      case 0x63: return match(lower, "class") ? .kwClass : .none
      case 0x6D: return match(lower, "match") ? .softMatch : .none
      case 0x72: return match(lower, "raise") ? .kwRaise : .none
      case 0x77: return match(lower, "while") ? .kwWhile : .none
      case 0x79: return match(lower, "yield") ? .kwYield : .none
      default: return .none
      }
    case 6:
      switch first {
      case 0x61: return match(lower, "assert") ? .kwAssert : .none
      case 0x65: return match(lower, "except") ? .kwExcept : .none
      case 0x67: return match(lower, "global") ? .kwGlobal : .none
      case 0x69: return match(lower, "import") ? .kwImport : .none
      case 0x6C: return match(lower, "lambda") ? .kwLambda : .none
      case 0x72: return match(lower, "return") ? .kwReturn : .none
      default: return .none
      }
    case 7: return first == 0x66 && match(lower, "finally") ? .kwFinally : .none
    default:
      if first == 0x63 { return match(lower, "continue") ? .kwContinue : .none }
      return first == 0x6E && match(lower, "nonlocal") ? .kwNonlocal : .none
    }
  }
}
