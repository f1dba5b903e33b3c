import Diagnostics

/// A Python statement. Kinds are those of CPython's `ast` (Python.asdl of 3.13), in Swift's spelling.
public final class Stmt: Sendable {
  /// Changed only while the node is being released, when nothing else can see it.
  @exclusivity(unchecked)
  public nonisolated(unsafe) internal(set) var kind: Kind
  /// The bytes the node covers; a decorated definition starts at `def` or `class`, as in CPython.
  public let range: SourceRange
  /// The number of nodes on the longest way down from here, this one included.
  public let height: UInt32

  public init(_ kind: Kind, _ range: SourceRange) {
    self.kind = kind
    self.range = range
    self.height = Self.height(of: kind)
  }

  /// A chain of `elif`s nests one statement per arm: released by a loop, as in ``Expr``.
  deinit {
    guard height > Expr.safeHeight else { return }
    var work: [Stmt] = []
    Self.forEachChild(of: kind) { if $0.height > Expr.safeHeight { work.append($0) } }
    kind = .error
    while var node = work.popLast() {
      guard isKnownUniquelyReferenced(&node) else { continue }
      Self.forEachChild(of: node.kind) { if $0.height > Expr.safeHeight { work.append($0) } }
      node.kind = .error
    }
  }

  public enum Kind: Sendable {
    case function(FunctionDef)
    case classDef(ClassDef)
    case `return`(Expr?)
    case delete([Expr])
    /// `a = b = value`: several targets.
    case assign(targets: [Expr], value: Expr)
    case typeAlias(name: Expr, parameters: [TypeParameter], value: Expr)
    case augAssign(target: Expr, BinaryOperator, value: Expr)
    /// `isSimple` as in CPython: a bare name without parentheses.
    case annAssign(target: Expr, annotation: Expr, value: Expr?, isSimple: Bool)
    case `for`(ForStmt)
    case `while`(test: Expr, body: [Stmt], orElse: [Stmt])
    case `if`(test: Expr, body: [Stmt], orElse: [Stmt])
    case with(items: [WithItem], body: [Stmt], isAsync: Bool)
    case match(subject: Expr, cases: [MatchCase])
    case raise(exception: Expr?, cause: Expr?)
    /// `isStar` is `except*`.
    case `try`(
      body: [Stmt], handlers: [ExceptHandler], orElse: [Stmt], finally: [Stmt], isStar: Bool)
    case assert(test: Expr, message: Expr?)
    case `import`([ImportAlias])
    case importFrom(module: String?, names: [ImportAlias], level: Int)
    case global([String])
    case nonlocal([String])
    case expression(Expr)
    case pass
    case `break`
    case `continue`
    /// What stands where a statement was expected; a diagnostic says more.
    case error
  }
}

public final class FunctionDef: Sendable {
  public let name: String
  public let nameRange: SourceRange
  public let typeParameters: [TypeParameter]
  public let parameters: Parameters
  public let returns: Expr?
  public let body: [Stmt]
  public let decorators: [Expr]
  public let isAsync: Bool
  /// From the first decorator's `@` (or `def`) to the end of the body.
  public let fullRange: SourceRange

  public init(
    name: String, nameRange: SourceRange, typeParameters: [TypeParameter], parameters: Parameters,
    returns: Expr?, body: [Stmt], decorators: [Expr], isAsync: Bool, fullRange: SourceRange
  ) {
    self.name = name
    self.nameRange = nameRange
    self.typeParameters = typeParameters
    self.parameters = parameters
    self.returns = returns
    self.body = body
    self.decorators = decorators
    self.isAsync = isAsync
    self.fullRange = fullRange
  }
}

public final class ClassDef: Sendable {
  public let name: String
  public let nameRange: SourceRange
  public let typeParameters: [TypeParameter]
  public let bases: [Expr]
  public let keywords: [Keyword]
  public let body: [Stmt]
  public let decorators: [Expr]
  /// From the first decorator's `@` (or `class`) to the end of the body.
  public let fullRange: SourceRange

