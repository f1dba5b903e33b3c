import Diagnostics
import PythonSyntax

/// A value of a config or launch keyword that is known without running the module.
public enum ConfigValue: Hashable, Sendable, CustomStringConvertible {
  case int(Int)
  case bool(Bool)
  case string(String)
  case none
  /// An expression that is not constant, as canonical text.
  case text(String)

  public var int: Int? { if case .int(let value) = self { value } else { nil } }

  public var description: String {
    switch self {
    case .int(let value): "\(value)"
    case .bool(let value): value ? "True" : "False"
    case .string(let value): "'\(value)'"
    case .none: "None"
    case .text(let value): value
    }
  }
}

/// Evaluates the small constant expressions that configs are made of.
///
/// Names stand for the values they are bound to once, by a comprehension, a function or the module.
struct ConstantScope {
  let tree: ModuleTree
  /// Names with values (comprehension variables).
  var values: [String: ConfigValue] = [:]
  /// Names bound exactly once in the function and in the module.
  var local: [String: Expr] = [:]
  var module: [String: Expr] = [:]
  /// Functions defined inside the function.
  var functions: [String: FunctionDef] = [:]

  private static let maxDepth = 40

  init(_ tree: ModuleTree) {
    self.tree = tree
    self.module = Bindings.single(in: tree.body)
  }

  /// The scope inside a function of the same module.
  func inside(_ function: FunctionDef) -> ConstantScope {
    var inner = self
    inner.values = [:]
    inner.local.merge(Bindings.single(in: function.body)) { _, own in own }
    for parameter in function.parameters.all { inner.local[parameter.name] = nil }
    for case .function(let nested) in function.body.map(\.kind) {
      inner.functions[nested.name] = nested
    }
    return inner
  }

  func binding(of name: String) -> Expr? { local[name] ?? module[name] }

  func value(_ expression: Expr, depth: Int = 0) -> ConfigValue {
    if let constant = constant(expression, depth: depth) { return constant }
    if case .name(let name) = expression.kind, let bound = binding(of: name) {
      return .text(canonical(bound))  // `BLOCK=BLOCK` says nothing; what BLOCK is bound to does
    }
    return .text(canonical(expression))
  }

  func canonical(_ expression: Expr) -> String {
    CanonicalText.of(expression.range, in: tree)
  }

  /// Nil if the expression is not constant.
  func constant(_ expression: Expr, depth: Int = 0) -> ConfigValue? {
    guard depth < Self.maxDepth else { return nil }
    switch expression.kind {
    case .constant(let constant):
      switch constant {
      case .int(let literal): return literal.value.map { .int($0) }
      case .bool(let flag): return .bool(flag)
      case .string(let text): return .string(text.value)
      case .none: return ConfigValue.none
      default: return nil
      }
    case .name(let name):
      if let value = values[name] { return value }
      return binding(of: name).flatMap { constant($0, depth: depth + 1) }
    case .unary(.minus, let operand):
      guard case .int(let value)? = constant(operand, depth: depth + 1) else { return nil }
      let (result, overflow) = 0.subtractingReportingOverflow(value)
      return overflow ? nil : .int(result)
    case .binary(let left, let op, let right):
      guard case .int(let a)? = constant(left, depth: depth + 1),
        case .int(let b)? = constant(right, depth: depth + 1)
      else { return nil }
      return Self.combine(a, op, b).map { .int($0) }
    case .call(let callee, let arguments, let keywords):
      // `tl.constexpr(8)` is 8.
      guard keywords.isEmpty, arguments.count == 1, case .attribute(_, "constexpr", _) = callee.kind
      else { return nil }
      return constant(arguments[0], depth: depth + 1)
    default: return nil
    }
  }

  private static func combine(_ a: Int, _ op: BinaryOperator, _ b: Int) -> Int? {
    let result: (partialValue: Int, overflow: Bool)
    switch op {
    case .add: result = a.addingReportingOverflow(b)
    case .sub: result = a.subtractingReportingOverflow(b)
    case .mul: result = a.multipliedReportingOverflow(by: b)
    case .floorDiv:
      guard b > 0, a >= 0 else { return nil }
      return a / b
    case .mod:
      guard b > 0, a >= 0 else { return nil }
      return a % b
    case .pow:
      guard a == 2, (0...40).contains(b) else { return nil }
      return 1 << b
    case .leftShift:
      guard (0...40).contains(b), a.magnitude < 1 << 20 else { return nil }
      return a << b
    default: return nil
    }
    return result.overflow ? nil : result.partialValue
  }
}

/// Names that a list of statements binds.
enum Bindings {
  /// Names bound exactly once, by a plain assignment, with the assigned expression.
  static func single(in body: [Stmt]) -> [String: Expr] {
    var found: [String: Expr] = [:]
    var count: [String: Int] = [:]
    for statement in body {
      statement.walk { inner in
        switch inner.kind {
        case .assign(let targets, let value):
          for target in targets { bind(target, value, &found, &count) }
        case .annAssign(let target, _, let value, _):
          bind(target, value, &found, &count)
        case .augAssign(let target, _, _): bind(target, nil, &found, &count)
        case .for(let loop): bind(loop.target, nil, &found, &count)
        case .function(let function):
          count[function.name, default: 0] += 1
          return .skipChildren
        case .classDef(let definition):
          count[definition.name, default: 0] += 1
          return .skipChildren
        default: break
        }
        return .visitChildren
      }
    }
    return found.filter { count[$0.key] == 1 }
  }

  private static func bind(
    _ target: Expr, _ value: Expr?, _ found: inout [String: Expr], _ count: inout [String: Int]
  ) {
    switch target.kind {
    case .name(let name):
      count[name, default: 0] += 1
      found[name] = value
    case .tuple(let targets), .list(let targets):
      for target in targets { bind(target, nil, &found, &count) }
    case .starred(let inner): bind(inner, nil, &found, &count)
    default: break
    }
  }
}

/// Source text reduced to its tokens, so that space, comments and line breaks do not matter.
enum CanonicalText {
  /// The tokens of a range, joined by single spaces; `renaming` replaces names.
  static func of(
    _ range: SourceRange, in tree: ModuleTree, renaming names: [String: String] = [:]
  ) -> String {
    var words: [String] = []
    for token in tokens(of: tree, in: range) {
      switch token.kind {
      case .newline, .indent, .dedent, .endOfFile: continue
      default:
        let text = tree.source.text(in: token.range)
        words.append(token.kind == .name ? names[text] ?? text : text)
      }
    }
    // A trailing comma before a closing bracket means nothing, except in a tuple of one.
    var kept: [String] = []
    var commas = [0]
    for (index, word) in words.enumerated() {
      let next = index + 1 < words.count ? words[index + 1] : ""
      switch word {
      case "(", "[", "{": commas.append(0)
      case ")", "]", "}": if commas.count > 1 { commas.removeLast() }
      case ",":
        if [")", "]", "}"].contains(next), commas[commas.count - 1] > 0 { continue }
        commas[commas.count - 1] += 1
      default: break
      }
      kept.append(word)
    }
    return kept.joined(separator: " ")
  }

  /// - Complexity: O(log tokens + tokens in range).
  static func tokens(of tree: ModuleTree, in range: SourceRange) -> ArraySlice<Token> {
    let tokens = tree.tokens
    var low = 0
    var high = tokens.count
    while low < high {
      let middle = (low + high) / 2
      if Int(tokens[middle].lower) < range.lower { low = middle + 1 } else { high = middle }
    }
    var end = low
    while end < tokens.count, Int(tokens[end].lower) < range.upper { end += 1 }
    return tokens[low..<end]
  }
}
