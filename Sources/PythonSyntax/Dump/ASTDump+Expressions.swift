import Diagnostics

extension ASTDump {
  /// How an expression is used; CPython keeps it in the node.
  enum Context: String {
    case load = "Load"
    case store = "Store"
    case del = "Del"
  }

  mutating func write(_ field: String, _ expr: Expr?, _ context: Context = .load) {
    guard let expr else { return }
    let range = expr.range
    switch expr.kind {
    case .boolOp(let op, let values):
      open(field, "BoolOp", range)
      value("op", op == .and ? "And" : "Or")
      for value in values { write("values", value) }
    case .named(let target, let result):
      open(field, "NamedExpr", range)
      write("target", target, .store)
      write("value", result)
    case .binary(let left, let op, let right):
      open(field, "BinOp", range)
      write("left", left)
      value("op", op.className)
      write("right", right)
    case .unary(let op, let operand):
      open(field, "UnaryOp", range)
      value("op", op.className)
      write("operand", operand)
    case .lambda(let parameters, let body):
      open(field, "Lambda", range)
      write(parameters)
      write("body", body)
    case .conditional(let test, let body, let orElse):
      open(field, "IfExp", range)
      write("test", test)
      write("body", body)
      write("orelse", orElse)
    case .dict(let keys, let values):
      open(field, "Dict", range)
      for key in keys {
        if let key { write("keys", key) } else { line("keys=None") }
      }
      for value in values { write("values", value) }
    case .set(let elements):
      open(field, "Set", range)
      for element in elements { write("elts", element) }
    case .listComprehension(let element, let clauses):
      open(field, "ListComp", range)
      write("elt", element)
      write(clauses)
    case .setComprehension(let element, let clauses):
      open(field, "SetComp", range)
      write("elt", element)
      write(clauses)
    case .generator(let element, let clauses):
      open(field, "GeneratorExp", range)
      write("elt", element)
      write(clauses)
    case .dictComprehension(let key, let value, let clauses):
      open(field, "DictComp", range)
      write("key", key)
      write("value", value)
      write(clauses)
    case .await(let value):
      open(field, "Await", range)
      write("value", value)
    case .yield(let value):
      open(field, "Yield", range)
      write("value", value)
    case .yieldFrom(let value):
      open(field, "YieldFrom", range)
      write("value", value)
    case .compare(let left, let operators, let comparators):
      open(field, "Compare", range)
      write("left", left)
      for op in operators { value("ops", op.className) }
      for comparator in comparators { write("comparators", comparator) }
    case .call(let function, let arguments, let keywords):
      open(field, "Call", range)
      write("func", function)
      for argument in arguments { write("args", argument) }
      write(keywords)
    case .joinedString(let parts):
      open(field, "JoinedStr", range)
      fStringDepth += 1
      for part in parts { write("values", part) }
      fStringDepth -= 1
    case .formattedValue(let result, let conversion, let spec):
      open(field, "FormattedValue", range)
      write("value", result)
      value("conversion", String(conversion.rawValue))
      write("format_spec", spec)
    case .constant(let constant):
      open(field, "Constant", range)
      write(constant)
    case .attribute(let base, let name, _):
      open(field, "Attribute", range)
      write("value", base)
      text("attr", name)
      value("ctx", context.rawValue)
    case .subscripted(let base, let index):
      open(field, "Subscript", range)
      write("value", base)
      write("slice", index)
      value("ctx", context.rawValue)
    case .starred(let inner):
      open(field, "Starred", range)
      write("value", inner, context)
      value("ctx", context.rawValue)
    case .name(let name):
      open(field, "Name", range)
      text("id", name)
      value("ctx", context.rawValue)
    case .list(let elements), .tuple(let elements):
      if case .list = expr.kind { open(field, "List", range) } else { open(field, "Tuple", range) }
      for element in elements { write("elts", element, context) }
      value("ctx", context.rawValue)
    case .slice(let lower, let upper, let step):
      open(field, "Slice", range)
      write("lower", lower)
      write("upper", upper)
      write("step", step)
    case .error:
      open(field, "Error", range)
    }
    close()
  }

