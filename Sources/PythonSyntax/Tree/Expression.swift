import Diagnostics

/// A Python expression. Kinds are those of CPython's `ast` (Python.asdl of 3.13), in Swift's spelling.
public final class Expr: Sendable {
  /// Changed only while the node is being released, when nothing else can see it.
  @exclusivity(unchecked)
  public nonisolated(unsafe) internal(set) var kind: Kind
  /// The bytes the node covers, as CPython's `col_offset`..`end_col_offset` (without enclosing
  /// parentheses).
  public let range: SourceRange
  /// The number of nodes on the longest way down from here, this one included. Walks that recurse
  /// over the tree can check it against their own limit.
  public let height: UInt32

  public init(_ kind: Kind, _ range: SourceRange) {
    self.kind = kind
    self.range = range
    self.height = Self.height(of: kind)
  }

  /// A chain such as `a + a + …` may be 100,000 nodes deep: releasing it by recursion would
  /// overflow the stack, so a high tree is taken apart by a loop.
  deinit {
    guard height > Self.safeHeight else { return }
    var work: [Expr] = []
    Self.forEachChild(of: kind) { if $0.height > Self.safeHeight / 2 { work.append($0) } }
    kind = .error
    while var node = work.popLast() {
      guard isKnownUniquelyReferenced(&node) else { continue }
      Self.forEachChild(of: node.kind) {
        if $0.height > Self.safeHeight / 2 { work.append($0) }
      }
      node.kind = .error
    }
  }

  public enum Kind: Sendable {
    /// `a and b and c`: two or more values.
    case boolOp(BoolOperator, [Expr])
    /// `target := value`
    case named(target: Expr, value: Expr)
    case binary(Expr, BinaryOperator, Expr)
    case unary(UnaryOperator, Expr)
    case lambda(Parameters, body: Expr)
    /// `body if test else orElse`
    case conditional(test: Expr, body: Expr, orElse: Expr)
    /// A nil key is `**value`.
    case dict(keys: [Expr?], values: [Expr])
    case set([Expr])
    case listComprehension(Expr, [Comprehension])
    case setComprehension(Expr, [Comprehension])
    case dictComprehension(key: Expr, value: Expr, [Comprehension])
    case generator(Expr, [Comprehension])
    case await(Expr)
    case yield(Expr?)
    case yieldFrom(Expr)
    /// `left op0 comparators[0] op1 comparators[1] …`
    case compare(Expr, [CompareOperator], [Expr])
    case call(Expr, arguments: [Expr], keywords: [Keyword])
    /// An f-string: `.constant` and `.formattedValue` parts.
    case joinedString([Expr])
    case formattedValue(Expr, conversion: Conversion, formatSpec: Expr?)
    case constant(Constant)
    case attribute(Expr, name: String, nameRange: SourceRange)
    case subscripted(Expr, index: Expr)
    case starred(Expr)
    case name(String)
    case list([Expr])
    case tuple([Expr])
    /// Only inside a subscript.
    case slice(lower: Expr?, upper: Expr?, step: Expr?)
    /// What stands where an expression was expected; a diagnostic says more.
    case error
  }

  /// `!s`, `!r`, `!a` in an f-string; the raw values are CPython's.
  public enum Conversion: Int, Sendable {
    case none = -1
    case str = 115
    case repr = 114
    case ascii = 97
  }
}

public enum BoolOperator: String, Sendable { case and, or }

public enum UnaryOperator: String, Sendable {
  case invert = "~"
  case not = "not"
  case plus = "+"
  case minus = "-"
}

public enum BinaryOperator: String, Sendable {
  case add = "+"
  case sub = "-"
  case mul = "*"
  case matMul = "@"
  case div = "/"
  case mod = "%"
  case pow = "**"
  case leftShift = "<<"
  case rightShift = ">>"
  case bitOr = "|"
  case bitXor = "^"
  case bitAnd = "&"
  case floorDiv = "//"
}

public enum CompareOperator: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessEqual = "<="
  case greater = ">"
  case greaterEqual = ">="
  case `is` = "is"
  case isNot = "is not"
  case `in` = "in"
  case notIn = "not in"
}

/// `name=value` in a call or class header; a nil name is `**value`.
public struct Keyword: Sendable {
  public let name: String?
  public let value: Expr
  public let range: SourceRange

  public init(name: String?, value: Expr, range: SourceRange) {
    self.name = name
    self.value = value
    self.range = range
  }
}

/// `for target in iterable if … if …`
public struct Comprehension: Sendable {
  public let target: Expr
  public let iterable: Expr
  public let conditions: [Expr]
  public let isAsync: Bool

  public init(target: Expr, iterable: Expr, conditions: [Expr], isAsync: Bool) {
    self.target = target
    self.iterable = iterable
    self.conditions = conditions
    self.isAsync = isAsync
  }
}

/// The value of a literal.
public enum Constant: Sendable, Hashable {
  case none
  case bool(Bool)
  case ellipsis
  case int(IntegerLiteral)
  case float(Double)
  case imaginary(Double)
  case string(StringLiteral)
  case bytes([UInt8])
}

/// An integer literal of any size.
public struct IntegerLiteral: Sendable, Hashable {
  /// The value if it fits in 64 bits.
  public let value: Int?
  /// The magnitude in lower-case hexadecimal without prefix or leading zeros ("0" for zero).
  public var hexDigits: String {
    if let value { return String(value.magnitude, radix: 16) }
    return bigHexDigits
  }
  private let bigHexDigits: String

  public init(_ value: Int) {
    self.value = value
    self.bigHexDigits = ""
  }

  /// A literal too large for 64 bits.
  public init(hexDigits: String) {
    self.value = nil
    self.bigHexDigits = hexDigits
  }
}

/// The value of a string literal (adjacent literals joined, escapes decoded).
public struct StringLiteral: Sendable, Hashable {
  /// The value; a lone surrogate (legal in Python, not in Swift) reads as U+FFFD here.
  public let value: String
  /// The code points where `value` cannot hold them (lone surrogates), else nil.
  public let codePoints: [UInt32]?
  /// `u"…"`, which CPython's tree records as kind 'u'.
  public let isUnicodePrefixed: Bool

  public init(_ value: String, codePoints: [UInt32]? = nil, isUnicodePrefixed: Bool = false) {
    self.value = value
    self.codePoints = codePoints
    self.isUnicodePrefixed = isUnicodePrefixed
  }
}
