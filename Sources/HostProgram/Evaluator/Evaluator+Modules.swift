import PythonSyntax

extension Evaluator {
  /// Modules whose attributes are modelled; a prefix `torch` stands for its submodules too.
  private static let modelled: Set<String> = [
    "torch", "triton", "math", "typing", "functools", "itertools", "collections", "dataclasses",
    "os", "sys", "enum", "contextlib", "warnings", "operator", "numbers", "abc", "copy",
    "__future__", "logging", "random", "time", "einops", "types", "typing_extensions", "string",
    "numpy", "inspect", "re", "packaging", "threading",
  ]

  private static func isModelled(_ name: String) -> Bool {
    modelled.contains(String(name.prefix { $0 != "." }))
  }

  func importModules(_ aliases: [ImportAlias], _ scope: Scope) throws {
    for alias in aliases {
      here = alias.range
      let root = String(alias.name.prefix { $0 != "." })
      let module = try importModule(alias.name)
      if let asName = alias.asName {
        store(module, asName, scope)
      } else {
        store(root == alias.name ? module : try importModule(root), root, scope)
      }
    }
  }

  func importNames(_ module: String?, _ names: [ImportAlias], _ level: Int, _ scope: Scope) throws {
    let isFile = level > 0 || !Self.isModelled(module ?? "")
    if isFile, try importNames(fromFile: module ?? "", names, level, scope) { return }
    guard let module, level == 0 else {
      for alias in names {
        store(
          .opaque(OpaqueObject("'\(alias.name)', imported from a package beside the module")),
          alias.asName ?? alias.name, scope)
      }
      return
    }
    let owner = try importModule(module)
    for alias in names {
      here = alias.range
      if alias.name == "*" {
        note("star-import", "'from \(module) import *' brings no names into the evaluation")
        continue
      }
      let name = alias.asName ?? alias.name
      if let value = try findAttribute(owner, alias.name) {
        store(value, name, scope)
      } else {
        store(.opaque(OpaqueObject("'\(module).\(alias.name)'")), name, scope)
      }
    }
  }

  func importModule(_ name: String) throws -> Value {
    if let module = modules[name] { return .module(module) }
    let root = String(name.prefix { $0 != "." })
    guard Self.isModelled(name) else {
      if let file = try importFile(name) { return .module(file) }
      if isGuardedImport { throw raise("ModuleNotFoundError", "No module named '\(root)'") }
      return .opaque(OpaqueObject("the module '\(name)'"))
    }
    let module = ModuleObject(name)
    modules[name] = module
    return .module(module)
  }

  /// `module.name`, from the tables of the modelled libraries; found values are kept.
  func moduleAttribute(_ module: ModuleObject, _ name: String) throws -> Value? {
    if let value = module.attributes[name] { return value }
    if module.scope != nil { return try fileAttribute(module, name) }
    guard let value = try makeModuleAttribute(module.name, name) else { return nil }
    module.attributes[name] = value
    return value
  }

  private func makeModuleAttribute(_ module: String, _ name: String) throws -> Value? {
    switch module.prefix(while: { $0 != "." }) {
    case "torch": return try torchAttribute(module, name)
    case "triton": return try tritonAttribute(module, name)
    case "numpy": return numpyAttribute(name)
    default: return try libraryAttribute(module, name)
    }
  }

  // MARK: Native classes

  private static let exceptionBases: [String: String] = [
    "BaseException": "object", "Exception": "BaseException", "ArithmeticError": "Exception",
    "ZeroDivisionError": "ArithmeticError", "OverflowError": "ArithmeticError",
    "AssertionError": "Exception", "AttributeError": "Exception", "ImportError": "Exception",
    "ModuleNotFoundError": "ImportError", "LookupError": "Exception", "IndexError": "LookupError",
    "KeyError": "LookupError", "NameError": "Exception", "UnboundLocalError": "NameError",
    "OSError": "Exception", "RuntimeError": "Exception", "NotImplementedError": "RuntimeError",
    "RecursionError": "RuntimeError", "StopIteration": "Exception", "SyntaxError": "Exception",
    "TypeError": "Exception", "ValueError": "Exception", "Warning": "Exception",
    "UserWarning": "Warning", "RuntimeWarning": "Warning", "DeprecationWarning": "Warning",
    "FutureWarning": "Warning", "MemoryError": "Exception", "FileNotFoundError": "OSError",
    "EnvironmentError": "OSError", "IOError": "OSError", "EOFError": "Exception",
    "KeyboardInterrupt": "BaseException", "SystemExit": "BaseException",
    "TimeoutError": "OSError", "PermissionError": "OSError", "UnicodeError": "ValueError",
  ]

