import PythonSyntax

/// What packages ask of Python before they define their kernels: versions, signatures, locks.
enum PackageTools {
  /// `packaging.version.parse`: the numbers of a release, which compare as versions do.
  static let parseVersion: NativeBody = { ev, arguments in
    guard case .string(let text) = try BuiltinFunctions.first(ev, arguments, "parse") else {
      throw ev.raise("TypeError", "expected string or bytes-like object")
    }
    var numbers: [Int] = []
    for part in text.drop(while: { $0 == "v" }).split(separator: ".") {
      let digits = part.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int(digits), numbers.count < 3 else { break }
      numbers.append(number)
      // What follows the release (a build, a candidate's number) is not compared.
      if digits.count < part.count { break }
    }
    guard !numbers.isEmpty else { throw ev.raise("ValueError", "Invalid version: '\(text)'") }
    numbers += Array(repeating: 0, count: 3 - numbers.count)
    return .tuple(
      TupleObject(numbers.map { .int($0) }, fields: ["major", "minor", "micro"]))
  }

  /// `inspect.signature`, as far as the names of the parameters.
  static let signature: NativeBody = { ev, arguments in
    let names: [String]
    switch try BuiltinFunctions.first(ev, arguments, "signature") {
    case .function(let function): names = function.parameters.map(\.name)
    case .kernel(let kernel): names = kernel.parameters.map(\.name)
    case .native(let function) where function.name == "autotune": names = autotuneParameters
    default: throw ev.refuse("the signature of this object is not modelled")
    }
    let parameters = DictObject()
    for name in names {
      parameters[string: name] = .opaque(OpaqueObject("the signature of '\(name)'"))
    }
    let object = InstanceObject(ev.nativeClass("Signature"))
    object["parameters"] = .dict(parameters)
    return .instance(object)
  }

  /// The parameters of `triton.autotune` in Triton 3.6.
  private static let autotuneParameters = [
    "configs", "key", "prune_configs_by", "reset_to_zero", "restore_value", "pre_hook", "post_hook",
    "warmup", "rep", "use_cuda_graph", "do_bench", "cache_results",
  ]

  static func attribute(_ ev: Evaluator, _ module: String, _ name: String) -> Value? {
    switch (module, name) {
    case ("packaging", "version"): .module(ModuleObject("packaging.version"))
    case ("packaging.version", "parse"), ("packaging.version", "Version"):
      .native(NativeFunction(name, parseVersion))
    case ("inspect", "signature"): .native(NativeFunction(name, signature))
    case ("threading", "Lock"), ("threading", "RLock"):
      .native(NativeFunction(name) { _, _ in .none })
    default: nil
    }
  }
}
