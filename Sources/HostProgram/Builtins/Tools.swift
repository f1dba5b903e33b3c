/// `functools` and `operator`.
enum FunctionTools {
  /// `functools.partial(f, …)`.
  static let partial: NativeBody = { ev, arguments in
    let function = try BuiltinFunctions.first(ev, arguments, "partial")
    let bound = arguments.droppingFirst()
    return .native(
      NativeFunction("partial") { ev, call in
        var merged = call
        merged.positional = bound.positional + call.positional
        merged.positionalRanges = []
        merged.keywords =
          bound.keywords.filter { entry in call.keyword(entry.name) == nil } + call.keywords
        merged.keywordRanges = []
        return try ev.call(function, merged)
      })
  }

  /// A decorator that changes nothing that the evaluation can see.
  static let transparent: NativeBody = { ev, arguments in
    // Both `@decorator` and `@decorator(option=…)`.
    if arguments.positional.count == 1, arguments.keywords.isEmpty {
      switch arguments.positional[0] {
      case .function, .native, .bound, .classObject, .descriptor, .kernel, .instance:
        return arguments.positional[0]
      default: break
      }
    }
    return .native(
      NativeFunction("decorator") { ev, inner in try BuiltinFunctions.first(ev, inner, "decorator")
      })
  }

  static let table: [String: NativeBody] = [
    "lru_cache": transparent,
    "cache": transparent,
    "wraps": { _, _ in
      .native(
        NativeFunction("wraps") { ev, inner in try BuiltinFunctions.first(ev, inner, "wraps") })
    },
    "cached_property": { ev, arguments in
      .descriptor(
        DescriptorObject(
          .cachedProperty, try BuiltinFunctions.first(ev, arguments, "cached_property")))
    },
    "reduce": { ev, arguments in
      guard arguments.positional.count >= 2 else {
        throw ev.raise("TypeError", "reduce expected at least 2 arguments")
      }
      let iterator = try ev.iterate(arguments.positional[1])
      let start =
        arguments.positional.count > 2 ? arguments.positional[2] : try iterator.next()
      guard var total = start else {
        throw ev.raise("TypeError", "reduce() of empty iterable with no initial value")
      }
      while let value = try iterator.next() {
        total = try ev.call(arguments.positional[0], [total, value])
      }
      return total
    },
  ]

  static let operators: [String: NativeBody] = [
    "mul": { ev, arguments in try both(ev, arguments) { try ev.binary(.mul, $0, $1) } },
    "add": { ev, arguments in try both(ev, arguments) { try ev.binary(.add, $0, $1) } },
    "sub": { ev, arguments in try both(ev, arguments) { try ev.binary(.sub, $0, $1) } },
    "floordiv": { ev, arguments in try both(ev, arguments) { try ev.binary(.floorDiv, $0, $1) } },
    "itemgetter": { ev, arguments in
      let key = try BuiltinFunctions.first(ev, arguments, "itemgetter")
      return .native(
        NativeFunction("itemgetter") { ev, inner in
          try ev.item(BuiltinFunctions.first(ev, inner, "itemgetter"), key)
        })
    },
    "attrgetter": { ev, arguments in
      guard case .string(let name) = try BuiltinFunctions.first(ev, arguments, "attrgetter") else {
        throw ev.raise("TypeError", "attribute name must be a string")
      }
      return .native(
        NativeFunction("attrgetter") { ev, inner in
          try ev.attribute(BuiltinFunctions.first(ev, inner, "attrgetter"), name)
        })
    },
  ]

  private static func both(
    _ ev: Evaluator, _ arguments: Arguments, _ body: (Value, Value) throws -> Value
  ) throws -> Value {
    guard arguments.positional.count == 2 else {
      throw ev.raise("TypeError", "expected 2 arguments")
    }
    return try body(arguments.positional[0], arguments.positional[1])
  }
}

