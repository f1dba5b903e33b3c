import Diagnostics
import PythonSyntax

/// A `@triton.jit` function on the host, with what its decorators add.
final class KernelObject {
  struct Parameter {
    var name: String
    var isConstexpr: Bool
    var defaultValue: Value?
  }

  let function: FunctionObject
  let parameters: [Parameter]
  /// Each parameter's place in `parameters`.
  let places: [String: Int]
  var configs: [Value]?
  var key: [String] = []
  var pruner: Value?
  /// `@triton.heuristics`, in the order in which Triton applies them.
  var heuristics: [(name: String, function: Value)] = []
  var attributes: [String: Value] = [:]
  /// What `warmup` compiled the kernel with, by argument and option; nil for a kernel that is
  /// compiled when it is launched.
  var compiled: [String: Value]?

  var name: String { function.name }
  var isAutotuned: Bool { configs != nil }

  init(_ function: FunctionObject) {
    self.function = function
    parameters = function.parameters.map {
      Parameter(
        name: $0.name, isConstexpr: Self.isConstexpr($0.annotation),
        defaultValue: function.defaults[$0.name])
    }
    places = Dictionary(
      parameters.enumerated().map { ($0.element.name, $0.offset) },
      uniquingKeysWith: { first, _ in first })
  }

  init(copying other: KernelObject) {
    function = other.function
    parameters = other.parameters
    places = other.places
    configs = other.configs
    key = other.key
    pruner = other.pruner
    heuristics = other.heuristics
    attributes = other.attributes
    compiled = other.compiled
  }

  /// `tl.constexpr`, `constexpr`, or either in quotes or with a subscript.
  static func isConstexpr(_ annotation: Expr?) -> Bool {
    guard let annotation else { return false }
    switch annotation.kind {
    case .name(let name): return name == "constexpr"
    case .attribute(_, let name, _): return name == "constexpr"
    case .constant(.string(let text)): return text.value.contains("constexpr")
    case .subscripted(let value, _): return isConstexpr(value)
    default: return false
    }
  }
}

/// `kernel[grid]`.
final class GridBinding {
  let value: Value
  let range: SourceRange
  init(_ value: Value, range: SourceRange) {
    self.value = value
    self.range = range
  }
}

extension Evaluator {
  /// Attributes of `triton` and its submodules.
  func tritonAttribute(_ module: String, _ name: String) throws -> Value? {
    if module == "triton.language" || module.hasPrefix("triton.language.") {
      return tritonLanguageAttribute(module, name)
    }
    if module.hasPrefix("triton.runtime") || module.hasPrefix("triton.testing")
      || module.hasPrefix("triton.compiler") || module.hasPrefix("triton.backends")
    {
      if let value = TritonHost.runtime(self, name) { return value }
    }
    if let body = TritonHost.functions[name] { return .native(NativeFunction(name, body)) }
    switch name {
    case "Config", "TensorDescriptor": return .classObject(tritonClass(name))
    case "JITFunction", "Autotuner": return .classObject(nativeClass(name))
    case "__version__": return .string("3.6.0")
    case "language", "runtime", "testing", "tools", "compiler", "backends", "knobs", "ops",
      "tensor_descriptor", "jit", "autotuner", "driver", "math", "extra", "libdevice", "errors",
      "experimental":
      return .module(ModuleObject("\(module).\(name)"))
    default: return nil
    }
  }

