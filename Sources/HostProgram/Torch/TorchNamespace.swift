import TileIR

extension Evaluator {
  /// By the names under which torch prints them.
  fileprivate static let canonicalTypes: [String: ElementType] = [
    "float32": .fp32, "float16": .fp16, "bfloat16": .bf16, "float64": .fp64, "int8": .int8,
    "int16": .int16, "int32": .int32, "int64": .int64, "uint8": .uint8, "uint16": .uint16,
    "uint32": .uint32, "uint64": .uint64, "bool": .int1, "float8_e4m3fn": .fp8e4nv,
    "float8_e5m2": .fp8e5, "float8_e4m3fnuz": .fp8e4b8, "float8_e5m2fnuz": .fp8e5b16,
  ]

  static let torchTypes = canonicalTypes.merging([
    "float": .fp32, "half": .fp16, "double": .fp64, "short": .int16, "int": .int32, "long": .int64,
  ]) { $1 }

  private static let submodules: Set<String> = [
    "nn", "cuda", "backends", "autograd", "utils", "functional", "init", "modules", "parameter",
    "jit", "amp", "version", "library", "distributed", "fft", "special", "linalg", "cudnn",
    "matmul", "checkpoint", "function", "compiler", "_dynamo", "utils", "random", "testing",
    "profiler", "overrides", "fx", "ops", "_C", "mps", "cpu", "optim", "types", "_inductor",
    "runtime", "attention", "conv", "linear", "batchnorm", "hub", "parametrizations", "rnn",
    "guards",
  ]

  /// Attributes of `torch` and its submodules.
  func torchAttribute(_ module: String, _ name: String) throws -> Value? {
    if module == "torch", let element = Self.torchTypes[name] {
      return .dtype(DTypeValue(element: element))
    }
    if module == "torch.cuda" || module.hasPrefix("torch.backends")
      || module.hasPrefix("torch.version")
      || module.hasPrefix("torch.cpu") || module.hasPrefix("torch.mps")
    {
      return cudaAttribute(module, name)
    }
    if module.hasPrefix("torch.distributed"), name == "tensor" || name == "DTensor" {
      return name == "tensor"
        ? .module(ModuleObject("\(module).tensor")) : .classObject(nativeClass(name))
    }
    if module == "torch.nn.init" { return .native(initFunction(name)) }
    if module.hasPrefix("torch.utils.checkpoint"), name == "checkpoint" {
      return .native(
        NativeFunction(name) { ev, arguments in
          var inner = arguments.droppingFirst()
          inner.keywords.removeAll { ["use_reentrant", "preserve_rng_state"].contains($0.name) }
          return try ev.call(BuiltinFunctions.first(ev, arguments, name), inner)
        })
    }
    if name.first?.isUppercase == true, let value = torchClass(module, name) { return value }
    if let value = torchValue(module, name) { return value }
    if module == "torch.linalg", let function = torchFunction(name, in: [LinalgOperators.table]) {
      return .native(function)
    }
    let isFunctional = module == "torch.nn.functional"
    if let function = torchFunction(
      name,
      in: isFunctional
        ? [TorchTables.functions, TorchTables.shared]
        : [TorchTables.torchOnly, TorchTables.functions, TorchTables.shared])
    {
      return .native(function)
    }
    if Self.submodules.contains(name), !module.hasSuffix(".\(name)") {
      return .module(ModuleObject("\(module).\(name)"))
    }
    return nil
  }

