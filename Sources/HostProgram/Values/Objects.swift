import Diagnostics
import PythonSyntax

// The reference objects of the host program: identity and mutation as in Python.

final class TupleObject {
  enum Kind { case plain, size }
  let items: [Value]
  let kind: Kind
  /// The field names of a named tuple, else empty.
  let fields: [String]
  /// The input whose rank this shape has, where that rank is a guess.
  var rankSource: String?

  init(_ items: [Value], kind: Kind = .plain, fields: [String] = []) {
    self.items = items
    self.kind = kind
    self.fields = fields
  }

  convenience init(_ items: [Value], like other: TupleObject) {
    self.init(items, kind: other.kind, fields: other.fields)
    rankSource = other.rankSource
  }
}

final class ListObject {
  var items: [Value]
  init(_ items: [Value]) { self.items = items }
}

final class SliceObject {
  let lower: Value
  let upper: Value
  let step: Value
  init(_ lower: Value, _ upper: Value, _ step: Value) {
    self.lower = lower
    self.upper = upper
    self.step = step
  }
}

final class RangeObject {
  let start: SymInt
  let stop: SymInt
  let step: SymInt
  init(_ start: SymInt, _ stop: SymInt, _ step: SymInt) {
    self.start = start
    self.stop = stop
    self.step = step
  }

  var count: Int {
    if step.value > 0, start.value < stop.value {
      return ((stop.value &- start.value &- 1) / step.value) &+ 1
    }
    if step.value < 0, start.value > stop.value, step.value != Int.min {
      return ((start.value &- stop.value &- 1) / -step.value) &+ 1
    }
    return 0
  }

  func item(_ index: Int) -> Value { .integer(start + SymInt(index) * step) }
}

/// An iterator: a generator's values, `zip`, `enumerate`, `map`, …
final class IteratorObject {
  private let advance: () throws -> Value?
  private var isExhausted = false

  init(_ advance: @escaping () throws -> Value?) { self.advance = advance }

  convenience init(_ items: [Value]) {
    var index = 0
    self.init {
      guard index < items.count else { return nil }
      defer { index += 1 }
      return items[index]
    }
  }

  func next() throws -> Value? {
    if isExhausted { return nil }
    let value = try advance()
    if value == nil { isExhausted = true }
    return value
  }
}

/// One source file under evaluation.
final class SourceUnit {
  let source: SourceText
  let globals: Scope
  /// False for the problem file: launches and operators are located in the module.
  let isModule: Bool
  /// A file that the module imports: what it does is located where the module calls it.
  let isImported: Bool

  init(source: SourceText, globals: Scope, isModule: Bool, isImported: Bool = false) {
    self.isImported = isImported
    self.source = source
    self.globals = globals
    self.isModule = isModule
  }
}

final class FunctionObject {
  let name: String
  let parameters: [Parameter]
  let body: [Stmt]
  /// A lambda's body.
  let expression: Expr?
  /// Default values by parameter name.
  let defaults: [String: Value]
  let closure: Scope
  let unit: SourceUnit
  let range: SourceRange
  let isGenerator: Bool
  /// The class whose body defines it, for `super()`.
  var owner: ClassObject?
  var attributes: [String: Value] = [:]

  init(
    name: String, parameters: [Parameter], body: [Stmt], expression: Expr?,
    defaults: [String: Value], closure: Scope, unit: SourceUnit, range: SourceRange,
    isGenerator: Bool
  ) {
    self.name = name
    self.parameters = parameters
    self.body = body
    self.expression = expression
    self.defaults = defaults
    self.closure = closure
    self.unit = unit
    self.range = range
    self.isGenerator = isGenerator
  }
}

/// A function of the modelled libraries.
final class NativeFunction {
  typealias Body = (Evaluator, Arguments) throws -> Value
  let name: String
  let body: Body
  var attributes: [String: Value] = [:]

  init(_ name: String, _ body: @escaping Body) {
    self.name = name
    self.body = body
  }
}

final class BoundMethod {
  let receiver: Value
  let callee: Value
  init(_ receiver: Value, _ callee: Value) {
    self.receiver = receiver
    self.callee = callee
  }
}