  private func tritonLanguageAttribute(_ module: String, _ name: String) -> Value? {
    let types: [String: Value] = [
      "float8e4nv": .dtype(DTypeValue(element: .fp8e4nv, isTriton: true)),
      "float8e5": .dtype(DTypeValue(element: .fp8e5, isTriton: true)),
      "float8e4b8": .dtype(DTypeValue(element: .fp8e4b8, isTriton: true)),
      "float8e4b15": .dtype(DTypeValue(element: .fp8e4b15, isTriton: true)),
      "float8e5b16": .dtype(DTypeValue(element: .fp8e5b16, isTriton: true)),
      "int1": .dtype(DTypeValue(element: .int1, isTriton: true)),
    ]
    if let value = types[name] { return value }
    if let element = Self.torchTypes[name], name.last?.isNumber == true {
      return .dtype(DTypeValue(element: element, isTriton: true))
    }
    switch name {
    case "constexpr":
      return .native(
        NativeFunction(name) { ev, arguments in
          ev.makesConstexprs = true
          return try BuiltinFunctions.first(ev, arguments, name)
        })
    case "cdiv", "next_power_of_2":
      return TritonHost.functions[name].map { .native(NativeFunction(name, $0)) }
    case "language", "math", "extra", "libdevice", "cuda", "core", "standard", "random":
      return .module(ModuleObject("triton.language.\(name)"))
    default: return .opaque(OpaqueObject("'tl.\(name)'"))
    }
  }

  func tritonClass(_ name: String) -> ClassObject {
    if let type = nativeClasses[name] { return type }
    let type = ClassObject(name: name, bases: [nativeClass("object")], unit: nil)
    nativeClasses[name] = type
    if name == "Config" {
      type.namespace["__init__"] = .native(NativeFunction("Config", TritonHost.makeConfig))
      type.namespace["all_kwargs"] = .native(
        NativeFunction("all_kwargs") { ev, arguments in
          guard case .instance(let config)? = arguments.positional.first,
            case .dict(let kwargs)? = config["kwargs"]
          else { return .dict(DictObject()) }
          let all = kwargs.copy()
          for option in ["num_warps", "num_stages", "num_ctas", "maxnreg"] {
            if let value = config[option], !value.isNone { all[string: option] = value }
          }
          return .dict(all)
        })
    } else {
      let fields = ["base", "shape", "strides", "block_shape", "padding"]
      type.namespace["__init__"] = .native(
        NativeFunction(name) { ev, arguments in
          guard case .instance(let object)? = arguments.positional.first else { return .none }
          let bound = try Bound(ev, name, fields, arguments.droppingFirst())
          for field in fields { object[field] = bound[field] ?? Value.none }
          return .none
        })
      type.namespace["from_tensor"] = .descriptor(
        DescriptorObject(
          .staticMethod,
          .native(
            NativeFunction("from_tensor") { ev, arguments in
              let bound = try Bound(
                ev, "from_tensor", ["tensor", "block_shape", "padding"], arguments)
              let tensor = try bound.tensor("tensor")
              let object = InstanceObject(type)
              object["base"] = .tensor(tensor)
              object["shape"] = ev.sizeValue(tensor)
              object["strides"] = .makeTuple(tensor.strides.map(Value.integer))
              object["block_shape"] = try bound.require("block_shape")
              return .instance(object)
            })))
    }
    return type
  }

  func kernelAttribute(_ kernel: KernelObject, _ name: String) -> Value? {
    if let value = kernel.attributes[name] { return value }
    switch name {
    case "run", "warmup":
      return .native(
        NativeFunction(name) { ev, arguments in
          var inner = arguments
          guard let index = inner.keywords.firstIndex(where: { $0.name == "grid" }) else {
            throw ev.raise("TypeError", "\(name)() needs a grid")
          }
          let grid = inner.keywords.remove(at: index).value
          let range =
            inner.keywordRanges.indices.contains(index)
            ? inner.keywordRanges.remove(at: index) : arguments.range
          inner.keywords.removeAll { $0.name == "warmup" }
          if name == "warmup" { return .kernel(ev.compiled(kernel, inner)) }
          return try ev.launch(kernel, GridBinding(grid, range: range), inner)
        })
    case "fn":
      let inner = KernelObject(copying: kernel)
      inner.configs = nil
      return .kernel(inner)
    case "__name__": return .string(kernel.name)
    case "arg_names": return .makeList(kernel.parameters.map { .string($0.name) })
    case "configs": return kernel.configs.map(Value.makeList)
    case "cache", "cache_hook": return .dict(DictObject())
    case "best_config": return kernel.configs?.first ?? Value.none
    case "__doc__": return Value.none
    default: return kernel.compiled.flatMap { compiledAttribute(name, options: $0) }
    }
  }

