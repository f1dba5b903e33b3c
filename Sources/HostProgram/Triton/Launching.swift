import Diagnostics
import TileIR
import TritonLowering

/// What makes two launches in a row one launch repeated: everything but the storages.
struct LaunchSignature: Hashable {
  var kernel: String
  var callRange: SourceRange
  var arguments: [ArgumentValue]
  var grids: [[Int]]
}

extension Evaluator {
  private static let launchOptions: Set<String> = [
    "num_warps", "num_stages", "num_ctas", "maxnreg", "enable_fp_fusion", "stream", "debug",
    "extern_libs", "enable_warp_specialization", "launch_cooperative_grid", "launch_pdl",
    "allow_fp8e4nv", "matrix_instr_nonkdim", "waves_per_eu", "kpack", "num_buffers_warp_spec",
    "num_consumer_groups", "reg_dec_producer", "reg_inc_consumer", "device", "device_type",
    "launch_cooperative_grid", "enable_reflect_ftz", "sanitize_overflow", "arch", "ir_override",
    "disable_ptxas_opt",
  ]

  private struct BoundArgument {
    var value: Value
    var range: SourceRange?
  }

  /// `kernel[grid](…)`: binds the arguments, runs heuristics and the grid for each config, records.
  func launch(_ kernel: KernelObject, _ grid: GridBinding, _ arguments: Arguments) throws -> Value {
    let callRange = arguments.range
    var bound: [String: BoundArgument] = [:]
    var options = (kernel.compiled ?? [:]).filter { Self.launchOptions.contains($0.key) }
    guard arguments.positional.count <= kernel.parameters.count else {
      throw raise(
        "TypeError",
        "\(kernel.name)() takes \(kernel.parameters.count) arguments but \(arguments.positional.count) were given"
      )
    }
    for (index, value) in arguments.positional.enumerated() {
      let range =
        arguments.positionalRanges.indices.contains(index)
        ? arguments.positionalRanges[index] : nil
      bound[kernel.parameters[index].name] = BoundArgument(value: value, range: range)
    }
    for (index, (name, value)) in arguments.keywords.enumerated() {
      let range =
        arguments.keywordRanges.indices.contains(index) ? arguments.keywordRanges[index] : nil
      // A keyword may be both: Triton hands `num_warps=8` to a parameter of that name as well.
      let isOption = Self.launchOptions.contains(name)
      if isOption { options[name] = value }
      if kernel.places[name] != nil {
        guard bound[name] == nil else {
          throw raise("TypeError", "got multiple values for argument '\(name)'")
        }
        bound[name] = BoundArgument(value: value, range: range)
      } else if !isOption {
        throw raise(
          "KeyError", "Keyword argument \(name) was specified but unrecognised")
      }
    }

    var entries: [(config: LaunchConfig, grid: [Int])] = []
    var formulas: [[SymbolicInt?]] = []
    let values = bound.mapValues(\.value)
    let meta = isCallable(grid.value) ? makeMeta(kernel, values) : nil
    var isHooked = false
    for configValue in try configs(of: kernel, values) {
      here = callRange
      let config = try launchConfig(configValue, options, kernel)
      var constants = config.values
      for (name, _) in constants where bound[name] != nil {
        throw raise(
          "ValueError",
          "Conflicting meta-parameters: \(name). Make sure that you don't re-define auto-tuned symbols."
        )
      }
      let blocks = try runHook(of: configValue, kernel, values, constants, isRecorded: !isHooked)
      isHooked = isHooked || blocks != nil
      here = callRange
      try runHeuristics(kernel, values, &constants)
      if entries.isEmpty || meta != nil {
        let (sizes, axes) = try evaluateGrid(grid, meta, constants)
        formulas.append(axes)
        entries.append((config.config, sizes))
      } else {
        entries.append((config.config, entries[0].grid))
      }
      entries[entries.count - 1].config.descriptorBlocks = blocks ?? [:]
      for (name, value) in constants {
        entries[entries.count - 1].config.constants[name] = try constexpr(value)
      }
    }
    guard let first = entries.first else { return .none }
    here = callRange
    var list: [LaunchArgument] = []
    for parameter in kernel.parameters {
      if first.config.constants[parameter.name] != nil { continue }
      guard
        let argument = bound[parameter.name]
          ?? kernel.compiled?[parameter.name].map({ BoundArgument(value: $0) })
          ?? parameter.defaultValue.map({ BoundArgument(value: $0) })
      else {
        throw raise(
          "TypeError", "\(kernel.name)() missing a required argument: '\(parameter.name)'")
      }
      var made = try launchArgument(
        parameter.name, argument.value, argument.range.map { recorded($0) })
      // Later configs' hooks may have changed a descriptor.
      made.value = first.config.adjusted(made.value, parameter.name)
      list.append(made)
    }
    for argument in list where argument.origin == .unknown {
      if case .tensor = argument.value { continue }
      traceGap("the argument '\(argument.name)' depends on tensor contents", at: callRange)
    }
    for argument in bound.values { noteLaunchWrite(argument.value) }
    guard isRecording, unit?.isModule ?? true else {
      traceGap("a kernel runs outside of 'forward'", at: callRange)
      return .none
    }
    var axes: [SymbolicInt]?
    if let model = formulas.first, formulas.allSatisfy({ $0 == model }) {
      let known = model.compactMap { $0 }
      if known.count == model.count { axes = known }
    }
    record(
      Launch(
        kernel: kernel.name, arguments: list, configs: entries, gridFormulas: axes,
        isAutotuned: kernel.isAutotuned, autotuneKey: kernel.key,
        callRange: recorded(callRange), gridRange: recorded(grid.range)))
    if launches.count > limits.launches {
      throw refuse("the host program makes over \(limits.launches) launches", id: "host-limit")
    }
    return .none
  }