  static func isException(_ name: String) -> Bool { exceptionBases[name] != nil }

  /// A class of the modelled libraries, made when first asked for.
  func nativeClass(_ name: String) -> ClassObject {
    if let type = nativeClasses[name] { return type }
    let type: ClassObject
    if let base = Self.exceptionBases[name] {
      type = ClassObject(name: name, bases: [nativeClass(base)], unit: nil)
      if name == "BaseException" {
        type.namespace["__init__"] = .native(
          NativeFunction("__init__") { _, arguments in
            if case .instance(let object)? = arguments.positional.first {
              object["args"] = .makeTuple(Array(arguments.positional.dropFirst()))
            }
            return .none
          })
      }
    } else if name == "object" {
      type = ClassObject(name: name, bases: [], unit: nil)
    } else {
      type =
        makeLayerClass(name) ?? ClassObject(name: name, bases: [nativeClass("object")], unit: nil)
    }
    nativeClasses[name] = type
    return type
  }

  /// The class behind a built-in that user classes may inherit from (`dict`, `Enum`, …).
  func classForFactory(_ name: String) -> ClassObject? {
    let known: Set<String> = [
      "object", "dict", "list", "tuple", "int", "str", "float", "NamedTuple", "Enum", "IntEnum",
      "Protocol", "Generic", "ABC", "TypedDict",
    ]
    return known.contains(name) ? nativeClass(name) : nil
  }

  // MARK: match

  func executeMatch(_ subject: Expr, _ cases: [MatchCase], _ scope: Scope) throws -> Flow {
    let value = try evaluate(subject, scope)
    for matchCase in cases {
      var captures: [(String, Value)] = []
      guard try matches(value, matchCase.pattern, scope, &captures, 0) else { continue }
      for (name, captured) in captures { store(captured, name, scope) }
      if let test = matchCase.guardTest, try !truth(evaluate(test, scope)) { continue }
      return try execute(matchCase.body, scope)
    }
    return .normal
  }

  private func matches(
    _ value: Value, _ pattern: Pattern, _ scope: Scope, _ captures: inout [(String, Value)],
    _ depth: Int
  ) throws -> Bool {
    guard depth < 100 else { throw refuse("patterns nest too deeply", id: "host-limit") }
    here = pattern.range
    switch pattern.kind {
    case .value(let expression):
      return try truth(compare(.equal, value, evaluate(expression, scope)))
    case .singleton(.none): return value.isNone
    case .singleton(.bool(let flag)):
      if case .boolean(let other) = value { return other.value == flag }
      return false
    case .singleton: return false
    case .asPattern(let inner, let name):
      if let inner, try !matches(value, inner, scope, &captures, depth + 1) { return false }
      if let name { captures.append((name, value)) }
      return true
    case .or(let alternatives):
      for alternative in alternatives
      where try matches(value, alternative, scope, &captures, depth + 1) {
        return true
      }
      return false
    case .sequence(let patterns):
      let values: [Value]
      switch value {
      case .tuple(let tuple): values = tuple.items
      case .list(let list): values = list.items
      default: return false
      }
      let star = patterns.firstIndex { if case .star = $0.kind { true } else { false } }
      if star == nil, values.count != patterns.count { return false }
      if values.count < patterns.count - 1 { return false }
      for (index, inner) in patterns.enumerated() {
        if case .star(let name) = inner.kind {
          let after = patterns.count - index - 1
          if let name {
            captures.append((name, .makeList(Array(values[index..<(values.count - after)]))))
          }
          continue
        }
        let position =
          index > (star ?? patterns.count) ? values.count - (patterns.count - index) : index
        if try !matches(values[position], inner, scope, &captures, depth + 1) { return false }
      }
      return true
    case .classPattern(let type, let patterns, let names, let keywordPatterns):
      guard try isInstance(value, evaluate(type, scope)) else { return false }
      if patterns.count == 1, names.isEmpty {
        return try matches(value, patterns[0], scope, &captures, depth + 1)
      }
      if !patterns.isEmpty { throw refuse("this pattern is not modelled") }
      for (name, inner) in zip(names, keywordPatterns) {
        guard let attribute = try findAttribute(value, name) else { return false }
        if try !matches(attribute, inner, scope, &captures, depth + 1) { return false }
      }
      return true
    case .mapping(let keys, let patterns, let rest):
      guard case .dict(let dict) = value, rest == nil else { return false }
      for (key, inner) in zip(keys, patterns) {
        guard let entry = dict[try hashKey(evaluate(key, scope))] else { return false }
        if try !matches(entry.value, inner, scope, &captures, depth + 1) { return false }
      }
      return true
    case .star, .error: throw refuse("this pattern is not modelled")
    }
  }
}
