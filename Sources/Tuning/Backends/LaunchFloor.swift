import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import PythonSyntax
import Toolchain
import TritonLowering

/// What a module's own launches cannot take less than: its dots at the tensor cores' peak.
public enum LaunchFloor {
  /// The share of the peak rate's time that is certain: GPUs run above the clock that vendors rate
  /// them at (an H200 at 1,980 MHz instead of 1,830).
  private static let caution = 0.85
  /// Launches of one module, and configs of one launch, beyond which nothing is claimed.
  private static let launchLimit = 24
  private static let configLimit = 32

  /// Seconds; 0 where nothing is known. Of a launch's configs the one with the least work counts,
  /// and a launch of which any config cannot be followed counts nothing.
  public static func seconds(of run: HostRun, in module: ModuleTree, on gpu: GPU) -> Double {
    guard run.inputsAreKnown, module.source.text.contains("dot") else { return 0 }
    let triton = TritonModule(module)
    var sum = 0.0
    var known: [LaunchSignature: Double] = [:]
    for launch in run.launches {
      let signature = LaunchSignature(launch)
      if known[signature] == nil {
        guard known.count < launchLimit else { break }
        known[signature] = seconds(of: launch, in: triton, on: gpu)
      }
      sum += (known[signature] ?? 0) * Double(launch.repetitions)
    }
    return sum.isFinite ? caution * sum : 0
  }

  private static func seconds(of launch: Launch, in triton: TritonModule, on gpu: GPU) -> Double {
    guard !launch.configs.isEmpty, launch.configs.count <= configLimit else { return 0 }
    var least = Double.infinity
    var works: [[OperandType: Double]] = []
    for index in launch.configs.indices {
      // A config that the lowering refuses may still run: then nothing is known of the launch.
      guard
        let analysis = try? LaunchLowering.analysis(
          of: launch, configIndex: index, in: triton, gpu: gpu)
      else { return 0 }
      works.append(analysis.work.dotFlops)
    }
    for work in works {
      least = min(
        least,
        work.reduce(0) { sum, entry in
          sum + (gpu.roofline.floorSeconds(operations: entry.value, entry.key) ?? 0)
        })
    }
    return least.isFinite ? least : 0
  }
}

/// The times below which a measurement on a GPU is not believed.
struct Floors: Sendable {
  private let gpu: GPU?
  private let inputs: ModuleInputs
  private let original: GPUModule
  private let bytes: RooflineFloor?
  private let ownOfOriginal: Double
  /// Why there are none, for the user; nil where there are.
  let absence: String?

  /// - Parameter device: the GPU that is measured on, as the driver calls it.
  init(_ known: KnownProblem, original: ModuleTree, device: String) {
    let gpu = GPU.find(device)
    self.gpu = gpu
    inputs = known.inputs
    self.original = GPUModule(name: "original", text: original.source.text)
    guard let gpu, let run = known.run, run.inputsAreKnown else {
      bytes = nil
      ownOfOriginal = 0
      absence =
        "times are held against no roofline floor: "
        + (gpu == nil ? "nothing is known of '\(device)'" : "the launches are not known")
      return
    }
    bytes = RooflineFloor(run)
    ownOfOriginal = LaunchFloor.seconds(of: run, in: original, on: gpu)
    absence = nil
  }

  /// Sets the floors of the original and of one candidate.
  func add(to options: inout TimingOptions, _ candidate: GPUModule) {
    guard let gpu, let bytes else { return }
    options.floorSeconds = bytes.seconds(on: gpu)
    options.ownFloorSeconds[original.name] = ownOfOriginal
    guard candidate.text != original.text else {
      options.ownFloorSeconds[candidate.name] = ownOfOriginal
      return
    }
    let tree = PythonParser.parse(SourceText(name: candidate.name, text: candidate.text))
    // A candidate whose host program cannot be followed was refused by the rules already.
    guard let run = try? inputs.host(for: tree).run(inputs.inputs) else { return }
    options.ownFloorSeconds[candidate.name] = LaunchFloor.seconds(of: run, in: tree, on: gpu)
  }
}
