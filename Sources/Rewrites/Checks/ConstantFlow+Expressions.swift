import Diagnostics
import PythonSyntax

extension ConstantFlow {
  private var unknownValues: [Interval?] { Array(repeating: nil, count: environmentCount) }

  private func constant(_ value: Int) -> Fact {
    Fact(isConstant: true, values: Array(repeating: Interval(value), count: environmentCount))
  }

  /// What is known of an expression; records the problems inside it.
  mutating func visit(_ expression: Expr) -> Fact {
    switch expression.kind {
    case .constant(let literal):
      switch literal {
      case .int(let integer):
        return integer.value.map(constant) ?? Fact(isConstant: true, values: unknownValues)
      case .bool(let flag): return constant(flag ? 1 : 0)
      case .float:
        return Fact(isConstant: true, isFloat: true, values: unknownValues)
      default: return Fact(isConstant: true, values: unknownValues)
      }
    case .name(let name):
      if let local = locals[name] { return local }
      return globals[name] ?? Fact(isConstant: true, values: unknownValues)
    case .binary(let left, let op, let right):
      return combine(visit(left), op, visit(right), at: expression.range)
    case .compare(let left, _, let comparators):
      return join([visit(left)] + comparators.map { visit($0) }, isBoolean: true)
    case .boolOp(_, let values):
      var result = join(values.map { visit($0) }, isBoolean: true)
      if !result.isConstant, !result.names.isEmpty {
        // One constant operand may decide the whole; treat it as a constant to be safe.
        result.isConstant = true
      }
      return result
    case .unary(let op, let operand): return negate(visit(operand), op, at: expression.range)
    case .conditional(let test, let body, let orElse):
      let condition = visit(test)
      let branches = [visit(body), visit(orElse)]
      var result = branches[0]
      result.names.formUnion(branches[1].names)
      result.mayAdapt = branches.contains(where: \.mayAdapt)
      result.isFloat = branches.contains(where: \.isFloat)
      result.values = zip(branches[0].values, branches[1].values).map { first, second in
        guard let first, let second else { return nil }
        return first.union(second)
      }
      result.elements = []
      result.isConstant = condition.isConstant && branches.contains(where: \.isConstant)
      if condition.isNew {
        result.names.formUnion(condition.names)
        // Triton turned both branches into tensors; now the chosen one stays what it is.
        result.isConstant = branches.contains(where: \.isConstant)
      }
      return result
    case .call(let callee, let arguments, let keywords):
      return visitCall(expression, callee: callee, arguments: arguments, keywords: keywords)
    case .attribute(let base, let name, let nameRange):
      if names.tritonPath(of: expression) != nil {
        return Fact(isConstant: true, values: unknownValues)
      }
      let fact = visit(base)
      if fact.isNew {
        problem(
          fact.names, "constant-has-no-attribute",
          "'\(source.text(in: base.range))' would be a compile-time constant, which has no '.\(name)'",
          SourceRange(base.range.lower, nameRange.upper))
      }
      var result = Fact.runtime
      result.mayAdapt = fact.mayAdapt
      return result
    case .subscripted(let base, let index):
      let fact = visit(base)
      let position = visit(index)
      if fact.isNew || position.anyNew {
        let involved = fact.names.union(position.allNames)
        problem(
          involved, "constant-subscript",
          "\(quoted(involved)) would be a compile-time constant, which cannot be indexed or index",
          expression.range)
      }
      if let constant = index.integerValue, fact.elements.indices.contains(constant) {
        return fact.elements[constant]
      }
      var result = Fact.runtime
      result.mayAdapt = fact.mayAdapt || fact.elements.contains(where: \.mayAdapt)
      return result
    case .tuple(let elements), .list(let elements):
      let facts = elements.map { visit($0) }
      return Fact(
        isConstant: facts.allSatisfy(\.isConstant), values: unknownValues, elements: facts,
        mayAdapt: facts.contains(where: \.mayAdapt))
    case .starred(let inner): return visit(inner)
    case .slice(let lower, let upper, let step):
      let facts = [lower, upper, step].compactMap { $0 }.map { visit($0) }
      var result = join(facts, isBoolean: false)
      result.isConstant = true
      return result
    case .named(let target, let value):
      let fact = visit(value)
      if let name = target.bareName { locals[name] = .runtime }
      return fact
    default:
      var mentioned: Set<String> = []
      expression.visitEach { inner in
        if let name = inner.bareName, let fact = locals[name], fact.anyNew {
          mentioned.formUnion(fact.allNames)
        }
      }
      if !mentioned.isEmpty {
        problem(
          mentioned, "expression-not-followed",
          "this expression uses \(quoted(mentioned)) in a way that is not followed",
          expression.range)
      }
      return Fact(isConstant: true, values: unknownValues)
    }
  }

