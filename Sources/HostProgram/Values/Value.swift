import TileIR

/// A Python value of the host program.
enum Value {
  case none
  case ellipsis
  case notImplemented
  case boolean(SymBool)
  case integer(SymInt)
  case float(SymFloat)
  case string(String)
  case bytes([UInt8])
  case tuple(TupleObject)
  case list(ListObject)
  case dict(DictObject)
  case set(SetObject)
  case slice(SliceObject)
  case range(RangeObject)
  case iterator(IteratorObject)
  case function(FunctionObject)
  case native(NativeFunction)
  case bound(BoundMethod)
  case descriptor(DescriptorObject)
  case classObject(ClassObject)
  case instance(InstanceObject)
  case superObject(SuperObject)
  case module(ModuleObject)
  case tensor(TensorObject)
  case dtype(DTypeValue)
  case device(String)
  case kernel(KernelObject)
  case boundKernel(KernelObject, grid: GridBinding)
  /// Something that exists in Python and is not modelled; using it is refused at the line of use.
  case opaque(OpaqueObject)
}

extension Value {
  static func bool(_ value: Bool) -> Value { .boolean(SymBool(value: value)) }
  static func int(_ value: Int) -> Value { .integer(SymInt(value)) }
  static func double(_ value: Double, origin: ValueOrigin = .literal) -> Value {
    .float(SymFloat(value: value, origin: origin))
  }
  static func makeTuple(_ items: [Value]) -> Value { .tuple(TupleObject(items)) }
  static func makeList(_ items: [Value]) -> Value { .list(ListObject(items)) }
  static func size(_ dims: [SymInt]) -> Value {
    .tuple(TupleObject(dims.map(Value.integer), kind: .size))
  }

  var isNone: Bool { if case .none = self { true } else { false } }

  /// Python's name of the value's type.
  var typeName: String {
    switch self {
    case .none: "NoneType"
    case .ellipsis: "ellipsis"
    case .notImplemented: "NotImplementedType"
    case .boolean: "bool"
    case .integer: "int"
    case .float: "float"
    case .string: "str"
    case .bytes: "bytes"
    case .tuple(let tuple): tuple.kind == .size ? "torch.Size" : "tuple"
    case .list: "list"
    case .dict: "dict"
    case .set: "set"
    case .slice: "slice"
    case .range: "range"
    case .iterator: "iterator"
    case .function: "function"
    case .native: "builtin_function_or_method"
    case .bound: "method"
    case .descriptor: "property"
    case .classObject: "type"
    case .instance(let object): object.type.name
    case .superObject: "super"
    case .module: "module"
    case .tensor(let tensor): tensor.isParameter ? "Parameter" : "Tensor"
    case .dtype: "dtype"
    case .device: "device"
    case .kernel, .boundKernel: "JITFunction"
    case .opaque: "object"
    }
  }

  /// The integer, where the value is one (a bool counts, as in Python).
  var asInt: SymInt? {
    switch self {
    case .integer(let value): value
    case .boolean(let value): SymInt(value.value ? 1 : 0, origin: value.origin)
    default: nil
    }
  }

  /// The number as a double, where the value is one.
  var asDouble: Double? {
    switch self {
    case .integer(let value): Double(value.value)
    case .boolean(let value): value.value ? 1 : 0
    case .float(let value): value.value
    default: nil
    }
  }

  /// Where a value comes from; containers give the latest origin of their items.
  var origin: ValueOrigin {
    switch self {
    case .boolean(let value): value.origin
    case .integer(let value): value.origin
    case .float(let value): value.origin
    case .tuple(let tuple): tuple.items.map(\.origin).max() ?? .literal
    default: .literal
    }
  }

  /// The same value with an origin of at least `origin`, where it carries one.
  func raised(to origin: ValueOrigin) -> Value {
    switch self {
    case .boolean(var value):
      value.origin = max(value.origin, origin)
      return .boolean(value)
    case .integer(let value): return .integer(value.raised(to: origin))
    case .float(var value):
      value.origin = max(value.origin, origin)
      return .float(value)
    case .tuple(let tuple):
      return .tuple(TupleObject(tuple.items.map { $0.raised(to: origin) }, like: tuple))
    default: return self
    }
  }
}

/// `torch.float32` or `tl.float32`: one element type, two Python objects.
struct DTypeValue: Hashable, Sendable {
  var element: ElementType
  var isTriton = false
  /// The input whose element type this is, where that type is a guess.
  var source: String?

  static func == (left: DTypeValue, right: DTypeValue) -> Bool {
    left.element == right.element && left.isTriton == right.isTriton
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(element)
    hasher.combine(isTriton)
  }
}
