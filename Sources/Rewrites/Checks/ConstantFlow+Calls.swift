import Diagnostics
import PythonSyntax
import TritonLowering

extension ConstantFlow {
  /// Members of `triton.language` that turn every scalar argument into a tensor themselves, so that
  /// a compile-time integer means the same there (`language/core.py` of Triton 3.6).
  static let scalarFunctions: Set<String> = [
    "load", "store", "full", "range", "static_range", "minimum", "maximum", "clamp", "assume",
    "device_assert", "device_print", "cast", "cdiv", "swizzle2d", "atomic_add", "atomic_max",
    "atomic_min", "atomic_and", "atomic_or", "atomic_xor", "atomic_xchg", "atomic_cas", "rand",
    "randn", "randint", "umulhi",
  ]
  /// Those that take shapes, strides and offsets as tuples.
  static let tupleFunctions: Set<String> = [
    "make_block_ptr", "advance", "make_tensor_descriptor", "_experimental_make_tensor_descriptor",
  ]
  /// Those whose arguments combine like operands: a constant adapts to the tensor's type.
  static let operandFunctions: Set<String> = ["where"]
  /// Reductions over tiles: the order of the terms follows the layout, which constants may change.
  static let orderSensitive: Set<String> = [
    "sum", "reduce", "associative_scan", "cumsum", "cumprod", "softmax",
  ]
  /// Functions the GPU approximates.
  private static let approximated: Set<String> = [
    "exp", "exp2", "log", "log2", "sqrt", "rsqrt", "sin", "cos", "erf", "fdiv", "div_rn", "sigmoid",
  ]
  /// Results that hold the type of an argument.
  private static let typeKeeping: Set<String> = [
    "where", "minimum", "maximum", "trans", "reshape", "view", "broadcast_to", "expand_dims",
    "ravel", "permute", "sum", "max", "min", "abs", "clamp", "join", "cat", "flip", "sort",
    "cumsum", "cumprod", "load", "zeros_like", "gather", "exp", "log", "sqrt", "cos", "sin", "exp2",
    "log2", "fma", "xor_sum", "reduce", "associative_scan", "sigmoid", "softmax",
  ]

  mutating func visitCall(
    _ call: Expr, callee: Expr, arguments: [Expr], keywords: [Keyword]
  ) -> Fact {
    let facts = arguments.map { visit($0) }
    let named = keywords.map { ($0.name, visit($0.value)) }
    let all = facts + named.map(\.1)
    let involved = all.reduce(into: Set<String>()) { if $1.anyNew { $0.formUnion($1.allNames) } }
    var result = Fact.runtime

    if let member = names.member(of: callee) {
      result.mayAdapt = resultMayAdapt(
        of: member, facts: all, dtype: dtypeArgument(of: member, arguments, keywords))
      if member != "load", let first = all.first, all.allSatisfy({ $0.isConstant || $0.folds }),
        all.contains(where: \.folds)
      {
        result.folds = true
        if member == "cast" {
          result.values = first.values
        } else if Self.approximated.contains(member) || member.hasPrefix("math.") {
          roundings.append(
            "line \(source.line(at: call.range.lower)): '\(source.text(in: call.range))' may be "
              + "computed at compile time")
        }
      }
      if mayReorder, Self.orderSensitive.contains(member) {
        roundings.append(
          "line \(source.line(at: call.range.lower)): the order in which '\(member)' adds may follow "
            + "another layout")
      }
      guard !involved.isEmpty else {
        // A call on compile-time values only, of the kind Triton evaluates itself.
        if ["constexpr", "min", "max"].contains(member) { return minMax(all) ?? result }
        return result
      }
      checkLanguageCall(member, call, facts: all, involved: involved)
      if all.allSatisfy(\.isConstant), ["min", "max"].contains(member) {
        return minMax(all) ?? result
      }
      return result
    }
    if let name = callee.bareName, locals[name] == nil, let function = triton.function(named: name)
    {
      return visitJITCall(function, call, facts: facts, keywords: named, involved: involved)
    }
    if let name = callee.bareName, ["min", "max"].contains(name), locals[name] == nil {
      if all.allSatisfy(\.isConstant) {
        return minMax(all) ?? Fact(isConstant: true, names: involved)
      }
      result.mayAdapt = all.contains(where: \.mayAdapt)
      return result
    }
    if let name = callee.bareName, name == "range", locals[name] == nil { return result }
    if case .attribute(let base, let method, _) = callee.kind, names.tritonPath(of: callee) == nil {
      return visitMethod(
        method, on: visit(base), base: base, call, arguments: arguments, facts: all,
        involved: involved)
    }
    if !involved.isEmpty { refuseCall(call, involved) }
    result.mayAdapt = hasAdaptingTypes
    return result
  }

  private mutating func refuseCall(_ call: Expr, _ involved: Set<String>) {
    problem(
      involved, "call-needs-tensor",
      "\(quoted(involved)) goes into a call that may need a run-time value", call.range)
  }

  private mutating func checkLanguageCall(
    _ member: String, _ call: Expr, facts: [Fact], involved: Set<String>
  ) {
    if Self.tupleFunctions.contains(member) { return }
    let isScalar = facts.allSatisfy { $0.elements.allSatisfy { !$0.anyNew } }
    if isScalar, Self.scalarFunctions.contains(member) {
      if ["minimum", "maximum", "clamp", "full", "cast", "cdiv"].contains(member) { return }
      return
    }
    if isScalar, Self.operandFunctions.contains(member) {
      if facts.contains(where: { !$0.isConstant && $0.mayAdapt }) {
        problem(
          involved, "constant-adapts-type",
          "a compile-time constant takes the type of the other operand here, which may be narrower "
            + "than int32", call.range)
      }
      return
    }
    if ["multiple_of", "max_contiguous", "max_constancy"].contains(member) {
      problem(
        involved, "hint-on-constant",
        "'\(member)' is called on \(quoted(involved)), and Triton takes no hint on a compile-time "
          + "constant", call.range)
      return
    }
    refuseCall(call, involved)
  }

