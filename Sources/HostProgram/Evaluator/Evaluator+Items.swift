import PythonSyntax

extension Evaluator {
  func hashKey(_ value: Value) throws -> KeyValue {
    if let key = KeyValue(value) { return key }
    throw raise("TypeError", "unhashable type: '\(value.typeName)'")
  }

  func makeSet(_ values: [Value], isFrozen: Bool = false) throws -> SetObject {
    let set = SetObject(isFrozen: isFrozen)
    for value in values { set.insert(try hashKey(value), value) }
    return set
  }

  // MARK: Iteration

  func iterate(_ value: Value) throws -> IteratorObject {
    switch value {
    case .iterator(let iterator): return iterator
    case .range(let range):
      var index = 0
      let count = range.count
      return IteratorObject {
        guard index < count else { return nil }
        defer { index += 1 }
        return range.item(index)
      }
    case .list(let list):
      var index = 0
      return IteratorObject {  // sees items appended on the way, as Python does
        guard index < list.items.count else { return nil }
        defer { index += 1 }
        return list.items[index]
      }
    case .instance(let object):
      if let method = object.type.lookup("__iter__") {
        let made = try call(method, [value])
        if case .instance(let inner) = made, let next = inner.type.lookup("__next__") {
          return IteratorObject {
            do {
              return try self.call(next, [made])
            } catch Unwind.raised(let exception)
              where exception.value.type.isSubclass(ofNamed: "StopIteration")
            {
              return nil
            }
          }
        }
        return try iterate(made)
      }
      if object.type.lookup("__getitem__") != nil, let length = object.type.lookup("__len__") {
        let count = try integer(call(length, [value]), "len").value
        var index = 0
        return IteratorObject {
          guard index < count else { return nil }
          defer { index += 1 }
          return try self.item(value, .int(index))
        }
      }
      throw raise("TypeError", "'\(object.type.name)' object is not iterable")
    default: return IteratorObject(try items(value))
    }
  }

  /// All items of an iterable.
  func items(_ value: Value) throws -> [Value] {
    switch value {
    case .tuple(let tuple): return tuple.items
    case .list(let list): return list.items
    case .set(let set): return set.items
    case .dict(let dict): return dict.items.map(\.key)
    case .string(let text): return text.map { .string(String($0)) }
    case .range(let range):
      try checkSize(range.count)
      return (0..<range.count).map { range.item($0) }
    case .tensor(let tensor):
      guard let count = tensor.dims.first else {
        throw raise("TypeError", "iteration over a 0-d tensor")
      }
      try checkSize(count.value)
      let contents = knownContents(tensor)
      return try (0..<max(0, count.value)).map {
        let item = try select(tensor, 0, SymInt($0))
        item.fill = contents?[$0]
        return .tensor(item)
      }
    case .iterator, .instance:
      let iterator = try iterate(value)
      var values: [Value] = []
      while let next = try iterator.next() {
        try step()
        values.append(next)
        try checkSize(values.count)
      }
      return values
    case .opaque(let object): throw refuse(object)
    default:
      throw raise(
        "TypeError", "'\(value.typeName)' object is not iterable", condition: wantsSequence(value))
    }
  }

  /// A number that stands in for an argument and is used as a sequence: it must be one.
  private func wantsSequence(_ value: Value) -> Condition? {
    guard case .integer(let number) = value, case .dim(let name)? = number.formula,
      unknowns[name] != nil
    else { return nil }
    return .sequence(name)
  }

  func length(_ value: Value) throws -> SymInt {
    switch value {
    case .tuple(let tuple):
      if let source = tuple.rankSource {
        return .dimension(Self.rankName(source), tuple.items.count)
      }
      return SymInt(tuple.items.count)
    case .list(let list): return SymInt(list.items.count)
    case .dict(let dict): return SymInt(dict.count)
    case .set(let set): return SymInt(set.count)
    case .string(let text): return SymInt(text.unicodeScalars.count)
    case .bytes(let bytes): return SymInt(bytes.count)
    case .range(let range): return SymInt(range.count, origin: range.stop.origin)
    case .tensor(let tensor):
      guard let first = tensor.dims.first else {
        throw raise("TypeError", "len() of a 0-d tensor")
      }
      return first
    case .instance(let object):
      if let method = object.type.lookup("__len__") {
        return try integer(call(method, [value]), "len()")
      }
      throw raise("TypeError", "object of type '\(object.type.name)' has no len()")
    case .opaque(let object): throw refuse(object)
    default:
      throw raise(
        "TypeError", "object of type '\(value.typeName)' has no len()",
        condition: wantsSequence(value))
    }
  }