  /// What `kernel.warmup(…)` gives: the kernel with its constants and options fixed.
  private func compiled(_ kernel: KernelObject, _ arguments: Arguments) -> KernelObject {
    let result = KernelObject(copying: kernel)
    var fixed: [String: Value] = [:]
    for (parameter, value) in zip(kernel.parameters, arguments.positional) {
      fixed[parameter.name] = value
    }
    for (name, value) in arguments.keywords { fixed[name] = value }
    // Sizes and tensors are given again at the launch.
    result.compiled = fixed.filter { name, _ in
      kernel.places[name].map { kernel.parameters[$0].isConstexpr } ?? true
    }
    return result
  }

  /// What only a compiler knows of a kernel: a module that computes its grid from it gets the figures
  /// of a kernel that fills no resource, and the run says so.
  private func compiledAttribute(_ name: String, options: [String: Value]) -> Value? {
    func assumed(_ number: Int) -> Value {
      note("assumed-compilation", "'\(name)' is known after compilation; assumed \(number)")
      return .integer(SymInt(number, origin: .inputShape))
    }
    switch name {
    case "n_regs": return assumed(32)
    case "n_spills": return assumed(0)
    case "shared": return assumed(1024)
    case "_init_handles":
      return .native(NativeFunction(name) { _, _ in .none })
    case "metadata":
      let object = InstanceObject(nativeClass("KernelMetadata"))
      object["shared"] = assumed(1024)
      object["num_warps"] = options["num_warps"] ?? .int(4)
      return .instance(object)
    default: return nil
    }
  }

  func callKernelDirectly(_ kernel: KernelObject, _ arguments: Arguments) throws -> Value {
    throw raise(
      "RuntimeError",
      "Cannot call @triton.jit'd outside of the scope of a kernel: '\(kernel.name)' needs a grid")
  }
}

/// The functions of `triton` that run on the host.
enum TritonHost {
  static let functions: [String: NativeBody] = [
    "cdiv": { ev, arguments in
      let bound = try Bound(ev, "cdiv", ["x", "y"], arguments)
      guard let result = try bound.int("x").ceilDivided(by: bound.int("y")) else {
        throw ev.raise("ZeroDivisionError", "integer division or modulo by zero")
      }
      return .integer(result)
    },
    "next_power_of_2": { ev, arguments in
      let bound = try Bound(ev, "next_power_of_2", ["n"], arguments)
      let number = try bound.int("n")
      guard let power = SymbolicInt.nextPower(number.value) else {
        throw ev.refuse("an integer past 64 bits", id: "host-limit")
      }
      guard let formula = number.formula else {
        return .integer(SymInt(power, origin: number.origin))
      }
      return .integer(
        SymInt(
          power, origin: number.origin, formula: .nextPowerOf2(formula),
          size: number.formulaSize + 1))
    },
    "jit": { ev, arguments in
      if case .function(let function)? = arguments.positional.first {
        return .kernel(KernelObject(function))
      }
      return .native(
        NativeFunction("jit") { ev, inner in
          guard case .function(let function)? = inner.positional.first else {
            throw ev.refuse("triton.jit of something that is no function")
          }
          return .kernel(KernelObject(function))
        })
    },
    "autotune": { ev, arguments in
      let bound = try Bound(
        ev, "autotune",
        [
          "configs", "key", "prune_configs_by", "reset_to_zero", "restore_value", "pre_hook",
          "post_hook", "warmup", "rep", "use_cuda_graph", "do_bench", "cache_results",
        ], arguments)
      let configs = try ev.items(bound.require("configs"))
      let key = try bound.given("key").map { try ev.items($0) } ?? []
      var pruner: Value?
      if case .dict(let dict)? = bound.given("prune_configs_by") {
        pruner = dict[string: "early_config_prune"]
      }
      return .native(
        NativeFunction("autotune") { ev, inner in
          guard case .kernel(let kernel)? = inner.positional.first else {
            // `Autotuner` asks its function for what only `@triton.jit` gives it.
            throw ev.raise(
              "AttributeError", "'function' object has no attribute 'arg_names'")
          }
          let tuned = KernelObject(copying: kernel)
          tuned.configs = configs
          tuned.key = key.compactMap { if case .string(let name) = $0 { name } else { nil } }
          tuned.pruner = pruner
          return .kernel(tuned)
        })
    },
    "heuristics": { ev, arguments in
      let bound = try Bound(ev, "heuristics", ["values"], arguments)
      guard case .dict(let values) = try bound.require("values") else {
        throw ev.raise("TypeError", "heuristics need a dict")
      }
      return .native(
        NativeFunction("heuristics") { ev, inner in
          guard case .kernel(let kernel)? = inner.positional.first else {
            throw ev.refuse("triton.heuristics of something that is no kernel")
          }
          let result = KernelObject(copying: kernel)
          for entry in values.items {
            if case .string(let name) = entry.key {
              result.heuristics.append((name, entry.value))
            }
          }
          return .kernel(result)
        })
    },
    "set_allocator": { _, _ in .none },
    // Called by kernels while they are compiled; for the host program a function like any other.
    "constexpr_function": { ev, arguments in
      try BuiltinFunctions.first(ev, arguments, "constexpr_function")
    },
  ]