/// `itertools`.
enum IterationTools {
  static let table: [String: NativeBody] = [
    "product": { ev, arguments in
      var pools = try arguments.positional.map { try ev.items($0) }
      if let times = arguments.keyword("repeat")?.asInt?.value {
        pools = Array((0..<max(0, min(times, 16))).map { _ in pools }.joined())
      }
      var rows: [[Value]] = [[]]
      for pool in pools {
        try ev.checkSize(rows.count.multipliedSaturating(by: pool.count))
        rows = rows.flatMap { row in pool.map { row + [$0] } }
      }
      return .iterator(IteratorObject(rows.map(Value.makeTuple)))
    },
    "chain": { ev, arguments in
      .iterator(IteratorObject(try arguments.positional.flatMap { try ev.items($0) }))
    },
    "repeat": { ev, arguments in
      let value = try BuiltinFunctions.first(ev, arguments, "repeat")
      var left = (arguments.positional.dropFirst().first ?? arguments.keyword("times"))?.asInt?
        .value
      return .iterator(
        IteratorObject {
          if let count = left {
            if count <= 0 { return nil }
            left = count - 1
          }
          try ev.step()
          return value
        })
    },
    "count": { ev, arguments in
      var next = arguments.positional.first?.asInt?.value ?? 0
      let step = arguments.positional.dropFirst().first?.asInt?.value ?? 1
      return .iterator(
        IteratorObject {
          try ev.step()
          defer { next &+= step }
          return .int(next)
        })
    },
    "islice": { ev, arguments in
      let iterator = try ev.iterate(BuiltinFunctions.first(ev, arguments, "islice"))
      let bounds = arguments.positional.dropFirst().map { $0.asInt?.value }
      let start = bounds.count > 1 ? bounds[0] ?? 0 : 0
      let stop = bounds.count > 1 ? bounds[1] : bounds.first ?? nil
      var position = 0
      return .iterator(
        IteratorObject {
          while true {
            if let stop, position >= stop { return nil }
            guard let value = try iterator.next() else { return nil }
            position += 1
            if position > start { return value }
          }
        })
    },
    "accumulate": { ev, arguments in
      var total: Value?
      var results: [Value] = []
      for value in try ev.items(BuiltinFunctions.first(ev, arguments, "accumulate")) {
        if let previous = total {
          total =
            arguments.positional.count > 1
            ? try ev.call(arguments.positional[1], [previous, value])
            : try ev.binary(.add, previous, value)
        } else {
          total = value
        }
        results.append(total ?? Value.none)
      }
      return .iterator(IteratorObject(results))
    },
    "combinations": { ev, arguments in
      let pool = try ev.items(BuiltinFunctions.first(ev, arguments, "combinations"))
      let size = arguments.positional.dropFirst().first?.asInt?.value ?? 2
      var rows: [[Value]] = []
      func choose(_ start: Int, _ row: [Value]) throws {
        try ev.step()
        if row.count == size {
          rows.append(row)
          try ev.checkSize(rows.count)
          return
        }
        for index in start..<max(start, pool.count) { try choose(index + 1, row + [pool[index]]) }
      }
      if size >= 0, size <= 32 { try choose(0, []) }
      return .iterator(IteratorObject(rows.map(Value.makeTuple)))
    },
    "zip_longest": { ev, arguments in
      let pools = try arguments.positional.map { try ev.items($0) }
      let fill = arguments.keyword("fillvalue") ?? Value.none
      let length = pools.map(\.count).max() ?? 0
      return .iterator(
        IteratorObject(
          (0..<length).map { row in .makeTuple(pools.map { row < $0.count ? $0[row] : fill }) }))
    },
  ]
}

/// `collections` and `dataclasses`.
enum CollectionTypes {
  static let table: [String: NativeBody] = [
    "OrderedDict": { ev, arguments in
      guard let make = BuiltinFunctions.table["dict"] else { return .none }
      return try make(ev, arguments)
    },
    "defaultdict": { ev, arguments in
      let dict = DictObject()
      dict.defaultFactory = arguments.positional.first
      return .dict(dict)
    },
    "deque": { ev, arguments in
      .makeList(try arguments.positional.first.map { try ev.items($0) } ?? [])
    },
    "namedtuple": { ev, arguments in
      guard arguments.positional.count >= 2, case .string(let name) = arguments.positional[0] else {
        throw ev.raise("TypeError", "namedtuple() needs a name and fields")
      }
      var fields: [String] = []
      if case .string(let text) = arguments.positional[1] {
        fields = text.split { $0 == " " || $0 == "," }.map(String.init)
      } else {
        for field in try ev.items(arguments.positional[1]) { fields.append(try ev.toString(field)) }
      }
      return .native(
        NativeFunction(name) { ev, call in
          let bound = try Bound(ev, name, fields, call)
          return .tuple(TupleObject(try fields.map { try bound.require($0) }, fields: fields))
        })
    },
    "Counter": { ev, arguments in
      let dict = DictObject()
      dict.defaultFactory = .native(NativeFunction("zero") { _, _ in .int(0) })
      for value in try arguments.positional.first.map({ try ev.items($0) }) ?? [] {
        let key = try ev.hashKey(value)
        dict[key] = (value, .int((dict[key]?.value.asInt?.value ?? 0) + 1))
      }
      return .dict(dict)
    },
  ]