  mutating func write(_ constant: Constant, _ field: String = "value") {
    switch constant {
    case .none: value(field, "None")
    case .bool(let flag): value(field, flag ? "True" : "False")
    case .ellipsis: value(field, "Ellipsis")
    case .int(let integer): value(field, "int 0x" + integer.hexDigits)
    case .float(let number): value(field, "float " + String(number.bitPattern, radix: 16))
    case .imaginary(let number): value(field, "complex " + String(number.bitPattern, radix: 16))
    case .string(let literal):
      if let points = literal.codePoints { text(field, points) } else { text(field, literal.value) }
      if literal.isUnicodePrefixed { text("kind", "u") }
    case .bytes(let bytes): text(field + " bytes", bytes.map(UInt32.init))
    }
  }

  mutating func write(_ clauses: [Comprehension]) {
    for clause in clauses {
      open("generators", "comprehension")
      write("target", clause.target, .store)
      write("iter", clause.iterable)
      for condition in clause.conditions { write("ifs", condition) }
      value("is_async", clause.isAsync ? "1" : "0")
      close()
    }
  }

  mutating func write(_ keywords: [Keyword]) {
    for keyword in keywords {
      open("keywords", "keyword", keyword.range)
      if let name = keyword.name { text("arg", name) }
      write("value", keyword.value)
      close()
    }
  }

  mutating func write(_ parameters: Parameters) {
    open("args", "arguments")
    let all = parameters.all
    for parameter in all where parameter.kind == .positionalOnly { write("posonlyargs", parameter) }
    for parameter in all where parameter.kind == .positional { write("args", parameter) }
    for parameter in all where parameter.kind == .variadic { write("vararg", parameter) }
    for parameter in all where parameter.kind == .keywordOnly { write("kwonlyargs", parameter) }
    for parameter in all where parameter.kind == .keywordOnly {
      if let value = parameter.defaultValue {
        write("kw_defaults", value)
      } else {
        line("kw_defaults=None")
      }
    }
    for parameter in all where parameter.kind == .keywordVariadic { write("kwarg", parameter) }
    for parameter in all where parameter.kind == .positionalOnly || parameter.kind == .positional {
      write("defaults", parameter.defaultValue)
    }
    close()
  }

  private mutating func write(_ field: String, _ parameter: Parameter) {
    open(field, "arg", parameter.range)
    text("arg", parameter.name)
    write("annotation", parameter.annotation)
    close()
  }
}

extension UnaryOperator {
  /// The class of CPython's `ast`.
  var className: String {
    switch self {
    case .invert: "Invert"
    case .not: "Not"
    case .plus: "UAdd"
    case .minus: "USub"
    }
  }
}

extension BinaryOperator {
  /// The class of CPython's `ast`.
  var className: String {
    switch self {
    case .add: "Add"
    case .sub: "Sub"
    case .mul: "Mult"
    case .matMul: "MatMult"
    case .div: "Div"
    case .mod: "Mod"
    case .pow: "Pow"
    case .leftShift: "LShift"
    case .rightShift: "RShift"
    case .bitOr: "BitOr"
    case .bitXor: "BitXor"
    case .bitAnd: "BitAnd"
    case .floorDiv: "FloorDiv"
    }
  }
}

extension CompareOperator {
  /// The class of CPython's `ast`.
  var className: String {
    switch self {
    case .equal: "Eq"
    case .notEqual: "NotEq"
    case .less: "Lt"
    case .lessEqual: "LtE"
    case .greater: "Gt"
    case .greaterEqual: "GtE"
    case .is: "Is"
    case .isNot: "IsNot"
    case .in: "In"
    case .notIn: "NotIn"
    }
  }
}
