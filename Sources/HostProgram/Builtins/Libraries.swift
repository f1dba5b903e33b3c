import Foundation

extension Evaluator {
  /// Attributes of the standard library's modules.
  func libraryAttribute(_ module: String, _ name: String) throws -> Value? {
    func native(_ body: NativeBody?) -> Value? { body.map { .native(NativeFunction(name, $0)) } }
    switch module {
    case "math":
      switch name {
      case "pi": return .double(.pi)
      case "e": return .double(M_E)
      case "inf": return .double(.infinity)
      case "nan": return .double(.nan)
      case "tau": return .double(2 * .pi)
      default: return native(MathModule.table[name])
      }
    case "functools":
      if name == "partial" { return native(FunctionTools.partial) }
      return native(FunctionTools.table[name])
    case "itertools": return native(IterationTools.table[name])
    case "operator": return native(FunctionTools.operators[name])
    case "collections":
      return native(CollectionTypes.table[name])
        ?? (name == "abc" ? .module(ModuleObject("collections.abc")) : nil)
    case "dataclasses": return native(CollectionTypes.dataclasses[name])
    case "os", "os.environ", "os.path":
      return native(SystemModules.os(module, name)) ?? SystemModules.osValue(name)
    case "sys":
      switch name {
      case "version_info":
        return .tuple(
          TupleObject([.int(3), .int(12), .int(0)], fields: ["major", "minor", "micro"]))
      case "maxsize": return .int(Int.max)
      case "platform": return .string("linux")
      case "version": return .string("3.12.0")
      case "modules": return .dict(DictObject())
      case "path", "argv": return .makeList([])
      default: return nil
      }
    case "enum":
      if name == "auto" { return native { _, _ in .int(1) } }
      return .classObject(nativeClass(name))
    case "contextlib":
      if name == "nullcontext" || name == "suppress" { return native { _, _ in .none } }
      if name == "contextmanager" {
        return native { _, _ in
          .native(NativeFunction("context manager") { _, _ in .none })
        }
      }
      return nil
    case "copy":
      return native { ev, arguments in try ev.copied(BuiltinFunctions.first(ev, arguments, name)) }
    case "typing", "typing_extensions", "collections.abc", "numbers", "abc", "types", "__future__":
      return typingAttribute(name)
    case "warnings", "logging", "time", "random": return SystemModules.quiet(self, name)
    case "einops": return native(Einops.table[name])
    case "inspect", "packaging", "packaging.version", "threading":
      return PackageTools.attribute(self, module, name)
    case "string", "re": return nil
    default: return nil
    }
  }

  private func typingAttribute(_ name: String) -> Value? {
    switch name {
    case "TYPE_CHECKING": return .bool(false)
    case "NamedTuple", "Protocol", "Generic", "ABC", "TypedDict", "ABCMeta":
      return .classObject(nativeClass(name))
    case "cast":
      return .native(
        NativeFunction(name) { ev, arguments in
          guard arguments.positional.count == 2 else {
            throw ev.raise("TypeError", "cast expected 2 arguments")
          }
          return arguments.positional[1]
        })
    case "overload", "final", "runtime_checkable", "abstractmethod", "override":
      return .native(
        NativeFunction(name) { ev, arguments in try BuiltinFunctions.first(ev, arguments, name) })
    case "SimpleNamespace":
      return .native(
        NativeFunction(name) { ev, arguments in
          let object = InstanceObject(ev.nativeClass("SimpleNamespace"))
          for (name, value) in arguments.keywords { object[name] = value }
          return .instance(object)
        })
    case "Iterable", "Sequence", "Mapping", "Callable", "Number", "Integral", "Real", "Iterator",
      "Collection", "FunctionType", "ModuleType":
      return .classObject(nativeClass(name))
    case "List", "Tuple", "Dict", "Set", "Type":
      return builtin(named: name.lowercased())
    default: return .opaque(OpaqueObject("'typing.\(name)'"))
    }
  }