  private func torchClass(_ module: String, _ name: String) -> Value? {
    switch name {
    case "Tensor", "Module", "Function", "Parameter", "Size":
      return name == "Size"
        ? .native(
          NativeFunction("Size") { ev, arguments in
            .size(
              try ev.items(BuiltinFunctions.first(ev, arguments, "Size")).map {
                try ev.integer($0, "a size")
              })
          }) : .classObject(nativeClass(name))
    case "FloatTensor", "HalfTensor", "LongTensor", "IntTensor", "BoolTensor":
      let elements: [String: ElementType] = [
        "FloatTensor": .fp32, "HalfTensor": .fp16, "LongTensor": .int64, "IntTensor": .int32,
        "BoolTensor": .int1,
      ]
      let element = elements[name] ?? .fp32
      return .native(
        NativeFunction(name) { ev, arguments in
          if let first = arguments.positional.first, first.asInt == nil {
            let result = try ev.tensor(from: first, element)
            let dtype = Value.dtype(DTypeValue(element: element))
            ev.trace("tensor", ["data": first, "dtype": dtype], [result])
            return .tensor(result)
          }
          let dims = try arguments.positional.map { try ev.integer($0, "a size") }
          let result = try ev.makeTensor(element, dims)
          ev.trace("empty", ["size": .makeList(dims.map(Value.integer))], [result])
          return .tensor(result)
        })
    default:
      guard module.hasPrefix("torch.nn"), LayerTables.all[name] != nil || Self.isContainer(name)
      else {
        return module == "torch" && LayerTables.all[name] != nil
          ? .classObject(nativeClass(name)) : nil
      }
      return .classObject(nativeClass(name))
    }
  }

  private func torchValue(_ module: String, _ name: String) -> Value? {
    func native(_ body: @escaping NativeFunction.Body) -> Value {
      .native(NativeFunction(name, body))
    }
    switch name {
    case "pi": return .double(.pi)
    case "e": return .double(2.718281828459045)
    case "inf": return .double(.infinity)
    case "nan": return .double(.nan)
    case "newaxis": return Value.none
    case "__version__": return .string("2.6.0+cu124")
    case "strided", "contiguous_format", "channels_last", "channels_last_3d", "preserve_format":
      return .string(name)
    case "dtype", "layout", "memory_format", "Generator":
      return .classObject(nativeClass(name))
    case "device":
      return native { ev, arguments in
        let first = arguments.positional.first ?? arguments.keyword("device") ?? .string("cuda")
        if case .string(let text) = first { return .device(text) }
        return first
      }
    case "no_grad", "inference_mode", "enable_grad", "set_grad_enabled", "compile", "script",
      "custom_fwd", "custom_bwd", "once_differentiable", "disable", "allow_in_graph", "ignore",
      "export", "unused":
      return .native(NativeFunction(name, FunctionTools.transparent))
    case "autocast":
      return .native(NativeFunction(name, FunctionTools.transparent))
    case "complex64", "complex128", "complex32", "cfloat", "cdouble", "chalf":
      // Compared with dtypes, which it never equals; complex tensors are not modelled.
      return native { ev, _ in throw ev.refuse("complex tensors are not modelled") }
    case "assert_size_stride": return native { _, _ in .none }
    case "_empty_strided_cuda", "_empty_strided_cpu":
      return torchFunction("empty_strided", in: [TorchTables.torchOnly, TorchTables.functions])
        .map { .native($0) }
    case "broadcast_tensors":
      return native { ev, arguments in
        let tensors = try arguments.positional.map { value -> TensorObject in
          guard case .tensor(let tensor) = value else {
            throw ev.raise("TypeError", "broadcast_tensors(): all arguments must be Tensors")
          }
          return tensor
        }
        let shape = try ev.broadcast(tensors.map(\.dims))
        return .makeTuple(
          try tensors.map { tensor in
            let expand = try ev.attribute(.tensor(tensor), "expand")
            return try ev.call(expand, shape.map { .integer($0) })
          })
      }
    case "is_tensor":
      return native { ev, arguments in
        if case .tensor = try BuiltinFunctions.first(ev, arguments, name) { return .bool(true) }
        return .bool(false)
      }
    case "is_floating_point":
      return native { ev, arguments in
        guard case .tensor(let tensor) = try BuiltinFunctions.first(ev, arguments, name) else {
          return .bool(false)
        }
        return .bool(tensor.element.isFloat)
      }
    case "numel":
      return native { ev, arguments in
        guard case .tensor(let tensor) = try BuiltinFunctions.first(ev, arguments, name) else {
          throw ev.raise("TypeError", "numel(): argument 'input' must be Tensor")
        }
        return .integer(tensor.symbolicCount)
      }
    case "is_grad_enabled", "is_autocast_enabled", "is_inference_mode_enabled",
      "are_deterministic_algorithms_enabled":
      return native { _, _ in .bool(false) }
    case "get_autocast_dtype", "get_autocast_gpu_dtype":
      return native { _, _ in .dtype(DTypeValue(element: .fp16)) }
    case "get_default_dtype": return native { _, _ in .dtype(DTypeValue(element: .fp32)) }
    case "manual_seed", "set_default_dtype", "set_default_device", "set_float32_matmul_precision",
      "use_deterministic_algorithms", "set_num_threads", "seed", "set_printoptions":
      return native { _, _ in .none }
    case "get_float32_matmul_precision": return native { _, _ in .string("highest") }
    case "promote_types", "result_type":
      return native { ev, arguments in
        let elements = try arguments.positional.map { value -> ElementType in
          if case .tensor(let tensor) = value { return tensor.element }
          return try ev.elementType(value)
        }
        guard let first = elements.first else { throw ev.raise("TypeError", "a dtype is missing") }
        return .dtype(
          DTypeValue(element: elements.dropFirst().reduce(first) { Promotion.promote($0, $1) }))
      }
    case "finfo", "iinfo":
      return native { ev, arguments in
        let element = try arguments.positional.first.map { try ev.elementType($0) } ?? .fp32
        return .instance(ev.numericLimits(element))
      }
    case "_calculate_fan_in_and_fan_out": return .native(initFunction(name))
    default: return nil
    }
  }

