import PythonSyntax

extension Evaluator {
  /// `object.name`; an absent attribute is an `AttributeError`.
  func attribute(_ object: Value, _ name: String) throws -> Value {
    if let value = try findAttribute(object, name) { return value }
    if case .opaque(let opaque) = object { throw refuse(opaque) }
    if case .module(let module) = object {
      throw refuse("'\(module.name).\(name)' is not modelled")
    }
    if case .instance(let instance) = object {
      throw raise("AttributeError", "'\(instance.type.name)' object has no attribute '\(name)'")
    }
    if case .tensor = object, !Self.isKnownAbsent(name) {
      throw refuse("'Tensor.\(name)' is not modelled")
    }
    throw raise("AttributeError", "'\(object.typeName)' object has no attribute '\(name)'")
  }

  /// Names that `hasattr` may well ask a tensor about and that no tensor has.
  private static func isKnownAbsent(_ name: String) -> Bool {
    name.hasPrefix("_") || ["items", "keys", "append", "ptr", "value", "fn"].contains(name)
  }

  func findAttribute(_ object: Value, _ name: String) throws -> Value? {
    if name == "value", makesConstexprs {
      switch object {
      case .integer, .float, .boolean, .string, .none, .dtype: return object
      default: break
      }
    }
    switch object {
    case .instance(let instance): return try instanceAttribute(instance, object, name)
    case .module(let module): return try moduleAttribute(module, name)
    case .tensor(let tensor): return try tensorAttribute(tensor, name)
    case .classObject(let type): return try classAttribute(type, name)
    case .superObject(let superObject):
      guard
        let value = superObject.receiverType.lookup(name, after: superObject.after)
      else {
        if name == "__init__" {
          return .native(NativeFunction("__init__") { _, _ in .none })
        }
        return nil
      }
      return try bindClassValue(value, superObject.receiver, superObject.receiverType)
    case .function(let function):
      if let value = function.attributes[name] { return value }
      switch name {
      case "__name__", "__qualname__": return .string(function.name)
      case "__doc__": return Value.none
      case "__module__": return .string("__main__")
      case "__wrapped__": return nil
      default: return nil
      }
    case .native(let function):
      if let value = function.attributes[name] { return value }
      return name == "__name__" ? .string(function.name) : nil
    case .bound(let method):
      if name == "__func__" { return method.callee }
      if name == "__self__" { return method.receiver }
      return try findAttribute(method.callee, name)
    case .kernel(let kernel): return kernelAttribute(kernel, name)
    case .dtype(let dtype): return dtypeAttribute(dtype, name)
    case .device(let device):
      switch name {
      case "type": return .string(String(device.prefix { $0 != ":" }))
      case "index": return device.contains(":") ? .int(0) : Value.none
      default: return nil
      }
    case .tuple(let tuple):
      if let index = tuple.fields.firstIndex(of: name) { return tuple.items[index] }
      return method(object, name, in: SequenceMethods.tuple)
    case .list: return method(object, name, in: SequenceMethods.list)
    case .string: return method(object, name, in: StringMethods.table)
    case .dict: return method(object, name, in: DictMethods.table)
    case .set: return method(object, name, in: SetMethods.table)
    case .integer(let number):
      switch name {
      case "real", "numerator": return object
      case "imag": return .int(0)
      case "bit_length":
        return .native(
          NativeFunction(name) { _, _ in
            .integer(SymInt(Self.bitLength(number.value), origin: number.origin))
          })
      default: return nil
      }
    case .float(let number):
      if name == "is_integer" {
        return .native(
          NativeFunction(name) { _, _ in
            .boolean(SymBool(value: number.value == number.value.rounded(), origin: number.origin))
          })
      }
      return nil
    case .slice(let slice):
      switch name {
      case "start": return slice.lower
      case "stop": return slice.upper
      case "step": return slice.step
      default: return nil
      }
    case .range(let range):
      switch name {
      case "start": return .integer(range.start)
      case "stop": return .integer(range.stop)
      case "step": return .integer(range.step)
      default: return nil
      }
    case .descriptor(let descriptor):
      guard name == "setter" else { return nil }
      return .native(
        NativeFunction("setter") { _, arguments in
          let copy = DescriptorObject(descriptor.kind, descriptor.getter)
          copy.setter = arguments.positional.first
          return .descriptor(copy)
        })
    default: return nil
    }
  }

