import TileIR

/// The names Triton 3.6 exports, module by module, as compile-time values.
enum TritonNames {
  static let dtypes: [String: ElementType] = [
    "int1": .int1, "int8": .int8, "int16": .int16, "int32": .int32, "int64": .int64,
    "uint8": .uint8, "uint16": .uint16, "uint32": .uint32, "uint64": .uint64,
    "float8e4nv": .fp8e4nv, "float8e5": .fp8e5, "float8e4b15": .fp8e4b15,
    "float8e4b8": .fp8e4b8, "float8e5b16": .fp8e5b16,
    "float16": .fp16, "bfloat16": .bf16, "float32": .fp32, "float64": .fp64,
  ]

  /// Names in `triton.language` that are functions here; their parameters stand in ``BuiltinTable``.
  static let mathFunctions: Set<String> = [
    "abs", "ceil", "cos", "div_rn", "erf", "exp", "exp2", "fdiv", "floor", "fma", "log", "log2",
    "rsqrt", "sin", "sqrt", "sqrt_rn", "umulhi",
  ]

  /// Classes of `triton.language`.
  static let classes: Set<String> = [
    "constexpr", "tensor", "const", "dtype", "block_type", "pointer_type", "tuple", "tuple_type",
    "slice", "tensor_descriptor", "tensor_descriptor_type", "constexpr_type", "condition",
  ]

  private static let languageOnly: Set<String> = [
    "range", "static_range", "static_assert", "static_print",
  ]

  private static let submodules: Set<String> = [
    "triton.language.math", "triton.language.core", "triton.language.standard",
    "triton.language.random", "triton.language.extra", "triton.language.target_info",
    "triton.language.extra.cuda", "triton.language.extra.cuda.libdevice",
    "triton.language.extra.hip", "triton.language.extra.libdevice",
    "triton.runtime", "triton.testing", "triton.tools", "triton.compiler",
    "triton.runtime.jit", "triton.runtime.driver",
  ]

  /// The value of a dotted module path after `import`.
  static func module(_ path: String) -> PyValue? {
    if path == "triton" || path == "triton.language" || submodules.contains(path) {
      return .module(path)
    }
    return nil
  }

  /// `module.name`, or nil where Triton 3.6 has no such attribute.
  static func attribute(_ name: String, of module: String) -> PyValue? {
    switch module {
    case "triton":
      switch name {
      case "language": return .module("triton.language")
      case "runtime", "testing", "tools", "compiler": return .module("triton.\(name)")
      case "jit", "autotune", "heuristics", "Config", "cdiv", "next_power_of_2",
        "constexpr_function", "must_use_result", "compile", "reinterpret", "set_allocator",
        "JITFunction", "OutOfResources":
        return .builtin("triton.\(name)")
      case "__version__": return .string("3.6.0")
      default: return nil
      }
    case "triton.runtime":
      if name == "driver" || name == "jit" { return .module("triton.runtime.\(name)") }
      return attribute(name, of: "triton") ?? .foreign("triton.runtime.\(name)")
    case "triton.runtime.jit": return attribute(name, of: "triton")
    case "triton.language": return languageAttribute(name)
    case "triton.language.core":
      if name == "CONSTEXPR_0" { return .int(0) }
      if coreOnly.contains(name) { return .builtin("core.\(name)") }
      if ["_tensor_member_fn", "builtin", "extern", "must_use_result"].contains(name)
        || name.hasPrefix("_add_")
      {
        return .foreign("triton.language.core.\(name)")
      }
      return languageAttribute(name)
    case "triton.language.math":
      if mathFunctions.contains(name) { return .builtin("tl.\(name)") }
      if name == "core" { return .module("triton.language.core") }
      return name.hasPrefix("_add_") ? .foreign("triton.language.math.\(name)") : nil
    case "triton.language.standard":
      if standardPrivate.contains(name) { return .builtin("standard.\(name)") }
      if name == "core" || name == "math" { return .module("triton.language.\(name)") }
      return languageAttribute(name)
    case "triton.language.random":
      if name == "N_ROUNDS_DEFAULT" { return .int(10) }
      return languageAttribute(name)
    case "triton.language.extra":
      // `libdevice` is a submodule nothing imports by itself.
      return name == "cuda" || name == "hip" ? .module("triton.language.extra.\(name)") : nil
    case "triton.language.extra.cuda":
      switch name {
      case "libdevice": return .module("triton.language.extra.cuda.libdevice")
      case "globaltimer", "num_threads", "num_warps", "smid", "gdc_launch_dependents", "gdc_wait":
        return .builtin("cuda.\(name)")
      default: return nil
      }
    case "triton.language.extra.cuda.libdevice", "triton.language.extra.libdevice":
      return Libdevice.functions[name] == nil ? nil : .builtin("libdevice.\(name)")
    case "triton.language.target_info":
      switch name {
      case "is_cuda", "is_hip", "is_hip_cdna3", "is_hip_cdna4", "cuda_capability_geq",
        "current_target":
        return .builtin("target_info.\(name)")
      default: return nil
      }
    default:
      return module.hasPrefix("triton.") ? .foreign("\(module).\(name)") : nil
    }
  }

  private static let coreOnly: Set<String> = [
    "_promote_bfloat16_to_float32", "_reduce_with_indices", "to_tensor", "get_int_dtype",
    "extern_elementwise", "item", "is_negative_zero", "_unsplat",
  ]

  private static let standardPrivate: Set<String> = [
    "_log2", "_is_power_of_two", "_sum_combine", "_elementwise_max", "_elementwise_min",
    "_argmax_combine_tie_break_left", "_argmax_combine_tie_break_fast",
    "_argmin_combine_tie_break_left", "_argmin_combine_tie_break_fast", "_prod_combine",
    "_xor_combine", "_or_combine",
  ]

  private static func languageAttribute(_ name: String) -> PyValue? {
    if let element = dtypes[name] { return .type(.scalar(element)) }
    switch name {
    case "void": return .type(.void)
    case "pi32_t": return .type(.scalar(.pointer(to: .int32)))
    case "TRITON_MAX_TENSOR_NUMEL": return .int(Int128(Limits.tileElements))
    case "PropagateNan": return .symbol("PropagateNan")
    case "math", "core", "standard", "random", "extra", "target_info":
      return .module("triton.language.\(name)")
    default: break
    }
    if classes.contains(name) { return .type(.python("tl.\(name)")) }
    if languageOnly.contains(name) || BuiltinTable.isLanguageFunction(name) {
      return .builtin("tl.\(name)")
    }
    return nil
  }

  /// Numbers of Python's modules that kernels may read through the module.
  static func foreignConstant(_ path: String) -> PyValue? {
    guard let dot = path.lastIndex(of: "."),
      ["math", "numpy", "torch", "np"].contains(String(path[..<dot]))
    else { return nil }
    switch path[path.index(after: dot)...] {
    case "pi": return .float(.pi)
    case "e": return .float(2.718281828459045)
    case "inf": return .float(.infinity)
    case "nan": return .float(.nan)
    default: return nil
    }
  }

  /// The public names of `triton.language`, to offer the nearest for a misspelt one.
  static let languageFunctionNames: [String] = BuiltinTable.languageNames + Array(classes)
}