  /// `copy.copy`; objects are shared below the first level, tensors are copied.
  func copied(_ value: Value) throws -> Value {
    switch value {
    case .list(let list): return .makeList(try list.items.map { try copied($0) })
    case .dict(let dict):
      let copy = DictObject()
      for entry in dict.items {
        copy[try hashKey(entry.key)] = (entry.key, try copied(entry.value))
      }
      return .dict(copy)
    case .tensor(let tensor):
      let copy = clone(tensor)
      trace("clone", ["input": value], [copy])
      copy.isParameter = tensor.isParameter
      copy.requiresGrad = tensor.requiresGrad
      return .tensor(copy)
    case .instance(let object):
      callDepth += 1
      defer { callDepth -= 1 }
      if callDepth > limits.calls {
        throw raise("RecursionError", "maximum recursion depth exceeded")
      }
      let copy = InstanceObject(object.type)
      for name in object.order { copy[name] = try object[name].map { try copied($0) } }
      copy.buffers = object.buffers
      return .instance(copy)
    default: return value
    }
  }
}

enum MathModule {
  static let table: [String: NativeBody] = {
    var table: [String: NativeBody] = [:]
    let functions: [(String, @Sendable (Double) -> Double)] = [
      ("exp", { Foundation.exp($0) }), ("expm1", { Foundation.expm1($0) }),
      ("log1p", { Foundation.log1p($0) }), ("sin", { Foundation.sin($0) }),
      ("cos", { Foundation.cos($0) }), ("tan", { Foundation.tan($0) }),
      ("asin", { Foundation.asin($0) }), ("acos", { Foundation.acos($0) }),
      ("atan", { Foundation.atan($0) }), ("sinh", { Foundation.sinh($0) }),
      ("cosh", { Foundation.cosh($0) }), ("tanh", { Foundation.tanh($0) }),
      ("erf", { Foundation.erf($0) }), ("erfc", { Foundation.erfc($0) }),
      ("fabs", { abs($0) }), ("radians", { $0 * .pi / 180 }), ("degrees", { $0 * 180 / .pi }),
      ("gamma", { Foundation.tgamma($0) }), ("lgamma", { Foundation.lgamma($0) }),
    ]
    for (name, function) in functions {
      table[name] = { ev, arguments in
        let (x, origin) = try number(ev, arguments, 0)
        return .double(function(x), origin: origin)
      }
    }
    let roundings: [(String, FloatingPointRoundingRule)] = [
      ("ceil", .up), ("floor", .down), ("trunc", .towardZero),
    ]
    for (name, rule) in roundings {
      table[name] = { ev, arguments in
        let value = try BuiltinFunctions.first(ev, arguments, name)
        if value.asInt != nil { return try ev.toInt(value) }
        if case .float(let number) = value, let ratio = number.ratio,
          ratio.numerator.value >= 0 || name != "trunc", ratio.denominator.value > 0
        {
          let quotient =
            name == "ceil"
            ? ratio.numerator.ceilDivided(by: ratio.denominator)
            : ratio.numerator.floorDivided(by: ratio.denominator)
          if let quotient { return .integer(quotient) }
        }
        let (x, origin) = try number(ev, arguments, 0)
        guard let whole = Int(exactly: x.rounded(rule)) else {
          throw ev.raise("OverflowError", "cannot convert float to integer")
        }
        return .integer(SymInt(whole, origin: origin))
      }
    }
    return table.merging(special) { _, new in new }
  }()