  static func bitLength(_ value: Int) -> Int {
    Int.bitWidth - value.magnitude.leadingZeroBitCount
  }

  private func method(_ receiver: Value, _ name: String, in table: [String: NativeMethod])
    -> Value?
  {
    guard let method = table[name] else { return nil }
    return .native(NativeFunction(name) { try method($0, receiver, $1) })
  }

  // MARK: Instances and classes

  private func instanceAttribute(_ instance: InstanceObject, _ object: Value, _ name: String) throws
    -> Value?
  {
    let type = instance.type
    let classValue = type.lookup(name)
    if case .descriptor(let descriptor)? = classValue, descriptor.kind == .property {
      return try call(descriptor.getter, Arguments([object], range: here))
    }
    if let value = instance[name] { return value }
    if let classValue { return try bindClassValue(classValue, object, type) }
    switch name {
    case "__class__": return .classObject(type)
    case "__dict__":
      return .dict(DictObject(strings: instance.order.map { ($0, instance[$0] ?? Value.none) }))
    default: break
    }
    if let fallback = type.lookup("__getattr__") {
      return try call(fallback, Arguments([object, .string(name)], range: here))
    }
    return nil
  }

  private func bindClassValue(_ value: Value, _ receiver: Value, _ type: ClassObject) throws
    -> Value
  {
    switch value {
    case .function, .native: return .bound(BoundMethod(receiver, value))
    case .descriptor(let descriptor):
      switch descriptor.kind {
      case .property: return try call(descriptor.getter, Arguments([receiver], range: here))
      case .cachedProperty:
        let result = try call(descriptor.getter, Arguments([receiver], range: here))
        return result
      case .staticMethod: return descriptor.getter
      case .classMethod:
        return .bound(BoundMethod(.classObject(type), descriptor.getter))
      }
    default: return value
    }
  }

  private func classAttribute(_ type: ClassObject, _ name: String) throws -> Value? {
    if let value = type.lookup(name) {
      if case .descriptor(let descriptor) = value {
        switch descriptor.kind {
        case .staticMethod: return descriptor.getter
        case .classMethod: return .bound(BoundMethod(.classObject(type), descriptor.getter))
        case .property, .cachedProperty: return value
        }
      }
      return value
    }
    switch name {
    case "__name__", "__qualname__": return .string(type.name)
    case "__doc__": return Value.none
    case "__mro__": return .makeTuple(type.resolutionOrder.map(Value.classObject))
    case "apply" where type.isSubclass(ofNamed: "Function"):
      return .native(NativeFunction("apply") { try $0.applyAutograd(type, $1) })
    default: return nil
    }
  }

  /// `object.name = value`.
  func setAttribute(_ object: Value, _ name: String, _ value: Value) throws {
    switch object {
    case .instance(let instance):
      if case .descriptor(let descriptor)? = instance.type.lookup(name),
        descriptor.kind == .property
      {
        guard let setter = descriptor.setter else {
          throw raise("AttributeError", "property '\(name)' has no setter")
        }
        _ = try call(setter, Arguments([object, value], range: here))
        return
      }
      if case .function(let custom)? = instance.type.lookup("__setattr__") {
        _ = try invoke(custom, Arguments([object, .string(name), value], range: here))
        return
      }
      let isModule = instance.type.isSubclass(ofNamed: "Module")
      instance[name] = isModule && !isRecording ? value.raised(to: .module) : value
    case .classObject(let type): type.namespace[name] = value
    case .function(let function): function.attributes[name] = value
    case .native(let function): function.attributes[name] = value
    case .tensor(let tensor): try setTensorAttribute(tensor, name, value)
    case .module(let module): module.attributes[name] = value
    case .kernel(let kernel): kernel.attributes[name] = value
    case .opaque(let opaque): throw refuse(opaque)
    default:
      throw raise("AttributeError", "'\(object.typeName)' object has no attribute '\(name)'")
    }
  }
}