  /// A kernel may write to any tensor it gets; parameters and inputs are read.
  private func noteLaunchWrite(_ value: Value) {
    if case .tensor(let tensor) = value, !tensor.isParameter, tensor.inputName == nil {
      noteWrite(tensor)
    }
  }

  private func record(_ launch: Launch) {
    let signature = LaunchSignature(
      kernel: launch.kernel, callRange: launch.callRange,
      arguments: launch.arguments.map { Self.withoutStorage($0.value) },
      grids: launch.configs.map(\.grid))
    let isRepeated = launchSignatures.last == signature
    if isRepeated {
      launches[launches.count - 1].repetitions += 1
    } else {
      launchSignatures = [signature]
      launches.append(launch)
    }
    let values = launch.arguments.map(\.value)
    let index = launches.count - 1
    traceLaunch(
      index, isRepeated && values != launches[index].arguments.map(\.value) ? values : nil)
  }

  private static func withoutStorage(_ value: ArgumentValue) -> ArgumentValue {
    switch value {
    case .tensor(var shape):
      shape.storage = -1
      shape.offset = 0
      return .tensor(shape)
    case .tuple(let values): return .tuple(values.map(withoutStorage))
    default: return value
    }
  }

  // MARK: Configs

  /// A kernel's configs after pruning; one empty entry without autotune.
  private func configs(of kernel: KernelObject, _ arguments: [String: Value]) throws -> [Value] {
    guard var configs = kernel.configs else { return [.none] }
    if configs.isEmpty { return [.none] }
    if let pruner = kernel.pruner, configs.count > 1 {
      let named = DictObject()
      for parameter in kernel.parameters {
        if let value = arguments[parameter.name] { named[string: parameter.name] = value }
      }
      do {
        let pruned = try items(
          call(pruner, Arguments([.makeList(configs), .dict(named)], range: here)))
        if !pruned.isEmpty { configs = pruned }
      } catch Unwind.raised(let exception) {
        note(
          "pruning-failed",
          "the configs are not pruned: \(exceptionText(exception.value))")
      }
    }
    return configs
  }

