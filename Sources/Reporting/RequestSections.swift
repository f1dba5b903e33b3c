import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import Requests

/// The sections that come before the kernels.
enum RequestSections {
  static func request(_ request: Request) -> Explanation.Section? {
    let gpu = request.gpu
    var statements: [Explanation.Statement] = []
    let clock = Number.short(gpu.boostClockMHz)
    statements.append(
      .init(
        "GPU \(gpu.name) (\(gpu.architecture), compute capability \(gpu.computeCapability)): "
          + "\(gpu.multiprocessors) SMs at \(clock) MHz, \(Number.short(gpu.dramGBPerSecond)) GB/s, "
          + "L2 \(Number.short(Double(gpu.l2Bytes) / 1_048_576)) MiB"))
    let rates = [OperandType.tf32, .fp16, .fp32].compactMap { type in
      gpu.teraOps[type].map { "\(type.rawValue) \(Number.short($0))" }
    }
    if !rates.isEmpty {
      statements.append(.init("peak rates in TFLOPS: " + rates.joined(separator: ", ")))
    }
    statements.append(.init("module \(request.module.name), \(request.tree.body.count) statements"))
    for profile in request.profiles {
      statements.append(
        .init(
          "profile of \(profile.kernel): \(profile.metrics.count) metrics", at: nil, .measured))
    }
    if let absence = request.profileAbsence { statements.append(.init("no profile: \(absence)")) }
    return .init("Request", statements)
  }

  static func launches(
    _ run: HostRun?, kernels: [Explanation.Kernel], repeated: [Int: Int], source: SourceText
  ) -> Explanation.Section? {
    var statements: [Explanation.Statement] = []
    for (index, kernel) in kernels.enumerated() {
      guard let launch = kernel.launch, launch.configs.indices.contains(kernel.configIndex) else {
        statements.append(
          .init(
            "\(kernel.name) is not launched (or the launch could not be followed); argument types "
              + "are guessed from use and figures are for one program", at: kernel.place))
        continue
      }
      let (config, grid) = launch.configs[kernel.configIndex]
      var text =
        "\(kernel.name)[\(grid.map(Number.grouped).joined(separator: ", "))] with "
        + configText(config)
      if launch.configs.count > 1 {
        text += " (config \(kernel.configIndex + 1) of \(launch.configs.count))"
      }
      let times = (repeated[index] ?? 1) * launch.repetitions
      if times > 1 { text += ", \(times) times" }
      statements.append(.init(text, at: kernel.place))
      if let formulas = launch.gridFormulas,
        formulas.contains(where: { !$0.dimensions.isEmpty })
      {
        statements.append(
          .init(
            "its grid is (\(formulas.map(\.description).joined(separator: ", ")))",
            at: SourcePlace(launch.gridRange, in: source)))
      }
    }
    for item in (run?.torchOperators ?? []).prefix(12) {
      statements.append(
        .init("torch runs \(item.name) beside the kernels", at: SourcePlace(item.range, in: source))
      )
    }
    return .init("Launches", statements)
  }

  static func problem(_ run: HostRun?, _ deduction: ProblemDeduction?) -> Explanation.Section? {
    var statements: [Explanation.Statement] = []
    if let deduction {
      statements = deduction.steps.enumerated().map { .init("\($0.offset + 1). \($0.element)") }
      return .init("Problem (a deduction from the profile and the module's constants)", statements)
    }
    guard let run else { return nil }
    for input in run.inputs {
      let shape = input.shape.shape.map(String.init).joined(separator: ", ")
      statements.append(
        .init(
          "\(input.name) = \(input.shape.element)[\(shape)]"
            + (run.inputsAreKnown ? "" : " (nothing gives this shape: a stand-in)")))
    }
    return .init("Problem", statements)
  }

  static func configText(_ config: LaunchConfig) -> String {
    let constants = config.constants.sorted { $0.key < $1.key }.compactMap { name, value in
      switch value {
      case .int(let number): "\(name) \(number)"
      case .bool(let flag): "\(name) \(flag ? "True" : "False")"
      default: nil as String?
      }
    }
    return (constants + ["num_warps \(config.numWarps)", "num_stages \(config.numStages)"])
      .joined(separator: ", ")
  }
}