  private func numericLimits(_ element: ElementType) -> InstanceObject {
    let limits = InstanceObject(nativeClass("finfo"))
    limits["bits"] = .int(element.bits)
    if element.isFloat {
      let (top, epsilon, tiny): (Double, Double, Double) =
        switch element {
        case .fp16: (65504, 0x1p-10, 0x1p-14)
        case .bf16: (0x1.FEp127, 0x1p-7, 0x1p-126)
        case .fp64: (.greatestFiniteMagnitude, .ulpOfOne, .leastNormalMagnitude)
        case .fp8e4nv: (448, 0x1p-3, 0x1p-6)
        case .fp8e5: (57344, 0x1p-2, 0x1p-14)
        default: (0x1.FFFFFEp127, 0x1p-23, 0x1p-126)
        }
      limits["max"] = .double(top)
      limits["min"] = .double(-top)
      limits["eps"] = .double(epsilon)
      limits["tiny"] = .double(tiny)
      limits["smallest_normal"] = .double(tiny)
    } else {
      let width = min(63, element.isSignedInteger ? element.bits - 1 : element.bits)
      limits["max"] = .int(width == 63 ? Int.max : (1 << width) - 1)
      limits["min"] = .int(element.isSignedInteger ? (width == 63 ? Int.min : -(1 << width)) : 0)
    }
    return limits
  }

  func dtypeAttribute(_ dtype: DTypeValue, _ name: String) -> Value? {
    switch name {
    case "itemsize": return .int(dtype.element.bytes)
    case "is_floating_point" where !dtype.isTriton: return .bool(dtype.element.isFloat)
    case "is_signed": return .bool(dtype.element.isFloat || dtype.element.isSignedInteger)
    case "primitive_bitwidth": return .int(dtype.element.bits)
    case "element_ty", "scalar": return .dtype(dtype)
    case "name": return .string(dtype.element.description)
    case "is_floating":
      return .native(NativeFunction(name) { _, _ in .bool(dtype.element.isFloat) })
    default: return nil
    }
  }

  func dtypeText(_ dtype: DTypeValue) -> String {
    if dtype.isTriton { return dtype.element.description }
    return "torch.\(dtype.element.torchName ?? dtype.element.description)"
  }

  func numpyAttribute(_ name: String) -> Value? {
    switch name {
    case "pi": .double(.pi)
    case "inf": .double(.infinity)
    case "prod", "sqrt", "log", "exp", "ceil", "floor", "log2":
      MathModule.table[name].map { .native(NativeFunction(name, $0)) }
    default: nil
    }
  }
}

extension ElementType {
  /// Torch's name, without `torch.`: `float16`; nil for a type that torch does not have.
  public var torchName: String? { Evaluator.canonicalTypes.first { $0.value == self }?.key }
}