  /// A config's options and constants. An option of the config outweighs an entry of the same name
  /// in its dict (`Config.all_kwargs`), and reaches a kernel parameter of that name too.
  private func launchConfig(
    _ value: Value, _ options: [String: Value], _ kernel: KernelObject
  ) throws -> (config: LaunchConfig, values: [(String, Value)]) {
    func option(_ value: Value?, _ fallback: Int) throws -> Int {
      guard let value, !value.isNone else { return fallback }
      return try integer(value, "a launch option").value
    }
    guard case .instance(let object) = value else {
      let config = LaunchConfig(
        numWarps: try option(options["num_warps"], 4),
        numStages: try option(options["num_stages"], 3),
        numCTAs: try option(options["num_ctas"], 1),
        maxRegisters: options["maxnreg"]?.asInt?.value,
        statesNumWarps: options["num_warps"] != nil,
        statesNumStages: options["num_stages"] != nil)
      try checkWarps(config.numWarps)
      return (config, [])
    }
    var config = LaunchConfig(
      numWarps: try option(object["num_warps"], 4),
      numStages: try option(object["num_stages"], 3),
      numCTAs: try option(object["num_ctas"], 1), maxRegisters: object["maxnreg"]?.asInt?.value)
    if case .tuple(let states)? = object["__states__"], states.items.count == 2 {
      config.statesNumWarps = try truth(states.items[0])
      config.statesNumStages = try truth(states.items[1])
    }
    if case .tuple(let range)? = object["__range__"], range.items.count == 2,
      let lower = range.items[0].asInt?.value, let upper = range.items[1].asInt?.value
    {
      config.range = kernel.function.unit.isImported ? nil : SourceRange(lower, upper)
    }
    var values: [(String, Value)] = []
    if case .dict(let kwargs)? = object["kwargs"] {
      for entry in kwargs.items {
        guard case .string(let name) = entry.key, !Self.configOptions.contains(name) else {
          continue
        }
        if kernel.places[name] == nil, !Self.launchOptions.contains(name) {
          throw raise("KeyError", "Keyword argument \(name) was specified but unrecognised")
        }
        values.append((name, entry.value))
      }
    }
    for name in Self.configOptions where kernel.places[name] != nil {
      if let option = object[name], !option.isNone { values.append((name, option)) }
    }
    try checkWarps(config.numWarps)
    return (config, values)
  }

  private static let configOptions = ["num_warps", "num_stages", "num_ctas", "maxnreg"]

  private func checkWarps(_ count: Int) throws {
    guard count > 0, count & (count - 1) == 0 else {
      throw raise("AssertionError", "num_warps must be a power of 2")
    }
  }

  /// Runs a config's `pre_hook`, which fills tensors or gives descriptors their blocks, before every
  /// launch with the config.
  /// - Parameter isRecorded: whether what it does to tensors is a step of the run. The steps are the
  ///   same for all configs: those of the first one with a hook.
  /// - Returns: the blocks of descriptor arguments after it; nil where there is no hook.
  private func runHook(
    of config: Value, _ kernel: KernelObject, _ arguments: [String: Value],
    _ constants: [(String, Value)], isRecorded: Bool
  ) throws -> [String: [Int]]? {
    guard case .instance(let object) = config, let hook = object["pre_hook"], isCallable(hook)
    else { return nil }
    let named = makeMeta(kernel, arguments)
    for (name, value) in constants { named[string: name] = value }
    if !isRecorded { operatorDepth += 2 }
    defer { if !isRecorded { operatorDepth -= 2 } }
    _ = try call(hook, Arguments([.dict(named)], range: here))
    var blocks: [String: [Int]] = [:]
    for parameter in kernel.parameters {
      guard case .instance(let descriptor)? = named[string: parameter.name],
        descriptor.type.name == "TensorDescriptor"
      else { continue }
      blocks[parameter.name] = try items(descriptor["block_shape"] ?? Value.none).map {
        try integer($0, "a block size").value
      }
    }
    return blocks
  }

  private func runHeuristics(
    _ kernel: KernelObject, _ arguments: [String: Value], _ constants: inout [(String, Value)]
  ) throws {
    guard !kernel.heuristics.isEmpty else { return }
    let all = DictObject()
    for parameter in kernel.parameters {
      if let value = arguments[parameter.name] ?? parameter.defaultValue {
        all[string: parameter.name] = value
      }
    }
    for (name, value) in constants { all[string: name] = value }
    for heuristic in kernel.heuristics {
      let value = try call(heuristic.function, Arguments([.dict(all)], range: here))
      all[string: heuristic.name] = value
      constants.removeAll { $0.0 == heuristic.name }
      constants.append((heuristic.name, value))
    }
  }

  // MARK: Grids

  private func isCallable(_ value: Value) -> Bool {
    switch value {
    case .function, .native, .bound, .instance: true
    default: false
    }
  }

