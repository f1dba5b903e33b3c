import Diagnostics

/// What a Python has, as the worker's `hello` tells.
public struct PythonReport: Sendable, Hashable, Codable {
  public struct Package: Sendable, Hashable, Codable {
    public var version: String?
    /// Why it cannot be imported, when that was tried and failed.
    public var problem: String?
    public var folder: String?
  }

  public struct CUDA: Sendable, Hashable, Codable {
    /// The CUDA version torch was built for; nil for a build without CUDA.
    public var version: String?
    /// Whether torch can use a GPU here.
    public var available: Bool
  }

  public struct Device: Sendable, Hashable, Codable {
    public var index: Int
    public var name: String
    /// `8.9`
    public var capability: String
    public var memoryBytes: Int?
    public var driver: String?
    public var uuid: String?
  }

  /// `3.12.1`
  public var python: String
  public var implementation: String
  public var executable: String
  public var isVirtual: Bool
  /// `Linux x86_64`
  public var platform: String
  /// By name: triton, torch, numpy, setuptools; those that are not installed are left out.
  public var packages: [String: Package]
  /// nil unless torch was imported.
  public var cuda: CUDA?
  public var gpus: [Device]
  /// Paths of ncu, nsys, compute-sanitizer, nvidia-smi, ptxas, cuobjdump, nvdisasm and a C compiler
  /// (`cc`), where found.
  public var tools: [String: String]
  /// Whether `Python.h` is there, which Triton needs to launch kernels; nil where that was not asked.
  public var hasHeaders: Bool?
}

extension PythonReport {
  /// The GPU of this number, as the user counts those that are visible.
  ///
  /// - Throws: a `Diagnostic` that lists the GPUs there are.
  public func gpu(_ index: Int) throws(Diagnostic) -> Device {
    guard let device = gpus.first(where: { $0.index == index }) else {
      throw Diagnostic(
        id: "no-such-gpu-index", "there is no GPU \(index) here that may be used",
        nextStep: "GPUs: " + gpus.map { "\($0.index) (\($0.name))" }.joined(separator: ", "))
    }
    return device
  }
}

extension PythonReport.Device {
  /// What makes it the only GPU of a process.
  public var variables: [String: String] { ["CUDA_VISIBLE_DEVICES": uuid ?? "\(index)"] }
}

extension Worker {
  private struct HelloRequest: Encodable {
    var imports: Bool
  }

  /// Asks what the Python has.
  ///
  /// - Parameter imports: also import triton and torch, which takes seconds and finds broken ones.
  public func hello(
    imports: Bool = false, deadline: Duration = .seconds(120)
  ) async throws(WorkerFailure) -> PythonReport {
    try await call(
      "hello", HelloRequest(imports: imports), deadline: deadline, as: PythonReport.self)
  }
}

extension PythonEnvironment {
  /// Starts a worker for this one question: versions, tools, GPUs, and what does not import.
  ///
  /// - Parameter environment: the variables of the process.
  public func probe(
    scratch: ScratchFolder, environment: [String: String], imports: Bool = true
  ) async throws(WorkerFailure) -> PythonReport {
    let worker = Worker(python: self, scratch: scratch, environment: environment)
    let report = try await worker.hello(imports: imports)
    await worker.stop()
    return report
  }
}
