/// One class of `torch.nn`: its constructor's parameters, what it holds, what it computes.
struct Layer: Sendable {
  let parameters: [String]
  let build: @Sendable (Evaluator, InstanceObject, Bound) throws -> Void
  let forward: @Sendable (Evaluator, InstanceObject, Arguments) throws -> Value

  init(
    _ parameters: String,
    build: @escaping @Sendable (Evaluator, InstanceObject, Bound) throws -> Void = { _, _, _ in },
    forward: @escaping @Sendable (Evaluator, InstanceObject, Arguments) throws -> Value
  ) {
    self.parameters = parameters.split(separator: " ").map(String.init)
    self.build = build
    self.forward = forward
  }
}

enum LayerTables {
  static let all: [String: Layer] = [
    ConvolutionLayers.table, NormalizationLayers.table, PoolingLayers.table,
    ActivationLayers.table, LossLayers.table, RecurrentLayers.table, OtherLayers.table,
  ].reduce(into: [:]) { $0.merge($1) { _, new in new } }
}

extension Evaluator {
  static func isContainer(_ name: String) -> Bool {
    ["Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"].contains(name)
  }

  /// The class object of a `torch.nn` class or of another class that torch defines.
  func makeLayerClass(_ name: String) -> ClassObject? {
    switch name {
    case "Module":
      let type = ClassObject(name: name, bases: [nativeClass("object")], unit: nil)
      for (method, body) in ModuleMethods.table {
        type.namespace[method] = .native(NativeFunction(method, body))
      }
      return type
    case "Parameter", "Buffer":
      let type = ClassObject(name: name, bases: [nativeClass("Tensor")], unit: nil)
      type.namespace["__new__"] = .native(
        NativeFunction(name) { ev, arguments in
          let bound = try Bound(ev, name, ["cls", "data", "requires_grad"], arguments)
          guard let data = try bound.optionalTensor("data") else {
            let empty = try ev.makeTensor(.fp32, [0])
            ev.trace("empty", ["size": .makeList([.int(0)])], [empty])
            return .tensor(empty)
          }
          let result = ev.view(of: data, data.dims, data.strides)
          result.isParameter = name == "Parameter"
          result.rankSource = data.rankSource
          result.requiresGrad = true
          return .tensor(result)
        })
      return type
    case "Function":
      return ClassObject(name: name, bases: [nativeClass("object")], unit: nil)
    case "FunctionCtx":
      let type = ClassObject(name: name, bases: [nativeClass("object")], unit: nil)
      for method in [
        "save_for_backward", "mark_non_differentiable", "mark_dirty", "set_materialize_grads",
        "save_for_forward",
      ] {
        type.namespace[method] = .native(
          NativeFunction(method) { _, arguments in
            if method == "save_for_backward",
              case .instance(let context)? = arguments.positional.first
            {
              context["saved_tensors"] = .makeTuple(Array(arguments.positional.dropFirst()))
            }
            return .none
          })
      }
      return type
    default: break
    }
    if Self.isContainer(name) { return makeContainerClass(name) }
    guard let layer = LayerTables.all[name] else { return nil }
    let type = ClassObject(name: name, bases: [nativeClass("Module")], unit: nil)
    type.namespace["__init__"] = .native(
      NativeFunction("\(name).__init__") { ev, arguments in
        guard case .instance(let object)? = arguments.positional.first else {
          throw ev.raise("TypeError", "__init__() needs an instance")
        }
        object["training"] = .bool(true)
        let bound = try Bound(ev, name, layer.parameters, arguments.droppingFirst())
        let outer = ev.parameterElement
        defer { ev.parameterElement = outer }
        ev.parameterElement = try bound.dtype() ?? .fp32
        try layer.build(ev, object, bound)
        return .none
      })
    type.namespace["forward"] = .native(
      NativeFunction("\(name).forward") { ev, arguments in
        guard case .instance(let object)? = arguments.positional.first else {
          throw ev.raise("TypeError", "forward() needs an instance")
        }
        return try layer.forward(ev, object, arguments.droppingFirst())
      })
    return type
  }

  /// Calls a torch function by name, recorded under that name.
  func callTorch(
    _ name: String, _ positional: [Value], _ keywords: [(name: String, value: Value)] = []
  ) throws -> Value {
    guard
      let function = torchFunction(
        name, in: [TorchTables.functions, TorchTables.shared, TorchTables.torchOnly])
    else { throw refuse("'\(name)' is not modelled") }
    return try function.body(
      self, Arguments(positional, keywords: keywords.filter { !$0.value.isNone }, range: here))
  }

  /// `Function.apply(…)`: the forward with a fresh context; backward is not run.
  func applyAutograd(_ type: ClassObject, _ arguments: Arguments) throws -> Value {
    guard case .descriptor(let descriptor)? = type.lookup("forward") else {
      throw raise("RuntimeError", "a torch.autograd.Function needs a static 'forward'")
    }
    let context = InstanceObject(nativeClass("FunctionCtx"))
    context["saved_tensors"] = .makeTuple([])
    context["needs_input_grad"] = .makeTuple(
      Array(repeating: .bool(false), count: arguments.positional.count))
    if let setup = type.lookup("setup_context"), case .descriptor(let inner) = setup {
      let result = try call(descriptor.getter, arguments)
      _ = try call(
        inner.getter, [.instance(context), .makeTuple(arguments.positional), result])
      return result
    }
    return try call(descriptor.getter, arguments.prepending(.instance(context)))
  }

  func initFunction(_ name: String) -> NativeFunction { InitFunctions.function(name) }
}