  /// What a grid function is called with: every argument by name; configs add their constants.
  private func makeMeta(_ kernel: KernelObject, _ arguments: [String: Value]) -> DictObject {
    let meta = DictObject()
    for parameter in kernel.parameters {
      if let argument = arguments[parameter.name] ?? parameter.defaultValue {
        meta[string: parameter.name] = argument
      }
    }
    return meta
  }

  private func evaluateGrid(
    _ grid: GridBinding, _ meta: DictObject?, _ constants: [(String, Value)]
  ) throws -> ([Int], [SymbolicInt?]) {
    var value = grid.value
    if let meta {
      for (name, constant) in constants {
        // Config constants are named in the formulas of the grid.
        if let number = constant.asInt, case .integer = constant {
          meta[string: name] = .integer(.dimension(name, number.value, origin: number.origin))
        } else {
          meta[string: name] = constant
        }
      }
      value = try call(value, Arguments([.dict(meta)], range: grid.range))
    }
    here = grid.range
    var axes = try sizeList(value)
    guard !axes.isEmpty else { throw raise("IndexError", "tuple index out of range") }
    if axes.count > 3 {
      note(
        "grid-axes",
        "the grid has \(axes.count) axes; Triton launches the first 3 and drops the rest")
      axes = Array(axes[..<3])
    }
    return (axes.map(\.value), axes.map(\.asFormula))
  }

  // MARK: Arguments

  private func launchArgument(_ name: String, _ value: Value, _ range: SourceRange?) throws
    -> LaunchArgument
  {
    var origin = value.origin
    var formula: SymbolicInt?
    if case .integer(let number) = value { formula = number.formula }
    if case .tensor(let tensor) = value {
      origin = tensor.dims.map(\.origin).max() ?? .module
      origin = max(origin, .module)
    }
    return LaunchArgument(
      name: name, value: try argumentValue(value, name, 0), origin: origin, formula: formula,
      range: range)
  }

  private func argumentValue(_ value: Value, _ name: String, _ depth: Int) throws -> ArgumentValue {
    guard depth < 20 else { throw refuse("values nest too deeply", id: "host-limit") }
    switch value {
    case .tensor(let tensor): return .tensor(tensor.publicShape)
    case .integer(let number): return .int(number.value)
    case .float(let number): return .float(number.value)
    case .boolean(let flag): return .bool(flag.value)
    case .none: return .none
    case .string(let text), .device(let text): return .string(text)
    case .dtype(let dtype): return .dtype(dtype.element)
    case .tuple(let tuple):
      return .tuple(try tuple.items.map { try argumentValue($0, name, depth + 1) })
    case .list(let list):
      return .tuple(try list.items.map { try argumentValue($0, name, depth + 1) })
    case .kernel(let kernel): return .function(kernel.name)
    case .function(let function): return .function(function.name)
    case .instance(let object) where object.type.name == "TensorDescriptor":
      guard case .tensor(let base)? = object["base"] else {
        throw raise("TypeError", "a TensorDescriptor needs a tensor")
      }
      var shape = base.publicShape
      shape.shape = try items(object["shape"] ?? Value.none).map { try integer($0, "a size").value }
      shape.strides = try items(object["strides"] ?? Value.none).map {
        try integer($0, "a stride").value
      }
      return .tensorDescriptor(
        shape,
        block: try items(object["block_shape"] ?? Value.none).map {
          try integer($0, "a block size").value
        })
    case .opaque(let object): throw refuse(object)
    default:
      throw refuse("a kernel argument '\(name)' of type '\(value.typeName)' is not modelled")
    }
  }

  /// A config's or heuristic's value as a compile-time constant.
  private func constexpr(_ value: Value) throws -> ConstexprValue {
    switch value {
    case .none: return .none
    case .boolean(let flag): return .bool(flag.value)
    case .integer(let number): return .int(number.value)
    case .float(let number): return .float(number.value)
    case .string(let text): return .string(text)
    case .dtype(let dtype): return .dtype(dtype.element)
    case .tuple(let tuple): return .tuple(try tuple.items.map { try constexpr($0) })
    case .list(let list): return .tuple(try list.items.map { try constexpr($0) })
    case .kernel(let kernel): return .function(kernel.name)
    default: throw refuse("a config value of type '\(value.typeName)' is not modelled")
    }
  }
}
