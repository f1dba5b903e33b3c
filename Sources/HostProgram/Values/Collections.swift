/// A hashable Python value as a dictionary key.
enum KeyValue: Hashable {
  case none
  case ellipsis
  case int(Int)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case tuple([KeyValue])
  case dtype(DTypeValue)
  case device(String)
  case object(ObjectIdentifier)

  /// Python's rule that `1 == 1.0 == True` is one key.
  init?(_ value: Value) {
    switch value {
    case .none: self = .none
    case .ellipsis: self = .ellipsis
    case .boolean(let flag): self = .int(flag.value ? 1 : 0)
    case .integer(let number): self = .int(number.value)
    case .float(let number):
      if let exact = Int(exactly: number.value) {
        self = .int(exact)
      } else {
        self = .double(number.value)
      }
    case .string(let text): self = .string(text)
    case .bytes(let bytes): self = .bytes(bytes)
    case .tuple(let tuple):
      var keys: [KeyValue] = []
      for item in tuple.items {
        guard let key = KeyValue(item) else { return nil }
        keys.append(key)
      }
      self = .tuple(keys)
    case .dtype(let dtype): self = .dtype(dtype)
    case .device(let name): self = .device(name)
    case .function(let object): self = .object(ObjectIdentifier(object))
    case .native(let object): self = .object(ObjectIdentifier(object))
    case .bound(let object): self = .object(ObjectIdentifier(object))
    case .classObject(let object): self = .object(ObjectIdentifier(object))
    case .instance(let object): self = .object(ObjectIdentifier(object))
    case .module(let object): self = .object(ObjectIdentifier(object))
    case .tensor(let object): self = .object(ObjectIdentifier(object))
    case .kernel(let object): self = .object(ObjectIdentifier(object))
    case .range(let object): self = .object(ObjectIdentifier(object))
    case .opaque(let object): self = .object(ObjectIdentifier(object))
    default: return nil
    }
  }
}

/// An insertion-ordered dictionary.
final class DictObject {
  private var slots: [KeyValue: Int] = [:]
  private var entries: [(key: Value, value: Value)?] = []
  private(set) var count = 0
  /// `collections.defaultdict`'s factory.
  var defaultFactory: Value?

  init() {}

  init(strings pairs: [(String, Value)]) {
    for (key, value) in pairs { self[.string(key)] = (.string(key), value) }
  }

  subscript(key: KeyValue) -> (key: Value, value: Value)? {
    get { slots[key].flatMap { entries[$0] } }
    set {
      if let slot = slots[key] {
        if let newValue {
          entries[slot] = (entries[slot]?.key ?? newValue.key, newValue.value)
        } else {
          entries[slot] = nil
          slots[key] = nil
          count -= 1
          if entries.count > 32, count < entries.count / 2 { compact() }
        }
      } else if let newValue {
        slots[key] = entries.count
        entries.append(newValue)
        count += 1
      }
    }
  }

  private func compact() {
    entries.removeAll { $0 == nil }
    for (slot, entry) in entries.enumerated() {
      if let entry, let key = KeyValue(entry.key) { slots[key] = slot }
    }
  }

  var items: [(key: Value, value: Value)] { entries.compactMap { $0 } }

  func removeAll() {
    slots = [:]
    entries = []
    count = 0
  }

  func copy() -> DictObject {
    let other = DictObject()
    other.slots = slots
    other.entries = entries
    other.count = count
    other.defaultFactory = defaultFactory
    return other
  }

  subscript(string name: String) -> Value? {
    get { self[.string(name)]?.value }
    set { self[.string(name)] = newValue.map { (.string(name), $0) } }
  }
}

/// A set; iteration is in insertion order (Python's order is unspecified).
final class SetObject {
  let storage = DictObject()
  let isFrozen: Bool

  init(isFrozen: Bool = false) { self.isFrozen = isFrozen }

  var items: [Value] { storage.items.map(\.key) }
  var count: Int { storage.count }
  func contains(_ key: KeyValue) -> Bool { storage[key] != nil }
  func insert(_ key: KeyValue, _ value: Value) {
    if storage[key] == nil { storage[key] = (value, .none) }
  }
  func remove(_ key: KeyValue) { storage[key] = nil }
}
