import DeviceModel
import Diagnostics
import HostProgram
import Profiling
import TileIR
import TritonLowering

/// From a launch of the host program to lowered kernels and their analyses.
public enum LaunchLowering {
  /// What Triton's launcher knows of each argument under one config: values of 1 and `None` are
  /// folded, multiples of 16 and 16-byte alignment are noted, constexpr parameters carry values.
  public static func specialization(
    of launch: Launch, config: LaunchConfig, kernel: JITFunction, gpu: GPU
  ) -> Specialization {
    specialization(
      of: launch, config: config, kernel: kernel,
      computeCapability: gpu.computeCapability.major * 10 + gpu.computeCapability.minor)
  }

  /// The same for a compute capability alone, as major times ten plus minor.
  public static func specialization(
    of launch: Launch, config: LaunchConfig, kernel: JITFunction, computeCapability: Int
  ) -> Specialization {
    var arguments: [String: ArgumentSpecialization] = [:]
    for parameter in kernel.parameters {
      if let value = config.constants[parameter.name] {
        arguments[parameter.name] = .constexpr(value)
      } else if let argument = launch.arguments.first(where: { $0.name == parameter.name }) {
        arguments[parameter.name] = argumentSpecialization(
          config.adjusted(argument.value, argument.name), parameter)
      }
    }
    return Specialization(
      arguments: arguments, numWarps: config.numWarps, numStages: config.numStages,
      computeCapability: computeCapability)
  }

  private static func argumentSpecialization(
    _ value: ArgumentValue, _ parameter: JITParameter
  ) -> ArgumentSpecialization {
    if parameter.isConstexpr, let constant = constant(value) { return .constexpr(constant) }
    let isPlain = parameter.isNotSpecialized
    switch value {
    case .tensor(let tensor):
      let (bytes, overflow) = tensor.offset.multipliedReportingOverflow(by: tensor.element.bytes)
      return .pointer(
        tensor.element, isDivisibleBy16: !isPlain && !overflow && bytes % 16 == 0)
    case .int(let number):
      if number == 1, !isPlain { return .constexpr(.int(1)) }
      let type: ElementType = Int32(exactly: number) != nil ? .int32 : .int64
      return .scalar(type, isDivisibleBy16: !isPlain && number % 16 == 0)
    case .float: return .scalar(.fp32, isDivisibleBy16: false)
    case .bool: return .scalar(.int1, isDivisibleBy16: false)
    case .tensorDescriptor(let tensor, let block):
      return .tensorDescriptor(tensor.element, block: block)
    case .tuple(let values):
      return .tuple(values.map { argumentSpecialization($0, parameter) })
    case .none, .string, .dtype, .function:
      return .constexpr(constant(value) ?? .none)
    }
  }

  private static func constant(_ value: ArgumentValue) -> ConstexprValue? {
    switch value {
    case .int(let number): return .int(number)
    case .float(let number): return .float(number)
    case .bool(let flag): return .bool(flag)
    case .none: return ConstexprValue.none
    case .string(let text): return .string(text)
    case .dtype(let type): return .dtype(type)
    case .function(let name): return .function(name)
    case .tuple(let values):
      let parts = values.compactMap(constant)
      return parts.count == values.count ? .tuple(parts) : nil
    case .tensor, .tensorDescriptor: return nil
    }
  }

  /// Lowers and analyses one config of a launch.
  /// - Throws: the refusal with its line.
  public static func analysis(
    of launch: Launch, configIndex: Int, in triton: TritonModule, gpu: GPU,
    profile: KernelProfile? = nil
  ) throws(Diagnostic) -> KernelAnalysis {
    guard let kernel = triton.function(named: launch.kernel) else {
      throw Diagnostic(
        id: "unknown-kernel", "no @triton.jit function '\(launch.kernel)'",
        source: triton.tree.source, range: launch.callRange)
    }
    guard launch.configs.indices.contains(configIndex) else {
      throw Diagnostic(
        id: "no-such-config", "the launch of '\(launch.kernel)' has no config \(configIndex)",
        source: triton.tree.source, range: launch.callRange)
    }
    let (config, grid) = launch.configs[configIndex]
    let specialization = specialization(of: launch, config: config, kernel: kernel, gpu: gpu)
    let function = try triton.lower(launch.kernel, for: specialization)
    return KernelAnalysis(
      function: function, launch: launch, configIndex: configIndex, grid: grid, gpu: gpu,
      profile: profile)
  }
}