  public init(
    name: String, nameRange: SourceRange, typeParameters: [TypeParameter], bases: [Expr],
    keywords: [Keyword], body: [Stmt], decorators: [Expr], fullRange: SourceRange
  ) {
    self.name = name
    self.nameRange = nameRange
    self.typeParameters = typeParameters
    self.bases = bases
    self.keywords = keywords
    self.body = body
    self.decorators = decorators
    self.fullRange = fullRange
  }
}

public final class ForStmt: Sendable {
  public let target: Expr
  public let iterable: Expr
  public let body: [Stmt]
  public let orElse: [Stmt]
  public let isAsync: Bool

  public init(target: Expr, iterable: Expr, body: [Stmt], orElse: [Stmt], isAsync: Bool) {
    self.target = target
    self.iterable = iterable
    self.body = body
    self.orElse = orElse
    self.isAsync = isAsync
  }
}

/// One parameter of a function or lambda.
public struct Parameter: Sendable {
  public enum Kind: Sendable {
    case positionalOnly, positional, variadic, keywordOnly, keywordVariadic
  }
  public let name: String
  /// The name alone; `range` is name and annotation.
  public let nameRange: SourceRange
  public let annotation: Expr?
  public let defaultValue: Expr?
  public let kind: Kind
  public let range: SourceRange

  public init(
    name: String, nameRange: SourceRange, annotation: Expr?, defaultValue: Expr?, kind: Kind,
    range: SourceRange
  ) {
    self.name = name
    self.nameRange = nameRange
    self.annotation = annotation
    self.defaultValue = defaultValue
    self.kind = kind
    self.range = range
  }
}

/// The parameters of a function or lambda in source order.
public struct Parameters: Sendable {
  public let all: [Parameter]
  public init(_ all: [Parameter]) { self.all = all }
}

public struct TypeParameter: Sendable {
  public enum Kind: Sendable {
    case typeVar(bound: Expr?)
    case paramSpec, typeVarTuple
  }
  public let name: String
  public let kind: Kind
  public let defaultValue: Expr?
  public let range: SourceRange

  public init(name: String, kind: Kind, defaultValue: Expr?, range: SourceRange) {
    self.name = name
    self.kind = kind
    self.defaultValue = defaultValue
    self.range = range
  }
}

public struct WithItem: Sendable {
  public let context: Expr
  public let target: Expr?
  public init(context: Expr, target: Expr?) {
    self.context = context
    self.target = target
  }
}

public struct ExceptHandler: Sendable {
  public let type: Expr?
  public let name: String?
  public let body: [Stmt]
  public let range: SourceRange
  public init(type: Expr?, name: String?, body: [Stmt], range: SourceRange) {
    self.type = type
    self.name = name
    self.body = body
    self.range = range
  }
}

public struct ImportAlias: Sendable {
  /// Dotted.
  public let name: String
  public let asName: String?
  public let range: SourceRange
  public init(name: String, asName: String?, range: SourceRange) {
    self.name = name
    self.asName = asName
    self.range = range
  }
}

public struct MatchCase: Sendable {
  public let pattern: Pattern
  public let guardTest: Expr?
  public let body: [Stmt]
  public init(pattern: Pattern, guardTest: Expr?, body: [Stmt]) {
    self.pattern = pattern
    self.guardTest = guardTest
    self.body = body
  }
}

public final class Pattern: Sendable {
  public let kind: Kind
  public let range: SourceRange
  public init(_ kind: Kind, _ range: SourceRange) {
    self.kind = kind
    self.range = range
  }

  public enum Kind: Sendable {
    case value(Expr)
    case singleton(Constant)
    case sequence([Pattern])
    case mapping(keys: [Expr], patterns: [Pattern], rest: String?)
    case classPattern(Expr, patterns: [Pattern], keywordNames: [String], keywordPatterns: [Pattern])
    case star(String?)
    /// `pattern as name`; a bare capture has no pattern, the wildcard neither.
    case asPattern(Pattern?, name: String?)
    case or([Pattern])
    case error
  }
}