  static let dataclasses: [String: NativeBody] = [
    "dataclass": { ev, arguments in
      if case .classObject(let type)? = arguments.positional.first {
        return .classObject(makeDataclass(type))
      }
      return .native(
        NativeFunction("dataclass") { ev, inner in
          guard case .classObject(let type)? = inner.positional.first else {
            throw ev.raise("TypeError", "dataclass() needs a class")
          }
          return .classObject(makeDataclass(type))
        })
    },
    "field": { ev, arguments in
      if let value = arguments.keyword("default") { return value }
      let factory = InstanceObject(ev.nativeClass("dataclass field"))
      factory["factory"] = arguments.keyword("default_factory")
      return .instance(factory)
    },
    "replace": { ev, arguments in
      guard case .instance(let object)? = arguments.positional.first else {
        throw ev.raise("TypeError", "replace() needs a dataclass instance")
      }
      let copy = InstanceObject(object.type)
      for name in object.order { copy[name] = object[name] }
      for (name, value) in arguments.keywords { copy[name] = value }
      return .instance(copy)
    },
    "asdict": { ev, arguments in
      guard case .instance(let object)? = arguments.positional.first else {
        throw ev.raise("TypeError", "asdict() needs a dataclass instance")
      }
      return .dict(DictObject(strings: object.order.map { ($0, object[$0] ?? Value.none) }))
    },
  ]

  /// Gives a class the constructor that its annotated fields describe.
  static func makeDataclass(_ type: ClassObject) -> ClassObject {
    type.isDataclass = true
    if type.namespace["__init__"] != nil { return type }
    var fields: [String] = []
    for base in type.resolutionOrder.reversed() {
      for field in base.annotatedFields where !fields.contains(field) { fields.append(field) }
    }
    let name = type.name
    type.namespace["__init__"] = .native(
      NativeFunction("__init__") { ev, call in
        guard case .instance(let object)? = call.positional.first else { return .none }
        let bound = try Bound(ev, name, fields, call.droppingFirst())
        for field in fields {
          if let value = bound[field] {
            object[field] = value
          } else if case .instance(let factory)? = object.type.lookup(field),
            factory.type.name == "dataclass field"
          {
            guard let make = factory["factory"] else {
              _ = try bound.require(field)
              continue
            }
            object[field] = try ev.call(make, [])
          } else if let value = object.type.lookup(field) {
            object[field] = value
          } else {
            _ = try bound.require(field)
          }
        }
        if let after = object.type.lookup("__post_init__") {
          _ = try ev.call(after, [.instance(object)])
        }
        return .none
      })
    return type
  }
}

/// `os`, `warnings`, `time` and the like: the host is not looked at.
enum SystemModules {
  static func os(_ module: String, _ name: String) -> NativeBody? {
    switch name {
    case "getenv", "get":
      return { _, arguments in
        arguments.positional.dropFirst().first ?? arguments.keyword("default") ?? Value.none
      }
    case "cpu_count": return { _, _ in .int(16) }
    default: return nil
    }
  }

  static func osValue(_ name: String) -> Value? {
    switch name {
    case "environ": .dict(DictObject())
    case "path": .module(ModuleObject("os.path"))
    case "name": .string("posix")
    default: nil
    }
  }

  static func quiet(_ ev: Evaluator, _ name: String) -> Value? {
    switch name {
    case "time", "perf_counter", "monotonic", "random", "uniform":
      .native(NativeFunction(name) { _, _ in .double(0.5, origin: .unknown) })
    case "randint", "randrange":
      .native(
        NativeFunction(name) { _, arguments in
          .integer(SymInt(arguments.positional.first?.asInt?.value ?? 0, origin: .unknown))
        })
    // A logger has the functions of its module; their levels are numbers.
    case "getLogger", "getChild":
      .native(NativeFunction(name) { ev, _ in try ev.importModule("logging") })
    case "NOTSET": .int(0)
    case "DEBUG": .int(10)
    case "INFO": .int(20)
    case "WARNING", "WARN": .int(30)
    case "ERROR": .int(40)
    case "CRITICAL", "FATAL": .int(50)
    case "isEnabledFor": .native(NativeFunction(name) { _, _ in .bool(false) })
    default: .native(NativeFunction(name) { _, _ in .none })
    }
  }
}
