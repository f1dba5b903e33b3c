/// What a backend needs and what of it is missing, with the command that adds it.
public struct Readiness: Sendable, Hashable, Codable {
  public enum Backend: String, Sendable, Hashable, Codable, CaseIterable {
    /// The tile machine and the models: always there.
    case embedded
    /// Triton's compiler, without a GPU.
    case compiler
    /// Checking and timing on an NVIDIA GPU.
    case gpu
    /// Nsight Compute, for `hone profile`.
    case profiler
  }

  public struct Missing: Sendable, Hashable, Codable {
    /// One line: what is missing or broken.
    public var what: String
    /// A command that adds it, or what to do where no command does.
    public var remedy: String
  }

  public var backend: Backend
  public var missing: [Missing]
  public var isReady: Bool { missing.isEmpty }

  /// Triton's versions that the worker knows, as pip writes them.
  public static let tritonRange = "triton>=3.2,<3.7"

  /// Judges each backend by what a Python told.
  ///
  /// - Parameters:
  ///   - report: nil where no Python could be started.
  ///   - reason: why not.
  public static func all(_ report: PythonReport?, reason: String? = nil) -> [Readiness] {
    guard let report else {
      let python = Missing(
        what: reason ?? "there is no Python",
        remedy: "install Python 3.10 or newer, or name one with --python or HONE_PYTHON")
      return Backend.allCases.map {
        Readiness(backend: $0, missing: $0 == .embedded ? [] : [python])
      }
    }
    let triton = needsTriton(report)
    let gpu = triton + needsTorch(report) + needsGPU(report) + needsLauncher(report)
    return [
      Readiness(backend: .embedded, missing: []), Readiness(backend: .compiler, missing: triton),
      Readiness(backend: .gpu, missing: gpu),
      Readiness(backend: .profiler, missing: gpu + needsProfiler(report)),
    ]
  }

  private static func install(_ what: String, _ report: PythonReport) -> String {
    "'\(report.executable)' -m pip install \(what)"
  }

  private static func needsTriton(_ report: PythonReport) -> [Missing] {
    let command = install("'\(tritonRange)'", report)
    guard report.platform.hasPrefix("Linux") else {
      return [
        Missing(
          what: "Triton has no package for \(report.platform)", remedy: "use a Linux machine")
      ]
    }
    guard let triton = report.packages["triton"] else {
      return [Missing(what: "triton is not installed", remedy: command)]
    }
    if let problem = triton.problem {
      return [
        Missing(
          what: "triton does not import: \(problem)",
          remedy: install("--force-reinstall '\(tritonRange)'", report))
      ]
    }
    if let version = triton.version, !isKnown(triton: version) {
      return [Missing(what: "triton \(version) is not among 3.2 to 3.6", remedy: command)]
    }
    return []
  }

  /// Newer minor versions of 3 are tried, older ones are not.
  static func isKnown(triton version: String) -> Bool {
    let parts = version.split(separator: ".").prefix(2).compactMap { Int($0) }
    guard parts.count == 2 else { return true }
    return parts[0] == 3 && parts[1] >= 2
  }

  private static func needsTorch(_ report: PythonReport) -> [Missing] {
    guard let torch = report.packages["torch"] else {
      return [Missing(what: "torch is not installed", remedy: install("torch", report))]
    }
    if let problem = torch.problem {
      return [
        Missing(
          what: "torch does not import: \(problem)",
          remedy: install("--force-reinstall torch", report))
      ]
    }
    if let cuda = report.cuda, cuda.version == nil {
      return [
        Missing(
          what: "torch \(torch.version ?? "") is a build without CUDA",
          remedy: install(
            "--force-reinstall torch --index-url https://download.pytorch.org/whl/cu128", report))
      ]
    }
    return []
  }

  private static func needsGPU(_ report: PythonReport) -> [Missing] {
    if report.gpus.isEmpty {
      let isDriverThere = report.tools["nvidia-smi"] != nil
      return [
        Missing(
          what: isDriverThere
            ? "the driver sees no NVIDIA GPU" : "no NVIDIA GPU is seen (there is no nvidia-smi)",
          remedy: isDriverThere
            ? "look at what nvidia-smi says" : "use a machine with an NVIDIA GPU and its driver")
      ]
    }
    if let cuda = report.cuda, cuda.version != nil, !cuda.available {
      return [
        Missing(
          what: "torch, built for CUDA \(cuda.version ?? "?"), cannot use the GPU",
          remedy: "install a driver that supports this CUDA, or torch for an older CUDA")
      ]
    }
    return []
  }

  private static func needsLauncher(_ report: PythonReport) -> [Missing] {
    var missing: [Missing] = []
    if report.tools["cc"] == nil {
      missing.append(
        Missing(
          what: "there is no C compiler, which Triton needs to launch kernels",
          remedy: "apt install gcc"))
    }
    if report.hasHeaders == false {
      let version = report.python.split(separator: ".").prefix(2).joined(separator: ".")
      missing.append(
        Missing(
          what: "Python.h is missing, which Triton needs to launch kernels",
          remedy: "apt install python\(version)-dev"))
    }
    return missing
  }

  private static func needsProfiler(_ report: PythonReport) -> [Missing] {
    guard report.tools["ncu"] == nil else { return [] }
    return [
      Missing(
        what: "ncu (Nsight Compute) is not in PATH",
        remedy: "install Nsight Compute: https://developer.nvidia.com/nsight-compute")
    ]
  }
}