  private static let special: [String: NativeBody] = [
    "sqrt": { ev, arguments in
      let (x, origin) = try number(ev, arguments, 0)
      if x < 0 { throw ev.raise("ValueError", "math domain error") }
      return .double(x.squareRoot(), origin: origin)
    },
    "log": { ev, arguments in
      let (x, origin) = try number(ev, arguments, 0)
      if x <= 0 { throw ev.raise("ValueError", "math domain error") }
      if arguments.positional.count > 1 {
        let (base, other) = try number(ev, arguments, 1)
        if base <= 0 || base == 1 { throw ev.raise("ValueError", "math domain error") }
        return .double(Foundation.log(x) / Foundation.log(base), origin: max(origin, other))
      }
      return .double(Foundation.log(x), origin: origin)
    },
    "log2": { ev, arguments in
      let (x, origin) = try number(ev, arguments, 0)
      if x <= 0 { throw ev.raise("ValueError", "math domain error") }
      return .double(Foundation.log2(x), origin: origin)
    },
    "log10": { ev, arguments in
      let (x, origin) = try number(ev, arguments, 0)
      if x <= 0 { throw ev.raise("ValueError", "math domain error") }
      return .double(Foundation.log10(x), origin: origin)
    },
    "pow": { ev, arguments in
      let (x, first) = try number(ev, arguments, 0)
      let (y, second) = try number(ev, arguments, 1)
      return .double(Foundation.pow(x, y), origin: max(first, second))
    },
    "atan2": { ev, arguments in
      let (x, first) = try number(ev, arguments, 0)
      let (y, second) = try number(ev, arguments, 1)
      return .double(Foundation.atan2(x, y), origin: max(first, second))
    },
    "isnan": { ev, arguments in .bool(try number(ev, arguments, 0).0.isNaN) },
    "isinf": { ev, arguments in .bool(try number(ev, arguments, 0).0.isInfinite) },
    "isfinite": { ev, arguments in .bool(try number(ev, arguments, 0).0.isFinite) },
    "isclose": { ev, arguments in
      let (x, _) = try number(ev, arguments, 0)
      let (y, _) = try number(ev, arguments, 1)
      return .bool(abs(x - y) <= 1e-9 * max(abs(x), abs(y)))
    },
    "prod": { ev, arguments in
      var total = arguments.keyword("start") ?? .int(1)
      for value in try ev.items(BuiltinFunctions.first(ev, arguments, "prod")) {
        total = try ev.binary(.mul, total, value)
      }
      return total
    },
    "fsum": { ev, arguments in
      var total = 0.0
      for value in try ev.items(BuiltinFunctions.first(ev, arguments, "fsum")) {
        total += value.asDouble ?? 0
      }
      return .double(total)
    },
    "gcd": { ev, arguments in
      var result = 0
      var origin = ValueOrigin.literal
      for value in arguments.positional {
        let next = try ev.integer(value, "gcd() argument")
        origin = max(origin, next.origin)
        var (a, b) = (result, next.value == Int.min ? 0 : abs(next.value))
        while b != 0 { (a, b) = (b, a % b) }
        result = a
      }
      return .integer(SymInt(result, origin: origin))
    },
    "isqrt": { ev, arguments in
      let value = try ev.integer(BuiltinFunctions.first(ev, arguments, "isqrt"), "isqrt() argument")
      if value.value < 0 { throw ev.raise("ValueError", "isqrt() argument must be nonnegative") }
      var root = Int(Double(value.value).squareRoot())
      while root > 0, root > value.value / root { root -= 1 }
      while root + 1 <= value.value / (root + 1) { root += 1 }
      return .integer(SymInt(root, origin: value.origin))
    },
    "comb": { ev, arguments in
      let n = try ev.integer(BuiltinFunctions.first(ev, arguments, "comb"), "comb() argument").value
      let k = arguments.positional.dropFirst().first?.asInt?.value ?? 0
      guard n >= 0, k >= 0, n <= 60 else { throw ev.refuse("this binomial is not modelled") }
      var result = 1
      for i in 0..<min(k, n - k < 0 ? 0 : n - k) { result = result * (n - i) / (i + 1) }
      return .int(k > n ? 0 : result)
    },
    "factorial": { ev, arguments in
      let n = try ev.integer(BuiltinFunctions.first(ev, arguments, "factorial"), "factorial()")
        .value
      guard (0...20).contains(n) else { throw ev.refuse("an integer past 64 bits") }
      return .int((1...max(1, n)).reduce(1, *))
    },
  ]

  private static func number(_ ev: Evaluator, _ arguments: Arguments, _ index: Int) throws
    -> (Double, ValueOrigin)
  {
    guard arguments.positional.indices.contains(index) else {
      throw ev.raise("TypeError", "a number is missing")
    }
    guard case .float(let value) = try ev.toFloat(arguments.positional[index]) else {
      throw ev.raise("TypeError", "must be real number")
    }
    return (value.value, value.origin)
  }
}
