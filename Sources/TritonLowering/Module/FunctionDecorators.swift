import Diagnostics
import PythonSyntax
import TileIR

/// What the decorators of a function say: `@triton.jit`, `@triton.autotune`, `@triton.heuristics`.
struct FunctionDecorators {
  var isJIT = false
  var isConstexprFunction = false
  /// Names and indices in `do_not_specialize`.
  var notSpecialized: Set<String> = []
  var configs: [AutotuneConfig] = []
  var heuristics: [(name: String, function: Expr)] = []

  init(
    _ definition: FunctionDef, scope: ModuleScope,
    budget: CompileTimeEvaluator.Budget = CompileTimeEvaluator.Budget()
  ) {
    for decorator in definition.decorators {
      var callee = decorator
      var arguments: [Expr] = []
      var keywords: [Keyword] = []
      if case .call(let function, let positional, let named) = decorator.kind {
        callee = function
        arguments = positional
        keywords = named
      }
      var evaluator = CompileTimeEvaluator(scope: scope, budget: budget)
      let decoration = try? evaluator.evaluate(callee)
      // `@tl.constexpr` makes the function a constant of the module, which kernels may call.
      if case .type(.python("tl.constexpr"))? = decoration { isConstexprFunction = true }
      guard case .builtin(let name)? = decoration else { continue }
      switch name {
      case "triton.jit":
        isJIT = true
        for keyword in keywords where keyword.name == "do_not_specialize" {
          guard case .tuple(let names)? = try? evaluator.evaluate(keyword.value) else { continue }
          notSpecialized = Set(names.elements.map(\.display))
        }
      case "triton.constexpr_function": isConstexprFunction = true
      case "triton.autotune":
        let list = keywords.first { $0.name == "configs" }?.value ?? arguments.first
        if let list { configs = AutotuneConfig.read(list, scope: scope, budget: budget) }
      case "triton.heuristics":
        let table = keywords.first { $0.name == "values" }?.value ?? arguments.first
        if let table, case .dict(let keys, let values) = table.kind {
          for (key, value) in zip(keys, values) {
            guard let key, case .string(let name)? = try? evaluator.evaluate(key) else { continue }
            heuristics.append((name, value))
          }
        }
      default: break
      }
    }
  }
}

/// One `triton.Config(…)` of a kernel's `@triton.autotune`.
public struct AutotuneConfig: Sendable {
  /// The constexpr values it sets.
  public var constants: [String: ConstexprValue]
  public var numWarps: Int
  public var numStages: Int
  public var range: SourceRange

  /// The configs of a list expression that can be evaluated, in source order: list displays,
  /// comprehensions over constants, module-level lists and functions that return one.
  static func read(
    _ expression: Expr, scope: ModuleScope, budget: CompileTimeEvaluator.Budget
  ) -> [AutotuneConfig] {
    var evaluator = CompileTimeEvaluator(scope: scope, budget: budget)
    guard case .tuple(let list)? = try? evaluator.evaluate(expression) else { return [] }
    return list.elements.compactMap { AutotuneConfig($0, range: expression.range) }
  }

  /// From the value `triton.Config(…)` evaluates to.
  init?(_ value: PyValue, range: SourceRange) {
    guard case .dict(let fields) = value, case .dict(let values)? = fields["kwargs"] else {
      return nil
    }
    constants = values.compactMapValues(\.constexpr)
    numWarps = fields["num_warps"]?.int64 ?? 4
    numStages = fields["num_stages"]?.int64 ?? 3
    if let lower = fields["range.lower"]?.int64, let upper = fields["range.upper"]?.int64 {
      self.range = SourceRange(lower, upper)
    } else {
      self.range = range
    }
  }
}

extension PyValue {
  /// The value in the form the public interface uses, where it has one.
  var constexpr: ConstexprValue? {
    switch self {
    case .none: ConstexprValue.none
    case .bool(let value): .bool(value)
    case .int(let value): Int(exactly: value).map { .int($0) }
    case .float(let value): .float(value)
    case .string(let value): .string(value)
    case .type(.scalar(let element)): .dtype(element)
    case .tuple(let tuple):
      tuple.elements.allSatisfy { $0.constexpr != nil }
        ? .tuple(tuple.elements.compactMap(\.constexpr)) : nil
    case .function(let reference): .function(reference.function.name)
    default: nil
    }
  }
}
