import Foundation

/// A function of the modelled libraries, for tables.
typealias NativeBody = @Sendable (Evaluator, Arguments) throws -> Value
/// A method of a built-in type: the receiver comes first.
typealias NativeMethod = @Sendable (Evaluator, Value, Arguments) throws -> Value

extension Evaluator {
  func builtin(named name: String) -> Value? {
    if let value = builtinCache[name] { return value }
    let value: Value
    if let body = BuiltinFunctions.table[name] {
      value = .native(NativeFunction(name, body))
    } else if Self.isException(name) || name == "object" {
      value = .classObject(nativeClass(name))
    } else {
      switch name {
      case "Ellipsis": value = .ellipsis
      case "NotImplemented": value = .notImplemented
      case "__name__": value = .string("hone_module")
      case "__file__": value = .string("module.py")
      case "__debug__": value = .bool(true)
      default: return nil
      }
    }
    builtinCache[name] = value
    return value
  }
}

enum BuiltinFunctions {
  static let table: [String: NativeBody] = [
    "print": { _, _ in .none },
    "super": { ev, arguments in
      guard arguments.positional.count == 2, case .classObject(let type) = arguments.positional[0]
      else { throw ev.raise("RuntimeError", "super(): no arguments") }
      return try ev.makeSuper(type, arguments.positional[1])
    },
    "len": { ev, arguments in .integer(try ev.length(try first(ev, arguments, "len"))) },
    "int": { ev, arguments in
      if case .string(let text)? = arguments.positional.first, arguments.positional.count == 2,
        let base = arguments.positional[1].asInt?.value, (2...36).contains(base)
      {
        let digits = text.lowercased().hasPrefix("0x") ? String(text.dropFirst(2)) : text
        guard let number = Int(digits, radix: base) else {
          throw ev.raise("ValueError", "invalid literal for int(): '\(text)'")
        }
        return .int(number)
      }
      return try arguments.positional.first.map { try ev.toInt($0) } ?? .int(0)
    },
    "float": { ev, arguments in
      try arguments.positional.first.map { try ev.toFloat($0) } ?? .double(0)
    },
    "bool": { ev, arguments in
      guard let value = arguments.positional.first else { return .bool(false) }
      if case .boolean = value { return value }
      if case .integer(let number) = value {
        return ev.compareIntegers(.notEqual, number, SymInt(0))
      }
      return .boolean(SymBool(value: try ev.truth(value), origin: value.origin))
    },
    "str": { ev, arguments in
      .string(try arguments.positional.first.map { try ev.toString($0) } ?? "")
    },
    "repr": { ev, arguments in .string(try ev.represent(try first(ev, arguments, "repr"))) },
    "format": { ev, arguments in
      var spec = ""
      if arguments.positional.count > 1, case .string(let text) = arguments.positional[1] {
        spec = text
      }
      return .string(try ev.format(try first(ev, arguments, "format"), spec))
    },
    "list": { ev, arguments in
      .makeList(try arguments.positional.first.map { try ev.items($0) } ?? [])
    },
    "tuple": { ev, arguments in
      if case .tuple(let tuple)? = arguments.positional.first {
        let copy = TupleObject(tuple.items)
        copy.rankSource = tuple.rankSource
        return .tuple(copy)
      }
      return .makeTuple(try arguments.positional.first.map { try ev.items($0) } ?? [])
    },
    "set": { ev, arguments in
      .set(try ev.makeSet(arguments.positional.first.map { try ev.items($0) } ?? []))
    },
    "frozenset": { ev, arguments in
      .set(
        try ev.makeSet(
          arguments.positional.first.map { try ev.items($0) } ?? [], isFrozen: true))
    },
    "dict": { ev, arguments in
      let dict = DictObject()
      if let source = arguments.positional.first {
        if case .dict(let other) = source {
          for entry in other.items { dict[try ev.hashKey(entry.key)] = entry }
        } else {
          for pair in try ev.items(source) {
            let parts = try ev.items(pair)
            guard parts.count == 2 else {
              throw ev.raise("ValueError", "dictionary update sequence needs pairs")
            }
            dict[try ev.hashKey(parts[0])] = (parts[0], parts[1])
          }
        }
      }
      for (name, value) in arguments.keywords { dict[string: name] = value }
      return .dict(dict)
    },
    "bytes": { _, _ in .bytes([]) },
    "range": { ev, arguments in
      let values = try arguments.positional.map { try ev.integer($0, "range() argument") }
      switch values.count {
      case 1: return .range(RangeObject(0, values[0], 1))
      case 2: return .range(RangeObject(values[0], values[1], 1))
      case 3:
        if values[2].value == 0 { throw ev.raise("ValueError", "range() arg 3 must not be zero") }
        return .range(RangeObject(values[0], values[1], values[2]))
      default: throw ev.raise("TypeError", "range expected 1 to 3 arguments")
      }
    },
    "enumerate": { ev, arguments in
      let iterator = try ev.iterate(try first(ev, arguments, "enumerate"))
      var index =
        (arguments.keyword("start") ?? arguments.positional.dropFirst().first)?.asInt?.value ?? 0
      return .iterator(
        IteratorObject {
          guard let value = try iterator.next() else { return nil }
          defer { index &+= 1 }
          return .makeTuple([.int(index), value])
        })
    },
    "zip": { ev, arguments in
      let iterators = try arguments.positional.map { try ev.iterate($0) }
      return .iterator(
        IteratorObject {
          var row: [Value] = []
          for iterator in iterators {
            guard let value = try iterator.next() else { return nil }
            row.append(value)
          }
          return iterators.isEmpty ? nil : .makeTuple(row)
        })
    },
    "map": { ev, arguments in
      let function = try first(ev, arguments, "map")
      let iterators = try arguments.positional.dropFirst().map { try ev.iterate($0) }
      return .iterator(
        IteratorObject {
          var row: [Value] = []
          for iterator in iterators {
            guard let value = try iterator.next() else { return nil }
            row.append(value)
          }
          return try ev.call(function, row)
        })
    },
    "filter": { ev, arguments in
      guard arguments.positional.count == 2 else {
        throw ev.raise("TypeError", "filter expected 2 arguments")
      }
      let function = arguments.positional[0]
      let iterator = try ev.iterate(arguments.positional[1])
      return .iterator(
        IteratorObject {
          while let value = try iterator.next() {
            try ev.step()
            if try ev.truth(function.isNone ? value : ev.call(function, [value])) { return value }
          }
          return nil
        })
    },
    "iter": { ev, arguments in .iterator(try ev.iterate(try first(ev, arguments, "iter"))) },
    "next": { ev, arguments in
      let iterator = try ev.iterate(try first(ev, arguments, "next"))
      if let value = try iterator.next() { return value }
      if arguments.positional.count > 1 { return arguments.positional[1] }
      throw ev.raise("StopIteration", "")
    },
    "reversed": { ev, arguments in
      .iterator(IteratorObject(try ev.items(try first(ev, arguments, "reversed")).reversed()))
    },
    "sorted": { ev, arguments in
      .makeList(
        try ev.sorted(
          try ev.items(try first(ev, arguments, "sorted")), arguments.keyword("key"),
          try arguments.keyword("reverse").map { try ev.truth($0) } ?? false))
    },
    "sum": { ev, arguments in
      var total =
        arguments.keyword("start") ?? arguments.positional.dropFirst().first ?? .int(0)
      let iterator = try ev.iterate(try first(ev, arguments, "sum"))
      while let value = try iterator.next() { total = try ev.binary(.add, total, value) }
      return total
    },
    "min": { ev, arguments in try extreme(ev, arguments, "min", .less) },
    "max": { ev, arguments in try extreme(ev, arguments, "max", .greater) },
    "any": { ev, arguments in
      let iterator = try ev.iterate(try first(ev, arguments, "any"))
      while let value = try iterator.next() { if try ev.truth(value) { return .bool(true) } }
      return .bool(false)
    },
    "all": { ev, arguments in
      let iterator = try ev.iterate(try first(ev, arguments, "all"))
      while let value = try iterator.next() { if try !ev.truth(value) { return .bool(false) } }
      return .bool(true)
    },
    "abs": { ev, arguments in
      let value = try first(ev, arguments, "abs")
      switch value {
      case .float(let number): return .double(abs(number.value), origin: number.origin)
      case .tensor(let tensor): return .tensor(try ev.elementwise("abs", [tensor]))
      default:
        let number = try ev.integer(value, "abs() argument")
        return .integer(number.value < 0 ? number.negated : number)
      }
    },
    "round": { ev, arguments in
      let value = try first(ev, arguments, "round")
      if case .integer = value { return value }
      guard let number = value.asDouble else {
        throw ev.raise("TypeError", "type \(value.typeName) doesn't define __round__ method")
      }
      if let digits = arguments.positional.dropFirst().first?.asInt?.value {
        let scale = pow(10.0, Double(max(-300, min(300, digits))))
        return .double((number * scale).rounded(.toNearestOrEven) / scale, origin: value.origin)
      }
      guard let whole = Int(exactly: number.rounded(.toNearestOrEven)) else {
        throw ev.raise("OverflowError", "cannot convert float to integer")
      }
      return .integer(SymInt(whole, origin: value.origin))
    },
    "pow": { ev, arguments in
      guard arguments.positional.count == 2 else {
        throw ev.refuse("pow with a modulus is not modelled")
      }
      return try ev.binary(.pow, arguments.positional[0], arguments.positional[1])
    },
    "divmod": { ev, arguments in
      guard arguments.positional.count == 2 else {
        throw ev.raise("TypeError", "divmod expected 2 arguments")
      }
      return .makeTuple([
        try ev.binary(.floorDiv, arguments.positional[0], arguments.positional[1]),
        try ev.binary(.mod, arguments.positional[0], arguments.positional[1]),
      ])
    },
    "isinstance": { ev, arguments in
      guard arguments.positional.count == 2 else {
        throw ev.raise("TypeError", "isinstance expected 2 arguments")
      }
      return .bool(try ev.isInstance(arguments.positional[0], arguments.positional[1]))
    },
    "issubclass": { ev, arguments in
      guard arguments.positional.count == 2, case .classObject(let type) = arguments.positional[0],
        case .classObject(let base) = arguments.positional[1]
      else { return .bool(false) }
      return .bool(type.isSubclass(of: base))
    },
    "callable": { ev, arguments in
      switch try first(ev, arguments, "callable") {
      case .function, .native, .bound, .classObject, .kernel: return .bool(true)
      case .instance(let object): return .bool(object.type.lookup("__call__") != nil)
      default: return .bool(false)
      }
    },
    "hasattr": { ev, arguments in
      guard arguments.positional.count == 2, case .string(let name) = arguments.positional[1] else {
        throw ev.raise("TypeError", "hasattr expected 2 arguments")
      }
      if case .opaque = arguments.positional[0] { return .bool(false) }
      return .bool(try ev.findAttribute(arguments.positional[0], name) != nil)
    },
    "getattr": { ev, arguments in
      guard arguments.positional.count >= 2, case .string(let name) = arguments.positional[1] else {
        throw ev.raise("TypeError", "getattr expected at least 2 arguments")
      }
      if arguments.positional.count > 2 {
        return try ev.findAttribute(arguments.positional[0], name) ?? arguments.positional[2]
      }
      return try ev.attribute(arguments.positional[0], name)
    },
    "setattr": { ev, arguments in
      guard arguments.positional.count == 3, case .string(let name) = arguments.positional[1] else {
        throw ev.raise("TypeError", "setattr expected 3 arguments")
      }
      try ev.setAttribute(arguments.positional[0], name, arguments.positional[2])
      return .none
    },
    "id": { ev, arguments in
      switch try first(ev, arguments, "id") {
      case .tensor(let tensor): return .int(0x7000_0000 &+ tensor.storage &* 512)
      default: return .int(0x1000)
      }
    },
    "hash": { _, _ in .int(1) },
    "type": { ev, arguments in
      switch try first(ev, arguments, "type") {
      case .instance(let object): return .classObject(object.type)
      case .tensor: return .classObject(ev.nativeClass("Tensor"))
      case let value:
        return ev.builtin(named: value.typeName) ?? .classObject(ev.nativeClass(value.typeName))
      }
    },
    "property": { ev, arguments in
      let descriptor = DescriptorObject(.property, try first(ev, arguments, "property"))
      descriptor.setter = arguments.positional.dropFirst().first
      return .descriptor(descriptor)
    },
    "staticmethod": { ev, arguments in
      .descriptor(DescriptorObject(.staticMethod, try first(ev, arguments, "staticmethod")))
    },
    "classmethod": { ev, arguments in
      .descriptor(DescriptorObject(.classMethod, try first(ev, arguments, "classmethod")))
    },
    "slice": { ev, arguments in
      let values = arguments.positional
      switch values.count {
      case 1: return .slice(SliceObject(.none, values[0], .none))
      case 2: return .slice(SliceObject(values[0], values[1], .none))
      default: return .slice(SliceObject(values[0], values[1], values[2]))
      }
    },
    "vars": { ev, arguments in try ev.attribute(try first(ev, arguments, "vars"), "__dict__") },
    "globals": { ev, _ in
      .dict(
        DictObject(strings: (ev.unit?.globals.variables ?? [:]).sorted { $0.key < $1.key }))
    },
    "locals": { _, _ in .dict(DictObject()) },
    "ord": { ev, arguments in
      guard case .string(let text) = try first(ev, arguments, "ord"),
        let scalar = text.unicodeScalars.first
      else { throw ev.raise("TypeError", "ord() expected a character") }
      return .int(Int(scalar.value))
    },
    "chr": { ev, arguments in
      let code = try ev.integer(try first(ev, arguments, "chr"), "chr() argument").value
      guard let small = UInt32(exactly: code), let scalar = Unicode.Scalar(small) else {
        throw ev.raise("ValueError", "chr() arg not in range(0x110000)")
      }
      return .string(String(Character(scalar)))
    },
    "hex": { ev, arguments in
      .string(
        "0x" + String(try ev.integer(try first(ev, arguments, "hex"), "hex()").value, radix: 16))
    },
  ]