/// `property`, `staticmethod` or `classmethod` around a function.
final class DescriptorObject {
  enum Kind { case property, cachedProperty, staticMethod, classMethod }
  let kind: Kind
  let getter: Value
  var setter: Value?
  init(_ kind: Kind, _ getter: Value) {
    self.kind = kind
    self.getter = getter
  }
}

final class ClassObject {
  let name: String
  let bases: [ClassObject]
  /// This class first.
  private(set) var resolutionOrder: [ClassObject] = []
  var namespace: [String: Value]
  let unit: SourceUnit?
  /// Order of annotated fields, for dataclasses and named tuples.
  var annotatedFields: [String] = []
  var isDataclass = false

  init(name: String, bases: [ClassObject], namespace: [String: Value] = [:], unit: SourceUnit?) {
    self.name = name
    self.bases = bases
    self.namespace = namespace
    self.unit = unit
    resolutionOrder = [self] + Self.merge(bases.map(\.resolutionOrder) + [bases])
  }

  /// C3 merge; where no consistent order exists, the first class seen.
  private static func merge(_ lists: [[ClassObject]]) -> [ClassObject] {
    var lists = lists.filter { !$0.isEmpty }
    var result: [ClassObject] = []
    while !lists.isEmpty {
      let candidate =
        lists.first { list in
          !lists.contains { other in other.dropFirst().contains { $0 === list[0] } }
        }?.first ?? lists[0][0]
      result.append(candidate)
      lists = lists.map { list in list.filter { $0 !== candidate } }.filter { !$0.isEmpty }
    }
    return result
  }

  func lookup(_ name: String) -> Value? {
    for type in resolutionOrder { if let value = type.namespace[name] { return value } }
    return nil
  }

  /// The attribute as the classes after `type` in the resolution order give it.
  func lookup(_ name: String, after type: ClassObject) -> Value? {
    guard let index = resolutionOrder.firstIndex(where: { $0 === type }) else { return nil }
    for later in resolutionOrder[(index + 1)...] {
      if let value = later.namespace[name] { return value }
    }
    return nil
  }

  func isSubclass(of other: ClassObject) -> Bool {
    resolutionOrder.contains { $0 === other }
  }

  func isSubclass(ofNamed name: String) -> Bool {
    resolutionOrder.contains { $0.name == name && $0.unit == nil }
  }
}

final class InstanceObject {
  let type: ClassObject
  private(set) var attributes: [String: Value] = [:]
  /// Attribute names in the order in which they were first set.
  private(set) var order: [String] = []
  /// Names registered as buffers.
  var buffers: Set<String> = []

  init(_ type: ClassObject) { self.type = type }

  subscript(name: String) -> Value? {
    get { attributes[name] }
    set {
      if let newValue {
        if attributes.updateValue(newValue, forKey: name) == nil { order.append(name) }
      } else if attributes.removeValue(forKey: name) != nil {
        order.removeAll { $0 == name }
      }
    }
  }
}

final class SuperObject {
  let receiver: Value
  let receiverType: ClassObject
  let after: ClassObject
  init(receiver: Value, receiverType: ClassObject, after: ClassObject) {
    self.receiver = receiver
    self.receiverType = receiverType
    self.after = after
  }
}

/// An imported module: a modelled one, whose attributes are found in the library tables, or a file.
final class ModuleObject {
  let name: String
  /// A file's globals.
  var scope: Scope?
  var unit: SourceUnit?
  var attributes: [String: Value] = [:]
  init(_ name: String) { self.name = name }
}

final class OpaqueObject {
  let what: String
  init(_ what: String) { self.what = what }
}

/// The variables of a module, function, class body or comprehension.
final class Scope {
  enum Kind { case module, function, classBody, comprehension }
  var variables: [String: Value] = [:]
  let parent: Scope?
  let kind: Kind
  let function: FunctionObject?
  var globalNames: Set<String> = []
  var nonlocalNames: Set<String> = []
  /// Values of `yield`, for a generator's body.
  var yielded: [Value] = []

  init(_ kind: Kind, parent: Scope?, function: FunctionObject? = nil) {
    self.kind = kind
    self.parent = parent
    self.function = function
  }
}