  /// `triton.Config(kwargs, num_warps=4, num_stages=3, …)`.
  static let makeConfig: NativeBody = { ev, arguments in
    guard case .instance(let object)? = arguments.positional.first else { return .none }
    let bound = try Bound(
      ev, "Config",
      [
        "kwargs", "num_warps", "num_stages", "num_ctas", "maxnreg", "pre_hook", "ir_override",
        "num_buffers_warp_spec", "num_consumer_groups", "reg_dec_producer", "reg_inc_consumer",
      ], arguments.droppingFirst())
    object["kwargs"] = bound["kwargs"] ?? .dict(DictObject())
    object["num_warps"] = bound["num_warps"] ?? .int(4)
    object["num_stages"] = bound["num_stages"] ?? .int(3)
    object["num_ctas"] = bound["num_ctas"] ?? .int(1)
    object["maxnreg"] = bound["maxnreg"] ?? Value.none
    object["pre_hook"] = bound["pre_hook"] ?? Value.none
    object["__states__"] = .makeTuple([
      .bool(bound["num_warps"] != nil), .bool(bound["num_stages"] != nil),
    ])
    object["__range__"] = .makeTuple([.int(arguments.range.lower), .int(arguments.range.upper)])
    return .none
  }

  /// `triton.runtime.driver.active.utils.get_device_properties(…)` and its neighbours.
  static func runtime(_ ev: Evaluator, _ name: String) -> Value? {
    let gpu = ev.gpu
    func native(_ body: @escaping NativeFunction.Body) -> Value {
      .native(NativeFunction(name, body))
    }
    switch name {
    case "driver", "active", "utils": return .module(ModuleObject("triton.runtime.\(name)"))
    case "get_current_device": return native { _, _ in .int(0) }
    case "get_device_properties":
      return native { _, _ in
        .dict(
          DictObject(strings: [
            ("multiprocessor_count", .int(gpu.multiprocessors)),
            ("max_shared_mem", .int(gpu.sharedMemoryPerBlockOptIn)),
            ("max_num_regs", .int(gpu.registersPerMultiprocessor)),
            ("warpSize", .int(gpu.warpSize)),
          ]))
      }
    case "get_current_target":
      return native { ev, _ in
        let object = InstanceObject(ev.nativeClass("GPUTarget"))
        object["backend"] = .string("cuda")
        object["arch"] = .int(gpu.computeCapability)
        object["warp_size"] = .int(gpu.warpSize)
        return .instance(object)
      }
    case "get_active_torch_device": return native { _, _ in .device("cuda:0") }
    case "do_bench", "do_bench_cudagraph":
      return native { _, _ in .double(1, origin: .unknown) }
    default: return nil
    }
  }
}