  static func first(_ ev: Evaluator, _ arguments: Arguments, _ name: String) throws -> Value {
    guard let value = arguments.positional.first else {
      throw ev.raise("TypeError", "\(name)() takes at least one argument")
    }
    return value
  }

  private static func extreme(
    _ ev: Evaluator, _ arguments: Arguments, _ name: String, _ op: Condition.Comparison
  ) throws -> Value {
    let values =
      arguments.positional.count == 1
      ? try ev.items(arguments.positional[0]) : arguments.positional
    guard var best = values.first else {
      if let fallback = arguments.keyword("default") { return fallback }
      throw ev.raise("ValueError", "\(name)() arg is an empty sequence")
    }
    let key = arguments.keyword("key")
    if key == nil, values.allSatisfy({ $0.asInt != nil }) {
      return .integer(
        try values.dropFirst().reduce(ev.integer(best, name)) { result, value in
          let next = try ev.integer(value, name)
          return op == .less ? SymInt.minimum(result, next) : SymInt.maximum(result, next)
        })
    }
    var bestKey = try key.map { try ev.call($0, [best]) } ?? best
    for value in values.dropFirst() {
      let valueKey = try key.map { try ev.call($0, [value]) } ?? value
      if try ev.truth(ev.compare(op == .less ? .less : .greater, valueKey, bestKey)) {
        best = value
        bestKey = valueKey
      }
    }
    return best
  }
}
