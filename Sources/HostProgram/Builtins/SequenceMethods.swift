enum SequenceMethods {
  static let tuple: [String: NativeMethod] = [
    "index": { ev, receiver, arguments in try find(ev, try ev.items(receiver), arguments) },
    "count": { ev, receiver, arguments in try count(ev, try ev.items(receiver), arguments) },
    "numel": { ev, receiver, _ in
      .integer(
        try ev.items(receiver).reduce(SymInt(1)) { $0 * (try ev.integer($1, "a size")) })
    },
    "_asdict": { _, receiver, _ in
      guard case .tuple(let tuple) = receiver else { return .none }
      return .dict(DictObject(strings: Array(zip(tuple.fields, tuple.items))))
    },
  ]

  static let list: [String: NativeMethod] = [
    "append": { ev, receiver, arguments in
      let list = try object(ev, receiver)
      list.items.append(try BuiltinFunctions.first(ev, arguments, "append"))
      try ev.checkSize(list.items.count)
      return .none
    },
    "extend": { ev, receiver, arguments in
      let list = try object(ev, receiver)
      list.items.append(contentsOf: try ev.items(BuiltinFunctions.first(ev, arguments, "extend")))
      try ev.checkSize(list.items.count)
      return .none
    },
    "insert": { ev, receiver, arguments in
      let list = try object(ev, receiver)
      guard arguments.positional.count == 2 else {
        throw ev.raise("TypeError", "insert expected 2 arguments")
      }
      let raw = try ev.integer(arguments.positional[0], "insert() index").value
      let index = raw < 0 ? max(0, raw &+ list.items.count) : min(raw, list.items.count)
      list.items.insert(arguments.positional[1], at: index)
      return .none
    },
    "pop": { ev, receiver, arguments in
      let list = try object(ev, receiver)
      if list.items.isEmpty { throw ev.raise("IndexError", "pop from empty list") }
      let index = try ev.index(
        arguments.positional.first ?? .int(-1), count: list.items.count, "pop")
      return list.items.remove(at: index)
    },
    "remove": { ev, receiver, arguments in
      let list = try object(ev, receiver)
      guard case .integer(let index) = try find(ev, list.items, arguments) else { return .none }
      list.items.remove(at: index.value)
      return .none
    },
    "clear": { ev, receiver, _ in
      try object(ev, receiver).items = []
      return .none
    },
    "copy": { ev, receiver, _ in .makeList(try object(ev, receiver).items) },
    "reverse": { ev, receiver, _ in
      try object(ev, receiver).items.reverse()
      return .none
    },
    "sort": { ev, receiver, arguments in
      let list = try object(ev, receiver)
      list.items = try ev.sorted(
        list.items, arguments.keyword("key"),
        try arguments.keyword("reverse").map { try ev.truth($0) } ?? false)
      return .none
    },
    "index": { ev, receiver, arguments in try find(ev, try ev.items(receiver), arguments) },
    "count": { ev, receiver, arguments in try count(ev, try ev.items(receiver), arguments) },
  ]

  private static func object(_ ev: Evaluator, _ value: Value) throws -> ListObject {
    guard case .list(let list) = value else { throw ev.raise("TypeError", "a list is needed") }
    return list
  }

  private static func find(_ ev: Evaluator, _ items: [Value], _ arguments: Arguments) throws
    -> Value
  {
    let wanted = try BuiltinFunctions.first(ev, arguments, "index")
    for (index, item) in items.enumerated() {
      if try ev.truth(ev.equality(item, wanted, 0)) { return .int(index) }
    }
    throw ev.raise("ValueError", "\(try ev.represent(wanted)) is not in list")
  }

  private static func count(_ ev: Evaluator, _ items: [Value], _ arguments: Arguments) throws
    -> Value
  {
    let wanted = try BuiltinFunctions.first(ev, arguments, "count")
    var total = 0
    for item in items where try ev.truth(ev.equality(item, wanted, 0)) { total += 1 }
    return .int(total)
  }
}