  private func join(_ facts: [Fact], isBoolean: Bool) -> Fact {
    Fact(
      isConstant: facts.allSatisfy(\.isConstant),
      names: facts.filter(\.isConstant).reduce(into: []) { $0.formUnion($1.names) },
      values: isBoolean
        ? Array(repeating: Interval.boolean, count: environmentCount) : unknownValues,
      mayAdapt: false)
  }

  private mutating func negate(_ fact: Fact, _ op: UnaryOperator, at range: SourceRange) -> Fact {
    var result = fact
    result.elements = []
    switch op {
    case .plus: break
    case .not: result.values = Array(repeating: Interval.boolean, count: environmentCount)
    case .minus:
      result.values = fact.values.map { $0.flatMap { Interval.apply(.sub, Interval(0), $0) } }
    case .invert:
      result.values = fact.values.map { $0.flatMap { Interval.apply(.sub, Interval(-1), $0) } }
    }
    if fact.isNew, !fact.isFloat { requireInt32(result, at: range) }
    return result
  }

  /// Records a problem unless a new constant stays what its run-time value was: an int32.
  private mutating func requireInt32(_ fact: Fact, at range: SourceRange) {
    for value in fact.values {
      guard let value else {
        problem(
          fact.names, "constant-not-evaluated",
          "'\(source.text(in: range))' would be computed at compile time, and its value is not known",
          range)
        return
      }
      guard value.fitsInt32 else {
        problem(
          fact.names, "constant-leaves-int32",
          "'\(source.text(in: range))' wraps around as int32 but would not as a compile-time constant",
          range)
        return
      }
    }
  }

  /// The result of `left op right`.
  mutating func combine(
    _ left: Fact, _ op: BinaryOperator, _ right: Fact, at range: SourceRange
  ) -> Fact {
    let involved = (left.isNew ? left.names : []).union(right.isNew ? right.names : [])
    guard left.isConstant, right.isConstant else {
      var result = Fact.runtime
      result.mayAdapt = left.mayAdapt || right.mayAdapt
      if (left.isConstant || left.folds) && (right.isConstant || right.folds) {
        result.folds = left.folds || right.folds
        result.values = zip(left.values, right.values).map { first, second in
          guard let first, let second else { return nil }
          return Interval.apply(op, first, second)
        }
      }
      if op == .div, right.isNew || right.folds { noteDivision(by: right, at: range) }
      if !involved.isEmpty {
        let other = left.isConstant ? right : left
        if other.mayAdapt {
          problem(
            involved, "constant-adapts-type",
            "a compile-time constant takes the type of the other operand here, which may be narrower "
              + "than int32", range)
        }
        if left.isNew && left.isFloat || right.isNew && right.isFloat {
          problem(
            involved, "constant-float-adapts-type",
            "a compile-time float takes the type of the other operand here", range)
        }
        if op == .pow || op == .matMul {
          problem(involved, "operator-not-followed", "'\(op.rawValue)' is not followed", range)
        }
      }
      return result
    }
    var result = Fact(
      isConstant: true, names: involved, isFloat: left.isFloat || right.isFloat || op == .div,
      values: zip(left.values, right.values).map { first, second in
        guard let first, let second else { return nil }
        return Interval.apply(op, first, second)
      })
    if result.values.count != environmentCount { result.values = unknownValues }
    guard !involved.isEmpty else { return result }
    if result.isFloat {
      result.values = unknownValues
      if [.floorDiv, .mod, .pow, .matMul].contains(op) {
        problem(involved, "operator-not-followed", "'\(op.rawValue)' is not followed", range)
      }
      roundings.append(
        "line \(source.line(at: range.lower)): '\(source.text(in: range))' is computed in double "
          + "precision at compile time instead of fp32")
      return result
    }
    if op == .floorDiv || op == .mod {
      let safe = zip(left.values, right.values).allSatisfy { first, second in
        (first?.isNonNegative ?? false) && (second?.lower ?? 0) >= 1
      }
      guard safe else {
        problem(
          involved, "constant-division",
          "'\(source.text(in: range))' would follow Python's floor division, which differs from "
            + "Triton's for negative values", range)
        return result
      }
    }
    requireInt32(result, at: range)
    return result
  }

  /// The assembler multiplies by the rounded reciprocal of a constant, where it approximates that of
  /// a value known at run time (seen in the code of Triton 3.6 for sm_89). Powers of two are exact.
  private mutating func noteDivision(by divisor: Fact, at range: SourceRange) {
    let isExact =
      !divisor.values.isEmpty
      && divisor.values.allSatisfy { value in
        guard let value, value.lower == value.upper, value.lower > 0 else { return false }
        return value.lower & (value.lower - 1) == 0
      }
    guard !isExact else { return }
    roundings.append(
      "line \(source.line(at: range.lower)): '\(source.text(in: range))' multiplies by the rounded "
        + "reciprocal of a constant")
  }
}