  static func rankName(_ input: String) -> String { "\(input).dim()" }

  // MARK: Subscripts

  func item(_ object: Value, _ key: Value) throws -> Value {
    switch object {
    case .tuple(let tuple):
      if case .slice(let slice) = key {
        let indices = try resolve(slice, count: tuple.items.count)
        return .tuple(TupleObject(indices.map { tuple.items[$0] }, kind: tuple.kind))
      }
      let position = try integer(key, "tuple index").value
      let index = position < 0 ? position + tuple.items.count : position
      guard tuple.items.indices.contains(index) else {
        var condition: Condition?
        if let source = tuple.rankSource {
          let needed = position < 0 ? -position : position + 1
          condition = .compare(.dim(Self.rankName(source)), .greaterEqual, .constant(needed))
        }
        throw raise("IndexError", "tuple index out of range", condition: condition)
      }
      return tuple.items[index]
    case .list(let list):
      if case .slice(let slice) = key {
        return .makeList(try resolve(slice, count: list.items.count).map { list.items[$0] })
      }
      return list.items[try index(key, count: list.items.count, "list")]
    case .string(let text):
      let characters = Array(text.unicodeScalars)
      if case .slice(let slice) = key {
        var view = String.UnicodeScalarView()
        for index in try resolve(slice, count: characters.count) { view.append(characters[index]) }
        return .string(String(view))
      }
      return .string(
        String(Character(characters[try index(key, count: characters.count, "string")])))
    case .dict(let dict):
      let hash = try hashKey(key)
      if let entry = dict[hash] { return entry.value }
      if let factory = dict.defaultFactory {
        let made = try call(factory, [])
        dict[hash] = (key, made)
        return made
      }
      throw raise("KeyError", try represent(key))
    case .range(let range):
      if case .slice(let slice) = key {
        return .makeList(try resolve(slice, count: range.count).map { range.item($0) })
      }
      return range.item(try index(key, count: range.count, "range object"))
    case .tensor(let tensor): return .tensor(try subscriptTensor(tensor, key))
    case .instance(let instance):
      if let method = instance.type.lookup("__getitem__") {
        return try call(method, [object, key])
      }
    case .kernel(let kernel): return .boundKernel(kernel, grid: GridBinding(key, range: here))
    case .classObject, .native: return object  // list[int], Callable[…]
    case .opaque: return object
    default: break
    }
    throw raise(
      "TypeError", "'\(object.typeName)' object is not subscriptable",
      condition: wantsSequence(object))
  }

  func index(_ key: Value, count: Int, _ what: String) throws -> Int {
    let position = try integer(key, "\(what) index").value
    let index = position < 0 ? position &+ count : position
    guard index >= 0, index < count else {
      throw raise("IndexError", "\(what) index out of range")
    }
    return index
  }

  /// The positions a slice picks out of `count` items.
  func resolve(_ slice: SliceObject, count: Int) throws -> [Int] {
    let step = slice.step.isNone ? 1 : try integer(slice.step, "slice step").value
    if step == 0 { throw raise("ValueError", "slice step cannot be zero") }
    func bound(_ value: Value, _ fallback: Int) throws -> Int {
      if value.isNone { return fallback }
      let raw = try integer(value, "slice index").value
      let shifted = raw < 0 ? raw &+ count : raw
      return step > 0 ? min(max(shifted, 0), count) : min(max(shifted, -1), count - 1)
    }
    var indices: [Int] = []
    if step > 0 {
      var position = try bound(slice.lower, 0)
      let end = try bound(slice.upper, count)
      while position < end {
        indices.append(position)
        let (next, overflow) = position.addingReportingOverflow(step)
        if overflow { break }
        position = next
      }
    } else {
      var position = try bound(slice.lower, count - 1)
      let end = try bound(slice.upper, -1)
      while position > end {
        indices.append(position)
        let (next, overflow) = position.addingReportingOverflow(step)
        if overflow { break }
        position = next
      }
    }
    return indices
  }

