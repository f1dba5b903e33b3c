import PythonSyntax
import TileIR

/// A value as Triton's front end sees it while it walks a kernel: run-time values are SSA values,
/// everything else is known at compile time.
indirect enum PyValue {
  // Run-time values
  case tensor(Tensor)
  case blockPointer(Value, element: ElementType, block: [Int])
  case descriptor(DescriptorValue)
  // Compile-time values
  case none
  case bool(Bool)
  case int(Int128)
  case float(Double)
  case string(String)
  case type(TypeObject)
  case tuple(TupleValue)
  case slice(PyValue, PyValue, PyValue)
  /// `tl.PropagateNan.ALL` and its like, by dotted name.
  case symbol(String)
  // Things that are called or looked into
  case function(JITReference)
  /// `@triton.constexpr_function`, or a plain Python function of the module.
  case constexprFunction(ModuleScope, FunctionDef)
  case lambda(ModuleScope, Expr, [String: PyValue])
  /// A function or class of Triton, by canonical name: `tl.load`, `math.exp`, `libdevice.tanh`.
  case builtin(String)
  case module(String)
  /// Another file that the module imports.
  case importedModule(ModuleScope)
  case method(PyValue, String)
  case dict([String: PyValue])
  /// `tl.constexpr(tensor)`: legal in Triton, good for little.
  case wrapped(Tensor)
  /// A Python object that is not Triton's (torch, os, a class): named, never looked into.
  case foreign(String)
  /// The variable of a finished loop, which Triton leaves undefined.
  case poison(String)
}

/// A run-time scalar or tile.
struct Tensor {
  var value: Value
  var type: TileType

  init(_ value: Value, _ type: TileType) {
    self.value = value
    self.type = type
  }

  var element: ElementType { type.element }
  var shape: [Int] { type.shape }
  var isBlock: Bool { !type.shape.isEmpty }
}

struct TupleValue {
  var elements: [PyValue]
  /// Field names of a named tuple.
  var fields: [String]?

  init(_ elements: [PyValue], fields: [String]? = nil) {
    self.elements = elements
    self.fields = fields
  }
}

struct DescriptorValue {
  var value: Value
  var element: ElementType
  var block: [Int]
  var shape: [Tensor]
  var strides: [Tensor]
}

/// A `@triton.jit` function and the module whose names it sees.
struct JITReference: Sendable {
  let function: JITFunction
  let scope: ModuleScope
}

/// What `tl.float32`, `x.type` and `x.dtype` evaluate to.
indirect enum TypeObject: Hashable {
  case scalar(ElementType)
  case block(TileType)
  case void
  case blockPointer(ElementType, [Int])
  case descriptor(ElementType, [Int])
  case tuple([TypeObject])
  /// A Python class: `int`, `float`, `tl.tensor`, `tl.constexpr`.
  case python(String)

  /// The element type of a scalar or block type.
  var element: ElementType? {
    switch self {
    case .scalar(let element): element
    case .block(let type): type.element
    default: nil
    }
  }

  var name: String {
    switch self {
    case .scalar(let element): "\(element)"
    case .block(let type): "\(type)"
    case .void: "void"
    case .blockPointer(let element, let block): "pointer<\(TileType(element, block))>"
    case .descriptor(let element, let block): "tensor_descriptor<\(TileType(element, block))>"
    case .tuple(let types): "(" + types.map(\.name).joined(separator: ", ") + ")"
    case .python(let name): name
    }
  }
}

extension PyValue {
  init(_ value: ConstexprValue, scope: ModuleScope) {
    switch value {
    case .none: self = .none
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(Int128(value))
    case .float(let value): self = .float(value)
    case .string(let value): self = .string(value)
    case .dtype(let element): self = .type(.scalar(element))
    case .tuple(let values): self = .tuple(TupleValue(values.map { PyValue($0, scope: scope) }))
    case .function(let name):
      let known = scope.lookUp(name) ?? TritonNames.attribute(name, of: "triton.language")
      self = known ?? .foreign(name)
    }
  }

  static func shape(_ dimensions: [Int]) -> PyValue {
    .tuple(TupleValue(dimensions.map { .int(Int128($0)) }))
  }

  var isNone: Bool { if case .none = self { true } else { false } }