enum DictMethods {
  static let table: [String: NativeMethod] = [
    "keys": { ev, receiver, _ in .makeList(try object(ev, receiver).items.map(\.key)) },
    "values": { ev, receiver, _ in .makeList(try object(ev, receiver).items.map(\.value)) },
    "items": { ev, receiver, _ in
      .makeList(try object(ev, receiver).items.map { .makeTuple([$0.key, $0.value]) })
    },
    "get": { ev, receiver, arguments in
      let key = try BuiltinFunctions.first(ev, arguments, "get")
      return try object(ev, receiver)[try ev.hashKey(key)]?.value
        ?? arguments.positional.dropFirst().first ?? arguments.keyword("default") ?? Value.none
    },
    "setdefault": { ev, receiver, arguments in
      let dict = try object(ev, receiver)
      let key = try BuiltinFunctions.first(ev, arguments, "setdefault")
      let hash = try ev.hashKey(key)
      if let entry = dict[hash] { return entry.value }
      let value = arguments.positional.dropFirst().first ?? Value.none
      dict[hash] = (key, value)
      return value
    },
    "pop": { ev, receiver, arguments in
      let dict = try object(ev, receiver)
      let key = try BuiltinFunctions.first(ev, arguments, "pop")
      let hash = try ev.hashKey(key)
      if let entry = dict[hash] {
        dict[hash] = nil
        return entry.value
      }
      if arguments.positional.count > 1 { return arguments.positional[1] }
      throw ev.raise("KeyError", try ev.represent(key))
    },
    "popitem": { ev, receiver, _ in
      let dict = try object(ev, receiver)
      guard let last = dict.items.last else {
        throw ev.raise("KeyError", "popitem(): dictionary is empty")
      }
      dict[try ev.hashKey(last.key)] = nil
      return .makeTuple([last.key, last.value])
    },
    "update": { ev, receiver, arguments in
      let dict = try object(ev, receiver)
      if let table = BuiltinFunctions.table["dict"],
        case .dict(let other) = try table(ev, arguments)
      {
        for entry in other.items { dict[try ev.hashKey(entry.key)] = entry }
      }
      return .none
    },
    "copy": { ev, receiver, _ in .dict(try object(ev, receiver).copy()) },
    "clear": { ev, receiver, _ in
      try object(ev, receiver).removeAll()
      return .none
    },
    "move_to_end": { _, _, _ in .none },
  ]

  private static func object(_ ev: Evaluator, _ value: Value) throws -> DictObject {
    guard case .dict(let dict) = value else { throw ev.raise("TypeError", "a dict is needed") }
    return dict
  }
}

enum SetMethods {
  static let table: [String: NativeMethod] = [
    "add": { ev, receiver, arguments in
      let value = try BuiltinFunctions.first(ev, arguments, "add")
      try object(ev, receiver).insert(try ev.hashKey(value), value)
      return .none
    },
    "discard": { ev, receiver, arguments in
      let value = try BuiltinFunctions.first(ev, arguments, "discard")
      try object(ev, receiver).remove(try ev.hashKey(value))
      return .none
    },
    "remove": { ev, receiver, arguments in
      let value = try BuiltinFunctions.first(ev, arguments, "remove")
      try object(ev, receiver).remove(try ev.hashKey(value))
      return .none
    },
    "update": { ev, receiver, arguments in
      let set = try object(ev, receiver)
      for source in arguments.positional {
        for value in try ev.items(source) { set.insert(try ev.hashKey(value), value) }
      }
      return .none
    },
    "union": { ev, receiver, arguments in
      var values = try ev.items(receiver)
      for source in arguments.positional { values += try ev.items(source) }
      return .set(try ev.makeSet(values))
    },
    "intersection": { ev, receiver, arguments in
      let other = try ev.makeSet(ev.items(BuiltinFunctions.first(ev, arguments, "intersection")))
      return try ev.binary(.bitAnd, receiver, .set(other))
    },
    "difference": { ev, receiver, arguments in
      let other = try ev.makeSet(ev.items(BuiltinFunctions.first(ev, arguments, "difference")))
      return try ev.binary(.sub, receiver, .set(other))
    },
    "copy": { ev, receiver, _ in .set(try ev.makeSet(ev.items(receiver))) },
  ]

  private static func object(_ ev: Evaluator, _ value: Value) throws -> SetObject {
    guard case .set(let set) = value else { throw ev.raise("TypeError", "a set is needed") }
    return set
  }
}
