import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import Profiling
import PythonSyntax
import Requests
import TileIR

/// The problem a module is optimized for: its inputs, where they come from, and its launches.
///
/// In order of trust: `--input` shapes, a problem file's (or the module's own) `get_inputs`, and
/// what the profile and the module's constants imply.
public struct KnownProblem {
  var inputs: ModuleInputs
  /// nil where the host program could not be followed; `notes` says why.
  public var run: HostRun?
  /// Original configs that the profile allows, by kernel.
  public var configs: [String: [Int]] = [:]
  public var deduction: ProblemDeduction?
  public var notes: [Diagnostic] = []

  /// Follows the host program with what the request knows of its inputs.
  public static func find(for request: Request) -> KnownProblem {
    let problem = request.problem?.tree ?? ownProblem(request.tree)
    var notes: [Diagnostic] = []
    var inputs: HostProgram.Inputs = .unknown
    if !request.inputs.isEmpty {
      var tensors: [String: TensorShape] = [:]
      for spec in request.inputs {
        if case .tensor(let type, let shape) = spec.value {
          tensors[spec.name] = TensorShape(element: ElementType(type), shape: shape)
        }
      }
      inputs = .tensors(tensors)
    } else if problem != nil {
      inputs = .fromProblem
    }
    var known = KnownProblem(
      inputs: ModuleInputs(
        problem: problem, inputs: inputs, gpu: HostGPU(request.gpu)))
    let host = known.inputs.host(for: request.tree)
    notes += host.unknownInputs(request.inputs.map(\.name))
    do throws(Diagnostic) {
      known.run = try host.run(inputs)
    } catch {
      var note = error
      note.severity = .warning
      notes.append(note)
      if case .unknown = inputs {
      } else if let run = try? host.run(.unknown) {  // the failure above is what is told
        known.run = run
        known.inputs.inputs = .unknown
        notes.append(
          Diagnostic(
            id: "inputs-not-used", severity: .warning,
            "the given inputs could not be run; unknown shapes are assumed instead"))
      }
    }
    if known.run?.inputsAreKnown == false { known.deduce(for: request, host) }
    notes += known.run?.notes ?? []
    known.notes += notes
    return known
  }

  /// A module that brings its own `get_inputs` is its own problem file.
  private static func ownProblem(_ tree: ModuleTree) -> ModuleTree? {
    tree.functions.contains { $0.name == "get_inputs" } ? tree : nil
  }

  /// Finds shapes from the profile and runs the module with them.
  private mutating func deduce(for request: Request, _ host: HostProgram) {
    guard !request.profiles.isEmpty else { return }
    let found = ProblemInference(
      host: host, profiles: request.profiles, gpu: request.gpu
    ).deduction()
    deduction = found
    guard let best = found.best else { return }
    let shapes = Dictionary(best.inputs.map { ($0.name, $0.shape) }) { first, _ in first }
    do throws(Diagnostic) {
      run = try host.run(.tensors(shapes))
    } catch {
      notes.append(
        Diagnostic(
          id: "deduced-inputs-not-used", severity: .warning,
          "the inputs that the profile implies could not be run: \(error.message)"))
      return
    }
    inputs.inputs = .tensors(shapes)
    configs = best.configs.mapValues { [$0] }
  }
}

extension ElementType {
  /// The element type of an input given on the command line.
  public init(_ name: ElementName) {
    self =
      switch name {
      case .int1: .int1
      case .int8: .int8
      case .int16: .int16
      case .int32: .int32
      case .int64: .int64
      case .uint8: .uint8
      case .uint16: .uint16
      case .uint32: .uint32
      case .uint64: .uint64
      case .float16: .fp16
      case .bfloat16: .bf16
      case .float32: .fp32
      case .float64: .fp64
      case .float8e4nv: .fp8e4nv
      case .float8e5: .fp8e5
      }
  }
}

extension HostGPU {
  init(_ gpu: GPU) {
    self.init()
    name = gpu.name
    computeCapability = gpu.computeCapability.major * 10 + gpu.computeCapability.minor
    multiprocessors = gpu.multiprocessors
    sharedMemoryPerBlockOptIn = gpu.limits.maxSharedBytesPerBlock
    registersPerMultiprocessor = gpu.limits.registers
    threadsPerMultiprocessor = gpu.limits.maxThreads
    l2Bytes = gpu.l2Bytes
    memoryBytes = gpu.dramBytes
  }
}

extension Request {
  /// The profile of a kernel: of its first profiled launch. Nsight may print a kernel's name with
  /// a suffix of the argument types.
  func profile(of kernel: String) -> KernelProfile? {
    profiles.first { $0.kernel == kernel }
      ?? profiles.first { $0.kernel.hasPrefix(kernel) }
  }
}