  var tensor: Tensor? {
    switch self {
    case .tensor(let tensor), .wrapped(let tensor): tensor
    default: nil
    }
  }

  /// Whether Triton counts it among the values that exist in its IR or wraps it in `constexpr`.
  var isTritonValue: Bool {
    switch self {
    case .none, .type, .function, .builtin, .module, .importedModule, .foreign, .method,
      .constexprFunction, .lambda:
      false
    default: true
    }
  }

  /// Python's truth; nil for run-time values.
  var truth: Bool? {
    switch self {
    case .none: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .float(let value): value != 0
    case .string(let value): !value.isEmpty
    case .tuple(let value): !value.elements.isEmpty
    case .dict(let value): !value.isEmpty
    case .tensor, .blockPointer, .descriptor, .wrapped, .poison: nil
    default: true
    }
  }

  /// A compile-time integer (bools count, as in Python).
  var integer: Int128? {
    switch self {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// A compile-time integer that fits in 64 bits.
  var int64: Int? { integer.flatMap { Int(exactly: $0) } }

  /// A Python number: what takes the scalar's part in type promotion.
  var isNumber: Bool {
    switch self {
    case .bool, .int, .float: true
    default: false
    }
  }

  /// The SSA values it consists of, in order.
  var handles: [Value] {
    switch self {
    case .tensor(let tensor): [tensor.value]
    case .blockPointer(let value, _, _): [value]
    case .descriptor(let descriptor):
      [descriptor.value] + descriptor.shape.map(\.value) + descriptor.strides.map(\.value)
    case .tuple(let tuple): tuple.elements.flatMap(\.handles)
    default: []
    }
  }

  /// The same value with its SSA values replaced in order by those taken from `handles`.
  func replacingHandles(_ handles: inout ArraySlice<Value>) -> PyValue {
    func next(_ old: Value) -> Value { handles.popFirst() ?? old }
    switch self {
    case .tensor(let tensor): return .tensor(Tensor(next(tensor.value), tensor.type))
    case .blockPointer(let value, let element, let block):
      return .blockPointer(next(value), element: element, block: block)
    case .descriptor(var descriptor):
      descriptor.value = next(descriptor.value)
      descriptor.shape = descriptor.shape.map { Tensor(next($0.value), $0.type) }
      descriptor.strides = descriptor.strides.map { Tensor(next($0.value), $0.type) }
      return .descriptor(descriptor)
    case .tuple(let tuple):
      var elements: [PyValue] = []
      for element in tuple.elements { elements.append(element.replacingHandles(&handles)) }
      return .tuple(TupleValue(elements, fields: tuple.fields))
    default: return self
    }
  }

  /// The type as Triton prints it; equal descriptions mean equal types where values merge.
  var typeName: String {
    switch self {
    case .tensor(let tensor): "\(tensor.type)"
    case .blockPointer(_, let element, let block): "pointer<\(TileType(element, block))>"
    case .descriptor(let value): "tensor_descriptor<\(TileType(value.element, value.block))>"
    case .tuple(let tuple): "[" + tuple.elements.map(\.typeName).joined(separator: ", ") + "]"
    case .wrapped(let tensor): "constexpr[\(tensor.type)]"
    case .none: "None"
    default: "constexpr[\(display)]"
    }
  }

  /// The value as Python prints it.
  var display: String {
    switch self {
    case .tensor(let tensor), .wrapped(let tensor): "\(tensor.type)"
    case .none: "None"
    case .bool(let value): value ? "True" : "False"
    case .int(let value): "\(value)"
    case .float(let value): PyValue.describe(value)
    case .string(let value): value
    case .type(let type): type.name
    case .tuple(let tuple): "(" + tuple.elements.map(\.display).joined(separator: ", ") + ")"
    case .function(let reference): reference.function.name
    case .constexprFunction(_, let definition): definition.name
    case .lambda: "<lambda>"
    case .importedModule(let scope): scope.source.name
    case .builtin(let name), .module(let name), .foreign(let name), .symbol(let name): name
    case .method(let receiver, let name): "\(receiver.typeName).\(name)"
    case .slice: "slice"
    case .dict: "dict"
    case .poison(let name): name
    case .blockPointer, .descriptor: typeName
    }
  }

  private static func describe(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    return "\(value)"
  }
}