  private mutating func visitMethod(
    _ method: String, on base: Fact, base expression: Expr, _ call: Expr, arguments: [Expr],
    facts: [Fact], involved: Set<String>
  ) -> Fact {
    var result = Fact.runtime
    if base.isNew {
      problem(
        base.names, "constant-has-no-method",
        "'\(source.text(in: expression.range))' would be a compile-time constant, which has no "
          + "'.\(method)'", call.range)
      return result
    }
    if mayReorder, Self.orderSensitive.contains(method) {
      roundings.append(
        "line \(source.line(at: call.range.lower)): the order in which '\(method)' adds may follow "
          + "another layout")
    }
    if method == "to" || method == "cast" {
      result.mayAdapt = arguments.first.map { mayAdapt(dtype: $0) } ?? hasAdaptingTypes
      result.folds = base.folds
      result.values = base.values
    } else {
      result.mayAdapt = base.mayAdapt || (method == "load" && loadsMayAdapt)
    }
    let allowed =
      ["load", "store", "gather", "scatter"].contains(method)
      || method.hasPrefix("atomic_")
    if !involved.isEmpty, !allowed { refuseCall(call, involved) }
    return result
  }

  private mutating func visitJITCall(
    _ function: JITFunction, _ call: Expr, facts: [Fact], keywords: [(String?, Fact)],
    involved: Set<String>
  ) -> Fact {
    var result = Fact.runtime
    result.mayAdapt = hasAdaptingTypes
    var bound: [String: Fact] = [:]
    for (parameter, fact) in zip(function.parameters, facts) { bound[parameter.name] = fact }
    for (name, fact) in keywords {
      if let name { bound[name] = fact } else if !involved.isEmpty { refuseCall(call, involved) }
    }
    if call.hasStarredArgument, !involved.isEmpty { refuseCall(call, involved) }
    for parameter in function.parameters where bound[parameter.name] == nil {
      bound[parameter.name] = parameter.syntax.defaultValue.map { visit($0) } ?? .runtime
    }
    if involved.isEmpty, !hasAdaptingTypes { return result }
    let key =
      function.name + "|"
      + bound.keys.sorted().map { name in
        let fact = bound[name] ?? .runtime
        return
          "\(name):\(fact.isConstant):\(fact.allNames.sorted()):\(fact.mayAdapt):\(fact.values)"
      }.joined(separator: ",")
    guard visited.insert(key).inserted else { return result }
    guard callDepth < 24 else {
      if !involved.isEmpty { refuseCall(call, involved) }
      return result
    }
    callDepth += 1
    analyse(function, parameters: bound)
    callDepth -= 1
    return result
  }

  /// `min` and `max` of integers.
  private func minMax(_ facts: [Fact]) -> Fact? {
    guard let first = facts.first else { return nil }
    var result = first
    result.elements = []
    for fact in facts.dropFirst() {
      result.names.formUnion(fact.names)
      result.isConstant = result.isConstant && fact.isConstant
      result.isFloat = result.isFloat || fact.isFloat
      result.values = zip(result.values, fact.values).map { left, right in
        guard let left, let right else { return nil }
        return left.union(right)
      }
    }
    return result
  }

  // MARK: Element types

  private func dtypeArgument(
    of member: String, _ arguments: [Expr], _ keywords: [Keyword]
  ) -> Expr? {
    if let keyword = keywords.first(where: { $0.name == "dtype" || $0.name == "out_dtype" }) {
      return keyword.value
    }
    switch member {
    case "cast", "zeros": return arguments.count > 1 ? arguments[1] : nil
    case "full": return arguments.count > 2 ? arguments[2] : nil
    default: return nil
    }
  }

  private func resultMayAdapt(of member: String, facts: [Fact], dtype: Expr?) -> Bool {
    guard hasAdaptingTypes else { return false }
    if let dtype { return mayAdapt(dtype: dtype) }
    if member == "load" || member.hasPrefix("atomic_") { return loadsMayAdapt }
    if [
      "arange", "program_id", "num_programs", "dot", "dot_scaled", "cdiv", "histogram", "argmax",
      "argmin", "rand", "randn", "range",
    ].contains(member) {
      return false
    }
    if Self.typeKeeping.contains(member) || member.hasPrefix("math.") {
      return facts.contains(where: \.mayAdapt)
    }
    return true
  }

  /// Element types whose tiles a Python integer adapts to without widening them.
  static let adaptingTypes: Set<String> = [
    "int8", "int16", "uint8", "uint16", "uint32", "uint64", "bfloat16", "float8e5", "float8e4nv",
    "float8e4b15", "float8e4b8", "float8e5b16",
  ]

  private func mayAdapt(dtype: Expr) -> Bool {
    guard let member = names.member(of: dtype) else { return hasAdaptingTypes }
    return Self.adaptingTypes.contains(member)
  }
}

extension Expr {
  var hasStarredArgument: Bool {
    guard case .call(_, let arguments, let keywords) = kind else { return false }
    return keywords.contains { $0.name == nil }
      || arguments.contains { if case .starred = $0.kind { true } else { false } }
  }
}