  func setItem(_ object: Value, _ key: Value, _ value: Value) throws {
    switch object {
    case .list(let list):
      if case .slice(let slice) = key {
        let indices = try resolve(slice, count: list.items.count)
        let values = try items(value)
        if slice.step.isNone {
          let start =
            indices.first
            ?? min(
              max(0, slice.lower.asInt?.value ?? 0), list.items.count)
          list.items.replaceSubrange(start..<(start + indices.count), with: values)
        } else {
          guard indices.count == values.count else {
            throw raise("ValueError", "attempt to assign sequence of another size")
          }
          for (index, item) in zip(indices, values) { list.items[index] = item }
        }
        return
      }
      list.items[try index(key, count: list.items.count, "list assignment")] = value
    case .dict(let dict):
      dict[try hashKey(key)] = (key, value)
      try checkSize(dict.count)
    case .tensor(let tensor): try assignTensor(tensor, key, value)
    case .instance(let instance):
      guard let method = instance.type.lookup("__setitem__") else { fallthrough }
      _ = try call(method, [object, key, value])
    default:
      throw raise("TypeError", "'\(object.typeName)' object does not support item assignment")
    }
  }

  func deleteItem(_ object: Value, _ key: Value) throws {
    switch object {
    case .list(let list):
      if case .slice(let slice) = key {
        let gone = Set(try resolve(slice, count: list.items.count))
        list.items = list.items.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
      } else {
        list.items.remove(at: try index(key, count: list.items.count, "list"))
      }
    case .dict(let dict):
      let hash = try hashKey(key)
      if dict[hash] == nil { throw raise("KeyError", try represent(key)) }
      dict[hash] = nil
    default: throw raise("TypeError", "'\(object.typeName)' object doesn't support item deletion")
    }
  }

  // MARK: Types

  /// `isinstance(value, filter)`; the filter may be a tuple.
  func isInstance(_ value: Value, _ filter: Value, _ depth: Int = 0) throws -> Bool {
    guard depth < 50 else { throw refuse("values nest too deeply", id: "host-limit") }
    switch filter {
    case .tuple(let tuple):
      return try tuple.items.contains { try isInstance(value, $0, depth + 1) }
    case .classObject(let type):
      if case .instance(let object) = value {
        return object.type.isSubclass(of: type) || matches(value, type.name) && type.unit == nil
      }
      return type.unit == nil && matches(value, type.name)
    case .native(let function): return matches(value, function.name)
    case .none: return value.isNone
    case .opaque: return false
    default: throw raise("TypeError", "isinstance() arg 2 must be a type")
    }
  }

  /// Whether a value that is no instance of a user class belongs to a library type.
  private func matches(_ value: Value, _ type: String) -> Bool {
    switch (value, type) {
    case (_, "object"): return true
    case (.boolean, "bool"), (.boolean, "int"), (.boolean, "Number"), (.boolean, "Integral"),
      (.integer, "int"), (.integer, "Number"), (.integer, "Integral"), (.integer, "Real"),
      (.float, "float"), (.float, "Number"), (.float, "Real"),
      (.string, "str"), (.bytes, "bytes"), (.list, "list"), (.dict, "dict"),
      (.tuple, "tuple"), (.range, "range"), (.slice, "slice"), (.none, "NoneType"),
      (.tensor, "Tensor"), (.dtype, "dtype"), (.device, "device"), (.classObject, "type"),
      (.native, "type"), (.module, "ModuleType"), (.function, "FunctionType"),
      (.kernel, "JITFunction"):
      return true
    case (.kernel(let kernel), "Autotuner"): return kernel.isAutotuned
    case (.tuple(let tuple), "Size"): return tuple.kind == .size
    case (.set(let set), "set"): return !set.isFrozen
    case (.set(let set), "frozenset"): return set.isFrozen
    case (.tensor(let tensor), "Parameter"): return tensor.isParameter
    case (.list, "Sequence"), (.tuple, "Sequence"), (.string, "Sequence"), (.range, "Sequence"),
      (.list, "Iterable"), (.tuple, "Iterable"), (.string, "Iterable"), (.range, "Iterable"),
      (.dict, "Iterable"), (.set, "Iterable"), (.iterator, "Iterable"), (.dict, "Mapping"),
      (.iterator, "Iterator"), (.list, "Collection"), (.tuple, "Collection"):
      return true
    case (.function, "Callable"), (.native, "Callable"), (.bound, "Callable"),
      (.classObject, "Callable"):
      return true
    case (.instance(let object), "Callable"): return object.type.lookup("__call__") != nil
    case (.instance(let object), "Iterable"): return object.type.lookup("__iter__") != nil
    default: return false
    }
  }
}
